//! `replay`: runs a state's history again, and says whether it is as it was recorded.

use super::code_cache::CacheFlag;
use super::exit;
use super::failure::Failure;
use super::nearest::did_you_mean;
use super::output::Output;
use super::progress::during;
use super::span::Span;
use super::state_dir::StateDir;
use super::text::{escape, list};
use super::value_text::show;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use theus_core::code::Code;
use theus_core::path::cut;
use theus_host::replay::{self, Apart, Compiler, Difference, Options, ReplayError, Replayed, What};
use theus_host::{ErrorReport, Value};

/// The words of `replay`.
#[derive(Args, Debug)]
pub(super) struct Replay {
    #[command(flatten)]
    dir: StateDir,
    #[command(flatten)]
    span: Span,
    /// Runs only this process again, and applies what the others wrote
    #[arg(long, value_name = "NAME")]
    process: Option<String>,
    #[command(flatten)]
    cache: CacheFlag,
}

#[derive(Serialize)]
struct Printed {
    first: Option<u64>,
    last: Option<u64>,
    version: u64,
    alike: u64,
    other_fuel: u64,
    different: u64,
    apart: BTreeMap<&'static str, u64>,
    differences: Vec<PrintedDifference>,
    error: Option<ErrorReport>,
}

#[derive(Serialize)]
struct PrintedDifference {
    seq: u64,
    process: Option<String>,
    what: String,
    recorded: Option<Value>,
    found: Option<Value>,
}

/// A value in a text is cut behind so many characters.
const SHOWN: usize = 120;

/// What may be the cause.
fn help(compiler: Compiler) -> &'static str {
    match compiler {
        Compiler::Same => {
            "a record that was not written by this host says something else than the guest does, or the guest's code does \
             something else on this machine: `log verify --expect HASH` finds records that were rewritten"
        }
        Compiler::Other => {
            "it was recorded by another version of theus-host, or with another compiler: replay it with that one; where it \
             differs there as well, `log verify --expect HASH` finds records that were rewritten"
        }
    }
}

impl Replay {
    /// Replays, and prints what came of it.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let store = self.dir.open(output)?;
        let mut options = Options::default();
        let range = self.span.range(store.head().seq)?;
        (options.from, options.to) = (Some(*range.start()), Some(*range.end()));
        options.process.clone_from(&self.process);
        options.compiled_code_cache = self.cache.folder();
        let replayed = during(output, "running the history again", || {
            replay::replay(&*store, &options, |_, _| {})
        })
        .map_err(|error| match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::NoSuchProcess { process, known } => no_such_process(&process, &known),
            other => Failure::new(Code::HostFailed, other),
        })?;
        if replayed.records.is_none() && self.span.is_given() {
            return Err(Failure::new(
                Code::StateUnfit,
                "the records of that range were compacted away",
            )
            .help("`theus-host log` shows the numbers of records"));
        }
        let failure = replayed
            .differences
            .first()
            .map(|first| failure(&replayed, first));
        if output.is_json() {
            let error = failure.map(|failure| *failure.report);
            let code = error
                .as_ref()
                .map_or(exit::OK, |error| exit::code(error.kind));
            output.json(&printed(&replayed, error))?;
            return Ok(code);
        }
        output.data(&text(&replayed))?;
        failure.map_or(Ok(exit::OK), Err)
    }
}

fn no_such_process(process: &str, known: &[String]) -> Failure {
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let message = format!("no record of these is of a process `{}`", cut(process));
    Failure::new(Code::NoSuchProcess, message)
        .help(format!("there are records of: {}", list(&known, "none")))
        .help_if(did_you_mean(process, known))
}

fn failure(replayed: &Replayed, first: &Difference) -> Failure {
    let others = match replayed.different {
        1 => String::new(),
        number => format!("; it is the first of {number} differences"),
    };
    let failure = Failure::new(Code::ReplayDiffers, format!("{}{others}", told(first)))
        .help(help(first.compiler));
    match &first.process {
        Some(process) => failure.process(process),
        None => failure,
    }
}

fn printed(replayed: &Replayed, error: Option<ErrorReport>) -> Printed {
    let apart = replayed.apart.iter();
    let differences = replayed.differences.iter();
    Printed {
        first: replayed.records.map(|(first, _)| first),
        last: replayed.records.map(|(_, last)| last),
        version: replayed.version,
        alike: replayed.alike,
        other_fuel: replayed.other_fuel,
        different: replayed.different,
        apart: apart
            .map(|(apart, number)| (apart.name(), *number))
            .collect(),
        differences: differences
            .map(|it| PrintedDifference {
                seq: it.seq,
                process: it.process.clone(),
                what: it.what.to_string(),
                recorded: it.recorded.clone(),
                found: it.found.clone(),
            })
            .collect(),
        error,
    }
}

fn text(replayed: &Replayed) -> String {
    let mut text = match replayed.records {
        None => "there are no records\n".to_owned(),
        Some((first, last)) => format!(
            "records {first} to {last}: {} run again and alike, {} different\n",
            replayed.alike, replayed.different
        ),
    };
    if replayed.other_fuel > 0 {
        let _ = writeln!(
            text,
            "of these {} cost other fuel: another compiler, or other settings of it, made their code then",
            replayed.other_fuel
        );
    }
    let applied = |apart: Apart| apart != Apart::NotEntered;
    for (apart, number) in &replayed.apart {
        let as_recorded = if applied(*apart) {
            ", applied as recorded"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "not run again: {number} {}{as_recorded}",
            apart.text()
        );
    }
    let _ = writeln!(text, "context: version {}", replayed.version);
    text
}

/// A difference as a sentence.
fn told(difference: &Difference) -> String {
    let seq = difference.seq;
    let process = difference.process.as_deref().unwrap_or_default();
    let process = escape(process);
    let shown = |value: Option<&Value>| match value {
        None => "nothing".to_owned(),
        Some(value) => show(value, SHOWN),
    };
    match difference.what {
        What::Component => format!(
            "record {seq}: the component of {process} cannot be run any more: {}",
            shown(difference.found.as_ref())
        ),
        what => format!(
            "record {seq}: the {what} of {process} was {}, and is {}",
            shown(difference.recorded.as_ref()),
            shown(difference.found.as_ref())
        ),
    }
}
