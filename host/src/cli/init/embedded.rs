//! What the program carries: the SDKs' sources, gathered when the program was built, and the templates.

use crate::cli::failure::Failure;
use std::path::PathBuf;
use theus_core::code::Code;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Where a project keeps the SDK.
pub(super) const FOLDER: &str = concat!(".theus/sdk/", env!("CARGO_PKG_VERSION"));

/// The packages that the SDK consists of.
const MEMBERS: &str = "\
[workspace]
resolver = \"3\"
members = [\"guest-sdk/macros\", \"guest-sdk/rust\", \"host/core\"]
";

/// The files of the SDK in Rust, by their place in a project.
pub(super) fn rust_sdk() -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mut files = placed(RUST_SDK);
    let manifest = std::str::from_utf8(project_file("Cargo.toml"))
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    files.push((
        format!("{FOLDER}/Cargo.toml").into(),
        workspace(manifest).into_bytes(),
    ));
    Ok(files)
}

/// The files of the SDK in AssemblyScript.
pub(super) fn script_sdk() -> Vec<(PathBuf, Vec<u8>)> {
    placed(SCRIPT_SDK)
}

fn placed(files: &[(&str, &[u8])]) -> Vec<(PathBuf, Vec<u8>)> {
    let at = |path: &str| PathBuf::from(format!("{FOLDER}/{path}"));
    files
        .iter()
        .map(|(path, bytes)| (at(path), bytes.to_vec()))
        .collect()
}

/// The files of a project in Rust.
pub(super) fn rust_project(name: &str, sdk: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = filled(RUST_TEMPLATE, name, &quoted(sdk));
    // The versions that the SDK was tested with; cargo drops those that the project has no use for.
    for path in ["Cargo.lock", "rust-toolchain.toml"] {
        files.push((path.into(), project_file(path).to_vec()));
    }
    files.sort();
    files
}

/// The files of a project in AssemblyScript.
pub(super) fn script_project(name: &str, sdk: &str) -> Vec<(PathBuf, Vec<u8>)> {
    // npm wants the names of packages in small letters.
    let (name, sdk) = (name.to_lowercase(), quoted(sdk));
    let mut files = filled(SCRIPT_TEMPLATE, &name, &sdk);
    // The compiler that the SDK was tested with: the lock file of the SDK's own example, under another name.
    let lock = project_file("guests/warehouse-as/package-lock.json");
    let lock = String::from_utf8_lossy(lock)
        .replace("warehouse-as", &name)
        .replace("../../guest-sdk/assemblyscript", &sdk);
    files.push(("package-lock.json".into(), lock.into_bytes()));
    files.sort();
    files
}

/// A template with what all languages share, and its names filled in.
fn filled(template: &[(&str, &[u8])], name: &str, sdk: &str) -> Vec<(PathBuf, Vec<u8>)> {
    template
        .iter()
        .chain(COMMON_TEMPLATE)
        .map(|(path, bytes)| match path.strip_suffix(".in") {
            // Under their own names they would mean something where they lie.
            Some("gitignore") => (PathBuf::from(".gitignore"), bytes.to_vec()),
            Some(path) => {
                let text = String::from_utf8_lossy(bytes);
                let text = text.replace("{{name}}", name).replace("{{sdk}}", sdk);
                (PathBuf::from(path), text.into_bytes())
            }
            None => (PathBuf::from(path), bytes.to_vec()),
        })
        .collect()
}

fn project_file(path: &str) -> &'static [u8] {
    PROJECT
        .iter()
        .find(|(known, _)| *known == path)
        .map_or(&[][..], |(_, bytes)| bytes)
}

/// What the SDK's packages inherit of the project's manifest, with themselves as the only members.
fn workspace(manifest: &str) -> String {
    let mut text = MEMBERS.to_owned();
    let mut kept = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            kept = line.starts_with("[workspace.");
            if kept {
                text.push('\n');
            }
        }
        if kept && !line.trim().is_empty() {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A text inside the quotes of a string of TOML or JSON.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn everything_is_there_and_nothing_twice() {
        let mut files = rust_sdk().expect("the manifest is text");
        files.extend(rust_project("counter", FOLDER));
        let names: BTreeSet<_> = files
            .iter()
            .map(|(path, _)| path.display().to_string())
            .collect();
        assert_eq!(names.len(), files.len());
        for name in [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".gitignore",
            "src/lib.rs",
            "audit.yaml",
        ] {
            assert!(names.contains(name), "{name}");
        }
        for name in [
            "Cargo.toml",
            "wit/theus.wit",
            "guest-sdk/rust/src/lib.rs",
            "host/core/src/lib.rs",
            "LICENSE-MIT",
        ] {
            assert!(names.contains(&format!("{FOLDER}/{name}")), "{name}");
        }
        assert!(files.iter().all(|(_, bytes)| !bytes.is_empty()));
        let placeholder =
            |(_, bytes): &(PathBuf, Vec<u8>)| String::from_utf8_lossy(bytes).contains("{{name}}");
        assert!(
            !files
                .iter()
                .filter(|(path, _)| !path.starts_with(".theus"))
                .any(placeholder)
        );
    }

    #[test]
    fn a_project_in_assemblyscript_has_all_that_npm_asks_for() {
        let mut files = script_project("Counter", "the/sdk");
        files.extend(script_sdk());
        let text = |name: &str| {
            let file = files.iter().find(|(path, _)| path.to_str() == Some(name));
            let (_, bytes) = file.unwrap_or_else(|| panic!("{name}"));
            String::from_utf8(bytes.clone()).expect(name)
        };
        let json = |name: &str| -> serde_json::Value {
            serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let (manifest, lock) = (json("package.json"), json("package-lock.json"));
        let root = &lock["packages"][""];
        for key in ["name", "version", "dependencies", "devDependencies"] {
            assert_eq!(manifest[key], root[key], "{key}");
        }
        assert_eq!(manifest["name"], "counter");
        assert_eq!(
            lock["packages"]["node_modules/theus-guest"]["resolved"],
            "the/sdk"
        );
        assert_eq!(lock["packages"]["the/sdk"]["name"], "theus-guest");
        assert!(text("assembly/index.ts").contains("@process"));
        assert!(text("theus.toml").contains("version = 1"));
        let sdk = json(&format!("{FOLDER}/guest-sdk/assemblyscript/package.json"));
        for file in sdk["files"].as_array().expect("files") {
            let file = file.as_str().expect("a name");
            let place = format!("{FOLDER}/guest-sdk/assemblyscript/{file}");
            assert!(
                files.iter().any(|(path, _)| path.starts_with(&place)),
                "{file}"
            );
        }
    }

    #[test]
    fn the_sdks_packages_inherit_and_the_others_are_gone() {
        let manifest = "[workspace]\nmembers = [\n    \"host\",\n]\n\n[workspace.package]\nversion = \"1\"\n\n# Why.\n[profile.dev]\ndebug = 1\n[workspace.lints.rust]\na = \"b\"\n";
        let expected = format!(
            "{MEMBERS}\n[workspace.package]\nversion = \"1\"\n# Why.\n\n[workspace.lints.rust]\na = \"b\"\n"
        );
        assert_eq!(workspace(manifest), expected);
        assert_eq!(quoted(r#"C:\a"b"#), r#"C:\\a\"b"#);
    }
}
