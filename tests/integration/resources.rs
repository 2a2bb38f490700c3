//! What a sandbox may use up: fuel, time, memory, both stacks.

use super::limits::exceeds;
use crate::harness::engines::{Setup, commits, fails, message};
use std::time::{Duration, Instant};
use theus_host::{Limit, Outcome, Value, args};

#[test]
fn fuel_runs_out() {
    let spin = |iterations: u64| args! { "iterations" => iterations, "key" => "a" };
    let setup = |fuel| Setup::probe().limits(|limits| limits.fuel = fuel).engine();
    let used = commits(&setup(1_000_000_000), "spin_for", spin(1_000))
        .stats
        .fuel;
    let enough = setup(used);
    assert_eq!(commits(&enough, "spin_for", spin(1_000)).stats.fuel, used);
    exceeds(
        &enough,
        "spin_for",
        spin(1_001),
        "THEUS-L001",
        (Limit::Fuel, used),
    );
    let receipt = exceeds(&enough, "spin", args! {}, "THEUS-L001", (Limit::Fuel, used));
    assert_eq!(receipt.stats.fuel, used, "none is left");
    assert_eq!(receipt.outcome, Outcome::RolledBack);
}

#[test]
fn time_runs_out() {
    let engine = Setup::probe()
        .limits(|limits| {
            limits.fuel = u64::MAX / 2;
            limits.timeout = Duration::from_millis(100);
        })
        .engine();
    let started = Instant::now();
    let receipt = exceeds(&engine, "spin", args! {}, "THEUS-L002", (Limit::Time, 100));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(100), "killed early: {took:?}");
    assert!(took < Duration::from_secs(30), "killed late: {took:?}");
    assert_eq!(receipt.outcome, Outcome::RolledBack);
}

#[test]
fn memory_runs_out() {
    let engine = Setup::probe()
        .limits(|limits| limits.memory_bytes = 4 << 20)
        .engine();
    let receipt = exceeds(
        &engine,
        "grow_memory",
        args! {},
        "THEUS-L003",
        (Limit::MemoryBytes, 4 << 20),
    );
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    assert!(receipt.stats.memory_bytes <= 4 << 20);
    assert_eq!(
        commits(&engine, "stateful", args! {}).result,
        Some(Value::Int(1))
    );
}

#[test]
fn both_stacks_run_out() {
    let engine = Setup::probe().engine();
    exceeds(
        &engine,
        "recurse",
        args! {},
        "THEUS-L004",
        (Limit::StackBytes, 512 << 10),
    );
    // The guest's own stack is a part of its memory: below it there is nothing.
    let receipt = fails(&engine, "recurse_with_frames", args! {}, "THEUS-T001");
    assert!(
        message(&receipt).contains("descend_with_frames"),
        "{}",
        message(&receipt)
    );
}
