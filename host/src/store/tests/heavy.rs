//! Large values of the heavy zone: kept once, apart from records and checkpoints, and with them or not at all.

use super::*;
use crate::store::backend::Backend as _;
use crate::store::blobs::Blobs;
use crate::store::chain;
use crate::store::ledger::Ledger;
use crate::store::{Damage, Hash, create, open, salvage, verify};
use proptest::prelude::*;
use std::fs;
use std::path::{Path as File, PathBuf};
use theus_core::codec;

/// More than stands in a record.
const LARGE: usize = 300_000;

fn large(letter: char) -> Value {
    Value::from(letter.to_string().repeat(LARGE))
}

fn digest(value: &Value) -> Hash {
    Hash::of_bytes(&codec::encode_all(value))
}

fn write(number: u128, store: &dyn Store, place: &str, value: Value) -> Commit {
    let head = store.begin(store.head().version).expect("sound");
    Commit::new(entry(number, &head, &[], |transaction| {
        transaction.set(path(place), value).expect("it fits");
    }))
}

/// The files that blobs are in.
fn files(state: &File) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(state.join("blobs")) else {
        return Vec::new();
    };
    let mut files: Vec<_> = listed.map(|it| it.expect("readable").path()).collect();
    files.sort();
    files
}

fn file(state: &File, value: &Value) -> PathBuf {
    let digest = digest(value).to_string();
    state
        .join("blobs")
        .join(digest.trim_start_matches("sha256:"))
}

fn value(store: &dyn Store, version: u64, place: &str) -> Option<Value> {
    let tree = store.begin(version).expect("sound").tree;
    tree.get(&path(place)).cloned()
}

#[test]
fn a_large_value_is_kept_once_and_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    // In the initial context, in a map that an edit writes, in a list, and the same again.
    let mut initial = tree(r#"{"list":[{}]}"#);
    initial
        .set(&path("domain.heavy_a"), large('a'))
        .expect("it fits");
    let store = create(state, initial).expect("a new one");
    let holder: Value = [("heavy_b", large('b')), ("small", Value::Int(1))]
        .into_iter()
        .collect::<theus_core::value::Map>()
        .into();
    for (number, place, value) in [
        (1, "domain.list[0]", holder),
        (2, "domain.heavy_c", large('a')),
        (3, "domain.heavy_d", large('d')),
        (4, "domain.heavy_d", Value::Nil),
    ] {
        let commit = write(number, &*store, place, value);
        assert!(kept(store.commit(vec![commit])));
    }
    let versions: Vec<Tree> = (0..=4)
        .map(|version| store.begin(version).expect("sound").tree)
        .collect();
    assert_eq!(store.state().context.tree, versions[4]);
    drop(store);
    let expected = ['a', 'b', 'd'].map(|letter| file(state, &large(letter)));
    let mut expected = Vec::from(expected);
    expected.sort();
    assert_eq!(files(state), expected, "each once");
    let journal = fs::read(state.join("journal.redb")).expect("readable");
    let letters = "a".repeat(1_000);
    let inside = journal.windows(1_000).any(|it| it == letters.as_bytes());
    assert!(!inside, "it stands in the journal");
    let store = open(state, |_, _| {}).expect("it opens");
    for (version, tree) in (0..).zip(&versions) {
        assert_eq!(
            &store.begin(version).expect("sound").tree,
            tree,
            "{version}"
        );
    }
    let entries = store.entries(0, 9).expect("sound");
    assert_eq!(entries[1].entry.writes[0].path, path("domain.heavy_c"));
    let heavy = &entries[0].entry.heavy[0][0];
    assert_eq!(heavy.path, path("domain.list[0].heavy_b"));
    assert_eq!(heavy.digest, digest(&large('b')));
    let blob = store.blob(heavy.digest).expect("sound");
    assert_eq!(blob, Some(codec::encode_all(&large('b'))));
    let shown = serde_json::to_string(&entries[2].entry.to_value()).expect("json");
    assert!(shown.len() < 5_000 && shown.contains(&digest(&large('d')).to_string()));
    drop(store);
    let verified = verify(state, None).expect("it can be read");
    assert_eq!((verified.blobs, verified.damage), (3, None));
}

