//! The state behind an entry: what all entries so far make, and how it looks in a checkpoint.

use super::blobs::Blobs;
use super::chain::Hash;
use super::entry::{
    CountChange, Entry, InterlockChange, change_of, change_value, count_of, count_value, path_of,
};
use super::error::{Damage, StoreError};
use super::fields::{Fields, Malformed, decode, list, map, text};
use super::heavy::{self, HeavyValue, Memo};
use crate::interlock::Interlock;
use std::collections::BTreeMap;
use std::sync::Arc;
use theus_core::audit::Gate;
use theus_core::codec;
use theus_core::path::{Layer, Path};
use theus_core::transaction::{Effect, Snapshot};
use theus_core::tree::Tree;
use theus_core::value::Value;
use theus_core::zone;

/// What all entries so far make.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct State {
    /// The context.
    pub context: Snapshot,
    id: Hash,
    counts: BTreeMap<CountKey, Counted>,
    interlock: Option<InterlockChange>,
    initial_signals: Arc<[(Path, Value)]>,
}

/// Whose counter it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountKey {
    /// The process.
    pub process: Arc<str>,
    /// The gate.
    pub gate: Gate,
    /// The rule, by its name.
    pub rule: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    count: u64,
    order: u64,
}

/// What keeps an entry from being applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A write does not fit what is there.
    Write(Path),
    /// The entry makes another version than the next one.
    Version,
}

impl Unfit {
    /// What that means where the entry is a record.
    pub(crate) fn of_record(self, seq: u64) -> Damage {
        let problem = match self {
            Self::Write(path) => format!("its write of `{path}` does not fit"),
            Self::Version => "it makes another version than the next one".into(),
        };
        Damage::Record { seq, problem }
    }
}

/// A checkpoint as it is read back.
pub(super) struct Checkpoint {
    pub(super) seq: u64,
    pub(super) hash: Hash,
    /// Without its large values, as long as they are not put in.
    pub(super) state: State,
    pub(super) heavy: Vec<HeavyValue>,
}

/// A checkpoint's bytes, and what they refer to.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// Bytes of the large values that are kept as blobs.
    pub(super) heavy_bytes: u64,
    /// The blobs among them that are not known to be kept.
    pub(super) unkept: Vec<Vec<u8>>,
    pub(super) memo: Memo,
}

impl State {
    /// The state before the first entry.
    ///
    /// # Errors
    ///
    /// The system has no randomness to draw its id from.
    pub fn initial(tree: Tree) -> Result<Self, StoreError> {
        let mut id = [0; 32];
        getrandom::fill(&mut id).map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(Self::named(Hash::of_bytes(&id), tree))
    }

    /// The same under an id that nobody else must have.
    pub(crate) fn named(id: Hash, tree: Tree) -> Self {
        Self {
            initial_signals: zone::signals(&tree).into(),
            context: Snapshot { version: 0, tree },
            id,
            counts: BTreeMap::new(),
            interlock: None,
        }
    }

