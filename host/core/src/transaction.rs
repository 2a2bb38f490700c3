//! Transactions: a snapshot, the writes made on it, and the only way a context changes.

use crate::changes::{self, Change, Changes};
use crate::path::{Path, Segment};
use crate::tree::{ShapeError, Tree};
use crate::value::Value;
use crate::zone::Zone;
use serde::Serialize;
use std::sync::Arc;

/// The context at one version. Copies share everything.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Raised by one at every commit; 0 is the initial context.
    pub version: u64,
    /// The values.
    pub tree: Tree,
}

/// Recorded writes over a snapshot. Dropped, it leaves nothing; committed, it applies whole.
#[derive(Clone, Debug)]
pub struct Transaction {
    base: Snapshot,
    view: Tree,
    writes: Vec<Write>,
    outbox: Vec<OutboxMessage>,
}

/// One recorded write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The place.
    pub path: Path,
    /// What happens there.
    pub effect: Effect,
}

/// What a write does to its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Replaces the value.
    Set(Value),
    /// Appends an element; `index` is where it went.
    Push {
        /// The element.
        value: Value,
        /// Its index in the transaction's view.
        index: u64,
    },
    /// Removes the value.
    Remove,
}

/// A value that was set in the signal zone: one event for subscribers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Signal {
    /// The place.
    pub path: Path,
    /// The value that was set, even where it equals the one before.
    pub value: Value,
}

/// A message to the world outside, sent only with a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxMessage {
    /// Where it goes.
    pub topic: String,
    /// What it says; the host does not look into it.
    #[serde(serialize_with = "payload_as_value")]
    pub payload: Arc<[u8]>,
}

fn payload_as_value<S: serde::Serializer>(
    payload: &Arc<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    Value::Bytes(payload.clone()).serialize(serializer)
}

impl Transaction {
    /// Opens a transaction on a version of the context. O(1).
    #[must_use]
    pub fn begin(base: Snapshot) -> Self {
        Self {
            view: base.tree.clone(),
            base,
            writes: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// The version that the transaction was opened on.
    #[must_use]
    pub fn base(&self) -> &Snapshot {
        &self.base
    }

    /// The context as it would be after the commit.
    #[must_use]
    pub fn view(&self) -> &Tree {
        &self.view
    }

    /// The writes so far, in order.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The messages so far, in order.
    #[must_use]
    pub fn outbox(&self) -> &[OutboxMessage] {
        &self.outbox
    }

    /// Sets the value at a place.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] as [`Tree::set`] has it; nothing is recorded then.
    pub fn set(&mut self, path: Path, value: Value) -> Result<(), ShapeError> {
        self.view.set(&path, value.clone())?;
        self.record(path, Effect::Set(value));
        Ok(())
    }

    /// Appends to the list at a place. The new length.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] as [`Tree::push`] has it; nothing is recorded then.
    pub fn push(&mut self, path: Path, value: Value) -> Result<u64, ShapeError> {
        let len = self.view.push(&path, value.clone())?;
        self.record(
            path,
            Effect::Push {
                value,
                index: len - 1,
            },
        );
        Ok(len)
    }

    /// Removes the value at a place. True where something was there.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] as [`Tree::remove`] has it; nothing is recorded then.
    pub fn remove(&mut self, path: Path) -> Result<bool, ShapeError> {
        let removed = self.view.remove(&path)?;
        if removed {
            self.record(path, Effect::Remove);
        }
        Ok(removed)
    }

    /// Adds a message that is sent if the transaction commits.
    pub fn send(&mut self, message: OutboxMessage) {
        self.outbox.push(message);
    }

    /// What the transaction changes, net: one entry per place, in order of the first write.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        changes::net(&self.base.tree, &self.view, &self.writes)
    }

    /// What the transaction changes and sends, once nothing more is asked of it.
    #[must_use]
    pub fn into_effects(self) -> (Changes, Vec<OutboxMessage>) {
        let changes = Changes::between(self.base.tree, self.view, self.writes);
        (changes, self.outbox)
    }

    /// The signals that the transaction sets, in order.
    #[must_use]
    pub fn signals(&self) -> Vec<Signal> {
        self.writes
            .iter()
            .filter(|write| write.path.zone() == Zone::Signal)
            .filter_map(|write| match &write.effect {
                Effect::Set(value) => Some(Signal {
                    path: write.path.clone(),
                    value: value.clone(),
                }),
                _ => None,
            })
            .collect()
    }

    /// Whether there is nothing to commit: a run that wrote and sent nothing does not raise the version.
    ///
    /// A message counts, for its id is the version of its commit and its place in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.outbox.is_empty()
    }

    /// Applies the writes to the current head, which others may have moved on elsewhere. The new head.
    ///
    /// Where nobody has, the head is what the transaction was opened on, and what the writes make of that is its view:
    /// it is not made a second time.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] where a write no longer fits. Locks rule that out; the head is untouched then.
    pub fn commit(&self, head: &Snapshot) -> Result<Snapshot, ShapeError> {
        if self.is_empty() {
            return Ok(head.clone());
        }
        let tree = if head.tree.is_same(&self.base.tree) {
            self.view.clone()
        } else {
            self.applied_to(&head.tree)?
        };
        Ok(Snapshot {
            version: head.version + 1,
            tree,
        })
    }

