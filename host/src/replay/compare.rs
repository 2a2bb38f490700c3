//! What a run that was made again did otherwise than its record says.

use super::same_bits;
use crate::receipt::Outcome;
use crate::record::Actor;
use crate::store::{Entry, message_value, write_value};
use std::fmt;
use theus_core::code::Code;
use theus_core::transaction::Transaction;
use theus_core::value::Value;

/// The first thing in which a run is not as its record says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The record.
    pub seq: u64,
    /// The process, where it is about one.
    pub process: Option<String>,
    /// What is different.
    pub what: What,
    /// What the record says; none where it has nothing there.
    pub recorded: Option<Value>,
    /// What was found; none where nothing was.
    pub found: Option<Value>,
}

/// What can be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A write, by its place among the writes, from 1.
    Write(usize),
    /// A message, by its place among the messages, from 1.
    Message(usize),
    /// What the process returned.
    Result,
    /// The code of its error.
    Error,
    /// What it cost.
    Fuel,
    /// The component: it cannot be registered any more.
    Component,
}

/// A run that was made again.
pub(super) struct Rerun {
    pub(super) ended: Result<Transaction, String>,
    pub(super) result: Option<Value>,
    pub(super) fuel: u64,
    /// Whether the same compiler with the same settings made its code.
    pub(super) same_settings: bool,
}

/// The first difference between a record and its run made again.
pub(super) fn compare(entry: &Entry, rerun: &Rerun) -> Option<Difference> {
    let record = &entry.record;
    let different = |what, recorded: Option<Value>, found: Option<Value>| {
        Some(Difference::of(entry, what, recorded, found))
    };
    let text = |code: Option<&str>| code.map(Value::from);
    let fuel = || {
        let same = record.fuel == rerun.fuel;
        let number = |fuel| Some(Value::unsigned(fuel));
        (!same).then(|| Difference::of(entry, What::Fuel, number(record.fuel), number(rerun.fuel)))
    };
    let transaction = match (&rerun.ended, record.error.as_deref()) {
        // Nothing remained of it but how it ended, and what that cost.
        (Err(found), Some(recorded)) if found == recorded => {
            return if is_exact(recorded) { fuel() } else { None };
        }
        (Err(found), recorded) => {
            return different(What::Error, text(recorded), text(Some(found)));
        }
        // What the guest did was in order; what came behind it refused the run, and is not judged again.
        (Ok(_), Some(recorded)) if is_behind_the_guest(recorded) => return fuel(),
        (Ok(_), Some(recorded)) => return different(What::Error, text(Some(recorded)), None),
        (Ok(transaction), None) => transaction,
    };
    debug_assert_eq!(record.outcome, Outcome::Committed);
    let writes = |writes: &[theus_core::transaction::Write]| -> Vec<Value> {
        writes.iter().map(write_value).collect()
    };
    let messages = |messages: &[theus_core::transaction::OutboxMessage]| -> Vec<Value> {
        messages.iter().map(message_value).collect()
    };
    let lists = [
        (
            What::Write as fn(usize) -> What,
            writes(&entry.writes),
            writes(transaction.writes()),
        ),
        (
            What::Message,
            messages(&entry.outbox),
            messages(transaction.outbox()),
        ),
    ];
    for (what, recorded, found) in lists {
        if let Some(at) = first_difference(&recorded, &found) {
            return different(
                what(at + 1),
                recorded.get(at).cloned(),
                found.get(at).cloned(),
            );
        }
    }
    let same_result = match (&entry.result, &rerun.result) {
        (Some(recorded), Some(found)) => same_bits(recorded, found),
        (recorded, found) => recorded.is_none() && found.is_none(),
    };
    if !same_result {
        return different(What::Result, entry.result.clone(), rerun.result.clone());
    }
    fuel()
}

/// Whether equal fuel is promised of a run that ended so: of those that fail with an error of their contract.
fn is_exact(code: &str) -> bool {
    stable(code).is_none()
}

/// Whether a run that ended so had left its guest in order.
fn is_behind_the_guest(code: &str) -> bool {
    matches!(
        stable(code),
        Some(
            Code::AuditBlocked
                | Code::AuditAborted
                | Code::InterlockThrown
                | Code::InterlockInForce
                | Code::SchemaBroken
                | Code::TooManyWrites
        )
    )
}

/// The code that a record's error is, where it is not one of a contract.
pub(super) fn stable(code: &str) -> Option<Code> {
    Code::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == code)
}

fn first_difference(recorded: &[Value], found: &[Value]) -> Option<usize> {
    let same = recorded
        .iter()
        .zip(found)
        .take_while(|(recorded, found)| same_bits(recorded, found))
        .count();
    (same < recorded.len().max(found.len())).then_some(same)
}

impl Difference {
    fn of(entry: &Entry, what: What, recorded: Option<Value>, found: Option<Value>) -> Self {
        let process = match &entry.record.actor {
            Actor::Process { name, .. } => Some(name.to_string()),
            _ => None,
        };
        Self {
            seq: entry.record.seq,
            process,
            what,
            recorded,
            found,
        }
    }

    /// A component that cannot be registered as it was.
    pub(super) fn of_component(entry: &Entry, problem: &str) -> Self {
        let recorded = match &entry.record.actor {
            Actor::Process { digest, .. } => digest.as_deref().map(Value::from),
            _ => None,
        };
        Self::of(entry, What::Component, recorded, Some(Value::from(problem)))
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(number) => write!(f, "write {number}"),
            Self::Message(number) => write!(f, "message {number}"),
            Self::Result => f.write_str("result"),
            Self::Error => f.write_str("error"),
            Self::Fuel => f.write_str("fuel"),
            Self::Component => f.write_str("component"),
        }
    }
}
