//! What a call costs, as ratios from one run.
//!
//! `cargo bench -p theus-host --features baseline --bench ratios [-- [quick] [SECTION …]]`
//!
//! | section | what it measures |
//! | --- | --- |
//! | `calls` | the reference call against its baselines |
//! | `standing` | what a caller waits for, where instances stand ready, and what the call costs in all |
//! | `threads` | one thread and two, on disjoint and on equal keys |
//! | `access` | host calls, growing lists and large subtrees, each through the whole engine |
//! | `footprint` | memory over many calls, a context of a million keys, the start of the binary |
//! | `deadline` | how long after its time a call is ended, whatever the guest is doing |
//! | `compile` | time and memory that a guest can cost the compiler |
//!
//! The cases of a section are measured in turn, a batch of each per round, so that a noisy machine disturbs all of them
//! alike; what is printed are the lowest decile and the median of the rounds. `quick` makes few rounds, for a glance.
//! `calls=NAME` runs the one case whose name contains NAME, and prints nothing: that is for a profiler.

#![allow(clippy::print_stdout, reason = "the tables are the result")]

mod access;
mod calls;
mod compile;
mod deadline;
mod footprint;
mod guests;
mod rounds;
mod standing;
mod threads;

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../../tests/harness/wat.rs"]
mod wat;

use anyhow::{Result, bail};

/// How long to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    Quick,
    Full,
}

impl Effort {
    fn rounds(self, full: usize) -> usize {
        match self {
            Self::Quick => full / 10,
            Self::Full => full,
        }
    }
}

type Section = fn(Effort) -> Result<()>;

const SECTIONS: [(&str, Section); 7] = [
    ("calls", calls::run),
    ("standing", standing::run),
    ("threads", threads::run),
    ("access", access::run),
    ("footprint", footprint::run),
    ("deadline", deadline::run),
    ("compile", compile::run),
];

fn main() -> Result<()> {
    let mut effort = Effort::Full;
    let mut chosen = Vec::new();
    for word in std::env::args().skip(1) {
        if word == "quick" {
            effort = Effort::Quick;
        } else if let Some(case) = word.strip_prefix("calls=") {
            return calls::profile(case);
        } else if let Some(section) = SECTIONS.iter().find(|(name, _)| *name == word) {
            chosen.push(*section);
        } else if !word.starts_with("--") {
            let names = SECTIONS.map(|(name, _)| name).join(", ");
            bail!("there is no section `{word}`: expected `quick`, `calls=NAME` or any of {names}");
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
