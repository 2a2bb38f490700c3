//! Sources in AssemblyScript that must not compile, and what the compiler says; the world that the SDK carries.
//!
//! `guest-sdk/assemblyscript/tests/ui` holds the sources, each with what `asc` prints for it. `THEUS_BLESS=1 cargo test`
//! writes the `.stderr` files that differ.

use crate::harness::{guests, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wit_component::{StringEncoding, metadata};
use wit_parser::Resolve;

fn sdk() -> PathBuf {
    root().join("guest-sdk/assemblyscript")
}

fn blessing() -> bool {
    std::env::var_os("THEUS_BLESS").is_some()
}

/// What asc prints for a source that does not compile.
fn diagnostics(source: &str) -> String {
    // The compiler is that of a guest which was built.
    guests::probe_as();
    let packages = root().join("guests/probe-as/node_modules");
    let output = Command::new("node")
        .arg("--enable-source-maps")
        .arg(packages.join("assemblyscript/bin/asc.js"))
        .args([source, "--config", "../../asconfig.json"])
        .args(["--noEmit", "--noColors", "--path"])
        .arg(&packages)
        .current_dir(sdk().join("tests/ui"))
        .output()
        .expect("node starts: the AssemblyScript parts need Node >= 20");
    let printed = String::from_utf8(output.stderr).expect("asc prints UTF-8");
    assert!(!output.status.success(), "{source} compiles: {printed}");
    printed
}

#[test]
fn mistakes_are_told_with_file_line_and_mark() {
    let mut sources: Vec<String> = fs::read_dir(sdk().join("tests/ui"))
        .expect("the sources")
        .map(|file| {
            file.expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".ts"))
        .collect();
    sources.sort();
    assert!(sources.len() >= 7, "the sources are gone: {sources:?}");
    let mut failures = Vec::new();
    for source in sources {
        let found = diagnostics(&source);
        let file = sdk()
            .join("tests/ui")
            .join(&source)
            .with_extension("stderr");
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if found != expected {
            if blessing() {
                fs::write(&file, &found).expect("the folder is writable");
            }
            failures.push(format!(
                "{source}: asc printed\n{found}\nexpected\n{expected}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The text of a file in which a constant stands in quotes, with another value.
fn with_constant(file: &Path, value: &str) -> (String, String) {
    let text = fs::read_to_string(file).expect("a source");
    let start = text.find("=\n  \"").expect("the constant") + "=\n  \"".len();
    let end = start + text[start..].find('"').expect("its end");
    let (before, after) = (&text[..start], &text[end..]);
    (text.clone(), format!("{before}{value}{after}"))
}

#[test]
fn the_world_in_the_sdk_is_that_of_the_wit_file() {
    let wit = fs::read_to_string(root().join("wit/theus.wit")).expect("the WIT");
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("theus.wit", &wit)
        .expect("the WIT is valid");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("the WIT has the world");
    let encoded = metadata::encode(&resolve, world, StringEncoding::UTF8, None)
        .expect("the world can be encoded");
    let file = sdk().join("transform/component-type.js");
    let (found, expected) = with_constant(&file, &base64(&encoded));
    if found != expected && blessing() {
        fs::write(&file, &expected).expect("the folder is writable");
    }
    assert!(found == expected, "THEUS_BLESS=1 writes {}", file.display());
}

/// A value's own JSON form has it: no crate is needed for one line.
fn base64(bytes: &[u8]) -> String {
    let json = serde_json::to_value(theus_host::Value::from(bytes.to_vec())).expect("JSON");
    json["$bytes"].as_str().expect("bytes").to_owned()
}

/// The version of the compiler stands in several files, and all mean one.
#[test]
fn every_package_names_the_same_compiler() {
    let json = |file: &str| -> serde_json::Value {
        let text = fs::read_to_string(root().join(file)).expect(file);
        serde_json::from_str(&text).expect(file)
    };
    let wanted = json("guest-sdk/assemblyscript/package.json");
    let wanted = wanted["peerDependencies"]["assemblyscript"].as_str();
    for guest in ["warehouse-as", "probe-as", "reference-as"] {
        let manifest = json(&format!("guests/{guest}/package.json"));
        let lock = json(&format!("guests/{guest}/package-lock.json"));
        let named = manifest["devDependencies"]["assemblyscript"]
            .as_str()
            .expect(guest);
        let locked = &lock["packages"]["node_modules/assemblyscript"]["version"];
        assert_eq!(wanted, Some(format!("~{named}").as_str()), "{guest}");
        assert_eq!(locked.as_str(), Some(named), "{guest}");
    }
}
