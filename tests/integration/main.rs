//! Integration tests: the library and the built binary, with real guests.
//!
//! One binary holds them all, so that each guest is built once. What the tests share lies in `tests/harness`, and the
//! command line's cases are data in `tests/cases`.

#[path = "../harness/mod.rs"]
mod harness;

mod architecture;
mod assemblyscript;
mod assemblyscript_guide;
mod assemblyscript_sources;
mod attacks;
mod backtest;
mod bank;
mod bombs;
mod build;
mod cases;
mod chapter4;
mod checks;
mod cli;
mod componentize;
mod configuration;
mod contracts;
mod crashes;
mod deadlines;
mod determinism;
mod files;
mod fuzzing;
mod gates;
mod guest_cases;
mod heavy;
mod incidents;
mod init;
mod interlock;
mod isolation;
mod limit_flags;
mod limit_table;
mod limits;
mod locks;
mod minimizing;
mod outside;
mod paths;
mod policies;
mod readme;
mod recipes;
mod records;
mod replay;
mod replay_forged;
mod resources;
mod schema;
mod security;
mod state;
mod state_commands;
mod state_edits;
mod state_log;
mod state_space;
mod transaction;
mod traps;
mod vectors;
mod warehouses;
mod wasi;
mod watch;
mod writable;
mod writable_attacks;
mod writable_shared;
