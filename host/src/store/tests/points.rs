//! Crashes at points that have a name: around the sync of a group, amid a checkpoint, amid a compaction. What is there
//! afterwards is known exactly; and what readers outside saw before is never more.

use super::deadly::{ENGINE, Fate, Operation, deadly_backend, said, say, test_as_process};
use super::*;
use crate::store::{create, open, verify};
use crate::{Durability, EditError, Engine};
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;

/// Where the child finds its directory, and at which point, for the so many-th time, it ends.
const STATE: &str = "THEUS_CRASH_STATE";
const POINT: &str = "THEUS_CRASH_POINT";
const TIMES: &str = "THEUS_CRASH_TIMES";

/// A point, by what the trace says there and what the process does to its file next.
struct Point {
    name: &'static str,
    message: &'static str,
    then: Option<(Operation, u64)>,
    left: Left,
}

/// What is there of the commit that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// None was, or nothing is.
    Nothing,
    /// All of it is there or nothing; readers outside have not seen it.
    Either,
    /// It is there, and readers outside have not seen it.
    Unseen,
    /// It is there, and readers outside have seen it; whether the committer's next words were heard is open.
    Seen,
}

const POINTS: [Point; 15] = [
    point("amid a blob", "a blob is written", None, Left::Nothing),
    point(
        "after a blob, before its record",
        "the blob lasts",
        None,
        Left::Nothing,
    ),
    point("before write", "a group is taken", None, Left::Nothing),
    point(
        "amid the write",
        "a group is taken",
        Some((Operation::Write, 2)),
        Left::Nothing,
    ),
    point(
        "after write, before sync",
        "a group is taken",
        Some((Operation::Sync, 1)),
        Left::Either,
    ),
    point(
        "after sync, before publish",
        "the group lasts",
        None,
        Left::Unseen,
    ),
    point(
        "after publish, before acknowledge",
        "the group is published",
        None,
        Left::Seen,
    ),
    point(
        "before a checkpoint",
        "a checkpoint is made",
        None,
        Left::Seen,
    ),
    point(
        "amid a checkpoint",
        "a checkpoint is made",
        Some((Operation::Write, 2)),
        Left::Seen,
    ),
    point(
        "amid a checkpoint, before sync",
        "a checkpoint is made",
        Some((Operation::Sync, 1)),
        Left::Seen,
    ),
    point(
        "after a checkpoint, before the seal",
        "the checkpoint lasts",
        None,
        Left::Seen,
    ),
    point(
        "amid a compaction",
        "old records are let go",
        Some((Operation::Write, 2)),
        Left::Nothing,
    ),
    point(
        "amid a compaction, before sync",
        "old records are let go",
        Some((Operation::Sync, 1)),
        Left::Nothing,
    ),
    point(
        "after a compaction, before its blobs are gone",
        "old records are gone",
        None,
        Left::Nothing,
    ),
    point(
        "after a compaction",
        "old blobs are gone",
        None,
        Left::Nothing,
    ),
];

const fn point(
    name: &'static str,
    message: &'static str,
    then: Option<(Operation, u64)>,
    left: Left,
) -> Point {
    Point {
        name,
        message,
        then,
        left,
    }
}

/// Commits that a child makes at most: by then every point was passed.
const ENOUGH: i64 = 200;

/// A value of the heavy zone that stands in no record.
fn heavy(version: u64) -> Value {
    Value::from(format!("{version},").repeat(100_000))
}

/// Not a test by itself: what the other one starts as a process of its own.
#[test]
fn child() {
    let variable = |name| std::env::var(name).ok();
    let (Some(state), Some(point), Some(times)) =
        (variable(STATE), variable(POINT), variable(TIMES))
    else {
        return;
    };
    let point = &POINTS[point.parse::<usize>().expect("a number")];
    let fate = Fate::behind(point.message, times.parse().expect("a number"), point.then);
    let backend = deadly_backend(state.as_ref(), fate);
    let journal = Journal::open(backend, settings_for_an_engine(), &mut |_, _| {}).expect("opens");
    let store: Arc<dyn Store> = Arc::new(journal);
    let engine = Engine::builder()
        .durability(Durability::Durable)
        .store(store.clone())
        .build();
    let engine = ENGINE.get_or_init(|| engine.expect("an engine"));
    let first = engine.context().version + 1;
    for number in (first..).take(ENOUGH as usize) {
        let edited: Result<(), EditError> = engine.edit(|context| {
            for half in ["first", "second"] {
                context.set(&format!("domain.{half}"), number)?;
            }
            context.set("domain.heavy_text", heavy(number))
        });
        edited.expect("it is kept");
        say(&format!("acknowledged {number}"));
        if number.is_multiple_of(10) {
            store.compact(number - 1).expect("it is compacted");
        }
    }
}

