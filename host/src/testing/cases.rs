//! Cases: tests of a guest that are data. A case is a folder with a command and what it must print.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `cmd` | the words of the command line, over any number of lines; `'…'` keeps blanks; `$GUEST` stands for the guest |
//! | `stdin` | the standard input, where there is one |
//! | `expected.json` | `exit`: the exit code; `json`: a part of the object that the command prints with `-o json` |
//! | `expected.txt` | what the command prints as text: its standard output, then its standard error |
//! | `theus.toml` | the configuration that the command finds in its folder, where there is one |
//!
//! Every other file must stand in `cmd` or in `theus.toml`, so that none is there that nothing reads. Each case runs in its
//! folder, with `-o json`; where there is an `expected.txt` it runs a second time without. `theus-host test` runs them.

mod blessed;
mod json;
mod program;
mod text;
mod words;

pub use self::json::differences;
pub use self::program::Ran;
pub use self::text::normalized;
pub use self::words::split;

use self::blessed::{blessed, first_expectation};
use self::words::fill;
use serde_json::Value as Json;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How the cases of a folder are run.
pub struct Suite<'a> {
    program: Box<dyn Fn() -> Command + Sync + 'a>,
    check: Box<Check<'a>>,
    stand_ins: Vec<(String, String)>,
    hidden: Vec<(String, String)>,
    expectations: Expectations,
}

/// What is wrong with an object, by the words that it was printed for and the exit code.
type Check<'a> = dyn Fn(&[String], i32, &Json) -> Vec<String> + Sync + 'a;

/// What becomes of an expectation that is not met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expectations {
    /// The case fails.
    #[default]
    Fixed,
    /// It is written anew, from what was printed; so is one that is not there yet.
    Blessed,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseResult {
    /// The name of its folder.
    pub name: String,
    /// Everything that is not as expected; nothing where the case passed.
    pub failures: Vec<String>,
    /// The files that were written anew.
    pub blessed: Vec<&'static str>,
}

/// A case as it was read.
struct Case {
    folder: PathBuf,
    words: Vec<String>,
    stdin: String,
    expected: Option<Expected>,
    text: Option<String>,
}

struct Expected {
    exit: i32,
    json: Json,
}

const CMD: &str = "cmd";
const STDIN: &str = "stdin";
const EXPECTED_JSON: &str = "expected.json";
const EXPECTED_TEXT: &str = "expected.txt";
const CONFIGURATION: &str = "theus.toml";

/// The folders of the cases below a folder, in order.
///
/// # Errors
///
/// The folder cannot be read.
pub fn folders(cases: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(cases)?;
    let folders: io::Result<Vec<PathBuf>> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| path.as_ref().map_or(true, |it| it.is_dir()))
        .collect();
    let mut folders = folders?;
    folders.sort();
    Ok(folders)
}

impl<'a> Suite<'a> {
    /// Runs cases through a program; a command is made anew for each run.
    pub fn new(program: impl Fn() -> Command + Sync + 'a) -> Self {
        Self {
            program: Box::new(program),
            check: Box::new(|_, _, _| Vec::new()),
            stand_ins: Vec::new(),
            hidden: Vec::new(),
            expectations: Expectations::default(),
        }
    }

    /// Puts a text in the place of a name such as `$GUEST`, wherever a word of `cmd` has it.
    #[must_use]
    pub fn stand_in(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.stand_ins.push((name.into(), text.into()));
        self
    }

    /// Shows a text of this machine as another one where a case prints it as text.
    ///
    /// A case's folder and what names stand for are shown by their names in any case, where nothing hid them before.
    #[must_use]
    pub fn hide(mut self, text: impl Into<String>, shown: impl Into<String>) -> Self {
        self.hidden.push((text.into(), shown.into()));
        self
    }

