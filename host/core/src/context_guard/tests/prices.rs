//! What host calls cost beyond their bytes.

use super::strict;
use crate::codec;
use crate::context_guard::ContextGuard;
use crate::value::{Map, Value};

/// The work of one call, behind whatever was called before.
fn work(guard: &mut ContextGuard, call: impl FnOnce(&mut ContextGuard)) -> u64 {
    let before = guard.work();
    call(guard);
    guard.work() - before
}

/// The host calls the guest's allocator for every key that it hands out.
#[test]
fn a_key_costs_more_than_its_bytes() {
    let mut guard = strict(&[], &["domain.rows"]);
    let map: Map = (0..1000)
        .map(|n| (format!("k{n:03}"), Value::Nil))
        .collect();
    let map = codec::encode_all(&Value::Map(map));
    guard.set("domain.rows", &map).expect("set");
    let listed = |guard: &mut ContextGuard, limit: u32| {
        work(guard, |guard| {
            let keys = guard.keys("domain.rows", None, limit).expect("keys");
            assert_eq!(keys.len(), limit as usize);
        })
    };
    let (one, all) = (listed(&mut guard, 1), listed(&mut guard, 1000));
    assert_eq!(all - one, 999 * (200 + 10 + 4 + 8));
}
