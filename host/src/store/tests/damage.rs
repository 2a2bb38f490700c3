//! A journal is never silently shorter or different: whatever byte of it changes, and wherever it is cut off.

use super::disk::Pages;
use super::*;
use crate::store::backend::{Backend, Rows};
use crate::store::error::Damage;
use crate::store::verify;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

const RECORDS: u128 = 3;
const SEALED: u64 = 3;

/// A small journal that was closed in order, as bytes.
fn image() -> (Pages, Contents) {
    let disk = Disk::default();
    let journal = created_on(&disk, tree(r#"{"a":0}"#), without_checkpoints());
    for number in 1..=RECORDS {
        let head = journal.begin(journal.head().version).expect("sound");
        let value = i64::try_from(number).expect("small");
        assert!(kept(
            journal.commit(vec![set(number, &head, "domain.a", value)])
        ));
    }
    let contents = contents(&journal).expect("sound");
    drop(journal);
    (disk.pages(), contents)
}

type Contents = (crate::store::Position, Vec<(u64, CommitId, String)>, Tree);

/// Everything that can be read of a journal.
fn contents(store: &dyn Store) -> Result<Contents, StoreError> {
    let entries = store.entries(0, usize::MAX)?;
    let mut seen = Vec::new();
    for kept in &entries {
        let text = serde_json::to_string(&kept.entry.to_value()).expect("json");
        seen.push((kept.entry.record.seq, kept.entry.id, text));
        store.status(kept.entry.id)?;
    }
    // At every version: what finds them has no checksum.
    for version in 0..store.head().version {
        let Some(Value::Int(found)) = store.begin(version)?.tree.get(&path("domain.a")).cloned()
        else {
            panic!("version {version} holds a number");
        };
        assert_eq!(u64::try_from(found), Ok(version), "silently different");
    }
    let newest = store.begin(store.head().version)?.tree;
    Ok((store.head(), seen, newest))
}

/// Opens damaged bytes: a refusal is right, and so is everything as it was. Anything else is not.
fn open_damaged(pages: Pages, sound: &Contents, what: &str) -> Seen {
    let disk = Disk::of(pages);
    let opened = on_disk_sealed(&disk, without_checkpoints(), SEALED);
    match opened.and_then(|journal| contents(&journal)) {
        Ok(contents) => {
            assert_eq!(contents, *sound, "{what}: silently different");
            Seen::Harmless
        }
        Err(StoreError::Damaged(_) | StoreError::Io(_) | StoreError::Format { .. }) => {
            Seen::Refused
        }
        Err(other) => panic!("{what}: {other}"),
    }
}

#[derive(PartialEq, Eq)]
enum Seen {
    Harmless,
    Refused,
}

/// redb's own panics are caught and become refusals: here they are expected by the hundred.
fn hush_redb() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or("", |it| it.file());
            if !place.contains("redb-") {
                usual(panic);
            }
        }));
    });
}

