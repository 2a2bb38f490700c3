//! `context export`: the context as a file.

use super::At;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::{context_file, context_text};
use clap::Args;
use std::path::Path as File;
use theus_core::code::Code;

/// All of it is written: signals and notes as well, as they stand at that version.
#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    at: At,
}

impl Export {
    /// Prints YAML; JSON with `-o json`, and into a file whose name ends in `.json`, because it is read as that.
    pub(super) fn execute(&self, out: Option<&File>, output: &mut Output) -> Result<u8, Failure> {
        let snapshot = self.at.snapshot(output)?;
        if output.is_json() || out.is_some_and(context_file::is_json) {
            output.json(&context_text::Context(&snapshot.tree))?;
        } else {
            let yaml = context_text::to_yaml(&snapshot.tree)
                .map_err(|error| Failure::new(Code::HostFailed, error))?;
            output.data(&yaml)?;
        }
        output.note(&format!("version {}\n", snapshot.version));
        Ok(exit::OK)
    }
}
