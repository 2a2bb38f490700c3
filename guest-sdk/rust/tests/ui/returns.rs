//! Functions that do not return a result.

use theus_guest::prelude::*;

#[process]
fn nothing(_ctx: &Context) {}

#[process]
fn plain_value(_ctx: &Context) -> String {
    "Added".into()
}

fn main() {}
