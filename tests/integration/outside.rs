//! The clock and randomness: there where a contract asks for them and the operator grants them, recorded, and brought again.

use crate::harness::binary::run_in;
use crate::harness::engines::commits;
use crate::harness::guests;
use crate::harness::outside::{called, engine, folder, result};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use theus_host::{Call, Outcome, Receipt, Seed, Value, args};

/// What the clock says that was not granted: the year 2000.
const ORDINARY: u64 = 946_684_800_000_000_000;

#[test]
fn the_clock_is_read_once_and_stands_still_but_for_waiting() {
    let folder = folder();
    let engine = engine(folder.path());
    let before = SystemTime::now();
    let receipt = commits(&engine, "time", args! {});
    let time = receipt
        .outside
        .clone()
        .expect("recorded")
        .time
        .expect("a time");
    assert!(before <= time && time <= SystemTime::now());
    let nanos = time.duration_since(UNIX_EPOCH).expect("now").as_nanos() as u64;
    assert_eq!(result(&receipt), Value::unsigned(nanos));

    let waited = commits(&engine, "wait", args! {});
    let hour = Value::from(3_600_000_000_000_i64);
    assert_eq!(result(&waited), Value::from(vec![Value::from(0), hour]));

    let unasked = commits(&engine, "time_unasked", args! {});
    assert_eq!(result(&unasked), Value::unsigned(ORDINARY));
    assert_eq!(unasked.outside, None);
}

#[test]
fn randomness_is_new_in_every_run_where_it_was_granted() {
    let folder = folder();
    let engine = engine(folder.path());
    let [one, other] = [(); 2].map(|()| commits(&engine, "random", args! {}));
    assert_ne!(result(&one), result(&other));
    let seed = |receipt: &Receipt| receipt.outside.as_ref().and_then(|it| it.seed);
    assert!(seed(&one).is_some() && seed(&one) != seed(&other));
    let [one, other] = [(); 2].map(|()| commits(&engine, "random_unasked", args! {}));
    assert_eq!(result(&one), result(&other));
}

#[test]
fn what_was_recorded_makes_the_same_run_again() {
    let folder = folder();
    let engine = engine(folder.path());
    for process in ["time", "random"] {
        let first = commits(&engine, process, args! {});
        let record = engine.records().pop().expect("a record");
        assert_eq!(record.outside, first.outside, "the record has it as well");
        let outside = record.outside.expect("recorded");
        let mut call = Call::new(process, args! {});
        if let Some(time) = outside.time {
            call = call.at(time);
        }
        if let Some(seed) = outside.seed {
            call = call.seeded(seed);
        }
        let again = called(&engine, call);
        assert_eq!(result(&again), result(&first));
        assert_eq!(again.outside, first.outside);
        assert_eq!(again.stats.fuel, first.stats.fuel);
        assert!(again.changes.is_empty(), "it wrote what was there already");
        let other = match process {
            "time" => Call::new(process, args! {}).at(UNIX_EPOCH + Duration::from_nanos(7)),
            _ => Call::new(process, args! {}).seeded(Seed::from_bytes([7; 32])),
        };
        assert_ne!(result(&called(&engine, other)), result(&first));
    }
}

#[test]
fn what_a_call_brings_and_the_process_does_not_reach_is_refused() {
    let folder = folder();
    let engine = engine(folder.path());
    let seed = Seed::from_bytes([1; 32]);
    for (call, effect) in [
        (Call::new("random", args! {}).at(UNIX_EPOCH), "clock"),
        (Call::new("time", args! {}).seeded(seed), "random"),
        (Call::new("time_unasked", args! {}).at(UNIX_EPOCH), "clock"),
    ] {
        let receipt = engine.call(call);
        let error = receipt.error.expect("refused");
        assert_eq!(
            (error.code(), receipt.outcome),
            ("THEUS-C008".into(), Outcome::Refused)
        );
        assert!(error.to_string().contains(effect), "{error}");
    }
}

/// An instance that stands ready was made before the call was known.
#[test]
fn a_standing_instance_sees_the_time_of_its_own_call() {
    let folder = folder();
    let engine = engine(folder.path());
    for number in 0..500_u64 {
        let time = UNIX_EPOCH + Duration::from_nanos(number);
        let receipt = called(&engine, Call::new("time", args! {}).at(time));
        assert_eq!(result(&receipt), Value::unsigned(number));
        let unasked = commits(&engine, "time_unasked", args! {});
        assert_eq!(
            result(&unasked),
            Value::unsigned(ORDINARY),
            "after {number}"
        );
        let read = commits(&engine, "read", args! { "path" => "/data/file" });
        assert_eq!(result(&read), Value::from("some text"));
    }
}

/// What a receipt shows of a run, typed again.
#[test]
fn the_command_line_brings_a_time_and_a_seed_again() {
    let folder = folder();
    std::fs::write(folder.path().join("context.yaml"), "domain: { seen: null }").expect("written");
    let guest = guests::outside().file.display().to_string();
    let run = |process: &str, flags: &[&str]| {
        let line = [
            "run",
            &guest,
            process,
            "--context",
            "context.yaml",
            "-o",
            "json",
        ];
        let grants = ["--grant", "clock,random", "--dir", "data=data"];
        let ran = run_in(folder.path(), &[&line[..], &grants, flags].concat());
        (ran.code, ran.json())
    };
    let (_, first) = run("random", &[]);
    let seed = first["outside"]["seed"].as_str().expect("a seed");
    let (code, again) = run("random", &["--seed", seed]);
    assert_eq!((code, &again["result"]), (0, &first["result"]));
    assert_eq!(again["outside"]["seed"], seed);
    assert_ne!(run("random", &[]).1["result"], first["result"]);

    let (code, then) = run("time", &["--at-time", "2026-11-25T12:00:00.5Z"]);
    assert_eq!(
        (code, then["result"].as_u64()),
        (0, Some(1_795_608_000_500_000_000))
    );

    // Brought in vain.
    for (process, flags) in [
        ("time", ["--seed", seed]),
        ("random", ["--at-time", "2026-11-25T12:00:00Z"]),
    ] {
        let (code, refused) = run(process, &flags);
        assert_eq!(
            (code, refused["error"]["code"].as_str()),
            (3, Some("THEUS-C008"))
        );
    }
    for wrong in [["--seed", "07"], ["--at-time", "noon"]] {
        let (code, refused) = run("time", &wrong);
        assert_eq!(
            (code, refused["error"]["code"].as_str()),
            (2, Some("THEUS-U001"))
        );
    }
}
