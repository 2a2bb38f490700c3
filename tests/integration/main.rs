//! Integration tests: the library and the built binary, with real guests.
//!
//! One binary holds them all, so that each guest is built once. What the tests share lies in `tests/harness`, and the
//! command line's cases are data in `tests/cases`.

#[path = "../harness/mod.rs"]
mod harness;

mod architecture;
mod cases;
mod chapter4;
mod cli;
mod contracts;
mod files;
mod gates;
mod incidents;
mod interlock;
mod isolation;
mod limits;
mod locks;
mod outside;
mod paths;
mod policies;
mod readme;
mod recipes;
mod records;
mod resources;
mod schema;
mod state;
mod state_commands;
mod transaction;
mod traps;
mod wasi;
