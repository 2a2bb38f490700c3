//! The journal: a store over rows that are written together or not at all.

use super::backend::{Backend, Rows};
use super::chain::{self, Hash};
use super::entry::{CommitId, Entry};
use super::error::{Damage, StoreError};
use super::fields::{Fields, Malformed, decode, map};
use super::ledger::{self, CheckpointRow, Ledger};
use super::state::{State, hash_of};
use super::sweep;
use super::{Commit, Kept, Outcome, Position, Status, Store, StoreLimits};
use crate::receipt::Durability;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use theus_core::codec;
use theus_core::transaction::Snapshot;
use theus_core::value::Value;

/// A store over a backend.
pub(super) struct Journal<B> {
    backend: B,
    settings: Settings,
    ledger: Mutex<Ledger>,
    kept: Mutex<Position>,
    arrived: Condvar,
    failed: OnceLock<String>,
}

/// What an operator may choose, and tests do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) limits: StoreLimits,
    /// Bytes of records for which a checkpoint is not worth while.
    pub(super) least_bytes: u64,
}

/// The format that is written, and the only one that is read.
pub(super) const FORMAT: u64 = 2;

/// Records that are read at once.
pub(super) const PAGE: usize = 1_024;

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: StoreLimits {
                entry_bytes: 1 << 30,
                batch: 1_024,
            },
            least_bytes: 4 << 20,
        }
    }
}

impl<B: Backend> Journal<B> {
    /// Begins a journal on empty rows.
    pub(super) fn create(
        backend: B,
        initial: State,
        settings: Settings,
    ) -> Result<Self, StoreError> {
        let (ledger, checkpoint, unkept) = Ledger::begin(initial);
        let kept = keep_all(&backend, &unkept)?;
        backend.write(&Rows {
            head: head_row(&ledger.position()),
            checkpoint: Some(checkpoint),
            ..Rows::default()
        })?;
        backend.blobs().settle(kept);
        backend.seal(0)?;
        Ok(Self::new(backend, ledger, settings))
    }

