//! `log outbox`: messages of commits, for a courier that has no program of its own.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::report;
use crate::cli::state_dir::StateDir;
use crate::cli::text::escape;
use crate::cli::time_text::{nanos, utc};
use clap::Args;
use serde::Serialize;
use std::sync::Arc;
use theus_core::value::Value;
use theus_host::store::{self, MessageId, Sent};

#[derive(Args, Debug)]
pub(super) struct Outbox {
    #[command(flatten)]
    dir: StateDir,
    /// Messages behind this one; VERSION alone is the last one of that version. From the first version on where it is left out
    #[arg(long, value_name = "VERSION.INDEX")]
    after: Option<MessageId>,
    /// The next N messages
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    most: usize,
}

#[derive(Serialize)]
struct Printed {
    messages: Vec<Message>,
    error: (),
}

#[derive(Serialize)]
struct Message {
    id: MessageId,
    time_ns: u64,
    process: Option<Arc<str>>,
    topic: String,
    payload: Value,
}

impl Outbox {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let store = self.dir.open(output)?;
        let sent = store::outbox_after(&*store, self.after, self.most)?;
        if output.is_json() {
            let messages = sent.into_iter().map(|it| Message {
                id: it.id,
                time_ns: nanos(it.time),
                process: it.process,
                topic: it.message.topic,
                payload: Value::Bytes(it.message.payload),
            });
            output.json(&Printed {
                messages: messages.collect(),
                error: (),
            })?;
        } else {
            let lines: String = sent.iter().map(line).collect();
            output.data(&lines)?;
        }
        Ok(exit::OK)
    }
}

fn line(sent: &Sent) -> String {
    format!(
        "{:>8}  {}  {}  {}  {}\n",
        sent.id.to_string(),
        utc(sent.time),
        escape(sent.process.as_deref().unwrap_or("(none)")),
        escape(&sent.message.topic),
        report::payload_text(&sent.message)
    )
}
