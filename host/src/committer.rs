//! The committer: takes what runs did, in the order of their commits, and keeps it in groups in a store.
//!
//! A commit is *ordered* when the head has it: then its locks are released, and the next run may read it. It *lasts* once
//! the store has it. Receipts wait for that, and so do readers outside, signals and messages; whatever read what was
//! ordered waits behind it, because its own entry comes later. One thread drains the queue: while it syncs one group, the
//! next one gathers.

use crate::receipt::Durability;
use crate::store::{Commit, CommitId, Entry, Hash, Outcome, Position, Store, StoreError};
use crate::subscription::Subscribers;
use arc_swap::ArcSwap;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use theus_core::transaction::{Signal, Snapshot};

/// The queue in front of a store, and the thread that drains it. Dropped, it keeps what is queued and closes the store.
pub(crate) struct Committer {
    inner: Arc<Inner>,
    state: Hash,
    thread: Option<JoinHandle<()>>,
}

struct Inner {
    store: Arc<dyn Store>,
    durability: Durability,
    subscribers: Arc<Subscribers>,
    /// The last version that lasts: what readers outside see.
    lasting: ArcSwap<Snapshot>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    kept: Condvar,
    /// Ids of this life of the engine: nobody else's, and no two the same.
    life: [u8; 8],
}

struct Queue {
    waiting: VecDeque<Waiting>,
    /// The number of the last entry that was handed over.
    ordered: u64,
    kept: Position,
    failed: Option<StoreError>,
    closing: bool,
}

struct Waiting {
    entry: Entry,
    made: Option<Made>,
}

/// What a commit made.
pub(crate) struct Made {
    pub(crate) context: Arc<Snapshot>,
    pub(crate) signals: Vec<Signal>,
}

/// Entries that a buffered engine may be ahead of its disk.
const AHEAD: u64 = 1_024;

impl Committer {
    /// Starts the thread over a store whose head is the engine's.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        durability: Durability,
        context: Snapshot,
        subscribers: Arc<Subscribers>,
    ) -> Result<Self, StoreError> {
        let io = |error: &dyn std::fmt::Display| StoreError::Io(error.to_string());
        let mut life = [0; 8];
        getrandom::fill(&mut life).map_err(|error| io(&error))?;
        let kept = store.head();
        let state = store.state().id();
        let inner = Arc::new(Inner {
            durability: match store.durability() {
                Durability::Memory => Durability::Memory,
                _ => durability,
            },
            store,
            subscribers,
            lasting: ArcSwap::from_pointee(context),
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                ordered: kept.seq,
                kept,
                failed: None,
                closing: false,
            }),
            arrived: Condvar::new(),
            kept: Condvar::new(),
            life,
        });
        let thread = std::thread::Builder::new()
            .name("theus-committer".into())
            .spawn({
                let inner = inner.clone();
                move || {
                    let _told = ToldOfPanics(&inner);
                    inner.drain();
                }
            })
            .map_err(|error| io(&error))?;
        Ok(Self {
            inner,
            state,
            thread: Some(thread),
        })
    }

    /// What an acknowledged commit survives.
    pub(crate) fn durability(&self) -> Durability {
        self.inner.durability
    }

    /// The last version that lasts.
    pub(crate) fn lasting(&self) -> Arc<Snapshot> {
        self.inner.lasting.load_full()
    }

    /// The id of the state that the store holds.
    pub(crate) fn state_id(&self) -> Hash {
        self.state
    }

    /// The last entry that lasts.
    pub(crate) fn lasting_position(&self) -> Position {
        self.inner.queue().kept
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Fails where nothing more is kept.
    pub(crate) fn sound(&self) -> Result<(), StoreError> {
        self.inner.queue().failed.clone().map_or(Ok(()), Err)
    }

    /// Hands an entry over. Commits come in the order of their versions: under whatever orders those. Its number.
    pub(crate) fn order(&self, mut entry: Entry, made: Option<Made>) -> u64 {
        let mut queue = self.inner.queue();
        queue.ordered += 1;
        let seq = queue.ordered;
        if entry.id == CommitId::UNNAMED {
            entry.id = self.id(seq);
        }
        // Whatever waits behind an error is told of it, and of nothing else.
        if queue.failed.is_none() {
            queue.waiting.push_back(Waiting { entry, made });
        }
        drop(queue);
        self.inner.arrived.notify_one();
        seq
    }

    /// The number of the last entry that was handed over: who has read the head depends on no later one.
    pub(crate) fn ordered(&self) -> u64 {
        self.inner.queue().ordered
    }

    /// Waits until an entry lasts, however the engine is set. The end of the journal then.
    pub(crate) fn wait_until_kept(&self, seq: u64) -> Result<Position, StoreError> {
        self.wait_for(seq, seq)
    }

    /// Waits until an entry lasts; a buffered engine waits only where it is too far ahead. The end of the journal then.
    pub(crate) fn wait(&self, seq: u64) -> Result<Position, StoreError> {
        let enough = match self.inner.durability {
            Durability::Buffered => seq.saturating_sub(AHEAD),
            _ => seq,
        };
        self.wait_for(seq, enough)
    }

    fn wait_for(&self, seq: u64, enough: u64) -> Result<Position, StoreError> {
        let inner = &*self.inner;
        let mut queue = inner.queue();
        while queue.kept.seq < enough && queue.failed.is_none() {
            let waited = inner.kept.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
        match &queue.failed {
            Some(error) if queue.kept.seq < seq => Err(error.clone()),
            _ => Ok(queue.kept),
        }
    }

    fn id(&self, seq: u64) -> CommitId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.inner.life);
        bytes[8..].copy_from_slice(&seq.to_be_bytes());
        CommitId::from_bytes(bytes)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.inner.queue().closing = true;
        self.inner.arrived.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the committer panicked: the end of the journal is open");
        }
    }
}

