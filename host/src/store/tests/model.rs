//! The suite that every backend passes: any sequence of what a store can be asked, against a map of all versions.

use super::*;
use crate::interlock::Interlock;
use crate::store::backend::Backend;
use crate::store::entry::{CountChange, InterlockChange};
use crate::store::{Hash, Status};
use proptest::prelude::*;
use std::collections::BTreeMap;
use theus_core::audit::Gate;
use theus_core::transaction::{OutboxMessage, Write};

/// What a store is asked.
#[derive(Clone, Debug)]
enum Ask {
    /// A commit on a version this far behind the head.
    Commit {
        behind: u64,
        reads: Vec<usize>,
        writes: Vec<(u8, usize, i64)>,
        made: bool,
        message: bool,
    },
    /// Commits that are handed over at once, all on the head.
    Group(Vec<(usize, i64)>),
    /// A run that was refused: it moved a counter, or the interlock.
    Refused {
        count: u64,
        order: u64,
        throw: bool,
    },
    /// A commit whose id is there already.
    Again,
    Tend,
    Compact(u64),
    Reopen,
}

const PLACES: [&str; 7] = [
    "domain.a",
    "domain.m",
    "domain.m.a",
    "domain.m.b",
    "domain.l",
    "domain.l[0]",
    "domain.l[1]",
];

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let place = || 0..PLACES.len();
    let commit = (
        0..3_u64,
        prop::collection::vec(place(), 0..3),
        prop::collection::vec((0..3_u8, place(), 0..9_i64), 0..4),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(behind, reads, writes, made, message)| Ask::Commit {
            behind,
            reads,
            writes,
            made,
            message,
        });
    let refused =
        (0..4_u64, 0..20_u64, any::<bool>()).prop_map(|(count, order, throw)| Ask::Refused {
            count,
            order,
            throw,
        });
    let ask = prop_oneof![
        8 => commit,
        2 => prop::collection::vec((place(), 0..9_i64), 1..5).prop_map(Ask::Group),
        2 => refused,
        1 => Just(Ask::Again),
        2 => Just(Ask::Tend),
        1 => (0..4_u64).prop_map(Ask::Compact),
        1 => Just(Ask::Reopen),
    ];
    prop::collection::vec(ask, 1..40)
}

/// What the store must say: every version as a tree of its own, and every entry that it kept.
struct Oracle {
    versions: BTreeMap<u64, Tree>,
    writes: BTreeMap<u64, Vec<Write>>,
    kept: Vec<(CommitId, Option<u64>, Hash)>,
    counts: BTreeMap<&'static str, (u64, u64)>,
    interlock: (u64, bool),
    /// The oldest version that it may have compacted up to, and from where on it knows what versions changed.
    oldest: u64,
    reopened: bool,
}

impl Oracle {
    fn new() -> Self {
        Self {
            versions: BTreeMap::from([(0, initial())]),
            writes: BTreeMap::new(),
            kept: Vec::new(),
            counts: BTreeMap::new(),
            interlock: (0, false),
            oldest: 0,
            reopened: false,
        }
    }

    fn newest(&self) -> u64 {
        *self.versions.keys().next_back().expect("one")
    }

    fn at(&self, version: u64) -> Snapshot {
        Snapshot {
            version,
            tree: self.versions[&version].clone(),
        }
    }

    fn head(&self) -> Snapshot {
        self.at(self.newest())
    }

