//! What the compiler says to a process that cannot be one: every message names what to write instead.
//!
//! `TRYBUILD=overwrite cargo test -p theus-guest --test misuse` writes the expected messages anew.

#![cfg(not(target_family = "wasm"))]

#[test]
fn misuse_says_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
