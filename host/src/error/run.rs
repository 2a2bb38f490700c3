//! Why a run did not commit.

pub use theus_core::arguments::ArgumentProblem;

use crate::interlock::Interlock;
use crate::staging::DirectoryProblem;
use crate::store::StoreError;
use theus_core::audit::{Action, Verdict};
use theus_core::code::{Code, ErrorKind};
use theus_core::codec::DecodeError;
use theus_core::guard::Reason;
use theus_core::limits::{Limit, LimitExceeded};
use theus_core::pattern::FillError;
use theus_core::refusal::Refusal;
use theus_core::schema::Breach;
use theus_core::side_effect::SideEffect;

/// Why a run did not commit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No process of that name is registered.
    #[error("there is no process `{process}`{}", known_processes(known))]
    NoSuchProcess {
        /// The name that was asked for.
        process: String,
        /// The names that are registered.
        known: Vec<String>,
    },
    /// The arguments do not fit the process.
    #[error("{process}: {problem}")]
    Arguments {
        /// The process.
        process: String,
        /// What does not fit.
        problem: ArgumentProblem,
    },
    /// An argument does not fit a path of the contract.
    #[error("{process}: {problem}")]
    Grant {
        /// The process.
        process: String,
        /// What does not fit.
        problem: FillError,
    },
    /// The call brings a time or a seed that the process does not reach: it would be given in vain.
    #[error(
        "{process}: the call brings its own `{side_effect}`, which the process was not granted"
    )]
    NotGranted {
        /// The process.
        process: String,
        /// What is brought in vain.
        side_effect: SideEffect,
    },
    /// A call of the guest into the host was refused.
    #[error("{process}: {refusal}")]
    Refused {
        /// The process.
        process: String,
        /// Why.
        refusal: Refusal,
    },
    /// A limit was reached.
    #[error("{process}: {exceeded}")]
    Limit {
        /// The process.
        process: String,
        /// Which limit.
        exceeded: LimitExceeded,
    },
    /// The process failed with an error that its contract lists.
    #[error("{message}")]
    Failure {
        /// The process.
        process: String,
        /// The contract's name of the error.
        code: String,
        /// What went wrong, in the process's words.
        message: String,
    },
    /// The process failed with an error that its contract does not list.
    #[error("{process} failed with `{code}`, which its contract does not list: {message}")]
    UndeclaredError {
        /// The process.
        process: String,
        /// The name it gave.
        code: String,
        /// The message it gave.
        message: String,
        /// The names that its contract lists.
        declared: Vec<String>,
    },
    /// An audit rule of level B, A or S acted.
    #[error("{process}: {}", verdict.message)]
    Audit {
        /// The process.
        process: String,
        /// What the rule found and did.
        verdict: Box<Verdict>,
    },
    /// The commit would break the schema.
    #[error("{process}: {breach}")]
    Schema {
        /// The process.
        process: String,
        /// The place, what it would be, and what is declared.
        breach: Box<Breach>,
    },
    /// The directory that the process writes into cannot be used.
    #[error("{process}: cannot write into the directory `{directory}`: {problem}")]
    Directory {
        /// The process.
        process: String,
        /// The directory's name.
        directory: String,
        /// Why not.
        problem: DirectoryProblem,
    },
    /// The interlock is in force: no process runs until an operator resets it.
    #[error("{process}: the interlock is in force since `{}` of {} threw it: {}", interlock.rule, interlock.process, interlock.message)]
    InterlockInForce {
        /// The process that was refused.
        process: String,
        /// What threw the interlock.
        interlock: Box<Interlock>,
    },
    /// The guest panicked or aborted.
    #[error("{process} panicked at {file}:{line}:{column}{}: {message}", in_function(function.as_deref()))]
    Panicked {
        /// The process.
        process: String,
        /// What the guest says.
        message: String,
        /// The source file that the guest names.
        file: String,
        /// The line, from 1; 0 where unknown.
        line: u32,
        /// The column, from 1; 0 where unknown.
        column: u32,
        /// The guest's function, where a name is known.
        function: Option<String>,
    },
    /// The guest trapped.
    #[error("{process} trapped{}{}: {reason}", in_function(function.as_deref()), at_place(place.as_deref()))]
    Trapped {
        /// The process.
        process: String,
        /// What it did.
        reason: String,
        /// The guest's function, where a name is known.
        function: Option<String>,
        /// Where in the guest's code.
        place: Option<String>,
    },
    /// The guest found a value of another shape than it expected.
    #[error("{process} could not read a value: {message}")]
    Decode {
        /// The process.
        process: String,
        /// What the guest's SDK says.
        message: String,
    },
    /// The guest returned bytes that are no value.
    #[error("{process} returned a {problem}")]
    MalformedResult {
        /// The process.
        process: String,
        /// What the decoder met.
        problem: DecodeError,
    },
    /// The store could not keep what the run did, or an earlier run.
    #[error("{process}: {problem}")]
    Store {
        /// The process.
        process: String,
        /// What failed.
        problem: Box<StoreError>,
    },
    /// The host itself failed; nothing was committed.
    #[error("{process}: the host failed: {message}")]
    Host {
        /// The process.
        process: String,
        /// What failed.
        message: String,
    },
}

