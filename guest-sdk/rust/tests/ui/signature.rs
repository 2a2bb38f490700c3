//! Functions that are no process.

#![allow(improper_ctypes_definitions)]

use theus_guest::prelude::*;

struct Warehouse;

impl Warehouse {
    #[process]
    fn method(&self, _ctx: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

#[process]
struct NoFunction;

#[process]
async fn asynchronous(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
const fn constant(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
unsafe fn not_safe(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
extern "C" fn foreign(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
fn generic<T>(_ctx: &Context, value: T) -> Result<T, Failure> {
    Ok(value)
}

#[process]
fn generic_lifetime<'a>(_ctx: &'a Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
fn bounded(_ctx: &Context) -> Result<(), Failure>
where
    i64: Copy,
{
    Ok(())
}

#[process]
fn no_context() -> Result<(), Failure> {
    Ok(())
}

#[process]
fn context_not_first(price: i64, _ctx: &Context) -> Result<i64, Failure> {
    Ok(price)
}

#[process]
fn context_by_value(_ctx: Context) -> Result<(), Failure> {
    Ok(())
}

#[process]
fn context_to_change(_ctx: &mut Context) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
