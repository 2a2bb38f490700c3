//! `state info`: what a state holds.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::progress::during;
use crate::cli::state_dir::StateDir;
use crate::cli::text::{counted, escape, size};
use crate::cli::time_text::{nanos, utc};
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use theus_core::codec::encode_all;
use theus_core::path::Segment;
use theus_host::store::{self, CountKey, Position};
use theus_host::{Interlock, Layer, Path, Tree, Value};

#[derive(Args, Debug)]
pub(super) struct Info {
    #[command(flatten)]
    dir: StateDir,
}

#[derive(Serialize)]
struct Printed<'a> {
    format: u64,
    head: &'a Position,
    oldest_version: u64,
    first_record: u64,
    began_ns: Option<u64>,
    ended_ns: Option<u64>,
    checkpoints: u64,
    /// Whether the last host has left it in order.
    sealed: u64,
    journal_bytes: u64,
    blobs: u64,
    blob_bytes: u64,
    context_bytes: u64,
    largest: Vec<Large>,
    interlock: Option<Cause<'a>>,
    counts: Vec<Count<'a>>,
    error: (),
}

/// A place with a large value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Large {
    path: String,
    bytes: u64,
}

#[derive(Serialize)]
struct Cause<'a> {
    process: &'a str,
    rule: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Count<'a> {
    process: &'a str,
    gate: &'static str,
    rule: &'a str,
    count: u64,
}

/// The places that are listed.
const LARGEST: usize = 5;

impl Info {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.dir.path()?;
        let info = during(output, "reading the state", || store::info(&path))?;
        let (context_bytes, largest) = weighed(&info.state.context.tree);
        if !output.is_json() {
            output.data(&text(&info, context_bytes, &largest))?;
            return Ok(exit::OK);
        }
        let counts = info.state.counts().map(|(key, count)| Count {
            process: &key.process,
            gate: key.gate.name(),
            rule: &key.rule,
            count,
        });
        output.json(&Printed {
            format: info.format,
            head: &info.head,
            oldest_version: info.oldest,
            first_record: info.first,
            began_ns: info.began.map(nanos),
            ended_ns: info.ended.map(nanos),
            checkpoints: info.checkpoints,
            sealed: info.sealed,
            journal_bytes: info.journal_bytes,
            blobs: info.blobs,
            blob_bytes: info.blob_bytes,
            context_bytes,
            largest,
            interlock: info.state.interlock().map(Cause::of),
            counts: counts.collect(),
            error: (),
        })?;
        Ok(exit::OK)
    }
}

fn text(info: &store::Info, context_bytes: u64, largest: &[Large]) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:<12} {value}");
    };
    let head = &info.head;
    line("format", &info.format.to_string());
    line("versions", &format!("{} to {}", info.oldest, head.version));
    let records = match (info.began, info.ended) {
        (Some(began), Some(ended)) => format!(
            "{} to {}, made from {} to {}",
            info.first,
            head.seq,
            utc(began),
            utc(ended)
        ),
        _ if head.seq == 0 => "none yet".to_owned(),
        _ => format!("none any more; the next one is {}", head.seq + 1),
    };
    line("records", &records);
    line("head", &head.hash.to_string());
    line("checkpoints", &info.checkpoints.to_string());
    let left = if info.sealed == head.seq {
        "it was left in order".to_owned()
    } else {
        format!(
            "at record {}: the host behind it did not end in order",
            info.sealed
        )
    };
    line("seal", &left);
    line("journal", &size(info.journal_bytes));
    let blobs = counted(usize::try_from(info.blobs).unwrap_or(usize::MAX), "blob");
    line("beside it", &format!("{blobs}, {}", size(info.blob_bytes)));
    line("context", &size(context_bytes));
    for Large { path, bytes } in largest {
        line("", &format!("{}  {}", escape(path), size(*bytes)));
    }
    let interlock = match info.state.interlock() {
        None => "not in force".to_owned(),
        Some(cause) => format!(
            "in force: `{}` of {}: {}",
            escape(&cause.rule),
            escape(&cause.process),
            escape(&cause.message)
        ),
    };
    line("interlock", &interlock);
    let counts: Vec<(&CountKey, u64)> = info.state.counts().collect();
    if counts.is_empty() {
        line("counters", "all at 0");
    }
    for (index, (key, count)) in counts.into_iter().enumerate() {
        let label = if index == 0 { "counters" } else { "" };
        let (process, rule) = (escape(&key.process), escape(&key.rule));
        line(
            label,
            &format!("{count}  {process}, {} gate, `{rule}`", key.gate),
        );
    }
    text
}

/// The size of a context as it is stored, and its largest places: values that are no maps, for those have places in them.
fn weighed(tree: &Tree) -> (u64, Vec<Large>) {
    let mut largest = Vec::new();
    let mut total = 0;
    for layer in Layer::ALL {
        let value = tree.layer(layer);
        total += encode_all(value).len() as u64;
        weigh(&Path::layer_root(layer), value, &mut largest);
    }
    (total, largest)
}

fn weigh(path: &Path, value: &Value, largest: &mut Vec<Large>) {
    if let Value::Map(map) = value {
        for (key, value) in map.iter() {
            weigh(&path.child(Segment::Key(key.clone())), value, largest);
        }
        return;
    }
    let bytes = encode_all(value).len() as u64;
    let at = largest.partition_point(|it| it.bytes >= bytes);
    if at < LARGEST {
        let path = path.to_string();
        largest.insert(at, Large { path, bytes });
        largest.truncate(LARGEST);
    }
}

impl<'a> Cause<'a> {
    fn of(cause: &'a Interlock) -> Self {
        Self {
            process: &cause.process,
            rule: &cause.rule,
            message: &cause.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use theus_host::context_from_json;

    #[test]
    fn the_largest_places_are_named_largest_first() {
        let text = |len: usize| "x".repeat(len);
        let json = format!(
            r#"{{"global": {{"a": "{}"}}, "domain": {{"m": {{"b": "{}", "c": [1, "{}"]}}, "d": 1, "e": 2, "f": 3, "g": "{}"}}}}"#,
            text(50),
            text(100),
            text(70),
            text(10),
        );
        let (total, largest) = weighed(&context_from_json(&json).expect("a context"));
        let paths: Vec<_> = largest.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "domain.m.b",
                "domain.m.c",
                "global.a",
                "domain.g",
                "domain.d"
            ]
        );
        // Text up to 255 bytes has two bytes in front of it; a list of two, one.
        assert_eq!((largest[0].bytes, largest[1].bytes), (102, 1 + 1 + 72));
        assert!(total > largest.iter().map(|it| it.bytes).sum());
    }
}
