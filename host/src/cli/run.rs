//! `run`: one process, once, through the whole pipeline.

use super::args::{self, Words};
use super::brought::Brought;
use super::code_cache::CacheFlag;
use super::config::{ConfigFlag, Setup};
use super::exit;
use super::failure::Failure;
use super::grants::Grants;
use super::inputs::InputFlags;
use super::limits::{self, LimitFlags};
use super::output::{Output, Verbosity};
use super::progress::during;
use super::report::{self, View};
use super::schema;
use super::target::Loaded;
use super::text::{escape, escape_lines, list};
use clap::Args;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_core::policy::Narrowed;
use theus_host::store::{Position, is_state};
use theus_host::{
    Advice, Call, Durability, Engine, ErrorReport, Map, Mode, Receipt, Recipe, RunError,
};

/// The flags and words of `run`.
#[derive(Args, Debug)]
#[command(
    override_usage = "theus-host run [OPTIONS] <TARGET> [PROCESS] [NAME=VALUE | NAME:=JSON]..."
)]
pub(super) struct Run {
    /// A component, a core module built with an SDK, a guest's source folder (built first), or a component's name of
    /// the configuration
    pub(super) target: PathBuf,
    /// The process (where the guest has only one it may be left out), and its arguments: NAME=VALUE is read by the
    /// parameter's kind, NAME:=JSON is JSON
    #[arg(value_name = "PROCESS, NAME=VALUE")]
    pub(super) words: Vec<String>,
    /// Arguments as one JSON map from a file, or from the standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    args: Option<PathBuf>,
    #[command(flatten)]
    inputs: InputFlags,
    /// Keeps the context in a directory, from one run to the next: what is acknowledged survives crashes
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// With --state: does not wait for the disk; a crash may cost the last commits
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    buffered: Option<bool>,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    brought: Brought,
    #[command(flatten)]
    config: ConfigFlag,
    /// Lets contract and zone violations pass and reports them; for developing a contract
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    permissive: Option<bool>,
    /// Does everything but the commit, and shows what would change
    #[arg(long)]
    dry_run: bool,
    /// Prints the seven steps of the pipeline with their times
    #[arg(long)]
    steps: bool,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    cache: CacheFlag,
}

/// What is known once the files are read: all that a run needs.
struct Prepared {
    engine: Engine,
    call: Call<'static>,
    contract: Contract,
    digest: String,
    narrowed: Option<Narrowed>,
    notes: Vec<String>,
}

