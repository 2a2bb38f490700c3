//! Names that the host would refuse, or uses for something else.

use theus_guest::prelude::*;

#[process(errors = ["", "Value Error", "Wert!", "Decode"])]
fn errors(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(side_effects = ["network", "fs", "fs:", "fs-rw:a/b", "clock:utc"])]
fn side_effects(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
fn größe(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
fn parameter(_ctx: &Context, größe: i64) -> Result<(), Failure> {
    let _ = größe;
    Ok(())
}

#[process]
fn word_of_the_rules(_ctx: &Context, result: i64) -> Result<(), Failure> {
    let _ = result;
    Ok(())
}

fn main() {}
