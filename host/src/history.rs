//! History: the records of a store one after another, and the versions of the context that they read and made.

use crate::store::{Damage, Entry, Hash, Kept, State, Store, StoreError};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use theus_core::codec;
use theus_core::path::Layer;
use theus_core::transaction::Snapshot;

/// The records of a range, in order.
pub(crate) struct Records<'s> {
    store: &'s dyn Store,
    after: u64,
    last: u64,
    page: VecDeque<Kept>,
    /// Whether a record has come: from then on the next number comes next.
    begun: bool,
}

/// The versions of the context along a history. Copies share what they have in common, so the last ones are at hand.
pub(crate) struct Versions<'s> {
    store: &'s dyn Store,
    state: State,
    passed: VecDeque<Snapshot>,
}

/// Records that are read at once.
const PAGE: usize = 256;

/// Versions that are at hand: as many as runs are in flight at once. Earlier ones the store makes again.
const AT_HAND: usize = 256;

impl<'s> Records<'s> {
    /// What is kept in the range now. Where its begin was compacted away, the first record that is left comes first.
    pub(crate) fn of(store: &'s dyn Store, range: &RangeInclusive<u64>) -> Self {
        Self {
            store,
            after: range.start().saturating_sub(1),
            last: *range.end().min(&store.head().seq),
            page: VecDeque::new(),
            begun: false,
        }
    }

    /// The next record.
    ///
    /// # Errors
    ///
    /// [`Damage::Gap`] where one is missing between two, or at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        if self.page.is_empty() && self.after < self.last {
            self.page = self.store.entries(self.after, PAGE)?.into();
        }
        let kept = self.page.pop_front();
        let seq = kept.as_ref().map(|it| it.entry.record.seq);
        // A page by itself does not say that it follows the one before.
        if self.begun && self.after < self.last && seq != Some(self.after + 1) {
            return Err(self.gap()?);
        }
        let Some(kept) = kept.filter(|it| it.entry.record.seq <= self.last) else {
            self.page.clear();
            return Ok(None);
        };
        self.after = kept.entry.record.seq;
        self.begun = true;
        Ok(Some(kept.entry))
    }

    /// Why the next record is not there: where nothing before it is either, somebody compacts the store meanwhile.
    fn gap(&self) -> Result<StoreError, StoreError> {
        let next = self.after + 1;
        let oldest = self.store.entries(0, 1)?;
        let oldest = oldest.first().map(|it| it.entry.record.seq);
        Ok(if oldest.is_none_or(|oldest| oldest > next) {
            StoreError::Io(format!("record {next} was compacted away meanwhile"))
        } else {
            StoreError::Damaged(Damage::Gap(next))
        })
    }
}

impl<'s> Versions<'s> {
    /// The versions from the one on that was the last before a record.
    pub(crate) fn before(store: &'s dyn Store, seq: u64) -> Result<Self, StoreError> {
        let head = store.head();
        // The first commit from there on says which version it came behind.
        let mut records = Records::of(store, &(seq..=head.seq));
        let mut version = head.version;
        while let Some(entry) = records.next()? {
            if let Some(made) = entry.record.version {
                version = made.saturating_sub(1);
                break;
            }
        }
        let context = store.begin(version)?;
        let mut state = State::named(Hash::default(), context.tree.clone());
        state.context = context;
        Ok(Self {
            store,
            state,
            passed: VecDeque::new(),
        })
    }

    /// The last version that was come to.
    pub(crate) fn last(&self) -> &Snapshot {
        &self.state.context
    }

