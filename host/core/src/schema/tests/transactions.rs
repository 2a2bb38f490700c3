//! Transactions: what they change is checked, and nothing else.

use super::{WAREHOUSE, context, schema};
use crate::path::Path;
use crate::transaction::{Snapshot, Transaction};
use crate::value::Value;

/// Runs `set PATH JSON`, `push PATH JSON` and `remove PATH`, one per line; the breach, or nothing.
#[track_caller]
fn breach(text: &str, json: &str, script: &str) -> String {
    let schema = schema(text);
    let base = Snapshot {
        version: 0,
        tree: context(json),
    };
    schema.check(&base.tree).expect("the base fits");
    let mut transaction = Transaction::begin(base);
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let mut words = line.splitn(3, ' ');
        let verb = words.next().unwrap_or_default();
        let path = Path::parse(words.next().unwrap_or_default()).expect(line);
        let value: Value = serde_json::from_str(words.next().unwrap_or("null")).expect(line);
        match verb {
            "set" => transaction.set(path, value).expect(line),
            "push" => {
                transaction.push(path, value).expect(line);
            }
            _ => assert_eq!(transaction.remove(path), Ok(true), "{line}"),
        }
    }
    let found = schema.check_transaction(&transaction);
    assert_eq!(
        found.is_ok(),
        schema.check(transaction.view()).is_ok(),
        "{script}"
    );
    found
        .err()
        .map(|breach| breach.to_string())
        .unwrap_or_default()
}

const BASE: &str = r#"{"domain":{"items":[{"name":"a","price":1},{"name":"b"}],"total_value":1,"box":{"must":true}}}"#;

#[test]
fn a_transaction_that_fits() {
    for script in [
        "",
        "set domain.total_value 1000",
        "push domain.items {\"name\":\"c\"}",
        "set domain.total_value -5\nset domain.total_value 5",
        "push domain.items 5\nremove domain.items[2]",
        "set domain.items[0] 5\nremove domain.items[0]",
        "remove domain.items[0]\nset domain.items[0].price 7",
        "remove domain.items",
        "set domain.box.x 1\nremove domain.box.x\nset domain.box.y 1",
        "remove domain.box",
        "set domain.note [null]",
        "set domain.unknown 1\nremove domain.unknown",
        "remove domain.items\npush domain.items {\"name\":\"c\"}",
        "set domain.sig_restock_needed true",
    ] {
        assert_eq!(breach(WAREHOUSE, BASE, script), "", "{script}");
    }
}

#[test]
fn a_transaction_that_does_not_fit() {
    for (script, expected) in [
        (
            "set domain.total_value -5",
            "`domain.total_value` is -5, but is declared with `min` 0 (schema.yaml:6)",
        ),
        (
            "set domain.total_value null",
            "`domain.total_value` is nil, but is declared as `int` (schema.yaml:6)",
        ),
        (
            "push domain.items {\"name\":\"c\"}\npush domain.items {\"name\":\"d\"}",
            "`domain.items` has 4 elements, but is declared with `max_len` 3 (schema.yaml:5)",
        ),
        (
            "push domain.items {}",
            "`domain.items[2].name` is absent, but is declared as required (schema.yaml:5)",
        ),
        (
            "remove domain.items[0].name",
            "`domain.items[0].name` is absent, but is declared as required (schema.yaml:5)",
        ),
        (
            "set domain.items[1].price \"x\"\nremove domain.items[0]",
            "`domain.items[0].price` is a string, but is declared as `int` (schema.yaml:5)",
        ),
        (
            "push domain.items {}\nremove domain.items[0]\nremove domain.items[0]",
            "`domain.items[0].name` is absent, but is declared as required (schema.yaml:5)",
        ),
        (
            "remove domain.items\npush domain.items 5",
            "`domain.items[0]` is an int, but is declared as `map` (schema.yaml:5)",
        ),
        (
            "set domain.items[0].size 5",
            "`domain.items[0].size` is not declared, and the map around it is closed (schema.yaml:5)",
        ),
        (
            "set domain.unknown 1",
            "`domain.unknown` is not declared, and the map around it is closed (schema.yaml:4)",
        ),
        (
            "push domain.unknown 1",
            "`domain.unknown` is not declared, and the map around it is closed (schema.yaml:4)",
        ),
        (
            "set domain.box.x 1\nset domain.box.y 1",
            "`domain.box` has 3 keys, but is declared with `max_len` 2 (schema.yaml:8)",
        ),
        (
            "push domain.box.x 1\npush domain.box.y 1",
            "`domain.box` has 3 keys, but is declared with `max_len` 2 (schema.yaml:8)",
        ),
        (
            "remove domain.box.must",
            "`domain.box.must` is absent, but is declared as required (schema.yaml:8)",
        ),
        (
            "set domain.box {\"a\":1}",
            "`domain.box.must` is absent, but is declared as required (schema.yaml:8)",
        ),
        (
            "set domain {\"total_value\":true}",
            "`domain.total_value` is a bool, but is declared as `int` (schema.yaml:6)",
        ),
        (
            "remove domain.total_value\npush domain.total_value 1",
            "`domain.total_value` is a list, but is declared as `int` (schema.yaml:6)",
        ),
        (
            "set global.max_capacity \"x\"",
            "`global.max_capacity` is a string, but is declared as `int` (schema.yaml:3)",
        ),
        (
            "set domain.sig_restock_needed 1",
            "`domain.sig_restock_needed` is an int, but is declared as `bool` (schema.yaml:9)",
        ),
    ] {
        assert_eq!(breach(WAREHOUSE, BASE, script), expected, "{script}");
    }
}

