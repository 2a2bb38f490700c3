//! What a run that was made again did otherwise than its record says.

use super::Apart;
use crate::error::RunError;
use crate::receipt::Outcome;
use crate::record::Actor;
use crate::store::{Entry, StoreLimits, message_value, write_value};
use std::fmt;
use theus_core::code::{Code, ErrorKind};
use theus_core::codec;
use theus_core::limits::Limit;
use theus_core::transaction::{OutboxMessage, Transaction, Write};
use theus_core::value::Value;
use theus_core::zone::Zone;

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
    /// Which compiler made the guest's code when it was recorded.
    pub compiler: Compiler,
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

/// Which compiler made the code of a run that is recorded, compared with the one that makes it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// The same, with the same settings, of the same version of the host.
    Same,
    /// Another one, or other settings, or another version of the host: fuel is not promised to be equal.
    Other,
}

/// A run that was made again.
pub(super) struct Rerun {
    pub(super) ended: Result<Transaction, RunError>,
    pub(super) result: Option<Value>,
    pub(super) fuel: u64,
    pub(super) compiler: Compiler,
}

/// How much of a run its record promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// All of it.
    Whole,
    /// The code of its error.
    Ending(Code),
    /// What the guest cost: it ended in order, and what came behind it refused the run.
    Cost,
}

/// What is recorded of a run.
#[derive(Debug, Default, PartialEq)]
struct Effects {
    writes: Vec<Value>,
    messages: Vec<Value>,
    result: Option<Value>,
}

impl Promise {
    /// What the record of a run whose guest was entered promises.
    ///
    /// # Errors
    ///
    /// Why nothing is.
    pub(super) fn of(entry: &Entry) -> Result<Self, Apart> {
        let Some(code) = entry.record.error.as_deref().and_then(stable) else {
            return Ok(Self::Whole);
        };
        match (code, code.kind()) {
            (Code::TimeExhausted, _) => Err(Apart::OutOfTime),
            (_, ErrorKind::Host) => Err(Apart::HostFailed),
            (Code::SchemaBroken, _)
            | (_, ErrorKind::AuditBlock | ErrorKind::AuditAbort | ErrorKind::Interlock) => {
                Ok(Self::Cost)
            }
            _ => Ok(Self::Ending(code)),
        }
    }

    /// Whether another compiler keeps it: how much fuel, stack or memory the same guest takes, it does not.
    pub(super) fn holds_for(self, compiler: Compiler) -> bool {
        match (compiler, self) {
            (Compiler::Same, _) | (Compiler::Other, Self::Whole) => true,
            (Compiler::Other, Self::Ending(code)) => code.kind() != ErrorKind::Limit,
            (Compiler::Other, Self::Cost) => false,
        }
    }
}

/// What a record says that its kind never leaves, whatever was run: nothing remains of what failed, a commit has no error,
/// resets write nothing else.
pub(super) fn contradiction(entry: &Entry) -> Option<Difference> {
    let record = &entry.record;
    let is_run = matches!(record.actor, Actor::Process { .. });
    let error = record.error.as_deref().map(Value::from);
    let (recorded, mut allowed) = (Effects::recorded(entry), Effects::default());
    match (&record.actor, record.outcome) {
        (Actor::SignalsReset, Outcome::Committed) => {
            let signals = entry
                .writes
                .iter()
                .filter(|it| it.path.zone() == Zone::Signal);
            allowed.writes = signals.map(write_value).collect();
        }
        (Actor::InterlockReset, _) => {}
        (_, Outcome::Committed) if error.is_some() => {
            return Some(Difference::of(entry, What::Error, error, None));
        }
        (_, Outcome::Committed) => return None,
        (_, _) if is_run && error.is_none() => {
            return Some(Difference::of(entry, What::Error, None, None));
        }
        _ => {}
    }
    first_difference(entry, &recorded, &allowed)
}

