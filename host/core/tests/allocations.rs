//! What the path of a call does not allocate.
//!
//! A binary of its own, for it replaces the allocator by one that counts.

#![allow(missing_docs, reason = "a test")]

use std::hint::black_box;
use std::sync::Arc;
use theus_core::codec::{Bounds, decode};
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::guard::{Guard, WriteOp};
use theus_core::limits::Limits;
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::value::Value;

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

fn guard() -> Guard {
    let places = || vec![path("domain.total"), path("domain.items")];
    Guard::new(places(), places()).interned()
}

fn context() -> ContextGuard {
    let mut base = Snapshot::default();
    base.tree
        .set(&path("domain.total"), Value::Int(5))
        .expect("set");
    let transaction = Transaction::begin(base);
    let limits = Arc::new(Limits::default());
    ContextGuard::new(guard(), transaction, limits, Mode::Strict)
}

#[track_caller]
fn allocates(expected: u64, action: impl FnOnce()) {
    let counted = allocation_counter::measure(action);
    assert_eq!(counted.count_total, expected);
}

#[test]
fn what_would_be_over_its_bound_is_refused_before_anything_is_allocated_for_it() {
    // A list and a map of a million one-byte elements and entries, where decoded is allowed a thousandth of that.
    let list = [&b"\xdd\0\x0f\x42\x40"[..], &[0xc0; 1_000_000]].concat();
    let map = [&b"\xdf\0\x0f\x42\x40"[..], &[0xa0; 2_000_000]].concat();
    for bytes in [list, map] {
        let bounds = Bounds {
            depth: 32,
            decoded_bytes: 1_000,
        };
        let info = allocation_counter::measure(|| {
            assert!(decode(&bytes, bounds).is_err());
        });
        assert!(info.bytes_total < 10_000, "{}", info.bytes_total);
    }
}

#[test]
fn a_guards_decision_allocates_nothing() {
    let guard = guard();
    let places = [path("domain.total"), path("domain.items[3].price")];
    allocates(0, || {
        for place in &places {
            black_box(guard.read(place, "get")).expect("granted");
            black_box(guard.write(place, WriteOp::Set)).expect("granted");
        }
    });
}

#[test]
fn a_get_allocates_what_the_guest_receives() {
    let mut context = context();
    allocates(1, || drop(black_box(context.get("domain.total"))));
}

#[test]
fn a_set_allocates_nothing_once_the_place_is_written_and_its_record_has_room() {
    let mut context = context();
    for _ in 0..3 {
        context.set("domain.total", &[7]).expect("granted");
    }
    allocates(0, || context.set("domain.total", &[8]).expect("granted"));
}

#[test]
fn a_snapshot_and_a_transaction_allocate_nothing() {
    let base = Snapshot::default();
    allocates(0, || drop(black_box(Transaction::begin(base.clone()))));
}

/// Encodings that are made to cost as much memory as they can.
fn greedy() -> [(&'static str, Vec<u8>); 13] {
    let header = |marker: u8, count: u32| [&[marker][..], &count.to_be_bytes()].concat();
    let filled = |marker: u8, element: &[u8], count: u32| {
        [header(marker, count), element.repeat(count as usize)].concat()
    };
    // Every level announces as many elements as bytes follow, and nothing follows but nil.
    let lying = |level: Vec<u8>| [level.repeat(31), vec![0xc0; 80_000]].concat();
    let entries = (0..20_000).flat_map(|key| format!("${key:04x}").into_bytes());
    let entries: Vec<u8> = entries
        .map(|byte| if byte == b'$' { 0xa4 } else { byte })
        .collect();
    let entries: Vec<u8> = entries
        .chunks(5)
        .flat_map(|key| [key, &[0xc0]].concat())
        .collect();
    [
        ("lists in lists that lie", lying(header(0xdd, 40_000))),
        (
            "maps in maps that lie",
            lying([header(0xdf, 40_000), vec![0xa0]].concat()),
        ),
        ("nils", filled(0xdd, &[0xc0], 100_000)),
        ("empty lists", filled(0xdd, &[0x90], 100_000)),
        ("empty maps", filled(0xdd, &[0x80], 100_000)),
        ("lists of one", filled(0xdd, &[0x91, 0xc0], 50_000)),
        ("maps of one", filled(0xdd, &[0x81, 0xa0, 0xc0], 40_000)),
        ("short strings", filled(0xdd, &[0xa1, b'a'], 50_000)),
        ("bytes", filled(0xdd, &[0xc4, 1, 7], 40_000)),
        (
            "a map of many keys",
            [header(0xdf, 20_000), entries].concat(),
        ),
        ("one string", filled(0xdb, b"a", 100_000)),
        ("a string that lies", header(0xdb, u32::MAX)),
        ("one byte", vec![0xc0]),
    ]
}

#[test]
fn a_decoder_holds_no_more_than_a_small_multiple_of_its_input() {
    /// Without any bound; an empty list costs its one byte most.
    const UNBOUNDED: u64 = 128;
    let mut whole = 0;
    for (what, bytes) in greedy() {
        let len = bytes.len() as u64;
        for (decoded_bytes, allowed) in [
            (u64::MAX, UNBOUNDED * len),
            (Limits::decoded_bytes(len), Limits::decoded_bytes(len)),
        ] {
            let bounds = Bounds {
                depth: 32,
                decoded_bytes,
            };
            let counted = allocation_counter::measure(|| {
                whole += u32::from(black_box(decode(&bytes, bounds)).is_ok());
            });
            let held = counted.bytes_max;
            assert!(held <= allowed, "{what}: {held} bytes for {len}");
        }
    }
    assert!(whole >= 10, "{whole} of the encodings are values");
}