    /// Compares what the store did with one entry, and notes it where it was kept.
    fn judge(&mut self, entry: &Entry, outcome: &Outcome) -> Result<(), TestCaseError> {
        let head = self.head();
        let base = entry.record.read_version.unwrap_or(head.version);
        let read_changed = entry
            .reads
            .iter()
            .any(|read| self.versions[&base].get(read) != head.tree.get(read));
        let applied = Transaction::begin(head.clone());
        let applied = replay(applied, &entry.writes);
        match outcome {
            Outcome::Kept(position) => {
                let stale = read_changed && entry.commits();
                prop_assert!(!stale, "what {entry:?} read has changed");
                let tree = applied.expect("what was kept fits");
                prop_assert_eq!(position.seq, self.kept.len() as u64 + 1);
                let version = entry.commits().then_some(head.version + 1);
                prop_assert_eq!(position.version, version.unwrap_or(head.version));
                if let Some(version) = version {
                    self.versions.insert(version, tree);
                    self.writes.insert(version, entry.writes.clone());
                }
                self.kept.push((entry.id, version, position.hash));
            }
            Outcome::Conflict { .. } if !entry.commits() => {
                prop_assert!(false, "it says what happened at version {base}: {entry:?}");
            }
            Outcome::Conflict { path: None } => {
                prop_assert!(self.reopened && base < head.version);
            }
            Outcome::Conflict { path: Some(path) } => {
                let mut since = self.writes.range(base + 1..).flat_map(|(_, writes)| writes);
                let touched = |write: &Write| {
                    let list = write.path.split_last().map(|(list, _)| list);
                    path.overlaps(&write.place()) || list.is_some_and(|it| it.overlaps(path))
                };
                prop_assert!(
                    since.any(touched) || applied.is_none(),
                    "{path} did not change"
                );
            }
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    }

    /// Everything that can be asked without changing anything.
    fn compare(&mut self, store: &dyn Store) -> Result<(), TestCaseError> {
        let head = store.head();
        prop_assert_eq!(head.seq, self.kept.len() as u64);
        prop_assert_eq!(head.version, self.newest());
        for (version, tree) in &self.versions {
            match store.begin(*version) {
                Ok(snapshot) => prop_assert_eq!(&snapshot.tree, tree),
                Err(StoreError::Compacted { oldest, .. }) => {
                    prop_assert!(*version < oldest && oldest <= self.oldest);
                }
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
        let next = head.version + 1;
        let missing = store.begin(next).expect_err("not there yet");
        let newest = head.version;
        prop_assert_eq!(
            missing,
            StoreError::NoSuchVersion {
                asked: next,
                newest
            }
        );
        let state = store.state();
        prop_assert_eq!(state.context.version, head.version);
        let count = |rule: &str| self.counts.get(rule).map_or(0, |(_, count)| *count);
        let counted = state.counts().map(|(_, count)| count).sum::<u64>();
        prop_assert_eq!(counted, count("r"));
        prop_assert_eq!(state.interlock().is_some(), self.interlock.1);
        self.compare_entries(store)
    }

    fn compare_entries(&self, store: &dyn Store) -> Result<(), TestCaseError> {
        let entries = store.entries(0, usize::MAX).expect("sound");
        let first = self.kept.len() - entries.len();
        for (index, kept) in entries.iter().enumerate() {
            let (id, version, hash) = self.kept[first + index];
            prop_assert_eq!(kept.entry.record.seq, (first + index) as u64 + 1);
            prop_assert_eq!((kept.entry.id, kept.entry.record.version), (id, version));
            prop_assert_eq!(kept.hash, hash);
            let seq = kept.entry.record.seq;
            prop_assert_eq!(store.status(id), Ok(Status::Kept { seq }));
        }
        let absent = self.kept[..first]
            .iter()
            .map(|(id, ..)| *id)
            .chain([id(u128::MAX)]);
        for id in absent {
            prop_assert_eq!(store.status(id), Ok(Status::Absent));
        }
        for after in 0..=self.newest() {
            match store.watch(after, Duration::ZERO) {
                Ok(commits) => {
                    let seen: Vec<_> = commits.iter().map(|it| it.entry.record.version).collect();
                    let expected: Vec<_> = (after + 1..=self.newest()).map(Some).collect();
                    prop_assert_eq!(seen, expected);
                }
                Err(StoreError::Compacted { oldest, .. }) => prop_assert!(after < oldest),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
        Ok(())
    }
}

fn initial() -> Tree {
    tree(r#"{"a":0,"l":[1,2],"m":{"a":1},"sig_x":true}"#)
}

/// The writes again; none where one does not fit, or a push gets another index.
fn replay(mut transaction: Transaction, writes: &[Write]) -> Option<Tree> {
    use theus_core::transaction::Effect;
    for write in writes {
        let path = write.path.clone();
        match &write.effect {
            Effect::Set(value) => transaction.set(path, value.clone()).ok()?,
            Effect::Push { value, index } => {
                let len = transaction.push(path, value.clone()).ok()?;
                (len == index + 1).then_some(())?;
            }
            Effect::Remove => drop(transaction.remove(path).ok()?),
        }
    }
    Some(transaction.view().clone())
}

/// A store that can be closed and opened again.
trait Reopen: Sized + Store {
    fn reopen(self) -> Self;
}

impl Reopen for Journal<MemoryBackend> {
    fn reopen(self) -> Self {
        Self::open(self.into_backend(), settings(), &mut |_, _| {}).expect("it opens")
    }
}

struct OnDisk(Disk, Journal<RedbBackend>);

impl Reopen for OnDisk {
    fn reopen(self) -> Self {
        let Self(disk, journal) = self;
        drop(journal);
        let journal = on_disk(&disk, settings()).expect("it opens");
        Self(disk, journal)
    }
}

macro_rules! delegate {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        impl Store for OnDisk {
            $(fn $name(&self, $($arg: $type),*) -> $out { self.1.$name($($arg),*) })*
        }
    };
}

delegate! {
    head() -> crate::store::Position;
    state() -> State;
    begin(version: u64) -> Result<Snapshot, StoreError>;
    commit(commits: Vec<Commit>) -> Result<Vec<Outcome>, StoreError>;
    status(id: CommitId) -> Result<Status, StoreError>;
    entries(after: u64, most: usize) -> Result<Vec<crate::store::Kept>, StoreError>;
    watch(after: u64, timeout: Duration) -> Result<Vec<crate::store::Kept>, StoreError>;
    keep_blob(bytes: &[u8]) -> Result<crate::store::Hash, StoreError>;
    blob(digest: crate::store::Hash) -> Result<Option<Vec<u8>>, StoreError>;
    tend() -> Result<(), StoreError>;
    compact(version: u64) -> Result<u64, StoreError>;
    close() -> Result<(), StoreError>;
    limits() -> StoreLimits;
    durability() -> receipt::Durability;
}

fn passes<S: Reopen>(mut store: S, asks: &[Ask]) -> Result<(), TestCaseError> {
    let mut oracle = Oracle::new();
    for (number, ask) in asks.iter().enumerate() {
        let number = number as u128 * 100;
        match ask {
            Ask::Commit {
                behind,
                reads,
                writes,
                made,
                message,
            } => {
                let base = oracle.at(oracle.newest().saturating_sub(*behind));
                let reads: Vec<_> = reads.iter().map(|it| PLACES[*it]).collect();
                let mut made_on_base = None;
                let entry = entry(number, &base, &reads, |transaction| {
                    write_all(transaction, writes);
                    if *message {
                        transaction.send(OutboxMessage {
                            topic: "t".into(),
                            payload: vec![1, 2].into(),
                        });
                    }
                    made_on_base = Some(Snapshot {
                        version: base.version + 1,
                        tree: transaction.view().clone(),
                    });
                });
                let after = made_on_base.filter(|_| *made && *behind == 0);
                let commit = Commit {
                    entry: entry.clone(),
                    after,
                };
                let outcomes = store.commit(vec![commit]).expect("sound");
                oracle.judge(&entry, &outcomes[0])?;
            }
            Ask::Group(group) => {
                let head = oracle.head();
                let entries: Vec<Entry> = group
                    .iter()
                    .zip(0_u128..)
                    .map(|((place, value), index)| {
                        entry(number + index, &head, &[PLACES[*place]], |transaction| {
                            write_all(transaction, &[(0, *place, *value)]);
                        })
                    })
                    .collect();
                let commits = entries.iter().cloned().map(Commit::new).collect();
                let outcomes = store.commit(commits).expect("sound");
                for (entry, outcome) in entries.iter().zip(&outcomes) {
                    oracle.judge(entry, outcome)?;
                }
            }
            Ask::Refused {
                count,
                order,
                throw,
            } => {
                let mut entry = Entry::new(id(number), record());
                entry.counts.push(CountChange {
                    process: "add".into(),
                    gate: Gate::Input,
                    rule: "r".into(),
                    count: *count,
                    order: *order,
                });
                entry.interlock = Some(InterlockChange {
                    cause: throw.then(|| Interlock {
                        process: "add".into(),
                        rule: "r".into(),
                        message: "m".into(),
                    }),
                    order: *order,
                });
                let outcomes = store
                    .commit(vec![Commit::new(entry.clone())])
                    .expect("sound");
                oracle.judge(&entry, &outcomes[0])?;
                let counted = oracle.counts.entry("r").or_insert((*order, *count));
                if *order > counted.0 {
                    *counted = (*order, *count);
                }
                if *order > oracle.interlock.0 {
                    oracle.interlock = (*order, *throw);
                }
            }
            Ask::Again => {
                let entries = store.entries(0, usize::MAX).expect("sound");
                if let Some(last) = entries.last() {
                    let again = vec![Commit::new(last.entry.clone())];
                    let seq = last.entry.record.seq;
                    prop_assert_eq!(store.commit(again), Ok(vec![Outcome::Known(seq)]));
                }
            }
            Ask::Tend => store.tend().expect("sound"),
            Ask::Compact(behind) => {
                let version = oracle.newest().saturating_sub(*behind);
                oracle.oldest = oracle.oldest.max(version);
                let oldest = store.compact(version).expect("sound");
                prop_assert!(oldest <= oracle.oldest);
                if *behind == 0 {
                    prop_assert_eq!(oldest, version);
                }
            }
            Ask::Reopen => {
                let head = store.head();
                store = store.reopen();
                prop_assert_eq!(store.head(), head);
                oracle.reopened = true;
            }
        }
        oracle.compare(&store)?;
    }
    Ok(())
}

/// Some of the writes do not fit what is there: then nothing is recorded of them.
fn write_all(transaction: &mut Transaction, writes: &[(u8, usize, i64)]) {
    for (op, place, value) in writes {
        let place = path(PLACES[*place]);
        let _ = match op {
            0 => transaction.set(place, Value::Int(*value)).map(drop),
            1 => transaction.push(place, Value::Int(*value)).map(drop),
            _ => transaction.remove(place).map(drop),
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(u32::try_from(rounds(48)).expect("it fits")))]

    #[test]
    fn a_store_in_memory_is_a_map_of_all_versions(asks in asks()) {
        passes(in_memory(initial(), settings()), &asks)?;
    }

    #[test]
    fn a_store_on_disk_is_a_map_of_all_versions(asks in asks()) {
        let disk = Disk::default();
        let journal = created_on(&disk, initial(), settings());
        passes(OnDisk(disk, journal), &asks)?;
    }
}

/// What the two backends keep is the same, byte for byte.
#[test]
fn both_backends_keep_the_same_records() {
    let disk = Disk::default();
    let on_disk = created_on(&disk, initial(), settings());
    let in_memory = in_memory(initial(), settings());
    for number in 0..30 {
        for store in [&on_disk as &dyn Store, &in_memory] {
            let head = store.begin(store.head().version).expect("sound");
            let mut commit = set(number, &head, "domain.a", 7);
            commit.entry.record.time = std::time::UNIX_EPOCH;
            assert!(kept(store.commit(vec![commit])));
            store.tend().expect("sound");
        }
    }
    assert_eq!(on_disk.head(), in_memory.head());
    let (on_disk, in_memory) = (on_disk.backend(), in_memory.backend());
    let records = on_disk.records(0, 100).expect("sound");
    assert_eq!(records, in_memory.records(0, 100).expect("sound"));
    let last = on_disk.checkpoint_before(100).expect("sound");
    assert_eq!(last, in_memory.checkpoint_before(100).expect("sound"));
    assert!(last.is_some_and(|row| row.seq > 0));
}

#[test]
fn watching_waits_for_the_next_commit_and_misses_none() {
    let store = in_memory(initial(), settings());
    let head = store.begin(0).expect("sound");
    assert!(
        store
            .watch(0, Duration::from_millis(1))
            .expect("sound")
            .is_empty()
    );
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = Vec::new();
            while seen.len() < 50 {
                let after = seen.last().copied().unwrap_or(0);
                let commits = store.watch(after, Duration::from_secs(60)).expect("sound");
                seen.extend(commits.iter().filter_map(|it| it.entry.record.version));
            }
            seen
        });
        let mut base = head;
        for number in 0..50 {
            assert!(kept(store.commit(vec![set(number, &base, "domain.a", 1)])));
            base = store.begin(store.head().version).expect("sound");
        }
        let expected: Vec<u64> = (1..=50).collect();
        assert_eq!(watcher.join().expect("watcher"), expected);
    });
}

#[test]
fn an_id_that_comes_twice_at_once_is_kept_once() {
    let store = in_memory(initial(), settings());
    let head = store.begin(0).expect("sound");
    let mut twice = set(1, &head, "domain.m.a", 2);
    twice.entry.reads = std::sync::Arc::default();
    let outcomes = store.commit(vec![set(1, &head, "domain.a", 1), twice]);
    let outcomes = outcomes.expect("sound");
    assert!(matches!(outcomes[0], Outcome::Kept(position) if position.seq == 1));
    assert_eq!(outcomes[1], Outcome::Known(1));
    assert_eq!(store.head().seq, 1);
}

/// A run that was refused, or rolled back, hands its record over when its locks are free again.
#[test]
fn what_commits_nothing_is_kept_whatever_changed_since() {
    let store = in_memory(initial(), settings());
    let first = store.begin(0).expect("sound");
    assert!(kept(store.commit(vec![set(1, &first, "domain.a", 1)])));
    let refused = |number| Commit::new(entry(number, &first, &["domain.a"], |_| {}));
    assert!(kept(store.commit(vec![refused(2)])));
    // Too long ago to tell: nothing is known any more of what version 1 changed.
    store.compact(1).expect("sound");
    let store = store.reopen();
    assert!(kept(store.commit(vec![refused(3)])));
    assert_eq!((store.head().seq, store.head().version), (3, 1));
    let late = store.commit(vec![set(4, &first, "domain.a", 2)]);
    assert_eq!(late, Ok(vec![Outcome::Conflict { path: None }]));
}

#[test]
fn an_entry_over_the_limit_is_refused_and_leaves_no_gap() {
    let store = in_memory(initial(), settings());
    let head = store.begin(0).expect("sound");
    let large = Commit::new(entry(1, &head, &[], |transaction| {
        let value = Value::from("x".repeat(2 << 20));
        transaction.set(path("domain.a"), value).expect("it fits");
    }));
    let outcomes = store
        .commit(vec![large, set(2, &head, "domain.m.a", 1)])
        .expect("sound");
    assert!(matches!(
        outcomes[0],
        Outcome::TooLarge {
            allowed: 1_048_576,
            ..
        }
    ));
    assert!(matches!(outcomes[1], Outcome::Kept(position) if position.seq == 1));
}