impl Run {
    /// Runs the process and prints its receipt.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let asked = self.permissive.unwrap_or_default();
        let setup = Setup::read(&self.config, &self.target)
            .map_err(|failure| failure.of_run(mode(asked), self.dry_run))?;
        let mode = mode(self.permissive.unwrap_or_else(|| setup.is_permissive()));
        let prepared = self
            .prepare(&setup, mode, output)
            .map_err(|failure| failure.of_run(mode, self.dry_run))?;
        let Prepared {
            engine,
            call,
            contract,
            digest,
            narrowed,
            notes,
        } = prepared;
        output.note(&told_files(&setup, output.verbosity));
        let origin = setup.origin();
        let by = narrowed
            .as_ref()
            .map(|narrowed| (narrowed, origin.as_str()));
        output.note(&accepted(&contract, by, &digest, mode));
        let before = engine.context().version;
        let running = format!("running {}", contract.name);
        let mut receipt = during(output, &running, || engine.call(call));
        receipt.warnings.extend(notes);
        let granted = (&contract, narrowed.as_ref());
        self.print(&receipt, granted, before, output)?;
        Ok(receipt
            .error
            .as_ref()
            .map_or(exit::OK, |error| exit::code(error.kind())))
    }

    /// Everything that a run is made from: the target, the configurations, and the files that either names.
    pub(super) fn places(&self) -> Result<Vec<PathBuf>, Failure> {
        let setup = Setup::read(&self.config, &self.target)?;
        let mut places = setup.places()?;
        places.extend(self.inputs.files(&setup)?.into_iter().flatten());
        places.extend(self.args.clone());
        Ok(places)
    }

    /// The folders that a run writes into: its state, and the directories that are granted for writing.
    pub(super) fn written(&self) -> Result<Vec<PathBuf>, Failure> {
        let setup = Setup::read(&self.config, &self.target)?;
        let mut written = setup.writable_directories();
        written.extend(self.grants.writable_directories());
        written.extend(setup.state(self.state.as_deref()));
        Ok(written)
    }

    /// Whether the arguments come from the standard input, which can be read only once.
    pub(super) fn reads_stdin(&self) -> bool {
        self.args.as_deref() == Some(Path::new("-"))
    }

    fn prepare(&self, setup: &Setup, mode: Mode, output: &Output) -> Result<Prepared, Failure> {
        let limits = self.limits.over(setup.limits())?;
        limits::check(&limits)?;
        let words = Words::split(&self.words)?;
        let map = self.args.as_deref().map(read_map).transpose()?;
        let state = setup.state(self.state.as_deref());
        if self.buffered == Some(true) && state.is_none() {
            let message = "--buffered is about a state, and none is given";
            return Err(Failure::new(Code::CommandLine, message)
                .help("name its directory: --state DIR, or `state` in theus.toml"));
        }
        let inputs = self.inputs.read(setup, state.as_deref(), &limits)?;
        let loaded = setup.load(&limits, output)?;
        let contract = loaded.process(words.process)?.clone();
        let in_process = |failure: Failure| failure.process(&contract.name);
        let args = args::collect(&contract, &words.arguments, map).map_err(in_process)?;
        let mut notes = setup.notes().to_vec();
        notes.extend(inputs.notes(&loaded)?);
        let granted = setup.granted(&self.grants, &loaded.guest.contracts)?;
        notes.extend_from_slice(&granted.notes);
        let narrowed = granted.narrowed(&contract);
        let context_path = inputs.context_path.clone();
        let mut builder = inputs.builder(limits, &self.cache).mode(mode);
        // One call: nothing stands ready for a second one.
        builder = builder.standing_instances(0);
        if let Some(state) = &state {
            // A dry run leaves nothing behind, a new state included.
            if !self.dry_run || is_state(state) {
                builder = builder.state(state);
            }
            if self.buffered.unwrap_or_else(|| setup.is_buffered()) {
                builder = builder.durability(Durability::Buffered);
            }
        }
        let engine = during(output, "opening the state", || builder.build())
            .map_err(|error| schema::not_built(&error, context_path.as_deref()))?;
        let registered = during(output, "compiling the guest", || {
            engine.register(loaded.component, granted.policy)
        })
        .map_err(|error| in_process(error.into()))?;
        notes.extend(registered.notes);
        let mut call = self.brought.to(Call::new(contract.name.clone(), args));
        if self.dry_run {
            call = call.dry_run();
        }
        Ok(Prepared {
            engine,
            call,
            contract,
            digest: registered.digest,
            narrowed,
            notes,
        })
    }

    fn print(
        &self,
        receipt: &Receipt,
        granted: (&Contract, Option<&Narrowed>),
        before: u64,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let notes = View {
            before,
            verbosity: output.verbosity,
            style: output.note_style,
        };
        if output.is_json() {
            if let Some(error) = receipt.error.as_ref().filter(|_| output.is_aside()) {
                output.complain(&told(error, receipt, notes));
            }
            return output.json(receipt);
        }
        output.note(&report::log(receipt, notes));
        for warning in &receipt.warnings {
            output.warn(warning);
        }
        if let Some(Position { seq, hash, .. }) = receipt.journal {
            output.note(&format!("journal: record {seq}, {hash}\n"));
        }
        output.note(&advice(receipt, granted));
        let mut results = String::new();
        match &receipt.error {
            None => {
                let view = View {
                    style: output.style,
                    ..notes
                };
                results.push_str(&report::results(receipt, view));
            }
            Some(error) => output.complain(&told(error, receipt, notes)),
        }
        if self.steps {
            results.push_str(&report::timeline(&receipt.stats.steps, output.style));
        }
        output.data(&results)
    }
}

fn mode(is_permissive: bool) -> Mode {
    if is_permissive {
        Mode::Permissive
    } else {
        Mode::Strict
    }
}

/// Which configuration files were read, for who asks for more.
fn told_files(setup: &Setup, verbosity: Verbosity) -> String {
    let files = setup.files();
    if files.is_empty() || verbosity < Verbosity::Verbose {
        return String::new();
    }
    format!("configuration: {}\n", escape(&list(&files, "none")))
}

