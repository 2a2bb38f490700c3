//! Tests of the schema: its file, whole contexts, transactions, paths, and what it is turned into.

mod contexts;
mod docs;
mod file;
mod forms;
mod paths;
mod random;
mod transactions;

use super::Schema;
use crate::context_source::context_from_json;
use crate::tree::Tree;

/// A schema that is right.
#[track_caller]
fn schema(text: &str) -> Schema {
    Schema::parse(text, "schema.yaml").unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

#[track_caller]
fn context(json: &str) -> Tree {
    context_from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

const WAREHOUSE: &str = "
context:
  global: { max_capacity: { type: int, default: 500 } }
  domain:
    items: { type: list, max_len: 3, items: { type: map, fields: { name: { type: string, required: true, max_len: 8 }, price: { type: int, min: 0 } } }, default: [] }
    total_value: { type: int, default: 0, min: 0, max: 1000 }
    note: { type: any }
    box: { type: map, max_len: 2, fields: { a: { type: float, max: 1.5 }, must: { type: bool, required: true }, deep: { type: map } }, open: true }
    sig_restock_needed: { type: bool, default: false }
";
