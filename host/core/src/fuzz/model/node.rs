//! Values without any sharing, and what of them is out of sight.

use crate::value::Value;
use std::collections::BTreeMap;

/// A value without any sharing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

/// Which keys below a place are out of sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Those of other zones, and private ones.
    Data,
    /// Private ones.
    AllButPrivate,
}

impl Sight {
    pub(super) fn hides(self, key: &str) -> bool {
        match self {
            Self::Data => is_reserved(key),
            Self::AllButPrivate => key.starts_with('_'),
        }
    }
}

impl Node {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::List(list) => Self::List(list.iter().map(Self::of).collect()),
            Value::Map(map) => Self::Map(
                map.iter()
                    .map(|(key, value)| (key.to_string(), Self::of(value)))
                    .collect(),
            ),
            leaf => Self::Leaf(leaf.clone()),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Leaf(leaf) => leaf.clone(),
            Self::List(list) => Value::List(list.iter().map(Self::value).collect()),
            Self::Map(map) => {
                let entries = map.iter().map(|(key, node)| (key.as_str(), node.value()));
                Value::Map(entries.collect())
            }
        }
    }

    /// What is left of it for whom hidden keys are out of sight.
    pub(super) fn seen(&self, sight: Sight) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(leaf.clone()),
            Self::List(list) => Self::List(list.iter().map(|node| node.seen(sight)).collect()),
            Self::Map(map) => Self::Map(
                map.iter()
                    .filter(|(key, _)| !sight.hides(key))
                    .map(|(key, node)| (key.clone(), node.seen(sight)))
                    .collect(),
            ),
        }
    }

    /// Whether a key anywhere in it is one of those.
    pub(super) fn holds(&self, those: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::List(list) => list.iter().any(|node| node.holds(those)),
            Self::Map(map) => map
                .iter()
                .any(|(key, node)| those(key) || node.holds(those)),
        }
    }

    /// The bytes of its shortest MessagePack.
    pub(super) fn encoded_len(&self) -> u64 {
        let header = |len: usize, short: usize, byte: u64| match len {
            _ if len < short => 1,
            _ if byte > 0 && len < 256 => byte,
            0..65_536 => 3,
            _ => 5,
        };
        let text = |len: usize| header(len, 32, 2) + len as u64;
        match self {
            Self::Leaf(Value::Int(-32..128)) | Self::Leaf(Value::Nil | Value::Bool(_)) => 1,
            Self::Leaf(Value::Int(-128..256)) => 2,
            Self::Leaf(Value::Int(-32_768..65_536)) => 3,
            Self::Leaf(Value::Int(-2_147_483_648..4_294_967_296)) => 5,
            Self::Leaf(Value::Str(it)) => text(it.len()),
            Self::Leaf(Value::Bytes(it)) => header(it.len(), 0, 2) + it.len() as u64,
            Self::Leaf(_) => 9,
            Self::List(list) => {
                header(list.len(), 16, 0) + list.iter().map(Self::encoded_len).sum::<u64>()
            }
            Self::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(key, node)| text(key.len()) + node.encoded_len());
                header(map.len(), 16, 0) + entries.sum::<u64>()
            }
        }
    }
}

pub(super) fn element(list: &mut [Node], index: u64) -> Option<&mut Node> {
    list.get_mut(usize::try_from(index).ok()?)
}

pub(super) fn prefix(key: &str) -> Option<&'static str> {
    match key.split_once('_')?.0 {
        "sig" | "cmd" => Some("sig"),
        "meta" => Some("meta"),
        "heavy" => Some("heavy"),
        _ => None,
    }
}

pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with('_') || prefix(key).is_some()
}
