//! Findings: what must not happen, and the smallest input that makes it happen.

use super::input::Input;
use crate::error::RunError;
use crate::receipt::ErrorReport;
use crate::side_effects::Outside;
use serde::Serialize;
use theus_core::guard::Violation;
use theus_core::path::{Layer, Path, Segment};
use theus_core::refusal::Refusal;
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// What sort of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The guest panicked, trapped, misused the host's functions, or could not read what the context holds.
    Trap,
    /// It failed with an error that its contract does not list.
    UndeclaredError,
    /// It read or wrote outside its contract, or moved data into another zone.
    ContractViolation,
    /// It reached a limit: its work or its memory is not bounded by what it is given.
    Limit,
    /// Two runs with the same input differ.
    Nondeterminism,
    /// The host itself failed.
    Host,
}

/// Something that must not happen, and the smallest input that was found to make it happen.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What sort of thing it is.
    pub kind: FindingKind,
    /// The process.
    pub process: String,
    /// What the run said; for runs that differ, how.
    pub error: ErrorReport,
    /// In how many runs it happened, before the input was made small.
    pub times: u64,
    /// The arguments.
    pub args: Map,
    /// The context, where it is another one than the fuzzer began with.
    pub context: Option<Value>,
    /// The time and the seed that the run was given, where the process was granted them.
    pub outside: Option<Outside>,
    #[serde(skip)]
    size: usize,
}

/// What one run showed.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) kind: FindingKind,
    pub(super) process: String,
    pub(super) error: ErrorReport,
    pub(super) outside: Option<Outside>,
    /// What makes two findings one: the place in the guest, rather than the values that it met.
    place: String,
}

impl FindingKind {
    /// The kind's name, as it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::UndeclaredError => "undeclared-error",
            Self::ContractViolation => "contract-violation",
            Self::Limit => "limit",
            Self::Nondeterminism => "nondeterminism",
            Self::Host => "host",
        }
    }
}

impl Finding {
    pub(super) fn new((found, input): (Found, Input), times: u64, base: &Tree) -> Self {
        let layers = || -> Map {
            let layers = Layer::ALL.map(|it| (it.name(), input.context.layer(it).clone()));
            layers.into_iter().collect()
        };
        Self {
            kind: found.kind,
            process: found.process,
            error: found.error,
            times,
            size: input.size(base),
            context: (*input.context != *base).then(|| Value::Map(layers())),
            args: input.args,
            outside: found.outside.filter(|it| *it != Outside::default()),
        }
    }

    /// What findings are sorted by: the size of their input.
    pub(super) fn size(&self) -> usize {
        self.size
    }
}

impl Found {
    /// What an error says about the guest; none where it is about the caller or the operator's rules.
    pub(super) fn of(error: &RunError, outside: Option<Outside>) -> Option<Self> {
        let (kind, place) = match error {
            RunError::Panicked {
                file, line, column, ..
            } => (FindingKind::Trap, format!("{file}:{line}:{column}")),
            RunError::Trapped {
                reason, function, ..
            } => (FindingKind::Trap, format!("{function:?} {reason}")),
            RunError::Decode { .. } | RunError::MalformedResult { .. } => {
                (FindingKind::Trap, String::new())
            }
            RunError::UndeclaredError { code, .. } => (FindingKind::UndeclaredError, code.clone()),
            RunError::Refused { refusal, .. } => refused(refusal),
            RunError::Limit { exceeded, .. } => {
                (FindingKind::Limit, exceeded.limit.name().to_owned())
            }
            RunError::Host { .. } => (FindingKind::Host, String::new()),
            _ => return None,
        };
        Some(Self {
            kind,
            process: error.process().to_owned(),
            error: ErrorReport::from(error),
            outside,
            place,
        })
    }

    /// Two runs with one input that differ in something.
    pub(super) fn difference(process: &str, what: &str, outside: Option<Outside>) -> Self {
        let help = "a directory that changes meanwhile explains it; nothing else should";
        Self {
            kind: FindingKind::Nondeterminism,
            process: process.to_owned(),
            error: ErrorReport {
                code: "nondeterminism".into(),
                kind: theus_core::code::ErrorKind::Host,
                message: format!("{process}: two runs with the same input differ in {what}"),
                help: Some(help.into()),
                path: None,
                process: Some(process.to_owned()),
            },
            outside,
            place: String::new(),
        }
    }

    /// Whether it is the same kind of thing in the same process.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.kind == other.kind && self.process == other.process
    }

    /// Whether it is the same thing, with whatever input.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let key = |it: &Self| {
            (
                it.kind,
                it.process.clone(),
                it.error.code.clone(),
                it.place.clone(),
            )
        };
        key(self) == key(other)
    }
}

fn refused(refusal: &Refusal) -> (FindingKind, String) {
    match refusal {
        Refusal::Violation(violation) => (FindingKind::ContractViolation, place_of(violation)),
        // Topics come from arguments, more often than not: one finding for all of them.
        Refusal::Topic(_) => (FindingKind::ContractViolation, "send".to_owned()),
        Refusal::Limit(exceeded) => (FindingKind::Limit, exceeded.limit.name().to_owned()),
        Refusal::Shape(shape) => (FindingKind::Trap, place(&shape.path)),
        _ => (FindingKind::Trap, String::new()),
    }
}

fn place_of(violation: &Violation) -> String {
    format!("{} {}", violation.operation, place(&violation.path))
}

/// The fixed part of a place, more or less: further down keys come from arguments.
fn place(path: &Path) -> String {
    let first = path.segments().iter().take(1);
    let first = first.filter(|it| matches!(it, Segment::Key(_)));
    Path::new(path.layer(), first.cloned()).to_string()
}
