//! `state compact`: less history, and a smaller file.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::progress::during;
use crate::cli::state_dir::StateDir;
use crate::cli::text::{counted, size};
use clap::Args;
use serde::Serialize;
use theus_host::store::{self, Compacted, Position};

/// Without a flag nothing is forgotten.
#[derive(Args, Debug)]
pub(super) struct Compact {
    #[command(flatten)]
    dir: StateDir,
    /// Forgets the versions before this one, and the records that made them
    #[arg(long, value_name = "VERSION", conflicts_with = "keep")]
    before: Option<u64>,
    /// Forgets all versions but the last N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    keep: Option<u64>,
}

#[derive(Serialize)]
struct Printed {
    oldest: u64,
    forgotten: u64,
    head: Position,
    bytes_before: u64,
    bytes_after: u64,
    error: (),
}

impl Compact {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.dir.path()?;
        let before = match self.keep {
            Some(kept) => {
                let newest = self.dir.open(output)?.head().version;
                Some(newest.saturating_sub(kept - 1))
            }
            None => self.before,
        };
        let compacted = during(output, "compacting", || store::compact(&path, before))?;
        let Compacted {
            oldest,
            forgotten,
            head,
            bytes_before,
            bytes_after,
            ..
        } = compacted;
        if output.is_json() {
            output.json(&Printed {
                oldest,
                forgotten,
                head,
                bytes_before,
                bytes_after,
                error: (),
            })?;
            return Ok(exit::OK);
        }
        output.data(&format!(
            "{} forgotten; the oldest version left is {oldest}\njournal: {} -> {}\n",
            counted(usize::try_from(forgotten).unwrap_or(usize::MAX), "record"),
            size(bytes_before),
            size(bytes_after)
        ))?;
        if before.is_some_and(|asked| oldest < asked) {
            output.note(&format!(
                "history is forgotten up to a checkpoint; the next one behind version {oldest} is too late for what was asked\n"
            ));
        }
        Ok(exit::OK)
    }
}
