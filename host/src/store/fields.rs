//! Values as records of named fields: made with few words, and read without trusting them.

use theus_core::codec::{self, Bounds};
use theus_core::value::{List, Map, Value};

/// A field that is missing or of another kind than it was written with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its `{0}` is not what this format has there")]
pub(super) struct Malformed(pub(super) &'static str);

/// The fields of a map.
pub(super) struct Fields<'a>(&'a Map);

/// Decodes what the host itself encoded. Its size is that of bytes that are in memory already.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, String> {
    // A stored value nests 32 deep, and stands a few levels down in a record.
    const BOUNDS: Bounds = Bounds {
        depth: 64,
        decoded_bytes: u64::MAX,
    };
    codec::decode(bytes, BOUNDS).map_err(|error| error.to_string())
}

pub(super) fn text(text: impl AsRef<str>) -> Value {
    Value::from(text.as_ref())
}

pub(super) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    let mut list = List::new();
    for item in items {
        list.push(item);
    }
    Value::List(list)
}

pub(super) fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    let mut map = Map::new();
    for (name, value) in entries {
        map.insert(name, value);
    }
    Value::Map(map)
}

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Malformed> {
        value.as_map().map(Self).ok_or(Malformed("shape"))
    }

    pub(super) fn value(&self, name: &'static str) -> Result<&'a Value, Malformed> {
        self.0.get(name).ok_or(Malformed(name))
    }

    /// A field that came later: nil where it is missing.
    pub(super) fn value_if_any(&self, name: &'static str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Nil)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, Malformed> {
        self.value(name)?.as_str().ok_or(Malformed(name))
    }

    pub(super) fn number(&self, name: &'static str) -> Result<u64, Malformed> {
        match self.value(name)? {
            Value::Int(number) => u64::try_from(*number).map_err(|_| Malformed(name)),
            Value::UInt(number) => Ok(*number),
            _ => Err(Malformed(name)),
        }
    }

    pub(super) fn map(&self, name: &'static str) -> Result<&'a Map, Malformed> {
        self.value(name)?.as_map().ok_or(Malformed(name))
    }

    pub(super) fn bytes(&self, name: &'static str) -> Result<&'a [u8], Malformed> {
        match self.value(name)? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed(name)),
        }
    }

    /// A field that may be nil.
    pub(super) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.value(name)? {
            Value::Nil => Ok(None),
            value => read(value).map(Some),
        }
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<&'a str>, Malformed> {
        self.optional(name, |value| value.as_str().ok_or(Malformed(name)))
    }

    pub(super) fn optional_number(&self, name: &'static str) -> Result<Option<u64>, Malformed> {
        self.optional(name, |_| self.number(name))
    }

    /// A field that is a list, read element by element.
    pub(super) fn each<T>(
        &self,
        name: &'static str,
        read: impl Fn(&'a Value) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let list = self.value(name)?.as_list().ok_or(Malformed(name))?;
        list.iter().map(read).collect()
    }
}