#[test]
fn only_large_values_of_the_heavy_zone_are_kept_apart() {
    let text = |encoded: usize| Value::from("x".repeat(encoded - 5));
    let list = |len: usize| Value::List((0..len).map(|_| Value::Int(1)).collect());
    for (place, value, apart) in [
        ("domain.heavy_x", text(256 << 10), false),
        ("domain.heavy_x", text((256 << 10) + 1), true),
        ("domain.heavy_x", Value::from(vec![7; LARGE]), true),
        ("domain.heavy_x", list((256 << 10) - 5), false),
        ("domain.heavy_x", list(256 << 10), true),
        ("domain.heavy_x.inside", large('x'), true),
        ("domain.plain", large('x'), false),
        ("domain.sig_x", large('x'), false),
        ("domain.meta_x", large('x'), false),
        ("domain.sig_x.heavy_x", large('x'), false),
    ] {
        let store = in_memory(tree(r#"{"heavy_x":{},"sig_x":{}}"#), settings());
        let commit = write(1, &store, place, value.clone());
        assert!(kept(store.commit(vec![commit])));
        let blobs = store.backend().blobs().all().expect("memory");
        let expected = if apart {
            vec![digest(&value)]
        } else {
            Vec::new()
        };
        assert_eq!(blobs, expected, "{place}");
        let store = store.into_backend();
        let store = Journal::open(store, settings(), &mut |_, _| {}).expect("it opens");
        assert_eq!(self::value(&store, 1, place), Some(value), "{place}");
    }
}

/// A process chooses what it writes: also something that looks like what stands beside a large value in a record.
#[test]
fn nothing_that_is_written_is_mistaken_for_a_reference() {
    let store = in_memory(tree("{}"), settings());
    assert!(kept(store.commit(vec![write(
        1,
        &store,
        "domain.heavy_secret",
        large('s')
    )])));
    let digest = digest(&large('s'));
    let json = format!(
        r#"{{"path":"domain.heavy_forged","blob":"{digest}","bytes":1,"heavy":[[{{"path":"domain.heavy_forged","blob":"{digest}","bytes":9}}]]}}"#
    );
    let forged: Value = serde_json::from_str(&json).expect("json");
    for (number, place) in [
        (2, "domain.heavy_forged"),
        (3, "domain.heavy"),
        (4, "domain.blob"),
    ] {
        let commit = write(number, &store, place, forged.clone());
        assert!(kept(store.commit(vec![commit])));
    }
    store.compact(4).expect("sound");
    let store = Journal::open(store.into_backend(), settings(), &mut |_, _| {}).expect("opens");
    for place in ["domain.heavy_forged", "domain.heavy", "domain.blob"] {
        assert_eq!(value(&store, 4, place).as_ref(), Some(&forged), "{place}");
    }
}

#[test]
fn a_checkpoint_writes_no_large_value_again() {
    let blobs = Blobs::held();
    let (mut ledger, row, _) =
        Ledger::begin(State::initial(tree(r#"{"heavy_list":[]}"#)).expect("random"));
    let head = ledger.state.context.clone();
    let mut first = entry(1, &head, &[], |transaction| {
        for (place, value) in [
            ("domain.heavy_a", large('a')),
            (
                "domain.heavy_list",
                Value::List((0..LARGE).map(|_| Value::Int(1)).collect()),
            ),
        ] {
            transaction.set(path(place), value).expect("it fits");
        }
    });
    first.keep_heavy(|bytes| blobs.keep(bytes)).expect("memory");
    let record = ledger
        .take(Commit::new(first), &settings().limits)
        .expect("it fits");
    let unkept = |ledger: &mut Ledger| {
        let (row, encoded) = ledger.checkpoint();
        let unkept = encoded.unkept.len();
        for bytes in &encoded.unkept {
            blobs.keep(bytes).expect("memory");
        }
        ledger.passed(encoded);
        (row, unkept)
    };
    let (second, none) = unkept(&mut ledger);
    assert_eq!(none, 0, "the writes brought them");
    assert!(second.frame.len() < 2_000);
    // A list that grows is another value.
    let head = ledger.state.context.clone();
    let push = entry(2, &head, &[], |transaction| {
        drop(transaction.push(path("domain.heavy_list"), Value::Int(2)));
    });
    ledger
        .take(Commit::new(push), &settings().limits)
        .expect("it fits");
    assert_eq!(unkept(&mut ledger).1, 1);
    assert_eq!(unkept(&mut ledger).1, 0);
    // Read back, it is known as well.
    let mut again = Ledger::at(&row, &blobs).expect("sound");
    again.follow(1, &record.frame, &blobs).expect("sound");
    assert_eq!(again.checkpoint().1.unkept.len(), 0);
    let again = Ledger::at(&second, &blobs).expect("sound");
    assert_eq!(again.checkpoint().1.unkept.len(), 0);
    assert_eq!(again.heavy().len(), 2);
}

/// What a checkpoint is weighed by is all that opening has to read for it.
#[test]
fn blobs_count_when_a_checkpoint_is_due() {
    let store = in_memory(
        tree("{}"),
        Settings {
            least_bytes: 1_000_000,
            ..settings()
        },
    );
    let checkpoints = || store.backend().tables().checkpoints.len();
    for number in 1..=3 {
        let commit = write(
            number,
            &store,
            "domain.heavy_a",
            large(['a', 'b', 'c'][number as usize - 1]),
        );
        assert!(kept(store.commit(vec![commit])));
        store.tend().expect("sound");
    }
    assert_eq!(checkpoints(), 1, "900,000 bytes of blobs");
    assert!(kept(store.commit(vec![write(
        4,
        &store,
        "domain.heavy_a",
        large('d')
    )])));
    store.tend().expect("sound");
    assert_eq!(checkpoints(), 2, "1,200,000 bytes of blobs");
}

#[test]
fn a_damaged_or_missing_blob_is_damage() {
    type Change = fn(&File);
    let flip: Change = |file| {
        let mut bytes = fs::read(file).expect("there");
        bytes[70_000] ^= 4;
        fs::write(file, bytes).expect("written");
    };
    let cut: Change =
        |file| fs::write(file, &fs::read(file).expect("there")[..9]).expect("written");
    let remove: Change = |file| fs::remove_file(file).expect("there");
    let swap: Change = |file| fs::write(file, codec::encode_all(&large('z'))).expect("written");
    for (change, is_there) in [(flip, true), (cut, true), (swap, true), (remove, false)] {
        // Referred to by a record behind the last checkpoint, and by a checkpoint alone.
        for compacted in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let (state, new) = (folder.path().join("state"), folder.path().join("new"));
            let store = create(&state, tree("{}")).expect("a new one");
            assert!(kept(store.commit(vec![write(
                1,
                &*store,
                "domain.plain",
                Value::Int(1)
            )])));
            assert!(kept(store.commit(vec![write(
                2,
                &*store,
                "domain.heavy_a",
                large('a')
            )])));
            if compacted {
                store.compact(2).expect("sound");
            }
            drop(store);
            let digest = digest(&large('a'));
            change(&file(&state, &large('a')));
            let damage = if is_there {
                Damage::Blob(digest)
            } else {
                Damage::NoBlob(digest)
            };
            let damaged = StoreError::Damaged(damage.clone());
            assert_eq!(open(&state, |_, _| {}).err(), Some(damaged.clone()));
            if compacted {
                // Nothing is left that it could begin with.
                assert_eq!(verify(&state, None).err(), Some(damaged.clone()));
                assert_eq!(salvage(&state, &new).err(), Some(damaged));
                continue;
            }
            let verified = verify(&state, None).expect("it can be read");
            assert_eq!(
                (verified.sound.seq, verified.damage),
                (1, Some(damage.clone()))
            );
            let salvaged = salvage(&state, &new).expect("a new one");
            assert_eq!((salvaged.last.seq, salvaged.damage), (1, Some(damage)));
            let store = open(&new, |_, _| {}).expect("it opens");
            assert_eq!(value(&*store, 1, "domain.plain"), Some(Value::Int(1)));
        }
    }
}

/// A list that grew by small writes stands as a blob in a checkpoint alone: the records make it anew.
#[test]
fn what_only_a_checkpoint_refers_to_is_salvaged_from_the_records() {
    for lost in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let (state, new) = (folder.path().join("state"), folder.path().join("new"));
        let store = create(&state, tree(r#"{"heavy_list":[]}"#)).expect("a new one");
        let part = Value::from("p".repeat(100_000));
        for number in 1..=50 {
            let head = store.begin(store.head().version).expect("sound");
            let push = Commit::new(entry(number, &head, &[], |transaction| {
                drop(transaction.push(path("domain.heavy_list"), part.clone()));
            }));
            assert!(kept(store.commit(vec![push])));
            store.tend().expect("sound");
        }
        let (head, list) = (store.head(), value(&*store, 50, "domain.heavy_list"));
        drop(store);
        let blobs = files(&state);
        assert!(!blobs.is_empty(), "there is a checkpoint");
        if lost {
            blobs
                .iter()
                .for_each(|it| fs::remove_file(it).expect("there"));
            assert!(matches!(
                open(&state, |_, _| {}).err(),
                Some(StoreError::Damaged(Damage::NoBlob(_)))
            ));
            let damage = verify(&state, None).expect("it can be read").damage;
            assert!(matches!(damage, Some(Damage::NoBlob(_))), "{damage:?}");
        }
        let salvaged = salvage(&state, &new).expect("a new one");
        assert_eq!((salvaged.last, salvaged.damage), (head, None));
        let store = open(&new, |_, _| {}).expect("it opens");
        assert_eq!(value(&*store, 50, "domain.heavy_list"), list);
        drop(store);
        assert_eq!(
            verify(&new, Some(head.hash))
                .expect("it can be read")
                .damage,
            None
        );
    }
}

#[test]
fn compaction_removes_blobs_that_nothing_refers_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let store = create(state, tree("{}")).expect("a new one");
    for (number, letter) in (1..).zip(['a', 'b', 'c']) {
        let commit = write(number, &*store, "domain.heavy_a", large(letter));
        assert!(kept(store.commit(vec![commit])));
    }
    // One of a run that is yet to commit, and one of a run that has failed since: in this life nobody can tell them apart.
    let in_flight = store
        .keep_blob(&codec::encode_all(&large('f')))
        .expect("kept");
    assert_eq!(files(state).len(), 4);
    // Every version that is left keeps what it needs.
    store.compact(0).expect("sound");
    assert_eq!(files(state).len(), 4);
    store.compact(3).expect("sound");
    let mut left = vec![file(state, &large('c')), file(state, &large('f'))];
    left.sort();
    assert_eq!(files(state), left);
    assert_eq!(value(&*store, 3, "domain.heavy_a"), Some(large('c')));
    // What was removed can be kept again.
    assert!(kept(store.commit(vec![write(
        4,
        &*store,
        "domain.heavy_a",
        large('a')
    )])));
    assert!(store.blob(in_flight).expect("sound").is_some());
    drop(store);
    // A host that was killed left this, and the blob of the run that did not commit.
    fs::write(state.join("blobs/unfinished-00-1"), "half").expect("written");
    let store = open(state, |_, _| {}).expect("it opens");
    assert_eq!(value(&*store, 4, "domain.heavy_a"), Some(large('a')));
    assert_eq!(files(state).len(), 3, "{:?}", files(state));
    store.compact(4).expect("sound");
    assert_eq!(files(state), [file(state, &large('a'))]);
}

/// Two runs keep the same bytes; the record of the first is gone before the second one has committed.
#[test]
fn a_blob_stays_as_long_as_anybody_was_told_that_it_is_kept() {
    let store = in_memory(tree("{}"), settings());
    let keep = |number, place| {
        let mut commit = write(number, &store, place, large('a'));
        let kept = commit.entry.keep_heavy(|bytes| store.keep_blob(bytes));
        kept.map(|()| commit).expect("memory")
    };
    let (first, second) = (keep(1, "domain.heavy_a"), keep(2, "domain.heavy_b"));
    assert!(kept(store.commit(vec![first])));
    assert!(kept(store.commit(vec![write(
        3,
        &store,
        "domain.heavy_a",
        Value::Nil
    )])));
    store.compact(2).expect("sound");
    assert!(store.blob(digest(&large('a'))).expect("memory").is_some());
    assert!(kept(store.commit(vec![second])));
    store.compact(3).expect("sound");
    let store = Journal::open(store.into_backend(), settings(), &mut |_, _| {}).expect("opens");
    assert_eq!(value(&store, 3, "domain.heavy_b"), Some(large('a')));
}

#[test]
fn a_value_that_cannot_be_kept_refuses_its_commit_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let store = create(state, tree("{}")).expect("a new one");
    // A file where the folder is to be.
    fs::write(state.join("blobs"), "").expect("written");
    let failed = store.commit(vec![write(1, &*store, "domain.heavy_a", large('a'))]);
    assert!(matches!(failed, Err(StoreError::Io(_))), "{failed:?}");
    assert!(kept(store.commit(vec![write(
        2,
        &*store,
        "domain.plain",
        Value::Int(1)
    )])));
    fs::remove_file(state.join("blobs")).expect("there");
    assert!(kept(store.commit(vec![write(
        3,
        &*store,
        "domain.heavy_a",
        large('a')
    )])));
    assert_eq!(value(&*store, 2, "domain.heavy_a"), Some(large('a')));
}

#[test]
fn records_and_checkpoints_without_large_values_look_as_before() {
    let store = in_memory(tree(r#"{"heavy_a":1}"#), settings());
    assert!(kept(store.commit(vec![write(
        1,
        &store,
        "domain.heavy_a",
        Value::Int(2)
    )])));
    let rows = store.backend().records(1, 1).expect("memory");
    let (_, record) = chain::open(1, &rows[0].1).expect("sound");
    let mut fields = crate::store::fields::decode(record).expect("sound");
    let Value::Map(map) = &mut fields else {
        panic!("{fields:?}")
    };
    // A record from before.
    assert_eq!(map.remove("heavy"), Some(Value::Nil));
    let entry = Entry::from_value(&fields).expect("it reads");
    assert!(entry.heavy.is_empty() && entry.writes.len() == 1);
    let row = store
        .backend()
        .checkpoint_from(0)
        .expect("memory")
        .expect("one");
    let bytes = chain::open_plain(&row.frame).expect("sound");
    assert!(!bytes.windows(6).any(|it| it == b"\xa5heavy"));
}

/// What is done to a context, some of it with large values.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => (0..4_u8).prop_map(|it| Value::Int(it.into())),
        2 => prop::char::range('a', 'c').prop_map(large),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let key = prop::sample::select(vec!["a", "heavy_a", "heavy_b"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|it| Value::List(it.into_iter().collect())),
            prop::collection::vec((key, inner), 0..3)
                .prop_map(|it| Value::Map(it.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(u32::try_from(rounds(64)).expect("it fits")))]

    /// Whatever is written where: every version reads as it was made, also when the state was opened again.
    #[test]
    fn every_version_comes_back_with_its_large_values(
        writes in prop::collection::vec((0..6_usize, 0..3_u8, values()), 1..8),
    ) {
        const PLACES: [&str; 6] =
            ["domain.m", "domain.m.heavy_a", "domain.l", "domain.l[0]", "domain.heavy_x", "domain.heavy_l"];
        let mut store = in_memory(tree(r#"{"m":{},"l":[0],"heavy_l":[]}"#), settings());
        let mut versions = vec![store.begin(0).expect("sound").tree];
        for (number, (place, op, value)) in writes.into_iter().enumerate() {
            let head = store.begin(store.head().version).expect("sound");
            let place = path(PLACES[place]);
            let commit = Commit::new(entry(number as u128, &head, &[], |transaction| {
                let _ = match op {
                    0 => transaction.set(place, value).map(drop),
                    1 => transaction.push(place, value).map(drop),
                    _ => transaction.remove(place).map(drop),
                };
            }));
            let expected = commit.entry.writes.iter().try_fold(head.tree, |mut tree, write| {
                write.apply(&mut tree).map(|()| tree)
            });
            if commit.entry.commits() {
                versions.push(expected.expect("it fits"));
            }
            prop_assert!(kept(store.commit(vec![commit])));
            store.tend().expect("sound");
            if number % 3 == 2 {
                store = Journal::open(store.into_backend(), settings(), &mut |_, _| {}).expect("it opens");
            }
        }
        store = Journal::open(store.into_backend(), settings(), &mut |_, _| {}).expect("it opens");
        for (version, tree) in (0..).zip(&versions) {
            prop_assert_eq!(&store.begin(version).expect("sound").tree, tree);
        }
        let verified = crate::store::verify::verify(store.backend(), None).expect("it can be read");
        prop_assert_eq!(verified.damage, None);
        // Behind a compaction there is what the newest version needs, and no more.
        let newest = store.head().version;
        store.compact(newest).expect("sound");
        store = Journal::open(store.into_backend(), settings(), &mut |_, _| {}).expect("it opens");
        prop_assert_eq!(&store.begin(newest).expect("sound").tree, &versions[versions.len() - 1]);
        let blobs = store.backend().blobs().all().expect("memory").len();
        let row = store.backend().checkpoint_from(0).expect("memory").expect("one");
        let checkpoint = crate::store::ledger::read_checkpoint(&row).expect("sound").0;
        let used: std::collections::BTreeSet<_> = checkpoint.heavy.iter().map(|it| it.digest).collect();
        prop_assert_eq!(blobs, used.len());
    }
}