/// Reads and parses a recipe.
pub(super) fn read_recipe(file: &Path) -> Result<Recipe, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
    Recipe::parse(&text, &file.display().to_string())
        .map_err(|errors| Failure::in_file(Code::RecipeFile, &errors))
}

/// What a recipe says about processes that the guest does not have.
pub(super) fn recipe_notes(recipe: &Recipe, loaded: &Loaded) -> Result<Vec<String>, Failure> {
    let names: Vec<&str> = loaded
        .guest
        .contracts
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    recipe
        .notes(&names)
        .map_err(|errors| Failure::in_file(Code::RecipeFile, &errors))
}

fn read_map(file: &Path) -> Result<Map, Failure> {
    let mut text = String::new();
    let (origin, read) = if file == Path::new("-") {
        (
            "standard input".to_owned(),
            std::io::stdin().lock().read_to_string(&mut text),
        )
    } else {
        let opened = std::fs::File::open(file);
        (
            file.display().to_string(),
            opened.and_then(|mut it| it.read_to_string(&mut text)),
        )
    };
    read.map_err(|error| Failure::file("read", Path::new(&origin), &error))?;
    args::parse_map(&text, &origin)
}

/// The contract, as it is printed before it is acted upon.
fn accepted(
    contract: &Contract,
    narrowed: Option<(&Narrowed, &str)>,
    digest: &str,
    mode: Mode,
) -> String {
    let (inputs, outputs, how) = match &narrowed {
        Some((narrowed, origin)) => (
            &narrowed.inputs,
            &narrowed.outputs,
            format!("narrowed by {}", escape(origin)),
        ),
        None => (
            &contract.inputs,
            &contract.outputs,
            "accepted as declared".to_owned(),
        ),
    };
    let mut text = format!("contract of {}, {how} ({digest})\n", contract.name);
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "  {label:<8} {}", escape(&value));
    };
    let nothing_read = if narrowed.is_some() {
        "nothing"
    } else {
        "nothing but its outputs"
    };
    line("reads:", list(inputs, nothing_read));
    line("writes:", list(outputs, "nothing"));
    if let Some((
        Narrowed {
            topics: Some(topics),
            ..
        },
        _,
    )) = &narrowed
    {
        line("topics:", list(&topics.texts(), "none"));
    }
    line("errors:", list(&contract.errors, "none"));
    if !contract.side_effects.is_empty() {
        line("effects:", list(&contract.side_effects, "none"));
    }
    if mode == Mode::Permissive {
        text.push_str("  permissive: what goes beyond it is let pass and reported\n");
    }
    text
}

/// What the contract would have to say for strict mode to let the run pass: a block to paste.
fn advice(receipt: &Receipt, (contract, narrowed): (&Contract, Option<&Narrowed>)) -> String {
    let mut advice = Advice::new(contract, narrowed);
    for violation in &receipt.violations {
        advice.add(violation);
    }
    escape_lines(&advice.to_string()).into_owned()
}

fn told(error: &RunError, receipt: &Receipt, view: View) -> String {
    let mut text = report::failure(
        &ErrorReport::from(error),
        &escape(&error.to_string()),
        view.style,
    );
    text.push_str(&report::remains(receipt, view));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_said_aloud() {
        let line = r#"{"name":"add","inputs":["domain.a","global.b"],"outputs":[],"errors":["ValueError"]}"#;
        let contract = Contract::parse_section(line.as_bytes())
            .expect("contract")
            .remove(0);
        let expected = "\
contract of add, accepted as declared (sha256:00)
  reads:   domain.a, global.b
  writes:  nothing
  errors:  ValueError
";
        assert_eq!(
            accepted(&contract, None, "sha256:00", Mode::Strict),
            expected
        );
        assert!(accepted(&contract, None, "sha256:00", Mode::Permissive).contains("permissive"));
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        for failure in [
            read_recipe(Path::new("/no/recipe.yaml")).expect_err("missing"),
            read_map(Path::new("/no/args.json")).expect_err("missing"),
        ] {
            assert_eq!(failure.report.code, "THEUS-U002");
            assert!(
                failure.report.message.contains("/no/"),
                "{}",
                failure.report.message
            );
        }
    }
}
