//! Real crashes: a process that commits is killed with kill -9, at any moment and at chosen ones. What it had acknowledged
//! is there afterwards, and half a commit never is.

use super::*;
use crate::store::redb::RedbBackend;
use crate::store::{create, open, verify};
use crate::{Durability, EditError, Engine};
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the child finds its directory, and at which operation of its file it kills itself.
const STATE: &str = "THEUS_CRASH_STATE";
const AT: &str = "THEUS_CRASH_AT";

/// A file that kills its process with kill -9 before one of its operations.
#[derive(Debug)]
struct Deadly {
    file: FileBackend,
    left: AtomicU64,
}

impl Deadly {
    fn step(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill(std::process::id());
        }
    }
}

impl StorageBackend for Deadly {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step();
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step();
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step();
        // Half of it first: what is killed in the middle of a write leaves that.
        let half = data.len() / 2;
        self.file.write(offset, &data[..half])?;
        self.step();
        self.file.write(offset + half as u64, &data[half..])
    }
}

fn kill(id: u32) {
    let id = i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let id = id.expect("a process");
    rustix::process::kill_process(id, rustix::process::Signal::KILL).expect("it runs");
}

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
            let file = File::options()
                .read(true)
                .write(true)
                .open(state.join("journal.redb"));
            let file = file.expect("a journal");
            let storage = Deadly {
                file: FileBackend::new(file).expect("a file"),
                left: AtomicU64::new(at.parse().expect("a number")),
            };
            let backend = RedbBackend::on_storage(storage, crate::store::directory::Seal::Fixed(0));
            let journal = Journal::open(backend.expect("opens"), settings(), &mut |_, _| {});
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
        let mut out = io::stdout().lock();
        writeln!(out, "acknowledged {thread} {number}").expect("somebody listens");
        out.flush().expect("somebody listens");
    }
}

fn spawn(state: &std::path::Path, at: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command
        .args(["--exact", "store::tests::crash::child", "--nocapture"])
        .env(STATE, state)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
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
        // The test's own runner writes into the first line.
        let Some((_, words)) = line.split_once("acknowledged ") else {
            continue;
        };
        let Some((thread, number)) = words.split_once(' ') else {
            continue;
        };
        // A line that the kill cut short is no acknowledgement.
        let thread: usize = thread.parse().expect("a thread");
        last[thread] = number.parse().unwrap_or(last[thread]);
        seen += 1;
        if enough == Some(seen) {
            kill(child.id());
        }
    }
    let ended = child.wait().expect("it ended");
    assert!(!ended.success(), "it was killed: {ended}");
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
    for enough in [1, 7, 40, 3, 90] {
        let last = acknowledged(spawn(&state, None), Some(enough));
        let entries = nothing_lost_or_torn(&state, last);
        assert!(entries >= before + enough, "{entries} entries");
        before = entries;
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_chosen_operations() {
    // Counted in operations of the file: amid opening, the first commits, a group, a checkpoint.
    for at in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377] {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        drop(create(&state, Tree::default()).expect("a new one"));
        let last = acknowledged(spawn(&state, Some(at)), None);
        nothing_lost_or_torn(&state, last);
    }
}
