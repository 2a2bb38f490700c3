//! Command lines that make a finding happen again.

use super::super::failure::Failure;
use super::super::text::escape_json;
use std::fs;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::contract::{Contract, Kind};
use theus_core::value::Value;
use theus_host::fuzz::Finding;

/// The longest input that stands on the command line itself.
const INLINE_BYTES: usize = 1500;

/// What `fuzz` itself was given.
pub(super) struct Given<'a> {
    pub(super) target: &'a Path,
    pub(super) context: Option<&'a Path>,
    /// The flags that `run` takes as well.
    pub(super) flags: Vec<String>,
}

/// Writes command lines, and the files that they name.
pub(super) struct Commands<'a> {
    given: Given<'a>,
    folder: Option<&'a Path>,
}

impl<'a> Commands<'a> {
    /// Without a folder, what is too long to be typed is left out and said so.
    pub(super) fn new(given: Given<'a>, folder: Option<&'a Path>) -> Self {
        Self { given, folder }
    }

    /// Makes the folder: where it cannot be made, that is said before anything is found that would be lost.
    pub(super) fn prepare(&self) -> Result<(), Failure> {
        let Some(folder) = self.folder else {
            return Ok(());
        };
        fs::create_dir_all(folder).map_err(|error| Failure::file("write", folder, &error))
    }

    /// One line per finding.
    pub(super) fn write(
        &self,
        findings: &[Finding],
        contracts: &[Contract],
    ) -> Result<Vec<String>, Failure> {
        let line = |(number, finding): (usize, &Finding)| self.line(number + 1, finding, contracts);
        findings.iter().enumerate().map(line).collect()
    }

    fn line(
        &self,
        number: usize,
        finding: &Finding,
        contracts: &[Contract],
    ) -> Result<String, Failure> {
        let mut words = vec![
            "theus-host".to_owned(),
            "run".to_owned(),
            self.given.target.display().to_string(),
            finding.process.clone(),
        ];
        let args = json(&Value::Map(finding.args.clone()))?;
        let mut before = String::new();
        let mut notes = Vec::new();
        match self.folder {
            Some(_) => {
                words.push("--args".into());
                words.push(self.file(&format!("{number}-args.json"), &args)?);
            }
            None if args.len() <= INLINE_BYTES => {
                words.extend(inline(finding, contracts)?);
            }
            None => notes.push(format!("arguments of {} bytes", args.len())),
        }
        match (&finding.context, self.given.context, self.folder) {
            (None, None, _) => {}
            (None, Some(base), _) => {
                words.extend(["--context".into(), base.display().to_string()]);
            }
            (Some(context), _, Some(_)) => {
                let file = self.file(&format!("{number}-context.json"), &json(context)?)?;
                words.extend(["--context".into(), file]);
            }
            (Some(context), _, None) => {
                let context = json(context)?;
                if context.len() <= INLINE_BYTES {
                    // JSON is YAML, which is what the name of no file means.
                    // What `echo` makes of a backslash is up to the shell.
                    before = format!("printf '%s\\n' {} | ", quoted(&context));
                    words.extend(["--context".into(), "/dev/stdin".into()]);
                } else {
                    notes.push(format!("a context of {} bytes", context.len()));
                }
            }
        }
        words.extend(self.given.flags.iter().cloned());
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        let mut line = format!("{before}{}", words.join(" "));
        if !notes.is_empty() {
            line = format!("{line} # and {}: --out DIR writes files", notes.join(", "));
        }
        Ok(line)
    }

    fn file(&self, name: &str, text: &str) -> Result<String, Failure> {
        let path: PathBuf = self.folder.unwrap_or(Path::new("")).join(name);
        fs::write(&path, format!("{text}\n"))
            .map_err(|error| Failure::file("write", &path, &error))?;
        Ok(path.display().to_string())
    }
}

/// The arguments as words of their own: `NAME=VALUE` where that says it, else `NAME:=JSON`.
fn inline(finding: &Finding, contracts: &[Contract]) -> Result<Vec<String>, Failure> {
    let contract = contracts.iter().find(|it| it.name == finding.process);
    let word = |(name, value): (&str, &Value)| {
        let kind = contract.and_then(|it| it.parameter(name)).map(|it| it.kind);
        Ok(match (value, kind) {
            (Value::Int(_) | Value::UInt(_), Some(Kind::Int))
            | (Value::Bool(_), Some(Kind::Bool)) => {
                format!("{name}={}", json(value)?)
            }
            (Value::Str(text), Some(Kind::String)) if is_plain(text) => format!("{name}={text}"),
            _ => format!("{name}:={}", json(value)?),
        })
    };
    finding
        .args
        .iter()
        .map(|(name, value)| word((name, value)))
        .collect()
}

fn json(value: &Value) -> Result<String, Failure> {
    let text =
        serde_json::to_string(value).map_err(|error| Failure::new(Code::HostFailed, error))?;
    Ok(escape_json(&text).into_owned())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    if !word.is_empty() && is_plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn is_plain(word: &str) -> bool {
    word.chars()
        .all(|it| it.is_ascii_alphanumeric() || "_-./=,:".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        for (word, expected) in [
            ("guests/a-b", "guests/a-b"),
            ("--audit", "--audit"),
            ("price=-5", "price=-5"),
            ("", "''"),
            ("a b", "'a b'"),
            ("name:=\"x\"", "'name:=\"x\"'"),
            ("it's $HOME", "'it'\\''s $HOME'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
