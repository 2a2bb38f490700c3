//! The command line's cases: one folder each in `tests/cases`, as `theus_host::testing::cases` reads them.
//!
//! `$PROBE`, `$PROBE_AS`, `$WAREHOUSE`, `$PRICES`, `$REPORTS`, `$SCRIBE`, `$PLANTED` and `$GUESTS` stand for the built guests and the
//! folder of their sources. What a case prints is held against the published schema as well. `THEUS_BLESS=1 cargo test`
//! writes the expectations that are not met.

use super::binary::host;
use super::{guests, output_schema, root, text};
use serde_json::Value as Json;
use std::path::PathBuf;
use theus_host::testing::cases::{Expectations, Suite, folders as folders_of};

pub(crate) use theus_host::testing::cases::split;

/// Every case, by its folder.
pub(crate) fn folders() -> Vec<PathBuf> {
    folders_of(&root().join("tests/cases")).expect("tests/cases is there")
}

/// The suite of the project's own cases.
pub(crate) fn suite() -> Suite<'static> {
    let guest = |guest: &guests::Prebuilt| guest.file.display().to_string();
    let expectations = match std::env::var_os("THEUS_BLESS") {
        Some(_) => Expectations::Blessed,
        None => Expectations::Fixed,
    };
    let suite = Suite::new(host)
        // Before the name that it begins with.
        .stand_in("$PROBE_AS", guest(guests::probe_as()))
        .stand_in("$PROBE", guest(guests::probe()))
        .stand_in("$WAREHOUSE", guest(guests::warehouse()))
        .stand_in("$PRICES", guest(guests::prices()))
        .stand_in("$REPORTS", guest(guests::reports()))
        .stand_in("$SCRIBE", guest(guests::scribe()))
        .stand_in("$PLANTED", guest(guests::planted_bugs()))
        .stand_in("$GUESTS", root().join("guests").display().to_string())
        .check(shape_failures)
        .expectations(expectations);
    text::hidden()
        .into_iter()
        .fold(suite, |suite, (text, shown)| suite.hide(text, shown))
}

/// What is printed fits the published schema, and the exit code is that of the error's kind.
fn shape_failures(words: &[String], exit: i32, found: &Json) -> Vec<String> {
    let mut failures = output_schema::misfits(words, found);
    let kind = found["error"]["kind"].as_str();
    // What `fuzz` and `audit backtest` find is no error of its own.
    let found_some = found["findings"]
        .as_array()
        .is_some_and(|it| !it.is_empty())
        || found["refused"]["commits"].as_u64() > Some(0);
    if kind.map_or(i32::from(found_some), exit_code) != exit {
        failures.push(format!("exit code {exit} with the kind {kind:?}"));
    }
    failures
}

/// The exit code of a kind, as the interface fixes it.
pub(crate) fn exit_code(kind: &str) -> i32 {
    match kind {
        "host" => 1,
        "usage" => 2,
        "contract" => 3,
        "audit-block" => 4,
        "audit-abort" => 5,
        "interlock" => 6,
        "failure" => 7,
        "trap" => 8,
        "limit" => 9,
        other => panic!("`{other}` is no kind of the interface"),
    }
}
