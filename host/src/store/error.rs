//! Why a store cannot do what it was asked.

use super::chain::Hash;
use std::path::PathBuf;
use theus_core::code::Code;

/// Why a store cannot do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another host has the directory open.
    #[error("the state in {} is in use by another host", .0.display())]
    InUse(PathBuf),
    /// There is no state where one is expected.
    #[error("there is no state in {}", .0.display())]
    Missing(PathBuf),
    /// There is a state where a new one was to be made.
    #[error("there is a state in {} already: its context is the one that counts", .0.display())]
    Exists(PathBuf),
    /// Another version of the host wrote it.
    #[error("the state has format {found}; this host reads format {known}")]
    Format {
        /// The format that it has.
        found: u64,
        /// The format that this host reads and writes.
        known: u64,
    },
    /// Something is not as it was written.
    #[error("the state is damaged: {0}")]
    Damaged(Damage),
    /// Reading, writing or syncing failed.
    #[error("the state cannot be read or written: {0}")]
    Io(String),
    /// An earlier error left open what is on the disk: the store does nothing more until it is opened anew.
    #[error("the state takes nothing more since an error: {0}")]
    Poisoned(String),
    /// A commit is larger than the store takes.
    #[error("what it commits is larger than the {allowed} bytes that the state takes at once")]
    TooLarge {
        /// The bytes that it takes.
        allowed: u64,
    },
    /// The version is not there any more: it was compacted away.
    #[error("version {asked} was compacted away; the oldest one left is {oldest}")]
    Compacted {
        /// The version that was asked for.
        asked: u64,
        /// The oldest version that can be read.
        oldest: u64,
    },
    /// The version is not there yet.
    #[error("there is no version {asked} yet; the newest one is {newest}")]
    NoSuchVersion {
        /// The version that was asked for.
        asked: u64,
        /// The newest version.
        newest: u64,
    },
    /// A hash that a receipt shows is not in the chain.
    #[error("no record of this state has the hash {0}: records were rewritten or cut off")]
    Rewritten(Hash),
}

/// What is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A record is missing.
    #[error("record {0} is missing")]
    Gap(u64),
    /// A record's checksum does not fit its bytes.
    #[error("record {0} does not match its checksum")]
    Checksum(u64),
    /// A record does not follow from the one before it.
    #[error("record {0} does not follow from the one before it")]
    Chain(u64),
    /// A record cannot be read although its checksum fits.
    #[error("record {seq} cannot be read: {problem}")]
    Record {
        /// The record.
        seq: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint is missing, unreadable, or not what its records make.
    #[error("the checkpoint behind record {seq} {problem}")]
    Checkpoint {
        /// The last record that it covers.
        seq: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The journal ends before the last record that it once held.
    #[error("it ends with record {found}, and once held record {known}")]
    Short {
        /// The last record that is there.
        found: u64,
        /// A record that was there.
        known: u64,
    },
    /// A blob is not what its digest says.
    #[error("the blob {0} is not as it was written")]
    Blob(Hash),
    /// A blob that a record or a checkpoint refers to is not there.
    #[error("the blob {0} is missing")]
    NoBlob(Hash),
    /// The file around the records.
    #[error("{0}")]
    File(String),
}

impl StoreError {
    /// The error's stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::InUse(_)
            | Self::Missing(_)
            | Self::Exists(_)
            | Self::Format { .. }
            | Self::Compacted { .. }
            | Self::NoSuchVersion { .. } => Code::StateUnfit,
            Self::Damaged(_) | Self::Rewritten(_) => Code::StateDamaged,
            Self::TooLarge { .. } => Code::TooManyWrites,
            Self::Io(_) | Self::Poisoned(_) => Code::StoreFailed,
        }
    }

    /// Whether the store takes nothing more behind it.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::InUse(_) => "end the other host, or give this one another --state",
                Self::Missing(_) => "give the directory that `run --state DIR` made",
                Self::Exists(_) => {
                    "leave out --context, or give another --state for a new context"
                }
                Self::Format { .. } => "open it with the version of theus-host that wrote it",
                Self::Damaged(_) => {
                    "nothing was changed: `theus-host log verify --state DIR` says how far it is sound, \
                     `theus-host log salvage --state DIR --to NEW` copies that part"
                }
                Self::Rewritten(_) => {
                    "compare with a copy of the state; a receipt's hash is in every unaltered one"
                }
                Self::Io(_) | Self::Poisoned(_) => {
                    "find the cause (a full disk, a failing one), then start again: what was acknowledged is there"
                }
                Self::TooLarge { .. } => "commit it in several runs",
                Self::Compacted { .. } | Self::NoSuchVersion { .. } => return None,
            }
            .into(),
        )
    }
}
