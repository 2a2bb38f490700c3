//! Contract paths against the schema, and the maps that a write concerns beside its own place.

use super::{WAREHOUSE, schema};
use crate::path::Path;
use crate::pattern::PathPattern;

#[test]
fn a_path_at_which_nothing_can_be_is_refused() {
    let schema = schema(WAREHOUSE);
    for (path, expected) in [
        (
            "domain.total_valeu",
            "nothing can ever be at `domain.total_valeu`: `domain` is a closed map that does not declare `total_valeu` (schema.yaml:4)\ndid you mean `domain.total_value`? else declare the key in the schema (schema.yaml:4)",
        ),
        (
            "domain.items[0].prize.x",
            "nothing can ever be at `domain.items[0].prize.x`: `domain.items[0]` is a closed map that does not declare `prize` (schema.yaml:5)\ndid you mean `domain.items[0].price`? else declare the key in the schema (schema.yaml:5)",
        ),
        (
            "domain.items.name",
            "nothing can ever be at `domain.items.name`: `domain.items` is declared as `list`, which has no keys (schema.yaml:5)\nchange the path, or the declaration at schema.yaml:5",
        ),
        (
            "domain[0]",
            "nothing can ever be at `domain[0]`: `domain` is declared as `map`, which has no elements (schema.yaml:4)\nchange the path, or the declaration at schema.yaml:4",
        ),
        (
            "domain.box[{i}]",
            "nothing can ever be at `domain.box[{i}]`: `domain.box` is declared as `map`, which has no elements (schema.yaml:8)\nchange the path, or the declaration at schema.yaml:8",
        ),
        (
            "domain.total_value.{key}",
            "nothing can ever be at `domain.total_value.{key}`: `domain.total_value` is declared as `int`, which has no keys (schema.yaml:6)\nchange the path, or the declaration at schema.yaml:6",
        ),
        (
            "domain.items[{i}].{key}.x",
            "nothing can ever be at `domain.items[{i}].{key}.x`: no key that `domain.items[{i}]` declares fits (schema.yaml:5)\nchange the path, or the declaration at schema.yaml:5",
        ),
    ] {
        let pattern = PathPattern::parse(path).expect(path);
        let problem = schema.admits(&pattern).expect_err(path);
        assert_eq!(format!("{problem}\n{}", problem.help()), expected);
    }
}

#[test]
fn a_path_at_which_something_can_be_is_not() {
    let schema = schema(WAREHOUSE);
    for path in [
        "domain",
        "global",
        "global.max_capacity",
        "domain.items",
        "domain.items[7].price",
        "domain.items[{i}].{key}",
        "domain.{key}",
        "domain.note.any[3].thing",
        "domain.box.other.x",
        "domain.box.deep.x[0]",
        "domain.sig_restock_needed",
    ] {
        let pattern = PathPattern::parse(path).expect(path);
        assert!(schema.admits(&pattern).is_ok(), "{path}");
    }
    // A layer that the schema does not speak of may hold anything.
    let one = super::schema("context: { domain: {} }");
    let pattern = PathPattern::parse("global.x[0]").expect("path");
    assert!(one.admits(&pattern).is_ok());
}

#[test]
fn the_map_around_a_place_counts_where_its_keys_are_bounded() {
    let schema = schema(
        "context: { domain: { type: map, max_len: 9, open: true, fields: {
           free: { type: map }, few: { type: map, max_len: 2, fields: { in: { type: map } }, open: true },
           rows: { type: list, max_len: 3, items: { type: map, max_len: 2 } } } } }",
    );
    for (place, expected) in [
        ("domain.few.x", Some("domain.few")),
        ("domain.few.in", Some("domain.few")),
        ("domain.few.in.x", None),
        ("domain.few", Some("domain")),
        ("domain.free.x", None),
        ("domain.other.x", None),
        ("domain.rows[0]", None),
        ("domain.rows[0].x", Some("domain.rows[0]")),
        ("domain", None),
        ("global.x", None),
    ] {
        let found = schema.counted_map(&Path::parse(place).expect(place));
        let found = found.map(|path| path.to_string());
        assert_eq!(found.as_deref(), expected, "{place}");
    }
}
