//! The language that a module was written in, and what to change there.

/// A language whose compiler leaves marks in its modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// Rust.
    Rust,
    /// C or C++.
    C,
    /// AssemblyScript.
    AssemblyScript,
    /// Go, compiled by TinyGo.
    Go,
}

/// Functions that AssemblyScript's library imports, with what to do without them.
const ASSEMBLY_SCRIPT: [(&str, &str); 6] = [
    (
        "env.abort",
        "build with the SDK's compiler transform, which gives `abort` to the host (asc's own `--use abort=` does it by hand)",
    ),
    (
        "env.Date.",
        "`Date.now()` asks a browser for the time: take the time as an argument of the process",
    ),
    (
        "env.Math.",
        "`Math.random()` asks a browser: take a seed as an argument of the process",
    ),
    (
        "env.seed",
        "`Math.random()` asks for a seed: take one as an argument of the process",
    ),
    ("env.console.", "use the SDK's log instead of `console`"),
    ("env.trace", "use the SDK's log instead of `trace`"),
];

impl Language {
    /// The language by what a module's `producers` section names.
    pub(super) fn of_producers(programs: &[&str]) -> Option<Self> {
        let has = |test: &dyn Fn(&str) -> bool| programs.iter().any(|it| test(it));
        // A Rust or Go program may have parts in C, and then names both.
        if has(&|it| it == "Rust" || it == "rustc") {
            Some(Self::Rust)
        } else if has(&|it| it == "TinyGo" || it == "Go") {
            Some(Self::Go)
        } else if has(&|it| it.starts_with("AssemblyScript")) {
            Some(Self::AssemblyScript)
        } else if has(&|it| it.contains("clang") || it.starts_with("C_plus_plus")) {
            Some(Self::C)
        } else {
            None
        }
    }

    /// The language by imports that only its library has.
    pub(super) fn of_imports<'a>(imports: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        imports
            .into_iter()
            .any(|it| assembly_script(it).is_some())
            .then_some(Self::AssemblyScript)
    }
}

/// What to change about a guest that imports these.
pub(super) fn remedy(imports: &[String], language: Option<Language>) -> String {
    let has = |prefix: &str| imports.iter().any(|it| it.starts_with(prefix));
    if has("wasi_") {
        return match language {
            Some(Language::Rust) => {
                "build the guest for wasm32-wasip2 or wasm32-unknown-unknown instead of wasm32-wasip1"
            }
            Some(Language::C) => {
                "build without the C library (`clang --target=wasm32-unknown-unknown -nostdlib`), or with \
                 wasi-sdk for wasm32-wasip2"
            }
            Some(Language::Go) => "build with `tinygo build -target=wasip2`",
            Some(Language::AssemblyScript) => "leave out @assemblyscript/wasi-shim",
            None => "build the guest for wasm32-wasip2 or wasm32-unknown-unknown instead",
        }
        .to_owned();
    }
    match language {
        Some(Language::AssemblyScript) => {
            let found = imports.iter().find_map(|it| assembly_script(it));
            found.unwrap_or("leave out the `@external` functions that are not the SDK's").to_owned()
        }
        Some(Language::Rust) if has("__wbindgen") || has("wbg.") => {
            "a dependency was built for browsers: switch off its `js` or `wasm-bindgen` feature".to_owned()
        }
        Some(Language::Rust) => {
            "an `extern` block declares them and nothing defines them: leave it out, or link what defines them"
                .to_owned()
        }
        Some(Language::C) => {
            "they are declared and nowhere defined: link what defines them; functions of the host are declared with \
             `import_module(\"theus:process/context@0.1.0\")` and `import_name(\"get\")`"
                .to_owned()
        }
        Some(Language::Go) | None => {
            "leave out the code that needs them: a guest is given theus:process and a virtual WASI 0.2 only".to_owned()
        }
    }
}

fn assembly_script(import: &str) -> Option<&'static str> {
    let known = |prefix: &str| match prefix.strip_suffix('.') {
        Some(_) => import.starts_with(prefix),
        None => import == prefix,
    };
    ASSEMBLY_SCRIPT
        .iter()
        .find(|(prefix, _)| known(prefix))
        .map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_known_by_what_they_leave() {
        for (programs, expected) in [
            (&["Rust", "rustc"][..], Some(Language::Rust)),
            (&["Debian clang"], Some(Language::C)),
            (&["clang", "rustc"], Some(Language::Rust)),
            (&["TinyGo", "clang"], Some(Language::Go)),
            (&["wit-component"], None),
            (&[], None),
        ] {
            assert_eq!(Language::of_producers(programs), expected, "{programs:?}");
        }
        let of = |import| Language::of_imports([import]);
        assert_eq!(of("env.Date.now"), Some(Language::AssemblyScript));
        assert_eq!(of("env.abort"), Some(Language::AssemblyScript));
        assert_eq!(of("env.aborted"), None);
        assert_eq!(of("env.system"), None);
    }

    #[test]
    fn the_remedy_is_in_the_guests_language() {
        for (import, language, expected) in [
            (
                "wasi_snapshot_preview1.fd_write",
                Some(Language::C),
                "wasi-sdk",
            ),
            (
                "wasi_snapshot_preview1.fd_write",
                Some(Language::Rust),
                "wasm32-wasip2",
            ),
            (
                "wasi_snapshot_preview1.fd_write",
                Some(Language::Go),
                "tinygo",
            ),
            ("wasi_snapshot_preview1.fd_write", None, "wasm32-wasip2"),
            (
                "env.Date.now",
                Some(Language::AssemblyScript),
                "take the time as an argument",
            ),
            ("env.abort", Some(Language::AssemblyScript), "transform"),
            ("env.seed", Some(Language::AssemblyScript), "seed"),
            ("env.other", Some(Language::AssemblyScript), "@external"),
            ("env.puts", Some(Language::C), "nowhere defined"),
            (
                "__wbindgen_placeholder__.x",
                Some(Language::Rust),
                "browsers",
            ),
            ("env.puts", Some(Language::Rust), "`extern` block"),
            ("env.puts", None, "theus:process"),
        ] {
            let help = remedy(&[import.to_owned()], language);
            assert!(help.contains(expected), "{import} {language:?}: {help}");
        }
    }
}
