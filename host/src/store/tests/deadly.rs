//! Processes that end at a chosen moment, by kill -9: at an operation of their journal's file, or behind a point that the
//! host's trace tells of.

use redb::StorageBackend;
use redb::backends::FileBackend;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::Engine;
use crate::store::blobs::Blobs;
use crate::store::directory::{Directory, Seal};
use crate::store::redb::RedbBackend;
use crate::store::tests::trace::listening_everywhere;

/// The engine of a process that is to end: its last words are what readers outside see of it.
pub(super) static ENGINE: OnceLock<Engine> = OnceLock::new();

/// The moment at which a process ends.
#[derive(Debug)]
pub(super) struct Fate {
    armed: AtomicBool,
    operation: Operation,
    left: AtomicU64,
}

/// What a process does to its file. A write counts twice: before it, and in the middle of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Any,
    Write,
    Sync,
}

/// A file whose process meets its fate.
#[derive(Debug)]
struct Deadly {
    file: FileBackend,
    fate: Arc<Fate>,
}

impl Fate {
    /// Before the so many-th operation.
    pub(super) fn at(operation: Operation, count: u64) -> Arc<Self> {
        Arc::new(Self {
            armed: AtomicBool::new(true),
            operation,
            left: AtomicU64::new(count),
        })
    }

    /// Where the trace has said something so many times: at once, or before an operation that comes behind it.
    pub(super) fn behind(
        message: &'static str,
        times: u64,
        then: Option<(Operation, u64)>,
    ) -> Arc<Self> {
        let (operation, count) = then.unwrap_or((Operation::Any, 0));
        let fate = Self::at(operation, count);
        fate.armed.store(false, Ordering::SeqCst);
        let (told, times) = (fate.clone(), AtomicU64::new(times));
        listening_everywhere(move |said| {
            if said == message && times.fetch_sub(1, Ordering::SeqCst) == 1 {
                told.armed.store(true, Ordering::SeqCst);
                if then.is_none() {
                    die();
                }
            }
        });
        fate
    }

    fn step(&self, operation: Operation) {
        if self.armed.load(Ordering::SeqCst)
            && (self.operation == Operation::Any || self.operation == operation)
            && self.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            die();
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
        self.fate.step(Operation::Any);
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fate.step(Operation::Sync);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.fate.step(Operation::Write);
        // Half of it first: what is killed in the middle of a write leaves that.
        let half = data.len() / 2;
        self.file.write(offset, &data[..half])?;
        self.fate.step(Operation::Write);
        self.file.write(offset + half as u64, &data[half..])
    }
}

/// The journal in a state directory, on a file whose process meets its fate.
pub(super) fn deadly_backend(state: &Path, fate: Arc<Fate>) -> RedbBackend {
    let file = File::options()
        .read(true)
        .write(true)
        .open(state.join("journal.redb"));
    let storage = Deadly {
        file: FileBackend::new(file.expect("a journal")).expect("a file"),
        fate,
    };
    let directory = Directory::lock(state).expect("nobody else has it open");
    let backend = RedbBackend::on_storage(storage, Seal::In(directory)).expect("it opens");
    backend.with_blobs(Blobs::of(state))
}

/// Ends this process.
fn die() {
    if let Some(engine) = ENGINE.get() {
        say(&format!("seen {}", engine.context().version));
    }
    kill(std::process::id());
    // The signal is on its way.
    loop {
        std::thread::park();
    }
}

pub(super) fn kill(id: u32) {
    let id = i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let id = id.expect("a process");
    rustix::process::kill_process(id, rustix::process::Signal::KILL).expect("it runs");
}

/// Tells whoever started this process.
pub(super) fn say(words: &str) {
    // The test's own runner leaves its first line unfinished; in one write, so that no line is cut short.
    let line = format!("\n> {words}\n");
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes()).expect("somebody listens");
    out.flush().expect("somebody listens");
}

/// The words of a line that a child wrote with [`say`]; none where it is another line.
pub(super) fn said(line: &str) -> Option<Vec<&str>> {
    Some(line.strip_prefix("> ")?.split(' ').collect())
}

/// One of these tests as a process of its own.
pub(super) fn test_as_process(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command
        .args(["--exact", name, "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}
