//! Limits beside their edges, which `limit_table` has: what is counted, in which order, and what the message says to do.

use crate::harness::engines::{Setup, commits, fails, json};
use theus_host::{Engine, ErrorKind, Limit, LogLevel, Map, Outcome, Receipt, Value, args};

/// One more than fits: a limit of that name and value, reached by that run.
#[track_caller]
pub(crate) fn exceeds(
    engine: &Engine,
    process: &str,
    args: Map,
    code: &str,
    limit: (Limit, u64),
) -> Receipt {
    let receipt = fails(engine, process, args, code);
    let (limit, allowed) = limit;
    let error = receipt.error.as_ref().expect("an error");
    assert_eq!(
        (error.kind(), error.limit()),
        (ErrorKind::Limit, Some(limit))
    );
    let said = format!(
        "the {} limit of {allowed} {} was reached",
        limit.name(),
        limit.unit()
    );
    assert!(error.to_string().contains(&said), "{error}, not: {said}");
    let help = error.help().expect("every limit says how to raise it");
    assert!(help.contains(&limit.remedy()), "{help}");
    receipt
}

fn count(count: u64) -> Map {
    args! { "count" => count }
}

fn bytes(bytes: u64) -> Map {
    args! { "bytes" => bytes }
}

#[test]
fn bytes_are_counted() {
    // A binary value of n bytes is n + 3 encoded ones here.
    let engine = Setup::probe()
        .limits(|limits| {
            limits.value_bytes = 1_003;
            limits.write_bytes = 1_002;
            limits.result_bytes = 1_004;
            limits.argument_bytes = 1_010;
        })
        .engine();
    commits(&engine, "big_value", bytes(999));
    exceeds(
        &engine,
        "big_value",
        bytes(1_000),
        "THEUS-L009",
        (Limit::WriteBytes, 1_002),
    );
    exceeds(
        &engine,
        "big_value",
        bytes(1_001),
        "THEUS-L006",
        (Limit::ValueBytes, 1_003),
    );
    commits(&engine, "big_result", bytes(1_001));
    exceeds(
        &engine,
        "big_result",
        bytes(1_002),
        "THEUS-L008",
        (Limit::ResultBytes, 1_004),
    );
    // The map, the key `value` and the head of the text take ten.
    let text = |len| args! { "value" => "x".repeat(len) };
    let made = engine.sandboxes_made();
    let receipt = exceeds(
        &engine,
        "echo",
        text(1_001),
        "THEUS-L007",
        (Limit::ArgumentBytes, 1_010),
    );
    assert_eq!(receipt.outcome, Outcome::Refused);
    assert_eq!(engine.sandboxes_made(), made);
    commits(&engine, "echo", text(1_000));
}

#[test]
fn bytes_that_are_read_are_counted() {
    let text = "x".repeat(500);
    let engine = Setup::probe()
        .context(&format!(
            r#"{{"domain": {{"data": {{"text": "{text}", "large": "{}"}}}}}}"#,
            text.repeat(3)
        ))
        .limits(|limits| {
            limits.value_bytes = 600;
            limits.read_bytes = 1_006;
        })
        .engine();
    let get = r#"{"get": {"path": "domain.data.text"}}"#;
    let steps = |steps: &str| args! { "steps" => json(&format!("[{steps}]")) };
    commits(&engine, "script", steps(&format!("{get}, {get}")));
    // The keys of a map are bytes as well.
    let keys = r#"{"keys": {"path": "domain.data"}}"#;
    let too_much = steps(&format!("{get}, {get}, {keys}"));
    exceeds(
        &engine,
        "script",
        too_much,
        "THEUS-L010",
        (Limit::ReadBytes, 1_006),
    );
    // What is too large to get says how to read it, and can be read so.
    let large = args! { "path" => "domain.data.large" };
    let receipt = exceeds(
        &engine,
        "get_raw",
        large.clone(),
        "THEUS-L006",
        (Limit::ValueBytes, 600),
    );
    let help = receipt.error.expect("an error").help().expect("help");
    assert!(
        help.contains("`len`") && help.contains("`read-bytes`"),
        "{help}"
    );
    assert_eq!(
        commits(&engine, "len_raw", large).result,
        Some(Value::Int(1_500))
    );
    let piece = |len: u32| args! { "path" => "domain.data.large", "offset" => 1_000, "len" => len };
    let receipt = commits(&engine, "read_bytes_raw", piece(600));
    assert_eq!(receipt.result, Some(Value::from(vec![b'x'; 500])));
}