    /// Names the state, wherever it is kept: drawn at random when it began. A copy has the same.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.id
    }

    /// Why the interlock is in force, where it is.
    #[must_use]
    pub fn interlock(&self) -> Option<&Interlock> {
        self.interlock.as_ref()?.cause.as_ref()
    }

    /// The number of the last change of the interlock.
    #[must_use]
    pub fn interlock_order(&self) -> u64 {
        self.interlock.as_ref().map_or(0, |change| change.order)
    }

    /// The audit counters that are not at 0.
    pub fn counts(&self) -> impl Iterator<Item = (&CountKey, u64)> {
        self.counts
            .iter()
            .filter(|(_, counted)| counted.count > 0)
            .map(|(key, counted)| (key, counted.count))
    }

    /// The highest number of a change of a counter.
    #[must_use]
    pub fn count_order(&self) -> u64 {
        let orders = self.counts.values().map(|counted| counted.order);
        orders.max().unwrap_or(0)
    }

    /// The signals that the initial context held.
    #[must_use]
    pub fn initial_signals(&self) -> &[(Path, Value)] {
        &self.initial_signals
    }

    /// Applies an entry; where it does not fit, nothing has changed.
    pub(crate) fn apply(&mut self, entry: &Entry, after: Option<Snapshot>) -> Result<(), Unfit> {
        let next = self.context.version + 1;
        if entry.record.version != entry.commits().then_some(next) {
            return Err(Unfit::Version);
        }
        if entry.commits() {
            self.context = match after {
                Some(after) if after.version != next => return Err(Unfit::Version),
                Some(after) => after,
                None => Snapshot {
                    version: next,
                    tree: self.with_writes(entry)?,
                },
            };
        }
        for change in &entry.counts {
            self.count(change);
        }
        if let Some(change) = &entry.interlock
            && change.order > self.interlock_order()
        {
            self.interlock = Some(change.clone());
        }
        Ok(())
    }

    fn with_writes(&self, entry: &Entry) -> Result<Tree, Unfit> {
        let mut tree = self.context.tree.clone();
        for write in &entry.writes {
            let unfit = || Unfit::Write(write.path.clone());
            if let Effect::Push { index, .. } = &write.effect {
                // It was recorded with the index that it got: at another one it would be another write.
                let len = match tree.get(&write.path) {
                    Some(value) => value.as_list().map(|list| list.len() as u64),
                    None => Some(0),
                };
                if len != Some(*index) {
                    return Err(unfit());
                }
            }
            write.apply(&mut tree).map_err(|_| unfit())?;
        }
        Ok(tree)
    }

    fn count(&mut self, change: &CountChange) {
        let key = CountKey {
            process: change.process.clone(),
            gate: change.gate,
            rule: change.rule.clone(),
        };
        let new = Counted {
            count: change.count,
            order: change.order,
        };
        let kept = self.counts.entry(key).or_insert(new);
        if change.order > kept.order {
            *kept = new;
        }
    }

    /// The state as it stands in a checkpoint behind an entry. Equal states have equal bytes.
    ///
    /// Large values that are `known` to be kept are not looked at again.
    pub(super) fn encode(&self, seq: u64, hash: &Hash, known: &Memo) -> Encoded {
        let lifted = heavy::lift(&self.context.tree, known);
        let layer = |layer| lifted.tree.layer(layer).clone();
        let counts = self.counts.iter().map(|(key, counted)| {
            count_value(&CountChange {
                process: key.process.clone(),
                gate: key.gate,
                rule: key.rule.clone(),
                count: counted.count,
                order: counted.order,
            })
        });
        let signals = self
            .initial_signals
            .iter()
            .map(|(path, value)| map([("path", text(path.to_string())), ("value", value.clone())]));
        let mut checkpoint = map([
            ("seq", Value::unsigned(seq)),
            ("id", Value::from(self.id.as_bytes().to_vec())),
            ("hash", Value::from(hash.as_bytes().to_vec())),
            ("version", Value::unsigned(self.context.version)),
            ("global", layer(Layer::Global)),
            ("domain", layer(Layer::Domain)),
            ("counts", list(counts)),
            (
                "interlock",
                self.interlock
                    .as_ref()
                    .map(change_value)
                    .unwrap_or_default(),
            ),
            ("signals", list(signals)),
        ]);
        // Nothing where there are none: then it looks as it did before there was such a thing.
        if let (Value::Map(fields), false) = (&mut checkpoint, lifted.heavy.is_empty()) {
            let heavy = lifted.heavy.iter().map(HeavyValue::to_value);
            fields.insert("heavy", list(heavy));
        }
        Encoded {
            bytes: codec::encode_all(&checkpoint),
            heavy_bytes: lifted.heavy.iter().map(|it| it.bytes).sum(),
            unkept: lifted.unkept,
            memo: lifted.memo,
        }
    }
}

impl Checkpoint {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let value = decode(bytes)?;
        Self::of(&value).map_err(|malformed| malformed.to_string())
    }

    fn of(value: &Value) -> Result<Self, Malformed> {
        let fields = Fields::of(value)?;
        let counts = fields.each("counts", count_of)?;
        let signals = fields.each("signals", |signal| {
            let signal = Fields::of(signal)?;
            let path = path_of(signal.value("path")?)?;
            Ok((path, signal.value("value")?.clone()))
        })?;
        let tree = Tree::new(fields.map("global")?.clone(), fields.map("domain")?.clone());
        let mut state = State {
            context: Snapshot {
                version: fields.number("version")?,
                tree,
            },
            id: hash_of(&fields, "id")?,
            counts: BTreeMap::new(),
            interlock: fields.optional("interlock", change_of)?,
            initial_signals: signals.into(),
        };
        for change in &counts {
            state.count(change);
        }
        let heavy = match fields.value_if_any("heavy") {
            Value::Nil => Vec::new(),
            _ => fields.each("heavy", HeavyValue::of)?,
        };
        Ok(Self {
            heavy,
            seq: fields.number("seq")?,
            hash: hash_of(&fields, "hash")?,
            state,
        })
    }

    /// Puts the large values in their places. What is known of them.
    pub(super) fn restore(&mut self, blobs: &Blobs) -> Result<Memo, StoreError> {
        let mut memo = Memo::default();
        let tree = &mut self.state.context.tree;
        for heavy in &self.heavy {
            let value = heavy.read(blobs)?;
            memo.note(&value, heavy);
            if tree.get(&heavy.path).is_none() || tree.set(&heavy.path, value).is_err() {
                return Err(StoreError::Damaged(Damage::Checkpoint {
                    seq: self.seq,
                    problem: format!("has no place for `{}`", heavy.path),
                }));
            }
        }
        Ok(memo)
    }
}

pub(super) fn hash_of(fields: &Fields<'_>, name: &'static str) -> Result<Hash, Malformed> {
    Hash::from_slice(fields.bytes(name)?).ok_or(Malformed(name))
}
