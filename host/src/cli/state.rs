//! `state`: what an operator does to a state besides running processes and editing.

mod copy;
mod info;
mod interlock;
mod space;

pub(super) use self::copy::new_state_failure;

use super::failure::Failure;
use super::output::Output;
use clap::{Args, Subcommand};

/// The words of `state`.
#[derive(Args, Debug)]
pub(super) struct State {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Prints what a state holds: versions, records, sizes, counters, the interlock
    Info(info::Info),
    /// Forgets history where asked to, and gives back the space that the journal does not need
    Compact(space::Compact),
    /// Copies a state into a new directory, and verifies the copy
    Backup(copy::Backup),
    /// Shows whether the interlock is in force, or resets it
    Interlock(interlock::InterlockVerb),
}

impl State {
    /// Does it, and says what was there.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.form {
            Form::Info(info) => info.execute(output),
            Form::Compact(compact) => compact.execute(output),
            Form::Backup(backup) => backup.execute(output),
            Form::Interlock(interlock) => interlock.execute(output),
        }
    }
}
