//! What the tests of directories that are written into share: a directory, and a guest that does there what it is told.

use super::engines::{Setup, commits, fails};
use super::guests;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path as File;
use theus_host::{Engine, Map, Policy, Receipt, Value, args};

/// A folder with a directory `data`, and beside it what nobody was granted.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("folder")).expect("it is writable");
    fs::write(folder.path().join("secret"), "secret").expect("it is writable");
    fs::write(data.join("file"), "some text").expect("it is writable");
    fs::write(data.join("folder/inner"), "deeper").expect("it is writable");
    folder
}

/// The guest, with the directory `data` of a folder granted for writing.
pub(crate) fn setup(folder: &File) -> Setup {
    let policy = Policy::as_declared().grant_writable_directory("data", folder.join("data"));
    Setup::of(guests::scribe(), "guests/scribe/context.yaml").policy(policy)
}

/// An engine with it.
pub(crate) fn engine(folder: &File) -> Engine {
    setup(folder).engine()
}

/// Steps for the guest, as its arguments.
pub(crate) fn steps(steps: &[&[&str]]) -> Map {
    let step =
        |step: &&[&str]| Value::from(step.iter().copied().map(Value::from).collect::<Vec<_>>());
    args! { "steps" => Value::from(steps.iter().map(step).collect::<Vec<_>>()) }
}

/// Runs steps that commit; what each of them said.
#[track_caller]
pub(crate) fn does(engine: &Engine, told: &[&[&str]]) -> Vec<String> {
    said(&commits(engine, "work", steps(told)))
}

/// Runs one step that commits; what it said.
#[track_caller]
pub(crate) fn says(engine: &Engine, step: &[&str]) -> String {
    does(engine, &[step]).remove(0)
}

/// Runs steps that end with an error; nothing of them remains.
#[track_caller]
pub(crate) fn stops(engine: &Engine, folder: &File, told: &[&[&str]], code: &str) -> Receipt {
    let before = files(folder);
    let receipt = fails(engine, "work", steps(told), code);
    assert_eq!(files(folder), before, "{told:?}");
    assert!(
        receipt
            .outside
            .as_ref()
            .is_some_and(|it| it.files.is_empty())
    );
    receipt
}

/// What the steps of a run said.
pub(crate) fn said(receipt: &Receipt) -> Vec<String> {
    let Some(Value::List(said)) = &receipt.result else {
        panic!("{receipt:?}");
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    said.iter().map(text).collect()
}

/// Everything below a folder: the contents of its files; a slash ends the names of directories, an arrow stands for a link.
pub(crate) fn files(folder: &File) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .strip_prefix(folder)
                .expect("below")
                .display()
                .to_string();
            let kind = fs::symlink_metadata(&path)
                .expect("it is there")
                .file_type();
            if kind.is_dir() {
                files.insert(format!("{name}/"), String::new());
                open.push(path);
            } else if kind.is_file() {
                let bytes = fs::read(&path).expect("it can be read");
                files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            } else {
                files.insert(name, "->".into());
            }
        }
    }
    files
}