    /// Looks at every object that is printed: the words, the exit code and the object make a list of what is wrong.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&[String], i32, &Json) -> Vec<String> + Sync + 'a,
    ) -> Self {
        self.check = Box::new(check);
        self
    }

    /// Says what becomes of expectations that are not met.
    #[must_use]
    pub fn expectations(mut self, expectations: Expectations) -> Self {
        self.expectations = expectations;
        self
    }

    /// Runs cases, several at a time; the results are in the order of the folders.
    #[must_use]
    pub fn run(&self, folders: &[PathBuf]) -> Vec<CaseResult> {
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..workers.min(folders.len()) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(folder) = folders.get(index) else {
                            return;
                        };
                        let result = self.run_one(folder);
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        results.push((index, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn run_one(&self, folder: &Path) -> CaseResult {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let mut result = CaseResult {
            name: name.into_owned(),
            failures: Vec::new(),
            blessed: Vec::new(),
        };
        let ended = Case::read(folder, &self.stand_ins).and_then(|case| {
            self.run_as_json(&case, &mut result)?;
            self.run_as_text(&case, &mut result)
        });
        result.failures.extend(ended.err());
        result
    }

    fn run_as_json(&self, case: &Case, result: &mut CaseResult) -> Result<(), String> {
        let ran = self.ran(case, &["-o", "json"])?;
        let found: Json = serde_json::from_str(&ran.stdout)
            .map_err(|error| format!("its output is not one JSON object ({error}): {ran:?}"))?;
        result
            .failures
            .extend((self.check)(&case.words, ran.code, &found));
        let unmet = match &case.expected {
            None if self.expectations == Expectations::Fixed => {
                return Err(format!(
                    "it has no {EXPECTED_JSON}: write one, or let --bless write what is printed now"
                ));
            }
            None => Vec::new(),
            Some(expected) => {
                let mut unmet = exit_differences(expected.exit, &ran);
                unmet.extend(differences(&expected.json, &found));
                unmet
            }
        };
        if case.expected.is_some() && unmet.is_empty() {
            return Ok(());
        }
        if self.expectations == Expectations::Fixed {
            result.failures.extend(unmet);
            return Ok(());
        }
        let json = case.expected.as_ref().map_or_else(
            || first_expectation(&found),
            |expected| blessed(&expected.json, &found),
        );
        let object = serde_json::json!({ "exit": ran.code, "json": json });
        case.bless(EXPECTED_JSON, &format!("{object:#}\n"))?;
        result.blessed.push(EXPECTED_JSON);
        Ok(())
    }

    fn run_as_text(&self, case: &Case, result: &mut CaseResult) -> Result<(), String> {
        let Some(expected) = &case.text else {
            return Ok(());
        };
        let ran = self.ran(case, &[])?;
        if self.expectations == Expectations::Fixed
            && let Some(json) = &case.expected
        {
            result.failures.extend(exit_differences(json.exit, &ran));
        }
        if ran.code != 0 && case.words[0] == "run" && !ran.stdout.is_empty() {
            let failure = format!("a run that failed has results: {:?}", ran.stdout);
            result.failures.push(failure);
        }
        let found = normalized(&(ran.stdout + &ran.stderr), &self.hidden_of(case));
        if found == *expected {
            return Ok(());
        }
        if self.expectations == Expectations::Blessed {
            case.bless(EXPECTED_TEXT, &found)?;
            result.blessed.push(EXPECTED_TEXT);
        } else {
            result.failures.push(format!(
                "{EXPECTED_TEXT} is\n{expected}\nand this was printed\n{found}"
            ));
        }
        Ok(())
    }

    fn hidden_of(&self, case: &Case) -> Vec<(String, String)> {
        let mut hidden = self.hidden.clone();
        hidden.push((case.folder.display().to_string(), "$CASE".to_owned()));
        let named = self.stand_ins.iter();
        hidden.extend(named.map(|(name, text)| (text.clone(), name.clone())));
        hidden
    }

    fn ran(&self, case: &Case, more: &[&str]) -> Result<Ran, String> {
        let mut command = (self.program)();
        command
            .args(&case.words)
            .args(more)
            .current_dir(&case.folder);
        Ran::of(&mut command, &case.stdin).map_err(|error| format!("it does not run: {error}"))
    }
}

impl CaseResult {
    /// Whether everything was as expected, or is from now on.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Case {
    /// Reads a case, or says what is wrong with its files.
    fn read(folder: &Path, stand_ins: &[(String, String)]) -> Result<Self, String> {
        let read = |name: &str| match fs::read_to_string(folder.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{name}: {error}")),
        };
        let cmd = read(CMD)?.ok_or_else(|| format!("it has no {CMD}"))?;
        let configuration = read(CONFIGURATION)?.unwrap_or_default();
        no_strangers(folder, &[&cmd, &configuration])?;
        let words = split(&cmd).map_err(|problem| format!("{CMD}: {problem}"))?;
        let words: Result<Vec<_>, _> = words.iter().map(|it| fill(it, stand_ins)).collect();
        let expected = read(EXPECTED_JSON)?.map(|text| Expected::parse(&text));
        Ok(Self {
            words: words.map_err(|problem| format!("{CMD}: {problem}"))?,
            stdin: read(STDIN)?.unwrap_or_default(),
            expected: expected.transpose()?,
            text: read(EXPECTED_TEXT)?,
            folder: folder.to_owned(),
        })
    }

    fn bless(&self, name: &str, text: &str) -> Result<(), String> {
        fs::write(self.folder.join(name), text).map_err(|error| format!("{name}: {error}"))
    }
}

impl Expected {
    fn parse(text: &str) -> Result<Self, String> {
        let parsed: Json = serde_json::from_str(text)
            .map_err(|error| format!("{EXPECTED_JSON} is no JSON: {error}"))?;
        let object = parsed
            .as_object()
            .ok_or_else(|| format!("{EXPECTED_JSON} is no object"))?;
        if let Some(key) = object
            .keys()
            .find(|key| !["exit", "json"].contains(&key.as_str()))
        {
            return Err(format!("{EXPECTED_JSON} has the unknown key `{key}`"));
        }
        let exit = object.get("exit").and_then(Json::as_i64);
        let exit = exit.and_then(|exit| i32::try_from(exit).ok());
        let json = object.get("json").filter(|json| !json.is_null());
        match (exit, json) {
            (Some(exit), Some(json)) => Ok(Self {
                exit,
                json: json.clone(),
            }),
            _ => Err(format!("{EXPECTED_JSON} lacks `exit` or `json`")),
        }
    }
}

/// Another exit code than expected, with what the program says of it.
fn exit_differences(expected: i32, ran: &Ran) -> Vec<String> {
    if ran.code == expected {
        return Vec::new();
    }
    let object: Option<Json> = serde_json::from_str(&ran.stdout).ok();
    let message = object
        .as_ref()
        .and_then(|it| it["error"]["message"].as_str());
    let why = message.unwrap_or(&ran.stderr).trim();
    vec![format!(
        "exit: expected {expected}, found {}: {why}",
        ran.code
    )]
}

/// A file that nothing reads is a slip of the pen, and would be an expectation that nothing checks.
fn no_strangers(folder: &Path, readers: &[&str]) -> Result<(), String> {
    const KNOWN: [&str; 5] = [CMD, STDIN, EXPECTED_JSON, EXPECTED_TEXT, CONFIGURATION];
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let name = name.to_string_lossy();
        let is_read = readers.iter().any(|text| text.contains(&*name));
        if !is_read && !KNOWN.contains(&&*name) {
            return Err(format!("nothing reads the file {name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
