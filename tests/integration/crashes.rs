//! Hosts that are killed while they commit files: what was decided is completed by the next one, and nothing else is there.
//!
//! A test runs itself again as a child, which kills itself at the moment at which the host's trace says that a point of the
//! commit is passed. So the host that is killed is the one that people run.

#![cfg(unix)]

use crate::harness::binary::run_in;
use crate::harness::engines::Setup;
use crate::harness::guests;
use crate::harness::scribe::{engine, files, folder, setup, steps};
use crate::harness::trace::listening;
use rustix::process::{Signal, getpid, kill_process};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path as File, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use theus_host::{Actor, Call, Engine, Path, store};

const TEST: &str = "crashes::a_killed_host_leaves_all_of_a_commit_or_nothing";
const TEST_OVER_STATE: &str = "crashes::files_and_a_state_change_both_or_neither";
/// Where the child works, at which point of the commit it ends, and which process it runs.
const FOLDER: &str = "THEUS_TEST_FOLDER";
const POINT: &str = "THEUS_TEST_POINT";
const PROCESS: &str = "THEUS_TEST_PROCESS";
/// What the trace says, and how often it is to say it.
const POINTS: [(&str, usize, Left); 7] = [
    ("the files are staged", 1, Left::Nothing),
    ("the files are decided", 1, Left::Everything),
    ("a file is in place", 1, Left::Everything),
    ("a file is in place", 2, Left::Everything),
    ("a file is in place", 4, Left::Everything),
    ("a file is in place", 6, Left::Everything),
    ("the files are in place", 1, Left::Everything),
];

/// The same where the context lasts: there the journal decides.
const POINTS_OVER_STATE: [(&str, usize, Left); 6] = [
    ("the files are staged", 1, Left::Nothing),
    ("the files await their commit", 1, Left::Nothing),
    ("the commit of the files lasts", 1, Left::Everything),
    ("the files are decided", 1, Left::Everything),
    ("a file is in place", 2, Left::Everything),
    ("the files are in place", 1, Left::Everything),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Everything,
}

/// Replaces, makes, moves and removes.
const STEPS: &[&[&str]] = &[
    &["write", "/data/file", "other"],
    &["append", "/data/file", "!"],
    &["make", "/data/made"],
    &["write", "/data/made/new", "new"],
    &["rename", "/data/folder/inner", "/data/moved"],
    &["unmake", "/data/folder"],
];

fn expected(left: Left) -> BTreeMap<String, String> {
    let expected: &[(&str, &str)] = match left {
        Left::Nothing => &[
            ("file", "some text"),
            ("folder/", ""),
            ("folder/inner", "deeper"),
        ],
        Left::Everything => &[
            ("file", "other!"),
            ("made/", ""),
            ("made/new", "new"),
            ("moved", "deeper"),
        ],
    };
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    expected.iter().map(owned).collect()
}

#[test]
fn a_killed_host_leaves_all_of_a_commit_or_nothing() {
    if let (Ok(folder), Ok(point)) = (std::env::var(FOLDER), std::env::var(POINT)) {
        let point = POINTS[point.parse::<usize>().expect("a number")];
        return be_killed(&engine(&PathBuf::from(folder)), "work", point);
    }
    // The child finds it built.
    guests::scribe();
    for (index, (point, times, left)) in POINTS.into_iter().enumerate() {
        let folder = folder();
        let data = folder.path().join("data");
        kill(folder.path(), index);
        let untouched = files(&data);
        let staged = untouched.keys().any(|name| name.contains(".theus-staging"));
        if index < POINTS.len() - 1 {
            assert!(staged, "{point}, {times}: it was killed in time");
        }
        if left == Left::Nothing || point == "the files are decided" {
            let real = untouched
                .into_iter()
                .filter(|(name, _)| !name.contains(".theus-staging"));
            assert_eq!(real.collect::<BTreeMap<_, _>>(), expected(Left::Nothing));
        }
        // Whoever comes next finds all of it, or nothing; before it runs anything.
        let engine = engine(folder.path());
        assert_eq!(files(&data), expected(left), "{point}, {times}");
        let receipt = engine.call(Call::new(
            "work",
            steps(&[&["write", "/data/file", "next"]]),
        ));
        assert_eq!(receipt.error, None, "{point}, {times}");
        let mut next = expected(left);
        next.insert("file".into(), "next".into());
        assert_eq!(files(&data), next, "{point}, {times}");
    }
}

/// A host that lives on does it too, before its next run: it was there when the other one was killed.
#[test]
fn a_host_completes_what_another_one_left_while_it_lived() {
    guests::scribe();
    let folder = folder();
    let engine = engine(folder.path());
    kill(folder.path(), 3);
    let receipt = engine.call(Call::new("work", steps(&[&["read", "/data/moved"]])));
    assert_eq!(receipt.error, None);
    assert_eq!(crate::harness::scribe::said(&receipt), ["deeper"]);
    let told = "`data`: the commit of a host that was killed is complete now";
    assert_eq!(receipt.warnings, [told]);
    assert_eq!(
        files(&folder.path().join("data")),
        expected(Left::Everything)
    );
}

