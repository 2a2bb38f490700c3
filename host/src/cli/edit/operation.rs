//! One operation of an edit: how it is written, and what it does.

use crate::cli::args::{json_problem, plain};
use crate::cli::failure::Failure;
use serde::{Deserialize, Deserializer};
use std::io::{self, Read as _};
use std::path::Path as File;
use theus_core::code::Code;
use theus_core::contract::Kind;
use theus_core::path::cut;
use theus_host::{Edit, EditError, Value};

/// One operation of an edit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    path: String,
    effect: Effect,
}

#[derive(Clone, Debug, PartialEq)]
enum Effect {
    Set(Given),
    /// `index` is where it must go, where that is given.
    Push(Given, Option<u64>),
    Remove,
}

#[derive(Clone, Debug, PartialEq)]
enum Given {
    Value(Value),
    /// Read by the kind of what is there.
    Text(String),
}

/// An operation as a file has it, and as records have their writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    op: Op,
    path: String,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    #[serde(default)]
    index: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Set,
    Push,
    Remove,
}

/// A value that is null is one, too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads a JSON list of operations.
pub(super) fn read(file: &File) -> Result<Vec<Operation>, Failure> {
    let mut text = String::new();
    let (origin, read) = if file == File::new("-") {
        let read = io::stdin().lock().read_to_string(&mut text);
        ("standard input".to_owned(), read)
    } else {
        let opened = std::fs::File::open(file);
        let read = opened.and_then(|mut it| it.read_to_string(&mut text));
        (file.display().to_string(), read)
    };
    read.map_err(|error| Failure::file("read", File::new(&origin), &error))?;
    parse(&text, &origin)
}

fn parse(text: &str, origin: &str) -> Result<Vec<Operation>, Failure> {
    const HELP: &str = "give one JSON list of {\"op\", \"path\", \"value\"}, as `log -o json` prints the writes of a record";
    let written: Vec<Written> = serde_json::from_str(text).map_err(|error| {
        let (line, column, problem) = (error.line(), error.column(), json_problem(&error));
        let message = format!("{origin}:{line}:{column}: {problem}");
        Failure::new(Code::OperationsFile, message)
            .at(origin, (line, column), &problem)
            .help(HELP)
    })?;
    let operations = written.into_iter().enumerate().map(|(index, it)| {
        let number = index + 1;
        Operation::of(it).map_err(|problem| {
            let message = format!("{origin}: operation {number}: {problem}");
            Failure::new(Code::OperationsFile, message).help(HELP)
        })
    });
    operations.collect()
}

impl Operation {
    /// `PATH=VALUE` or `PATH:=JSON`.
    pub(super) fn set(word: &str) -> Result<Self, Failure> {
        let (path, given) = split(word)?;
        let effect = Effect::Set(given);
        Ok(Self { path, effect })
    }

    /// A place and a text, each a word of its own.
    pub(super) fn set_text(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            effect: Effect::Set(Given::Text(text.to_owned())),
        }
    }

    /// As [`Operation::set`] has it.
    pub(super) fn push(word: &str) -> Result<Self, Failure> {
        let (path, given) = split(word)?;
        let effect = Effect::Push(given, None);
        Ok(Self { path, effect })
    }

    pub(super) fn remove(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            effect: Effect::Remove,
        }
    }

    fn of(written: Written) -> Result<Self, &'static str> {
        let Written {
            op,
            path,
            value,
            index,
        } = written;
        let effect = match (op, value, index) {
            (Op::Set, Some(value), None) => Effect::Set(Given::Value(value)),
            (Op::Push, Some(value), index) => Effect::Push(Given::Value(value), index),
            (Op::Remove, None, None) => Effect::Remove,
            (Op::Set | Op::Push, None, _) => return Err("it has no `value`"),
            (Op::Remove, Some(_), _) => return Err("a removal has no `value`"),
            (Op::Set | Op::Remove, _, Some(_)) => return Err("only a push has an `index`"),
        };
        Ok(Self { path, effect })
    }

    /// Does it.
    pub(super) fn apply(&self, edit: &mut Edit<'_>) -> Result<(), EditError> {
        match &self.effect {
            Effect::Set(given) => {
                let value = match given {
                    Given::Value(value) => value.clone(),
                    Given::Text(text) => self.by_kind(edit.get(&self.path)?.as_ref(), text)?,
                };
                edit.set(&self.path, value)
            }
            Effect::Push(given, index) => {
                let value = match given {
                    Given::Value(value) => value.clone(),
                    Given::Text(text) => json_or_text(text),
                };
                let len = edit.push(&self.path, value)?;
                match index {
                    Some(index) if len != index + 1 => Err(EditError::Abandoned(format!(
                        "the push onto `{}` is for the index {index}, and would get {}",
                        self.path,
                        len - 1
                    ))),
                    _ => Ok(()),
                }
            }
            Effect::Remove => edit.remove(&self.path).map(drop),
        }
    }

    /// A text as a value of the kind that is there: so a text of digits stays a text, and a typing error is no new kind.
    fn by_kind(&self, there: Option<&Value>, text: &str) -> Result<Value, EditError> {
        let kind = match there {
            None | Some(Value::Nil) => return Ok(json_or_text(text)),
            Some(Value::Bool(_)) => Kind::Bool,
            Some(Value::Int(_) | Value::UInt(_)) => Kind::Int,
            Some(Value::Float(_)) => Kind::Float,
            Some(Value::Str(_)) => Kind::String,
            Some(Value::Bytes(_)) => Kind::Bytes,
            Some(Value::List(_)) => Kind::List,
            Some(Value::Map(_)) => Kind::Map,
        };
        let unfit = |expected: &str| {
            EditError::Abandoned(format!(
                "`{}` is a {kind}: expected {expected}, found `{}`; PATH:=JSON makes it another kind",
                self.path,
                cut(text)
            ))
        };
        match plain(kind, text) {
            Err((expected, _)) => Err(unfit(&expected)),
            Ok(value) if value.kind() == kind.name() => Ok(value),
            Ok(_) => Err(unfit(&format!("a {kind}"))),
        }
    }
}

