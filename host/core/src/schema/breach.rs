//! Breaches: how a context differs from its schema.

use super::declaration::Declaration;
use crate::audit::{Number, kind_phrase};
use crate::contract::Kind;
use crate::path::{Layer, Path, Segment};
use crate::source::error::{Source, nearest};
use crate::value::Value;
use std::fmt;

/// One place where a context differs from its schema.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{path}` {problem} ({declared_at})")]
#[non_exhaustive]
pub struct Breach {
    /// The place.
    pub path: Path,
    /// What is there, and what is declared.
    pub problem: BreachProblem,
    /// File and line of the declaration.
    pub declared_at: String,
}

/// Every place where a context differs from its schema.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", self.render())]
#[non_exhaustive]
pub struct Breaches {
    /// The breaches, in the order of the context; never empty, and at most a hundred.
    pub breaches: Vec<Breach>,
}

/// What is there, and what is declared instead.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BreachProblem {
    /// A value of another kind.
    WrongKind {
        /// The kind that is declared.
        declared: Kind,
        /// What is there, with its article.
        found: &'static str,
    },
    /// A number below `min`.
    BelowMin {
        /// The limit.
        min: Number,
        /// The number.
        found: Number,
    },
    /// A number above `max`.
    AboveMax {
        /// The limit.
        max: Number,
        /// The number.
        found: Number,
    },
    /// NaN where `min` or `max` is declared: no comparison lets it pass.
    NotANumber,
    /// More elements, keys or bytes than `max_len`.
    TooLong {
        /// The limit.
        max_len: u64,
        /// How many there are.
        found: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// Nothing, where a required key is declared.
    Missing,
    /// A key that a closed map does not declare.
    Undeclared {
        /// The declared key that was most likely meant.
        nearest: Option<String>,
    },
}

/// Collects breaches until there are enough of them.
pub(super) struct Findings<'a> {
    source: &'a Source,
    pub(super) breaches: Vec<Breach>,
    most: usize,
}

/// A place on the way down, without an allocation per step.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Layer(Layer),
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, u64),
}

impl Breach {
    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> String {
        let at = &self.declared_at;
        match &self.problem {
            BreachProblem::WrongKind {
                declared,
                found: "nil",
            } => format!(
                "nil is a value and no `{declared}`: remove the key where there is nothing to say, or declare the type `any` at {at}"
            ),
            BreachProblem::WrongKind { declared, .. } => {
                format!("write a value of the type `{declared}`, or change `type` at {at}")
            }
            BreachProblem::BelowMin { .. } => {
                format!("write a number that fits, or change `min` at {at}")
            }
            BreachProblem::AboveMax { .. } => {
                format!("write a number that fits, or change `max` at {at}")
            }
            BreachProblem::NotANumber => {
                format!("write a number, or remove `min` and `max` at {at}")
            }
            BreachProblem::TooLong { unit: "bytes", .. } => {
                format!("write a shorter value, or raise `max_len` at {at}")
            }
            BreachProblem::TooLong { .. } => {
                format!("remove something first, or raise `max_len` at {at}")
            }
            BreachProblem::Missing => {
                format!("give it a value, or remove `required` at {at}")
            }
            BreachProblem::Undeclared { nearest } => {
                let meant = nearest
                    .as_ref()
                    .map_or_else(String::new, |key| format!("did you mean `{key}`? "));
                format!("{meant}declare the key in the map at {at}, or set `open: true` there")
            }
        }
    }
}

impl Breaches {
    fn render(&self) -> String {
        let parts: Vec<_> = self
            .breaches
            .iter()
            .map(|breach| format!("{breach}\n  help: {}", breach.help()))
            .collect();
        parts.join("\n")
    }
}

impl<'a> Findings<'a> {
    pub(super) fn new(source: &'a Source, most: usize) -> Self {
        Self {
            source,
            breaches: Vec::new(),
            most,
        }
    }

    /// Whether there are enough of them.
    pub(super) fn are_enough(&self) -> bool {
        self.breaches.len() >= self.most
    }

    pub(super) fn add(&mut self, place: Place<'_>, declared: &Declaration, problem: BreachProblem) {
        if !self.are_enough() {
            self.breaches.push(Breach {
                path: place.path(),
                problem,
                declared_at: format!("{}:{}", self.source.origin(), declared.line),
            });
        }
    }
}

impl BreachProblem {
    pub(super) fn wrong_kind(declared: &Declaration, value: &Value) -> Self {
        Self::WrongKind {
            declared: declared.kind,
            found: kind_phrase(value),
        }
    }

    pub(super) fn undeclared(map: &Declaration, key: &str) -> Self {
        let declared = map.fields.iter().flat_map(|fields| fields.by_key.keys());
        Self::Undeclared {
            nearest: nearest(key, declared.map(AsRef::as_ref)).map(str::to_owned),
        }
    }
}

impl Place<'_> {
    fn path(self) -> Path {
        let mut steps = Vec::new();
        let mut place = self;
        let layer = loop {
            place = match place {
                Place::Layer(layer) => break layer,
                Place::Key(above, key) => {
                    steps.push(Segment::Key(key.into()));
                    *above
                }
                Place::Index(above, index) => {
                    steps.push(Segment::Index(index));
                    *above
                }
            };
        };
        Path::new(layer, steps.into_iter().rev())
    }
}

impl fmt::Display for BreachProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKind { declared, found } => {
                write!(f, "is {found}, but is declared as `{declared}`")
            }
            Self::BelowMin { min, found } => {
                write!(f, "is {found}, but is declared with `min` {min}")
            }
            Self::AboveMax { max, found } => {
                write!(f, "is {found}, but is declared with `max` {max}")
            }
            Self::NotANumber => f.write_str("is NaN, which no `min` or `max` lets pass"),
            Self::TooLong {
                max_len,
                found,
                unit,
            } => write!(
                f,
                "has {found} {unit}, but is declared with `max_len` {max_len}"
            ),
            Self::Missing => f.write_str("is absent, but is declared as required"),
            Self::Undeclared { .. } => {
                f.write_str("is not declared, and the map around it is closed")
            }
        }
    }
}
