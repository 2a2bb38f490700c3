//! `log`: what happened in a state and why; whether that is what was written; and what of it can be saved.

mod filter;
mod outbox;
mod records;

use self::records::Records;
use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::state::new_state_failure;
use super::state_dir::StateDir;
use super::text::escape;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use theus_core::code::Code;
use theus_host::store::{self, Hash, Position, Salvaged, Verified};

/// The words of `log`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Log {
    #[command(subcommand)]
    form: Option<Form>,
    #[command(flatten)]
    records: Records,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Reads every record: checksums, chain, and checkpoints against what the records make
    Verify(Verify),
    /// Prints the messages of commits, in order, each with its id
    Outbox(outbox::Outbox),
    /// Copies the sound part of a damaged state into a new one
    Salvage(Salvage),
}

#[derive(Args, Debug)]
struct Verify {
    #[command(flatten)]
    dir: StateDir,
    /// A hash that a receipt showed: finds records that were rewritten or cut off, too
    #[arg(long, value_name = "HASH")]
    expect: Option<Hash>,
}

#[derive(Args, Debug)]
struct Salvage {
    #[command(flatten)]
    dir: StateDir,
    /// The directory of the new state
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Log {
    /// Prints records, verifies them, or saves them.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.form {
            Some(Form::Verify(verify)) => verify.execute(output),
            Some(Form::Outbox(outbox)) => outbox.execute(output),
            Some(Form::Salvage(salvage)) => salvage.execute(output),
            None => self.records.execute(output),
        }
    }
}

impl Verify {
    fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.dir.path()?;
        let verified = during(output, "verifying the records", || {
            store::verify(&path, self.expect)
        })?;
        let Verified {
            first,
            sound,
            checkpoints,
            blobs,
            expected,
            damage,
            ..
        } = &verified;
        if let Some(damage) = damage {
            let problem = format!("sound up to record {}, then: {damage}", sound.seq);
            return Err(Failure::new(Code::StateDamaged, problem).help(format!(
                "`theus-host log salvage --state {} --to NEW` copies what is sound",
                path.display()
            )));
        }
        if output.is_json() {
            output.json(&verified)?;
            return Ok(exit::OK);
        }
        let mut text = format!(
            "records {first} to {}: sound\ncheckpoints: {checkpoints}, all as their records make them\nblobs: {blobs}, all as their digests say\nhead: version {}, {}\n",
            sound.seq, sound.version, sound.hash
        );
        match (self.expect, expected) {
            (Some(_), Some(seq)) => {
                let _ = writeln!(
                    text,
                    "the expected hash is that of record {seq}: nothing up to it was rewritten"
                );
            }
            _ => text.push_str(
                "without --expect HASH a journal that somebody rewrote as a whole looks the same\n",
            ),
        }
        output.data(&text)?;
        Ok(exit::OK)
    }
}

impl Salvage {
    fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.dir.path()?;
        let salvaged = during(output, "copying the records", || {
            store::salvage(&path, &self.to)
        });
        let Salvaged { last, damage, .. } = salvaged.map_err(new_state_failure)?;
        if output.is_json() {
            #[derive(Serialize)]
            struct Printed {
                last: Position,
                damage: Option<String>,
                error: (),
            }
            output.json(&Printed {
                last,
                damage: damage.map(|it| it.to_string()),
                error: (),
            })?;
            return Ok(exit::OK);
        }
        let left = damage.map_or_else(
            || "nothing was damaged".to_owned(),
            |damage| format!("left behind from there on: {damage}"),
        );
        output.data(&format!(
            "{} holds all up to record {}, version {}\n{left}\n",
            escape(&self.to.display().to_string()),
            last.seq,
            last.version
        ))?;
        Ok(exit::OK)
    }
}
