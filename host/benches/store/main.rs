//! What it costs that a commit lasts, in syncs of this disk.
//!
//! `cargo bench -p theus-host --bench store [-- [quick] [SECTION …]]`
//!
//! | section | what it measures |
//! | --- | --- |
//! | `commits` | one writer: a commit that lasts, against one `fdatasync` of the same disk, against memory and buffered |
//! | `heavy` | one writer: commits of large values |
//! | `groups` | many writers: commits per sync, and readers outside meanwhile |
//! | `open` | opening a state of a million commits and as many values, closed in order and after a crash; its memory |
//!
//! The unit is one `fdatasync` behind 200 bytes that were appended to a file beside the states: measured in the same run, in
//! turn with what is compared with it. `quick` makes few rounds and a hundred times fewer commits, for a glance.

#![allow(clippy::print_stdout, reason = "the tables are the result")]

mod commits;
mod groups;
mod heavy;
mod open;
#[allow(dead_code, reason = "the other benchmark uses more of it")]
#[path = "../ratios/rounds.rs"]
mod rounds;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../../tests/harness/trace.rs"]
mod trace;

use anyhow::{Result, bail};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use theus_host::{Engine, Tree, context_from_json};

/// How long to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    Quick,
    Full,
}

type Section = fn(Effort) -> Result<()>;

const SECTIONS: [(&str, Section); 4] = [
    ("commits", commits::run),
    ("heavy", heavy::run),
    ("groups", groups::run),
    ("open", open::run),
];

fn main() -> Result<()> {
    let mut effort = Effort::Full;
    let mut chosen = Vec::new();
    for word in std::env::args().skip(1) {
        if word == "quick" {
            effort = Effort::Quick;
        } else if let Some(state) = word.strip_prefix("open=") {
            return open::once(Path::new(state));
        } else if let Some(section) = SECTIONS.iter().find(|(name, _)| *name == word) {
            chosen.push(*section);
        } else if !word.starts_with("--") {
            let names = SECTIONS.map(|(name, _)| name).join(", ");
            bail!("there is no section `{word}`: expected `quick` or any of {names}");
        }
    }
    if chosen.is_empty() {
        chosen = SECTIONS.to_vec();
    }
    for (name, section) in chosen {
        println!("\n== {name}");
        section(effort)?;
    }
    Ok(())
}

impl Effort {
    fn of(self, full: usize) -> usize {
        match self {
            Self::Quick => full / 100,
            Self::Full => full,
        }
    }
}

/// A folder on the disk that is measured: the one that the build is on.
fn folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}

/// The unit: 200 bytes behind a file's end, and one sync.
fn append(file: &mut File) -> Result<()> {
    file.write_all(&[7; 200])?;
    file.sync_data()?;
    Ok(())
}

/// A context with places for many writers.
fn context() -> Result<Tree> {
    Ok(context_from_json(r#"{"domain": {"values": {}}}"#)?)
}

/// The smallest change that lasts.
fn set(engine: &Engine, key: &str, value: i64) -> Result<()> {
    let place = format!("domain.values.{key}");
    engine.edit(|context| context.set(&place, value))?;
    Ok(())
}
