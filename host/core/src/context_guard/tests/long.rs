//! Calls that take long: what they cost, and that they can be stopped.

use super::{code, guarded_on, pack};
use crate::arguments;
use crate::code::Code;
use crate::codec;
use crate::context_guard::{ContextGuard, Mode};
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::refusal::Refusal;
use crate::value::{List, Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const HIDDEN: usize = 100_000;

/// A map with `HIDDEN` keys of other zones, directly and one level below, and two that are data.
fn with_hidden_keys(build: impl Fn(Vec<(String, Value)>) -> Map) -> Value {
    let half = |zone: &str| {
        let keys = (0..HIDDEN / 2).map(|it| (format!("{zone}_{it:06}"), Value::from("x")));
        keys.collect::<Vec<_>>()
    };
    let mut below = half("meta");
    below.push(("b".into(), 2.into()));
    let mut all = half("sig");
    all.push(("a".into(), 1.into()));
    all.push(("below".into(), Value::Map(build(below))));
    Value::Map(build(all))
}

fn in_order(entries: Vec<(String, Value)>) -> Map {
    entries.into_iter().collect()
}

fn backwards(entries: Vec<(String, Value)>) -> Map {
    entries.into_iter().rev().collect()
}

fn guard(domain: Value, limits: Limits) -> ContextGuard {
    let mut layer = Map::new();
    layer.insert("large", domain);
    guarded_on(
        Value::Map(layer),
        &["domain.large"],
        &["domain.heavy_out"],
        Mode::Strict,
        limits,
    )
}

/// Some call.
type Call = Box<dyn Fn(&mut ContextGuard) -> Result<(), Refusal>>;

/// One read of the large map.
type Read = fn(&mut ContextGuard) -> Result<(), Refusal>;

const READS: [(&str, Read, usize); 3] = [
    ("get", |it| it.get("domain.large").map(drop), HIDDEN),
    ("len", |it| it.len("domain.large").map(drop), HIDDEN / 2),
    (
        "keys",
        |it| it.keys("domain.large", Some("below"), 10).map(drop),
        HIDDEN / 2,
    ),
];

#[test]
fn hidden_keys_are_not_walked_for_free() {
    for (name, read, hidden) in READS {
        let work = |domain| {
            let mut guard = guard(domain, Limits::default());
            read(&mut guard).expect(name);
            guard.work()
        };
        let plain = work(pack_value(r#"{"a": 1, "below": {"b": 2}}"#));
        let with_hidden = work(with_hidden_keys(in_order));
        assert_eq!(with_hidden - plain, 10 * hidden as u64, "{name}");
        // By their number, however the map came to be.
        assert_eq!(with_hidden, work(with_hidden_keys(backwards)), "{name}");
    }
}

fn pack_value(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

/// Says that the time is up when it is asked for the `n`th time; how often it was asked.
fn stopping(n: usize) -> (impl Fn() -> Result<(), LimitExceeded>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let stop = move || match counter.fetch_add(1, Ordering::Relaxed) + 1 < n {
        true => Ok(()),
        false => Err(LimitExceeded {
            limit: Limit::Time,
            allowed: 1,
            asked: None,
        }),
    };
    (stop, asked)
}

fn texts(count: usize) -> Value {
    let mut list = List::default();
    for _ in 0..count {
        list.push("text".into());
    }
    Value::List(list)
}

#[test]
fn what_takes_long_is_stopped_where_it_is() {
    let large = codec::encode_all(&texts(50_000));
    let keys: Map = (0..50_000)
        .map(|it| (format!("k{it}"), Value::Nil))
        .collect();
    let map = codec::encode_all(&Value::Map(keys));
    let limits = Limits {
        value_bytes: 64 << 20,
        ..Limits::default()
    };
    let mut calls: Vec<(&str, Value, Call)> = vec![
        (
            "set of a list",
            Value::Nil,
            Box::new(move |it| it.set("domain.heavy_out", &large)),
        ),
        (
            "set of a map",
            Value::Nil,
            Box::new(move |it| it.set("domain.heavy_out", &map)),
        ),
        (
            "get of a list",
            texts(50_000),
            Box::new(|it| it.get("domain.large").map(drop)),
        ),
    ];
    for (name, read, _) in READS {
        calls.push((name, with_hidden_keys(in_order), Box::new(read)));
    }
    for (name, domain, call) in calls {
        // Let be, it ends well, and asks every 512 elements or oftener.
        let mut all = guard(domain.clone(), limits.clone());
        let (stop, asked) = stopping(usize::MAX);
        all.interrupt_with(stop);
        call(&mut all).expect(name);
        let often = asked.load(Ordering::Relaxed);
        assert!(often >= 50_000 / 513, "{name} asked {often} times");
        // Told to stop, it asks no more and changes nothing.
        let mut stopped = guard(domain, limits.clone());
        let (stop, asked) = stopping(3);
        stopped.interrupt_with(stop);
        let refusal = call(&mut stopped);
        assert_eq!(code(refusal), Code::TimeExhausted, "{name}");
        assert_eq!(asked.load(Ordering::Relaxed), 3, "{name}");
        assert!(stopped.transaction().writes().is_empty(), "{name}");
    }
}

/// What is small when encoded, and what the host has with it: memory when it is written, elements to go through when it is read.
#[test]
fn what_is_small_when_encoded_costs_what_it_becomes() {
    let many = |value: Value| Value::List((0..1000).map(|_| value.clone()).collect());
    let entries: Map = (0..1000)
        .map(|it| (format!("{it:03}"), Value::Nil))
        .collect();
    // A slot is 24 bytes, a container 96 and an entry of a map 80; what is read are a thousand values and what holds them,
    // and the keys of the map.
    for (what, value, decoded, elements) in [
        ("nils", many(Value::Nil), 1000 * 24, 1001),
        ("lists", many(Value::List(List::new())), 1000 * 120, 1001),
        ("maps", many(Value::Map(Map::new())), 1000 * 120, 1001),
        ("entries", Value::Map(entries), 1000 * 107, 2001),
        ("one text", Value::from("x".repeat(1000)), 1000 - 96, 1),
    ] {
        let encoded = codec::encode_all(&value);
        let (mut guard, path) = (guard(value, Limits::default()), "domain.heavy_out");
        guard.set(path, &encoded).expect(what);
        let size = encoded.len() as u64;
        let call = 40 + path.len() as u64 + 10;
        assert_eq!(
            guard.work(),
            call + 8 * size + 2 * (24 + 96 + decoded),
            "{what}"
        );
        let before = guard.work();
        let path = "domain.large";
        guard.get(path).expect(what);
        let call = 40 + path.len() as u64 + 10;
        assert_eq!(guard.work() - before, call + 16 * elements + size, "{what}");
    }
}

/// Text and binary are copied in pieces when they are read, and looked at before they are written.
#[test]
fn a_large_text_is_not_begun_when_the_time_is_up() {
    for value in [
        Value::from("x".repeat(3 << 20)),
        Value::from(vec![1_u8; 3 << 20]),
    ] {
        let encoded = codec::encode_all(&value);
        let mut writing = guard(Value::Nil, Limits::default());
        let (stop, _) = stopping(1);
        writing.interrupt_with(stop);
        let refusal = writing.set("domain.heavy_out", &encoded);
        assert_eq!(code(refusal), Code::TimeExhausted);
        let limits = Limits {
            value_bytes: 4 << 20,
            ..Limits::default()
        };
        let reads: [Read; 2] = [
            |it| it.get("domain.large").map(drop),
            |it| it.read_bytes("domain.large", 0, u32::MAX).map(drop),
        ];
        for read in reads {
            // After the first half of it, too.
            for after in [1, 2] {
                let mut reading = guard(value.clone(), limits.clone());
                let (stop, asked) = stopping(after);
                reading.interrupt_with(stop);
                assert_eq!(code(read(&mut reading)), Code::TimeExhausted);
                assert_eq!(asked.load(Ordering::Relaxed), after);
            }
        }
    }
}

#[test]
fn arguments_and_results_are_stopped_as_well() {
    let limits = Limits::default();
    let mut args = Map::new();
    args.insert("list", texts(50_000));
    let (stop, asked) = stopping(3);
    let exceeded = arguments::encode(&args, &limits, Some(&stop)).expect_err("stopped");
    assert_eq!(
        (exceeded.limit, asked.load(Ordering::Relaxed)),
        (Limit::Time, 3)
    );
    let (stop, asked) = stopping(3);
    let result = codec::encode_all(&texts(50_000));
    let mut remains = Vec::new();
    let error = arguments::decode_result(&result, &limits, Some(&stop), &mut remains);
    let error = error.expect_err("stopped");
    // What it had come to is there for whoever has the time to let go of it.
    assert_eq!(remains.len(), 1);
    assert!(remains[0].as_list().is_some_and(|it| it.len() > 1000));
    assert_eq!(code::<()>(Err(error.into())), Code::TimeExhausted);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// What is written counts as it is once decoded, by its zone.
#[test]
fn decoded_sizes_and_topics_are_measured() {
    let mut guard = super::strict(&[], &["domain.box", "domain.heavy_blob"]);
    guard.set("domain.box.a", &pack("[[],[]]")).expect("set");
    guard.set("domain.heavy_blob", &pack("[]")).expect("set");
    guard.send("topic", b"").expect("sent");
    guard.send("t", b"").expect("sent");
    let usage = guard.usage();
    // A slot is 24 bytes, a container 96.
    assert_eq!(usage.decoded_bytes, 3 * (24 + 96));
    assert_eq!(usage.heavy_decoded_bytes, 24 + 96);
    assert_eq!(usage.topic_bytes, 5);
}
