//! Takes arguments of all kinds and gives them back.

use std::collections::BTreeMap;

use theus_guest::prelude::*;

/// Gives its argument back.
#[process]
pub fn echo(_ctx: &Context, value: Value) -> Result<Value, Failure> {
    Ok(value)
}

/// Gives its argument back; the parameter is called `name`.
#[process]
pub fn echo_name(_ctx: &Context, name: String) -> Result<String, Failure> {
    Ok(name)
}

/// Gives one argument of every kind back, in order.
#[process]
#[expect(
    clippy::too_many_arguments,
    reason = "the point is one parameter of every kind"
)]
pub fn echo_kinds(
    _ctx: &Context,
    truth: bool,
    whole: i64,
    real: f64,
    text: String,
    binary: Bytes,
    list: Vec<Value>,
    map: BTreeMap<String, Value>,
    any: Value,
) -> Result<Vec<Value>, Failure> {
    Ok(vec![
        Value::Bool(truth),
        Value::Int(whole),
        Value::Float(real),
        Value::Str(text),
        Value::Bytes(binary.0),
        Value::List(list),
        Value::Map(map),
        any,
    ])
}

/// Says whether its optional argument was given.
#[process]
pub fn optional(_ctx: &Context, note: Option<String>) -> Result<String, Failure> {
    Ok(note.map_or_else(|| "none".into(), |note| format!("some: {note}")))
}

/// Gives the length of a secret, and no more of it.
#[process]
pub fn secret(_ctx: &Context, #[secret] token: String) -> Result<u64, Failure> {
    Ok(token.len() as u64)
}

/// Counts its calls in a static: every call must see the first one.
#[process]
pub fn stateful(_ctx: &Context) -> Result<u64, Failure> {
    use std::sync::atomic::{AtomicU64, Ordering};

    static CALLS: AtomicU64 = AtomicU64::new(0);
    Ok(CALLS.fetch_add(1, Ordering::Relaxed) + 1)
}
