//! Fields: what a rule looks at.

use crate::path::{Path, PathError, Segment};
use crate::transaction::{Effect, Transaction};
use crate::tree::Tree;
use crate::value::{Map, Value};
use crate::zone::{Hidden, Zone};
use smol_str::SmolStr;
use std::fmt;

/// What a gate shows its rules.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The call's arguments.
    pub args: &'a Map,
    /// Input gate: a committed version. Output gate: the transaction's view.
    pub tree: &'a Tree,
    /// Output gate: what the process returned.
    pub result: Option<&'a Value>,
    /// Output gate: the transaction. Signal and meta keys are seen only as written by it.
    pub written: Option<&'a Transaction>,
}

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// An argument, or a place in one.
    Argument {
        /// The parameter's name.
        name: SmolStr,
        /// The steps below it.
        steps: Vec<Segment>,
    },
    /// A place in the context.
    Context {
        /// The place.
        path: Path,
        /// Its zone.
        zone: Zone,
    },
    /// The result, or a place in it.
    Result {
        /// The steps below it.
        steps: Vec<Segment>,
    },
}

impl Field {
    /// Parses a field as recipes spell it.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what was expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match first_word(text) {
            "domain" | "global" | "domain_ctx" | "global_ctx" => Self::context(text),
            "result" => Ok(Self::Result {
                steps: steps(text, "result".len())?,
            }),
            "old" => Err("`old` is for `expr` only".into()),
            "args" => Self::argument(text, "args".len()),
            "" => Err(
                "expected an argument's name, or a path from `args`, `domain`, `global` or `result`"
                    .into(),
            ),
            _ => Self::argument(text, 0),
        }
    }

    /// The value that a gate shows; none where nothing is there.
    pub(super) fn value<'a>(&self, facts: &Facts<'a>) -> Option<&'a Value> {
        match self {
            Self::Argument { name, steps } => descend(facts.args.get(name)?, steps),
            Self::Context { path, zone } if zone.is_readable() => facts.tree.get(path),
            Self::Context { path, .. } if is_written(path, facts.written) => facts.tree.get(path),
            Self::Context { .. } => None,
            Self::Result { steps } => descend(facts.result?, steps),
        }
    }

    /// What stays out of sight below the field, as for a process that reads the place.
    pub(super) fn hidden(&self) -> Hidden {
        match self {
            Self::Context { zone, .. } if *zone == Zone::Data => Hidden::Reserved,
            Self::Context { .. } => Hidden::Private,
            Self::Argument { .. } | Self::Result { .. } => Hidden::Nothing,
        }
    }

    fn context(text: &str) -> Result<Self, String> {
        let path = Path::parse(text).map_err(|error| problem(error, 0))?;
        if path.is_private() {
            return Err("a key that begins with `_` is private to the host".into());
        }
        Ok(Self::Context {
            zone: path.zone(),
            path,
        })
    }

    fn argument(text: &str, skip: usize) -> Result<Self, String> {
        let mut steps = steps(text, skip)?;
        if steps.is_empty() {
            return Err("expected an argument's name behind `args`".into());
        }
        match steps.remove(0) {
            Segment::Key(name) => Ok(Self::Argument { name, steps }),
            Segment::Index(_) => Err("arguments have names: expected `args.name`".into()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, steps): (&str, &[Segment]) = match self {
            Self::Context { path, .. } => return path.fmt(f),
            Self::Argument { name, steps } => (name, steps),
            Self::Result { steps } => ("result", steps),
        };
        f.write_str(start)?;
        steps.iter().try_for_each(|step| step.fmt(f))
    }
}

fn descend<'a>(value: &'a Value, steps: &[Segment]) -> Option<&'a Value> {
    steps
        .iter()
        .try_fold(value, |value, step| match (value, step) {
            (Value::Map(map), Segment::Key(key)) => map.get(key),
            (Value::List(list), Segment::Index(index)) => list.get(*index),
            _ => None,
        })
}

/// Whether the transaction wrote the place as a whole, so that nothing of an earlier run is left in it.
fn is_written(path: &Path, written: Option<&Transaction>) -> bool {
    written.is_some_and(|transaction| {
        transaction.writes().iter().any(|write| {
            matches!(write.effect, Effect::Set(_) | Effect::Remove)
                && path.is_at_or_below(&write.path)
        })
    })
}

fn first_word(text: &str) -> &str {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    &text[..end]
}

/// The steps behind the first `skip` bytes: the grammar of paths, under a layer that stands in for what was skipped.
fn steps(text: &str, skip: usize) -> Result<Vec<Segment>, String> {
    let stand_in = if skip == 0 { "domain." } else { "domain" };
    let path = Path::parse(&format!("{stand_in}{}", &text[skip..]))
        .map_err(|error| problem(error, stand_in.len().saturating_sub(skip)))?;
    Ok(path.segments().to_vec())
}

fn problem(error: PathError, shift: usize) -> String {
    match error {
        PathError::Syntax { at, problem, .. } => {
            format!("{problem} at byte {}", at.saturating_sub(shift))
        }
        PathError::Limit(limit) => limit.to_string(),
    }
}