/// Where nothing says what a text is meant to be, it is what it looks like.
fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Splits a word at its first `=` that is not in a quoted key.
fn split(word: &str) -> Result<(String, Given), Failure> {
    let wrong = |problem: &str| {
        Failure::new(
            Code::CommandLine,
            format!("`{}` {problem}", cut(word)),
        )
        .help("write PATH=VALUE, or PATH:=JSON; quote it for the shell: 'domain.item:={\"price\": 5}'")
    };
    let at = equals(word).ok_or_else(|| wrong("is no operation: it has no `=`"))?;
    let (path, text) = (&word[..at], &word[at + 1..]);
    let (path, given) = match path.strip_suffix(':') {
        Some(path) => {
            let value = serde_json::from_str(text).map_err(|error| {
                wrong(&format!(
                    "has no JSON behind `:=`: {}",
                    json_problem(&error)
                ))
            })?;
            (path, Given::Value(value))
        }
        None => (path, Given::Text(text.to_owned())),
    };
    if path.is_empty() {
        return Err(wrong("names no place"));
    }
    Ok((path.to_owned(), given))
}

fn equals(word: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in word.char_indices() {
        match character {
            '=' if !quoted => return Some(at),
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_split_outside_of_quotes() {
        let text = |text: &str| Given::Text(text.to_owned());
        for (word, path, given) in [
            ("domain.a=1", "domain.a", text("1")),
            ("domain.a=", "domain.a", text("")),
            ("domain.a=b=c", "domain.a", text("b=c")),
            ("domain.a:=1", "domain.a", Given::Value(1.into())),
            ("domain.a:=null", "domain.a", Given::Value(Value::Nil)),
            (r#"domain["a=b"]=c"#, r#"domain["a=b"]"#, text("c")),
            (
                r#"domain["a\"="]:="x=y""#,
                r#"domain["a\"="]"#,
                Given::Value("x=y".into()),
            ),
        ] {
            assert_eq!(split(word).expect(word), (path.to_owned(), given), "{word}");
        }
        for (word, expected) in [
            ("domain.a", "has no `=`"),
            ("=1", "names no place"),
            (":=1", "names no place"),
            ("domain.a:=x", "has no JSON behind `:=`"),
            (r#"domain["a=b"]"#, "has no `=`"),
        ] {
            let message = split(word).expect_err(word).report.message;
            assert!(message.contains(expected), "{word}: {message}");
        }
    }

    #[test]
    fn a_file_has_the_form_of_records() {
        let text = r#"[
            {"op": "set", "path": "domain.a", "value": null},
            {"op": "push", "path": "domain.l", "value": 1, "index": 3},
            {"op": "remove", "path": "domain.b"}
        ]"#;
        let operations = parse(text, "ops.json").expect("operations");
        assert_eq!(operations.len(), 3);
        assert_eq!(operations[0].effect, Effect::Set(Given::Value(Value::Nil)));
        assert_eq!(
            operations[1].effect,
            Effect::Push(Given::Value(1.into()), Some(3))
        );
        assert_eq!(operations[2], Operation::remove("domain.b"));
        for (text, expected) in [
            ("{}", "ops.json:1:"),
            (
                r#"[{"op": "sett", "path": "domain.a"}]"#,
                "unknown variant `sett`",
            ),
            (
                r#"[{"op": "set", "path": "domain.a", "valeu": 1}]"#,
                "unknown field `valeu`",
            ),
            (
                r#"[{"op": "set", "path": "domain.a"}]"#,
                "operation 1: it has no `value`",
            ),
            (
                r#"[{"op": "remove", "path": "domain.a", "value": 1}]"#,
                "a removal has no `value`",
            ),
            (
                r#"[{"op": "set", "path": "domain.a", "value": 1, "index": 1}]"#,
                "only a push",
            ),
        ] {
            let failure = parse(text, "ops.json").expect_err(text);
            assert!(
                failure.report.message.contains(expected),
                "{}",
                failure.report.message
            );
            assert_eq!(failure.report.code, "THEUS-U018");
        }
    }
}
