//! `context`: what a state's context holds, now or at any version that is still there.

use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::state_dir::StateDir;
use clap::{Args, Subcommand};
use serde::Serialize;
use theus_core::code::Code;
use theus_host::{Layer, Map, Path, Value};

/// The words of `context`.
#[derive(Args, Debug)]
pub(super) struct Context {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Prints the context of a state, or one place in it
    Show(Show),
}

#[derive(Args, Debug)]
struct Show {
    #[command(flatten)]
    dir: StateDir,
    /// A place, such as domain.items; all of the context where it is left out
    path: Option<String>,
    /// An earlier version; the last one where it is left out
    #[arg(long, value_name = "N")]
    version: Option<u64>,
}

#[derive(Serialize)]
struct Shown {
    version: u64,
    path: Option<String>,
    /// Null where nothing is there.
    value: Option<Value>,
    error: (),
}

impl Context {
    /// Prints what is there.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let Form::Show(show) = &self.form;
        show.execute(output)
    }
}

impl Show {
    fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.path.as_deref().map(Path::parse).transpose();
        let path = path.map_err(|error| {
            Failure::new(Code::CommandLine, error)
                .help("write a place as contracts do: domain.items[0].price")
        })?;
        let store = self.dir.open(output)?;
        let version = self.version.unwrap_or(store.head().version);
        let snapshot = during(output, "going back to that version", || {
            store.begin(version)
        })?;
        let value = match &path {
            Some(path) => snapshot.tree.get(path).cloned(),
            None => {
                let mut whole = Map::new();
                for layer in Layer::ALL {
                    whole.insert(layer.name(), snapshot.tree.layer(layer).clone());
                }
                Some(Value::Map(whole))
            }
        };
        if output.is_json() {
            let path = path.map(|it| it.to_string());
            output.json(&Shown {
                version,
                path,
                value,
                error: (),
            })?;
            return Ok(exit::OK);
        }
        match value {
            Some(value) => output.json(&value)?,
            None => output.note("nothing is there\n"),
        }
        output.note(&format!("version {version}\n"));
        Ok(exit::OK)
    }
}
