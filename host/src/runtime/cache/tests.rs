//! What the cache promises: it saves compiling, and nothing that was tampered with is ever loaded.

use super::*;
use crate::runtime::tests::guests;
use crate::runtime::{Program, Runtime};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Barrier;
use std::time::Duration;
use tempfile::TempDir;
use theus_core::limits::Limits;

/// A folder for one test's cache; the cache itself is made in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("code")
    }

    /// A runtime like that of another process: only the folder is shared.
    fn runtime(&self) -> Runtime {
        self.runtime_with(&Limits::default())
    }

    fn runtime_with(&self, limits: &Limits) -> Runtime {
        Runtime::with_cache(limits, 1, Some(&self.cache())).expect("the pool fits")
    }

    /// Compiles in a runtime of its own: whether the compiler was needed.
    #[track_caller]
    fn compiles(&self, guest: &[u8]) -> bool {
        let runtime = self.runtime();
        assert_answers(&runtime.compile(guest).expect("the guest compiles"));
        runtime.compilations() == 1
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.cache())
            .expect("the cache is there")
            .map(|entry| entry.expect("an entry").file_name().into_string())
            .map(|name| name.expect("an ASCII name"))
            .collect();
        names.sort();
        names
    }

    /// The one entry.
    #[track_caller]
    fn entry(&self) -> PathBuf {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(is_ours(&names[0]) && names[0].ends_with(ENTRY), "{names:?}");
        self.cache().join(&names[0])
    }
}

fn guest() -> Vec<u8> {
    answering("called")
}

/// A guest that answers with a string of at most 31 bytes; equal lengths make code of equal length.
fn answering(answer: &str) -> Vec<u8> {
    let len = u8::try_from(answer.len()).expect("it is short");
    let value = [&[0xa0 | len], answer.as_bytes()].concat();
    let data = guests::data(2048, &value);
    let body = format!("(call $ok (i32.const 2048) (i32.const {}))", value.len());
    guests::with_module(&format!(
        r#"{data} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) {body})"#
    ))
}

#[track_caller]
fn answer(program: &Program) -> Vec<u8> {
    use crate::runtime::tests;
    let execution = tests::run_program(program, &[], tests::settings(tests::FUEL, tests::PATIENCE));
    match execution.end {
        crate::runtime::End::Returned(value) => value,
        end => panic!("{end:?}"),
    }
}

#[track_caller]
fn assert_answers(program: &Program) {
    assert_eq!(answer(program), b"\xa6called");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}
