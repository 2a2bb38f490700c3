//! `audit`: what a recipe means for a guest, what it would have done to a history, and a recipe to begin with.

mod backtest;
mod gen_spec;
mod inspect;

use super::failure::Failure;
use super::output::Output;
use clap::{Args, Subcommand};
use std::path::Path;

/// The words of `audit`.
#[derive(Args, Debug)]
pub(super) struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Prints the rules that hold for each process, with what is inherited and where each one is written
    Inspect(inspect::Inspect),
    /// Prints a recipe to begin with; --out FILE keeps what is there and adds the processes that are missing
    GenSpec(gen_spec::GenSpec),
    /// Holds a recipe against a state's history: what it would have refused or warned about; no guest is run
    Backtest(backtest::Backtest),
}

impl Audit {
    /// Whether the file of `--out` is not for what is printed, but is added to.
    pub(super) fn adds_to_file(&self) -> bool {
        matches!(self.verb, Verb::GenSpec(_))
    }

    /// Does what the words say.
    pub(super) fn execute(&self, out: Option<&Path>, output: &mut Output) -> Result<u8, Failure> {
        match &self.verb {
            Verb::Inspect(inspect) => inspect.execute(output),
            Verb::GenSpec(gen_spec) => gen_spec.execute(out, output),
            Verb::Backtest(backtest) => backtest.execute(output),
        }
    }
}
