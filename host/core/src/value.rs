//! Values: what the context holds. Lists and maps share structure, so a copy is O(1) and a change costs its own size.

use crate::zone::{self, Hidden};
use imbl::{OrdMap, Vector};
use smol_str::SmolStr;
use std::ops::Bound;
use std::sync::Arc;

/// A value of the context, an argument or a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number that fits into an `i64`.
    Int(i64),
    /// A whole number above `i64::MAX`; smaller ones are [`Value::Int`].
    UInt(u64),
    /// A floating-point number; every NaN is the one canonical NaN.
    Float(Float),
    /// Text.
    Str(SmolStr),
    /// Binary data.
    Bytes(Arc<[u8]>),
    /// Values in order.
    List(List),
    /// Values by key, in key order.
    Map(Map),
}

/// An `f64` whose NaN has one bit pattern, so that equal values have equal bytes.
#[derive(Clone, Copy, Debug)]
pub struct Float(f64);

/// A persistent list.
#[derive(Clone, Debug, Default)]
pub struct List(Arc<ListNode>);

/// A persistent map in key order.
#[derive(Clone, Debug, Default)]
pub struct Map(Arc<MapNode>);

#[derive(Clone, Debug, Default)]
struct ListNode {
    items: Vector<Value>,
    // True where a descendant map may hold a reserved key; never false where one does.
    reserved: bool,
}

#[derive(Clone, Debug, Default)]
struct MapNode {
    entries: OrdMap<SmolStr, Value>,
    reserved: bool,
}

impl Value {
    /// Creates a float, with NaN made canonical.
    #[must_use]
    pub fn float(number: f64) -> Self {
        Self::Float(Float::new(number))
    }

    /// Creates a whole number in its canonical variant.
    #[must_use]
    pub fn unsigned(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }

    /// The name of the value's kind, as messages print it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::UInt(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// The containers nested in the value: 0 for a scalar, 1 for a list of scalars.
    #[must_use]
    pub fn nesting(&self) -> u64 {
        match self {
            Self::List(list) => 1 + list.iter().map(Self::nesting).max().unwrap_or(0),
            Self::Map(map) => {
                1 + map
                    .iter()
                    .map(|(_, value)| value.nesting())
                    .max()
                    .unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// The map, where the value is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, where the value is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text, where the value is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where the value is a whole one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, where it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether a map in the value may hold a reserved key: false is certain, true is to be checked.
    #[inline]
    #[must_use]
    pub fn may_hold_reserved(&self) -> bool {
        match self {
            Self::List(list) => list.0.reserved,
            Self::Map(map) => map.0.reserved,
            _ => false,
        }
    }

    /// The first key in the value, at any depth, that `hidden` hides.
    ///
    /// Costs nothing where the value holds no reserved key at all.
    #[must_use]
    pub fn hidden_key(&self, hidden: Hidden) -> Option<&SmolStr> {
        if hidden == Hidden::Nothing || !self.may_hold_reserved() {
            return None;
        }
        match self {
            Self::List(list) => list.iter().find_map(|item| item.hidden_key(hidden)),
            Self::Map(map) => map.iter().find_map(|(key, value)| {
                if hidden.hides(key) {
                    Some(key)
                } else {
                    value.hidden_key(hidden)
                }
            }),
            _ => None,
        }
    }
}

impl Float {
    /// Wraps a number, with NaN made canonical.
    #[must_use]
    pub fn new(number: f64) -> Self {
        Self(if number.is_nan() { f64::NAN } else { number })
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

/// Equal bits: the identity of stored values, where NaN equals NaN and 0.0 differs from -0.0.
impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl List {
    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.items.len()
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.items.is_empty()
    }

    /// The element at `index`.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&Value> {
        self.0.items.get(usize::try_from(index).ok()?)
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.items.iter()
    }

    /// Appends an element.
    pub fn push(&mut self, value: Value) {
        let node = Arc::make_mut(&mut self.0);
        node.reserved |= value.may_hold_reserved();
        node.items.push_back(value);
    }

    /// Removes an element; the ones after it move up.
    pub(crate) fn remove(&mut self, index: u64) -> Option<Value> {
        let index = usize::try_from(index)
            .ok()
            .filter(|index| *index < self.len())?;
        Some(Arc::make_mut(&mut self.0).items.remove(index))
    }

    /// Changes an element in place.
    pub(crate) fn modify<R>(
        &mut self,
        index: u64,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<R> {
        let index = usize::try_from(index)
            .ok()
            .filter(|index| *index < self.len())?;
        let node = Arc::make_mut(&mut self.0);
        let element = node.items.get_mut(index)?;
        let result = change(element);
        node.reserved |= element.may_hold_reserved();
        Some(result)
    }
}

impl Map {
    /// Creates an empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.entries.get(key)
    }

    /// The entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Value)> {
        self.0.entries.iter()
    }

    /// The entries in key order, from the first key behind `after` on.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = (&SmolStr, &Value)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.entries.range::<_, str>((start, Bound::Unbounded))
    }

    /// The number of entries that `hidden` leaves visible.
    ///
    /// Costs the number of hidden entries, not of all.
    #[must_use]
    pub fn visible_len(&self, hidden: Hidden) -> usize {
        if hidden == Hidden::Nothing || !self.0.reserved {
            return self.len();
        }
        let prefixes = zone::PREFIXES.iter().map(|(prefix, _)| *prefix);
        let hidden_len: usize = std::iter::once("_")
            .chain(prefixes)
            .map(|prefix| {
                self.0
                    .entries
                    .range::<_, str>((Bound::Included(prefix), Bound::Unbounded))
                    .take_while(|(key, _)| key.starts_with(prefix))
                    .filter(|(key, _)| hidden.hides(key))
                    .count()
            })
            .sum();
        self.len() - hidden_len
    }

    /// Sets a key; returns the value that was there.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: Value) -> Option<Value> {
        let key = key.into();
        let node = Arc::make_mut(&mut self.0);
        node.reserved |= value.may_hold_reserved() || zone::is_reserved(&key);
        node.entries.insert(key, value)
    }

