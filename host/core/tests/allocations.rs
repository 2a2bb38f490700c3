//! What the path of a call does not allocate.
//!
//! A binary of its own, for it replaces the allocator by one that counts.

#![allow(missing_docs, reason = "a test")]

use std::hint::black_box;
use std::sync::Arc;
use theus_core::codec::{self, Bounds};
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
            assert!(codec::decode(&bytes, bounds).is_err());
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
