//! `context show` and `context get`: what is there.

use super::{At, parse};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::nearest::did_you_mean;
use crate::cli::output::Output;
use crate::cli::text::list;
use clap::Args;
use serde::Serialize;
use theus_core::code::Code;
use theus_host::{Layer, Map, Path, Tree, Value};

#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    at: At,
    /// A place, such as domain.items; all of the context where it is left out
    path: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Get {
    #[command(flatten)]
    at: At,
    /// A place, such as domain.items
    path: String,
}

#[derive(Serialize)]
struct Shown {
    version: u64,
    path: Option<String>,
    /// Null where nothing is there.
    value: Option<Value>,
    error: (),
}

impl Show {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.path.as_deref().map(parse).transpose()?;
        let snapshot = self.at.snapshot(output)?;
        let value = match &path {
            Some(path) => snapshot.tree.get(path).cloned(),
            None => Some(whole(&snapshot.tree)),
        };
        print(snapshot.version, path.as_ref(), value, output)
    }
}

impl Get {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = parse(&self.path)?;
        let snapshot = self.at.snapshot(output)?;
        let Some(value) = snapshot.tree.get(&path).cloned() else {
            return Err(absent(&path, &snapshot.tree));
        };
        print(snapshot.version, Some(&path), Some(value), output)
    }
}

fn print(
    version: u64,
    path: Option<&Path>,
    value: Option<Value>,
    output: &mut Output,
) -> Result<u8, Failure> {
    if output.is_json() {
        output.json(&Shown {
            version,
            path: path.map(Path::to_string),
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

/// Both layers as one map.
fn whole(tree: &Tree) -> Value {
    let mut whole = Map::new();
    for layer in Layer::ALL {
        whole.insert(layer.name(), tree.layer(layer).clone());
    }
    Value::Map(whole)
}

/// That nothing is there, and what is: near enough to see the slip.
fn absent(path: &Path, tree: &Tree) -> Failure {
    const SHOWN: usize = 20;
    let failure = Failure::new(Code::NothingThere, format!("nothing is there at `{path}`"));
    let mut place = path.clone();
    while let Some((above, last)) = place.split_last() {
        let last = last.clone();
        if let Some(value) = tree.get(&above) {
            let (help, slip) = what_is_there(&above, value, &last, SHOWN);
            return failure.help(help).help_if(slip);
        }
        place = above;
    }
    failure
}

fn what_is_there(
    above: &Path,
    value: &Value,
    last: &theus_core::path::Segment,
    shown: usize,
) -> (String, Option<String>) {
    use theus_core::path::Segment;
    match (value, last) {
        (Value::Map(map), last) => {
            let mut keys: Vec<&str> = map.iter().map(|(key, _)| key.as_str()).collect();
            let slip = match last {
                Segment::Key(key) => did_you_mean(key, keys.iter().copied()),
                Segment::Index(_) => None,
            };
            keys.truncate(shown);
            let more = if map.len() > shown { ", …" } else { "" };
            let keys = list(&keys, "none");
            (format!("`{above}` has the keys: {keys}{more}"), slip)
        }
        (Value::List(items), _) => (format!("`{above}` is a list of {}", items.len()), None),
        (other, _) => (format!("`{above}` is a {}", other.kind()), None),
    }
}
