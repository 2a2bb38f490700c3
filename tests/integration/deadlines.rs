//! A deadline kills, whatever the guest is doing. How soon after its time is measured by the benchmark section `deadline`.

use crate::harness::engines::{PATIENCE, Setup};
use crate::harness::hostile::engine;
use crate::harness::wat::hostile;
use std::thread;
use std::time::{Duration, Instant};
use theus_host::{Call, Engine, Limit, Limits, Policy, Receipt, args};

const TIMEOUT: Duration = Duration::from_millis(100);

/// Nothing but time ends a call.
fn endless(limits: &mut Limits) {
    *limits = Limits {
        timeout: TIMEOUT,
        fuel: u64::MAX / 2,
        reads: u64::MAX,
        writes: u64::MAX,
        write_bytes: u64::MAX,
        read_bytes: u64::MAX,
        host_calls: u64::MAX,
        ..Limits::default()
    };
}

#[track_caller]
fn is_killed(receipt: &Receipt, timeout: Duration, took: Duration) {
    let error = receipt.error.as_ref().expect("it is killed");
    assert_eq!(error.code(), "THEUS-L002", "{error}");
    assert_eq!(error.limit(), Some(Limit::Time));
    assert!(error.help().is_some_and(|help| help.contains("--timeout")));
    assert!(took >= timeout, "killed early: {took:?}");
    assert!(took < PATIENCE / 2, "killed late: {took:?}");
}

fn attack(folder: &str) {
    attack_within(folder, TIMEOUT);
}

fn attack_within(folder: &str, timeout: Duration) -> Receipt {
    let engine = engine(|limits| {
        endless(limits);
        limits.timeout = timeout;
    });
    attack_on(&engine, folder, timeout)
}

/// Lets a guest attack; it is killed, not before `earliest`.
fn attack_on(engine: &Engine, folder: &str, earliest: Duration) -> Receipt {
    let guest = hostile(folder);
    engine
        .register(guest, Policy::as_declared())
        .unwrap_or_else(|error| panic!("{error}"));
    let started = Instant::now();
    let receipt = engine.call(Call::new("attack", args! {}));
    is_killed(&receipt, earliest, started.elapsed());
    receipt
}

#[test]
fn a_deadline_kills_in_a_loop() {
    attack("spin");
}

#[test]
fn a_deadline_kills_in_a_start_function() {
    attack("start-loops");
}

#[test]
fn a_deadline_kills_in_the_allocator() {
    attack("realloc-loops");
}

#[test]
fn a_deadline_kills_after_the_result() {
    attack("post-return-loops");
}

#[test]
fn a_deadline_kills_among_bulk_operations() {
    attack("bulk-memory");
}

#[test]
fn a_deadline_kills_among_host_calls() {
    for folder in ["host-work", "host-call-flood", "read-flood"] {
        attack(folder);
    }
}

/// What nothing ends half way is not begun when it would outlive the deadline: then the call ends before that.
#[test]
fn a_deadline_kills_before_what_nothing_ends() {
    const MOVING_50_MB: Duration = Duration::from_millis(55);
    for folder in ["heavy-text", "log-line-huge", "read-heavy"] {
        let engine = engine(endless);
        engine
            .edit(|context| context.set("domain.data.heavy_x", "x".repeat(50_000_000).as_str()))
            .expect("an edit");
        attack_on(&engine, folder, TIMEOUT - MOVING_50_MB);
    }
}

/// Each of its calls, once it is over, has cost its fuel: the last one has not.
#[test]
fn a_deadline_kills_inside_one_long_host_call() {
    const FUEL_PER_CALL: u64 = 8 * 35_651_589;
    let mut timeout = TIMEOUT;
    let stats = loop {
        let stats = attack_within("heavy-work", timeout).stats;
        // On a busy machine the time may be up before it has its value together.
        if stats.host_calls > 0 {
            break stats;
        }
        timeout *= 2;
    };
    assert!(stats.fuel < stats.host_calls * FUEL_PER_CALL, "{stats:?}");
}

#[test]
fn a_deadline_ends_the_wait_for_a_lock() {
    let engine = Setup::probe().limits(endless).engine();
    let (receipt, took) = thread::scope(|scope| {
        engine
            .edit(|context| {
                // The edit holds every lock until the call has given up.
                let waiting = scope.spawn(|| {
                    let started = Instant::now();
                    let receipt = engine.call(Call::new("increment", args! {}));
                    (receipt, started.elapsed())
                });
                let ended = waiting.join().expect("the call ends");
                context.set("domain.counter", 1)?;
                Ok(ended)
            })
            .expect("an edit")
    });
    is_killed(&receipt, TIMEOUT, took);
    assert_eq!(receipt.stats.host_calls, 0, "it was not entered");
}
