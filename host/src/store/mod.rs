//! Stores: where commits last, and what can be asked of one.
//!
//! A store keeps *entries*, one per run, edit or reset, in one order without gaps. Those that write something make
//! *versions* of the context, in the same order. Now and then it keeps a *checkpoint*, the whole state behind an entry, so
//! that opening it or going back need not start from the begin.
//!
//! [`memory`] and [`create`] are the same journal over two backends, one of which outlives the process. A store on another
//! machine implements [`Store`] itself: everything that an engine depends on is said there.

mod backend;
mod blobs;
mod chain;
mod directory;
mod entry;
mod error;
mod fields;
mod follow;
mod heavy;
mod info;
mod journal;
mod ledger;
mod memory;
mod outbox;
mod recent;
mod redb;
mod salvage;
mod size;
mod space;
mod state;
mod sweep;
mod verify;

#[cfg(test)]
mod tests;

pub use self::chain::{Hash, NoHash};
pub use self::directory::{backup, create, is_state, open, salvage, verify};
pub use self::entry::{CommitId, CountChange, Entry, InterlockChange};
pub(crate) use self::entry::{message_value, write_value};
pub use self::error::{Damage, StoreError};
pub use self::follow::{Follower, News};
pub use self::heavy::HeavyValue;
pub use self::info::{Info, info};
pub use self::memory::memory;
pub use self::outbox::{MessageId, NoMessageId, Sent, outbox_after};
pub use self::salvage::Salvaged;
pub use self::space::{Compacted, compact};
pub use self::state::{CountKey, State};
pub use self::verify::Verified;

use crate::receipt::Durability;
use serde::Serialize;
use std::time::Duration;
use theus_core::path::Path;
use theus_core::transaction::Snapshot;

/// A journal of entries, and the versions of a context that they make.
///
/// All of it may be called from any thread. An error that leaves open what was kept poisons the store: from then on it
/// refuses every commit, and nothing is tried again in silence.
pub trait Store: Send + Sync + 'static {
    /// The last entry that is kept, and the version behind it. Never waits for a commit.
    fn head(&self) -> Position;

    /// Everything that the entries up to the head make: the context, the audit counters, the interlock.
    fn state(&self) -> State;

    /// The context at a version: what a transaction begins on, or what replay compares with.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchVersion`], [`StoreError::Compacted`], or what keeps it from being read.
    fn begin(&self, version: u64) -> Result<Snapshot, StoreError>;

    /// Keeps entries, in their order, and returns once they are durable: all that are not refused, or none.
    ///
    /// An entry that commits something is refused where a place that it read, or one below or above, changed after the version
    /// that it read. That a place was absent, and all keys below one, count as read as well. One that commits nothing, such as a
    /// run that was refused, says what happened at the version that it read, and is kept whatever changed since.
    ///
    /// # Errors
    ///
    /// What keeps them from being written or synced. Then it is open which of them are kept, and the store is poisoned.
    fn commit(&self, commits: Vec<Commit>) -> Result<Vec<Outcome>, StoreError>;

    /// What became of an entry. This is how somebody finds out who sent a commit and did not hear its outcome.
    ///
    /// A record that an index names is looked at; that an index lacks one because it is damaged, only verifying finds.
    ///
    /// # Errors
    ///
    /// What keeps it from being read.
    fn status(&self, id: CommitId) -> Result<Status, StoreError>;

    /// Entries behind a number, in order, at most `most`: history, and what replay runs again.
    ///
    /// # Errors
    ///
    /// What keeps them from being read. An entry that is not as it was written is never returned.
    fn entries(&self, after: u64, most: usize) -> Result<Vec<Kept>, StoreError>;

    /// The commits behind a version, in order and without gaps; waits at most `timeout` for the first one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Compacted`] where commits behind the version are gone; or what keeps them from being read.
    fn watch(&self, after: u64, timeout: Duration) -> Result<Vec<Kept>, StoreError>;

    /// Keeps bytes that entries refer to by their digest, and returns once they are durable. What is kept already costs
    /// nothing more.
    ///
    /// They stay as long as the store is open, or, once an entry is committed that names them in [`Entry::heavy`], as long as
    /// an entry or a checkpoint that is left refers to them.
    ///
    /// # Errors
    ///
    /// What keeps them from being written.
    fn keep_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError>;

    /// Bytes by their digest; none where they are not kept.
    ///
    /// # Errors
    ///
    /// What keeps them from being read. Bytes that are not what their digest says are never returned.
    fn blob(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError>;

    /// Does what may wait until nobody does, such as a checkpoint where one is due.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    fn tend(&self) -> Result<(), StoreError>;

    /// Forgets the history before a version, as far as there is a checkpoint to begin from. The oldest version left.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    fn compact(&self, version: u64) -> Result<u64, StoreError>;

    /// Notes that the store is left in order: from then on a journal that ends before this point is known to be damaged.
    ///
    /// # Errors
    ///
    /// What keeps it from being written.
    fn close(&self) -> Result<(), StoreError>;

    /// What it takes at most.
    fn limits(&self) -> StoreLimits;

    /// What an entry survives once it is kept.
    fn durability(&self) -> Durability;
}

/// What is handed to a store to keep.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Commit {
    /// The entry.
    pub entry: Entry,
    /// The context behind it, where the caller has made it already, on the head, and holds what it read by locks of its
    /// own. It must be the next version; a store that is used by nobody else need not make it a second time.
    pub after: Option<Snapshot>,
}

/// What became of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is kept.
    Kept(Position),
    /// An entry of this id is kept already, under this number: nothing was done.
    Known(u64),
    /// What it read has changed since.
    Conflict {
        /// The place that it read, or wrote where that does not fit any more; none where too much time has passed to tell.
        path: Option<Path>,
    },
    /// It is larger than the store takes.
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
        /// The size that the store takes.
        allowed: u64,
    },
}

/// What became of an entry that was sent to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It is kept, under this number.
    Kept {
        /// Its number.
        seq: u64,
    },
    /// It is not there: it was never kept, or it was compacted away since.
    Absent,
}

/// A point in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Position {
    /// The number of the entry; 0 before the first one.
    pub seq: u64,
    /// The version of the context behind it.
    pub version: u64,
    /// The hash of the entry and of all before it.
    pub hash: Hash,
}

/// An entry as it is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The entry, with its number and version.
    pub entry: Entry,
    /// The hash of the entry and of all before it.
    pub hash: Hash,
}

/// What a store takes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// Bytes of one entry.
    pub entry_bytes: u64,
    /// Entries that are best handed over at once.
    pub batch: usize,
}

impl Commit {
    /// An entry to be applied by the store.
    #[must_use]
    pub fn new(entry: Entry) -> Self {
        Self { entry, after: None }
    }
}
