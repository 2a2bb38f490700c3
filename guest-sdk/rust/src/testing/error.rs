//! Why a run did not commit.

use theus_core::arguments::ArgumentProblem;
use theus_core::code::{Code, ErrorKind};
use theus_core::codec::DecodeError;
use theus_core::contract::{ContractError, StrictError};
use theus_core::guard::Violation;
use theus_core::limits::LimitExceeded;
use theus_core::pattern::FillError;
use theus_core::refusal::Refusal;

use crate::failure::Failure;

/// Why a run did not commit, or why the host would not have registered its process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The contract is malformed.
    #[error("{0}")]
    Contract(ContractError),
    /// Strict mode does not allow the contract.
    #[error("{0}")]
    NotStrict(StrictError),
    /// The contract asks for a side effect, and no host grants one yet.
    #[error("the side effect `{0}` is not granted")]
    SideEffect(String),
    /// The arguments do not fit the parameters.
    #[error("{0}")]
    Arguments(ArgumentProblem),
    /// An argument does not fit a path of the contract.
    #[error("{0}")]
    Grant(FillError),
    /// A call into the host was refused: a violation of the contract, a malformed path or value, an operation that does
    /// not fit what is there.
    #[error("{0}")]
    Refused(Refusal),
    /// A limit was reached.
    #[error("{0}")]
    Limit(LimitExceeded),
    /// The process failed with an error that its contract lists.
    #[error("{}", .0.message())]
    Failure(Failure),
    /// The process failed with an error that its contract does not list.
    #[error("the process failed with `{}`, which its contract does not list: {}", .0.code(), .0.message())]
    UndeclaredError(Failure),
    /// The process found a value of another type than it expected.
    #[error("the process could not read a value: {message}")]
    Decode {
        /// What the SDK says.
        message: String,
    },
    /// The process panicked.
    #[error("the process panicked at {file}:{line}:{column}: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
        /// The source file.
        file: String,
        /// The line, from 1; 0 where unknown.
        line: u32,
        /// The column, from 1; 0 where unknown.
        column: u32,
    },
    /// The process returned bytes that are no value.
    #[error("the process returned a {0}")]
    MalformedResult(DecodeError),
}

impl RunError {
    /// The code that the host reports: stable, or the contract's own name for a declared failure.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Failure(failure) => failure.code().to_owned(),
            other => other
                .stable_code()
                .map(|code| code.to_string())
                .unwrap_or_default(),
        }
    }

    /// The kind of ending.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.stable_code().map_or(ErrorKind::Failure, Code::kind)
    }

    /// The violation of the contract, where that is what ended the run.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Refused(Refusal::Violation(violation)) => Some(violation),
            _ => None,
        }
    }

    /// How to mend it, where there is more to say than the message does.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Refused(refusal) => refusal.remedy(),
            Self::Limit(exceeded) => Refusal::Limit(exceeded.clone()).remedy(),
            Self::UndeclaredError(failure) => {
                format!("add \"{}\" to the process's errors", failure.code())
            }
            Self::Grant(_) => "pass a value that is one plain key of the same zone".into(),
            Self::Decode { .. } => {
                "compare the type in the process with what the context holds there".into()
            }
            _ => return None,
        })
    }

    fn stable_code(&self) -> Option<Code> {
        Some(match self {
            Self::Contract(_) => Code::ContractMalformed,
            Self::NotStrict(_) => Code::NotStrict,
            Self::SideEffect(_) => Code::SideEffectNotGranted,
            Self::Arguments(_) | Self::Grant(FillError::Unfit { .. }) => Code::Arguments,
            Self::Grant(FillError::Zone { .. }) => Code::ZoneMoved,
            Self::Refused(refusal) => refusal.code(),
            Self::Limit(exceeded) => exceeded.limit.code(),
            Self::Failure(_) => return None,
            Self::UndeclaredError(_) => Code::UndeclaredError,
            Self::Decode { .. } => Code::DecodeFailed,
            Self::Panicked { .. } => Code::Panicked,
            Self::MalformedResult(_) => Code::MalformedResult,
        })
    }
}

impl From<Refusal> for RunError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Limit(exceeded) => Self::Limit(exceeded),
            other => Self::Refused(other),
        }
    }
}
