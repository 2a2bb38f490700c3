//! `state backup`: a copy that is verified before anybody relies on it.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::progress::during;
use crate::cli::state_dir::StateDir;
use crate::cli::text::escape;
use clap::Args;
use std::path::PathBuf;
use theus_host::store::{self, StoreError};

#[derive(Args, Debug)]
pub(super) struct Backup {
    #[command(flatten)]
    dir: StateDir,
    /// The directory of the copy; there must be no state in it
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Backup {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.dir.path()?;
        let copied = during(output, "copying and verifying", || {
            store::backup(&path, &self.to)
        });
        let verified = copied.map_err(new_state_failure)?;
        if output.is_json() {
            output.json(&verified)?;
            return Ok(exit::OK);
        }
        let sound = verified.sound;
        output.data(&format!(
            "{} holds all of it, verified: records {} to {}, version {}, {}\n",
            escape(&self.to.display().to_string()),
            verified.first,
            sound.seq,
            sound.version,
            sound.hash
        ))?;
        Ok(exit::OK)
    }
}

/// Why there is no new state, of commands that make one of another: their words know no `--context`.
pub(in crate::cli) fn new_state_failure(error: StoreError) -> Failure {
    match error {
        StoreError::Exists(to) => {
            let problem = format!("there is a state in {} already", to.display());
            Failure::new(StoreError::Exists(to).code(), problem)
                .help("nothing is overwritten: give another directory")
        }
        other => other.into(),
    }
}
