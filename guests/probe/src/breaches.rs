//! Does what the contract does not allow. None of these processes gets beyond its breach.

use std::collections::BTreeMap;

use theus_guest::prelude::*;

/// Reads a key that it has not declared.
#[process(inputs = ["domain.counter"])]
pub fn read_undeclared(ctx: &Context) -> Result<Option<Value>, Failure> {
    Ok(ctx.get("domain.hidden")?)
}

/// Writes a key that it has declared, then one that it has not.
#[process(inputs = ["domain.hidden"], outputs = ["domain.counter"])]
pub fn write_undeclared(ctx: &Context) -> Result<(), Failure> {
    ctx.set("domain.counter", &1)?;
    ctx.set("domain.hidden", "overwritten")?;
    Ok(())
}

/// Declares a child and replaces its parent.
#[process(outputs = ["domain.record.child"])]
pub fn write_ancestor(ctx: &Context) -> Result<(), Failure> {
    ctx.set("domain.record", &BTreeMap::from([("child", 0)]))?;
    Ok(())
}

/// Fails with a code of the caller's choice; only `ValueError` is declared.
#[process(outputs = ["domain.counter"], errors = ["ValueError"])]
pub fn fail(ctx: &Context, code: String, message: String) -> Result<(), Failure> {
    ctx.set("domain.counter", &-1)?;
    Err(Failure::new(code, message))
}