#[test]
fn values_are_no_deeper_than_the_limit() {
    let engine = Setup::probe().engine();
    // The layer's map holds the list, which holds the value: two of the 32 are used.
    commits(&engine, "deep_value", args! { "depth" => 30 });
    exceeds(
        &engine,
        "deep_value",
        args! { "depth" => 31 },
        "THEUS-L006",
        (Limit::ValueDepth, 32),
    );
    exceeds(
        &engine,
        "deep_value",
        args! { "depth" => 100_000 },
        "THEUS-L006",
        (Limit::ValueDepth, 32),
    );
    // Nor when it is built up by several calls.
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deeper = |path: &str, depth| args! { "path" => path, "value" => json(&nested(depth)) };
    commits(&engine, "set_raw", deeper("domain.data.a", 16));
    let place = format!("domain.data.a{}", "[0]".repeat(14));
    commits(&engine, "push_raw", deeper(&place, 1));
    let place = format!("domain.data.a{}", "[0]".repeat(3));
    commits(&engine, "set_raw", deeper(&place, 27));
    exceeds(
        &engine,
        "set_raw",
        deeper(&place, 28),
        "THEUS-L006",
        (Limit::ValueDepth, 32),
    );
    exceeds(
        &engine,
        "push_raw",
        deeper(&place, 27),
        "THEUS-L006",
        (Limit::ValueDepth, 32),
    );
}

#[test]
fn paths_are_no_larger_than_the_limits() {
    let engine = Setup::probe().engine();
    let path = |path: &str| args! { "path" => path };
    let long = |len: usize| format!("domain.data.{}", "x".repeat(len - "domain.data.".len()));
    commits(&engine, "get_raw", path(&long(1_024)));
    exceeds(
        &engine,
        "get_raw",
        path(&long(1_025)),
        "THEUS-L005",
        (Limit::PathBytes, 1_024),
    );
    exceeds(
        &engine,
        "get_raw",
        path(&long(1_000_000)),
        "THEUS-L005",
        (Limit::PathBytes, 1_024),
    );
    let deep = |segments: usize| format!("domain.data{}", ".x".repeat(segments - 1));
    commits(&engine, "get_raw", path(&deep(16)));
    exceeds(
        &engine,
        "get_raw",
        path(&deep(17)),
        "THEUS-L005",
        (Limit::PathSegments, 16),
    );
    // The order of the checks: syntax before size, size before the grant.
    fails(
        &engine,
        "get_raw",
        path(&format!("{}..", long(2_000))),
        "THEUS-T003",
    );
    fails(
        &engine,
        "get_raw",
        path(&long(2_000).replace("data", "none")),
        "THEUS-L005",
    );
    // A path that an argument makes too long.
    let slot = |len: usize| args! { "slot" => "x".repeat(len - "domain.slots.".len()) };
    commits(&engine, "increment_at", slot(1_024));
    fails(&engine, "increment_at", slot(1_025), "THEUS-L005");
}

#[test]
fn the_outbox_is_bounded() {
    let send = |count: u64, topic: &str| args! { "count" => count, "topic" => topic };
    let engine = Setup::probe()
        .limits(|limits| limits.outbox_messages = 5)
        .engine();
    assert_eq!(
        commits(&engine, "send_messages", send(5, "t")).outbox.len(),
        5
    );
    exceeds(
        &engine,
        "send_messages",
        send(6, "t"),
        "THEUS-L011",
        (Limit::OutboxMessages, 5),
    );
    commits(&engine, "send_messages", send(1, &"t".repeat(256)));
    exceeds(
        &engine,
        "send_messages",
        send(1, &"t".repeat(257)),
        "THEUS-L011",
        (Limit::TopicBytes, 256),
    );
    // `message 0` and the topic `t` are ten bytes.
    let engine = Setup::probe()
        .limits(|limits| limits.outbox_bytes = 30)
        .engine();
    commits(&engine, "send_messages", send(3, "t"));
    exceeds(
        &engine,
        "send_messages",
        send(4, "t"),
        "THEUS-L011",
        (Limit::OutboxBytes, 30),
    );
}

#[test]
fn the_log_is_cut_with_a_note() {
    let engine = Setup::probe()
        .limits(|limits| {
            limits.log_lines = 4;
            limits.log_bytes = 26;
        })
        .engine();
    let lines = |receipt: &Receipt| -> Vec<String> {
        receipt
            .log
            .iter()
            .map(|line| line.message.clone())
            .collect()
    };
    let whole = commits(&engine, "log_lines", count(4));
    assert_eq!(lines(&whole), ["line 0", "line 1", "line 2", "line 3"]);
    let cuts = |receipt: &Receipt| receipt.warnings.iter().any(|it| it.contains("log was cut"));
    assert!(!cuts(&whole), "{:?}", whole.warnings);
    let cut = commits(&engine, "log_lines", count(5));
    assert_eq!(cut.log.len(), 5, "four lines and the note");
    assert!(
        lines(&cut)[4].starts_with("log cut: 1 more lines"),
        "{:?}",
        lines(&cut)
    );
    assert!(cuts(&cut), "{:?}", cut.warnings);
    let levels = commits(&engine, "log_levels", args! {});
    assert_eq!(levels.log[0].level, LogLevel::Trace);
    assert_eq!(lines(&levels)[..2], ["a trace line", "a debug line"]);
    assert!(
        lines(&levels)[2].len() <= 2,
        "cut at the limit of bytes: {:?}",
        lines(&levels)
    );
}
