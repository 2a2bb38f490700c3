//! Who else is at work in a directory that a run writes into: other runs, other hosts, other programs.

use crate::harness::engines::{PATIENCE, commits, message, value};
use crate::harness::scribe::{engine, files, folder, said, says, setup, steps, stops};
use crate::harness::trace::listening;
use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use theus_host::{Call, Outcome, Value};

/// Runs of two processes of one engine, and then of two engines: they come one after the other, and none is lost.
#[test]
fn runs_of_one_directory_come_one_after_the_other() {
    const RUNS: usize = 12;
    let folder = folder();
    let engine = engine(folder.path());
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for worker in 0..4 {
            let (engine, barrier) = (&engine, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for _ in 0..RUNS {
                    let process = ["work", "work_on_files"][worker % 2];
                    commits(engine, process, steps(&[&["append", "/data/log", "x"]]));
                }
            });
        }
    });
    let log = fs::read_to_string(folder.path().join("data/log")).expect("it is there");
    assert_eq!(
        log.len(),
        4 * RUNS,
        "no run saw a directory that another one was writing into"
    );
    // Two engines are two hosts: the system keeps them apart.
    let other = setup(folder.path()).engine();
    thread::scope(|scope| {
        for engine in [&engine, &other] {
            scope.spawn(move || {
                for _ in 0..RUNS {
                    commits(engine, "work", steps(&[&["append", "/data/log", "y"]]));
                }
            });
        }
    });
    let log = fs::read_to_string(folder.path().join("data/log")).expect("it is there");
    assert_eq!(log.len(), 6 * RUNS);
}

/// Another host holds the directory for longer than the run may take.
#[test]
fn another_hosts_directory_is_waited_for_until_the_deadline() {
    let folder = folder();
    let engine = setup(folder.path())
        .limits(|it| it.timeout = Duration::from_millis(150))
        .engine();
    let held = fs::File::open(folder.path().join("data")).expect("it is there");
    held.lock().expect("nobody else has it");
    let receipt = stops(
        &engine,
        folder.path(),
        &[&["write", "/data/new", "x"]],
        "THEUS-H002",
    );
    assert_eq!(
        message(&receipt),
        "work: cannot write into the directory `data`: another host writes into it, and did not end in time"
    );
    assert_eq!(
        receipt.outcome,
        Outcome::Refused,
        "the guest was not entered"
    );
    drop(held);
    let patient = setup(folder.path())
        .limits(|it| it.timeout = PATIENCE)
        .engine();
    assert_eq!(says(&patient, &["write", "/data/new", "x"]), "done");
}

/// The last moment at which another program can change what a run changes: when the guest is done.
#[test]
fn what_another_program_changed_refuses_the_commit() {
    let folder = folder();
    let engine = engine(folder.path());
    let file = folder.path().join("data/file");
    let theirs = file.clone();
    let meddle = move |passed: &str| {
        if passed == "output-gate" {
            fs::write(&theirs, "theirs").expect("it is writable");
        }
    };
    let told: &[&[&str]] = &[
        &["write", "/data/file", "mine"],
        &["write", "/data/new", "x"],
    ];
    let receipt = listening(meddle, || engine.call(Call::new("work", steps(told))));
    let error = receipt.error.as_ref().expect("it was changed");
    assert_eq!(error.code(), "THEUS-H002");
    assert_eq!(
        message(&receipt),
        "work: cannot write into the directory `data`: `file` was changed by somebody else while the run was at work"
    );
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    assert!(receipt.changes.is_empty() && receipt.signals.is_empty());
    assert!(
        receipt
            .outside
            .expect("it has a directory")
            .files
            .is_empty()
    );
    assert_eq!(value(&engine, "domain.told"), Some(Value::from(0)));
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "theirs");
    assert!(!folder.path().join("data/new").exists());
    // What it only read is not looked at again.
    let theirs = file.clone();
    let meddle = move |passed: &str| {
        if passed == "output-gate" {
            fs::write(&theirs, "theirs again").expect("it is writable");
        }
    };
    let told: &[&[&str]] = &[&["read", "/data/file"], &["write", "/data/new", "x"]];
    let receipt = listening(meddle, || engine.call(Call::new("work", steps(told))));
    assert_eq!(receipt.error, None);
    assert_eq!(said(&receipt), ["theirs", "done"]);
}

/// The interlock is thrown while a run's files are ready and not yet decided: neither they nor its values slip through.
#[test]
fn the_interlock_is_looked_at_before_the_files_are_decided() {
    let folder = folder();
    let recipe =
        "process_recipes: { work_unasked: { inputs: [{ field: steps, max_len: 0, level: S }] } }";
    let engine = setup(folder.path()).recipe(recipe).engine();
    let before = files(folder.path());
    let other = engine.clone();
    let throw = move |passed: &str| {
        if passed == "the files are staged" {
            let thrown = other.call(Call::new("work_unasked", steps(&[&["read", "x"]])));
            let error = thrown.error.expect("a rule of level S");
            assert_eq!(error.code(), "THEUS-A003");
        }
    };
    let told: &[&[&str]] = &[&["write", "/data/file", "mine"]];
    let receipt = listening(throw, || engine.call(Call::new("work", steps(told))));
    let error = receipt.error.expect("the interlock is in force");
    assert_eq!(error.code(), "THEUS-A004");
    assert_eq!(files(folder.path()), before);
    assert_eq!(value(&engine, "domain.told"), Some(Value::from(0)));
    engine.reset_interlock().expect("it was thrown");
    assert_eq!(says(&engine, &["write", "/data/file", "mine"]), "done");
}

/// What fails after the decision is late, not lost: the run is committed and says so, and the next one goes on with it.
#[cfg(unix)]
#[test]
fn what_cannot_be_put_in_place_is_done_by_the_next_run() {
    let folder = folder();
    let engine = engine(folder.path());
    let data = folder.path().join("data");
    let inner = data.join("folder");
    let moved = folder.path().join("moved");
    let (from, to) = (inner.clone(), moved.clone());
    let meddle = move |passed: &str| {
        if passed == "the files are decided" {
            fs::rename(&from, &to).expect("it is writable");
            std::os::unix::fs::symlink(&to, &from).expect("a link");
        }
    };
    let told: &[&[&str]] = &[
        &["write", "/data/folder/new", "x"],
        &["write", "/data/file", "mine"],
    ];
    let receipt = listening(meddle, || engine.call(Call::new("work", steps(told))));
    assert_eq!(
        (receipt.outcome, &receipt.error),
        (Outcome::Committed, &None)
    );
    let warnings = receipt.warnings.join("\n");
    assert!(
        warnings.contains("not all files are in place in `data` yet"),
        "{warnings}"
    );
    assert!(!moved.join("new").exists(), "the link is not followed");
    // The link is still there: the next run is refused, and nothing is lost.
    stops(
        &engine,
        folder.path(),
        &[&["read", "/data/file"]],
        "THEUS-H002",
    );
    fs::remove_file(&inner).expect("the link");
    fs::rename(&moved, &inner).expect("it is writable");
    let said = self::said(&commits(
        &engine,
        "work",
        steps(&[&["read", "/data/folder/new"], &["read", "/data/file"]]),
    ));
    assert_eq!(said, ["x", "mine"]);
    assert!(!data.join(".theus-staging").exists());
}