/// Nobody waits for a thread that is gone.
struct ToldOfPanics<'a>(&'a Inner);

impl Drop for ToldOfPanics<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fail(StoreError::Poisoned("the committer panicked".into()));
        }
    }
}

impl Inner {
    /// Keeps group after group until the engine is gone, or the store takes no more.
    fn drain(&self) {
        let most = self.store.limits().batch.max(1);
        loop {
            let Some(group) = self.next_group(most) else {
                break;
            };
            if let Err(error) = self.keep(group) {
                self.fail(error);
                return;
            }
            // Nobody waits for this: what is acknowledged is kept already.
            if let Err(error) = self.store.tend() {
                self.fail(error);
                return;
            }
        }
        if let Err(error) = self.store.close() {
            tracing::warn!(%error, "the state was not sealed");
        }
    }

    fn next_group(&self, most: usize) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        while queue.waiting.is_empty() {
            if queue.closing {
                return None;
            }
            let waited = self.arrived.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let len = queue.waiting.len().min(most);
        Some(queue.waiting.drain(..len).collect())
    }

    fn keep(&self, group: Vec<Waiting>) -> Result<(), StoreError> {
        let mut made = Vec::with_capacity(group.len());
        let commits: Vec<Commit> = group
            .into_iter()
            .map(|waiting| {
                let after = waiting.made.as_ref().map(|it| Snapshot::clone(&it.context));
                made.push(waiting.made);
                Commit {
                    entry: waiting.entry,
                    after,
                }
            })
            .collect();
        let first = self.queue().kept.seq + 1;
        tracing::debug!(entries = commits.len(), "a group is taken");
        let outcomes = self.store.commit(commits)?;
        tracing::debug!("the group lasts");
        let mut kept = None;
        for ((outcome, made), seq) in outcomes.into_iter().zip(&made).zip(first..) {
            // The head has ordered it, and the locks have ruled out that what it read has changed: there is one answer.
            match (outcome, made) {
                (Outcome::Kept(position), Some(made))
                    if position.seq == seq && position.version == made.context.version =>
                {
                    kept = Some(position);
                }
                (Outcome::Kept(position), None) if position.seq == seq => kept = Some(position),
                (other, _) => {
                    let problem = format!("entry {seq} was ordered, and the store says {other:?}");
                    return Err(StoreError::Poisoned(problem));
                }
            }
        }
        for made in made.into_iter().flatten() {
            self.lasting.store(made.context.clone());
            self.subscribers
                .publish(made.context.version, &made.signals);
        }
        tracing::debug!("the group is published");
        if let Some(position) = kept {
            self.queue().kept = position;
        }
        self.kept.notify_all();
        Ok(())
    }

    /// Tells everybody who waits, and everybody from now on.
    fn fail(&self, error: StoreError) {
        tracing::error!(%error, "the state takes nothing more");
        let mut queue = self.queue();
        queue.failed = Some(error);
        queue.waiting.clear();
        drop(queue);
        self.kept.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
