//! What a project may be called: a package, a folder and a crate have that name.

use std::path::Path;

const MAX_BYTES: usize = 64;

/// Words of Rust, crates that every program has, and folders that a build fills.
const RESERVED: [&str; 62] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "target",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "main",
];

/// The packages of the SDK, which a project cannot be one of.
const OF_THE_SDK: [&str; 4] = [
    "theus-guest",
    "theus-guest-macros",
    "theus-core",
    "theus-host",
];

/// Devices that Windows has in every folder.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Parses a project's name.
///
/// # Security
///
/// What passes is one plain word: it never leads out of the current folder.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let expected = format!(
        "expected a lower-case letter, then letters, digits, `-` or `_`, at most {MAX_BYTES} bytes"
    );
    let is_plain =
        |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-' || it == b'_';
    let begins = text
        .bytes()
        .next()
        .is_some_and(|it| it.is_ascii_lowercase());
    if !begins || text.len() > MAX_BYTES || !text.bytes().all(is_plain) {
        if Path::new(text).components().count() > 1 {
            return Err(format!(
                "a name, not a path: {expected}; the folder is made where you are"
            ));
        }
        return Err(expected);
    }
    let crate_name = text.replace('-', "_");
    if RESERVED.contains(&crate_name.as_str()) {
        return Err("the word is reserved: no Rust library may be called that".into());
    }
    if OF_THE_SDK.contains(&text.replace('_', "-").as_str()) {
        return Err("a package of the SDK has that name".into());
    }
    let device = text.trim_end_matches(|it: char| it.is_ascii_digit());
    if DEVICES.contains(&device) {
        return Err("some systems have a device of that name in every folder".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        for name in [
            "counter",
            "my-guest",
            "a",
            "a2",
            "snake_case",
            "typed",
            "console",
        ] {
            assert_eq!(parse(name).as_deref(), Ok(name));
        }
        let long = "x".repeat(MAX_BYTES + 1);
        for (name, expected) in [
            ("", "expected a lower-case letter"),
            (".", "expected a lower-case letter"),
            ("..", "expected a lower-case letter"),
            ("../guest", "a name, not a path"),
            ("/tmp/guest", "a name, not a path"),
            ("a/b", "a name, not a path"),
            ("a\\b", "expected a lower-case letter"),
            ("a\0", "expected a lower-case letter"),
            ("a b", "expected a lower-case letter"),
            ("-guest", "expected a lower-case letter"),
            ("1st", "expected a lower-case letter"),
            ("Guest", "expected a lower-case letter"),
            ("größe", "expected a lower-case letter"),
            ("a\"b", "expected a lower-case letter"),
            (long.as_str(), "at most 64 bytes"),
            ("fn", "reserved"),
            ("test", "reserved"),
            ("proc-macro", "reserved"),
            ("theus-guest", "of the SDK"),
            ("theus_core", "of the SDK"),
            ("com1", "device"),
            ("nul", "device"),
        ] {
            let problem = parse(name).expect_err(name);
            assert!(problem.contains(expected), "{name:?}: {problem}");
        }
    }
}
