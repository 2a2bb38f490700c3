//! Memory over many calls, a context of a million keys, the start of the binary.

use super::Effort;
use super::calls::{arguments, engine};
use super::guests;
use super::rounds::figures;
use anyhow::{Context as _, Result, ensure};
use std::process::{Command, Stdio};
use std::time::Instant;
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};
use theus_host::Policy;

const CALLS: usize = 1_000_000;
const STARTS: usize = 40;
const KEYS: i64 = 1_000_000;

pub(crate) fn run(effort: Effort) -> Result<()> {
    calls(effort)?;
    keys()?;
    start(effort)
}

/// Resident memory before and after a million calls.
fn calls(effort: Effort) -> Result<()> {
    let component = guests::component("reference")?;
    let engine = engine(Some(super::calls::RECIPE), 0)?;
    engine.register(component, Policy::as_declared())?;
    let args = arguments();
    let run = |calls: usize| -> Result<()> {
        for _ in 0..calls {
            engine.run("reference", args.clone())?;
        }
        Ok(())
    };
    // Until the ring of records is full and every buffer has its size.
    run(5_000)?;
    let before = resident_kib()?;
    let calls = effort.rounds(CALLS);
    run(calls)?;
    let after = resident_kib()?;
    let growth = i64::try_from(after)? - i64::try_from(before)?;
    println!("resident memory: {before} KiB, after {calls} further calls {growth:+} KiB");
    Ok(())
}

/// A context of a million keys: memory per key, a snapshot, a commit.
fn keys() -> Result<()> {
    let before = resident_kib()?;
    let map: Map = (0..KEYS)
        .map(|it| (format!("key{it}"), Value::Int(it)))
        .collect();
    let domain: Map = [("value", Value::Map(map))].into_iter().collect();
    let mut head = Snapshot {
        version: 0,
        tree: Tree::new(Map::new(), domain),
    };
    let bytes = (resident_kib()? - before) as f64 * 1024.0 / KEYS as f64;
    let path = Path::parse("domain.value.key500000")?;
    let (mut snapshots, mut commits) = (Vec::new(), Vec::new());
    for round in 0..2_000 {
        let start = Instant::now();
        let snapshot = head.clone();
        snapshots.push(start.elapsed().as_secs_f64() * 1e6);
        let start = Instant::now();
        let mut transaction = Transaction::begin(snapshot);
        transaction.set(path.clone(), Value::Int(round))?;
        head = transaction.commit(&head)?;
        commits.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let (snapshot, commit) = (figures(&mut snapshots), figures(&mut commits));
    println!(
        "a context of {KEYS} keys: {bytes:.0} bytes per key, snapshot {:.2} us, set and commit {:.2} us (medians)",
        snapshot.median, commit.median
    );
    Ok(())
}

/// From the start of the binary to the result of a run, its compiled code in the cache and not.
fn start(effort: Effort) -> Result<()> {
    let guest = theus_host::build::Build::new("../guests/warehouse")
        .diagnostics(theus_host::build::Diagnostics::Hide)
        .run()?;
    let cache = tempfile::tempdir()?;
    let run = |more: &[&str]| -> Result<f64> {
        let start = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_theus-host"))
            .env("XDG_CACHE_HOME", cache.path())
            .args(["run", "--context", "../guests/warehouse/context.yaml"])
            .arg(&guest.wasm)
            .args(["add_product", "product_name=TV", "price=500"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("starting the binary")?;
        ensure!(status.success(), "the run ended with {status}");
        Ok(start.elapsed().as_secs_f64() * 1e6)
    };
    run(&[])?;
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds(STARTS) {
        warm.push(run(&[])?);
        cold.push(run(&["--no-cache"])?);
    }
    let (warm, cold) = (figures(&mut warm), figures(&mut cold));
    println!(
        "start of the binary to the result: {:.1} ms with its code in the cache, {:.1} ms without (medians); aim: 30 ms",
        warm.median / 1e3,
        cold.median / 1e3
    );
    Ok(())
}

/// Resident memory of this process in KiB, as Linux has it.
fn resident_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")
        .context("resident memory is read from Linux's /proc")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
