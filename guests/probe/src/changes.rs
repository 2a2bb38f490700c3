//! Changes the context as the contract allows.

use std::hint::black_box;

use theus_guest::prelude::*;

/// Adds one to the counter and gives its new value.
#[process(inputs = ["domain.counter"], outputs = ["domain.counter"])]
pub fn increment(ctx: &Context) -> Result<i64, Failure> {
    let count = ctx.get::<i64>("domain.counter")?.unwrap_or(0) + 1;
    ctx.set("domain.counter", &count)?;
    Ok(count)
}

/// Adds one to a slot of the caller's choice and gives its new value.
#[process(outputs = ["domain.slots.{slot}"])]
pub fn increment_at(ctx: &Context, slot: String) -> Result<i64, Failure> {
    let place = path!("domain.slots", slot);
    let count = ctx.get::<i64>(&place)?.unwrap_or(0) + 1;
    ctx.set(&place, &count)?;
    Ok(count)
}

/// Moves an amount from one slot to another and gives what is left in the first one.
#[process(
    outputs = ["domain.slots.{from}", "domain.slots.{to}"],
    errors = ["Poor"],
)]
pub fn transfer(ctx: &Context, from: String, to: String, amount: i64) -> Result<i64, Failure> {
    let (from, to) = (path!("domain.slots", from), path!("domain.slots", to));
    let left = ctx.get::<i64>(&from)?.unwrap_or(0) - amount;
    ctx.set(&from, &left)?;
    if left < 0 {
        return Err(Failure::new("Poor", "there is less than that"));
    }
    let there = ctx.get::<i64>(&to)?.unwrap_or(0);
    ctx.set(&to, &(there + amount))?;
    Ok(left)
}

/// Works for a while, then writes what it has worked into a slot.
#[process(outputs = ["domain.slots.{key}"])]
pub fn spin_for(ctx: &Context, iterations: u64, key: String) -> Result<(), Failure> {
    for turn in 0..iterations {
        black_box(turn);
    }
    ctx.set(&path!("domain.slots", key), &iterations)?;
    Ok(())
}

/// Sets the signal, then fails if told to.
#[process(outputs = ["domain.sig_done"], errors = ["ValueError"])]
pub fn signal(ctx: &Context, value: Value, fail: bool) -> Result<(), Failure> {
    ctx.set("domain.sig_done", &value)?;
    if fail {
        return Err(Failure::new("ValueError", "told to fail after the signal"));
    }
    Ok(())
}
