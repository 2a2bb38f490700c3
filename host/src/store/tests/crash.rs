//! Real crashes: a process that commits is killed with kill -9, at any moment and at chosen ones. What it had acknowledged
//! is there afterwards, and half a commit never is.

use super::deadly::{Fate, Operation, deadly_backend, kill, said, say, test_as_process};
use super::*;
use crate::store::{create, open, verify};
use crate::{Durability, EditError, Engine};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;

/// Where the child finds its directory, and at which operation of its file it ends.
const STATE: &str = "THEUS_CRASH_STATE";
const AT: &str = "THEUS_CRASH_AT";

/// Not a test by itself: what the other tests start as a process of its own, and kill.
#[test]
fn child() {
    let Ok(state) = std::env::var(STATE) else {
        return;
    };
    let state = std::path::Path::new(&state);
    let builder = Engine::builder().durability(Durability::Durable);
    let engine = match std::env::var(AT) {
        Err(_) => builder.state(state),
        Ok(at) => {
            let fate = Fate::at(Operation::Any, at.parse().expect("a number"));
            let backend = deadly_backend(state, fate);
            let journal = Journal::open(backend, settings_for_an_engine(), &mut |_, _| {});
            builder.store(std::sync::Arc::new(journal.expect("opens")))
        }
    };
    let engine = engine.build().expect("an engine");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || commit_for_ever(engine, thread));
        }
    });
}

/// Every edit writes two places of this thread; what is acknowledged goes to the standard output.
fn commit_for_ever(engine: &Engine, thread: u8) {
    let place = format!("domain.first{thread}");
    let kept = engine
        .context()
        .tree
        .get(&path(&place))
        .and_then(Value::as_i64);
    for number in kept.unwrap_or(0) + 1.. {
        let edited: Result<(), EditError> = engine.edit(|context| {
            for half in ["first", "second"] {
                context.set(&format!("domain.{half}{thread}"), number)?;
            }
            Ok(())
        });
        edited.expect("it is kept");
        say(&format!("acknowledged {thread} {number}"));
    }
}

fn spawn(state: &std::path::Path, at: Option<u64>) -> Child {
    let mut command = test_as_process("store::tests::crash::child");
    command.env(STATE, state);
    if let Some(at) = at {
        command.env(AT, at.to_string());
    }
    command.spawn().expect("a process")
}

/// The last number that was acknowledged to each thread; kills the child once `enough` were.
fn acknowledged(mut child: Child, enough: Option<u64>) -> [i64; 4] {
    let mut last = [0; 4];
    let out = child.stdout.take().expect("piped");
    let mut seen = 0;
    for line in BufReader::new(out).lines() {
        let line = line.expect("text");
        let words = said(&line);
        let Some(["acknowledged", thread, number]) = words.as_deref() else {
            continue;
        };
        let thread: usize = thread.parse().expect("a thread");
        last[thread] = number.parse().expect("a number");
        seen += 1;
        if enough == Some(seen) {
            kill(child.id());
        }
    }
    let ended = child.wait().expect("it ended");
    assert_eq!(ended.signal(), Some(9), "it was killed: {ended}");
    last
}

/// Opens the state, and compares. The number of entries in it.
fn nothing_lost_or_torn(state: &std::path::Path, last: [i64; 4]) -> u64 {
    let store = open(state, |_, _| {}).expect("it opens");
    let head = store.head();
    let tree = store.begin(head.version).expect("sound").tree;
    for (thread, last) in last.into_iter().enumerate() {
        let half = |half: &str| tree.get(&path(&format!("domain.{half}{thread}"))).cloned();
        let first = half("first");
        assert_eq!(first, half("second"), "half a commit");
        let number = first.as_ref().and_then(Value::as_i64).unwrap_or(0);
        assert!(
            number >= last,
            "{last} of thread {thread} was acknowledged, {number} is there"
        );
    }
    drop(store);
    let verified = verify(state, Some(head.hash)).expect("it can be read");
    assert_eq!((verified.sound, verified.damage), (head, None));
    head.seq
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    drop(create(&state, Tree::default()).expect("a new one"));
    let mut before = 0;
    // Each life goes on where the one before was killed, with numbers of its own.
    let lives = [1, 7, 40, 3, 90].into_iter().cycle();
    for enough in lives.take(rounds(5)) {
        let last = acknowledged(spawn(&state, None), Some(enough));
        let entries = nothing_lost_or_torn(&state, last);
        assert!(entries >= before + enough, "{entries} entries");
        before = entries;
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_chosen_operations() {
    // Counted in operations of the file: amid opening, the first commits, a group, a checkpoint.
    let first = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377];
    let all = first
        .into_iter()
        .chain((4..).filter(|at| !first.contains(at)));
    for at in all.take(rounds(first.len())) {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        drop(create(&state, Tree::default()).expect("a new one"));
        let last = acknowledged(spawn(&state, Some(at)), None);
        nothing_lost_or_torn(&state, last);
    }
}
