//! `log`: what happened in a state and why; whether that is what was written; and what of it can be saved.

use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::state_dir::StateDir;
use super::text::escape;
use super::time_text::utc;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use theus_core::code::Code;
use theus_core::value::Value;
use theus_host::store::{self, Hash, Kept, Position, Salvaged, Verified};
use theus_host::{Actor, Outcome};

/// The words of `log`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Log {
    #[command(subcommand)]
    form: Option<Form>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Reads every record: checksums, chain, and checkpoints against what the records make
    Verify(Verify),
    /// Copies the sound part of a damaged state into a new one
    Salvage(Salvage),
}

#[derive(Args, Debug)]
struct Shown {
    #[command(flatten)]
    dir: StateDir,
    /// The last N records
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// Records behind this one instead, the next N of them
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
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

#[derive(Serialize)]
struct Listed {
    head: Position,
    entries: Vec<Value>,
    error: (),
}

impl Log {
    /// Prints records, verifies them, or saves them.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.form {
            Some(Form::Verify(verify)) => verify.execute(output),
            Some(Form::Salvage(salvage)) => salvage.execute(output),
            None => self.shown.execute(output),
        }
    }
}

impl Shown {
    fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let store = self.dir.open(output)?;
        let head = store.head();
        let last = u64::try_from(self.last).unwrap_or(u64::MAX);
        let after = self.after.unwrap_or(head.seq.saturating_sub(last));
        let entries = store.entries(after, self.last)?;
        if output.is_json() {
            let entries = entries.iter().map(value).collect();
            output.json(&Listed {
                head,
                entries,
                error: (),
            })?;
        } else {
            let lines: String = entries.iter().map(line).collect();
            output.data(&lines)?;
            output.note(&format!(
                "head: record {}, version {}, {}\n",
                head.seq, head.version, head.hash
            ));
        }
        Ok(exit::OK)
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
        })?;
        let Salvaged { last, damage, .. } = salvaged;
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

/// A record as JSON has it: all that is kept of it, and its hash.
fn value(kept: &Kept) -> Value {
    let value = kept.entry.to_value();
    match value {
        Value::Map(mut map) => {
            map.insert("hash", Value::from(kept.hash.to_string().as_str()));
            Value::Map(map)
        }
        other => other,
    }
}

/// A record as one line.
fn line(kept: &Kept) -> String {
    let record = &kept.entry.record;
    let version = record
        .version
        .map_or_else(|| "-".into(), |it| it.to_string());
    let actor = match &record.actor {
        Actor::Process { name, .. } => escape(name).into_owned(),
        Actor::Edit => "(edit)".into(),
        Actor::InterlockReset => "(interlock reset)".into(),
        Actor::SignalsReset => "(signals reset)".into(),
        _ => "(other)".into(),
    };
    let outcome = match record.outcome {
        Outcome::Committed => "committed",
        Outcome::RolledBack => "rolled back",
        Outcome::Refused => "refused",
    };
    let mut text = format!(
        "{:>6}  v{version:<6} {}  {actor}  {outcome}",
        record.seq,
        utc(record.time)
    );
    if let Some(error) = &record.error {
        let _ = write!(text, "  {}", escape(error));
    }
    let mut writes = kept.entry.writes.iter();
    for write in writes.by_ref().take(3) {
        let _ = write!(text, "  {}", escape(&write.path.to_string()));
    }
    match writes.count() {
        0 => {}
        more => {
            let _ = write!(text, "  and {more} more");
        }
    }
    text.push('\n');
    text
}