    /// Removes a key; returns the value that was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if !self.0.entries.contains_key(key) {
            return None;
        }
        Arc::make_mut(&mut self.0).entries.remove(key)
    }

    /// Changes the value of a key in place.
    pub(crate) fn modify<R>(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<R> {
        let node = Arc::make_mut(&mut self.0);
        let value = node.entries.get_mut(key)?;
        let result = change(value);
        node.reserved |= value.may_hold_reserved();
        Some(result)
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.items == other.0.items
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.entries == other.0.entries
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        let items: Vector<Value> = items.into_iter().collect();
        let reserved = items.iter().any(Value::may_hold_reserved);
        Self(Arc::new(ListNode { items, reserved }))
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

macro_rules! value_from {
    ($($type:ty => |$name:ident| $make:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($name: $type) -> Self {
                $make
            }
        }
    )*};
}

value_from! {
    bool => |it| Value::Bool(it);
    i32 => |it| Value::Int(it.into());
    i64 => |it| Value::Int(it);
    u32 => |it| Value::Int(it.into());
    u64 => |it| Value::unsigned(it);
    f64 => |it| Value::float(it);
    &str => |it| Value::Str(it.into());
    String => |it| Value::Str(it.into());
    SmolStr => |it| Value::Str(it);
    Vec<u8> => |it| Value::Bytes(it.into());
    Vec<Value> => |it| Value::List(it.into_iter().collect());
    List => |it| Value::List(it);
    Map => |it| Value::Map(it);
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Nil, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_small() {
        assert!(size_of::<Value>() <= 24, "{}", size_of::<Value>());
    }

    #[test]
    fn changes_do_not_reach_a_copy() {
        let mut map: Map = [("a", Value::Int(1))].into_iter().collect();
        let copy = map.clone();
        map.modify("a", |value| *value = Value::Int(2));
        map.insert("b", Value::Nil);
        assert_eq!(copy.get("a"), Some(&Value::Int(1)));
        assert_eq!(copy.len(), 1);
        assert_eq!(map.get("a"), Some(&Value::Int(2)));
    }

    #[test]
    fn reserved_keys_are_found_at_any_depth() {
        let inner: Map = [("sig_x", Value::Nil)].into_iter().collect();
        let list: List = [Value::Map(inner)].into_iter().collect();
        let mut map = Map::new();
        map.insert("plain", Value::Int(1));
        assert_eq!(Value::Map(map.clone()).hidden_key(Hidden::Reserved), None);
        map.insert("list", Value::List(list));
        let value = Value::Map(map);
        assert_eq!(
            value.hidden_key(Hidden::Reserved).map(SmolStr::as_str),
            Some("sig_x")
        );
        assert_eq!(value.hidden_key(Hidden::Private), None);
    }

    #[test]
    fn a_reserved_key_added_later_marks_its_ancestors() {
        let mut map: Map = [("box", Value::Map(Map::new()))].into_iter().collect();
        map.modify("box", |value| {
            if let Value::Map(inner) = value {
                inner.insert("_secret", Value::Nil);
            }
        });
        assert!(Value::Map(map).hidden_key(Hidden::Private).is_some());
    }

    #[test]
    fn visible_len_leaves_out_the_hidden() {
        let keys = [
            "_a", "a", "cmd_a", "cm", "heavy_a", "meta_a", "sig_a", "sigh", "zz",
        ];
        let map: Map = keys.into_iter().map(|key| (key, Value::Nil)).collect();
        assert_eq!(map.visible_len(Hidden::Nothing), 9);
        assert_eq!(map.visible_len(Hidden::Private), 8);
        assert_eq!(map.visible_len(Hidden::Reserved), 4);
    }
}
