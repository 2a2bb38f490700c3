//! What stands in the parentheses is not four lists of strings.

use theus_guest::prelude::*;

#[process(reads = ["domain.a"])]
fn unknown_key(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process("domain.a")]
fn no_key(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(inputs("domain.a"))]
fn no_equals_sign(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(inputs = "domain.a")]
fn no_brackets(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(inputs = [domain.a])]
fn no_quotes(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(errors = ["A"], errors = ["B"])]
fn one_list_in_two(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(inputs = ["domain.a", "domain.a"], errors = ["A", "A"])]
fn doubled(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
