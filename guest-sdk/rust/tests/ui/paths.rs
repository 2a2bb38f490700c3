//! The paths of a contract are no paths.

use theus_guest::prelude::*;

#[process(inputs = [
    "",
    "items",
    "local.items",
    "domain..items",
    "domain.items.",
    "domain.items[-1]",
    "domain.items[01]",
    "domain.items[3",
    "domain.items[3]x",
    "domain.*",
    "domain.a b",
    "domain[\"items\"]",
    "domain[\"a.b",
    "domain[\"a.b\"",
    "domain[\"a\\n\"]",
    "domain._secret",
    "domain[\"_a b\"]",
])]
fn malformed(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(outputs = [
    "domain.slot_{user}",
    "domain.{user}x",
    "domain.{user",
    "domain.{nobody}",
    "domain.{note}",
    "domain.{token}",
    "domain.{rate}",
    "domain.rows[{user}]",
    "domain.rows[{row}",
])]
fn parameters(
    _ctx: &Context,
    user: String,
    row: i64,
    rate: f64,
    note: Option<String>,
    #[secret] token: String,
) -> Result<(), Failure> {
    let _ = (user, row, rate, note, token);
    Ok(())
}

fn main() {}
