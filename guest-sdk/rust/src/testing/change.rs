//! What a run leaves, in the SDK's own values.

use serde::Serialize;
use theus_core::changes::{self, ChangeOp};
use theus_core::transaction;

use super::value::{from_core, value};
use crate::value::Value;

/// The net effect of a run on one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The place; for a push, the list.
    pub path: String,
    /// What happened to it.
    pub op: ChangeOp,
    /// The value before the run; nil where nothing was there, and for a push.
    pub old: Value,
    /// The value after it, for a push the new element; nil where nothing is there.
    pub new: Value,
}

/// A value that was set under a `sig_` or `cmd_` key.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// The place.
    pub path: String,
    /// The value that was set.
    pub value: Value,
}

/// A message to the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Where it goes.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
}

impl Change {
    /// The place has another value.
    ///
    /// # Panics
    ///
    /// A value cannot be encoded; the other constructors panic likewise.
    #[must_use]
    #[track_caller]
    pub fn set(path: impl Into<String>, old: impl Serialize, new: impl Serialize) -> Self {
        Self {
            path: path.into(),
            op: ChangeOp::Set,
            old: value(&old),
            new: value(&new),
        }
    }

    /// An element was appended to the list at the place.
    #[must_use]
    #[track_caller]
    pub fn push(path: impl Into<String>, element: impl Serialize) -> Self {
        Self {
            path: path.into(),
            op: ChangeOp::Push,
            old: Value::Nil,
            new: value(&element),
        }
    }

    /// The value at the place is gone.
    #[must_use]
    #[track_caller]
    pub fn remove(path: impl Into<String>, old: impl Serialize) -> Self {
        Self {
            path: path.into(),
            op: ChangeOp::Remove,
            old: value(&old),
            new: Value::Nil,
        }
    }
}

impl Signal {
    /// A signal that was set to a value.
    ///
    /// # Panics
    ///
    /// The value cannot be encoded.
    #[must_use]
    #[track_caller]
    pub fn new(path: impl Into<String>, set_to: impl Serialize) -> Self {
        Self {
            path: path.into(),
            value: value(&set_to),
        }
    }
}

impl OutboxMessage {
    /// A message under a topic.
    #[must_use]
    pub fn new(topic: impl Into<String>, payload: impl AsRef<[u8]>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.as_ref().to_vec(),
        }
    }
}

impl From<changes::Change> for Change {
    fn from(change: changes::Change) -> Self {
        Self {
            path: change.path.to_string(),
            op: change.op,
            old: from_core(&change.old),
            new: from_core(&change.new),
        }
    }
}

impl From<transaction::Signal> for Signal {
    fn from(signal: transaction::Signal) -> Self {
        Self {
            path: signal.path.to_string(),
            value: from_core(&signal.value),
        }
    }
}

impl From<&transaction::OutboxMessage> for OutboxMessage {
    fn from(message: &transaction::OutboxMessage) -> Self {
        Self::new(&message.topic, &message.payload)
    }
}
