//! Maps: persistent, in key order, compact while they are small.

use crate::value::Value;
use crate::zone::{self, Hidden};
use imbl::OrdMap;
use smol_str::SmolStr;
use std::ops::Bound;
use std::sync::Arc;

/// A persistent map in key order: a copy is O(1), a change copies at most one path of it.
///
/// A small map is one sorted array, which takes no more memory than its entries do; a large one is a B-tree.
#[derive(Clone, Debug, Default)]
pub struct Map(Arc<Node>);

#[derive(Clone, Debug, Default)]
struct Node {
    entries: Entries,
    // True where this map or a descendant may hold a reserved key; never false where one does.
    reserved: bool,
}

#[derive(Clone, Debug)]
enum Entries {
    Few(Vec<(SmolStr, Value)>),
    Many(OrdMap<SmolStr, Value>),
}

/// The largest map that is one array. Copying this much costs about what copying a tree's node does.
const FEW: usize = 16;

impl Default for Entries {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Map {
    /// Creates an empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty map with room for what is about to be inserted.
    pub(crate) fn with_room(len: usize) -> Self {
        Self(Arc::new(Node {
            entries: Entries::Few(Vec::with_capacity(len.min(FEW))),
            reserved: false,
        }))
    }

    /// Where its content lies: see [`Value::address`].
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0.entries {
            Entries::Few(entries) => entries.len(),
            Entries::Many(entries) => entries.len(),
        }
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0.entries {
            Entries::Few(entries) => position(entries, key).map(|at| &entries[at].1),
            Entries::Many(entries) => entries.get(key),
        }
    }

    /// The entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Value)> {
        self.iter_from(Bound::Unbounded)
    }

    /// The entries in key order, from the first key behind `after` on.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = (&SmolStr, &Value)> {
        self.iter_from(after.map_or(Bound::Unbounded, Bound::Excluded))
    }

    /// The number of entries that `hidden` leaves visible.
    ///
    /// Costs the number of hidden entries, not of all.
    #[must_use]
    pub fn visible_len(&self, hidden: Hidden) -> usize {
        self.len() - self.hidden_keys(hidden).count()
    }

    /// The keys of the map's own that `hidden` hides. Costs their number, not that of all.
    pub(crate) fn hidden_keys(&self, hidden: Hidden) -> impl Iterator<Item = &SmolStr> {
        let has_some = hidden != Hidden::Nothing && self.0.reserved;
        let prefixes = zone::PREFIXES.iter().map(|(prefix, _)| *prefix);
        let prefixes = std::iter::once("_").chain(prefixes);
        prefixes.filter(move |_| has_some).flat_map(move |prefix| {
            self.iter_from(Bound::Included(prefix))
                .map(|(key, _)| key)
                .take_while(move |key| key.starts_with(prefix))
                .filter(move |key| hidden.hides(key))
        })
    }

    /// Sets a key; returns the value that was there.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: Value) -> Option<Value> {
        let key = key.into();
        let node = Arc::make_mut(&mut self.0);
        node.reserved |= value.may_hold_reserved() || zone::is_reserved(&key);
        match &mut node.entries {
            Entries::Few(entries) => match position(entries, &key) {
                Some(at) => Some(std::mem::replace(&mut entries[at].1, value)),
                None if entries.len() < FEW => {
                    let at = place(entries, &key).unwrap_or_else(|at| at);
                    entries.insert(at, (key, value));
                    None
                }
                None => {
                    let mut many: OrdMap<SmolStr, Value> =
                        std::mem::take(entries).into_iter().collect();
                    many.insert(key, value);
                    node.entries = Entries::Many(many);
                    None
                }
            },
            Entries::Many(entries) => entries.insert(key, value),
        }
    }

    /// Removes a key; returns the value that was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.get(key)?;
        match &mut Arc::make_mut(&mut self.0).entries {
            Entries::Few(entries) => position(entries, key).map(|at| entries.remove(at).1),
            Entries::Many(entries) => entries.remove(key),
        }
    }

    /// Changes the value of a key in place.
    pub(crate) fn modify<R>(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<R> {
        let node = Arc::make_mut(&mut self.0);
        let value = match &mut node.entries {
            Entries::Few(entries) => position(entries, key).map(|at| &mut entries[at].1),
            Entries::Many(entries) => entries.get_mut(key),
        }?;
        let result = change(value);
        node.reserved |= value.may_hold_reserved();
        Some(result)
    }

    /// Whether the two share everything.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether this map or one in it may hold a reserved key: false is certain.
    #[inline]
    pub(crate) fn may_hold_reserved(&self) -> bool {
        self.0.reserved
    }

    fn iter_from(&self, start: Bound<&str>) -> impl Iterator<Item = (&SmolStr, &Value)> {
        let (few, many) = match &self.0.entries {
            Entries::Few(entries) => {
                let at = match start {
                    Bound::Unbounded => 0,
                    Bound::Included(key) => place(entries, key).unwrap_or_else(|at| at),
                    Bound::Excluded(key) => place(entries, key).map_or_else(|at| at, |at| at + 1),
                };
                (Some(&entries[at..]), None)
            }
            Entries::Many(entries) => (
                None,
                Some(entries.range::<_, str>((start, Bound::Unbounded))),
            ),
        };
        few.into_iter()
            .flatten()
            .map(|(key, value)| (key, value))
            .chain(many.into_iter().flatten())
    }
}

