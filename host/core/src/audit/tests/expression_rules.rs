//! Expressions as rules: fields beside them, secrets, and what they may cost.

use super::expressions::bound;
use super::*;
use crate::value::List;

#[test]
fn a_field_beside_an_expression_names_it_and_must_be_there() {
    let rules = rules(
        &[
            "{field: price, expr: 'args.price < 3', message: '{field} is {value}, not {limit}'}",
            "{field: note, expr: 'size(args.note) > 3', optional: true}",
            "{field: note, expr: '1 < args.price', level: I}",
        ],
        &[],
    );
    assert_eq!(
        messages(&rules, &map(r#"{"price":5}"#)),
        ["price is 5, not args.price < 3", "`note` is absent"]
    );
    let names: Vec<_> = rules.rules(Gate::Input).iter().map(Rule::name).collect();
    assert_eq!(names[0], "price expr args.price < 3");
}

#[test]
fn secrets_of_expressions_stay_secret() {
    for expression in [
        "args.token == 'right'",
        "args.token != 'hunter2'",
        "args[args.product_name] == 7",
        "args.token in ['a', 'b']",
        "args.token.matches('^right$')",
        "args[args.product_name] == 'hunter2'",
        "{'hunter2': false}[args.token]",
    ] {
        let rules = bound(expression, Gate::Input);
        let shown = messages(
            &rules,
            &map(r#"{"token":"hunter2","product_name":"token"}"#),
        )
        .concat();
        assert!(
            !shown.contains("hunter2") && !shown.contains("right"),
            "{expression}: {shown}"
        );
        assert!(
            shown.contains("***") || shown.is_empty(),
            "{expression}: {shown}"
        );
    }
}

fn lists(len: i64) -> Map {
    let list: List = (0..len).map(Value::Int).collect();
    [
        ("keys", Value::List(list)),
        ("product_name", Value::from("x".repeat(1 << 20))),
    ]
    .into_iter()
    .collect()
}

#[test]
fn the_work_of_an_expression_is_bounded() {
    for (expression, len, expected) in [
        ("args.keys.all(k, k < 10000)", 10_000, None),
        (
            "args.keys.all(k, k < 10001)",
            10_001,
            Some("more than 10000 elements"),
        ),
        // Nothing that stands beside it makes up for it.
        (
            "args.keys.all(k, k < 10001) || true",
            10_001,
            Some("more than 10000 elements"),
        ),
        (
            "args.keys.all(k, k - k + k - k + k - k + k - k + k - k + k < 9999 || k == 9999)",
            10_000,
            Some("200000 units of work"),
        ),
        ("args.keys.all(k, args.product_name != 'y')", 10_000, None),
        (
            "args.keys.all(k, args.product_name != args.product_name + 'y')",
            100,
            Some("200000 units of work"),
        ),
        (
            "args.keys.exists(k, args.product_name.contains('y'))",
            100,
            Some("200000 units of work"),
        ),
        (
            "size(args.product_name + args.product_name + args.product_name + args.product_name) > 0",
            1,
            Some("200000 units of work"),
        ),
        (
            "args.keys.map(k, args.keys).map(l, l + l).map(l, l + l).map(l, l + l) != []",
            1_000,
            Some("200000 units of work"),
        ),
        (
            "args.keys.map(k, k in args.keys) != []",
            1_000,
            Some("200000 units of work"),
        ),
        (
            "args.product_name.matches('x')",
            1,
            Some("a text of more than 65536 bytes"),
        ),
        (
            "!args.product_name.matches('x') || true",
            1,
            Some("a text of more than 65536 bytes"),
        ),
    ] {
        let rules = bound(expression, Gate::Input);
        let started = std::time::Instant::now();
        let found = messages(&rules, &lists(len)).concat();
        assert!(started.elapsed().as_secs() < 5, "{expression}");
        match expected {
            None => assert_eq!(found, "", "{expression}"),
            Some(expected) => assert!(found.contains(expected), "{expression}: {found}"),
        }
    }
}