/// The first difference between a record and its run made again.
///
/// # Errors
///
/// Why it says nothing about the record.
pub(super) fn compare(
    entry: &Entry,
    promise: Promise,
    rerun: &Rerun,
    limits: StoreLimits,
) -> Result<Option<Difference>, Apart> {
    let limit = rerun.ended.as_ref().err().and_then(RunError::limit);
    if limit == Some(Limit::Time) {
        return Err(Apart::TooSlow);
    }
    if limit.is_some() && rerun.compiler == Compiler::Other {
        return Err(Apart::OtherCompiler);
    }
    let promise = match (promise, &rerun.ended) {
        // A store says of what is too large for it that these are too many writes, as a limit says of a guest's.
        (Promise::Ending(Code::TooManyWrites), Ok(transaction))
            if !fits(entry, transaction, limits) =>
        {
            Promise::Cost
        }
        (promise, _) => promise,
    };
    let difference = ending(entry, promise, rerun)
        .or_else(|| match (&rerun.ended, promise) {
            (Ok(transaction), Promise::Whole) => {
                let found = Effects::of(transaction, rerun.result.as_ref());
                first_difference(entry, &Effects::recorded(entry), &found)
            }
            _ => None,
        })
        .or_else(|| match promise {
            Promise::Whole | Promise::Cost => fuel(entry, rerun),
            Promise::Ending(_) => None,
        });
    Ok(difference.map(|it| Difference {
        compiler: rerun.compiler,
        ..it
    }))
}

/// The code that a record's error is, where it is not one of a contract.
fn stable(code: &str) -> Option<Code> {
    Code::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == code)
}

fn fits(entry: &Entry, transaction: &Transaction, limits: StoreLimits) -> bool {
    let mut whole = entry.clone();
    whole.writes = transaction.writes().to_vec();
    whole.outbox = transaction.outbox().to_vec();
    limits.check(&whole).is_ok()
}

/// How the guest ended. Where what came behind it refused the run, it had ended in order.
fn ending(entry: &Entry, promise: Promise, rerun: &Rerun) -> Option<Difference> {
    let recorded = entry.record.error.clone();
    let expected = recorded.clone().filter(|_| promise != Promise::Cost);
    let found = rerun.ended.as_ref().err().map(RunError::code);
    let text = |code: Option<String>| code.as_deref().map(Value::from);
    (expected != found).then(|| Difference::of(entry, What::Error, text(recorded), text(found)))
}

fn fuel(entry: &Entry, rerun: &Rerun) -> Option<Difference> {
    let number = |fuel| Some(Value::unsigned(fuel));
    let recorded = entry.record.fuel;
    (recorded != rerun.fuel)
        .then(|| Difference::of(entry, What::Fuel, number(recorded), number(rerun.fuel)))
}

fn first_difference(entry: &Entry, recorded: &Effects, found: &Effects) -> Option<Difference> {
    let in_lists = |what: fn(usize) -> What, recorded: &[Value], found: &[Value]| {
        let all = 0..recorded.len().max(found.len());
        let at = all
            .clone()
            .find(|at| !same_bits(recorded.get(*at), found.get(*at)))?;
        let (recorded, found) = (recorded.get(at).cloned(), found.get(at).cloned());
        Some(Difference::of(entry, what(at + 1), recorded, found))
    };
    in_lists(What::Write, &recorded.writes, &found.writes)
        .or_else(|| in_lists(What::Message, &recorded.messages, &found.messages))
        .or_else(|| {
            let results = (&recorded.result, &found.result);
            let same = same_bits(results.0.as_ref(), results.1.as_ref());
            let (recorded, found) = (results.0.clone(), results.1.clone());
            (!same).then(|| Difference::of(entry, What::Result, recorded, found))
        })
}

/// A number of another kind and a zero of another sign differ, and what is no number is itself.
fn same_bits(recorded: Option<&Value>, found: Option<&Value>) -> bool {
    recorded.map(codec::encode_all) == found.map(codec::encode_all)
}

impl Effects {
    fn recorded(entry: &Entry) -> Self {
        Self::new(&entry.writes, &entry.outbox, entry.result.as_ref())
    }

    fn of(transaction: &Transaction, result: Option<&Value>) -> Self {
        Self::new(transaction.writes(), transaction.outbox(), result)
    }

    fn new(writes: &[Write], messages: &[OutboxMessage], result: Option<&Value>) -> Self {
        Self {
            writes: writes.iter().map(write_value).collect(),
            messages: messages.iter().map(message_value).collect(),
            result: result.cloned(),
        }
    }
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
            compiler: Compiler::Same,
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

#[cfg(test)]
mod tests;
