//! YAML with places: a file of the operator's before its words mean anything.

pub(crate) mod error;
pub(crate) mod words;

use self::error::{FileErrors, Place, Report, Source};
use crate::json;
use crate::value::{List, Map, Value};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, MessageFormatter as _, Spanned, UserMessageFormatter};
use std::fmt;

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
    /// Parses a file.
    ///
    /// # Errors
    ///
    /// The place at which the text is no YAML.
    ///
    /// # Security
    ///
    /// Depth, nodes and what aliases expand to are bounded.
    pub(crate) fn parse(source: &Source, text: &str) -> Result<Self, FileErrors> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                // Every level costs stack, in a debug build about 50 KiB of the 2 MiB that a thread may have.
                max_depth: 32,
                max_documents: 1,
                max_events: 500_000,
                max_aliases: 1_000,
                max_anchors: 1_000,
            },
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000 },
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            strict_booleans: true,
            with_snippet: false,
        };
        let parsed = serde_saphyr::from_str_with_options::<Option<Self>>(text, options);
        parsed
            .map(|node| node.unwrap_or_else(Self::nil))
            .or_else(|error| {
                let mut report = Report::new(source);
                let place = error.location().map(Place::from).unwrap_or_default();
                let message = UserMessageFormatter
                    .format_message(error.without_snippet())
                    .replace(char::is_control, " ");
                // The commonest way to write a path that YAML reads as something else.
                let help = message.contains("flow mapping").then(|| {
                    "inside `{ … }` a text with brackets, braces or commas needs quotes, such as `'items[0].price'`".to_owned()
                });
                report.refuse(place, format!("not YAML: {message}"), help);
                report.finish(Self::nil())
            })
    }

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

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let clamp = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            line: clamp(location.line()),
            column: clamp(location.column()),
            width: clamp(location.span().len()),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self {
            place: spanned.referenced.into(),
            content: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar, a list or a map")
    }

    fn visit_unit<E: Error>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Nil))
    }

    fn visit_none<E: Error>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Nil))
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Content, E> {
        Ok(Content::Scalar(it.into()))
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Content, E> {
        Ok(Content::Scalar(it.into()))
    }

    fn visit_u64<E: Error>(self, it: u64) -> Result<Content, E> {
        Ok(Content::Scalar(it.into()))
    }

    fn visit_f64<E: Error>(self, it: f64) -> Result<Content, E> {
        Ok(Content::Scalar(it.into()))
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Content, E> {
        Ok(Content::Scalar(it.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = Vec::new();
        while let Some((key, node)) = entries.next_entry::<Spanned<String>, Node>()? {
            let key = Key {
                place: key.referenced.into(),
                text: key.value,
            };
            map.push((key, node));
        }
        Ok(Content::Map(map))
    }
}
