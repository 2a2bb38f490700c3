//! The ledger: where a journal stands, and how an entry becomes its next record.

use super::backend::Row;
use super::blobs::Blobs;
use super::chain::{self, Hash};
use super::entry::Entry;
use super::error::{Damage, StoreError};
use super::fields::decode;
use super::heavy::Memo;
use super::recent::Recent;
use super::state::{Checkpoint, Encoded, State, Unfit};
use super::{Commit, Kept, Outcome, Position, StoreLimits};
use theus_core::codec;

/// Where a journal stands.
#[derive(Debug)]
pub(super) struct Ledger {
    seq: u64,
    /// The hash of the last record.
    hash: Hash,
    /// What the next record follows from: the last record, or a checkpoint behind it.
    link: Hash,
    pub(super) state: State,
    recent: Recent,
    /// Bytes of records behind the last checkpoint, and of the blobs that they refer to.
    grown: u64,
    /// The same of the checkpoint.
    checkpoint_bytes: u64,
    memo: Memo,
}

/// A checkpoint's place and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CheckpointRow {
    pub(super) seq: u64,
    pub(super) frame: Vec<u8>,
}

impl Ledger {
    /// A journal that begins: its first checkpoint is the initial context, and everything follows from it. The blobs that it
    /// refers to come first.
    pub(super) fn begin(state: State) -> (Self, CheckpointRow, Vec<Vec<u8>>) {
        let encoded = state.encode(0, &Hash::default(), &Memo::default());
        let row = CheckpointRow {
            seq: 0,
            frame: chain::plain_frame(&encoded.bytes),
        };
        let bytes = encoded.bytes.len() as u64 + encoded.heavy_bytes;
        let link = Hash::of_checkpoint(&Hash::default(), &encoded.bytes);
        let ledger = Self::behind(0, Hash::default(), link, state, bytes, encoded.memo);
        (ledger, row, encoded.unkept)
    }

    /// A journal as it stood behind a checkpoint.
    pub(super) fn at(row: &CheckpointRow, blobs: &Blobs) -> Result<Self, StoreError> {
        let (mut checkpoint, bytes) = read_checkpoint(row).map_err(StoreError::Damaged)?;
        let memo = checkpoint.restore(blobs)?;
        let link = Hash::of_checkpoint(&checkpoint.hash, bytes);
        let heavy = checkpoint.heavy.iter().map(|it| it.bytes).sum::<u64>();
        let bytes = bytes.len() as u64 + heavy;
        let Checkpoint {
            seq, hash, state, ..
        } = checkpoint;
        Ok(Self::behind(seq, hash, link, state, bytes, memo))
    }

    fn behind(
        seq: u64,
        hash: Hash,
        link: Hash,
        state: State,
        checkpoint_bytes: u64,
        memo: Memo,
    ) -> Self {
        Self {
            seq,
            // Before the first record there is nothing but the checkpoint to name.
            hash: if seq == 0 { link } else { hash },
            link,
            recent: Recent::from(state.context.version),
            state,
            grown: 0,
            checkpoint_bytes,
            memo,
        }
    }

    pub(super) fn position(&self) -> Position {
        Position {
            seq: self.seq,
            version: self.state.context.version,
            hash: self.hash,
        }
    }

    /// Makes the next record of an entry, or says why it is refused; then nothing has changed.
    pub(super) fn take(&mut self, commit: Commit, limits: &StoreLimits) -> Result<Row, Outcome> {
        let Commit { mut entry, after } = commit;
        // One that commits nothing says what happened at the version that it read, and that has not changed: its run may have
        // released its locks long ago.
        if entry.commits()
            && let Some(version) = entry.record.read_version
            && let Some(path) = self.recent.changed_since(version, &entry.reads)
            // Where it is too long ago to tell, the caller's locks do: they were held all the while.
            && (path.is_some() || after.is_none())
        {
            return Err(Outcome::Conflict { path });
        }
        let seq = self.seq + 1;
        entry.record.seq = seq;
        entry.record.version = entry.commits().then_some(self.state.context.version + 1);
        let record = codec::encode_all(&entry.to_value());
        let bytes = record.len() as u64;
        if bytes > limits.entry_bytes {
            return Err(Outcome::TooLarge {
                bytes,
                allowed: limits.entry_bytes,
            });
        }
        self.state.apply(&entry, after).map_err(|unfit| {
            let path = match unfit {
                Unfit::Write(path) => Some(path),
                Unfit::Version => None,
            };
            Outcome::Conflict { path }
        })?;
        let hash = Hash::of_record(&self.link, &record);
        self.went_on(&entry, hash, bytes);
        Ok(Row {
            seq,
            version: entry.record.version,
            id: *entry.id.as_bytes(),
            frame: chain::frame(&hash, &record),
        })
    }