/// The place of a key that is there. In so few entries, looking for equal lengths beats comparing texts.
#[inline]
fn position(entries: &[(SmolStr, Value)], key: &str) -> Option<usize> {
    entries
        .iter()
        .position(|(known, _)| known.len() == key.len() && known == key)
}

/// The place of a key, or the one where it would be.
#[inline]
fn place(entries: &[(SmolStr, Value)], key: &str) -> Result<usize, usize> {
    // Whoever fills a map most often does so in order.
    if entries.last().is_none_or(|(last, _)| last.as_str() < key) {
        return Err(entries.len());
    }
    entries.binary_search_by(|(known, _)| known.as_str().cmp(key))
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}

impl<K: Into<SmolStr>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn visible_len_leaves_out_the_hidden() {
        let keys = [
            "_a", "a", "cmd_a", "cm", "heavy_a", "meta_a", "sig_a", "sigh", "zz",
        ];
        let small: Map = keys.into_iter().map(|key| (key, Value::Nil)).collect();
        let mut large = small.clone();
        for n in 0..30 {
            large.insert(format!("k{n}"), Value::Nil);
        }
        for (map, plain) in [(small, 0), (large, 30)] {
            assert_eq!(map.visible_len(Hidden::Nothing), 9 + plain);
            assert_eq!(map.visible_len(Hidden::Private), 8 + plain);
            assert_eq!(map.visible_len(Hidden::Reserved), 4 + plain);
        }
    }

    proptest! {
        #[test]
        fn a_map_is_a_sorted_map_at_every_size(
            changes in prop::collection::vec(("[a-z]", any::<Option<i64>>()), 0..120),
            after in "[a-z]",
        ) {
            let mut map = Map::new();
            let mut model = BTreeMap::new();
            for (key, value) in changes {
                let before = (map.clone(), model.clone());
                match value {
                    Some(value) => {
                        let value = Value::Int(value);
                        let old = map.insert(key.as_str(), value.clone());
                        prop_assert_eq!(old, model.insert(key.clone(), value));
                    }
                    None => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                let same = |map: &Map, model: &BTreeMap<String, Value>| {
                    map.len() == model.len()
                        && map.iter().all(|(key, value)| model.get(key.as_str()) == Some(value))
                        && map.iter().map(|(key, _)| key.as_str()).eq(model.keys().map(String::as_str))
                };
                prop_assert!(same(&map, &model));
                prop_assert!(same(&before.0, &before.1), "a copy changed");
                prop_assert_eq!(map.get(&after), model.get(&after));
                let behind = map.iter_after(Some(&after)).map(|(key, _)| key.as_str());
                prop_assert!(behind.eq(model.keys().map(String::as_str).filter(|key| *key > after.as_str())));
            }
        }
    }
}
