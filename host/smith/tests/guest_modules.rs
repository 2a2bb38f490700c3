//! Random guests for a bounded number of seeds, and that they come as far as they should.

#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use theus_core::fuzz::bytes;
use theus_smith::{Seen, check};

/// How many guests are made: compiling them takes the time.
const SEEDS: u64 = 400;

#[test]
fn what_must_hold_holds_of_random_guests() {
    let mut endings: BTreeMap<String, u64> = BTreeMap::new();
    let (mut ran, mut called, mut changed) = (0, 0, 0);
    for seed in 0..SEEDS {
        let seen =
            check(&bytes(seed, 4096)).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let ending = match seen {
            Seen::NoComponent(code) => format!("no component: {code}"),
            Seen::NotRegistered(code) => format!("not registered: {code}"),
            Seen::Ran {
                host_calls,
                code,
                changed: has_changed,
            } => {
                ran += 1;
                called += u64::from(host_calls > 0);
                changed += u64::from(has_changed);
                code.unwrap_or_else(|| "committed".into())
            }
        };
        *endings.entry(ending).or_default() += 1;
    }
    // A generator whose guests are all refused would find nothing for ever.
    let committed = endings.get("committed").copied().unwrap_or_default();
    let seen = format!("{ran} ran, {called} called, {changed} changed: {endings:#?}");
    assert!(ran >= SEEDS * 2 / 3, "{seen}");
    assert!(called >= SEEDS / 2, "{seen}");
    assert!(committed >= SEEDS / 10, "{seen}");
    assert!(changed >= SEEDS / 30, "{seen}");
    // What ends a run: a trap, a limit, the grant, the contract's own error.
    for ending in [
        "THEUS-T001",
        "THEUS-L001",
        "THEUS-C001",
        "THEUS-C002",
        "Known",
    ] {
        assert!(endings.contains_key(ending), "{ending}: {seen}");
    }
}
