//! Conditions of one entry that contradict one another: no value would pass all of them.

use super::condition::Condition;
use super::error::Place;
use super::fit::{Fit, Known, fit};
use super::reader::Reader;
use crate::contract::Kind;
use crate::value::Value;
use crate::zone::Hidden;

impl Reader<'_> {
    /// Refuses conditions that no value meets together.
    pub(super) fn conditions_agree(&mut self, conditions: &[(Place, Condition)]) {
        for (at, (place, condition)) in conditions.iter().enumerate() {
            for (_, other) in &conditions[..at] {
                // One of a pair is enough, whichever stands first.
                let message = contradiction(condition, other)
                    .or_else(|| contradiction(other, condition))
                    .or_else(|| of_other_types(condition, other));
                if let Some(message) = message {
                    let help = "change one of them, or write two entries for two fields";
                    self.report.refuse(*place, message, help.to_owned());
                }
            }
        }
    }
}

/// What the first condition lets pass, held against the second.
fn contradiction(first: &Condition, second: &Condition) -> Option<String> {
    let no_room = match (first, second) {
        (Condition::Min(min), Condition::Max(max)) => min > max,
        (Condition::MinLen(min), Condition::MaxLen(max)) => min > max,
        (Condition::Eq(value), other) => !passes(other, value),
        (Condition::In(values), other) => values.iter().all(|value| !passes(other, value)),
        (Condition::Type(kind), other) => {
            matches!(fit(other, &Known::of(*kind)), Fit::Never(_))
        }
        _ => false,
    };
    no_room.then(|| {
        format!(
            "`{}` {} and `{}` {} contradict each other: no value would pass both",
            first.word(),
            first.limit(),
            second.word(),
            second.limit()
        )
    })
}

fn passes(condition: &Condition, value: &Value) -> bool {
    match condition {
        // What an expression says of the field is not known here.
        Condition::Expr(_) => true,
        other => other.check(value, Hidden::Nothing).is_ok(),
    }
}

/// Two conditions about values of different kinds.
fn of_other_types(first: &Condition, second: &Condition) -> Option<String> {
    let (one, other) = (kinds(first)?, kinds(second)?);
    let together = one.iter().any(|kind| other.contains(kind));
    (!together).then(|| {
        format!(
            "`{}` and `{}` are about values of different kinds: no value would pass both",
            second.word(),
            first.word()
        )
    })
}

/// The kinds that a condition says something about; none where that is any.
fn kinds(condition: &Condition) -> Option<&'static [Kind]> {
    match condition {
        Condition::Min(_) | Condition::Max(_) => Some(&[Kind::Int, Kind::Float]),
        Condition::MinLen(_) | Condition::MaxLen(_) => {
            Some(&[Kind::String, Kind::Bytes, Kind::List, Kind::Map])
        }
        Condition::Regex(_) => Some(&[Kind::String]),
        _ => None,
    }
}
