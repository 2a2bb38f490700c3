//! Gathers what `theus-host init` writes: the SDKs' sources and the templates, so that the binary needs no checkout.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What the SDK in Rust is built from: folders and files of the project.
const RUST_SDK: [&str; 11] = [
    "guest-sdk/macros/Cargo.toml",
    "guest-sdk/macros/src",
    "guest-sdk/rust/Cargo.toml",
    "guest-sdk/rust/README.md",
    "guest-sdk/rust/src",
    "host/core/Cargo.toml",
    "host/core/benches",
    "host/core/src",
    "wit",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// What the SDK in AssemblyScript consists of.
const SCRIPT_SDK: [&str; 8] = [
    "guest-sdk/assemblyscript/README.md",
    "guest-sdk/assemblyscript/asconfig.json",
    "guest-sdk/assemblyscript/assembly",
    "guest-sdk/assemblyscript/index.ts",
    "guest-sdk/assemblyscript/package.json",
    "guest-sdk/assemblyscript/transform",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// What has to be changed before it is written.
const PROJECT: [&str; 4] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "guests/warehouse-as/package-lock.json",
];

fn main() -> io::Result<()> {
    let host = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let root = host.parent().ok_or(io::ErrorKind::NotFound)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut code = String::new();
    write_table(&mut code, "RUST_SDK", root, &RUST_SDK)?;
    write_table(&mut code, "SCRIPT_SDK", root, &SCRIPT_SDK)?;
    write_table(&mut code, "PROJECT", root, &PROJECT)?;
    for (name, folder) in [
        ("COMMON_TEMPLATE", "templates/common"),
        ("RUST_TEMPLATE", "templates/rust"),
        ("SCRIPT_TEMPLATE", "templates/assemblyscript"),
    ] {
        write_table(&mut code, name, &host.join(folder), &["."])?;
    }
    fs::write(out.join("embedded.rs"), code)
}

/// Writes a table of files: the path below `root`, and the bytes.
fn write_table(code: &mut String, name: &str, root: &Path, places: &[&str]) -> io::Result<()> {
    let _ = writeln!(code, "pub(super) static {name}: &[(&str, &[u8])] = &[");
    for place in places {
        let place = root.join(place);
        println!("cargo::rerun-if-changed={}", place.display());
        let mut files = Vec::new();
        collect(&place, &mut files)?;
        files.sort();
        for file in files {
            let path = file.strip_prefix(root).map_err(io::Error::other)?;
            let path: Vec<_> = path
                .iter()
                .map(|it| it.to_string_lossy())
                .filter(|it| it != ".")
                .collect();
            let path = path.join("/");
            let _ = writeln!(
                code,
                "    ({path:?}, include_bytes!({:?})),",
                file.display().to_string()
            );
        }
    }
    code.push_str("];\n");
    Ok(())
}

/// Every file at or below a place, but for unit tests in files of their own.
fn collect(place: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if place.is_file() {
        files.push(place.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        let is_test = name == "tests" && place.components().any(|it| it.as_os_str() == "src");
        if !is_test && name != "tests.rs" {
            collect(&path, files)?;
        }
    }
    Ok(())
}
