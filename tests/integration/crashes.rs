//! Hosts that are killed while they commit files: what was decided is completed by the next one, and nothing else is there.
//!
//! A test runs itself again as a child, which kills itself at the moment at which the host's trace says that a point of the
//! commit is passed. So the host that is killed is the one that people run.

#![cfg(unix)]

use crate::harness::binary::run_in;
use crate::harness::guests;
use crate::harness::scribe::{engine, files, folder, steps};
use crate::harness::trace::listening;
use rustix::process::{Signal, getpid, kill_process};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path as File, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use theus_host::Call;

const TEST: &str = "crashes::a_killed_host_leaves_all_of_a_commit_or_nothing";
/// Where the child works, and at which point of the commit it ends.
const FOLDER: &str = "THEUS_TEST_FOLDER";
const POINT: &str = "THEUS_TEST_POINT";
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
        return be_killed(&PathBuf::from(folder), &point);
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

/// Runs the child, which is killed.
fn kill(folder: &File, index: usize) {
    let child = Command::new(std::env::current_exe().expect("a test binary"))
        .args([TEST, "--exact", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(POINT, index.to_string())
        .output()
        .expect("it starts");
    assert_eq!(child.status.signal(), Some(9), "{index}: {child:?}");
}

fn be_killed(folder: &File, index: &str) {
    let (point, times, _) = POINTS[index.parse::<usize>().expect("a number")];
    let left = AtomicUsize::new(times);
    let kill = move |passed: &str| {
        if passed == point && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill_process(getpid(), Signal::KILL).expect("it can be killed");
        }
    };
    let engine = engine(folder);
    listening(kill, || {
        let receipt = engine.call(Call::new("work", steps(STEPS)));
        panic!("it was not killed: {receipt:?}");
    });
}
