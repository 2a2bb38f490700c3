//! `fuzz`: a guest's processes with random arguments and contexts, and what must not happen.

mod command;
mod text;

use self::command::{Commands, Given};
use super::code_cache::CacheFlag;
use super::config::{ConfigFlag, Setup};
use super::exit;
use super::failure::Failure;
use super::grants::Grants;
use super::inputs::{InputFlags, Inputs};
use super::limits::{self, LimitFlags};
use super::output::Output;
use super::progress::during;
use super::schema;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_host::Engine;
use theus_host::fuzz::{Finding, Fuzzer, ProcessReport};

/// The exit code where something was found.
const FOUND: u8 = 1;

/// How long it takes where neither `--seconds` nor `--runs` says so.
const SECONDS: u64 = 10;

/// The flags and words of `fuzz`.
#[derive(Args, Debug)]
pub(super) struct Fuzz {
    /// A component, a core module built with an SDK, or a guest's source folder (built first), or a component's name of
    /// the configuration
    target: PathBuf,
    /// The process; all of the guest's where none is named
    process: Option<String>,
    /// How long to go on; 10 unless --runs says how often
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// How many inputs to run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// What all choices follow from: the same seed and runs find the same
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    inputs: InputFlags,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    config: ConfigFlag,
    #[command(flatten)]
    cache: CacheFlag,
}

/// What is known once the files are read.
struct Prepared {
    engine: Engine,
    /// The file with the context that every made-up one starts from.
    context: Option<PathBuf>,
    contracts: Vec<Contract>,
    digest: String,
    warnings: Vec<String>,
}

/// What is printed: the report, and how to see each finding again.
#[derive(Serialize)]
struct Printed<'a> {
    target: String,
    digest: &'a str,
    seed: u64,
    runs: u64,
    processes: &'a [ProcessReport],
    findings: Vec<PrintedFinding<'a>>,
    left_out: u64,
    warnings: Vec<String>,
    error: (),
}

#[derive(Serialize)]
struct PrintedFinding<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    /// A command line.
    reproduce: &'a str,
}

impl Fuzz {
    /// Fuzzes and prints what was found; `folder` is where the files go that reproducing needs.
    pub(super) fn execute(
        &self,
        folder: Option<&Path>,
        output: &mut Output,
    ) -> Result<u8, Failure> {
        let Prepared {
            engine,
            context,
            contracts,
            digest,
            mut warnings,
        } = self.prepare(output)?;
        let given = Given {
            target: &self.target,
            context: context.as_deref(),
            flags: self.flags(),
        };
        let commands = Commands::new(given, folder);
        commands.prepare()?;
        let stop = interrupted()?;
        let seed = self.seed.map_or_else(drawn, Ok)?;
        let mut fuzzer = Fuzzer::new(&engine)
            .seed(seed)
            .runs(self.runs.unwrap_or(u64::MAX))
            .stop_when(Arc::clone(&stop));
        if let Some(process) = &self.process {
            fuzzer = fuzzer.process(process);
        }
        if let Some(seconds) = self.seconds.or(self.runs.is_none().then_some(SECONDS)) {
            fuzzer = fuzzer.time(Duration::from_secs(seconds));
        }
        let report = during(output, "fuzzing the guest", || fuzzer.run());
        if stop.load(Ordering::Relaxed) {
            warnings.push("interrupted: this is what was seen until then".to_owned());
        }
        let reproduce = commands.write(&report.findings, &contracts)?;
        for warning in &warnings {
            output.warn(warning);
        }
        if output.is_json() {
            let findings = report.findings.iter().zip(&reproduce);
            let findings =
                findings.map(|(finding, reproduce)| PrintedFinding { finding, reproduce });
            output.json(&Printed {
                target: self.target.display().to_string(),
                digest: &digest,
                seed,
                runs: report.runs,
                processes: &report.processes,
                findings: findings.collect(),
                left_out: report.left_out,
                warnings,
                error: (),
            })?;
        } else {
            output.data(&text::report(
                &report,
                &reproduce,
                output.verbosity,
                output.style,
            ))?;
        }
        Ok(if report.findings.is_empty() {
            exit::OK
        } else {
            FOUND
        })
    }

    fn prepare(&self, output: &Output) -> Result<Prepared, Failure> {
        let setup = Setup::read(&self.config, &self.target)?;
        let limits = self.limits.over(setup.limits())?;
        limits::check(&limits)?;
        let inputs = self.inputs.read(&setup, None, &limits)?;
        let loaded = setup.load(&limits, output)?;
        if let Some(process) = &self.process {
            loaded.process(Some(process))?;
        }
        let mut warnings = setup.notes().to_vec();
        warnings.extend(inputs.notes(&loaded)?);
        warnings.extend(self.unvaried(&inputs, &loaded.guest.contracts));
        let granted = setup.granted(&self.grants, &loaded.guest.contracts)?;
        warnings.extend(granted.notes);
        let context_path = inputs.context_path.clone();
        let engine = inputs
            .builder(limits, &self.cache)
            .build()
            .map_err(|error| schema::not_built(&error, context_path.as_deref()))?;
        let registered = during(output, "compiling the guest", || {
            engine.register(loaded.component, granted.policy)
        })?;
        warnings.extend(registered.notes);
        Ok(Prepared {
            engine,
            context: context_path,
            contracts: loaded.guest.contracts,
            digest: registered.digest,
            warnings,
        })
    }

    /// A guest that reads and never finds anything is not fuzzed by half.
    fn unvaried(&self, inputs: &Inputs, contracts: &[Contract]) -> Option<String> {
        let fuzzed = |it: &&Contract| self.process.as_ref().is_none_or(|name| it.name == *name);
        let reads = |it: &Contract| !(it.inputs.is_empty() && it.outputs.is_empty());
        let is_blind = !inputs.vary_contexts() && contracts.iter().filter(fuzzed).any(reads);
        is_blind.then(|| {
            "no --schema and no --context is given: every run begins with an empty context, and what is read is never there"
                .to_owned()
        })
    }

    /// The flags that `run` needs as well, to see the same.
    fn flags(&self) -> Vec<String> {
        let mut flags = self.grants.words();
        flags.extend(self.limits.words());
        let file = |path: &PathBuf| path.display().to_string();
        let settings = [
            ("--audit", self.inputs.audit.as_ref().map(file)),
            ("--schema", self.inputs.schema.as_ref().map(file)),
            ("--config", self.config.file().map(file)),
        ];
        for (flag, value) in settings {
            flags.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        flags
    }
}

/// True once somebody has interrupted the command: what was found by then is still printed. A second interrupt ends it at
/// once.
#[cfg(unix)]
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    let stop = Arc::new(AtomicBool::new(false));
    flag::register_conditional_default(SIGINT, Arc::clone(&stop))
        .and_then(|_| flag::register(SIGINT, Arc::clone(&stop)))
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    Ok(stop)
}

/// Elsewhere an interrupt ends the command.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    Ok(Arc::default())
}

/// A seed that nobody has tried.
fn drawn() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(Code::HostFailed, format!("no randomness: {error}")))?;
    // Short enough to type again.
    Ok(u64::from_le_bytes(bytes) >> 32)
}