/// A default is no rule: what a process removes stays removed.
#[test]
fn a_key_with_a_default_may_be_removed() {
    assert_eq!(breach(WAREHOUSE, BASE, "remove domain.total_value"), "");
}

/// Lists in lists, shifted at both levels, in both orders.
#[test]
fn places_are_followed_through_shifts() {
    let text = "context: { domain: { rows: { type: list, items: { type: list, items: { type: int } } } } }";
    let base = r#"{"domain":{"rows":[[0,1,2],[3,4,5],[6,7,8]]}}"#;
    for (script, expected) in [
        (
            "set domain.rows[2][2] true\nremove domain.rows[0]\nremove domain.rows[1][0]",
            "`domain.rows[1][1]` is a bool",
        ),
        (
            "set domain.rows[2][2] true\nremove domain.rows[2][0]\nremove domain.rows[0]",
            "`domain.rows[1][1]` is a bool",
        ),
        ("set domain.rows[1][0] true\nremove domain.rows[1][0]", ""),
        ("set domain.rows[1][0] true\nremove domain.rows[1]", ""),
        (
            "push domain.rows[1] true\nremove domain.rows[0]\nremove domain.rows[0][1]",
            "`domain.rows[0][2]` is a bool",
        ),
        (
            "remove domain.rows[0]\nset domain.rows[0] [true]\nremove domain.rows[1]",
            "`domain.rows[0][0]` is a bool",
        ),
        (
            "push domain.rows true\nset domain.rows[3] []\nremove domain.rows[0]",
            "",
        ),
    ] {
        let found = breach(text, base, script);
        assert!(
            found.starts_with(expected) && found.is_empty() == expected.is_empty(),
            "{script}: {found}"
        );
    }
}

/// Elements that no write touched are not looked at: a base that does not fit is told apart only by them.
#[test]
fn untouched_elements_are_not_looked_at() {
    let schema = schema("context: { domain: { rows: { type: list, items: { type: int } } } }");
    let base = Snapshot {
        version: 0,
        tree: context(r#"{"domain":{"rows":[true,1,2,3]}}"#),
    };
    let mut transaction = Transaction::begin(base);
    let path = |text| Path::parse(text).expect(text);
    transaction
        .push(path("domain.rows"), Value::Int(4))
        .expect("push");
    transaction
        .set(path("domain.rows[2]"), Value::Int(5))
        .expect("set");
    transaction.remove(path("domain.rows[1]")).expect("remove");
    assert_eq!(schema.check_transaction(&transaction), Ok(()));
    assert!(schema.check(transaction.view()).is_err());
}
