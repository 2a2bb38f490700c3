//! What a schema says about paths: whether anything can be there, and which ancestor a write there concerns.

use super::declaration::{Declaration, Fields};
use crate::contract::Kind;
use crate::path::{Path, Segment};
use crate::pattern::{PathPattern, Step};
use crate::source::error::nearest;
use crate::zone;
use std::fmt::Write as _;

/// A path of a contract at which the schema lets nothing be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can ever be at `{path}`: {problem} ({declared_at})")]
#[non_exhaustive]
pub struct ImpossiblePath {
    /// The contract's path.
    pub path: String,
    /// What the schema says instead.
    pub problem: String,
    /// The declared path that was most likely meant.
    pub nearest: Option<String>,
    /// File and line of the declaration.
    pub declared_at: String,
}

/// A problem, the nearest valid spelling of the path up to it, and the line of the declaration.
pub(super) struct Mismatch {
    pub(super) problem: String,
    pub(super) nearest: Option<String>,
    pub(super) line: u32,
}

impl ImpossiblePath {
    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> String {
        let at = &self.declared_at;
        match &self.nearest {
            Some(meant) => {
                format!("did you mean `{meant}`? else declare the key in the schema ({at})")
            }
            None => format!("change the contract's path, or the declaration at {at}"),
        }
    }
}

/// Whether something can be at a contract's path.
pub(super) fn admits(declared: &Declaration, pattern: &PathPattern) -> Result<(), Mismatch> {
    descend(declared, pattern.layer().name(), pattern.steps())
}

fn descend(declared: &Declaration, above: &str, steps: &[Step]) -> Result<(), Mismatch> {
    let Some((step, below)) = steps.split_first() else {
        return Ok(());
    };
    let (needs, parts) = match step {
        Step::Fixed(Segment::Key(_)) | Step::KeyParam(_) => (Kind::Map, "keys"),
        Step::Fixed(Segment::Index(_)) | Step::IndexParam(_) => (Kind::List, "elements"),
    };
    if declared.kind == Kind::Any {
        return Ok(());
    }
    if declared.kind != needs {
        return Err(Mismatch {
            problem: format!(
                "`{above}` is declared as `{}`, which has no {parts}",
                declared.kind
            ),
            nearest: None,
            line: declared.line,
        });
    }
    let here = format!("{above}{}", printed(step));
    match (step, &declared.fields, &declared.items) {
        (Step::Fixed(Segment::Key(key)), Some(fields), _) => match fields.by_key.get(key) {
            Some(field) => descend(field, &here, below),
            None if !declared.is_closed() => Ok(()),
            None => Err(undeclared(declared, fields, above, key)),
        },
        (Step::KeyParam(_), Some(fields), _) if declared.is_closed() => {
            // The argument decides which of the fields it is; one that fits is enough.
            let mut ends = fields
                .by_key
                .iter()
                .filter(|(key, _)| !zone::is_reserved(key))
                .map(|(_, field)| descend(field, &here, below));
            match ends.find(Result::is_ok) {
                Some(_) => Ok(()),
                None => Err(Mismatch {
                    problem: format!("no key that `{above}` declares fits"),
                    nearest: None,
                    line: declared.line,
                }),
            }
        }
        (_, _, Some(items)) => descend(items, &here, below),
        _ => Ok(()),
    }
}

fn undeclared(map: &Declaration, fields: &Fields, above: &str, key: &str) -> Mismatch {
    let meant = nearest(key, fields.by_key.keys().map(AsRef::as_ref));
    let spelled = |key: &str| format!("{above}{}", Segment::Key(key.into()));
    Mismatch {
        problem: format!("`{above}` is a closed map that does not declare `{key}`"),
        nearest: meant.map(spelled),
        line: map.line,
    }
}

fn printed(step: &Step) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = match step {
        Step::Fixed(segment) => write!(text, "{segment}"),
        Step::KeyParam(name) => write!(text, ".{{{name}}}"),
        Step::IndexParam(name) => write!(text, "[{{{name}}}]"),
    };
    text
}

/// The map around a place, where the schema bounds how many keys it has: a write at the place may add one.
pub(super) fn counted_map(declared: &Declaration, place: &Path) -> Option<Path> {
    let (parent, Segment::Key(_)) = place.split_last()? else {
        return None;
    };
    let map = parent
        .segments()
        .iter()
        .try_fold(declared, |declared, step| match step {
            Segment::Key(key) => declared.field(key),
            Segment::Index(_) => declared.items.as_deref(),
        })?;
    map.max_len.is_some().then_some(parent)
}
