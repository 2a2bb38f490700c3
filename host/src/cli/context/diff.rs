//! `context diff`: what differs between two versions, whatever led from one to the other.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::progress::during;
use crate::cli::report::{self, View};
use crate::cli::state_dir::StateDir;
use clap::Args;
use serde::Serialize;
use theus_core::differences::differences;
use theus_host::Change;

#[derive(Args, Debug)]
pub(super) struct Diff {
    #[command(flatten)]
    dir: StateDir,
    /// The version before
    from: u64,
    /// The version after; the last one where it is left out
    to: Option<u64>,
}

#[derive(Serialize)]
struct Differing {
    from: u64,
    to: u64,
    changes: Vec<Change>,
    error: (),
}

impl Diff {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let store = self.dir.open(output)?;
        let (from, to) = (self.from, self.to.unwrap_or(store.head().version));
        let changes = during(output, "comparing the versions", || {
            let (before, after) = (store.begin(from)?, store.begin(to)?);
            Ok::<_, Failure>(differences(&before.tree, &after.tree))
        })?;
        if output.is_json() {
            output.json(&Differing {
                from,
                to,
                changes,
                error: (),
            })?;
            return Ok(exit::OK);
        }
        let view = View {
            before: from,
            verbosity: output.verbosity,
            style: output.style,
        };
        output.data(&report::changed(&changes, view))?;
        output.note(&format!("version {from} -> {to}\n"));
        Ok(exit::OK)
    }
}
