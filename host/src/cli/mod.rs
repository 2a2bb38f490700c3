//! The command line: what it takes, and the way from it to an exit code.

mod args;
mod artefact;
mod audit;
mod brought;
mod build;
mod check;
mod code_cache;
mod color;
mod componentize;
mod config;
mod context;
mod context_file;
mod context_text;
mod contract;
mod edit;
mod exit;
mod explain;
mod failure;
mod files;
mod fuzz;
mod grants;
mod init;
mod inputs;
mod inspect;
mod limits;
mod log;
mod nearest;
mod output;
mod progress;
mod replay;
mod report;
mod run;
mod schema;
mod span;
mod state;
mod state_dir;
mod table;
mod target;
mod test;
mod text;
mod time_text;
mod usage;
mod value_text;
mod watch;

use self::color::When;
use self::output::{Format, Output, Verbosity};
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs processes nobody has to trust, over state nobody may corrupt.
#[derive(Debug, Parser)]
#[command(
    name = "theus-host",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 committed, 1 host, 2 usage, 3 contract, 4 audit-block, 5 audit-abort, 6 interlock, \
                  7 failure, 8 trap, 9 limit."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// Flags that every verb takes.
#[derive(Args, Debug, Default)]
struct Common {
    /// The format of what is printed
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    output: Format,
    /// Writes the output to a file instead of the standard output
    #[arg(long, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints more: what a run cost, all changes, the guest's debug log
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Prints the result and errors only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Whether to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    color: When,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs a process through the pipeline: both gates, lock, transaction, guard, execution, commit
    Run(run::Run),
    /// Makes a guest's project: it builds, and passes its own cases
    Init(init::Init),
    /// Builds a guest's source folder, and says where the guest is
    Build(build::BuildVerb),
    /// Runs a process again whenever its guest or a file of the run changes
    Watch(watch::Watch),
    /// Makes a component of a core module that any compiler may have made, and adds contracts to it
    Componentize(componentize::Componentize),
    /// Prints what a guest declares, imports and exports, without running any of it
    Inspect(inspect::Inspect),
    /// Checks a guest, a recipe, a schema and a context file against one another, without running any process
    Check(check::Check),
    /// Runs a guest's processes with random arguments and contexts, and reports what must not happen; --out DIR takes the
    /// files that reproduce it
    Fuzz(fuzz::Fuzz),
    /// Infers a schema from a context file, or exports one for editors
    Schema(schema::SchemaVerb),
    /// Works with audit recipes: what one means for a guest, one to begin with, what one would have refused
    Audit(audit::Audit),
    /// Holds what processes declare against what they do: the tightest contract that a history fits into
    Contract(contract::ContractVerb),
    /// Runs a guest's cases: commands as data, with what each must print
    Test(test::Test),
    /// Prints what happened in a state and why, verifies it, or saves what is sound of it
    Log(log::Log),
    /// Runs the history of a state again, and says whether it is as it was recorded
    Replay(replay::Replay),
    /// Prints the context of a state, one place, what changed; sets, removes, exports and imports
    Context(context::Context),
    /// Changes the context of a state as its operator: several operations, one transaction
    Edit(edit::EditVerb),
    /// Works on a state: what it holds, copies, space, its interlock
    State(state::State),
    /// Prints what an error code means and how to mend what it reports
    Explain(explain::Explain),
}

/// Does what the command line says; returns the exit code.
pub(crate) fn main(words: &[OsString]) -> u8 {
    let guess = usage::Guess::of(words);
    let parsed = Cli::command()
        .color(guess.color.into())
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage::end(&error, &guess),
    };
    let mut output = Output::new(&cli.common);
    let out = cli.common.out.as_deref();
    let printed_to = match &cli.verb {
        Verb::Audit(audit) if audit.adds_to_file() => None,
        Verb::Componentize(_) | Verb::Build(_) | Verb::Watch(_) | Verb::Fuzz(_) => None,
        _ => out,
    };
    let ended = output.open(printed_to).and_then(|()| match cli.verb {
        Verb::Run(run) => run.execute(&mut output),
        Verb::Init(init) => init.execute(&mut output),
        Verb::Build(build) => build.execute(out, &mut output),
        Verb::Watch(watch) => watch.execute(words, out, &output),
        Verb::Componentize(componentize) => componentize.execute(out, &mut output),
        Verb::Inspect(inspect) => inspect.execute(&mut output),
        Verb::Check(check) => check.execute(&mut output),
        Verb::Fuzz(fuzz) => fuzz.execute(out, &mut output),
        Verb::Schema(schema) => schema.execute(&mut output),
        Verb::Audit(audit) => audit.execute(out, &mut output),
        Verb::Contract(contract) => contract.execute(&mut output),
        Verb::Test(test) => test.execute(&mut output),
        Verb::Log(log) => log.execute(&mut output),
        Verb::Replay(replay) => replay.execute(&mut output),
        Verb::Context(context) => context.execute(out, &mut output),
        Verb::Edit(edit) => edit.execute(&mut output),
        Verb::State(state) => state.execute(&mut output),
        Verb::Explain(explain) => explain.execute(&mut output),
    });
    ended.unwrap_or_else(|failure| output.fail(&failure))
}

impl Common {
    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn words_and_flags_mix() {
        let line = "theus-host run guests/warehouse -o json add_product product_name=TV price=-5 --dry-run -v";
        let cli = Cli::try_parse_from(line.split(' ')).expect(line);
        assert_eq!(cli.common.output, Format::Json);
        assert_eq!(cli.common.verbosity(), Verbosity::Verbose);
        let Verb::Run(run) = cli.verb else {
            panic!("run")
        };
        assert_eq!(run.words, ["add_product", "product_name=TV", "price=-5"]);
    }
}