impl RunError {
    /// The error's code: stable, or the contract's own name for a declared failure.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Failure { code, .. } => code.clone(),
            other => other
                .stable_code()
                .map(|code| code.to_string())
                .unwrap_or_default(),
        }
    }

    /// The kind of ending, which decides the exit code.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.stable_code().map_or(ErrorKind::Failure, Code::kind)
    }

    /// The process that the error is about.
    #[must_use]
    pub fn process(&self) -> &str {
        match self {
            Self::NoSuchProcess { process, .. }
            | Self::Arguments { process, .. }
            | Self::Grant { process, .. }
            | Self::NotGranted { process, .. }
            | Self::Refused { process, .. }
            | Self::Limit { process, .. }
            | Self::Failure { process, .. }
            | Self::UndeclaredError { process, .. }
            | Self::Audit { process, .. }
            | Self::Schema { process, .. }
            | Self::Directory { process, .. }
            | Self::InterlockInForce { process, .. }
            | Self::Panicked { process, .. }
            | Self::Trapped { process, .. }
            | Self::Decode { process, .. }
            | Self::MalformedResult { process, .. }
            | Self::Store { process, .. }
            | Self::Host { process, .. } => process,
        }
    }

    /// The place in the context that the error is about, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match self {
            Self::Refused { refusal, .. } => match refusal {
                Refusal::Violation(violation) => Some(violation.path.to_string()),
                Refusal::Shape(shape) => Some(shape.path.to_string()),
                _ => None,
            },
            Self::Schema { breach, .. } => Some(breach.path.to_string()),
            Self::Grant { problem, .. } => match problem {
                FillError::Unfit { pattern, .. } | FillError::Zone { pattern, .. } => {
                    Some(pattern.clone())
                }
            },
            _ => None,
        }
    }

    /// The limit that ended the run, where one did.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Limit { exceeded, .. }
            | Self::Refused {
                refusal: Refusal::Limit(exceeded),
                ..
            } => Some(exceeded.limit),
            _ => None,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Refused { process, refusal } => match refusal {
                Refusal::Violation(violation)
                    if matches!(violation.reason, Reason::NotReadable | Reason::NotWritable) =>
                {
                    format!("{}, or do not touch it (contract of `{process}`)", violation.remedy())
                }
                Refusal::Violation(violation) if violation.reason == Reason::Withheld => {
                    format!("{} of `{process}`, or do not touch it", violation.remedy())
                }
                other => other.remedy(),
            },
            Self::Limit { exceeded, .. } => Refusal::Limit(exceeded.clone()).remedy(),
            Self::UndeclaredError { code, declared, .. } => {
                let declared = if declared.is_empty() {
                    "it lists none".into()
                } else {
                    format!("it lists: {}", list(declared))
                };
                format!("add \"{}\" to the contract's errors ({declared})", theus_core::path::cut(code))
            }
            Self::NotGranted { side_effect, .. } => super::register::how_to_grant(side_effect),
            Self::Grant { .. } => "pass a value that is one plain key of the same zone".into(),
            Self::InterlockInForce { .. } | Self::Audit { .. }
                if self.kind() == ErrorKind::Interlock =>
            {
                "find the cause, then reset the interlock: `theus-host state interlock reset --state DIR`, or `Engine::reset_interlock`; one in memory ends with its engine".into()
            }
            Self::Schema { breach, .. } => breach.help(),
            Self::Directory { problem, .. } => problem.help(),
            Self::Audit { verdict, .. } => format!("the rule is `{}` of the recipe's {} gate", verdict.rule, verdict.gate),
            Self::Arguments { problem, .. } => match problem {
                ArgumentProblem::Missing { name, .. } => format!("pass {name}=VALUE"),
                _ => {
                    "`inspect` prints the parameters and their kinds".into()
                }
            },
            Self::MalformedResult { .. } => "return one MessagePack value; the SDKs do".into(),
            Self::Decode { .. } => "compare the type in the process with what the context holds there".into(),
            Self::NoSuchProcess { .. } => "`inspect` prints the processes of a guest".into(),
            Self::Store { problem, .. } => return problem.help(),
            _ => return None,
        })
    }

    fn stable_code(&self) -> Option<Code> {
        Some(match self {
            Self::NoSuchProcess { .. } => Code::NoSuchProcess,
            Self::Arguments { .. } => Code::Arguments,
            Self::Grant { problem, .. } => match problem {
                FillError::Unfit { .. } => Code::Arguments,
                FillError::Zone { .. } => Code::ZoneMoved,
            },
            Self::NotGranted { .. } => Code::SideEffectNotGranted,
            Self::Refused { refusal, .. } => refusal.code(),
            Self::Limit { exceeded, .. } => exceeded.limit.code(),
            Self::Failure { .. } => return None,
            Self::UndeclaredError { .. } => Code::UndeclaredError,
            Self::Audit { verdict, .. } => match verdict.action {
                Action::Interlock => Code::InterlockThrown,
                Action::Abort => Code::AuditAborted,
                _ => Code::AuditBlocked,
            },
            Self::Schema { .. } => Code::SchemaBroken,
            Self::Directory { .. } => Code::DirectoryUnusable,
            Self::InterlockInForce { .. } => Code::InterlockInForce,
            Self::Panicked { .. } => Code::Panicked,
            Self::Trapped { .. } => Code::Trapped,
            Self::Decode { .. } => Code::DecodeFailed,
            Self::MalformedResult { .. } => Code::MalformedResult,
            Self::Store { problem, .. } => problem.code(),
            Self::Host { .. } => Code::HostFailed,
        })
    }
}

fn known_processes(known: &[String]) -> String {
    if known.is_empty() {
        "; none is registered".into()
    } else {
        format!("; there are: {}", list(known))
    }
}

fn in_function(function: Option<&str>) -> String {
    function
        .map(|name| format!(" in `{name}`"))
        .unwrap_or_default()
}

fn at_place(place: Option<&str>) -> String {
    place
        .map(|place| format!(" at {place}"))
        .unwrap_or_default()
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}
