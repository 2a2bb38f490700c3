//! Ends in every other way than well.

use std::hint::black_box;

use theus_guest::prelude::*;

/// Panics.
#[process(outputs = ["domain.counter"])]
pub fn panic_now(ctx: &Context, message: String) -> Result<(), Failure> {
    ctx.set("domain.counter", &-1)?;
    panic!("{message}");
}

/// Traps without a word.
#[process]
pub fn unreachable(_ctx: &Context) -> Result<(), Failure> {
    trap()
}

/// Reads a string as if it were an integer.
#[process(outputs = ["domain.counter"])]
pub fn fail_decode(ctx: &Context) -> Result<i64, Failure> {
    ctx.set("domain.counter", "no number")?;
    Ok(ctx.get("domain.counter")?.unwrap_or(0))
}

/// Never ends.
#[process]
pub fn spin(_ctx: &Context) -> Result<(), Failure> {
    loop {
        black_box(());
    }
}

/// Calls itself until the stack of the sandbox is full.
#[process]
pub fn recurse(_ctx: &Context) -> Result<u64, Failure> {
    Ok(descend(black_box(u64::MAX), 0))
}

/// Calls itself with a large frame until the guest's own stack, a part of its memory, is full.
#[process]
pub fn recurse_with_frames(_ctx: &Context) -> Result<u64, Failure> {
    Ok(descend_with_frames(black_box(u64::MAX)))
}

/// Allocates until it is refused.
#[process]
pub fn grow_memory(_ctx: &Context) -> Result<u64, Failure> {
    const PIECE: usize = 1 << 20;

    let mut pieces = Vec::new();
    loop {
        pieces.push(black_box(vec![1_u8; PIECE]));
    }
}

#[cfg(target_arch = "wasm32")]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn trap() -> ! {
    panic!("a trap")
}

/// Needs a frame per step: the inner call's result goes into the outer call. Keeps no address of a local, so that only
/// the sandbox's stack grows.
fn descend(steps: u64, sum: u64) -> u64 {
    if steps == 0 {
        return sum;
    }
    descend(steps - 1, descend(steps - 1, sum) ^ steps)
}

fn descend_with_frames(steps: u64) -> u64 {
    let frame = black_box([steps; 32]);
    if steps == 0 {
        return 0;
    }
    descend_with_frames(steps - 1).wrapping_add(frame[0])
}
