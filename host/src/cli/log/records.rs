//! `log`: records, those that are there and those that come.

use super::filter::Filter;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Reader};
use crate::cli::state_dir::StateDir;
use crate::cli::text::escape;
use crate::cli::time_text::utc;
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use theus_core::value::Value;
use theus_host::store::{self, Follower, Kept, News, Position, Store, StoreError};
use theus_host::{Actor, Outcome};

#[derive(Args, Debug)]
pub(super) struct Records {
    #[command(flatten)]
    dir: StateDir,
    #[command(flatten)]
    filter: Filter,
    /// The last N records; with a filter, of those that pass it
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// Records behind this one instead, the next N of them
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Goes on with every record that comes: between two hosts, for one at a time has the state open. With -o json, one object
    /// per line
    #[arg(long)]
    follow: bool,
}

#[derive(Serialize)]
struct Listed {
    head: Position,
    entries: Vec<Value>,
    error: (),
}

/// How often a followed state is looked at. A look at one in which nothing has happened reads two small files.
const INTERVAL: Duration = Duration::from_millis(200);

impl Records {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        if self.follow {
            return self.follow(output);
        }
        let store = self.dir.open(output)?;
        let (head, entries) = self.listed(&*store)?;
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

    fn listed(&self, store: &dyn Store) -> Result<(Position, Vec<Kept>), StoreError> {
        let head = store.head();
        let entries = match self.after {
            Some(after) => self.filter.next(store, after, self.last)?,
            None => self.filter.last(store, self.last)?,
        };
        Ok((head, entries))
    }

    /// Prints what is there, then what comes, until nobody reads it any more.
    fn follow(&self, output: &mut Output) -> Result<u8, Failure> {
        let path = self.dir.path()?;
        let mut waiting = Waiting::default();
        let store: Arc<dyn Store> = loop {
            match store::open(&path, |_, _| {}) {
                Err(StoreError::InUse(_)) => waiting.wait(output),
                opened => break opened?,
            }
        };
        let (head, entries) = self.listed(&*store)?;
        drop(store);
        // Behind N records that were asked for there may be more: they are what follows.
        let behind = match (self.after, entries.last()) {
            (Some(after), None) => after.min(head.seq),
            (Some(_), Some(last)) => last.entry.record.seq,
            (None, _) => head.seq,
        };
        let mut follower = Follower::new(&path, behind);
        let mut records = entries;
        loop {
            for kept in &records {
                let reader = if output.is_json() {
                    output.json_line(&value(kept))?
                } else {
                    output.piece(&line(kept))?
                };
                if reader == Reader::Gone {
                    return Ok(exit::OK);
                }
            }
            records = match follower.look()? {
                News::Records(news) => {
                    if news.is_empty() {
                        std::thread::sleep(INTERVAL);
                    }
                    waiting = Waiting::default();
                    news.into_iter()
                        .filter(|kept| self.filter.passes(kept))
                        .collect()
                }
                _ => {
                    waiting.wait(output);
                    Vec::new()
                }
            };
        }
    }
}

/// Waiting for another host; said once.
#[derive(Default)]
struct Waiting {
    told: bool,
}

impl Waiting {
    fn wait(&mut self, output: &Output) {
        if !std::mem::replace(&mut self.told, true) {
            output.note("another host has the state open; what it does is shown when it ends\n");
        }
        std::thread::sleep(INTERVAL);
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
