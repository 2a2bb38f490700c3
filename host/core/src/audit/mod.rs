//! Audit rules: what a recipe asks of a call's arguments, its result and the context around it.
//!
//! A [`Recipe`] is parsed from its file once, bound to a contract once ([`ProcessRules`]), and evaluated at both gates
//! of every call. Evaluating is pure; only the [`Tracker`] has state: one counter per rule.
//!
//! # What follows from a violation
//!
//! Each violation raises the rule's counter by one. With that count:
//!
//! | count | S | A | B | C | I | counter afterwards |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | below `min_threshold` | pass | pass | pass | pass | pass | count |
//! | from `min_threshold` on, below `max_threshold` | warn | warn | warn | warn | record | count |
//! | at `max_threshold` | interlock | abort | block | warn | record | 0 |
//!
//! `min_threshold` is 0 and `max_threshold` is 1 unless the recipe says otherwise: the level acts at once. A rule that
//! passes returns its own counter to 0, unless `reset_on_success` is false. All rules of a gate are judged, in the
//! order of the recipe, until a level S rule acts.
//!
//! # What violates
//!
//! A value that the condition does not allow; an absent field (unless `optional`); a value of a kind that the
//! condition says nothing about, such as `min` on a string; NaN in any comparison; a text that is too long for a
//! pattern; an expression ([`Expression`]) that gives neither true nor false, whatever the reason. Numbers compare by
//! value, exactly, whatever their kinds. Lengths are elements of a list, keys of a map, bytes of a string or binary; keys that a
//! process would not see (signal, meta, private) do not count. Nil is absent for a parameter that its contract calls
//! optional, and a value everywhere else.
//!
//! # Which rules hold for a process
//!
//! Those of the recipe `*`, then those that its own recipe inherits, from the farthest ancestor on, then its own; each
//! with a counter of the process's own. `host/docs/recipe.md` is the whole language.
//!
//! # What a field may be
//!
//! | field | input gate | output gate |
//! | --- | --- | --- |
//! | `name`, `args.name`, with steps below it | an argument | an argument |
//! | `domain…`, `global…` | the last committed version | the transaction's view |
//! | the same, in the signal or meta zone | refused at load | what this run wrote there |
//! | `result`, with steps below it | refused at load | the result |

mod agree;
mod bind;
mod condition;
mod entry;
mod expr;
mod field;
mod fit;
mod inheritance;
mod meet;
mod message;
mod number;
mod reader;
mod recipe;
mod rule;
mod skeleton;
mod text_pattern;
mod tracker;
mod verdict;

pub use condition::{Condition, ConditionWord, Objection};
pub use expr::{Expression, MAX_ELEMENTS, MAX_EXPRESSION_BYTES, MAX_WORK};
pub use field::{Facts, Field};
pub use number::Number;
pub use recipe::{MAX_RECIPE_BYTES, Recipe};
pub use rule::{Findings, Origin, ProcessRules, Rule, RuleId};
pub use skeleton::{Merged, merge, skeleton};
pub use text_pattern::{MAX_PATTERN_BYTES, MAX_TEXT_BYTES, MAX_TEXT_BYTES_OF_LARGE, TextPattern};
pub use tracker::{Count, Moved, Tick, Tracker};
pub use verdict::{Action, Gate, Judgement, Level, Verdict};

pub use self::error::{RecipeError, RecipeErrors};

pub(crate) use condition::{describe, kind_phrase};
pub(crate) use fit::Known;

use crate::source;

/// The reader of files and what it says of them, which the schema shares.
mod error {
    pub use crate::source::error::{FileError as RecipeError, FileErrors as RecipeErrors};
    pub(super) use crate::source::error::{Place, Report, Source, nearest, quoted};
}

#[cfg(test)]
mod tests;
