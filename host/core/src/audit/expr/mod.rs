//! Expressions: conditions over several places at once, in CEL.
//!
//! The crate `cel` parses the text and expands its macros; what comes out is checked and made into nodes of our own once,
//! when the recipe is loaded. Evaluating is our own as well, because three things are asked of it that the crate does
//! not promise: **the context is never copied** (a value in an expression is a view into the tree), **the work is
//! counted** (an expression ends after [`MAX_WORK`] units, whatever it is fed), and **no message holds a value** (an
//! argument may be secret).
//!
//! # What an expression may use
//!
//! | what | |
//! | --- | --- |
//! | places | `args`, `domain`, `global`; at the output gate also `result`, `old.domain`, `old.global` |
//! | operators | `+ - * / %`, `== != < <= > >=`, `in`, `&& \|\| !`, `? :`, `[ ]`, `.` |
//! | macros | `has`, `all`, `exists`, `exists_one`, `map`, `filter`; none inside another one's body |
//! | functions | `size contains startsWith endsWith matches int double string` |
//! | literals | numbers, strings, bytes, `true`, `false`, `null`, lists, maps |
//!
//! # Where it is stricter than CEL
//!
//! - `==`, `!=` and `in` compare numbers with numbers and otherwise values of one kind, or with `null`; another kind
//!   is an error and no "different", so that a text cannot slip past `args.n != 5`.
//! - NaN in a comparison is an error.
//! - The pattern of `matches` is a literal.
//! - An unknown name or function is refused when the recipe is loaded, and so is an expression that reads nothing.
//!
//! As in CEL, `a && b` is false where either is, and `a || b` true where either is, whatever ails the other one.
//!
//! Whole numbers are exact: two that fit `i64` give an `i64` or an overflow; where one is above, the result is what
//! 64 bits hold, signed or not.

mod ast;
mod call;
mod compile;
mod declared;
mod evaluate;
mod fault;
mod functions;
mod operators;
mod place;
mod value;

use self::ast::Node;
pub(super) use self::compile::Problem;
pub(super) use self::declared::{Misfit, Shape};
pub(super) use self::fault::Fault;
use super::field::{Facts, Field};
use super::verdict::Gate;
use crate::path::Path;
use smol_str::SmolStr;
use std::sync::Arc;

/// The most bytes that an expression may have.
pub const MAX_EXPRESSION_BYTES: usize = 2048;

/// The units of work that one evaluation may take: about one per node, element and 32 bytes of text.
pub const MAX_WORK: u64 = 200_000;

/// The most elements that a macro goes through.
pub const MAX_ELEMENTS: usize = 10_000;

/// How deep an expression may nest.
const MAX_NESTING: u16 = 48;

/// A compiled expression. A copy costs no more than counting it.
#[derive(Clone, Debug)]
pub struct Expression(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    text: String,
    node: Node,
    paths: Vec<Path>,
    arguments: Vec<SmolStr>,
    places: Vec<Field>,
    reads_any_argument: bool,
}

impl Expression {
    /// Compiles an expression for a gate.
    pub(super) fn compile(text: &str, gate: Gate) -> Result<Self, Problem> {
        compile::compile(text, gate).map(|compiled| Self(Arc::new(compiled)))
    }

    /// Evaluates to true or false.
    ///
    /// An argument in `optional` that is nil counts as absent.
    ///
    /// # Errors
    ///
    /// Why it cannot be decided.
    ///
    /// # Security
    ///
    /// What it looks at may come from anybody. The work is bounded; nothing of the context is copied.
    pub(super) fn evaluate(&self, facts: &Facts<'_>, optional: &[SmolStr]) -> Result<bool, Fault> {
        evaluate::evaluate(&self.0.node, facts, optional)
    }

    /// The expression, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The places whose committed value it reads. Where a place depends on a value, the last fixed one above it.
    #[must_use]
    pub fn context_paths(&self) -> &[Path] {
        &self.0.paths
    }

    /// The arguments that it names.
    #[must_use]
    pub fn arguments(&self) -> &[SmolStr] {
        &self.0.arguments
    }

    /// Every fixed place that it reads, each once.
    pub(super) fn places(&self) -> &[Field] {
        &self.0.places
    }

    /// Everything in it that can give no value, by what is known of its fixed places.
    pub(super) fn misfits<'a>(&self, shape: &dyn Fn(&Field) -> Option<Shape<'a>>) -> Vec<Misfit> {
        declared::misfits(&self.0.node, shape)
    }

    /// Whether it may read arguments that it does not name.
    pub(super) fn reads_any_argument(&self) -> bool {
        self.0.reads_any_argument
    }
}

/// By text.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
