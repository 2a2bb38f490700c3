//! Files of the operator's with their places, before their words mean anything: YAML or TOML.

pub(crate) mod error;
mod toml;
pub(crate) mod words;
mod yaml;

use self::error::Place;
use crate::json;
use crate::value::{List, Map, Value};

/// A node of the file.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) content: Content,
}

/// A key of a map.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// What a node holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nil, a bool, a number or a string.
    Scalar(Value),
    /// Nodes in order.
    List(Vec<Node>),
    /// Nodes by key, in the order of the file; a key may come twice.
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// The value, where every part of it is one.
    ///
    /// # Errors
    ///
    /// The part that is none, and why.
    pub(crate) fn value(&self) -> Result<Value, (Place, String)> {
        match &self.content {
            Content::Scalar(value) => Ok(value.clone()),
            Content::List(items) => {
                let items: Result<List, _> = items.iter().map(Self::value).collect();
                items.map(Value::List)
            }
            Content::Map(entries) => {
                let mut map = Map::new();
                for (key, node) in entries {
                    if map.insert(key.text.as_str(), node.value()?).is_some() {
                        return Err((key.place, format!("the key `{}` comes twice", key.text)));
                    }
                }
                // Binary data as context files spell it.
                match map.get("$bytes") {
                    Some(Value::Str(text)) if map.len() == 1 => json::bytes_from_base64(text)
                        .map_err(|problem| {
                            (self.place, format!("`$bytes` is not base64: {problem}"))
                        }),
                    _ => Ok(Value::Map(map)),
                }
            }
        }
    }

    /// What the node is, as messages print it.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(value) => crate::audit::kind_phrase(value),
            Content::List(items) if items.is_empty() => "an empty list",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    /// Whether nothing was written there.
    pub(crate) fn is_nil(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Nil))
    }

    fn nil() -> Self {
        Self {
            place: Place::default(),
            content: Content::Scalar(Value::Nil),
        }
    }
}
