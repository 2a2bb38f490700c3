//! Space: forgetting history, and giving back to the file system what a journal's file no longer needs.

use super::directory;
use super::error::StoreError;
use super::{Position, Store as _};
use std::path::Path;

/// What compacting a state did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compacted {
    /// The oldest version that can be read from now on.
    pub oldest: u64,
    /// The records that were forgotten.
    pub forgotten: u64,
    /// The last record, and the version behind it: as it was.
    pub head: Position,
    /// The size of the journal's file before it, in bytes.
    pub bytes_before: u64,
    /// The size of the journal's file behind it, in bytes.
    pub bytes_after: u64,
}

/// Forgets the history of a state before a version, where one is given, as far as there is a checkpoint to begin from; then makes
/// the journal's file as small as it can be.
///
/// The version itself stays readable, and so does everything behind it. What becomes of hashes that were handed out: those of
/// records that are forgotten are no longer found.
///
/// # Errors
///
/// As [`open`](super::open), [`StoreError::NoSuchVersion`], or what keeps the file from being written.
pub fn compact(directory: &Path, before: Option<u64>) -> Result<Compacted, StoreError> {
    let bytes_before = directory::journal_bytes(directory);
    let journal = directory::journal(directory)?;
    let head = journal.head();
    if let Some(asked) = before.filter(|it| *it > head.version) {
        let newest = head.version;
        return Err(StoreError::NoSuchVersion { asked, newest });
    }
    let first = journal.oldest()?.seq;
    if let Some(version) = before {
        journal.compact(version)?;
    }
    let oldest = journal.oldest()?;
    journal.close()?;
    let mut backend = journal.into_backend();
    backend.shrink()?;
    // Its file is as small as it gets once it is closed.
    drop(backend);
    Ok(Compacted {
        oldest: oldest.version,
        forgotten: oldest.seq - first,
        head,
        bytes_before,
        bytes_after: directory::journal_bytes(directory),
    })
}
