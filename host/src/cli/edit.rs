//! `edit`, `context set`, `context remove`, `context import`: the operator changes the context, in one transaction.

mod operation;
mod words;

use self::operation::Operation;
use self::words::Words;
use super::config::StateSetup;
use super::context_file;
use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::report::{self, View};
use super::schema;
use super::state_dir::StateDir;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use theus_core::code::Code;
use theus_core::differences::differences;
use theus_host::store::{self, Position, Store, StoreError};
use theus_host::{Change, ChangeOp, Edit, EditError, Engine, Limits, Schema, Tree};

/// The words of `edit`.
#[derive(Args, Debug)]
#[command(
    override_usage = "theus-host edit [OPTIONS] [PATH=VALUE | PATH:=JSON | --push PATH:=JSON | --remove PATH]..."
)]
pub(super) struct EditVerb {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    words: Words,
    /// A JSON list of operations, from a file or from the standard input for `-`: such as the `writes` of a record
    #[arg(long, value_name = "FILE|-")]
    operations: Option<PathBuf>,
}

/// The words of `context set`.
#[derive(Args, Debug)]
#[command(override_usage = "theus-host context set [OPTIONS] PATH VALUE | PATH:=JSON")]
pub(super) struct ContextSet {
    #[command(flatten)]
    target: Target,
    /// A place, and a value that is read by the kind of the one that is there; or PATH:=JSON
    #[arg(value_name = "PATH VALUE", num_args = 1..=2, required = true, allow_negative_numbers = true)]
    words: Vec<String>,
}

/// The words of `context remove`.
#[derive(Args, Debug)]
pub(super) struct ContextRemove {
    #[command(flatten)]
    target: Target,
    /// A place, such as domain.items[0]
    path: String,
}

/// The words of `context import`.
#[derive(Args, Debug)]
pub(super) struct ContextImport {
    #[command(flatten)]
    target: Target,
    /// The context file: YAML, or JSON where the name ends in .json
    file: PathBuf,
}

/// Which state is edited, and how.
#[derive(Args, Debug)]
struct Target {
    #[command(flatten)]
    dir: StateDir,
    /// The schema: what the context may hold; without the flag, that of the configuration
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Does everything but the commit, and shows what would change
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Edited {
    /// The version behind it; in a dry run, the one that stays.
    version: u64,
    changes: Vec<Change>,
    /// The end of the journal behind it.
    journal: Position,
    dry_run: bool,
    error: (),
}

impl EditVerb {
    /// Does all operations, or none.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let mut operations = self.words.operations()?;
        if let Some(file) = &self.operations {
            operations.extend(operation::read(file)?);
        }
        if operations.is_empty() {
            let problem = "the edit has no operation";
            return Err(Failure::new(Code::CommandLine, problem).help(
                "write PATH=VALUE, PATH:=JSON, --push PATH:=JSON, --remove PATH, or --operations FILE",
            ));
        }
        self.target.edit(output, |edit, _| all(&operations, edit))
    }
}

impl ContextSet {
    /// Sets one value.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let operation = match &self.words[..] {
            [path, value] => Operation::set_text(path, value),
            words => Operation::set(&words.concat())?,
        };
        self.target.edit(output, |edit, _| operation.apply(edit))
    }
}

impl ContextRemove {
    /// Removes one value.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let operation = Operation::remove(&self.path);
        self.target.edit(output, |edit, _| operation.apply(edit))
    }
}

impl ContextImport {
    /// Writes what differs, so that the record says what the import changed, and no more.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let limits = StateSetup::read(&self.target.dir.config)?.limits;
        let tree = context_file::read(&self.file, &limits)?;
        self.target.edit(output, |edit, before| {
            for change in differences(before, &tree) {
                let (path, value) = (change.path.to_string(), change.new);
                match change.op {
                    ChangeOp::Set => edit.set(&path, value)?,
                    ChangeOp::Push => drop(edit.push(&path, value)?),
                    ChangeOp::Remove => drop(edit.remove(&path)?),
                }
            }
            Ok(())
        })
    }
}

fn all(operations: &[Operation], edit: &mut Edit<'_>) -> Result<(), EditError> {
    operations.iter().try_for_each(|it| it.apply(edit))
}

impl Target {
    /// Does `change` in one transaction, which is given the context before it; tells what it changed.
    fn edit(
        &self,
        output: &mut Output,
        change: impl FnOnce(&mut Edit<'_>, &Tree) -> Result<(), EditError>,
    ) -> Result<u8, Failure> {
        let config = StateSetup::read(&self.dir.config)?;
        let schema = config.schema(self.schema.as_deref())?;
        let schema = schema.as_deref().map(schema::read).transpose()?;
        let store = self.dir.open(output)?;
        let before = store.head().version;
        let engine = during(output, "opening the state", || {
            self.engine(&store, config.limits)
        })?;
        let changes = engine.edit(|edit| {
            let context = edit.context().clone();
            change(edit, &context)?;
            fits(edit, schema.as_ref())?;
            Ok(edit.changes())
        });
        let changes = changes.map_err(|error| failure(&error))?;
        // The reset of signals, when it was opened, is a version of its own: what is told is how it stands now.
        let journal = store.head();
        let edited = Edited {
            version: journal.version,
            changes,
            journal,
            dry_run: self.dry_run,
            error: (),
        };
        if output.is_json() {
            output.json(&edited)?;
        } else {
            let view = View {
                before,
                verbosity: output.verbosity,
                style: output.style,
            };
            let text = headline(&edited, before) + &report::changed(&edited.changes, view);
            output.data(&text)?;
        }
        Ok(exit::OK)
    }

    /// An engine over the state, or for a dry run over a copy of its context: that leaves no trace, not even of the opening.
    fn engine(&self, store: &Arc<dyn Store>, limits: Limits) -> Result<Engine, Failure> {
        let store = if self.dry_run {
            store::memory(store.state().context.tree)?
        } else {
            store.clone()
        };
        let builder = Engine::builder().limits(limits).standing_instances(0);
        let built = builder.store(store).build();
        built.map_err(|error| schema::not_built(&error, None))
    }
}

/// Holds the whole context against the schema.
///
/// The engine's own check looks at what changed, over a context that fits. Here that may be what the edit is to mend.
fn fits(edit: &Edit<'_>, schema: Option<&Schema>) -> Result<(), EditError> {
    let Some(Err(breaches)) = schema.map(|it| it.check(edit.context())) else {
        return Ok(());
    };
    let first = breaches.breaches.into_iter().next();
    first.map_or(Ok(()), |breach| Err(EditError::Schema(Box::new(breach))))
}

fn headline(edited: &Edited, before: u64) -> String {
    let version = edited.version;
    match (edited.dry_run, version == before) {
        (true, _) => format!("the edit would commit (dry run), version stays {version}\n"),
        (false, true) => format!("the edit committed, version stays {version}: it wrote nothing\n"),
        (false, false) => format!("the edit committed, version {before} -> {version}\n"),
    }
}

/// Why nothing was changed, in the words of whoever typed it: no guest trapped, and no contract was violated.
fn failure(error: &EditError) -> Failure {
    let code = match error {
        EditError::Path(_) | EditError::Shape(_) | EditError::Private(_) => Code::EditUnfit,
        other => other.code().unwrap_or(Code::EditUnfit),
    };
    let failure = Failure::new(code, error);
    match error {
        EditError::Schema(breach) => failure.help(breach.help()),
        EditError::Store(error) => failure.help_if(StoreError::help(error)),
        _ => failure,
    }
}