    /// Opens a journal: the last checkpoint and the records behind it, all of which must be as they were written.
    ///
    /// `progress` is told the record that was read last, and the last one there is.
    pub(super) fn open(
        backend: B,
        settings: Settings,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, StoreError> {
        let head = read_head(&backend)?;
        let sealed = backend.sealed()?;
        backend.blobs().tidy()?;
        let row = last_checkpoint(&backend, u64::MAX)?;
        let mut ledger = Ledger::at(&row, backend.blobs())?;
        follow_to(&backend, &mut ledger, u64::MAX, |seq| {
            progress(seq, head.seq);
        })?;
        let position = ledger.position();
        let known = head.seq.max(sealed);
        if position.seq < known {
            let found = position.seq;
            return Err(StoreError::Damaged(Damage::Short { found, known }));
        }
        if position != head {
            let damage = "its last record is not the one that it names as its last".into();
            return Err(StoreError::Damaged(Damage::File(damage)));
        }
        Ok(Self::new(backend, ledger, settings))
    }

    fn new(backend: B, ledger: Ledger, settings: Settings) -> Self {
        Self {
            backend,
            settings,
            kept: Mutex::new(ledger.position()),
            ledger: Mutex::new(ledger),
            arrived: Condvar::new(),
            failed: OnceLock::new(),
        }
    }

    /// Writes rows; an error leaves open whether they are there, so nothing is written behind one.
    fn write(&self, rows: &Rows) -> Result<(), StoreError> {
        let written = self.backend.write(rows);
        if let Err(error) = &written {
            let _ = self.failed.set(error.to_string());
        }
        written
    }

    fn sound(&self) -> Result<(), StoreError> {
        match self.failed.get() {
            None => Ok(()),
            Some(error) => Err(StoreError::Poisoned(error.clone())),
        }
    }

    fn write_checkpoint(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        let (checkpoint, encoded) = ledger.checkpoint();
        let kept = keep_all(&self.backend, &encoded.unkept)?;
        ledger.passed(encoded);
        tracing::debug!(seq = checkpoint.seq, "a checkpoint is made");
        self.write(&Rows {
            head: head_row(&ledger.position()),
            checkpoint: Some(checkpoint),
            ..Rows::default()
        })?;
        tracing::debug!("the checkpoint lasts");
        self.backend.blobs().settle(kept);
        Ok(())
    }

    /// Where the oldest state stands that is still there.
    pub(super) fn oldest(&self) -> Result<Position, StoreError> {
        let row = self.backend.checkpoint_from(0)?.ok_or_else(no_checkpoint)?;
        ledger::position_of(&row).map_err(StoreError::Damaged)
    }

    /// Has the large values of an entry kept as blobs where whoever commits it has not seen to that.
    fn keep_heavy(&self, entry: &mut Entry) -> Result<(), StoreError> {
        let blobs = self.backend.blobs();
        let mut values = entry.heavy_values();
        if !entry.heavy.is_empty() && values.all(|it| blobs.is_claimed(it.digest)) {
            return Ok(());
        }
        drop(values);
        entry.keep_heavy(|bytes| blobs.keep(bytes))
    }

    /// The record behind which a version is the current one.
    fn seq_of(&self, version: u64) -> Result<u64, StoreError> {
        let newest = self.kept().version;
        if version > newest {
            let asked = version;
            return Err(StoreError::NoSuchVersion { asked, newest });
        }
        if let Some(seq) = self.backend.seq_of_version(version)? {
            self.check_index(seq, |entry| entry.record.version == Some(version))?;
            return Ok(seq);
        }
        let oldest = self.oldest()?;
        match version.cmp(&oldest.version) {
            std::cmp::Ordering::Equal => Ok(oldest.seq),
            std::cmp::Ordering::Less => Err(StoreError::Compacted {
                asked: version,
                oldest: oldest.version,
            }),
            std::cmp::Ordering::Greater => Err(StoreError::Damaged(Damage::File(format!(
                "the record that made version {version} is missing"
            )))),
        }
    }

    /// Looks whether an index names the right record: no checksum covers an index.
    fn check_index(&self, seq: u64, is_meant: impl Fn(&Entry) -> bool) -> Result<(), StoreError> {
        let found = entries(&self.backend, seq.saturating_sub(1), 1)?;
        let is_there = |kept: &Kept| kept.entry.record.seq == seq && is_meant(&kept.entry);
        if found.first().is_some_and(is_there) {
            return Ok(());
        }
        let problem = format!("an index names record {seq} for what is not there");
        Err(StoreError::Damaged(Damage::File(problem)))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Position> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn backend(&self) -> &B {
        &self.backend
    }

    pub(super) fn into_backend(self) -> B {
        self.backend
    }
}

impl<B: Backend + 'static> Store for Journal<B> {
    fn head(&self) -> Position {
        *self.kept()
    }

    fn state(&self) -> State {
        self.ledger().state.clone()
    }

    fn begin(&self, version: u64) -> Result<Snapshot, StoreError> {
        let seq = self.seq_of(version)?;
        let row = last_checkpoint(&self.backend, seq)?;
        let mut ledger = Ledger::at(&row, self.backend.blobs())?;
        follow_to(&self.backend, &mut ledger, seq, |_| {})?;
        if ledger.position().seq < seq {
            return Err(StoreError::Damaged(Damage::Gap(ledger.position().seq + 1)));
        }
        Ok(ledger.state.context)
    }

    fn commit(&self, mut commits: Vec<Commit>) -> Result<Vec<Outcome>, StoreError> {
        for commit in &mut commits {
            self.keep_heavy(&mut commit.entry)?;
        }
        let heavy = commits.iter().flat_map(|it| it.entry.heavy_values());
        let heavy: Vec<_> = heavy.map(|it| it.digest).collect();
        let mut ledger = self.ledger();
        self.sound()?;
        // Before the ledger moves: what cannot be looked up must not leave it half way.
        let known: Result<Vec<_>, _> = commits
            .iter()
            .map(|commit| self.backend.seq_of_id(commit.entry.id.as_bytes()))
            .collect();
        let mut rows = Rows::default();
        let mut outcomes = Vec::with_capacity(commits.len());
        for (commit, known) in commits.into_iter().zip(known?) {
            let id = commit.entry.id.as_bytes();
            let earlier = rows.records.iter().find(|row| row.id == *id);
            if let Some(seq) = known.or(earlier.map(|row| row.seq)) {
                outcomes.push(Outcome::Known(seq));
                continue;
            }
            match ledger.take(commit, &self.settings.limits) {
                Ok(row) => {
                    rows.records.push(row);
                    outcomes.push(Outcome::Kept(ledger.position()));
                }
                Err(refused) => outcomes.push(refused),
            }
        }
        if rows.records.is_empty() {
            self.backend.blobs().settle(heavy);
            return Ok(outcomes);
        }
        let position = ledger.position();
        rows.head = head_row(&position);
        self.write(&rows)?;
        self.backend.blobs().settle(heavy);
        *self.kept() = position;
        drop(ledger);
        self.arrived.notify_all();
        Ok(outcomes)
    }

    fn status(&self, id: CommitId) -> Result<Status, StoreError> {
        let Some(seq) = self.backend.seq_of_id(id.as_bytes())? else {
            return Ok(Status::Absent);
        };
        self.check_index(seq, |entry| entry.id == id)?;
        Ok(Status::Kept { seq })
    }

    fn entries(&self, after: u64, most: usize) -> Result<Vec<Kept>, StoreError> {
        entries(&self.backend, after, most)
    }

    fn watch(&self, after: u64, timeout: Duration) -> Result<Vec<Kept>, StoreError> {
        let deadline = Instant::now().checked_add(timeout);
        let mut kept = self.kept();
        while kept.version <= after {
            let left = deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Ok(Vec::new());
            }
            let waited = self.arrived.wait_timeout(kept, left);
            kept = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(kept);
        let mut seq = self.seq_of(after)?;
        loop {
            let page = self.entries(seq, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(Vec::new());
            };
            seq = last.entry.record.seq;
            let commits = page.into_iter().filter(|kept| kept.entry.commits());
            let commits: Vec<Kept> = commits.collect();
            if !commits.is_empty() {
                return Ok(commits);
            }
        }
    }

    fn keep_blob(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        self.backend.blobs().keep(bytes)
    }

    fn blob(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.backend.blobs().read(digest)
    }

    fn tend(&self) -> Result<(), StoreError> {
        let mut ledger = self.ledger();
        if !ledger.is_checkpoint_due(self.settings.least_bytes) {
            return Ok(());
        }
        self.sound()?;
        self.write_checkpoint(&mut ledger)?;
        self.backend.seal(ledger.position().seq)
    }

    fn compact(&self, version: u64) -> Result<u64, StoreError> {
        let mut ledger = self.ledger();
        self.sound()?;
        let position = ledger.position();
        if version >= position.version && ledger.has_grown() {
            self.write_checkpoint(&mut ledger)?;
        }
        let seq = match self.seq_of(version.min(position.version)) {
            Ok(_) if version >= position.version => position.seq,
            Ok(seq) => seq,
            Err(StoreError::Compacted { oldest, .. }) => return Ok(oldest),
            Err(error) => return Err(error),
        };
        let row = last_checkpoint(&self.backend, seq)?;
        tracing::debug!(seq = row.seq, "old records are let go");
        self.write(&Rows {
            head: head_row(&position),
            forget: Some(row.seq),
            ..Rows::default()
        })?;
        tracing::debug!("old records are gone");
        // With the ledger held: so nothing is committed meanwhile.
        sweep::sweep(&self.backend)?;
        Ok(self.oldest()?.version)
    }

    fn close(&self) -> Result<(), StoreError> {
        let seq = self.kept().seq;
        self.backend.seal(seq)
    }

    fn limits(&self) -> StoreLimits {
        self.settings.limits
    }

    fn durability(&self) -> Durability {
        B::DURABILITY
    }
}

/// Entries behind a number, in order, at most `most`; each as it was written.
pub(super) fn entries<B: Backend>(
    backend: &B,
    after: u64,
    most: usize,
) -> Result<Vec<Kept>, StoreError> {
    let mut next = after.saturating_add(1);
    let frames = backend.records(next, most)?;
    let mut entries = Vec::with_capacity(frames.len());
    for (seq, frame) in frames {
        // The first records may be gone by compaction; none between two others.
        if seq != next && !entries.is_empty() {
            return Err(StoreError::Damaged(Damage::Gap(next)));
        }
        let (hash, record) = chain::open(seq, &frame).map_err(StoreError::Damaged)?;
        let entry = ledger::read(seq, record, backend.blobs())?;
        entries.push(Kept { entry, hash });
        next = seq + 1;
    }
    Ok(entries)
}

/// Follows the records behind a ledger, up to and including one, as far as they are there.
fn follow_to<B: Backend>(
    backend: &B,
    ledger: &mut Ledger,
    last: u64,
    mut followed: impl FnMut(u64),
) -> Result<(), StoreError> {
    loop {
        let from = ledger.position().seq + 1;
        let page = backend.records(from, PAGE)?;
        let len = page.len();
        for (seq, frame) in page {
            if seq > last {
                return Ok(());
            }
            ledger.follow(seq, &frame, backend.blobs())?;
            followed(seq);
        }
        if len < PAGE {
            return Ok(());
        }
    }
}

/// Keeps blobs; their digests.
fn keep_all<B: Backend>(backend: &B, unkept: &[Vec<u8>]) -> Result<Vec<Hash>, StoreError> {
    unkept.iter().map(|it| backend.blobs().keep(it)).collect()
}

fn last_checkpoint<B: Backend>(backend: &B, seq: u64) -> Result<CheckpointRow, StoreError> {
    backend.checkpoint_before(seq)?.ok_or_else(no_checkpoint)
}

pub(super) fn no_checkpoint() -> StoreError {
    StoreError::Damaged(Damage::File("it has no checkpoint to begin from".into()))
}

pub(super) fn head_row(position: &Position) -> Vec<u8> {
    let value = map([
        ("format", Value::unsigned(FORMAT)),
        ("seq", Value::unsigned(position.seq)),
        ("version", Value::unsigned(position.version)),
        ("hash", Value::from(position.hash.as_bytes().to_vec())),
    ]);
    chain::plain_frame(&codec::encode_all(&value))
}

/// The row that names the last record, in a format that this host knows.
pub(super) fn read_head<B: Backend>(backend: &B) -> Result<Position, StoreError> {
    let damaged = |problem: &str| StoreError::Damaged(Damage::File(problem.into()));
    let row = backend.head()?;
    let row = row.ok_or_else(|| damaged("it does not say where it ends"))?;
    let bytes = chain::open_plain(&row)
        .ok_or_else(|| damaged("what says where it ends does not match its checksum"))?;
    let value = decode(bytes).map_err(|problem| damaged(&problem))?;
    let malformed = |it: Malformed| damaged(&it.to_string());
    let fields = Fields::of(&value).map_err(malformed)?;
    // First of all: what else is there depends on it.
    let found = fields.number("format").map_err(malformed)?;
    if found != FORMAT {
        return Err(StoreError::Format {
            found,
            known: FORMAT,
        });
    }
    let position = || -> Result<Position, Malformed> {
        Ok(Position {
            seq: fields.number("seq")?,
            version: fields.number("version")?,
            hash: hash_of(&fields, "hash")?,
        })
    };
    position().map_err(malformed)
}
