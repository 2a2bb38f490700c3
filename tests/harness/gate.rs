//! A store that waits, or fails, when a test says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;
use theus_host::store::{
    self, Commit, CommitId, Hash, Kept, Outcome, Position, State, Status, Store, StoreError,
    StoreLimits,
};
use theus_host::{Durability, Snapshot, context_from_json};

/// A store whose commits wait until they are let through, or fail; or whose large blobs do.
pub(crate) struct Gate {
    pub(crate) inner: Arc<dyn Store>,
    waiting: Waiting,
    open: Mutex<bool>,
    opened: Condvar,
    asked: AtomicBool,
    pub(crate) failing: AtomicBool,
    pub(crate) panicking: AtomicBool,
}

/// What waits at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Commits,
    LargeBlobs,
}

/// Opens a gate when the test ends, whatever its end: the engine keeps what is queued before it is gone.
pub(crate) struct OpensAtTheEnd(pub(crate) Arc<Gate>);

impl Gate {
    pub(crate) fn shut() -> Arc<Self> {
        Self::over(r#"{"domain":{"counter":0,"hidden":"x","sig_done":null,"slots":{}}}"#)
    }

    pub(crate) fn over(context: &str) -> Arc<Self> {
        let tree = context_from_json(context).expect("a context");
        let inner = store::memory(tree).expect("a store");
        Self::of(inner, Waiting::Commits)
    }

    /// Only blobs that are large wait; commits go through.
    pub(crate) fn shut_to_large_blobs(inner: Arc<dyn Store>) -> Arc<Self> {
        Self::of(inner, Waiting::LargeBlobs)
    }

    fn of(inner: Arc<dyn Store>, waiting: Waiting) -> Arc<Self> {
        Arc::new(Self {
            inner,
            waiting,
            open: Mutex::new(false),
            opened: Condvar::new(),
            asked: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            panicking: AtomicBool::new(false),
        })
    }

    /// Waits until it was asked to keep something: of a commit, that is ordered then, and its locks are released.
    pub(crate) fn until_asked(&self) {
        while !self.was_asked() {
            thread::yield_now();
        }
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) {
        *self.open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        self.asked.store(true, Ordering::SeqCst);
        let mut open = self.open.lock().expect("no panic");
        while !*open {
            open = self.opened.wait(open).expect("no panic");
        }
    }

    fn fails(&self) -> Result<(), StoreError> {
        let panics = self.panicking.load(Ordering::SeqCst);
        assert!(!panics, "a store that panics");
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::Io("the disk is gone".into()));
        }
        Ok(())
    }
}

impl Drop for OpensAtTheEnd {
    fn drop(&mut self) {
        self.0.open();
    }
}

impl Store for Gate {
    fn head(&self) -> Position {
        self.inner.head()
    }
    fn state(&self) -> State {
        self.inner.state()
    }
    fn begin(&self, version: u64) -> Result<Snapshot, StoreError> {
        self.inner.begin(version)
    }
    fn commit(&self, commits: Vec<Commit>) -> Result<Vec<Outcome>, StoreError> {
        if self.waiting == Waiting::Commits {
            self.pass();
            self.fails()?;
        }
        self.inner.commit(commits)
    }
    fn status(&self, id: CommitId) -> Result<Status, StoreError> {
        self.inner.status(id)
    }
    fn entries(&self, after: u64, most: usize) -> Result<Vec<Kept>, StoreError> {
        self.inner.entries(after, most)
    }
    fn watch(&self, after: u64, timeout: Duration) -> Result<Vec<Kept>, StoreError> {
        self.inner.watch(after, timeout)
    }
    fn keep_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        if self.waiting == Waiting::LargeBlobs && bytes.len() > 512 << 10 {
            self.pass();
            self.fails()?;
        }
        self.inner.keep_blob(bytes)
    }
    fn blob(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.blob(digest)
    }
    fn tend(&self) -> Result<(), StoreError> {
        self.inner.tend()
    }
    fn compact(&self, version: u64) -> Result<u64, StoreError> {
        self.inner.compact(version)
    }
    fn close(&self) -> Result<(), StoreError> {
        self.inner.close()
    }
    fn limits(&self) -> StoreLimits {
        self.inner.limits()
    }
    fn durability(&self) -> Durability {
        Durability::Durable
    }
}
