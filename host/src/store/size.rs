//! How large an entry will be, before anybody depends on it: a commit that is ordered can no longer be refused.

use super::entry::Entry;
use super::heavy::is_kept_apart;
use super::{StoreError, StoreLimits};
use theus_core::transaction::Effect;
use theus_core::value::Value;

/// Room for everything in an entry that is bounded by itself.
const REST: u64 = 1 << 20;
/// What a write has besides its value, and a small value at most.
const WRITE: u64 = 2_048;
const SMALL: u64 = 9;

impl StoreLimits {
    /// Refuses an entry that may be too large, without making its bytes.
    pub(crate) fn check(&self, entry: &Entry) -> Result<(), StoreError> {
        let allowed = self.entry_bytes;
        let mut left = allowed.saturating_sub(REST);
        let writes = entry.writes.iter().map(|write| match &write.effect {
            // It is no part of the entry's bytes.
            Effect::Set(value) | Effect::Push { value, .. }
                if is_kept_apart(&write.path, value) =>
            {
                None
            }
            Effect::Set(value) | Effect::Push { value, .. } => Some(value),
            Effect::Remove => None,
        });
        let fits = entry.outbox.iter().all(|it| {
            take(
                &mut left,
                (it.topic.len() + it.payload.len()) as u64 + WRITE,
            )
        }) && writes
            .flatten()
            .all(|value| take(&mut left, WRITE) && holds(&mut left, value))
            && entry
                .record
                .args
                .iter()
                .all(|(_, value)| holds(&mut left, value));
        if fits {
            Ok(())
        } else {
            Err(StoreError::TooLarge { allowed })
        }
    }
}

fn take(left: &mut u64, bytes: u64) -> bool {
    match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

fn holds(left: &mut u64, value: &Value) -> bool {
    match value {
        Value::Str(text) => take(left, text.len() as u64 + SMALL),
        Value::Bytes(bytes) => take(left, bytes.len() as u64 + SMALL),
        Value::List(list) => take(left, SMALL) && list.iter().all(|it| holds(left, it)),
        Value::Map(map) => {
            take(left, SMALL)
                && map
                    .iter()
                    .all(|(key, it)| take(left, key.len() as u64 + SMALL) && holds(left, it))
        }
        _ => take(left, SMALL),
    }
}
