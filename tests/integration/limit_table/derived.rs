//! The limits without a row of their own: they follow from one, or are the same for everybody.

use super::{
    Ended, PATIENCE, ROW, Row, Set, at_most_usize, calls, guest, probe, refused_by_name, warnings,
};
use theus_host::{Limit, Limits, List, Value, args};

/// Uses so much of what is limited.
type Attempt<'a> = &'a dyn Fn(u64) -> Ended;

/// They have edges and warnings like the others.
#[test]
fn what_follows_from_a_row_has_an_edge_and_warns() {
    // An empty list is one byte that takes 120 once it is decoded, and 40,000 are allowed.
    let decoded = Row {
        allowed: 40_000,
        code: "THEUS-L006",
        ..ROW
    };
    let lists = |count: u64| {
        let lists = (0..count).map(|_| Value::from(List::default()));
        Value::from(lists.collect::<Vec<_>>())
    };
    let limited = |set: Set| {
        let mut limits = Limits {
            timeout: PATIENCE,
            ..Limits::default()
        };
        set(&mut limits, 1_000);
        limits
    };
    let value = limited(|all, bytes| all.value_bytes = bytes);
    let heavy = limited(|all, bytes| all.heavy_value_bytes = bytes);
    let result = limited(|all, bytes| all.result_bytes = bytes);
    let limits = Limits::default();
    let attempts: [(Row, Attempt<'_>, [u64; 4]); 4] = [
        (
            Row {
                limit: Limit::DecodedBytes,
                ..decoded
            },
            &|count| {
                let args = args! { "path" => "domain.data.lists", "value" => lists(count) };
                probe(&value, "set_raw", args)
            },
            [265, 266, 332, 333],
        ),
        (
            Row {
                limit: Limit::HeavyDecodedBytes,
                ..decoded
            },
            &|count| sets_heavy_lists(&heavy, count),
            [265, 266, 332, 333],
        ),
        (
            Row {
                limit: Limit::ResultDecodedBytes,
                code: "THEUS-L008",
                ..decoded
            },
            &|count| probe(&result, "echo", args! { "value" => lists(count) }),
            [265, 266, 332, 333],
        ),
        (
            Row {
                limit: Limit::TopicBytes,
                code: "THEUS-L011",
                allowed: 256,
                ..ROW
            },
            &|bytes| {
                let topic = "t".repeat(at_most_usize(bytes));
                probe(
                    &limits,
                    "send_messages",
                    args! { "count" => 1, "topic" => topic },
                )
            },
            [204, 205, 256, 257],
        ),
    ];
    for (row, attempt, [below, at, fits, over]) in attempts {
        let said = format!("{} of {} ", row.limit.name(), row.allowed);
        let warns = |used| {
            let warnings = warnings(&row, attempt(used));
            warnings
                .iter()
                .any(|it| it.starts_with(&said) && it.contains(&row.limit.remedy()))
        };
        assert_eq!(
            [warns(below), warns(at), warns(fits)],
            [false, true, true],
            "{:?}",
            row.limit
        );
        refused_by_name(&row, attempt(over));
    }
}

/// A heavy list of empty lists.
fn sets_heavy_lists(limits: &Limits, count: u64) -> Ended {
    let set = r#"(import "theus:process/context@0.1.0" "set" (func $set (param i32 i32 i32 i32)))"#;
    let definitions = format!(
        r#"{set} (data (i32.const 0) "domain.heavy_a") (data (i32.const 2048) "\dc\{:02x}\{:02x}{}")"#,
        count >> 8,
        count & 0xff,
        "\\90".repeat(at_most_usize(count))
    );
    let bytes = count + 3;
    let call =
        format!("(call $set (i32.const 0) (i32.const 14) (i32.const 2048) (i32.const {bytes}))");
    calls(limits, guest(&definitions, &call))
}
