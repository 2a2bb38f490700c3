//! Large values of the heavy zone: kept once, as blobs, and referred to by records and checkpoints.
//!
//! Which values those are follows from the value and its place alone. Where one stands in a write or in a context, what is
//! written down has nil there, and names the place and the digest beside it: so nothing that a process writes can be
//! mistaken for a reference.

use super::blobs::Blobs;
use super::chain::Hash;
use super::entry::{Entry, path_of};
use super::error::{Damage, StoreError};
use super::fields::{Fields, Malformed, decode, list, map, text};
use std::collections::HashMap;
use theus_core::codec;
use theus_core::path::{Layer, Path, Segment};
use theus_core::transaction::{Effect, Write};
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};
use theus_core::zone::{Hidden, Zone};

/// Bytes, encoded, up to which a value stands in records and checkpoints.
const LARGE: u64 = 256 << 10;

/// A value of the heavy zone that is kept as a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeavyValue {
    /// Its place in the context.
    pub path: Path,
    /// The digest of its MessagePack, by which the store has that as a blob.
    pub digest: Hash,
    /// The length of that.
    pub bytes: u64,
}

/// Values that are known to be kept, by where their content lies: hashing them again would cost much and say nothing new.
#[derive(Debug, Default)]
pub(super) struct Memo(HashMap<usize, Known>);

#[derive(Debug)]
struct Known {
    // As long as it is here, nothing else lies at its address.
    _value: Value,
    digest: Hash,
    bytes: u64,
}

/// A context as it stands in a checkpoint.
pub(super) struct Lifted {
    /// With nil in the place of every large value.
    pub(super) tree: Tree,
    pub(super) heavy: Vec<HeavyValue>,
    /// The blobs among them that are not known to be kept.
    pub(super) unkept: Vec<Vec<u8>>,
    pub(super) memo: Memo,
}

impl Memo {
    pub(super) fn note(&mut self, value: &Value, heavy: &HeavyValue) {
        if let Some(address) = value.address() {
            let known = Known {
                _value: value.clone(),
                digest: heavy.digest,
                bytes: heavy.bytes,
            };
            self.0.insert(address, known);
        }
    }

    fn find(&self, value: &Value) -> Option<&Known> {
        self.0.get(&value.address()?)
    }
}

impl Entry {
    /// Keeps the large values of the heavy zone among its writes as blobs, and notes where they stand.
    pub(crate) fn keep_heavy(
        &mut self,
        mut keep: impl FnMut(&[u8]) -> Result<Hash, StoreError>,
    ) -> Result<(), StoreError> {
        let mut heavy = Vec::with_capacity(self.writes.len());
        for write in &self.writes {
            let mut kept = Vec::new();
            if let Some(value) = value_of(&write.effect) {
                each_large(&write.place(), value, &mut |path, value| {
                    let bytes = codec::encode_all(value);
                    kept.push(HeavyValue {
                        path: path.clone(),
                        digest: keep(&bytes)?,
                        bytes: bytes.len() as u64,
                    });
                    Ok(())
                })?;
            }
            heavy.push(kept);
        }
        self.heavy = if heavy.iter().all(Vec::is_empty) {
            Vec::new()
        } else {
            heavy
        };
        Ok(())
    }

    /// The values that it keeps as blobs.
    pub(super) fn heavy_values(&self) -> impl Iterator<Item = &HeavyValue> {
        self.heavy.iter().flatten()
    }

    /// Notes that the values that it keeps as blobs are kept.
    pub(super) fn note_heavy(&self, memo: &mut Memo) {
        for (write, heavy) in self.writes.iter().zip(&self.heavy) {
            for heavy in heavy {
                let value = value_of(&write.effect);
                let value = value.and_then(|it| below(it, &write.place(), &heavy.path));
                if let Some(value) = value {
                    memo.note(value, heavy);
                }
            }
        }
    }

    /// Its writes as they stand in a record: with nil in the place of what is kept as a blob.
    pub(super) fn written(&self) -> impl Iterator<Item = Write> {
        self.writes.iter().enumerate().map(|(index, write)| {
            let mut write = write.clone();
            for heavy in self.heavy.get(index).into_iter().flatten() {
                put(&mut write, &heavy.path, Value::Nil);
            }
            write
        })
    }

    /// Puts the values that are kept as blobs into its writes, as they are read from a record.
    pub(super) fn restore(&mut self, seq: u64, blobs: &Blobs) -> Result<(), StoreError> {
        for (index, heavy) in self.heavy.iter().enumerate() {
            for heavy in heavy {
                let value = heavy.read(blobs)?;
                let write = self.writes.get_mut(index);
                if !write.is_some_and(|write| put(write, &heavy.path, value)) {
                    return Err(StoreError::Damaged(Damage::Record {
                        seq,
                        problem: format!("it has no place for `{}`", heavy.path),
                    }));
                }
            }
        }
        Ok(())
    }
}

impl HeavyValue {
    /// The value, from its blob.
    pub(super) fn read(&self, blobs: &Blobs) -> Result<Value, StoreError> {
        let bytes = blobs.read(self.digest)?;
        let bytes = bytes.ok_or(StoreError::Damaged(Damage::NoBlob(self.digest)))?;
        decode(&bytes).map_err(|_| StoreError::Damaged(Damage::Blob(self.digest)))
    }

    pub(super) fn to_value(&self) -> Value {
        map([
            ("path", text(self.path.to_string())),
            ("blob", text(self.digest.to_string())),
            ("bytes", Value::unsigned(self.bytes)),
        ])
    }

