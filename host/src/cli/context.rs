//! `context`: what a state's context holds, now or at any version that is still there; and how an operator changes it.

mod diff;
mod export;
mod show;

use super::edit::{ContextImport, ContextRemove, ContextSet};
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::state_dir::StateDir;
use clap::{Args, Subcommand};
use std::path::Path as File;
use theus_core::code::Code;
use theus_host::{Path, Snapshot};

/// The words of `context`.
#[derive(Args, Debug)]
pub(super) struct Context {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Prints the context of a state, or one place in it
    Show(show::Show),
    /// Prints the value of one place; it is an error where nothing is there
    Get(show::Get),
    /// Prints what differs between two versions
    Diff(diff::Diff),
    /// Prints the context as a file that `--context` and `context import` read back
    Export(export::Export),
    /// Sets the value of one place, as an edit
    Set(ContextSet),
    /// Removes the value of one place, as an edit
    Remove(ContextRemove),
    /// Makes the context that of a file, by one edit
    Import(ContextImport),
}

/// Which version of which state.
#[derive(Args, Debug)]
struct At {
    #[command(flatten)]
    dir: StateDir,
    /// An earlier version; the last one where it is left out
    #[arg(long, value_name = "VERSION")]
    at: Option<u64>,
}

impl Context {
    /// Prints what is there, or changes it.
    pub(super) fn execute(&self, out: Option<&File>, output: &mut Output) -> Result<u8, Failure> {
        match &self.form {
            Form::Show(show) => show.execute(output),
            Form::Get(get) => get.execute(output),
            Form::Diff(diff) => diff.execute(output),
            Form::Export(export) => export.execute(out, output),
            Form::Set(set) => set.execute(output),
            Form::Remove(remove) => remove.execute(output),
            Form::Import(import) => import.execute(output),
        }
    }
}

impl At {
    /// The context at that version.
    fn snapshot(&self, output: &Output) -> Result<Snapshot, Failure> {
        let store = self.dir.open(output)?;
        let version = self.at.unwrap_or(store.head().version);
        let snapshot = during(output, "going back to that version", || {
            store.begin(version)
        });
        Ok(snapshot?)
    }
}

fn parse(path: &str) -> Result<Path, Failure> {
    Path::parse(path).map_err(|error| {
        Failure::new(Code::CommandLine, error)
            .help("write a place as contracts do: domain.items[0].price")
    })
}
