//! The schema as a JSON Schema (draft 2020-12): what an editor needs to help with a context file.
//!
//! It describes contexts before their defaults are filled in, in the JSON form of values: bytes are
//! `{"$bytes": "base64"}`, floats that JSON has no number for are `{"$float": "nan"}`. It is as exact as JSON Schema can
//! be: lengths of strings count bytes here and characters there, so the exported limit is necessary, not sufficient.

use super::declaration::{Declaration, Presence};
use crate::contract::Kind;
use crate::path::Layer;
use serde_json::{Map, Value as Json, json};

/// The JSON Schema of a context file.
pub(super) fn export(layers: &[Option<Declaration>; 2]) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (layer, declared) in Layer::ALL.into_iter().zip(layers) {
        let schema = declared.as_ref().map_or_else(
            || json!({ "type": "object" }),
            |declared| {
                // A layer that is left out is an empty one.
                if declared.required().next().is_some() {
                    required.push(Json::from(layer.name()));
                }
                of(declared)
            },
        );
        properties.insert(layer.name().into(), schema);
    }
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "context",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Some(root), false) = (root.as_object_mut(), required.is_empty()) {
        root.insert("required".into(), Json::Array(required));
    }
    root
}

fn of(declared: &Declaration) -> Json {
    let mut words = Map::new();
    match declared.kind {
        Kind::Any => {}
        Kind::Bool => insert(&mut words, "type", "boolean"),
        Kind::Int => number(declared, "integer", &mut words),
        Kind::Float => {
            let mut number_words = Map::new();
            number(declared, "number", &mut number_words);
            insert(
                &mut words,
                "anyOf",
                vec![Json::Object(number_words), float(declared)],
            );
        }
        Kind::String => {
            insert(&mut words, "type", "string");
            if let Some(max_len) = declared.max_len {
                insert(&mut words, "maxLength", max_len);
            }
        }
        Kind::Bytes => bytes(declared, &mut words),
        Kind::List => {
            insert(&mut words, "type", "array");
            if let Some(items) = &declared.items {
                insert(&mut words, "items", of(items));
            }
            if let Some(max_len) = declared.max_len {
                insert(&mut words, "maxItems", max_len);
            }
        }
        Kind::Map => map(declared, &mut words),
    }
    if let Some(default) = &declared.default {
        insert(&mut words, "default", json!(default));
    }
    Json::Object(words)
}

fn number(declared: &Declaration, kind: &str, words: &mut Map<String, Json>) {
    insert(words, "type", kind);
    for (word, limit) in [("minimum", declared.min), ("maximum", declared.max)] {
        if let Some(limit) = limit {
            insert(words, word, json!(limit.to_value()));
        }
    }
}

/// The floats that are no JSON number. NaN fits no limit, an infinity only one on its other side.
fn float(declared: &Declaration) -> Json {
    let names = [
        ("nan", declared.min.is_none() && declared.max.is_none()),
        ("inf", declared.max.is_none()),
        ("-inf", declared.min.is_none()),
    ];
    let allowed: Vec<_> = names
        .into_iter()
        .filter(|(_, fits)| *fits)
        .map(|(name, _)| name)
        .collect();
    json!({
        "type": "object",
        "properties": { "$float": { "enum": allowed } },
        "required": ["$float"],
        "additionalProperties": false,
    })
}

fn bytes(declared: &Declaration, words: &mut Map<String, Json>) {
    let mut text = json!({ "type": "string", "contentEncoding": "base64" });
    if let (Some(max_len), Some(text)) = (declared.max_len, text.as_object_mut()) {
        // Four characters for every three bytes that were begun.
        insert(text, "maxLength", max_len.div_ceil(3).saturating_mul(4));
    }
    insert(words, "type", "object");
    insert(words, "properties", json!({ "$bytes": text }));
    insert(words, "required", vec!["$bytes"]);
    insert(words, "additionalProperties", false);
}

fn map(declared: &Declaration, words: &mut Map<String, Json>) {
    insert(words, "type", "object");
    if let Some(fields) = &declared.fields {
        let properties: Map<_, _> = fields
            .by_key
            .iter()
            .map(|(key, field)| (key.to_string(), of(field)))
            .collect();
        insert(words, "properties", properties);
        if declared.is_closed() {
            insert(words, "additionalProperties", false);
        }
        let required: Vec<_> = fields
            .by_key
            .iter()
            .filter(|(_, field)| field.presence == Presence::Required)
            .map(|(key, _)| key.as_str())
            .collect();
        if !required.is_empty() {
            insert(words, "required", required);
        }
    }
    if let Some(max_len) = declared.max_len {
        insert(words, "maxProperties", max_len);
    }
}

fn insert(words: &mut Map<String, Json>, word: &str, value: impl Into<Json>) {
    words.insert(word.to_owned(), value.into());
}