    pub(super) fn of(value: &Value) -> Result<Self, Malformed> {
        let fields = Fields::of(value)?;
        let digest = fields.text("blob")?.parse();
        Ok(Self {
            path: path_of(fields.value("path")?)?,
            digest: digest.map_err(|_| Malformed("blob"))?,
            bytes: fields.number("bytes")?,
        })
    }
}

/// The large values of an entry in its record: one list per write; nil where there are none.
pub(super) fn lists(heavy: &[Vec<HeavyValue>]) -> Value {
    if heavy.is_empty() {
        return Value::Nil;
    }
    let lists = heavy.iter();
    list(lists.map(|it| list(it.iter().map(HeavyValue::to_value))))
}

/// Reads what [`lists`] made. A record from before there was such a thing has none.
pub(super) fn of_lists(fields: &Fields<'_>) -> Result<Vec<Vec<HeavyValue>>, Malformed> {
    let lists = match fields.value_if_any("heavy") {
        Value::Nil => return Ok(Vec::new()),
        lists => lists.as_list().ok_or(Malformed("heavy"))?,
    };
    let of_list = |list: &Value| {
        list.as_list()
            .map(|it| it.iter().map(HeavyValue::of).collect())
    };
    let lists = lists
        .iter()
        .map(|it| of_list(it).ok_or(Malformed("heavy"))?);
    lists.collect()
}

/// A context without its large values, and those.
pub(super) fn lift(tree: &Tree, known: &Memo) -> Lifted {
    let mut lifted = Lifted {
        tree: tree.clone(),
        heavy: Vec::new(),
        unkept: Vec::new(),
        memo: Memo::default(),
    };
    for layer in Layer::ALL {
        let root = Path::layer_root(layer);
        let each: Result<(), std::convert::Infallible> =
            each_large(&root, tree.layer(layer), &mut |path, value| {
                // It is there, so something else can be put there.
                if lifted.tree.set(path, Value::Nil).is_err() {
                    return Ok(());
                }
                let (digest, bytes) = match known.find(value) {
                    Some(known) => (known.digest, known.bytes),
                    None => {
                        let bytes = codec::encode_all(value);
                        let known = (Hash::of_bytes(&bytes), bytes.len() as u64);
                        lifted.unkept.push(bytes);
                        known
                    }
                };
                let heavy = HeavyValue {
                    path: path.clone(),
                    digest,
                    bytes,
                };
                lifted.memo.note(value, &heavy);
                lifted.heavy.push(heavy);
                Ok(())
            });
        let Ok(()) = each;
    }
    lifted
}

/// Calls `found` with every value in the heavy zone that is large, in one that stands at a place.
fn each_large<E>(
    at: &Path,
    value: &Value,
    found: &mut dyn FnMut(&Path, &Value) -> Result<(), E>,
) -> Result<(), E> {
    match at.zone() {
        // What lies below a heavy place is part of its value.
        Zone::Heavy if is_large(value) => return found(at, value),
        Zone::Heavy | Zone::Signal | Zone::Meta => return Ok(()),
        Zone::Data => {}
    }
    if !value.may_hold_reserved() {
        return Ok(());
    }
    match value {
        Value::Map(map) => {
            for (key, value) in map.iter() {
                // A path costs more than a look.
                if value.may_hold_reserved() || Zone::of_key(key) == Some(Zone::Heavy) {
                    each_large(&at.child(Segment::Key(key.clone())), value, found)?;
                }
            }
        }
        Value::List(list) => {
            for (index, value) in list.iter().enumerate() {
                if value.may_hold_reserved() {
                    each_large(&at.child(Segment::Index(index as u64)), value, found)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether a value at a place is kept as a blob as a whole.
pub(super) fn is_kept_apart(at: &Path, value: &Value) -> bool {
    at.zone() == Zone::Heavy && is_large(value)
}

fn is_large(value: &Value) -> bool {
    codec::encode(value, Hidden::Nothing, LARGE).is_err()
}

fn value_of(effect: &Effect) -> Option<&Value> {
    match effect {
        Effect::Set(value) | Effect::Push { value, .. } => Some(value),
        Effect::Remove => None,
    }
}

/// The steps from a place to one at or below it.
fn steps<'a>(at: &Path, path: &'a Path) -> Option<&'a [Segment]> {
    path.is_at_or_below(at)
        .then(|| &path.segments()[at.segments().len()..])
}

/// What stands at a place in a value that stands at another one.
fn below<'a>(value: &'a Value, at: &Path, path: &Path) -> Option<&'a Value> {
    steps(at, path)?
        .iter()
        .try_fold(value, |value, step| match step {
            Segment::Key(key) => value.as_map()?.get(key),
            Segment::Index(index) => value.as_list()?.get(*index),
        })
}

/// Replaces what stands at a place in what is written; false where there is none.
fn put(write: &mut Write, path: &Path, new: Value) -> bool {
    let place = write.place();
    let (Some(steps), Some(written)) = (steps(&place, path), value_of(&write.effect)) else {
        return false;
    };
    // A tree knows how to replace something at a place: this one holds the value alone.
    let root = Segment::Key("value".into());
    let held = [("value", written.clone())].into_iter().collect();
    let mut tree = Tree::new(Map::new(), held);
    let root = Path::layer_root(Layer::Domain).child(root);
    let place = steps
        .iter()
        .cloned()
        .fold(root.clone(), |at, step| at.child(step));
    if below(written, &write.place(), path).is_none() || tree.set(&place, new).is_err() {
        return false;
    }
    let Some(replaced) = tree.get(&root).cloned() else {
        return false;
    };
    match &mut write.effect {
        Effect::Set(value) | Effect::Push { value, .. } => *value = replaced,
        Effect::Remove => return false,
    }
    true
}
