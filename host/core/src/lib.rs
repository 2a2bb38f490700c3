//! The pure part of theus-host: what a value, a path, a contract, the guard, a transaction and an audit rule *are*.
//!
//! Nothing here does I/O and nothing here knows wasm, so the same code decides in the host, in a guest's native tests
//! and in the fuzzers.

pub mod advice;
pub mod arguments;
pub mod audit;
pub mod changes;
pub mod code;
pub mod codec;
pub mod config;
pub mod context_guard;
pub mod context_source;
pub mod contract;
pub mod differences;
pub mod fuzz;
pub mod guard;
pub mod guest_log;
pub mod json;
pub mod limits;
mod list;
mod map;
pub mod minimize;
pub mod path;
pub mod pattern;
pub mod policy;
pub mod refusal;
pub mod schema;
pub mod side_effect;
mod source;
pub mod topic;
pub mod transaction;
pub mod tree;
pub mod units;
pub mod value;
pub mod zone;

#[cfg(test)]
mod testing;
