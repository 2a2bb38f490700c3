//! What a record tells of a run's gates: what was behind the first one, and whether its count would have stood.

use crate::receipt::Outcome;
use crate::record::Record;
use crate::store::{Damage, Entry, StoreError};
use theus_core::audit::Tick;
use theus_core::code::{Code, ErrorKind};
use theus_core::transaction::{Effect, Snapshot, Transaction};

/// What is known of a run behind its input gate.
pub(super) enum Behind {
    Output(Transaction),
    /// The guest ended it: no output rule would have been asked.
    Nothing,
    Unknown,
}

pub(super) fn has_code(record: &Record, code: Code) -> bool {
    record.error.as_deref() == Some(code.as_str())
}

fn kind_of(record: &Record) -> Option<ErrorKind> {
    Code::find(record.error.as_deref()?).map(Code::kind)
}

/// Whether an input gate's judgement counts although it does not refuse. A run that never came to its transaction leaves no
/// count, unless it was a rule or the interlock that kept it: with other rules it would have come there.
pub(super) fn input_tick(record: &Record) -> Tick {
    let by_rules = matches!(
        kind_of(record),
        Some(ErrorKind::AuditBlock | ErrorKind::AuditAbort | ErrorKind::Interlock)
    );
    if record.read_version.is_some() || by_rules {
        Tick::Record
    } else {
        Tick::RecordRefusal
    }
}

/// What the output gate would have seen.
pub(super) fn behind(entry: &Entry, base: &Snapshot) -> Result<Behind, StoreError> {
    let record = &entry.record;
    match record.outcome {
        Outcome::Committed => Ok(Behind::Output(made_again(entry, base)?)),
        Outcome::Refused => Ok(Behind::Unknown),
        Outcome::RolledBack => Ok(match kind_of(record) {
            // Rules, the schema, and what the store said came behind the guest, which had returned.
            Some(
                ErrorKind::AuditBlock
                | ErrorKind::AuditAbort
                | ErrorKind::Interlock
                | ErrorKind::Host,
            ) => Behind::Unknown,
            _ if has_code(record, Code::SchemaBroken) => Behind::Unknown,
            _ => Behind::Nothing,
        }),
    }
}

/// The run's transaction, from the version that it read and what it wrote.
fn made_again(entry: &Entry, base: &Snapshot) -> Result<Transaction, StoreError> {
    let mut transaction = Transaction::begin(base.clone());
    for write in &entry.writes {
        let path = write.path.clone();
        let written = match &write.effect {
            Effect::Set(value) => transaction.set(path, value.clone()),
            Effect::Push { value, .. } => transaction.push(path, value.clone()).map(drop),
            Effect::Remove => transaction.remove(path).map(drop),
        };
        written.map_err(|error| unfit(entry, &error))?;
    }
    for message in &entry.outbox {
        transaction.send(message.clone());
    }
    Ok(transaction)
}

/// A record that does not fit the version before it.
fn unfit(entry: &Entry, problem: &impl ToString) -> StoreError {
    StoreError::Damaged(Damage::Record {
        seq: entry.record.seq,
        problem: problem.to_string(),
    })
}
