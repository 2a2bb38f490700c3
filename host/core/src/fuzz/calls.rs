//! Host calls as data.

use crate::context_guard::ContextGuard;
use crate::refusal::Refusal;

/// One call of a guest into the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they mirror the host's functions")]
pub enum HostCall {
    Get {
        path: String,
    },
    Len {
        path: String,
    },
    Keys {
        path: String,
        after: Option<String>,
        limit: u32,
    },
    ReadBytes {
        path: String,
        offset: u64,
        len: u32,
    },
    Set {
        path: String,
        value: Vec<u8>,
    },
    Push {
        path: String,
        value: Vec<u8>,
    },
    Remove {
        path: String,
    },
    Send {
        topic: String,
        payload: Vec<u8>,
    },
}

/// What the host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of a `get`: the value's MessagePack.
    Value(Option<Vec<u8>>),
    /// Of a `len`.
    Len(Option<u64>),
    /// Of `keys`.
    Keys(Vec<String>),
    /// Of `read-bytes`.
    Piece(Vec<u8>),
    /// Of a `push`: the new length.
    Pushed(u64),
    /// Of a `remove`: whether there was something.
    Removed(bool),
    /// Of a `set` and of the outbox.
    Done,
}

impl HostCall {
    /// Makes the call.
    ///
    /// # Errors
    ///
    /// Why it ends the run.
    pub fn play(&self, guard: &mut ContextGuard) -> Result<Answer, Refusal> {
        Ok(match self {
            Self::Get { path } => Answer::Value(guard.get(path)?),
            Self::Len { path } => Answer::Len(guard.len(path)?),
            Self::Keys { path, after, limit } => {
                Answer::Keys(guard.keys(path, after.as_deref(), *limit)?)
            }
            Self::ReadBytes { path, offset, len } => {
                Answer::Piece(guard.read_bytes(path, *offset, *len)?)
            }
            Self::Set { path, value } => {
                guard.set(path, value)?;
                Answer::Done
            }
            Self::Push { path, value } => Answer::Pushed(guard.push(path, value)?),
            Self::Remove { path } => Answer::Removed(guard.remove(path)?),
            Self::Send { topic, payload } => {
                guard.send(topic, payload)?;
                Answer::Done
            }
        })
    }
}
