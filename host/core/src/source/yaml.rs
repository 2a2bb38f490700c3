//! YAML, read into nodes.

use super::error::{FileErrors, Place, Report, Source};
use super::{Content, Key, Node};
use crate::value::Value;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, MessageFormatter as _, Spanned, UserMessageFormatter};
use std::fmt;

impl Node {
    /// Parses a file of YAML.
    ///
    /// # Errors
    ///
    /// The place at which the text is no YAML.
    ///
    /// # Security
    ///
    /// Depth, nodes and what aliases expand to are bounded.
    pub(crate) fn of_yaml(source: &Source, text: &str) -> Result<Self, FileErrors> {
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
