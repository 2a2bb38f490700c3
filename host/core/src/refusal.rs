//! Why a call into the host ended the run.

use crate::code::Code;
use crate::codec::DecodeError;
use crate::guard::{Reason, Violation};
use crate::limits::{Limit, LimitExceeded};
use crate::path::PathError;
use crate::topic::TopicWithheld;
use crate::tree::ShapeError;

/// Why a call into the host ended the run. The guest never sees it: the run is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is no path.
    #[error("{0}")]
    Path(PathError),
    /// A limit was reached.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The call is outside the grant.
    #[error(transparent)]
    Violation(#[from] Box<Violation>),
    /// The message is for a topic that the policy does not grant.
    #[error(transparent)]
    Topic(#[from] Box<TopicWithheld>),
    /// The bytes are no value.
    #[error("{0}")]
    Encoding(DecodeError),
    /// The operation does not fit what is there.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

impl Refusal {
    /// The stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Path(_) => Code::MalformedPath,
            Self::Limit(limit) => limit.limit.code(),
            Self::Violation(violation) => match violation.reason {
                Reason::MovesZone { .. } => Code::ZoneMoved,
                _ if violation.is_read() => Code::ReadOutside,
                _ => Code::WriteOutside,
            },
            Self::Topic(_) => Code::TopicWithheld,
            Self::Encoding(_) => Code::MalformedValue,
            Self::Shape(_) => Code::ShapeMismatch,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Path(_) => {
                "write `layer.name`, `[index]` or `[\"any key\"]`; the SDKs quote keys from outside"
                    .into()
            }
            Self::Limit(LimitExceeded {
                limit: limit @ (Limit::ValueBytes | Limit::HeavyValueBytes | Limit::ReadBytes),
                ..
            }) => format!(
                "read a large value in pieces (`len` and single elements, or `read-bytes`), write it in parts, or {}",
                limit.remedy_sentence()
            ),
            Self::Limit(limit) => limit.limit.remedy_sentence(),
            Self::Violation(violation) => violation.remedy(),
            Self::Topic(withheld) => withheld.remedy(),
            Self::Encoding(_) => {
                "pass one MessagePack value with string keys and no extension types".into()
            }
            Self::Shape(_) => "check what is there with `len` or `get` before writing".into(),
        }
    }
}

impl From<PathError> for Refusal {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Limit(limit) => Self::Limit(limit),
            syntax @ PathError::Syntax { .. } => Self::Path(syntax),
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Limit(limit) => Self::Limit(limit),
            malformed @ DecodeError::Malformed { .. } => Self::Encoding(malformed),
        }
    }
}
