//! Tests of stores: one suite for both backends, and what must not happen to a disk.

#[cfg(unix)]
mod crash;
mod damage;
#[cfg(unix)]
mod deadly;
mod directories;
mod disk;
mod faults;
mod heavy;
mod model;
#[cfg(unix)]
mod points;
mod waits;

#[cfg(unix)]
#[allow(dead_code, reason = "the integration tests use more of it")]
#[path = "../../../../tests/harness/trace.rs"]
mod trace;

use super::entry::{CommitId, Entry};
use super::journal::{Journal, Settings};
use super::memory::MemoryBackend;
use super::redb::RedbBackend;
use super::state::State;
use super::{Commit, Hash, Outcome, Store, StoreError, StoreLimits};
use crate::receipt;
use crate::record::{Actor, Record};
use disk::Disk;
use std::time::Duration;
use theus_core::context_guard::Mode;
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::Value;

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

fn tree(json: &str) -> Tree {
    let domain: Value = serde_json::from_str(json).expect(json);
    let mut tree = Tree::default();
    tree.set(&path("domain"), domain).expect("a map");
    tree
}

fn id(number: u128) -> CommitId {
    CommitId::from_bytes(number.to_be_bytes())
}

/// How often a test hurts a store: as often as in every run of the tests, or as `THEUS_CRASH_ROUNDS` says, for long.
fn rounds(usual: usize) -> usize {
    match std::env::var("THEUS_CRASH_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("THEUS_CRASH_ROUNDS is a number"),
        Err(_) => usual,
    }
}

/// Checkpoints come often, so that small journals have some.
fn settings() -> Settings {
    Settings {
        limits: StoreLimits {
            entry_bytes: 1 << 20,
            batch: 16,
        },
        least_bytes: 3_000,
    }
}

/// The same for an engine, which keeps a part of every entry for what is bounded by itself.
fn settings_for_an_engine() -> Settings {
    Settings {
        limits: Settings::default().limits,
        ..settings()
    }
}

/// Checkpoints never come by themselves.
fn without_checkpoints() -> Settings {
    Settings {
        least_bytes: u64::MAX,
        ..settings()
    }
}

fn record() -> Record {
    let actor = Actor::Process {
        name: "add".into(),
        digest: Some("sha256:00".into()),
    };
    Record::of(actor, Mode::Strict, Duration::from_nanos(1_234))
}

/// An entry that wrote what `write` writes on a version.
fn entry(
    number: u128,
    base: &Snapshot,
    reads: &[&str],
    write: impl FnOnce(&mut Transaction),
) -> Entry {
    let mut transaction = Transaction::begin(base.clone());
    write(&mut transaction);
    let mut entry = Entry::new(id(number), record());
    entry.record.outcome = receipt::Outcome::Committed;
    entry.record.read_version = Some(base.version);
    entry.reads = reads.iter().map(|it| path(it)).collect();
    entry.writes = transaction.writes().to_vec();
    entry.outbox = transaction.outbox().to_vec();
    entry
}

fn set(number: u128, base: &Snapshot, place: &str, value: i64) -> Commit {
    Commit::new(entry(number, base, &[place], |transaction| {
        transaction
            .set(path(place), Value::Int(value))
            .expect("it fits");
    }))
}

fn kept(outcomes: Result<Vec<Outcome>, StoreError>) -> bool {
    let outcomes = outcomes.expect("the store is sound");
    outcomes.iter().all(|it| matches!(it, Outcome::Kept(_)))
}

fn on_disk(disk: &Disk, settings: Settings) -> Result<Journal<RedbBackend>, StoreError> {
    on_disk_sealed(disk, settings, 0)
}

fn on_disk_sealed(
    disk: &Disk,
    settings: Settings,
    sealed: u64,
) -> Result<Journal<RedbBackend>, StoreError> {
    let backend = RedbBackend::on_storage(disk.storage(), super::directory::Seal::Fixed(sealed))?;
    Journal::open(backend, settings, &mut |_, _| {})
}

fn created_on(disk: &Disk, initial: Tree, settings: Settings) -> Journal<RedbBackend> {
    let backend = RedbBackend::on_storage(disk.storage(), super::directory::Seal::Fixed(0));
    let backend = backend.expect("an empty disk");
    Journal::create(
        backend,
        State::named(Hash::of_bytes(b"a state"), initial),
        settings,
    )
    .expect("an empty disk")
}

fn in_memory(initial: Tree, settings: Settings) -> Journal<MemoryBackend> {
    let backend = MemoryBackend::default();
    Journal::create(
        backend,
        State::named(Hash::of_bytes(b"a state"), initial),
        settings,
    )
    .expect("memory")
}
