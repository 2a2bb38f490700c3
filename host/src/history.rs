//! History: the records of a state in order, each with the version that it read.
//!
//! The versions are made by applying what the records wrote, one after the other. They share their trees, so that keeping the
//! last ones costs little: a run may have read a version some commits back.

use crate::store::{Entry, Kept, Store, StoreError};
use std::collections::VecDeque;
use theus_core::path::Path;
use theus_core::transaction::Snapshot;

/// Goes through the records of a state.
pub(crate) struct History<'a> {
    store: &'a dyn Store,
    page: VecDeque<Kept>,
    /// The last record that was handed out.
    seq: u64,
    last: u64,
    /// The version behind that record, and those before it, as far as they are kept.
    versions: VecDeque<Snapshot>,
}

/// A record, and the versions around it.
pub(crate) struct Moment {
    pub(crate) kept: Kept,
    /// The version that it read; none where it came to none.
    pub(crate) read: Option<Snapshot>,
    /// Where what it wrote does not fit the version before it.
    pub(crate) unfit: Option<Path>,
}

/// Versions that are kept: a run is at most so many commits behind, or the store is asked.
const VERSIONS: usize = 256;
/// Records that are read at once.
const PAGE: usize = 256;

impl<'a> History<'a> {
    /// Begins with a record, or the oldest that is there; ends with another, or the last.
    pub(crate) fn new(
        store: &'a dyn Store,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Self, StoreError> {
        let head = store.head();
        let after = from.map_or(0, |from| from.saturating_sub(1));
        let page: VecDeque<Kept> = store.entries(after, PAGE)?.into();
        let first = page.front().map(|it| it.entry.record.seq);
        let mut history = Self {
            store,
            page,
            seq: first.map_or(head.seq, |first| first - 1),
            last: to.unwrap_or(u64::MAX).min(head.seq),
            versions: VecDeque::new(),
        };
        let before = history.version_before()?;
        history.versions.push_back(store.begin(before)?);
        Ok(history)
    }

    /// The version behind the last record that was handed out.
    pub(crate) fn version(&self) -> &Snapshot {
        // There is one from the begin.
        &self.versions[self.versions.len() - 1]
    }

    /// The number of the last record that was handed out.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The number of the last record that will be.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The next record.
    pub(crate) fn next(&mut self) -> Result<Option<Moment>, StoreError> {
        if self.seq >= self.last {
            return Ok(None);
        }
        if self.page.is_empty() {
            self.page = self.store.entries(self.seq, PAGE)?.into();
        }
        let Some(kept) = self.page.pop_front() else {
            return Ok(None);
        };
        self.seq = kept.entry.record.seq;
        let read = kept.entry.record.read_version;
        let read = read.map(|version| self.at(version)).transpose()?;
        let unfit = self.apply(&kept.entry).err();
        Ok(Some(Moment { kept, read, unfit }))
    }

    fn at(&self, version: u64) -> Result<Snapshot, StoreError> {
        let newest = self.version().version;
        let back = newest
            .checked_sub(version)
            .and_then(|it| usize::try_from(it).ok());
        let kept = back.and_then(|back| self.versions.iter().rev().nth(back));
        match kept {
            Some(snapshot) => Ok(snapshot.clone()),
            None => self.store.begin(version),
        }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), Path> {
        let Some(version) = entry.record.version else {
            return Ok(());
        };
        let mut tree = self.version().tree.clone();
        for write in &entry.writes {
            write.apply(&mut tree).map_err(|_| write.path.clone())?;
        }
        if self.versions.len() == VERSIONS {
            self.versions.pop_front();
        }
        self.versions.push_back(Snapshot { version, tree });
        Ok(())
    }

    /// The version that the first record found: one less than the next one that was made.
    fn version_before(&self) -> Result<u64, StoreError> {
        let made = |kept: &Kept| kept.entry.record.version;
        let mut next = self.page.iter().find_map(made);
        let mut after = self.page.back().map(|kept| kept.entry.record.seq);
        while let (None, Some(seq)) = (next, after) {
            let page = self.store.entries(seq, PAGE)?;
            next = page.iter().find_map(made);
            after = page.last().map(|kept| kept.entry.record.seq);
        }
        Ok(next.map_or(self.store.head().version, |made| made - 1))
    }
}
