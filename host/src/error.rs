//! Errors of the library: small enums that carry data. What they say is derived from it.

mod register;
mod run;

pub use self::register::{GrantProblem, RegisterError};
pub use self::run::{ArgumentProblem, RunError};

use crate::store::StoreError;
use theus_core::code::Code;
use theus_core::limits::{LimitExceeded, LimitsError};
use theus_core::path::{Path, PathError};
use theus_core::schema::{Breach, Breaches};
use theus_core::tree::ShapeError;

/// Why an edit did not commit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The text is no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The operation does not fit what is there.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The place is private to the host.
    #[error("`{0}` is private to the host")]
    Private(Path),
    /// The value is too deep.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The edit would break the schema.
    #[error(transparent)]
    Schema(#[from] Box<Breach>),
    /// Other runs held the context until the edit's time was up.
    #[error("the context was locked by running processes for longer than the time limit")]
    TimedOut,
    /// The store could not keep the edit.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The edit's own code gave up.
    #[error("{0}")]
    Abandoned(String),
}

impl EditError {
    /// The error's stable code; none where the edit's own code gave up.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::Path(PathError::Limit(_)) => Code::PathTooLarge,
            Self::Path(_) => Code::MalformedPath,
            Self::Shape(_) => Code::ShapeMismatch,
            Self::Private(_) => Code::WriteOutside,
            Self::Limit(exceeded) => exceeded.limit.code(),
            Self::Schema(_) => Code::SchemaBroken,
            Self::TimedOut => Code::TimeExhausted,
            Self::Store(error) => error.code(),
            Self::Abandoned(_) => return None,
        })
    }
}

/// Why an engine was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineBuildError {
    /// The limits make no sense.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// A value of the initial context is too deep, or private to the host.
    #[error("the initial context: {0}")]
    Context(#[from] EditError),
    /// The initial context does not fit its schema.
    #[error("the initial context does not fit its schema\n{0}")]
    Schema(#[from] Breaches),
    /// The state could not be opened, or holds a context already.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is an initial context, and a store that has one.
    #[error("the store has a context: an initial one beside it would not count")]
    TwoContexts,
    /// The runtime could not be set up.
    #[error("the runtime could not be set up: {0}")]
    Runtime(String),
}
