//! A counter.

use theus_guest::prelude::*;

/// Adds to the counter and returns the sum.
#[process(
    inputs = ["domain.counter"],
    outputs = ["domain.counter"],
    errors = ["ValueError"],
)]
pub fn count(ctx: &Context, by: i64) -> Result<i64, Failure> {
    let counter: i64 = ctx.get("domain.counter")?.unwrap_or(0);
    let sum = counter
        .checked_add(by)
        .ok_or_else(|| Failure::new("ValueError", "the counter is too large to count"))?;
    ctx.set("domain.counter", &sum)?;
    Ok(sum)
}
