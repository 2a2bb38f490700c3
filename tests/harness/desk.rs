//! Commands one after the other in a folder of their own: what states need.

use super::binary::{Ran, run_in, run_with_stdin};
use super::output_schema::misfits;
use super::{guests, root};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder in which commands run, and the words that they share.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("it is writable");
    }

    /// Runs a command as text.
    pub(crate) fn text(&self, command: &str) -> Ran {
        run_in(self.path(), &words(command))
    }

    /// Runs a command, and gives its exit code and the object that it prints.
    #[track_caller]
    pub(crate) fn json(&self, command: &str) -> (i32, Json) {
        self.json_of(&words(command), "")
    }

    /// The same of words that hold blanks, with a standard input.
    #[track_caller]
    pub(crate) fn json_of(&self, words: &[impl AsRef<str>], stdin: &str) -> (i32, Json) {
        let mut line: Vec<String> = words.iter().map(|it| it.as_ref().to_owned()).collect();
        line.extend(["-o".into(), "json".into()]);
        let ran = run_with_stdin(self.path(), &line, stdin);
        let object = ran.json();
        assert_eq!(misfits(&line, &object), [""; 0], "{line:?}: {object}");
        (ran.code, object)
    }

    #[track_caller]
    pub(crate) fn ends(&self, command: &str, exit: i32, code: &str) -> Json {
        let (ended, object) = self.json(command);
        assert_eq!(
            (ended, &object["error"]["code"]),
            (exit, &json!(code)),
            "{object}"
        );
        object
    }

    #[track_caller]
    pub(crate) fn passes(&self, command: &str) -> Json {
        let (ended, object) = self.json(command);
        assert_eq!((ended, &object["error"]), (0, &Json::Null), "{object}");
        object
    }
}

/// `$ADD` is the example's one call, `$CONTEXT` its context.
fn words(command: &str) -> Vec<String> {
    let add = format!(
        "run {} add_product product_name=TV",
        guests::warehouse().file.display()
    );
    let context = root().join("guests/warehouse/context.yaml");
    let context = format!("--context {}", context.display());
    let command = command.replace("$ADD", &add).replace("$CONTEXT", &context);
    command.split_whitespace().map(str::to_owned).collect()
}
