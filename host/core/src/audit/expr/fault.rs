//! Why an expression cannot be decided. No variant holds a value: it may be secret.

use super::{MAX_ELEMENTS, MAX_WORK};
use smol_str::SmolStr;

/// Why an expression cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::audit) enum Fault {
    /// A place that the expression names is not there.
    #[error("`{0}` is absent")]
    Absent(SmolStr),
    /// A key or an index that a value names is not there.
    #[error("there is no such key or index")]
    NoSuchElement,
    /// An operand of a kind that the operator does not take.
    #[error("`{operator}` does not take {kind}")]
    Operand {
        operator: &'static str,
        kind: &'static str,
    },
    /// Two operands that do not go together.
    #[error("`{operator}` does not take {left} and {right}")]
    Operands {
        operator: &'static str,
        left: &'static str,
        right: &'static str,
    },
    /// A whole number that does not fit into 64 bits.
    #[error("`{0}` overflows")]
    Overflow(&'static str),
    /// A whole number divided by 0.
    #[error("`{0}` divides by zero")]
    DivisionByZero(&'static str),
    /// NaN in a comparison.
    #[error("a number is NaN, which no comparison lets pass")]
    NotANumber,
    /// A text that does not spell what a conversion needs.
    #[error("`{0}` cannot be made of this value")]
    Unconvertible(&'static str),
    /// A key that a map's text gives twice.
    #[error("a map has the same key twice")]
    DuplicateKey,
    /// The whole expression gives neither true nor false.
    #[error("it gives {0}, neither true nor false")]
    Undecided(&'static str),
    /// A macro over too long a list.
    #[error("a list or map has more than {MAX_ELEMENTS} elements to go through")]
    TooLong,
    /// A text that is too long for a pattern.
    #[error("this pattern does not look at a text of more than {0} bytes")]
    TextTooLong(usize),
    /// The work is used up.
    #[error("it takes more than {MAX_WORK} units of work")]
    TooCostly,
}

impl Fault {
    /// Whether nothing that stands beside it can make up for it.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::TooLong | Self::TextTooLong(_) | Self::TooCostly)
    }
}
