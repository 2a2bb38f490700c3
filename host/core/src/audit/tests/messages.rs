//! What verdicts say, and what they must not.

use super::*;

fn message(entry: &str, args: &str) -> String {
    let mut found = messages(&rules(&[entry], &[]), &map(args));
    assert_eq!(found.len(), 1, "{entry}");
    found.remove(0)
}

#[test]
fn plain_messages_say_what_is_there_and_what_was_expected() {
    for (entry, args, expected) in [
        (
            "{field: price, min: 0}",
            r#"{"price":-5}"#,
            "`price` is -5, expected at least 0",
        ),
        (
            "{field: price, max: 1.5}",
            r#"{"price":2}"#,
            "`price` is 2, expected at most 1.5",
        ),
        (
            "{field: order.s, eq: READY}",
            r#"{"order":{"s":"DRAFT"}}"#,
            r#"`order.s` is "DRAFT", expected "READY""#,
        ),
        (
            "{field: order.s, neq: off}",
            r#"{"order":{"s":"off"}}"#,
            r#"`order.s` is "off", which is not allowed"#,
        ),
        (
            "{field: price, in: [1, 2.5, x]}",
            r#"{"price":3}"#,
            r#"`price` is 3, expected one of [1, 2.5, "x"]"#,
        ),
        (
            "{field: order, min_len: 2}",
            r#"{"order":{"a":1}}"#,
            "`order` has 1 key, expected at least 2",
        ),
        (
            "{field: product_name, max_len: 2}",
            r#"{"product_name":"abc"}"#,
            "`product_name` has 3 bytes, expected at most 2",
        ),
        (
            "{field: order, eq: {}}",
            r#"{"order":{"a":1,"b":2}}"#,
            "`order` is a map of 2 keys, expected {}",
        ),
        ("{field: price, min: 0}", "{}", "`price` is absent"),
    ] {
        assert_eq!(message(entry, args), expected);
    }
}

#[test]
fn an_authors_message_is_filled_in_once() {
    let entry = "{field: product_name, eq: ok, message: '{field}={value} not {limit} {other}'}";
    assert_eq!(
        message(entry, r#"{"product_name":"{limit}"}"#),
        r#"product_name="{limit}" not "ok" {other}"#
    );
    let length = "{field: product_name, max_len: 2, message: '{value} > {limit}'}";
    assert_eq!(message(length, r#"{"product_name":"abc"}"#), "3 > 2");
}

#[test]
fn an_authors_message_does_not_hide_why_a_condition_could_not_be_asked() {
    let entry = "{field: order.n, min: 100, message: 'must be >= {limit}, is {value}'}";
    assert_eq!(
        message(entry, r#"{"order":{}}"#),
        "must be >= 100, is absent: `order.n` is absent"
    );
    assert_eq!(
        message(entry, r#"{"order":{"n":"7"}}"#),
        "must be >= 100, is \"7\": `order.n` is a string, `min` needs a number"
    );
}

#[test]
fn a_text_that_is_too_long_for_a_pattern_violates_and_says_so() {
    let args = |len| format!(r#"{{"product_name":"{}"}}"#, "x".repeat(len));
    for (pattern, limit) in [("x", 65_536), ("^\\w{3,20}", 4_096)] {
        let entry = format!("{{field: product_name, regex: '{pattern}'}}");
        assert_eq!(
            message(&entry, &args(limit + 1)),
            format!(
                "`product_name` has more than {limit} bytes, which this `regex` does not look at"
            )
        );
        assert!(messages(&rules(&[&entry], &[]), &map(&args(limit))).is_empty());
    }
}

#[test]
fn values_are_shown_on_one_short_line() {
    let long = "x".repeat(10_000);
    let args = format!(r#"{{"product_name":"a\nb\u001b[31m{long}"}}"#);
    let shown = message("{field: product_name, eq: a}", &args);
    assert!(shown.len() < 200, "{}", shown.len());
    assert!(!shown.contains(char::is_control), "{shown}");
}

#[test]
fn secrets_stay_secret() {
    let args = r#"{"token":"hunter2","keys":["hunter2","abc"]}"#;
    for entry in [
        "{field: token, eq: right, message: '{field} {value} {limit}'}",
        "{field: token, neq: hunter2}",
        "{field: token, in: [a, b]}",
        "{field: token, max_len: 3, message: 'got {value}'}",
        "{field: token, max_len: 3}",
        "{field: 'keys[0]', min: 5, message: 'got {value}'}",
        "{field: 'keys[0]', type: int}",
        "{field: 'keys[0]', neq: hunter2}",
        "{field: keys, max_len: 1}",
        "{field: args.keys, eq: [hunter2]}",
    ] {
        let bound = rules(&[entry], &[]);
        let args = map(args);
        let shown = message(entry, r#"{"token":"hunter2","keys":["hunter2","abc"]}"#);
        let facts = Facts {
            args: &args,
            tree: &tree("{}"),
            result: None,
            written: None,
        };
        let findings = bound.evaluate(Gate::Input, &facts);
        let verdicts = Tracker::new()
            .judge(&bound, Gate::Input, &findings, Tick::Record)
            .verdicts;
        let all = format!("{shown} {verdicts:?} {findings:?}");
        assert!(
            !all.contains("hunter2") && !all.contains('7') && !all.contains(" 2 "),
            "{entry}: {all}"
        );
    }
    assert_eq!(
        message("{field: token, max_len: 3}", args),
        "`token` has *** bytes, expected at most 3"
    );
    assert_eq!(
        message("{field: token, eq: x}", args),
        "`token` is ***, expected ***"
    );
}