/// Whoever runs the next command is told.
#[test]
fn a_command_that_completes_a_commit_says_so() {
    let folder = folder();
    let guest = guests::scribe().file.display().to_string();
    kill(folder.path(), 1);
    let run = [
        "run",
        &guest,
        "work_on_files",
        "steps:=[]",
        "--dir-rw",
        "data=data",
        "-o",
        "json",
    ];
    let ran = run_in(folder.path(), &run);
    assert_eq!(ran.code, 0, "{ran:?}");
    let warnings = ran.json()["warnings"].to_string();
    assert!(
        warnings.contains("the commit of a host that was killed is complete now"),
        "{warnings}"
    );
    assert_eq!(
        files(&folder.path().join("data")),
        expected(Left::Everything)
    );
}

fn engine_over_state(folder: &File) -> Engine {
    setup(folder).state(&folder.join("state")).engine()
}

/// A commit of files and one of the context are one commit, also where only one of them changes something.
#[test]
fn files_and_a_state_change_both_or_neither() {
    if let (Ok(folder), Ok(point)) = (std::env::var(FOLDER), std::env::var(POINT)) {
        let process = std::env::var(PROCESS).expect("a process");
        let point = POINTS_OVER_STATE[point.parse::<usize>().expect("a number")];
        let engine = engine_over_state(&PathBuf::from(folder));
        return be_killed(&engine, &process, point);
    }
    guests::scribe();
    for process in ["work", "work_on_files"] {
        for (index, (point, times, left)) in POINTS_OVER_STATE.into_iter().enumerate() {
            let told = format!("{process}: {point}, {times}");
            let folder = folder();
            let data = folder.path().join("data");
            // A run before, so that the journal is not empty.
            drop(engine_over_state(folder.path()));
            kill_in(folder.path(), TEST_OVER_STATE, process, index);
            let engine = engine_over_state(folder.path());
            assert_eq!(files(&data), expected(left), "{told}");
            let kept = engine
                .context()
                .tree
                .get(&Path::parse("domain.told").expect("a path"))
                .cloned();
            let ran = i64::from(left == Left::Everything && process == "work");
            assert_eq!(kept, Some(ran.into()), "{told}");
            let receipt = engine.call(Call::new(
                process,
                steps(&[&["write", "/data/file", "next"]]),
            ));
            assert_eq!(receipt.error, None, "{told}");
            drop(engine);
            let store = store::open(&folder.path().join("state"), |_, _| {}).expect("it opens");
            let records = store.entries(0, usize::MAX).expect("sound");
            let by_process = records
                .iter()
                .filter(|it| matches!(it.entry.record.actor, Actor::Process { .. }));
            let counts: Vec<usize> = by_process
                .map(|it| {
                    it.entry
                        .record
                        .outside
                        .as_ref()
                        .map_or(0, |it| it.files.len())
                })
                .collect();
            let expected: &[usize] = match left {
                Left::Everything => &[6, 1],
                Left::Nothing => &[1],
            };
            assert_eq!(counts, expected, "{told}: the records list the files");
        }
    }
}

/// Nobody else than the state can tell, so nobody else decides.
#[test]
fn files_that_await_a_commit_are_left_to_the_state_that_it_went_to() {
    guests::scribe();
    let folder = folder();
    let data = folder.path().join("data");
    kill_in(folder.path(), TEST_OVER_STATE, "work", 2);
    let left = files(&data);
    let refused = |setup: Setup, reason: &str| {
        let error = setup.try_engine().err().expect(reason);
        assert!(error.contains(reason), "{error}");
        assert_eq!(files(&data), left);
    };
    refused(setup(folder.path()), "which this host has not been given");
    let other = folder.path().join("other");
    refused(
        setup(folder.path()).state(&other),
        "which is not the state of this host",
    );
    drop(engine_over_state(folder.path()));
    assert_eq!(files(&data), expected(Left::Everything));
    drop(engine(folder.path()));
}

/// A history that was compacted away says nothing of a commit; then nothing is decided by guessing.
#[test]
fn files_whose_commit_was_compacted_away_are_left_alone() {
    guests::scribe();
    let folder = folder();
    kill_in(folder.path(), TEST_OVER_STATE, "work", 2);
    let state = folder.path().join("state");
    let store = store::open(&state, |_, _| {}).expect("it opens");
    let version = store.head().version;
    assert_eq!(store.compact(version), Ok(version));
    drop(store);
    let left = files(&folder.path().join("data"));
    let error = setup(folder.path()).state(&state).try_engine().err();
    let error = error.expect("nobody can tell");
    assert!(error.contains("has been compacted since"), "{error}");
    assert_eq!(files(&folder.path().join("data")), left);
}

/// Runs the child, which is killed.
fn kill(folder: &File, index: usize) {
    kill_in(folder, TEST, "work", index);
}

fn kill_in(folder: &File, test: &str, process: &str, index: usize) {
    let child = Command::new(std::env::current_exe().expect("a test binary"))
        .args([test, "--exact", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(POINT, index.to_string())
        .env(PROCESS, process)
        .output()
        .expect("it starts");
    assert_eq!(child.status.signal(), Some(9), "{index}: {child:?}");
}

fn be_killed(engine: &Engine, process: &str, (point, times, _): (&'static str, usize, Left)) {
    let left = AtomicUsize::new(times);
    let kill = move |passed: &str| {
        if passed == point && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill_process(getpid(), Signal::KILL).expect("it can be killed");
        }
    };
    listening(kill, || {
        let receipt = engine.call(Call::new(process.to_owned(), steps(STEPS)));
        panic!("it was not killed: {receipt:?}");
    });
}
