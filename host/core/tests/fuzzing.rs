//! Every fuzz target, for a bounded number of seeds: what libFuzzer runs for days is run here for a moment.

#![allow(missing_docs, reason = "a test")]

use std::collections::HashSet;
use theus_core::code::Code;
use theus_core::fuzz::{Dice, Script, TARGETS, bytes};

/// Of the seeds of a target the first ones are short, so that what goes wrong goes wrong with little input.
fn input(seed: u64) -> Vec<u8> {
    let len = usize::try_from(16 + seed / 2).expect("small").min(1024);
    bytes(seed, len)
}

#[test]
fn every_target_holds_for_its_seeds() {
    const SEEDS: u64 = 1000;
    for target in TARGETS {
        for seed in 0..SEEDS {
            if let Err(broken) = (target.check)(&input(seed)) {
                panic!("{} with the seed {seed}: {broken}", target.name);
            }
        }
    }
}

/// The scripts come to every refusal that a host call has, and most calls are answered.
#[test]
fn scripts_reach_every_refusal_of_a_host_call() {
    let mut codes: HashSet<Code> = HashSet::new();
    let (mut answered, mut refused) = (0, 0);
    for seed in 0..2000 {
        let bytes = bytes(seed, 1024);
        let script = Script::generate(&mut Dice::new(&bytes));
        let ended = script.check().unwrap_or_else(|broken| panic!("{broken}"));
        for answer in ended.answers {
            match answer {
                Ok(_) => answered += 1,
                Err(code) => {
                    refused += 1;
                    codes.insert(code);
                }
            }
        }
    }
    let every = [
        Code::ReadOutside,
        Code::WriteOutside,
        Code::ZoneMoved,
        Code::MalformedPath,
        Code::MalformedValue,
        Code::ShapeMismatch,
        Code::PathTooLarge,
        Code::ValueTooLarge,
        Code::TooManyWrites,
        Code::TooManyReads,
        Code::OutboxFull,
    ];
    assert_eq!(codes, HashSet::from(every));
    assert!(
        answered * 4 > refused,
        "{answered} answered, {refused} refused"
    );
}
