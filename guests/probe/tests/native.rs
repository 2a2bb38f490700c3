//! Processes of the probe, run natively: what they show the host, they show `theus_guest::testing` as well.

#![cfg(not(target_family = "wasm"))]

use std::collections::BTreeMap;

use probe::arguments::{echo, echo_kinds, optional, secret};
use probe::breaches::{fail, read_undeclared, write_ancestor, write_undeclared};
use probe::changes::{increment, increment_at, signal};
use probe::endings::{fail_decode, panic_now};
use probe::limits::{
    big_result, big_value, deep_value, log_levels, log_lines, many_reads, many_writes,
    send_messages,
};
use probe::raw::{keys_page_raw, read_bytes_raw, script, set_encoded_raw, set_raw};
use theus_guest::testing::{Change, Host, Run, RunError, args};
use theus_guest::{Bytes, Value};

fn host() -> Host {
    Host::with_context(include_str!("../context.yaml"))
}

/// The code of the error that ended a run, after a look that nothing of the run remains.
fn code(run: &Run) -> String {
    assert!(run.changes().is_empty() && run.signals().is_empty() && run.outbox().is_empty());
    assert_eq!(run.version(), 0, "{run}");
    run.error().map(RunError::code).unwrap_or_default()
}

#[test]
fn arguments_of_every_kind_come_back() {
    let run = host().run::<echo_kinds>(args! {
        "truth" => true,
        "whole" => i64::MIN,
        "real" => 2,
        "text" => "é",
        "binary" => Bytes(vec![0, 255]),
        "list" => [1, 2],
        "map" => BTreeMap::from([("a", 1)]),
        "any" => None::<i64>,
    });
    let expected = vec![
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Float(2.0),
        Value::Str("é".into()),
        Value::Bytes(vec![0, 255]),
        Value::List(vec![Value::Int(1), Value::Int(2)]),
        Value::Map(BTreeMap::from([("a".into(), Value::Int(1))])),
        Value::Nil,
    ];
    assert_eq!(run.result(), Ok(expected), "{run}");
    assert_eq!(
        host().run::<echo>(args! { "value" => u64::MAX }).result(),
        Ok(u64::MAX)
    );
    assert_eq!(
        host().run::<optional>(args! {}).result(),
        Ok("none".to_owned())
    );
    assert_eq!(
        host()
            .run::<secret>(args! { "token" => "hunter2" })
            .result(),
        Ok(7)
    );
}

