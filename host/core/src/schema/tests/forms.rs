//! Other forms of a schema: inferred from a context, printed as YAML and JSON, exported as JSON Schema.

use super::{WAREHOUSE, context, schema};
use crate::path::Layer;
use crate::schema::Schema;
use crate::testing::any_value;
use crate::tree::Tree;
use crate::value::{Map, Value};
use crate::zone::Hidden;
use proptest::prelude::*;

#[test]
fn a_schema_is_inferred_from_a_context() {
    let tree = context(
        r#"{"global":{"limit":5},"domain":{"items":[{"name":"a","price":1},{"name":"b","price":1.5,"tag":null}],
            "empty":[],"mixed":[1,"a"],"nil":null,"raw":{"$bytes":"AQI="},"a b":{},"sig_x":true,"yes":false}}"#,
    );
    let expected = r#"context:
  global:
    limit: {type: int, required: true}
  domain:
    a b: {type: map, required: true}
    empty: {type: list, required: true}
    items:
      type: list
      required: true
      items:
        type: map
        fields:
          name: {type: string, required: true}
          price: {type: float, required: true}
          tag: {type: any}
    mixed:
      type: list
      required: true
      items: {type: any}
    nil: {type: any, required: true}
    raw: {type: bytes, required: true}
    sig_x: {type: bool}
    "yes": {type: bool, required: true}
"#;
    let inferred = Schema::infer(&tree);
    assert_eq!(inferred.to_yaml().expect("yaml"), expected);
    let again = schema(expected);
    assert!(again.check(&tree).is_ok());
    // JSON is YAML: that form is a schema file as well.
    let json = serde_json::to_string(&inferred).expect("json");
    assert_eq!(schema(&json).to_yaml().expect("yaml"), expected);
}

#[test]
fn a_layer_without_keys_takes_any() {
    let text = Schema::infer(&Tree::default()).to_yaml().expect("yaml");
    assert_eq!(
        text,
        "context:\n  global: {type: map}\n  domain: {type: map}\n"
    );
    schema(&text);
}

proptest! {
    /// Whatever a context holds: its schema can be written, read, and the context fits it.
    #[test]
    fn a_context_fits_the_schema_inferred_from_it(values in prop::collection::vec(any_value(), 1..5)) {
        let map: Map = values.into_iter().enumerate().map(|(n, value)| (format!("k{n}"), value)).collect();
        let value = Value::Map(map.clone());
        // No context holds a private key, nor one prefix below another of the same kind of sense.
        prop_assume!(value.hidden_key(Hidden::Private).is_none());
        let tree = Tree::new(Map::new(), map);
        let text = Schema::infer(&tree).to_yaml().expect("yaml");
        match Schema::parse(&text, "schema.yaml") {
            Ok(schema) => prop_assert!(schema.check(&tree).is_ok(), "{}", text),
            Err(errors) => prop_assert!(
                errors.errors.iter().all(|error| error.message.contains("cannot be below")),
                "{}\n{}", text, errors
            ),
        }
    }
}

#[test]
fn a_json_schema_says_what_editors_need() {
    let expected = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "context",
        "type": "object",
        "properties": {
            "global": {
                "type": "object",
                "properties": { "max_capacity": { "type": "integer", "default": 500 } },
                "additionalProperties": false,
            },
            "domain": {
                "type": "object",
                "properties": {
                    "items": {
                        "type": "array",
                        "maxItems": 3,
                        "default": [],
                        "items": {
                            "type": "object",
                            "properties": {
                                "name": { "type": "string", "maxLength": 8 },
                                "price": { "type": "integer", "minimum": 0 },
                            },
                            "required": ["name"],
                            "additionalProperties": false,
                        },
                    },
                    "total_value": { "type": "integer", "default": 0, "minimum": 0, "maximum": 1000 },
                    "note": {},
                    "box": {
                        "type": "object",
                        "maxProperties": 2,
                        "properties": {
                            "a": { "anyOf": [
                                { "type": "number", "maximum": 1.5 },
                                {
                                    "type": "object",
                                    "properties": { "$float": { "enum": ["-inf"] } },
                                    "required": ["$float"],
                                    "additionalProperties": false,
                                },
                            ] },
                            "must": { "type": "boolean" },
                            "deep": { "type": "object" },
                        },
                        "required": ["must"],
                    },
                    "sig_restock_needed": { "type": "boolean", "default": false },
                },
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
    });
    assert_eq!(schema(WAREHOUSE).to_json_schema(), expected);
    let required =
        schema("context: { domain: { b: { type: bytes, max_len: 4, required: true } } }");
    let exported = required.to_json_schema();
    assert_eq!(exported["required"], serde_json::json!(["domain"]));
    assert_eq!(
        exported["properties"]["global"],
        serde_json::json!({ "type": "object" })
    );
    let bytes = &exported["properties"]["domain"]["properties"]["b"]["properties"]["$bytes"];
    assert_eq!(bytes["maxLength"], 8);
}

#[test]
fn a_schema_printed_and_read_again_says_the_same() {
    let text = schema(WAREHOUSE).to_yaml().expect("yaml");
    let again = schema(&text);
    assert_eq!(again.to_yaml().expect("yaml"), text);
    assert_eq!(again.to_json_schema(), schema(WAREHOUSE).to_json_schema());
    let mut tree = Tree::default();
    again.fill_defaults(&mut tree);
    assert_eq!(tree.layer(Layer::Global).as_map().map(Map::len), Some(1));
}