    /// A version, from wherever it is to be had; none where it was compacted away.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchVersion`] where there was none ever.
    pub(crate) fn at(&self, version: u64) -> Result<Option<Snapshot>, StoreError> {
        let last = std::iter::once(self.last());
        let mut at_hand = last.chain(self.passed.iter().rev());
        if let Some(found) = at_hand.find(|it| it.version == version) {
            return Ok(Some(found.clone()));
        }
        match self.store.begin(version) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(StoreError::Compacted { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes on behind the next record: to the version that it made, where it made one.
    ///
    /// # Errors
    ///
    /// [`Damage::Record`] where it does not fit what the records before it have made.
    pub(crate) fn follow(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let before = self.last().clone();
        let applied = self.state.apply(entry, None);
        applied.map_err(|unfit| StoreError::Damaged(unfit.of_record(entry.record.seq)))?;
        if self.last().version != before.version {
            self.passed.push_back(before);
            if self.passed.len() >= AT_HAND {
                self.passed.pop_front();
            }
        }
        Ok(())
    }

    /// Compares the version that was come to, bit for bit, with what the store has as that version.
    ///
    /// # Errors
    ///
    /// [`Damage::Checkpoint`] where they differ.
    pub(crate) fn compare_last(&self, seq: u64) -> Result<(), StoreError> {
        let (made, kept) = (self.last(), self.store.begin(self.last().version)?);
        let layer = |tree: &theus_core::tree::Tree, layer| codec::encode_all(tree.layer(layer));
        let is_same = |it: &Layer| layer(&made.tree, *it) == layer(&kept.tree, *it);
        if Layer::ALL.iter().all(is_same) {
            return Ok(());
        }
        Err(StoreError::Damaged(Damage::Checkpoint {
            seq,
            problem: "is not what the records before it make".into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::Durability;
    use crate::record::{Actor, Record};
    use crate::store::{self, Commit, CommitId, Outcome, Position, Status, StoreLimits};
    use std::sync::Arc;
    use std::time::Duration;
    use theus_core::context_guard::Mode;
    use theus_core::path::Path;
    use theus_core::transaction::{Effect, Write};
    use theus_core::tree::Tree;

    /// A store in which record `n` sets `domain.n` to `n`; every third one writes nothing.
    fn numbers(records: u8) -> Arc<dyn Store> {
        let store = store::memory(Tree::default()).expect("a store");
        for number in 1..=records {
            let record = Record::of(Actor::Edit, Mode::Strict, Duration::ZERO);
            let mut entry = Entry::new(CommitId::from_bytes([number; 16]), record);
            if number % 3 != 0 {
                entry.writes = vec![set(number)];
            }
            let kept = store.commit(vec![Commit::new(entry)]).expect("committed");
            assert!(matches!(kept[..], [Outcome::Kept(_)]), "{kept:?}");
        }
        store
    }

    fn set(number: u8) -> Write {
        Write {
            path: Path::parse("domain.n").expect("a path"),
            effect: Effect::Set(i64::from(number).into()),
        }
    }

    fn number(snapshot: &Snapshot) -> Option<i64> {
        let value = snapshot.tree.get(&set(0).path)?;
        value.as_i64()
    }

    #[test]
    fn records_come_in_order_from_first_to_last() {
        let store = numbers(250);
        let seqs = |range| {
            let mut records = Records::of(&*store, &range);
            let next = || records.next().expect("sound").map(|it| it.record.seq);
            std::iter::from_fn(next).collect::<Vec<_>>()
        };
        assert_eq!(seqs(0..=u64::MAX), (1..=250).collect::<Vec<_>>());
        assert_eq!(seqs(3..=5), [3, 4, 5]);
        assert_eq!(seqs(250..=251), [250]);
        assert_eq!(seqs(251..=300), [0; 0]);
        store.compact(u64::MAX).expect("compacted");
        assert_eq!(seqs(0..=u64::MAX), [0; 0]);
    }

    /// A store that has lost some of its records, and does not know.
    struct Lossy {
        inner: Arc<dyn Store>,
        lost: RangeInclusive<u64>,
    }

    impl Store for Lossy {
        fn entries(&self, after: u64, most: usize) -> Result<Vec<Kept>, StoreError> {
            let mut entries = self.inner.entries(after, most)?;
            entries.retain(|it| !self.lost.contains(&it.entry.record.seq));
            Ok(entries)
        }
        fn head(&self) -> Position {
            self.inner.head()
        }
        fn state(&self) -> State {
            self.inner.state()
        }
        fn begin(&self, version: u64) -> Result<Snapshot, StoreError> {
            self.inner.begin(version)
        }
        fn commit(&self, commits: Vec<Commit>) -> Result<Vec<Outcome>, StoreError> {
            self.inner.commit(commits)
        }
        fn status(&self, id: CommitId) -> Result<Status, StoreError> {
            self.inner.status(id)
        }
        fn watch(&self, after: u64, timeout: Duration) -> Result<Vec<Kept>, StoreError> {
            self.inner.watch(after, timeout)
        }
        fn keep_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
            self.inner.keep_blob(bytes)
        }
        fn blob(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
            self.inner.blob(digest)
        }
        fn tend(&self) -> Result<(), StoreError> {
            self.inner.tend()
        }
        fn compact(&self, version: u64) -> Result<u64, StoreError> {
            self.inner.compact(version)
        }
        fn close(&self) -> Result<(), StoreError> {
            self.inner.close()
        }
        fn limits(&self) -> StoreLimits {
            self.inner.limits()
        }
        fn durability(&self) -> Durability {
            self.inner.durability()
        }
    }

    #[test]
    fn a_record_that_is_missing_is_told_wherever_a_page_ends() {
        let inner = numbers(250);
        let page = 1..=250_u64;
        for (lost, ended) in [
            (3..=3, Err(Damage::Gap(3))),
            (250..=250, Err(Damage::Gap(250))),
            (100..=250, Err(Damage::Gap(100))),
            // Before the first one that is left everything may have been compacted away.
            (1..=3, Ok(247)),
            (1..=250, Ok(0)),
        ] {
            let store = Lossy {
                inner: inner.clone(),
                lost: lost.clone(),
            };
            let mut records = Records::of(&store, &page);
            let mut number = 0;
            let found = loop {
                match records.next() {
                    Ok(Some(_)) => number += 1,
                    Ok(None) => break Ok(number),
                    Err(StoreError::Damaged(damage)) => break Err(damage),
                    Err(other) => panic!("{other}"),
                }
            };
            assert_eq!(found, ended, "{lost:?}");
        }
    }

    #[test]
    fn what_is_compacted_away_meanwhile_is_no_damage() {
        let store = Lossy {
            inner: numbers(250),
            lost: 1..=200,
        };
        let mut records = Records::of(&store, &(1..=250));
        (records.after, records.begun) = (100, true);
        let error = records.next().expect_err("101 is gone").to_string();
        assert!(error.contains("record 101 was compacted away"), "{error}");
    }

    #[test]
    fn versions_follow_the_records_and_earlier_ones_are_made_again() {
        let store = numbers(250);
        for from in [1, 4, 6, 249] {
            let mut versions = Versions::before(&*store, from).expect("sound");
            let mut records = Records::of(&*store, &(from..=u64::MAX));
            while let Some(entry) = records.next().expect("sound") {
                versions.follow(&entry).expect("it fits");
                if let Some(version) = entry.record.version {
                    assert_eq!(versions.last().version, version);
                    assert_eq!(number(versions.last()), Some(entry.record.seq as i64));
                }
            }
            assert_eq!(versions.last().version, store.head().version);
            versions.compare_last(250).expect("the same");
            for (version, there) in [(0, None), (2, Some(2)), (3, Some(4)), (167, Some(250))] {
                let snapshot = versions.at(version).expect("sound").expect("kept");
                assert_eq!((snapshot.version, number(&snapshot)), (version, there));
            }
        }
    }

    #[test]
    fn what_does_not_follow_is_damage() {
        let store = numbers(5);
        let entries = store.entries(0, 5).expect("sound");
        let mut versions = Versions::before(&*store, 1).expect("sound");
        let mut wrong = entries[1].entry.clone();
        wrong.record.version = Some(2);
        let error = versions.follow(&wrong).expect_err("version 1 is missing");
        assert!(matches!(
            error,
            StoreError::Damaged(Damage::Record { seq: 2, .. })
        ));
        let mut other = entries[0].entry.clone();
        other.writes = vec![set(7)];
        versions.follow(&other).expect("it fits");
        let error = versions.compare_last(1).expect_err("7 is not 1");
        assert!(matches!(
            error,
            StoreError::Damaged(Damage::Checkpoint { seq: 1, .. })
        ));
    }

    #[test]
    fn a_version_that_was_compacted_away_is_none() {
        let store = numbers(5);
        let versions = Versions::before(&*store, 6).expect("sound");
        store.compact(u64::MAX).expect("compacted");
        assert!(versions.at(1).expect("sound").is_none());
        assert!(versions.at(4).expect("sound").is_some());
        assert!(versions.at(5).is_err(), "there was none ever");
    }
}
