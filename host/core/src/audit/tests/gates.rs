//! What a gate lets pass.

use super::*;
use crate::transaction::{Snapshot, Transaction};

/// Judges one value against one entry; the message of the violation, or none where it passes.
fn check(condition: &str, value: &str) -> Option<String> {
    let rules = rules(&[&format!("{{field: order.x, {condition}}}")], &[]);
    let args = map(&format!(r#"{{"order":{{"x":{value}}}}}"#));
    let mut found = messages(&rules, &args);
    assert!(found.len() <= 1);
    found.pop()
}

#[test]
fn conditions_judge_by_value() {
    for (condition, passing, violating) in [
        (
            "min: 0",
            &["0", "-0.0", "0.5", "18446744073709551615"][..],
            &["-1", "-0.1"][..],
        ),
        (
            "max: 10",
            &["10", "10.0", "-5"],
            &["11", "10.000001", r#"{"$float":"inf"}"#],
        ),
        (
            "max: 0.5",
            &["0", "0.5", "-9223372036854775808"],
            &["1", "0.51"],
        ),
        ("eq: 1", &["1", "1.0"], &["2", "1.5"]),
        ("eq: READY", &[r#""READY""#], &[r#""ready""#]),
        (
            "eq: 9007199254740993",
            &["9007199254740993"],
            &["9007199254740992.0", "9007199254740992"],
        ),
        (
            "eq: [1, {a: 2}]",
            &[r#"[1.0,{"a":2}]"#],
            &[r#"[1,{"a":3}]"#, "[1]", r#"[1,{"a":2,"b":3}]"#],
        ),
        (
            "eq: {$bytes: AQI=}",
            &[r#"{"$bytes":"AQI="}"#],
            &[r#"{"$bytes":"AQM="}"#],
        ),
        ("eq: null", &["null"], &["0"]),
        ("neq: off", &[r#""on""#], &[r#""off""#]),
        ("neq: 1", &["2", "1.5"], &["1", "1.0"]),
        ("neq: null", &["1", r#""x""#, "[]"], &["null"]),
        (
            "in: [1, a]",
            &["1", "1.0", r#""a""#],
            &["2", r#""b""#, "true"],
        ),
        (
            "min_len: 1",
            &[r#""x""#, "[0]", r#"{"a":1}"#, r#"{"$bytes":"AQI="}"#],
            &[r#""""#, "[]", "{}"],
        ),
        (
            "max_len: 2",
            &[r#""ab""#, "[1,2]"],
            &[r#""abc""#, r#""üü""#, "[1,2,3]"],
        ),
        (
            "regex: '^User[0-9]+$'",
            &[r#""User7""#],
            &[r#""a User7""#, r#""User7\n""#, r#""User""#],
        ),
        (
            "type: int",
            &["1", "18446744073709551615"],
            &["1.0", r#""1""#, "null"],
        ),
        ("type: float", &["1", "1.5"], &[r#""1""#]),
        ("type: any", &["1", "null"], &[]),
        ("type: map", &["{}"], &["[]"]),
    ] {
        for value in passing {
            assert_eq!(check(condition, value), None, "{condition} of {value}");
        }
        for value in violating {
            assert!(check(condition, value).is_some(), "{condition} of {value}");
        }
    }
}

#[test]
fn a_value_of_the_wrong_kind_never_passes_and_says_so() {
    for (condition, value, expected) in [
        (
            "min: 0",
            r#""5""#,
            "`order.x` is a string, `min` needs a number",
        ),
        ("max: 0", "null", "`order.x` is nil, `max` needs a number"),
        (
            "max: 0",
            "true",
            "`order.x` is a bool, `max` needs a number",
        ),
        (
            "regex: '.'",
            "5",
            "`order.x` is an int, `regex` needs a string",
        ),
        (
            "regex: '.'",
            r#"{"$bytes":"AQI="}"#,
            "`order.x` is bytes, `regex` needs a string",
        ),
        (
            "max_len: 9",
            "5",
            "`order.x` is an int, `max_len` needs a list, a map, a string or bytes",
        ),
        (
            "min_len: 0",
            "null",
            "`order.x` is nil, `min_len` needs a list, a map, a string or bytes",
        ),
        (
            "eq: 1",
            r#""1""#,
            "`order.x` is a string, `eq` needs a number",
        ),
        (
            "neq: off",
            "false",
            "`order.x` is a bool, `neq` needs a string",
        ),
        ("neq: off", "null", "`order.x` is nil, `neq` needs a string"),
        (
            "neq: [1]",
            r#"{"a":1}"#,
            "`order.x` is a map, `neq` needs a list",
        ),
        ("type: int", r#""1""#, "`order.x` is a string, expected int"),
    ] {
        assert_eq!(
            check(condition, value).as_deref(),
            Some(expected),
            "{condition}"
        );
    }
}

#[test]
fn nan_violates_every_comparison() {
    let nan = r#"{"$float":"nan"}"#;
    for condition in [
        "min: 0",
        "max: 0",
        "eq: 0",
        "neq: 0",
        "neq: x",
        "neq: null",
        "in: [0]",
    ] {
        let found = check(condition, nan).expect(condition);
        assert!(found.contains("NaN"), "{condition}: {found}");
    }
    assert!(check("neq: [0]", &format!("[{nan}]")).is_some());
    assert!(check("eq: [0]", &format!("[{nan}]")).is_some());
    assert_eq!(check("type: float", nan), None);
}

#[test]
fn fields_lead_into_lists_and_maps() {
    let args = map(r#"{"price":5,"order":{"total":7,"rows":[{"p":1},{"p":2}],"a b":3}}"#);
    for (field, found) in [
        ("price", "5"),
        ("args.price", "5"),
        ("order.total", "7"),
        ("'args.order.rows[1].p'", "2"),
        ("'order[\"a b\"]'", "3"),
    ] {
        let rules = rules(&[&format!("{{field: {field}, eq: 0}}")], &[]);
        let message = messages(&rules, &args).pop().expect(field);
        assert!(
            message.contains(&format!("is {found}, expected 0")),
            "{field}: {message}"
        );
    }
    for field in [
        "order.rows[2].p",
        "order.total.x",
        "order.rows.x",
        "order.total[0]",
        "order.nothing",
    ] {
        let strict = rules(&[&format!("{{field: '{field}', type: any}}")], &[]);
        assert_eq!(messages(&strict, &args), [format!("`{field}` is absent")]);
        let optional = rules(
            &[&format!("{{field: '{field}', eq: 0, optional: true}}")],
            &[],
        );
        assert!(messages(&optional, &args).is_empty(), "{field}");
    }
}

#[test]
fn nil_is_absent_for_an_optional_parameter_only() {
    let args = map(r#"{"note":null,"order":{"x":null}}"#);
    let optional = |field: &str| {
        rules(
            &[&format!("{{field: {field}, min_len: 1, optional: true}}")],
            &[],
        )
    };
    assert!(messages(&optional("note"), &args).is_empty());
    assert_eq!(messages(&optional("order.x"), &args).len(), 1);
    assert_eq!(
        messages(&rules(&["{field: note, type: any}"], &[]), &args),
        ["`note` is absent"]
    );
}

#[test]
fn the_input_gate_reads_the_context_as_well() {
    let rules = rules(
        &[
            "{field: domain.items, max_len: 1}",
            "{field: global.max_capacity, min: 501}",
            "{field: domain_ctx.box.n, eq: 1}",
        ],
        &[],
    );
    let args = Map::new();
    let tree = tree(r#"{"items":[1,2],"box":{"n":1}}"#);
    let facts = Facts {
        args: &args,
        tree: &tree,
        result: None,
        written: None,
    };
    let findings = rules.evaluate(Gate::Input, &facts);
    assert_eq!(findings.len(), 2);
    assert!(rules.evaluate(Gate::Output, &facts).is_empty());
}

fn output(entry: &str, domain: &str, writes: &[(&str, Value)]) -> Vec<String> {
    let rules = rules(&[], &[entry]);
    let mut transaction = Transaction::begin(Snapshot {
        version: 1,
        tree: tree(domain),
    });
    for (place, value) in writes {
        transaction.set(path(place), value.clone()).expect("set");
    }
    let args = map(r#"{"price":5}"#);
    let result = Value::Map(map(r#"{"ok":true}"#));
    let facts = Facts {
        args: &args,
        tree: transaction.view(),
        result: Some(&result),
        written: Some(&transaction),
    };
    let findings = rules.evaluate(Gate::Output, &facts);
    let judgement = Tracker::new().judge(&rules, Gate::Output, &findings, Tick::Record);
    judgement
        .verdicts
        .into_iter()
        .map(|verdict| verdict.message)
        .collect()
}

#[test]
fn the_output_gate_reads_the_transactions_view_the_result_and_the_arguments() {
    let over = output(
        "{field: domain.total, max: 10}",
        r#"{"total":1}"#,
        &[("domain.total", Value::Int(11))],
    );
    assert_eq!(over, ["`domain.total` is 11, expected at most 10"]);
    assert!(output("{field: result.ok, eq: true}", "{}", &[]).is_empty());
    assert_eq!(
        output("{field: result, max_len: 0}", "{}", &[]),
        ["`result` has 1 key, expected at most 0"]
    );
    assert!(output("{field: price, eq: 5}", "{}", &[]).is_empty());
}

#[test]
fn signals_are_seen_only_as_written_by_this_run() {
    let entry = "{field: domain.sig_x, eq: true}";
    let stale = r#"{"sig_x":true}"#;
    assert_eq!(output(entry, stale, &[]), ["`domain.sig_x` is absent"]);
    assert!(output(entry, stale, &[("domain.sig_x", true.into())]).is_empty());
    // A write below the signal leaves what earlier runs put beside it.
    let below = [("domain.sig_x.mine", Value::from(1))];
    assert_eq!(
        output(
            "{field: domain.sig_x, min_len: 0}",
            r#"{"sig_x":{"old":1}}"#,
            &below
        )
        .len(),
        1
    );
    assert!(
        output(
            "{field: domain.sig_x.mine, eq: 1}",
            r#"{"sig_x":{"old":1}}"#,
            &below
        )
        .is_empty()
    );
    assert!(rules(&[], &[entry]).context_paths().is_empty());
}

#[test]
fn keys_that_a_process_would_not_see_do_not_count() {
    let domain = r#"{"box":{"a":1,"sig_x":true,"_p":1}}"#;
    assert!(output("{field: domain.box, max_len: 1}", domain, &[]).is_empty());
    assert!(output("{field: domain.box, eq: {a: 1}}", domain, &[]).is_empty());
    assert!(!output("{field: domain.box, eq: {a: 1, sig_x: true}}", domain, &[]).is_empty());
}