    /// Follows the next record, as it is read back.
    pub(super) fn follow(
        &mut self,
        seq: u64,
        frame: &[u8],
        blobs: &Blobs,
    ) -> Result<Kept, StoreError> {
        if seq != self.seq + 1 {
            return Err(StoreError::Damaged(Damage::Gap(self.seq + 1)));
        }
        let (hash, record) = chain::open(seq, frame).map_err(StoreError::Damaged)?;
        if hash != Hash::of_record(&self.link, record) {
            return Err(StoreError::Damaged(Damage::Chain(seq)));
        }
        let entry = read(seq, record, blobs)?;
        self.state
            .apply(&entry, None)
            .map_err(|unfit| StoreError::Damaged(unfit.of_record(seq)))?;
        self.went_on(&entry, hash, record.len() as u64);
        Ok(Kept { entry, hash })
    }

    fn went_on(&mut self, entry: &Entry, hash: Hash, bytes: u64) {
        if entry.commits() {
            self.recent.add(&entry.writes);
        }
        entry.note_heavy(&mut self.memo);
        (self.seq, self.hash, self.link) = (self.seq + 1, hash, hash);
        self.grown += bytes + entry.heavy_values().map(|it| it.bytes).sum::<u64>();
    }

    /// Whether reading the records behind the last checkpoint costs about as much as that itself, and enough to matter.
    pub(super) fn is_checkpoint_due(&self, least_bytes: u64) -> bool {
        self.grown >= least_bytes.max(self.checkpoint_bytes.saturating_mul(2))
    }

    /// Whether records follow the last checkpoint.
    pub(super) fn has_grown(&self) -> bool {
        self.grown > 0
    }

    /// Makes a checkpoint here. It becomes the last one once it is [`Ledger::passed`]. The blobs that it refers to, and that are
    /// not known to be kept, come first.
    pub(super) fn checkpoint(&self) -> (CheckpointRow, Encoded) {
        let encoded = self.state.encode(self.seq, &self.hash, &self.memo);
        let row = CheckpointRow {
            seq: self.seq,
            frame: chain::plain_frame(&encoded.bytes),
        };
        (row, encoded)
    }

    /// The large values of the context here, each as its blob.
    pub(super) fn heavy(&self) -> Vec<Vec<u8>> {
        let nothing = Memo::default();
        let encoded = self.state.encode(self.seq, &self.hash, &nothing);
        encoded.unkept
    }

    /// Goes past a checkpoint that stands here: the next record follows from it.
    ///
    /// # Errors
    ///
    /// It is not what the records up to here make.
    pub(super) fn pass(&mut self, row: &CheckpointRow) -> Result<(), Damage> {
        let damaged = |problem: &str| Damage::Checkpoint {
            seq: row.seq,
            problem: problem.to_owned(),
        };
        let bytes =
            chain::open_plain(&row.frame).ok_or_else(|| damaged("does not match its checksum"))?;
        let encoded = self.state.encode(self.seq, &self.hash, &self.memo);
        if row.seq != self.seq || bytes != encoded.bytes {
            return Err(damaged("is not what the records before it make"));
        }
        self.passed(encoded);
        Ok(())
    }

    /// The same with a checkpoint that was just made.
    pub(super) fn passed(&mut self, encoded: Encoded) {
        self.link = Hash::of_checkpoint(&self.hash, &encoded.bytes);
        self.grown = 0;
        self.checkpoint_bytes = encoded.bytes.len() as u64 + encoded.heavy_bytes;
        // What is not in the context any more is forgotten here as well.
        self.memo = encoded.memo;
    }
}

/// Reads a checkpoint without its large values, and its bytes.
pub(super) fn read_checkpoint(row: &CheckpointRow) -> Result<(Checkpoint, &[u8]), Damage> {
    let damaged = |problem: &str| Damage::Checkpoint {
        seq: row.seq,
        problem: problem.to_owned(),
    };
    let bytes =
        chain::open_plain(&row.frame).ok_or_else(|| damaged("does not match its checksum"))?;
    let checkpoint = Checkpoint::decode(bytes)
        .map_err(|problem| damaged(&format!("cannot be read: {problem}")))?;
    if checkpoint.seq != row.seq {
        return Err(damaged("is that of another record"));
    }
    Ok((checkpoint, bytes))
}

/// Where a checkpoint stands.
pub(super) fn position_of(row: &CheckpointRow) -> Result<Position, Damage> {
    let (checkpoint, bytes) = read_checkpoint(row)?;
    Ok(Position {
        seq: checkpoint.seq,
        version: checkpoint.state.context.version,
        hash: match checkpoint.seq {
            // Before the first record there is nothing but the checkpoint to name.
            0 => Hash::of_checkpoint(&checkpoint.hash, bytes),
            _ => checkpoint.hash,
        },
    })
}

/// Reads a record whose checksum fits, with its large values.
pub(super) fn read(seq: u64, record: &[u8], blobs: &Blobs) -> Result<Entry, StoreError> {
    let mut entry = read_without_heavy(seq, record).map_err(StoreError::Damaged)?;
    entry.restore(seq, blobs)?;
    Ok(entry)
}

/// The same without them.
pub(super) fn read_without_heavy(seq: u64, record: &[u8]) -> Result<Entry, Damage> {
    let damaged = |problem: String| Damage::Record { seq, problem };
    let value = decode(record).map_err(damaged)?;
    let entry = Entry::from_value(&value).map_err(|it| damaged(it.to_string()))?;
    if entry.record.seq != seq {
        return Err(damaged("it is that of another place".into()));
    }
    Ok(entry)
}