/// What a child said before it ended: the last commit that it was told of, and the last one that readers outside saw.
fn lived(state: &std::path::Path, point: usize, times: u64) -> (u64, Option<u64>) {
    let mut command = test_as_process("store::tests::points::child");
    command
        .env(STATE, state)
        .env(POINT, point.to_string())
        .env(TIMES, times.to_string());
    let ended = command.output().expect("a process");
    let name = POINTS[point].name;
    assert_eq!(ended.status.signal(), Some(9), "{name}: {ended:?}");
    let out = String::from_utf8(ended.stdout).expect("text");
    let last = |word: &str| {
        let words = out.lines().filter_map(said).rfind(|it| it[0] == word);
        words.map(|it| it[1].parse().expect("a number"))
    };
    (last("acknowledged").unwrap_or(0), last("seen"))
}

#[test]
fn what_is_there_after_a_crash_at_a_named_point_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    drop(create(&state, Tree::default()).expect("a new one"));
    let mut before = 0;
    // Each life goes on where the one before was killed.
    for round in 0..rounds(2 * POINTS.len()) {
        let (index, times) = (round % POINTS.len(), 1 + (round / POINTS.len()) as u64 % 7);
        let point = &POINTS[index];
        let (acknowledged, seen) = lived(&state, index, times);
        let (acknowledged, seen) = (acknowledged.max(before), seen.unwrap_or(before));
        let there = versions(&state);
        let what = format!(
            "{}, {times}: {acknowledged} acknowledged, {seen} seen, {there} there",
            point.name
        );
        match point.left {
            Left::Nothing => assert!(there == acknowledged && seen == there, "{what}"),
            Left::Either => {
                assert!(there == acknowledged || there == acknowledged + 1, "{what}");
                assert_eq!(seen, acknowledged, "{what}");
            }
            Left::Unseen => assert!(there == acknowledged + 1 && seen == acknowledged, "{what}"),
            Left::Seen => {
                assert!(there == seen, "{what}");
                assert!(there == acknowledged || there == acknowledged + 1, "{what}");
            }
        }
        before = there;
    }
    let store = open(&state, |_, _| {}).expect("it opens");
    assert!(
        matches!(store.begin(1), Err(StoreError::Compacted { .. })),
        "it was compacted"
    );
    // Nothing that was killed is left behind.
    store.compact(before).expect("sound");
    let blobs = std::fs::read_dir(state.join("blobs")).expect("it is there");
    assert_eq!(blobs.count(), 1, "the blob of the last version");
}

/// The last version of a state, every one of which that is left is whole.
fn versions(state: &std::path::Path) -> u64 {
    let store = open(state, |_, _| {}).expect("it opens");
    let head = store.head();
    let mut oldest = None;
    for version in 0..=head.version {
        let tree = match store.begin(version) {
            Ok(snapshot) => snapshot.tree,
            Err(StoreError::Compacted { asked, .. }) => {
                assert!(oldest.is_none() && asked == version, "a gap at {version}");
                continue;
            }
            Err(error) => panic!("{version}: {error}"),
        };
        oldest.get_or_insert(version);
        for half in ["domain.first", "domain.second"] {
            let value = tree.get(&path(half)).and_then(Value::as_i64);
            let value = value.map_or(0, i64::cast_unsigned);
            assert_eq!(value, version, "{half}");
        }
        let text = tree.get(&path("domain.heavy_text"));
        assert_eq!(text, (version > 0).then(|| heavy(version)).as_ref());
    }
    drop(store);
    let verified = verify(state, Some(head.hash)).expect("it can be read");
    assert_eq!((verified.sound, verified.damage), (head, None));
    head.version
}
