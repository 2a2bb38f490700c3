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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Actor, Record};
    use crate::store::{Commit, CommitId, Entry, Store, create, open};
    use std::fs;
    use std::time::Duration;
    use theus_core::context_guard::Mode;
    use theus_core::tree::Tree;

    fn refused(store: &dyn Store, number: u8) {
        let record = Record::of(Actor::Edit, Mode::Strict, Duration::ZERO);
        let entry = Entry::new(CommitId::from_bytes([number; 16]), record);
        store.commit(vec![Commit::new(entry)]).expect("kept");
    }

    fn seqs(news: Result<News, StoreError>) -> Vec<u64> {
        match news {
            Ok(News::Records(records)) => records.iter().map(|it| it.entry.record.seq).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_look_finds_what_is_new_and_leaves_alone_what_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let store = create(&state, Tree::default()).expect("created");
        refused(&*store, 1);
        let mut follower = Follower::new(&state, 0);
        assert!(matches!(follower.look(), Ok(News::InUse)));
        refused(&*store, 2);
        drop(store);
        assert_eq!(seqs(follower.look()), [1, 2]);
        let stamp = directory::stamp(&state);
        assert_eq!(seqs(follower.look()), [0; 0]);
        assert_eq!(directory::stamp(&state), stamp, "it was not opened");
        // A host that is there and has done nothing yet may do something.
        let store = open(&state, |_, _| {}).expect("opens");
        refused(&*store, 3);
        assert!(matches!(follower.look(), Ok(News::InUse)));
        drop(store);
        assert_eq!(seqs(follower.look()), [3]);
        fs::remove_file(state.join("journal.redb")).expect("it is there");
        assert!(matches!(follower.look(), Err(StoreError::Damaged(_))));
        assert_eq!(
            Follower::new(&folder.path().join("none"), 0).look().err(),
            Some(StoreError::Missing(folder.path().join("none")))
        );
    }

    #[test]
    fn a_journal_that_is_shorter_than_it_was_is_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let store = create(&state, Tree::default()).expect("created");
        refused(&*store, 1);
        drop(store);
        let damage = Damage::Short { found: 1, known: 2 };
        let look = Follower::new(&state, 2).look();
        assert_eq!(look.err(), Some(StoreError::Damaged(damage)));
    }
}
