//! A state of a million commits: how long it takes to open, and what its values take in memory.

use super::{Effort, context, folder, set};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use theus_core::transaction::{Effect, Write};
use theus_host::store::{self, Commit, CommitId, Entry, Outcome, Store};
use theus_host::{Engine, Value};

const COMMITS: usize = 1_000_000;
const ROUNDS: usize = 5;

pub(crate) fn run(effort: Effort) -> Result<()> {
    let folder = folder()?;
    let commits = effort.of(COMMITS);
    for (name, keys) in [("as many values", commits), ("1,000 values", 1_000)] {
        let (closed, crashed) = (folder.path().join("closed"), folder.path().join("crashed"));
        let start = Instant::now();
        make(&closed, commits, keys, &crashed)?;
        let seconds = start.elapsed().as_secs_f64();
        let bytes = fs::metadata(closed.join("journal.redb"))?.len();
        println!(
            "{commits} commits, {name}: made in {seconds:.0} s, {} MiB, {} bytes per commit",
            bytes >> 20,
            bytes / commits as u64
        );
        // A crash is one only until it is opened: then the file is in order.
        let (after, _) = opened(&crashed)?;
        let mut seconds = Vec::new();
        let mut grown = 0;
        for _ in 0..ROUNDS {
            let (took, kib) = opened(&closed)?;
            seconds.push(took);
            grown = kib;
        }
        seconds.sort_by(f64::total_cmp);
        println!(
            "  open, closed in order: {:.2} s (median of {ROUNDS})",
            seconds[ROUNDS / 2]
        );
        println!("  open, after a crash: {after:.2} s (once)");
        print!("  resident memory of the open state: {} MiB", grown >> 10);
        if keys == commits {
            print!(", {} bytes per value", grown * 1_024 / keys as u64);
        }
        println!();
        fs::remove_dir_all(&closed)?;
        fs::remove_dir_all(&crashed)?;
    }
    println!("aim: 2 s");
    Ok(())
}

/// A state of so many commits, each of one value, and a copy of it as a crash leaves it.
fn make(state: &Path, commits: usize, keys: usize, crashed: &Path) -> Result<()> {
    let entry = an_entry()?;
    let store = store::create(state, context()?)?;
    let batch = store.limits().batch;
    for first in (0..commits).step_by(batch) {
        let group = (first..commits.min(first + batch)).map(|number| {
            let mut entry = entry.clone();
            entry.id = CommitId::from_bytes((number as u128).to_be_bytes());
            let path = format!("domain.values.key{}", number % keys);
            entry.writes = vec![Write {
                path: theus_core::path::Path::parse(&path)?,
                effect: Effect::Set(Value::from(i64::try_from(number)?)),
            }];
            Ok(Commit::new(entry))
        });
        let outcomes = store.commit(group.collect::<Result<_>>()?)?;
        ensure!(
            outcomes.iter().all(|it| matches!(it, Outcome::Kept(_))),
            "{outcomes:?}"
        );
        store.tend()?;
    }
    fs::create_dir_all(crashed)?;
    for name in ["journal.redb", "seal"] {
        fs::copy(state.join(name), crashed.join(name))?;
    }
    store.close()?;
    Ok(())
}

/// An entry as an engine makes it.
fn an_entry() -> Result<Entry> {
    let store: Arc<dyn Store> = store::memory(context()?)?;
    let engine = Engine::builder().store(store.clone()).build()?;
    set(&engine, "key", 0)?;
    let kept = store.entries(0, 1)?.pop().context("it is kept")?;
    let mut entry = kept.entry;
    entry.record.read_version = None;
    Ok(entry)
}

/// Opens a state in a process of its own: seconds, and KiB of resident memory that it took.
fn opened(state: &Path) -> Result<(f64, u64)> {
    let mut word = std::ffi::OsString::from("open=");
    word.push(state);
    let out = Command::new(std::env::current_exe()?).arg(word).output()?;
    ensure!(out.status.success(), "{out:?}");
    let text = String::from_utf8(out.stdout)?;
    let (seconds, kib) = text.trim().split_once(' ').context("two numbers")?;
    Ok((seconds.parse()?, kib.parse()?))
}

/// What [`opened`] starts.
pub(crate) fn once(state: &Path) -> Result<()> {
    let before = resident_kib()?;
    let start = Instant::now();
    let store = store::open(state, |_, _| {})?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{seconds} {}", resident_kib()?.saturating_sub(before));
    drop(store);
    Ok(())
}

fn resident_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")
        .context("resident memory is read from Linux's /proc")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
