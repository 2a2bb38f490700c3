//! Whole contexts: defaults, and the check of all that is there.

use super::{WAREHOUSE, context, schema};
use crate::path::Layer;

/// The breaches of a context, one per line.
fn breaches(text: &str, json: &str) -> String {
    match schema(text).check(&context(json)) {
        Ok(()) => String::new(),
        Err(breaches) => {
            let all: Vec<_> = breaches.breaches.iter().map(ToString::to_string).collect();
            all.join("\n")
        }
    }
}

#[test]
fn a_context_that_fits() {
    for json in [
        "{}",
        r#"{"global":{"max_capacity":18446744073709551615}}"#,
        r#"{"domain":{"items":[{"name":"TV"},{"name":"","price":0}],"total_value":1000,"note":null}}"#,
        r#"{"domain":{"box":{"must":true,"other":[1]},"sig_restock_needed":true}}"#,
    ] {
        assert_eq!(breaches(WAREHOUSE, json), "", "{json}");
    }
}

#[test]
fn a_context_that_does_not_fit() {
    for (domain, expected) in [
        (
            r#"{"total_value":"x"}"#,
            "`domain.total_value` is a string, but is declared as `int` (schema.yaml:6)",
        ),
        (
            r#"{"total_value":null}"#,
            "`domain.total_value` is nil, but is declared as `int` (schema.yaml:6)",
        ),
        (
            r#"{"total_value":1.0}"#,
            "`domain.total_value` is a float, but is declared as `int` (schema.yaml:6)",
        ),
        (
            r#"{"total_value":-1}"#,
            "`domain.total_value` is -1, but is declared with `min` 0 (schema.yaml:6)",
        ),
        (
            r#"{"total_value":18446744073709551615}"#,
            "`domain.total_value` is 18446744073709551615, but is declared with `max` 1000 (schema.yaml:6)",
        ),
        (
            r#"{"totl_value":1}"#,
            "`domain.totl_value` is not declared, and the map around it is closed (schema.yaml:4)",
        ),
        (
            r#"{"items":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]}"#,
            "`domain.items` has 4 elements, but is declared with `max_len` 3 (schema.yaml:5)",
        ),
        (
            r#"{"items":[{"name":"a"},{"price":1}]}"#,
            "`domain.items[1].name` is absent, but is declared as required (schema.yaml:5)",
        ),
        (
            r#"{"items":[{"name":"123456789"}]}"#,
            "`domain.items[0].name` has 9 bytes, but is declared with `max_len` 8 (schema.yaml:5)",
        ),
        (
            r#"{"items":[{"name":"a","b.c":1}]}"#,
            "`domain.items[0][\"b.c\"]` is not declared, and the map around it is closed (schema.yaml:5)",
        ),
        (
            r#"{"items":[7]}"#,
            "`domain.items[0]` is an int, but is declared as `map` (schema.yaml:5)",
        ),
        (
            r#"{"box":{"must":true,"a":2}}"#,
            "`domain.box.a` is 2, but is declared with `max` 1.5 (schema.yaml:8)",
        ),
        (
            r#"{"box":{"must":true,"a":{"$float":"nan"}}}"#,
            "`domain.box.a` is NaN, which no `min` or `max` lets pass (schema.yaml:8)",
        ),
        (
            r#"{"box":{"must":true,"b":1,"c":1}}"#,
            "`domain.box` has 3 keys, but is declared with `max_len` 2 (schema.yaml:8)",
        ),
    ] {
        let json = format!(r#"{{"domain":{domain}}}"#);
        assert_eq!(breaches(WAREHOUSE, &json), expected, "{json}");
    }
}

/// 2^53 + 1 is more than 2^53 as a float, whichever side is the limit.
#[test]
fn limits_are_exact_across_kinds() {
    let text = "context: { domain: { i: { type: int, max: 9007199254740992.0 }, f: { type: float, min: 9007199254740993 } } }";
    assert_eq!(breaches(text, r#"{"domain":{"i":9007199254740992}}"#), "");
    assert_ne!(breaches(text, r#"{"domain":{"i":9007199254740993}}"#), "");
    assert_ne!(breaches(text, r#"{"domain":{"f":9007199254740992.0}}"#), "");
    assert_eq!(breaches(text, r#"{"domain":{"f":9007199254740994.0}}"#), "");
}

#[test]
fn every_breach_is_told_with_its_remedy_up_to_a_hundred() {
    let text = "context: { domain: { rows: { type: list, items: { type: int } } } }";
    let rows = vec!["true"; 150].join(",");
    let json = format!(r#"{{"domain":{{"rows":[{rows}],"row":1}}}}"#);
    let all = schema(text).check(&context(&json)).expect_err("wrong");
    assert_eq!(all.breaches.len(), 100);
    let told = all.to_string();
    assert!(
        told.starts_with(
            "`domain.row` is not declared, and the map around it is closed (schema.yaml:1)\n  \
             help: did you mean `rows`? declare the key in the map at schema.yaml:1, or set `open: true` there\n\
             `domain.rows[0]` is a bool, but is declared as `int` (schema.yaml:1)\n  \
             help: write a value of the type `int`, or change `type` at schema.yaml:1\n"
        ),
        "{told}"
    );
}

#[test]
fn nil_is_a_value_and_no_absence() {
    let text = "context: { domain: { a: { type: string, required: true }, b: { type: any, required: true } } }";
    assert_eq!(
        breaches(text, r#"{"domain":{"a":null,"b":null}}"#),
        "`domain.a` is nil, but is declared as `string` (schema.yaml:1)"
    );
    let all = schema(text)
        .check(&context(r#"{"domain":{"a":null,"b":null}}"#))
        .expect_err("nil");
    assert_eq!(
        all.breaches[0].help(),
        "nil is a value and no `string`: remove the key where there is nothing to say, or declare the type `any` at schema.yaml:1"
    );
}

#[test]
fn defaults_fill_absent_keys_of_maps_that_are_there() {
    let text = "
context:
  global: { limit: { type: int, default: 5 } }
  domain:
    list: { type: list, default: [{}], items: { type: map, fields: { n: { type: int, default: 1 } } } }
    made: { type: map, default: {}, fields: { x: { type: int, default: 2 }, y: { type: int } } }
    absent: { type: map, fields: { x: { type: int, default: 3 } } }
    there: { type: map, fields: { in: { type: map, fields: { x: { type: int, default: 4 } } } } }
";
    for (json, domain) in [
        ("{}", r#"{"list":[{"n":1}],"made":{"x":2}}"#),
        (
            r#"{"domain":{"list":[{"n":7},{},{}],"made":{"x":null,"y":1},"there":{"in":{}}}}"#,
            r#"{"list":[{"n":7},{"n":1},{"n":1}],"made":{"x":null,"y":1},"there":{"in":{"x":4}}}"#,
        ),
        // What is of another kind is left as it is, for the check to refuse.
        (
            r#"{"domain":{"list":1,"made":2,"there":[]}}"#,
            r#"{"list":1,"made":2,"there":[]}"#,
        ),
    ] {
        let mut tree = context(json);
        schema(text).fill_defaults(&mut tree);
        let printed = |layer| serde_json::to_string(tree.layer(layer)).expect("json");
        assert_eq!(printed(Layer::Domain), domain, "{json}");
        assert_eq!(printed(Layer::Global), r#"{"limit":5}"#);
    }
}

#[test]
fn a_layer_is_open_closed_or_not_spoken_of() {
    let both = r#"{"global":{"g":1},"domain":{"d":1}}"#;
    for (text, expected) in [
        ("context: { domain: { d: { type: int } } }", ""),
        (
            "context: { global: {}, domain: { d: { type: int } } }",
            "`global.g` is not declared, and the map around it is closed (schema.yaml:1)",
        ),
        (
            "context: { domain: { type: map, open: true, fields: { e: { type: int } } } }",
            "",
        ),
        (
            "context: { domain: { type: map, max_len: 0 } }",
            "`domain` has 1 keys, but is declared with `max_len` 0 (schema.yaml:1)",
        ),
        // A key named `type` is a key like any other.
        (
            "context: { domain: { type: { type: int }, d: { type: int } } }",
            "",
        ),
    ] {
        assert_eq!(breaches(text, both), expected, "{text}");
    }
}
