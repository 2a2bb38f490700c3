//! The schema's file: what is refused in it, where, and with which help.

use super::schema;
use crate::schema::{MAX_SCHEMA_BYTES, Schema};

/// What is wrong with a file, as it is printed.
fn errors(text: &str) -> String {
    match Schema::parse(text, "schema.yaml") {
        Ok(_) => panic!("accepted: {text}"),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn a_problem_has_its_place_a_caret_and_the_nearest_word() {
    for (text, expected) in [
        (
            "context:\n  domain:\n    total: { typ: int }\n",
            "schema.yaml:3:14: unknown key `typ` in `domain.total`
  3 |     total: { typ: int }
    |              ^^^
  help: did you mean `type`? `domain.total` knows `type`, `required`, `default`, `min`, `max`, `max_len`, `items`, `fields`, `open`",
        ),
        (
            "context: { domain: { total: { type: integer } } }",
            "schema.yaml:1:37: unknown type `integer`
  1 | context: { domain: { total: { type: integer } } }
    |                                     ^^^^^^^
  help: did you mean `int`? the types are `bool`, `int`, `float`, `string`, `bytes`, `list`, `map`, `any`",
        ),
        (
            "context:\n  domian: {}\n",
            "schema.yaml:2:3: unknown key `domian` in `context`
  2 |   domian: {}
    |   ^^^^^^
  help: did you mean `domain`? `context` knows `global`, `domain`",
        ),
        (
            "domain: {}\n",
            "schema.yaml:1:1: unknown key `domain` in a schema file
  1 | domain: {}
    | ^^^^^^
  help: a schema file knows `context`",
        ),
    ] {
        let found = errors(text);
        let mut wanted: Vec<_> = expected.split("\nschema.yaml:").collect();
        let first = wanted.remove(0);
        assert!(found.contains(first), "{text}\n{found}");
        for other in wanted {
            assert!(found.contains(other), "{text}\n{found}");
        }
    }
}

/// One declaration of `domain.x`, and what is said of it, without the place.
#[test]
fn what_contradicts_itself_or_says_nothing_is_refused() {
    for (declaration, message, help) in [
        (
            "int",
            "`domain.x` is \"int\", expected a declaration",
            "write `domain.x` as `{ type: int }`",
        ),
        (
            "7",
            "`domain.x` is 7, expected a declaration",
            "write `domain.x` as `{ type: … }`",
        ),
        ("{ a: { type: int } }", "unknown key `a` in `domain.x`", ""),
        (
            "{}",
            "`domain.x` has no `type`",
            "the keys of a map stand below its `fields`",
        ),
        ("{ type: itn }", "unknown type `itn`", "did you mean `int`?"),
        (
            "{ type: object }",
            "unknown type `object`",
            "did you mean `map`?",
        ),
        ("{ type: 5 }", "`type` is 5", "expected a string"),
        (
            "{ type: int, minimum: 5 }",
            "unknown key `minimum`",
            "did you mean `min`?",
        ),
        (
            "{ type: int, properties: {} }",
            "unknown key `properties`",
            "did you mean `fields`?",
        ),
        (
            "{ type: int, min: 5, max: 4.5 }",
            "`min` 5 is above `max` 4.5, so no value of `domain.x` fits",
            "swap them",
        ),
        (
            "{ type: int, min: a }",
            "`min` is \"a\"",
            "expected a finite number",
        ),
        (
            "{ type: float, max: .nan }",
            "`max` is NaN",
            "expected a finite number",
        ),
        (
            "{ type: string, max: 5 }",
            "`max` says nothing about `domain.x`, whose type is `string`",
            "did you mean `max_len`? `max` is for the type `int`, `float`",
        ),
        (
            "{ type: any, min: 5 }",
            "`min` says nothing about `domain.x`, whose type is `any`",
            "is for the type `int`, `float`",
        ),
        (
            "{ type: int, max_len: 5 }",
            "`max_len` says nothing",
            "is for the type `string`, `bytes`, `list`, `map`",
        ),
        (
            "{ type: list, max_len: -1 }",
            "`max_len` is -1",
            "expected a whole number that is not negative",
        ),
        (
            "{ type: map, items: { type: int } }",
            "`items` says nothing about `domain.x`, whose type is `map`",
            "is for the type `list`",
        ),
        (
            "{ type: list, fields: {} }",
            "`fields` says nothing about `domain.x`, whose type is `list`",
            "is for the type `map`",
        ),
        (
            "{ type: any, fields: {} }",
            "`fields` says nothing about `domain.x`, whose type is `any`",
            "is for the type `map`",
        ),
        (
            "{ type: map, open: true }",
            "`open` says nothing about `domain.x`, which has no `fields`",
            "a map without `fields` takes any key",
        ),
        (
            "{ type: map, fields: {}, open: yes }",
            "`open` is \"yes\"",
            "expected `true` or `false`",
        ),
        (
            "{ type: int, required: true, default: 1 }",
            "`required` and `default` contradict each other: `domain.x` need not be given where it has a default",
            "remove one of them",
        ),
        (
            "{ type: int, default: a }",
            "the default of `domain.x` breaks its own declaration: `domain.x` is a string, but is declared as `int`",
            "give a default that fits",
        ),
        (
            "{ type: int, default: null }",
            "the default of `domain.x` breaks its own declaration: `domain.x` is nil",
            "",
        ),
        (
            "{ type: int, max: 5, default: 6 }",
            "`domain.x` is 6, but is declared with `max` 5",
            "",
        ),
        (
            "{ type: list, items: { type: int }, default: [1, a] }",
            "`domain.x[1]` is a string, but is declared as `int`",
            "",
        ),
        (
            "{ type: map, default: {}, fields: { a: { type: int, required: true } } }",
            "`domain.x.a` is absent, but is declared as required",
            "",
        ),
        (
            "{ type: map, default: { _a: 1 } }",
            "the default of `domain.x` holds `_a`, which is private to the host",
            "",
        ),
        (
            "{ type: map, max_len: 1, fields: { a: { type: int, required: true }, b: { type: int, required: true } } }",
            "`max_len` 1 leaves no room for the 2 required keys of `domain.x`",
            "raise it to 2 at least",
        ),
        (
            "{ type: list, items: { type: int, required: true } }",
            "`required` says nothing about `domain.x[]`: an element of a list is always there",
            "say it of the list",
        ),
        (
            "{ type: list, items: { type: int, default: 1 } }",
            "`default` says nothing about `domain.x[]`",
            "",
        ),
        (
            "{ type: map, fields: { _own: { type: int } } }",
            "`domain.x._own` is private to the host: no context holds it",
            "does not begin with `_`",
        ),
        (
            "{ type: map, fields: { a: { type: int }, a: { type: int } } }",
            "the key `a` comes twice in `fields` of `domain.x`",
            "",
        ),
        (
            "{ type: map, fields: { sig_a: { type: int, required: true } } }",
            "`domain.x.sig_a` is in the signal zone, where a key is there only once a run has set it: it cannot be required",
            "remove `required`",
        ),
        (
            "{ type: map, fields: { meta_a: { type: map, fields: { b: { type: int, required: true } } } } }",
            "`domain.x.meta_a.b` is in the meta zone",
            "",
        ),
        (
            "{ type: map, fields: { sig_a: { type: map, fields: { meta_b: { type: int } } } } }",
            "`meta_b` cannot be below `domain.x.sig_a`: everything there is in the signal zone",
            "",
        ),
        (
            "{ type: list, items: { type: map, fields: { heavy_a: { type: bytes, required: true } } } }",
            "`domain.x[].heavy_a` is in an element of a list, and no process can append one that holds a key of the heavy zone: it cannot be required",
            "",
        ),
        (
            "{ type: map, fields: }",
            "`fields` of `domain.x` is nil, expected a map",
            "",
        ),
        (
            "{ type: map, fields: [a] }",
            "`fields` of `domain.x` is a list, expected a map",
            "",
        ),
    ] {
        let found = errors(&format!("context: {{ domain: {{ x: {declaration} }} }}"));
        assert!(found.contains(message), "{declaration}\n{found}");
        assert!(found.contains(help), "{declaration}\n{found}");
        assert!(found.starts_with("schema.yaml:1:"), "{found}");
    }
}

#[test]
fn a_layer_is_a_map_that_is_always_there() {
    for (text, message) in [
        (
            "context: { domain: { type: list } }",
            "`domain` is a layer, which is always a map",
        ),
        (
            "context: { domain: { type: map, required: true } }",
            "`required` says nothing about `domain`: a layer is always there",
        ),
        (
            "context: { domain: { type: map, default: {} } }",
            "`default` says nothing about `domain`",
        ),
        (
            "context: { domain: { _x: { type: int } } }",
            "`domain._x` is private to the host",
        ),
        (
            "context: { domain: }",
            "`domain` is empty, expected its keys",
        ),
        (
            "context: { domain: 5 }",
            "`domain` is an int, expected a map",
        ),
        ("context: { local: {} }", "unknown key `local` in `context`"),
    ] {
        let found = errors(text);
        assert!(found.contains(message), "{text}\n{found}");
    }
}

#[test]
fn a_file_that_declares_nothing_is_refused() {
    for text in ["", "# nothing\n", "{}", "context:\n", "context: {}\n"] {
        let found = errors(text);
        assert!(
            found.contains("the schema declares nothing"),
            "{text:?}\n{found}"
        );
    }
    assert!(errors("[]").contains("a schema file is an empty list, expected a map"));
    assert!(errors("context: {").contains("not YAML"));
    let large = format!("# {}", "x".repeat(MAX_SCHEMA_BYTES));
    assert!(errors(&large).contains("at most 1048576 are allowed"));
}

#[test]
fn all_errors_of_a_file_are_told_at_once() {
    let found = errors(
        "context:
  domain:
    a: { type: itn }
    b: { type: int, min: 5, max: 4 }
    _c: { type: int }
    d: { type: list, items: { type: map, fields: { e: { tpye: int } } } }
",
    );
    for place in ["3:16: ", "4:29: ", "5:5: ", "6:57: "] {
        assert!(
            found.contains(&format!("schema.yaml:{place}")),
            "{place}\n{found}"
        );
    }
}

#[test]
fn json_is_yaml() {
    let text = r#"{"context": {"domain": {"x": {"type": "map", "fields": {"a b": {"type": "int"}}, "open": true}}}}"#;
    schema(text);
}

/// Whatever the text, reading it ends and does not panic.
#[test]
fn odd_files_are_refused_or_read() {
    let deep = format!(
        "context: {{ domain: {{ x: {} }} }}",
        "{ type: list, items: ".repeat(3_000)
    );
    let wide = format!("context: {{ domain: {{ {} }} }}", "x: {}, ".repeat(50_000));
    let anchored = "context: { domain: { x: &x { type: map, fields: { y: *x } } } }".to_owned();
    for text in [
        deep,
        wide,
        anchored,
        "\u{feff}context: {}".into(),
        "\0".into(),
        "context: !x {}".into(),
    ] {
        assert!(
            Schema::parse(&text, "schema.yaml").is_err(),
            "{}",
            &text[..text.len().min(60)]
        );
    }
    let most = format!(
        "context: {{ domain: {{ x: {}{{ type: int }}{} }} }}",
        "{ type: map, fields: { y: ".repeat(13),
        " } }".repeat(13)
    );
    schema(&most);
}
