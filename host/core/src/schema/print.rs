//! Declarations as the file spells them: a word only where it says more than its default.

use super::Schema;
use super::declaration::{Declaration, Fields, Others, Presence};
use crate::audit::Number;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_saphyr::FlowMap;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The structure of a schema file.
impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut file = serializer.serialize_map(Some(1))?;
        file.serialize_entry("context", &Layers(self))?;
        file.end()
    }
}

struct Layers<'a>(&'a Schema);

/// The keys of a map, each with its declaration.
struct Keys<'a>(&'a BTreeMap<SmolStr, Declaration>);

/// One declaration: in one line where nothing is below it.
struct Block<'a>(&'a Declaration);

struct Words<'a>(&'a Declaration);

struct Limit(Number);

impl Serialize for Layers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut layers = serializer.serialize_map(None)?;
        for (layer, declared) in self.0.layers() {
            match declared {
                // The short form of a layer: its keys and nothing else.
                Declaration {
                    fields:
                        Some(Fields {
                            by_key,
                            others: Others::Refused,
                        }),
                    max_len: None,
                    ..
                } => layers.serialize_entry(layer.name(), &Keys(by_key))?,
                declared => layers.serialize_entry(layer.name(), &Block(declared))?,
            }
        }
        layers.end()
    }
}

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(key, field)| (key.as_str(), Block(field))),
        )
    }
}

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let below = |declared: &Declaration| declared.fields.is_some() || declared.items.is_some();
        if below(self.0) {
            Words(self.0).serialize(serializer)
        } else {
            FlowMap(Words(self.0)).serialize(serializer)
        }
    }
}

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let declared = self.0;
        let mut words = serializer.serialize_map(None)?;
        words.serialize_entry("type", declared.kind.name())?;
        if declared.presence == Presence::Required {
            words.serialize_entry("required", &true)?;
        }
        if let Some(default) = &declared.default {
            words.serialize_entry("default", default)?;
        }
        for (word, limit) in [("min", declared.min), ("max", declared.max)] {
            if let Some(limit) = limit {
                words.serialize_entry(word, &Limit(limit))?;
            }
        }
        if let Some(max_len) = declared.max_len {
            words.serialize_entry("max_len", &max_len)?;
        }
        if let Some(items) = &declared.items {
            words.serialize_entry("items", &Block(items))?;
        }
        if let Some(fields) = &declared.fields {
            words.serialize_entry("fields", &Keys(&fields.by_key))?;
            if fields.others == Others::Allowed {
                words.serialize_entry("open", &true)?;
            }
        }
        words.end()
    }
}

/// A limit as it was written: every one has at most 64 bits.
impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_value().serialize(serializer)
    }
}
