//! Errors that a process declares.

use std::borrow::Cow;

use crate::context::{ContextError, DECODE};

/// Why a process did not do what it was asked to.
///
/// The code is one of the contract's `errors`; the host treats any other as a breach of the contract. What the process
/// wrote is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl Failure {
    /// Makes a failure with a code of the contract and a message for a person.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.code.into_owned(), self.message.into_owned())
    }
}

impl From<ContextError> for Failure {
    /// Carries the reserved code `Decode`, which the host reports as a trap.
    fn from(error: ContextError) -> Self {
        Self::new(DECODE, error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}
