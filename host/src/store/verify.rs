//! Verifying: every record from the oldest one on, and every checkpoint against what the records make.

use super::Position;
use super::backend::{Backend, Row};
use super::chain::Hash;
use super::error::{Damage, StoreError};
use super::journal::{no_checkpoint, read_head};
use super::ledger::{CheckpointRow, Ledger, read_checkpoint};
use serde::Serialize;
use std::collections::BTreeSet;

/// How far a journal is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The first record that is kept; those before it were compacted away.
    pub first: u64,
    /// The last record up to which everything is as it was written.
    pub sound: Position,
    /// The checkpoints that are what their records make.
    pub checkpoints: u64,
    /// The blobs that are what their digests say.
    pub blobs: u64,
    /// The record that has the expected hash.
    pub expected: Option<u64>,
    /// What is wrong behind the last sound record; none where everything is sound.
    pub damage: Option<Damage>,
}

/// What a walk does about a checkpoint that is not what its records make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checkpoints {
    /// It is damage.
    Demand,
    /// It is made anew: where the records behind it follow from that, it is what was there.
    Mend,
}

/// What a walk comes by.
pub(super) enum Step {
    /// The checkpoint that it begins with.
    Begin(CheckpointRow, Position),
    Record(Row),
    /// With the blobs that it refers to, where it may have to be mended.
    Checkpoint(CheckpointRow, Vec<Vec<u8>>),
}

const PAGE: usize = 256;

pub(super) fn verify(backend: &impl Backend, expect: Option<Hash>) -> Result<Verified, StoreError> {
    let mut verified = None;
    let (mut expected, mut checkpoints) = (None, 0);
    // Those of the records, and of the first checkpoint, are read on the way.
    let mut referred = BTreeSet::new();
    let damage = walk(backend, Checkpoints::Demand, |step, sound| {
        match step {
            Step::Begin(_, begin) => {
                verified = Some(begin);
                checkpoints += 1;
            }
            Step::Record(_) => {}
            Step::Checkpoint(row, _) => {
                let checkpoint = read_checkpoint(&row).map_err(StoreError::Damaged)?.0;
                referred.extend(checkpoint.heavy.iter().map(|it| it.digest));
                checkpoints += 1;
            }
        }
        if expect == Some(sound.hash) {
            expected = Some(sound.seq);
        }
        Ok(())
    })?;
    let Some(begin) = verified else {
        return Err(no_checkpoint());
    };
    let (sound, damage) = damage;
    let (blobs, damaged) = blobs(backend, referred)?;
    let damage = damage.or(damaged);
    if let (None, Some(hash), None) = (&damage, expect, expected) {
        return Err(StoreError::Rewritten(hash));
    }
    Ok(Verified {
        first: begin.seq + 1,
        sound,
        checkpoints,
        blobs,
        expected,
        damage,
    })
}

/// The blobs that are sound, and the first that is not, or is referred to and not there.
fn blobs(
    backend: &impl Backend,
    mut referred: BTreeSet<Hash>,
) -> Result<(u64, Option<Damage>), StoreError> {
    let (mut sound, mut damage) = (0, None);
    for digest in backend.blobs().all()? {
        referred.remove(&digest);
        match backend.blobs().read(digest) {
            Ok(_) => sound += 1,
            Err(StoreError::Damaged(problem)) => damage = damage.or(Some(problem)),
            Err(error) => return Err(error),
        }
    }
    let missing = referred.first().copied().map(Damage::NoBlob);
    Ok((sound, damage.or(missing)))
}

/// Goes through a journal; where it ends, and by what damage if by any.
pub(super) fn walk(
    backend: &impl Backend,
    checkpoints: Checkpoints,
    mut each: impl FnMut(Step, Position) -> Result<(), StoreError>,
) -> Result<(Position, Option<Damage>), StoreError> {
    let first = backend.checkpoint_from(0)?.ok_or_else(no_checkpoint)?;
    let mut ledger = Ledger::at(&first, backend.blobs())?;
    let mut next = backend.checkpoint_from(first.seq + 1)?;
    each(Step::Begin(first, ledger.position()), ledger.position())?;
    loop {
        let page = backend.records(ledger.position().seq + 1, PAGE)?;
        if page.is_empty() {
            break;
        }
        for (seq, frame) in page {
            let before = ledger.position();
            let kept = match ledger.follow(seq, &frame, backend.blobs()) {
                Ok(kept) => kept,
                Err(StoreError::Damaged(damage)) => return Ok((before, Some(damage))),
                Err(error) => return Err(error),
            };
            let row = Row {
                seq,
                version: kept.entry.record.version,
                id: *kept.entry.id.as_bytes(),
                frame,
            };
            if let Some(damage) = misplaced(backend, &row)? {
                return Ok((before, Some(damage)));
            }
            each(Step::Record(row), ledger.position())?;
            if next.as_ref().is_some_and(|it| it.seq == seq)
                && let Some(row) = next.take()
            {
                let row = match (ledger.pass(&row), checkpoints) {
                    (Ok(()), _) => row,
                    (Err(damage), Checkpoints::Demand) => {
                        return Ok((ledger.position(), Some(damage)));
                    }
                    (Err(_), Checkpoints::Mend) => {
                        let (mended, encoded) = ledger.checkpoint();
                        ledger.passed(encoded);
                        mended
                    }
                };
                next = backend.checkpoint_from(seq + 1)?;
                let heavy = match checkpoints {
                    Checkpoints::Demand => Vec::new(),
                    Checkpoints::Mend => ledger.heavy(),
                };
                each(Step::Checkpoint(row, heavy), ledger.position())?;
            }
        }
    }
    let sound = ledger.position();
    Ok((sound, end(backend, sound, next)))
}

/// What is wrong about where the records end.
fn end(backend: &impl Backend, sound: Position, next: Option<CheckpointRow>) -> Option<Damage> {
    let known = match (read_head(backend), backend.sealed()) {
        (Ok(head), Ok(sealed)) => {
            if head.seq == sound.seq && head != sound {
                let problem = "its last record is not the one that it names as its last";
                return Some(Damage::File(problem.into()));
            }
            head.seq.max(sealed).max(next.map_or(0, |row| row.seq))
        }
        (Err(error), _) | (_, Err(error)) => {
            return Some(match error {
                StoreError::Damaged(damage) => damage,
                other => Damage::File(other.to_string()),
            });
        }
    };
    (known > sound.seq).then_some(Damage::Short {
        found: sound.seq,
        known,
    })
}

/// What is wrong about where a record can be found.
fn misplaced(backend: &impl Backend, row: &Row) -> Result<Option<Damage>, StoreError> {
    let by_id = backend.seq_of_id(&row.id)? == Some(row.seq);
    let by_version = match row.version {
        Some(version) => backend.seq_of_version(version)? == Some(row.seq),
        None => true,
    };
    let problem = || format!("record {} is not found by its id or its version", row.seq);
    Ok((!(by_id && by_version)).then(|| Damage::File(problem())))
}

impl Serialize for Verified {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Printed<'a> {
            first: u64,
            sound: &'a Position,
            checkpoints: u64,
            blobs: u64,
            expected: Option<u64>,
            damage: Option<String>,
            error: (),
        }
        Printed {
            first: self.first,
            sound: &self.sound,
            checkpoints: self.checkpoints,
            blobs: self.blobs,
            expected: self.expected,
            damage: self.damage.as_ref().map(ToString::to_string),
            error: (),
        }
        .serialize(serializer)
    }
}
