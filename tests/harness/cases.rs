//! The command line's cases: one folder each in `tests/cases`.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `cmd` | the words of the command line, over any number of lines; `'…'` keeps blanks; `$PROBE`, `$WAREHOUSE`, `$PRICES`, `$PLANTED` and `$GUESTS` stand for the built guests and the folder of their sources |
//! | `stdin` | the standard input, where there is one |
//! | `expected.json` | `exit`: the exit code; `json`: a part of the object that the command prints with `-o json` |
//! | `expected.txt` | what the command prints as text: its standard output, then its standard error |
//!
//! Every other file must stand in `cmd`. Each case runs in its folder, with `-o json`; where there is an `expected.txt`
//! it runs a second time without. `THEUS_BLESS=1 cargo test` writes the `expected.txt` files that differ.

use super::binary::{Ran, run_with_stdin};
use super::json::differences;
use super::{guests, output_schema, root, text};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};

/// A case as it was read.
pub(crate) struct Case {
    folder: PathBuf,
    words: Vec<String>,
    stdin: String,
    exit: i32,
    json: Json,
    text: Option<String>,
}

/// Every case, by its folder.
pub(crate) fn folders() -> Vec<PathBuf> {
    let all = root().join("tests/cases");
    let mut folders: Vec<PathBuf> = fs::read_dir(&all)
        .expect("tests/cases is there")
        .map(|entry| entry.expect("a folder").path())
        .collect();
    folders.sort();
    folders
}

impl Case {
    /// Reads a case, or says what is wrong with its files.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let cmd = read("cmd").ok_or("it has no cmd")?;
        let expected = read("expected.json").ok_or("it has no expected.json")?;
        let (exit, json) = expectation(&expected)?;
        no_strangers(folder, &cmd)?;
        Ok(Self {
            words: split(&cmd)?.iter().map(|word| fill(word)).collect(),
            stdin: read("stdin").unwrap_or_default(),
            text: read("expected.txt"),
            folder: folder.to_owned(),
            exit,
            json,
        })
    }

    /// Runs the case; everything that is not as expected, nothing where all is.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut words = self.words.clone();
        words.extend(["-o", "json"].map(str::to_owned));
        let ran = run_with_stdin(&self.folder, &words, &self.stdin);
        let mut failures = self.exit_failures(&ran);
        match serde_json::from_str::<Json>(&ran.stdout) {
            Ok(found) => {
                failures.extend(differences(&self.json, &found));
                failures.extend(self.shape_failures(&found));
            }
            Err(error) => failures.push(format!(
                "its output is not one JSON object ({error}): {ran:?}"
            )),
        }
        if let Some(expected) = &self.text {
            failures.extend(self.text_failures(expected));
        }
        failures
    }

    fn text_failures(&self, expected: &str) -> Vec<String> {
        let ran = run_with_stdin(&self.folder, &self.words, &self.stdin);
        let mut failures = self.exit_failures(&ran);
        if self.exit != 0 && self.words[0] == "run" && !ran.stdout.is_empty() {
            failures.push(format!("a run that failed has results: {:?}", ran.stdout));
        }
        let found = text::normalized(&(ran.stdout + &ran.stderr));
        if found != expected {
            if std::env::var_os("THEUS_BLESS").is_some() {
                let file = self.folder.join("expected.txt");
                fs::write(file, &found).expect("the case's folder is writable");
            }
            failures.push(format!(
                "expected.txt is\n{expected}\nand this was printed\n{found}"
            ));
        }
        failures
    }

    fn exit_failures(&self, ran: &Ran) -> Vec<String> {
        if ran.code == self.exit {
            return Vec::new();
        }
        vec![format!("expected exit code {}, found {ran:?}", self.exit)]
    }

    /// What is printed fits the published schema, and the exit code is that of the error's kind.
    fn shape_failures(&self, found: &Json) -> Vec<String> {
        let mut failures = output_schema::misfits(&self.words, found);
        let kind = found["error"]["kind"].as_str();
        // What `fuzz` finds is no error of its own.
        let found_some = found["findings"]
            .as_array()
            .is_some_and(|it| !it.is_empty());
        if kind.map_or(i32::from(found_some), exit_code) != self.exit {
            failures.push(format!("exit code {} with the kind {kind:?}", self.exit));
        }
        failures
    }
}

/// The exit code of a kind, as the interface fixes it.
pub(crate) fn exit_code(kind: &str) -> i32 {
    match kind {
        "host" => 1,
        "usage" => 2,
        "contract" => 3,
        "audit-block" => 4,
        "audit-abort" => 5,
        "interlock" => 6,
        "failure" => 7,
        "trap" => 8,
        "limit" => 9,
        other => panic!("`{other}` is no kind of the interface"),
    }
}

fn expectation(text: &str) -> Result<(i32, Json), String> {
    let parsed: Json =
        serde_json::from_str(text).map_err(|error| format!("expected.json: {error}"))?;
    let object = parsed.as_object().ok_or("expected.json is no object")?;
    if let Some(key) = object
        .keys()
        .find(|key| !["exit", "json"].contains(&key.as_str()))
    {
        return Err(format!("expected.json has the unknown key `{key}`"));
    }
    let exit = object.get("exit").and_then(Json::as_i64);
    let exit = exit.and_then(|exit| i32::try_from(exit).ok());
    let json = object.get("json").filter(|json| json.is_object());
    match (exit, json) {
        (Some(exit), Some(json)) => Ok((exit, json.clone())),
        _ => Err("expected.json lacks `exit` or `json`".into()),
    }
}

/// A file that nothing reads is a slip of the pen, and would be an expectation that nothing checks.
fn no_strangers(folder: &Path, cmd: &str) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let name = name.to_string_lossy();
        let known = ["cmd", "stdin", "expected.json", "expected.txt"].contains(&&*name);
        if !known && !cmd.contains(&*name) {
            return Err(format!("nothing reads the file {name}"));
        }
    }
    Ok(())
}

/// Splits a command into words: at blanks, but not between `'` and `'`.
pub(crate) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for char in text.chars() {
        match char {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    match (quoted, words.is_empty()) {
        (true, _) => Err("a quote is left open".into()),
        (_, true) => Err("it has no words".into()),
        _ => Ok(words),
    }
}

fn fill(word: &str) -> String {
    let guest = |guest: &guests::Prebuilt| guest.file.display().to_string();
    match word {
        "$PROBE" => guest(guests::probe()),
        "$WAREHOUSE" => guest(guests::warehouse()),
        "$PRICES" => guest(guests::prices()),
        "$PLANTED" => guest(guests::planted_bugs()),
        _ => word.replace("$GUESTS", &root().join("guests").display().to_string()),
    }
}

#[test]
fn a_command_is_split_into_words() {
    let words = |text| split(text).map(|words| words.join("|"));
    assert_eq!(words("run  x\n a='b c'd ''"), Ok("run|x|a=b cd|".into()));
    assert!(words("run 'x").is_err() && words(" \n").is_err());
}

#[test]
fn an_expectation_is_whole_and_known() {
    assert!(expectation(r#"{"exit": 0, "json": {}}"#).is_ok());
    for wrong in [
        "{}",
        "[]",
        r#"{"exit": 0}"#,
        r#"{"json": {}}"#,
        r#"{"exit": "0", "json": {}}"#,
        r#"{"exit": 0, "json": {}, "stdout": ""}"#,
        r#"{"exit": 0, "jsno": {}}"#,
    ] {
        assert!(expectation(wrong).is_err(), "{wrong}");
    }
}