    fn applied_to(&self, tree: &Tree) -> Result<Tree, ShapeError> {
        let mut tree = tree.clone();
        for write in &self.writes {
            write.apply(&mut tree)?;
        }
        Ok(tree)
    }

    fn record(&mut self, path: Path, effect: Effect) {
        self.writes.push(Write { path, effect });
    }
}

impl Write {
    /// Does the write again, on another tree.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] where it does not fit; the tree is as it was then.
    pub fn apply(&self, tree: &mut Tree) -> Result<(), ShapeError> {
        match &self.effect {
            Effect::Set(value) => tree.set(&self.path, value.clone()),
            Effect::Push { value, .. } => tree.push(&self.path, value.clone()).map(drop),
            Effect::Remove => tree.remove(&self.path).map(drop),
        }
    }

    /// The place that the write touches: for a push, the new element.
    #[must_use]
    pub fn place(&self) -> Path {
        match &self.effect {
            Effect::Push { index, .. } => self.path.child(Segment::Index(*index)),
            Effect::Set(_) | Effect::Remove => self.path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;
    use proptest::prelude::*;

    fn path(text: &str) -> Path {
        Path::parse(text).expect(text)
    }

    fn snapshot(json: &str) -> Snapshot {
        let domain: Value = serde_json::from_str(json).expect(json);
        let mut tree = Tree::default();
        tree.set(&path("domain"), domain).expect("a map");
        Snapshot { version: 4, tree }
    }

    #[test]
    fn reads_see_the_transactions_own_writes_and_the_base_stays() {
        let base = snapshot(r#"{"total":1}"#);
        let mut transaction = Transaction::begin(base.clone());
        transaction
            .set(path("domain.total"), Value::Int(2))
            .expect("set");
        assert_eq!(
            transaction.view().get(&path("domain.total")),
            Some(&Value::Int(2))
        );
        assert_eq!(base.tree.get(&path("domain.total")), Some(&Value::Int(1)));
    }

    #[test]
    fn commit_applies_the_writes_to_a_head_that_moved_on() {
        let base = snapshot(r#"{"mine":1,"theirs":1}"#);
        let mut mine = Transaction::begin(base.clone());
        let mut theirs = Transaction::begin(base.clone());
        mine.set(path("domain.mine"), Value::Int(2)).expect("set");
        theirs
            .set(path("domain.theirs"), Value::Int(3))
            .expect("set");
        let head = mine
            .commit(&theirs.commit(&base).expect("commit"))
            .expect("commit");
        assert_eq!(head.version, 6);
        assert_eq!(head.tree.get(&path("domain.mine")), Some(&Value::Int(2)));
        assert_eq!(head.tree.get(&path("domain.theirs")), Some(&Value::Int(3)));
    }

    #[test]
    fn a_transaction_without_writes_does_not_raise_the_version() {
        let base = snapshot("{}");
        let mut transaction = Transaction::begin(base.clone());
        assert_eq!(transaction.remove(path("domain.none")), Ok(false));
        assert_eq!(transaction.commit(&base).expect("commit").version, 4);
    }

    /// The same values in another tree.
    fn copied(snapshot: &Snapshot) -> Snapshot {
        let mut copy = snapshot.clone();
        for layer in crate::path::Layer::ALL {
            let key = Path::new(layer, [Segment::Key("copied".into())]);
            copy.tree.set(&key, Value::Nil).expect("set");
            copy.tree.remove(&key).expect("removed");
        }
        assert!(!copy.tree.is_same(&snapshot.tree) && copy.tree == snapshot.tree);
        copy
    }

    proptest! {
        #[test]
        fn the_view_is_what_the_writes_make_of_the_head(
            writes in prop::collection::vec((0..3, "[ablx](\\.[ablx]|\\[[0-2]\\])?", 0..5_i64), 0..12),
        ) {
            let base = snapshot(r#"{"a":{"a":1,"l":[1,2]},"b":2,"l":[1,{"a":2},3]}"#);
            let mut transaction = Transaction::begin(base.clone());
            for (op, place, value) in writes {
                let place = path(&format!("domain.{place}"));
                // Some do not fit what is there: then nothing is recorded.
                let _ = match op {
                    0 => transaction.set(place, Value::Int(value)).map(drop),
                    1 => transaction.push(place, Value::Int(value)).map(drop),
                    _ => transaction.remove(place).map(drop),
                };
            }
            let taken = transaction.commit(&base).expect("it fits what it was made on");
            let applied = transaction.commit(&copied(&base)).expect("equal values fit as well");
            prop_assert_eq!(taken.version, applied.version);
            prop_assert_eq!(taken.tree, applied.tree);
        }
    }

    #[test]
    fn every_set_of_a_signal_is_one_event() {
        let mut transaction = Transaction::begin(snapshot("{}"));
        for value in [true, true, false] {
            transaction
                .set(path("domain.sig_x"), Value::Bool(value))
                .expect("set");
        }
        transaction
            .set(path("domain.plain"), Value::Map(Map::new()))
            .expect("set");
        assert_eq!(transaction.signals().len(), 3);
    }
}