#[test]
fn a_flipped_bit_in_any_byte_is_refused_or_changes_nothing() {
    hush_redb();
    let (image, sound) = image();
    // Whoever reads the sound one and never looks at a page reads the same where only that page has changed.
    let disk = Disk::of(image.clone());
    let opened = on_disk_sealed(&disk, without_checkpoints(), SEALED);
    assert_eq!(
        opened.and_then(|journal| contents(&journal)),
        Ok(sound.clone())
    );
    let places = disk.read_bytes(16 / rounds(1).min(16));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for part in places.chunks(places.len().div_ceil(threads)) {
            let (image, sound, refused) = (&image, &sound, &refused);
            scope.spawn(move || {
                for at in part {
                    // One bit of each; for long, all of them.
                    for bit in (*at..at + rounds(1).min(8)).map(|it| it % 8) {
                        let mut damaged = image.clone();
                        damaged.flip(*at, bit);
                        let what = format!("bit {bit} of byte {at}");
                        if open_damaged(damaged, sound, &what) == Seen::Refused {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    // Not all: the ends of pages that are not full mean nothing.
    let refused = refused.into_inner();
    assert!(refused > 1_000, "{refused} of {}", places.len());
}

#[test]
fn a_journal_that_is_cut_off_is_refused() {
    hush_redb();
    let (image, sound) = image();
    let used = *image.used().last().expect("not empty");
    // At every byte of what is used, and behind it at every page.
    for len in (1..used).chain((used..image.len()).step_by(4_096)) {
        let mut cut = image.clone();
        cut.resize(len);
        let seen = open_damaged(cut, &sound, &format!("cut off at {len}"));
        assert!(seen == Seen::Refused, "cut off at {len}");
    }
}

/// Rows that fit the database, and not one another.
#[test]
fn rows_that_are_missing_or_changed_are_named() {
    let build = || {
        let journal = in_memory(tree(r#"{"a":0}"#), settings());
        for number in 1..=20 {
            let head = journal.begin(journal.head().version).expect("sound");
            assert!(kept(
                journal.commit(vec![set(number, &head, "domain.a", 1)])
            ));
            if number < 17 {
                journal.tend().expect("sound");
            }
        }
        let backend = journal.into_backend();
        backend.seal(20).expect("memory");
        backend
    };
    let last = build()
        .checkpoint_before(100)
        .expect("memory")
        .expect("one")
        .seq;
    assert!(
        last > 5 && last < 19,
        "{last}: records before and behind it"
    );
    type Change = fn(&mut crate::store::memory::Tables, u64);
    let cases: [(Change, Damage, Option<Damage>); 6] = [
        (
            |tables, _| drop(tables.records.remove(&20)),
            Damage::Short {
                found: 19,
                known: 20,
            },
            None,
        ),
        (
            |tables, last| drop(tables.records.remove(&(last + 1))),
            Damage::Gap(last + 1),
            None,
        ),
        (
            |tables, _| tables.records.get_mut(&20).expect("one")[60] ^= 1,
            Damage::Checksum(20),
            None,
        ),
        (
            |tables, _| {
                let earlier = tables.records[&19].clone();
                tables.records.insert(20, earlier);
            },
            Damage::Chain(20),
            None,
        ),
        (
            |tables, last| {
                tables.checkpoints.get_mut(&last).expect("one")[60] ^= 1;
            },
            Damage::Checkpoint {
                seq: last,
                problem: "does not match its checksum".into(),
            },
            Some(Damage::Checkpoint {
                seq: last,
                problem: "does not match its checksum".into(),
            }),
        ),
        (
            |tables, _| tables.head.as_mut().expect("one")[9] ^= 1,
            Damage::File("what says where it ends does not match its checksum".into()),
            None,
        ),
    ];
    for (change, damage, by_verify) in cases {
        let backend = build();
        change(&mut backend.tables(), last);
        let verified = verify::verify(&backend, None).expect("it can be read");
        assert_eq!(
            verified.damage,
            Some(by_verify.unwrap_or_else(|| damage.clone()))
        );
        let opened = Journal::open(backend, settings(), &mut |_, _| {});
        assert_eq!(opened.err(), Some(StoreError::Damaged(damage)));
    }
}

/// Damage before the last checkpoint is not looked for when a journal is opened; reading and verifying find it.
#[test]
fn damage_in_old_records_is_found_by_verify_and_by_reading() {
    let journal = in_memory(tree(r#"{"a":0}"#), settings());
    for number in 1..=20 {
        let head = journal.begin(journal.head().version).expect("sound");
        assert!(kept(
            journal.commit(vec![set(number, &head, "domain.a", 1)])
        ));
        journal.tend().expect("sound");
    }
    let backend = journal.into_backend();
    backend.tables().records.get_mut(&2).expect("one")[60] ^= 1;
    let verified = verify::verify(&backend, None).expect("it can be read");
    assert_eq!(verified.sound.seq, 1);
    assert_eq!(verified.damage, Some(Damage::Checksum(2)));
    let journal = Journal::open(backend, settings(), &mut |_, _| {}).expect("the end is sound");
    let damaged = StoreError::Damaged(Damage::Checksum(2));
    assert_eq!(journal.entries(0, 9).err(), Some(damaged.clone()));
    assert_eq!(journal.begin(2).err(), Some(damaged));
    assert!(journal.begin(20).is_ok());
}

/// Somebody who rewrites a record and every hash behind it makes a journal that fits itself.
#[test]
fn only_a_hash_from_outside_tells_a_journal_that_was_rewritten() {
    let build = |value| {
        let journal = in_memory(tree(r#"{"a":0}"#), settings());
        for number in 1..=3 {
            let head = journal.begin(journal.head().version).expect("sound");
            let mut commit = set(number, &head, "domain.a", value);
            commit.entry.record.time = std::time::UNIX_EPOCH;
            assert!(kept(journal.commit(vec![commit])));
        }
        (journal.head(), journal.into_backend())
    };
    let (receipt, original) = build(1);
    let (_, rewritten) = build(2);
    let verify = |backend, hash| verify::verify(backend, Some(hash)).map(|it| it.expected);
    assert_eq!(verify(&original, receipt.hash), Ok(Some(3)));
    assert_eq!(
        verify::verify(&rewritten, None).expect("it fits").damage,
        None
    );
    let told = Err(StoreError::Rewritten(receipt.hash));
    assert_eq!(verify(&rewritten, receipt.hash), told);
}

#[test]
fn an_older_and_a_newer_format_are_refused_by_name() {
    use crate::store::chain::plain_frame;
    use theus_core::codec;
    for found in [0, 1, 3, 77] {
        let backend = in_memory(tree("{}"), settings()).into_backend();
        let value: Value = serde_json::from_str(&format!(r#"{{"format":{found}}}"#)).expect("json");
        let head = plain_frame(&codec::encode_all(&value));
        let rows = Rows {
            head,
            ..Rows::default()
        };
        backend.write(&rows).expect("memory");
        let opened = Journal::open(backend, settings(), &mut |_, _| {});
        let refused = StoreError::Format { found, known: 2 };
        assert_eq!(opened.err(), Some(refused));
    }
}

#[test]
fn what_is_sound_is_salvaged_with_its_hashes() {
    use crate::store::salvage::copy;
    for (damaged_record, damaged_checkpoint) in [(None, false), (Some(14), false), (None, true)] {
        let journal = in_memory(tree(r#"{"a":0}"#), settings());
        let mut heads = vec![journal.head()];
        for number in 1..=20 {
            let head = journal.begin(journal.head().version).expect("sound");
            assert!(kept(
                journal.commit(vec![set(number, &head, "domain.a", 1)])
            ));
            heads.push(journal.head());
            journal.tend().expect("sound");
        }
        let backend = journal.into_backend();
        if let Some(seq) = damaged_record {
            backend.tables().records.get_mut(&seq).expect("one")[60] ^= 1;
        }
        if damaged_checkpoint {
            let seq = backend
                .checkpoint_before(100)
                .expect("memory")
                .expect("one")
                .seq;
            backend.tables().checkpoints.get_mut(&seq).expect("one")[60] ^= 1;
        }
        let to = MemoryBackend::default();
        let salvaged = copy(&backend, &to).expect("it can be read");
        let last = damaged_record.map_or(20, |seq| seq - 1);
        assert_eq!(salvaged.damage, damaged_record.map(Damage::Checksum));
        let expected = heads[usize::try_from(last).expect("small")];
        assert_eq!(salvaged.last, expected);
        let journal = Journal::open(to, settings(), &mut |_, _| {}).expect("it is sound");
        assert_eq!(journal.head(), expected);
        let head = journal.begin(expected.version).expect("sound");
        assert!(kept(journal.commit(vec![set(99, &head, "domain.a", 2)])));
        assert_eq!(
            verify::verify(journal.backend(), None)
                .expect("sound")
                .damage,
            None
        );
    }
}
