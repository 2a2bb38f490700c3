//! What a schema says about paths: whether anything can be there, and which ancestor a write there concerns.

use super::declaration::{Declaration, Fields};
use crate::contract::Kind;
use crate::path::{Path, Segment};
use crate::pattern::{PathPattern, Step};
use crate::source::error::nearest;
use crate::zone;
use std::fmt::Write as _;

/// A path of a contract or a rule at which the schema lets nothing be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can ever be at `{path}`: {problem} ({declared_at})")]
#[non_exhaustive]
pub struct ImpossiblePath {
    /// The path, as it was written.
    pub path: String,
    /// What the schema says instead.
    pub problem: String,
    /// The declared path that was most likely meant.
    pub nearest: Option<String>,
    /// File and line of the declaration.
    pub declared_at: String,
}

/// The paths of a contract at which the schema lets nothing be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
#[non_exhaustive]
pub struct ImpossiblePaths {
    /// The paths, inputs first; never empty.
    pub paths: Vec<ImpossiblePath>,
}

/// A problem, the nearest valid spelling of the path up to it, and the line of the declaration.
pub(super) struct Mismatch {
    pub(super) problem: String,
    pub(super) nearest: Option<String>,
    pub(super) line: u32,
}

impl Mismatch {
    /// The whole of it.
    pub(super) fn at(self, path: String, origin: &str) -> ImpossiblePath {
        ImpossiblePath {
            path,
            problem: self.problem,
            nearest: self.nearest,
            declared_at: format!("{origin}:{}", self.line),
        }
    }
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
            None => format!("change the path, or the declaration at {at}"),
        }
    }
}

impl ImpossiblePaths {
    /// How to mend it; of several paths, the message says it of each.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self.paths.as_slice() {
            [only] => Some(only.help()),
            _ => None,
        }
    }

    fn render(&self) -> String {
        if let [only] = self.paths.as_slice() {
            return only.to_string();
        }
        let mut text = format!("nothing can ever be at {} of its paths", self.paths.len());
        for path in &self.paths {
            // Writing into a string does not fail.
            let ImpossiblePath {
                path: place,
                problem,
                declared_at,
                ..
            } = path;
            let help = path.help();
            let _ = write!(
                text,
                "\n`{place}`: {problem} ({declared_at})\n  help: {help}"
            );
        }
        text
    }
}

/// Whether something can be at a contract's path, and what is declared there.
pub(super) fn admits<'a>(
    declared: &'a Declaration,
    pattern: &PathPattern,
) -> Result<Option<&'a Declaration>, Mismatch> {
    descend(declared, pattern.layer().name(), pattern.steps())
}

/// The declaration of the place behind the steps; none where the schema does not say what is there.
pub(super) fn descend<'a>(
    declared: &'a Declaration,
    above: &str,
    steps: &[Step],
) -> Result<Option<&'a Declaration>, Mismatch> {
    let Some((step, below)) = steps.split_first() else {
        return Ok(Some(declared));
    };
    let (needs, parts) = match step {
        Step::Fixed(Segment::Key(_)) | Step::KeyParam(_) => (Kind::Map, "keys"),
        Step::Fixed(Segment::Index(_)) | Step::IndexParam(_) => (Kind::List, "elements"),
    };
    if declared.kind == Kind::Any {
        return Ok(None);
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
            None if !declared.is_closed() => Ok(None),
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
                // Which one it is, only the call can tell.
                Some(_) => Ok(None),
                None => Err(Mismatch {
                    problem: format!("no key that `{above}` declares fits"),
                    nearest: None,
                    line: declared.line,
                }),
            }
        }
        (_, _, Some(items)) => descend(items, &here, below),
        _ => Ok(None),
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
