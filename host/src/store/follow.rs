//! Following a state from outside: reading what is new whenever no host has it open.

use super::Kept;
use super::directory::{self, Stamp};
use super::error::{Damage, StoreError};
use super::journal;
use std::path::{Path, PathBuf};

/// Reads the records of a state as they come, between the hosts that write them: one host at a time has a state open.
///
/// It holds the state only while it reads what is new, and does not touch one in which nothing has happened. A host that
/// keeps its state open has to be asked itself: [`Store::watch`](super::Store::watch), on
/// [`Engine::store`](crate::Engine::store).
#[derive(Debug)]
pub struct Follower {
    directory: PathBuf,
    after: u64,
    /// How the state was left when everything in it had been read.
    seen: Option<Stamp>,
}

/// What a look at a state found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum News {
    /// Records behind those that were read before, in order; none where there are none.
    Records(Vec<Kept>),
    /// Something may have happened, and a host has the state open: look again later.
    InUse,
}

/// Records that are read at once.
const PAGE: usize = 1_024;

impl Follower {
    /// Follows the state in a directory behind a record.
    #[must_use]
    pub fn new(directory: &Path, after: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            after,
            seen: None,
        }
    }

    /// Looks whether there is something new, and never waits for longer than a moment.
    ///
    /// # Errors
    ///
    /// What keeps it from being read; [`Damage::Short`] where what was read before is not there any more.
    pub fn look(&mut self) -> Result<News, StoreError> {
        // A stamp that cannot be taken is as good as a new one: opening the state says what is wrong.
        let stamp = directory::stamp(&self.directory);
        if self.seen.is_some() && self.seen == stamp {
            return Ok(News::Records(Vec::new()));
        }
        let read = directory::look_into(&self.directory, |backend| {
            let head = journal::read_head(backend)?;
            if head.seq < self.after {
                let (found, known) = (head.seq, self.after);
                return Err(StoreError::Damaged(Damage::Short { found, known }));
            }
            journal::entries(backend, self.after, PAGE)
        });
        let (records, stamp) = match read {
            Err(StoreError::InUse(_)) => return Ok(News::InUse),
            other => other?,
        };
        if let Some(last) = records.last() {
            self.after = last.entry.record.seq;
        }
        if records.len() < PAGE {
            self.seen = stamp;
        }
        Ok(News::Records(records))
    }
}