#[test]
fn changes_add_up_from_run_to_run() {
    let mut host = host();
    for count in 1..=3 {
        assert_eq!(host.run::<increment>(args! {}).result(), Ok(count));
        let run = host.run::<increment_at>(args! { "slot" => "a@b.org" });
        assert_eq!(run.result(), Ok(count));
    }
    assert_eq!(host.value(r#"domain.slots["a@b.org"]"#), Some(3));
    let told = host.run::<signal>(args! { "value" => 1, "fail" => false });
    assert_eq!(told.signals().len(), 1);
    let failed = host.run::<signal>(args! { "value" => 2, "fail" => true });
    assert!(failed.failure().is_some() && failed.signals().is_empty());
    assert_eq!(host.value("domain.sig_done"), Some(1));
}

#[test]
fn breaches_end_the_run_and_say_what_was_declared() {
    for (run, expected) in [
        (host().run::<read_undeclared>(args! {}), "THEUS-C001"),
        (host().run::<write_undeclared>(args! {}), "THEUS-C002"),
        (host().run::<write_ancestor>(args! {}), "THEUS-C002"),
    ] {
        assert_eq!(code(&run), expected, "{run}");
        assert_eq!(run.violations().len(), 1);
    }
    let failed = |code: &str| host().run::<fail>(args! { "code" => code, "message" => "no" });
    assert_eq!(code(&failed("ValueError")), "ValueError");
    assert_eq!(code(&failed("KeyError")), "THEUS-C003");
    assert_eq!(code(&failed("Decode")), "THEUS-T007");

    let mut permissive = host().permissive();
    let run = permissive.run::<write_undeclared>(args! {});
    assert_eq!(run.violations()[0].path.to_string(), "domain.hidden");
    assert!(run.changes().contains(&Change::set(
        "domain.hidden",
        "no process declares this",
        "overwritten"
    )));
}

#[test]
fn panics_and_wrong_types_name_their_place() {
    let run = host().run::<panic_now>(args! { "message" => "out of stock" });
    assert_eq!(code(&run), "THEUS-T002");
    let message = run.to_string();
    assert!(message.contains("endings.rs:"), "{message}");
    assert!(message.ends_with(": out of stock"), "{message}");

    let run = host().run::<fail_decode>(args! {});
    assert_eq!(code(&run), "THEUS-T007");
    assert!(run.to_string().contains("`domain.counter`"), "{run}");
}

#[test]
fn limits_hold_natively() {
    let many = 1_u64 << 23;
    for (run, expected) in [
        (
            host().run::<big_value>(args! { "bytes" => many }),
            "THEUS-L006",
        ),
        (
            host().run::<deep_value>(args! { "depth" => 40 }),
            "THEUS-L006",
        ),
        (
            host().run::<big_result>(args! { "bytes" => many }),
            "THEUS-L008",
        ),
        (
            host().run::<many_writes>(args! { "count" => 16_001 }),
            "THEUS-L009",
        ),
        (
            host().run::<many_reads>(args! { "count" => 32_001 }),
            "THEUS-L010",
        ),
        (
            host().run::<send_messages>(args! { "count" => 1_001, "topic" => "t" }),
            "THEUS-L011",
        ),
    ] {
        assert_eq!(code(&run), expected, "{run}");
    }
    let run = host().run::<send_messages>(args! { "count" => 1_000, "topic" => "t" });
    assert_eq!(run.outbox().len(), 1_000, "{run}");
    let run = host().run::<log_lines>(args! { "count" => 300 });
    assert_eq!(run.log().len(), 257, "256 lines and a note");
    assert_eq!(host().run::<log_levels>(args! {}).log().len(), 5);
}

#[test]
fn every_call_into_the_host_works_natively() {
    let steps = r#"
        - { set: { path: domain.data.a, value: [1] } }
        - { push: { path: domain.data.a, value: 2 } }
        - { len: { path: domain.data.a } }
        - { get: { path: "domain.data.a[1]" } }
        - { keys: { path: domain.data } }
        - { remove: { path: domain.data.a } }
        - { get: { path: domain.data.a } }
    "#;
    let mut host = host();
    let steps: Value = Host::with_context(&format!("domain:\n  steps: {steps}"))
        .value("domain.steps")
        .expect("steps");
    let run = host.run::<script>(args! { "steps" => steps });
    let gave: Vec<Value> = run.result().expect("a result");
    assert_eq!(gave[1..4], [Value::Int(2), Value::Int(2), Value::Int(2)]);
    assert_eq!(gave[4], Value::List(vec![Value::Str("a".into())]));
    assert_eq!(gave[5..], [Value::Bool(true), Value::Nil]);
    assert!(run.changes().is_empty(), "a place that ends as it began");

    let run = host
        .run::<read_bytes_raw>(args! { "path" => "domain.inbox.text", "offset" => 1, "len" => 3 });
    assert_eq!(run.result(), Ok(Bytes(b"ell".to_vec())));
    let run = host
        .run::<keys_page_raw>(args! { "path" => "domain.inbox", "after" => "first", "limit" => 9 });
    assert_eq!(run.result(), Ok(vec!["text".to_owned()]));
    for (run, expected) in [
        (
            host.run::<set_raw>(args! { "path" => "domain..a", "value" => 1 }),
            "THEUS-T003",
        ),
        (
            host.run::<set_raw>(args! { "path" => "domain.data._a", "value" => 1 }),
            "THEUS-C002",
        ),
        (
            host.run::<set_raw>(args! { "path" => "domain.data.a.b", "value" => 1 }),
            "THEUS-T005",
        ),
        (
            host.run::<set_encoded_raw>(
                args! { "path" => "domain.data.a", "encoded" => Bytes(vec![0xc1]) },
            ),
            "THEUS-T004",
        ),
    ] {
        assert_eq!(run.error().map(RunError::code).as_deref(), Some(expected));
    }
}
