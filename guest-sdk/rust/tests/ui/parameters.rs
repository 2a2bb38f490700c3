//! Parameters that no argument can be made for.

use theus_guest::prelude::*;

#[process]
fn borrowed_text(_ctx: &Context, name: &str) -> Result<(), Failure> {
    let _ = name;
    Ok(())
}

#[process]
fn borrowed_option(_ctx: &Context, name: Option<&str>) -> Result<(), Failure> {
    let _ = name;
    Ok(())
}

#[process]
fn bytes(_ctx: &Context, data: Vec<u8>) -> Result<(), Failure> {
    let _ = data;
    Ok(())
}

#[process]
fn wide(_ctx: &Context, number: i128) -> Result<(), Failure> {
    let _ = number;
    Ok(())
}

#[process]
fn anything(_ctx: &Context, name: impl Into<String>) -> Result<(), Failure> {
    let _ = name;
    Ok(())
}

#[process]
fn function(_ctx: &Context, callback: fn()) -> Result<(), Failure> {
    let _ = callback;
    Ok(())
}

#[process]
fn without_a_name(_ctx: &Context, _: i64) -> Result<(), Failure> {
    Ok(())
}

#[process]
fn pattern(_ctx: &Context, (width, height): (i64, i64)) -> Result<i64, Failure> {
    Ok(width * height)
}

#[process]
fn marked(_ctx: &Context, #[hidden] token: String) -> Result<(), Failure> {
    let _ = token;
    Ok(())
}

#[process]
fn marked_with_more(_ctx: &Context, #[secret(true)] token: String) -> Result<(), Failure> {
    let _ = token;
    Ok(())
}

fn main() {}
