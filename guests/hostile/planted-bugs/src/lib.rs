//! One planted bug per process, of the kinds that a guest alone can bring about, and one process without.
//!
//! | process | what is wrong with it |
//! | --- | --- |
//! | [`share()`] | panics where there is nobody to share with |
//! | [`cheapest()`] | panics on a context that its operator may well have |
//! | [`withdraw()`] | fails with an error that its contract does not list |
//! | [`rename()`] | writes a place that its contract does not list, for long names only |
//! | [`countdown()`] | works as long as it is told to |
//! | [`deposit()`] | nothing |
//!
//! `context.yaml` holds the places that they expect.

use std::hint::black_box;
use theus_guest::prelude::*;

/// Shares an amount among so many.
#[process]
pub fn share(_ctx: &Context, amount: i64, among: i64) -> Result<i64, Failure> {
    Ok(amount / among)
}

/// Gives the lowest price.
#[process(inputs = ["domain.prices"])]
pub fn cheapest(ctx: &Context) -> Result<i64, Failure> {
    let mut prices: Vec<i64> = ctx.get("domain.prices")?.unwrap_or_default();
    prices.sort_unstable();
    Ok(prices[0])
}

/// Takes an amount off the balance.
#[process(outputs = ["domain.balance"], errors = ["ValueError"])]
pub fn withdraw(ctx: &Context, amount: i64) -> Result<i64, Failure> {
    if amount < 0 {
        return Err(Failure::new("ValueError", "an amount is not negative"));
    }
    let balance = ctx.get("domain.balance")?.unwrap_or(0);
    if amount > balance {
        return Err(Failure::new("Overdrawn", "there is not that much"));
    }
    ctx.set("domain.balance", &(balance - amount))?;
    Ok(balance - amount)
}

/// Sets the name, and notes the long ones elsewhere.
#[process(outputs = ["domain.name"])]
pub fn rename(ctx: &Context, name: String) -> Result<(), Failure> {
    ctx.set("domain.name", &name)?;
    if name.len() > 30 {
        ctx.set("domain.long_name", &true)?;
    }
    Ok(())
}

/// Counts down.
#[process]
pub fn countdown(_ctx: &Context, from: i64) -> Result<(), Failure> {
    let mut count = from;
    while black_box(count) > 0 {
        count -= 1;
    }
    Ok(())
}

/// Adds an amount to the balance.
#[process(outputs = ["domain.balance"], errors = ["ValueError"])]
pub fn deposit(ctx: &Context, amount: i64) -> Result<i64, Failure> {
    let balance: i64 = ctx.get("domain.balance")?.unwrap_or(0);
    let refused = || Failure::new("ValueError", "an amount is not negative, nor too large");
    if amount < 0 {
        return Err(refused());
    }
    let balance = balance.checked_add(amount).ok_or_else(refused)?;
    ctx.set("domain.balance", &balance)?;
    Ok(balance)
}
