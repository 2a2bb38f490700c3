//! Values: what the context holds. Lists and maps share structure, so a copy is O(1) and a change costs its own size.

pub use crate::list::List;
pub use crate::map::Map;

use crate::zone::Hidden;
use smol_str::SmolStr;
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

    /// Where its content lies, the same for every copy that shares it; none where each copy has its own.
    ///
    /// As long as one copy is kept, no other content comes to lie there, and that one does not change.
    #[must_use]
    pub fn address(&self) -> Option<usize> {
        match self {
            Self::Str(text) => text.is_heap_allocated().then(|| text.as_ptr().addr()),
            Self::Bytes(bytes) => Some(bytes.as_ptr().addr()),
            Self::List(list) => Some(list.address()),
            Self::Map(map) => Some(map.address()),
            _ => None,
        }
    }

    /// Whether a map in the value may hold a reserved key: false is certain, true is to be checked.
    #[inline]
    #[must_use]
    pub fn may_hold_reserved(&self) -> bool {
        match self {
            Self::List(list) => list.may_hold_reserved(),
            Self::Map(map) => map.may_hold_reserved(),
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
}
