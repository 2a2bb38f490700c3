//! Invariants of ARCHITECTURE.md that can be read off the sources.

use crate::harness::root;
use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder of the project, tests of the file's own left out.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The lines of a file that hold one of the words, up to its unit tests.
fn lines_with(file: &Path, words: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a source");
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .map(|line| format!("{}: {line}", file.display()))
        .collect()
}

#[test]
fn only_the_runtime_names_wasmtime() {
    let (inside, outside): (Vec<_>, Vec<_>) = sources("host/src")
        .into_iter()
        .partition(|file| file.starts_with(root().join("host/src/runtime")));
    let named = |files: &[PathBuf]| -> Vec<String> {
        let lines = files
            .iter()
            .map(|file| lines_with(file, &["wasmtime", "cranelift"]));
        lines.flatten().collect()
    };
    assert!(
        !named(&inside).is_empty(),
        "the runtime has moved: this test looks at nothing"
    );
    assert_eq!(named(&outside), Vec::<String>::new());
}

#[test]
fn the_core_does_no_io_and_knows_no_clock_and_no_wasm() {
    let words = [
        "std::fs",
        "std::net",
        "std::io",
        "std::process",
        "std::env",
        "std::thread",
        "Instant",
        "SystemTime",
        "wasmtime",
        "println!",
        "eprintln!",
    ];
    let files = sources("host/core/src");
    assert!(
        files.len() > 20,
        "the core has moved: this test looks at nothing"
    );
    let found: Vec<String> = files
        .iter()
        .filter(|file| {
            !file
                .iter()
                .any(|part| part == "tests" || part == "tests.rs")
        })
        .flat_map(|file| lines_with(file, &words))
        .collect();
    assert_eq!(found, Vec::<String>::new());
    let manifest = fs::read_to_string(root().join("host/core/Cargo.toml")).expect("a manifest");
    for dependency in ["wasmtime", "theus-host", "cap-std", "tokio"] {
        assert!(
            !manifest.contains(&format!("\n{dependency}")),
            "{dependency}"
        );
    }
}
