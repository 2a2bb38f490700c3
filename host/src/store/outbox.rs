//! The outbox as a courier reads it: messages of commits, in order, each with an id.

use super::Store;
use super::error::StoreError;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use theus_core::transaction::OutboxMessage;

/// Names a message: the version of its commit, and its place among the messages of that.
///
/// Ids are in the order in which the messages were sent. As text it is `VERSION.INDEX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The version of its commit.
    pub version: u64,
    /// Its place, from 0.
    pub index: u64,
}

/// A text that is not the id of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is VERSION.INDEX, such as 12.0; VERSION alone is the last message of that version")]
pub struct NoMessageId;

/// A message of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Its id: whoever receives it a second time knows it by that.
    pub id: MessageId,
    /// When its commit was made.
    pub time: SystemTime,
    /// The process that sent it.
    pub process: Option<Arc<str>>,
    /// What it says, and to whom.
    pub message: OutboxMessage,
}

/// The messages behind one, in order, at most `most`; from the first version on where none is given.
///
/// A courier delivers each and then keeps its id where it lasts, and reads on from there. After a crash between the two it
/// delivers one message again: so each is delivered at least once. Every message is of a commit that lasts.
///
/// # Errors
///
/// [`StoreError::Compacted`] where the history behind that message is gone: messages may be among what was forgotten, and
/// whoever knows better reads on from [`MessageId::last_of`] the oldest version. Or what keeps it from being read.
pub fn outbox_after(
    store: &dyn Store,
    after: Option<MessageId>,
    most: usize,
) -> Result<Vec<Sent>, StoreError> {
    let mut version = match after {
        None => 0,
        Some(id) if id.index == u64::MAX => id.version,
        // More messages of the same version may follow.
        Some(id) => id.version.saturating_sub(1),
    };
    let mut found = Vec::new();
    while found.len() < most {
        let commits = store.watch(version, Duration::ZERO)?;
        let last = commits.last().and_then(|kept| kept.entry.record.version);
        let Some(last) = last else { break };
        version = last;
        for kept in commits {
            let record = &kept.entry.record;
            let process = match &record.actor {
                crate::record::Actor::Process { name, .. } => Some(name.clone()),
                _ => None,
            };
            let sent = (0..).zip(kept.entry.outbox).map(|(index, message)| Sent {
                id: MessageId {
                    version: record.version.unwrap_or_default(),
                    index,
                },
                time: record.time,
                process: process.clone(),
                message,
            });
            let room = most - found.len();
            found.extend(sent.filter(|it| Some(it.id) > after).take(room));
        }
    }
    Ok(found)
}

impl MessageId {
    /// The end of a version: behind every message of it.
    #[must_use]
    pub fn last_of(version: u64) -> Self {
        let index = u64::MAX;
        Self { version, index }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            u64::MAX => write!(f, "{}", self.version),
            index => write!(f, "{}.{index}", self.version),
        }
    }
}

impl FromStr for MessageId {
    type Err = NoMessageId;

    fn from_str(text: &str) -> Result<Self, NoMessageId> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
            digits
                .then(|| text.parse().ok())
                .flatten()
                .ok_or(NoMessageId)
        };
        match text.split_once('.') {
            None => Ok(Self::last_of(number(text)?)),
            Some((version, index)) => Ok(Self {
                version: number(version)?,
                index: number(index)?,
            }),
        }
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Actor, Record};
    use crate::store::{Commit, CommitId, Entry, memory};
    use theus_core::context_guard::Mode;
    use theus_core::path::Path;
    use theus_core::transaction::{Effect, Write};
    use theus_core::tree::Tree;
    use theus_core::value::Value;

    fn id(text: &str) -> MessageId {
        text.parse().expect(text)
    }

    /// A store whose commits send that many messages each; one that sends none writes something.
    fn store(commits: &[usize]) -> Arc<dyn Store> {
        let store = memory(Tree::default()).expect("memory");
        for (number, count) in (0u8..).zip(commits) {
            let record = Record::of(Actor::Edit, Mode::Strict, Duration::ZERO);
            let mut entry = Entry::new(CommitId::from_bytes([number; 16]), record);
            entry.outbox = (0..*count)
                .map(|index| OutboxMessage {
                    topic: format!("{}.{index}", number + 1),
                    payload: Arc::default(),
                })
                .collect();
            if *count == 0 {
                entry.writes.push(Write {
                    path: Path::parse("domain.a").expect("a path"),
                    effect: Effect::Set(Value::from(i64::from(number))),
                });
            }
            store.commit(vec![Commit::new(entry)]).expect("kept");
        }
        store
    }

    fn ids(sent: &[Sent]) -> Vec<String> {
        assert!(sent.iter().all(|it| it.id.to_string() == it.message.topic));
        sent.iter().map(|it| it.id.to_string()).collect()
    }

    #[test]
    fn a_courier_reads_every_message_once_however_few_at_a_time() {
        let store = store(&[2, 0, 0, 3, 1]);
        let all = ["1.0", "1.1", "4.0", "4.1", "4.2", "5.0"];
        for most in 1..=7 {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let sent = outbox_after(&*store, after, most).expect("readable");
                let Some(last) = sent.last() else { break };
                assert!(sent.len() <= most);
                after = Some(last.id);
                read.extend(ids(&sent));
            }
            assert_eq!(read, all, "{most}");
        }
        for (after, expected) in [
            ("1", &all[2..]),
            ("0", &all),
            ("3", &all[2..]),
            ("2.7", &all[2..]),
            ("4.1", &all[4..]),
            ("5", &[]),
        ] {
            let sent = outbox_after(&*store, Some(id(after)), 100).expect("readable");
            assert_eq!(ids(&sent), expected, "{after}");
        }
        assert_eq!(outbox_after(&*store, None, 0), Ok(Vec::new()));
    }

    #[test]
    fn what_is_gone_is_told_and_never_skipped_in_silence() {
        let store = store(&[1, 1, 1]);
        assert_eq!(store.compact(3), Ok(3));
        for after in [None, Some(id("1.0")), Some(id("2"))] {
            let gone = outbox_after(&*store, after, 9);
            assert!(
                matches!(gone, Err(StoreError::Compacted { oldest: 3, .. })),
                "{gone:?}"
            );
        }
        assert_eq!(
            outbox_after(&*store, Some(MessageId::last_of(3)), 9),
            Ok(Vec::new())
        );
        let ahead = outbox_after(&*store, Some(id("9.0")), 9);
        assert_eq!(ahead, Ok(Vec::new()));
    }

    #[test]
    fn an_id_reads_as_it_prints() {
        for text in ["0.0", "12.3", "12", "18446744073709551615.0"] {
            assert_eq!(id(text).to_string(), text);
        }
        for wrong in [
            "",
            ".",
            "1.",
            ".1",
            "1.2.3",
            "+1",
            "-1",
            "1.+2",
            "18446744073709551616",
        ] {
            assert_eq!(wrong.parse::<MessageId>(), Err(NoMessageId), "{wrong}");
        }
        assert!(id("2.9") < id("3.0") && id("3.0") < id("3") && id("9.0") < id("10.0"));
    }
}
