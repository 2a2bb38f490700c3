use super::super::color::When;
use super::*;
use std::time::{Duration, UNIX_EPOCH};
use theus_core::code::ErrorKind;
use theus_core::guest_log::LogLine;
use theus_host::{
    Action, Changes, FileChange, FileOp, Gate, GateCount, Gates, Level, Outside, Path, Seed, Signal,
};

const VIEW: View = View {
    before: 0,
    verbosity: Verbosity::Normal,
    style: Style::PLAIN,
};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

fn change(op: ChangeOp, path: &str, old: &str, new: &str) -> Change {
    Change {
        path: Path::parse(path).expect(path),
        op,
        old: json(old),
        new: json(new),
    }
}

fn verdict(action: Action, level: Level) -> Verdict {
    Verdict {
        gate: Gate::Output,
        rule: "domain.items max_len 100".into(),
        level,
        count: 1,
        action,
        message: "the shelf is full".into(),
    }
}

fn count(gate: Gate, judged: usize, violated: usize) -> GateCount {
    GateCount {
        gate,
        judged,
        violated,
    }
}

fn committed() -> Receipt {
    let mut receipt = Receipt::refused(Some("add_product".into()));
    receipt.outcome = Outcome::Committed;
    receipt.version = 1;
    receipt.result = Some(Value::from("Added"));
    receipt.changes = Changes::from(vec![
        change(
            ChangeOp::Push,
            "domain.items",
            "null",
            r#"{"name":"TV","price":500}"#,
        ),
        change(ChangeOp::Set, "domain.total_value", "0", "500"),
        change(ChangeOp::Set, "domain.fresh", "null", "[1]"),
        change(ChangeOp::Remove, "domain.x", "\"old\"", "null"),
    ]);
    receipt
}

#[test]
fn a_commit_reads_as_a_diff() {
    let mut receipt = committed();
    receipt.signals = vec![Signal {
        path: Path::parse("domain.sig_restock_needed").expect("path"),
        value: Value::Bool(true),
    }];
    let message = |topic: &str, payload: &[u8]| OutboxMessage {
        topic: topic.into(),
        payload: payload.into(),
    };
    receipt.outbox = vec![message("orders", b"one TV"), message("raw", &[0xff, 0])];
    receipt.audit = vec![verdict(Action::Warn, Level::C)];
    receipt.stats.gates = Gates::from_iter([count(Gate::Input, 2, 0), count(Gate::Output, 3, 1)]);
    let expected = "\
add_product committed, version 0 -> 1
result: \"Added\"
changes:
  + domain.items        {\"name\": \"TV\", \"price\": 500}  (push)
  ~ domain.total_value  0 -> 500
  + domain.fresh        [1]
  - domain.x            \"old\"
signals:
  domain.sig_restock_needed = true
outbox:
  orders  \"one TV\"
  raw  <2 bytes>
audit: input gate 2 of 2 passed, output gate 2 of 3 passed
  warn the shelf is full (level C, output gate, rule `domain.items max_len 100`, count 1)
";
    assert_eq!(results(&receipt, VIEW), expected);
}

#[test]
fn on_a_terminal_colour_repeats_what_the_words_say() {
    let colored = View {
        style: When::Always.style(&std::io::stderr()),
        ..VIEW
    };
    let mut receipt = committed();
    receipt.audit = vec![
        verdict(Action::Warn, Level::C),
        verdict(Action::Block, Level::B),
    ];
    receipt.stats.gates = Gates::from_iter([count(Gate::Output, 2, 2)]);
    let text = results(&receipt, colored);
    let expected = "\
add_product [32mcommitted[0m, version 0 -> 1
[1mresult:[0m \"Added\"
[1mchanges:[0m
  [32m+ domain.items      [0m  {\"name\": \"TV\", \"price\": 500}  (push)
  [33m~ domain.total_value[0m  0 -> 500
  [32m+ domain.fresh      [0m  [1]
  [31m- domain.x          [0m  \"old\"
[1maudit:[0m output gate 0 of 2 passed
  [33mwarn[0m the shelf is full (level C, output gate, rule `domain.items max_len 100`, count 1)
  [31mblock[0m the shelf is full (level B, output gate, rule `domain.items max_len 100`, count 1)
";
    assert_eq!(text.replace('\u{1b}', ""), expected);
    // Without its colours the text is the plain one.
    let mut plain = text;
    for code in ["[0m", "[1m", "[31m", "[32m", "[33m"] {
        plain = plain.replace(&format!("\u{1b}{code}"), "");
    }
    assert_eq!(plain, results(&receipt, VIEW));
}

#[test]
fn what_came_from_outside_and_what_went_there_is_told() {
    let mut receipt = committed();
    receipt.changes = Changes::default();
    receipt.result = None;
    let mut outside = Outside::default();
    outside.time = Some(UNIX_EPOCH + Duration::from_nanos(1_764_075_054_000_000_001));
    outside.seed = Some(Seed::from_bytes([0xab; 32]));
    outside.directories = vec!["prices".into(), "rates".into()];
    outside.writable = Some("reports".into());
    let change = |path: &str, op, bytes| {
        let mut change = FileChange::new(path, op);
        change.bytes = bytes;
        change
    };
    outside.files = vec![
        change("/reports/a.txt", FileOp::Create, Some(1234)),
        change("/reports/index", FileOp::Replace, Some(7)),
        change("/reports/old\u{1b}", FileOp::Remove, None),
        change("/reports/new", FileOp::CreateDirectory, None),
        change("/reports/gone", FileOp::RemoveDirectory, None),
    ];
    receipt.outside = Some(Box::new(outside));
    let expected = format!(
        "\
add_product committed, version 0 -> 1
changes: none
outside:
  clock   2025-11-25T12:50:54.000000001Z
  random  seed {}
  reads   /prices, /rates
  writes  /reports
files:
  + /reports/a.txt      1,234 bytes
  ~ /reports/index      7 bytes
  - /reports/old\\u{{1b}}
  + /reports/new        directory
  - /reports/gone       directory
",
        "ab".repeat(32)
    );
    assert_eq!(results(&receipt, VIEW), expected);
}

#[test]
fn the_headline_says_what_became_of_the_version() {
    let first_line = |receipt: &Receipt, view| {
        let text = results(receipt, view);
        text.lines().next().map(str::to_owned).expect("a line")
    };
    let mut receipt = committed();
    let at_one = View { before: 1, ..VIEW };
    assert_eq!(
        first_line(&receipt, at_one),
        "add_product committed, version stays 1: it wrote nothing"
    );
    let mut outside = Outside::default();
    outside.files = vec![FileChange::new("/reports/old", FileOp::Remove)];
    receipt.outside = Some(Box::new(outside));
    assert_eq!(
        first_line(&receipt, at_one),
        "add_product committed, version stays 1: it wrote files only"
    );
    receipt.outside = None;
    receipt.mode = theus_host::Mode::Permissive;
    assert!(first_line(&receipt, VIEW).ends_with(" 0 -> 1 (permissive)"));
    receipt.mode = theus_host::Mode::Strict;
    receipt.outcome = Outcome::RolledBack;
    receipt.version = 0;
    assert_eq!(
        first_line(&receipt, VIEW),
        "add_product would commit (dry run), version stays 0"
    );
    receipt.changes = Changes::default();
    assert!(results(&receipt, VIEW).contains("changes: none\n"));
}

#[test]
fn a_failure_says_why_where_and_how_to_mend_it() {
    let error = ErrorReport {
        code: "THEUS-C002".into(),
        kind: ErrorKind::Contract,
        message: String::new(),
        help: Some("add \"domain.hidden\" to the process's outputs".into()),
        path: Some("domain.hidden".into()),
        process: Some("add_product".into()),
    };
    let expected = "\
Failed: it wrote outside
  code:    THEUS-C002 (contract, exit code 3)
  where:   add_product, domain.hidden
  help:    add \"domain.hidden\" to the process's outputs
  explain: theus-host explain THEUS-C002
";
    assert_eq!(failure(&error, "it wrote outside", Style::PLAIN), expected);
    let declared = ErrorReport {
        code: "ValueError".into(),
        kind: ErrorKind::Failure,
        message: String::new(),
        help: None,
        path: None,
        process: None,
    };
    let expected =
        "Failed: price cannot be negative\n  code:    ValueError (failure, exit code 7)\n";
    assert_eq!(
        failure(&declared, "price cannot be negative", Style::PLAIN),
        expected
    );
}

#[test]
fn what_remains_of_a_failed_run_is_said() {
    let mut receipt = Receipt::refused(Some("add_product".into()));
    receipt.audit = vec![verdict(Action::Block, Level::B)];
    receipt.stats.gates = Gates::from_iter([count(Gate::Output, 1, 1)]);
    let expected = "\
audit: output gate 0 of 1 passed
  block the shelf is full (level B, output gate, rule `domain.items max_len 100`, count 1)
Refused before the guest was entered; the context stays at version 0.
";
    assert_eq!(remains(&receipt, VIEW), expected);
    receipt.audit.clear();
    receipt.stats.gates = Gates::default();
    receipt.outcome = Outcome::RolledBack;
    receipt.version = 7;
    let expected = "Rolled back: nothing of the run remains, the context stays at version 7.\n";
    assert_eq!(remains(&receipt, VIEW), expected);
}

#[test]
fn the_guest_s_words_cannot_play_tricks() {
    let mut receipt = committed();
    receipt.result = Some(Value::from("\u{1b}[2Jgone\nadd_product committed"));
    receipt.changes = Changes::from(vec![change(
        ChangeOp::Set,
        "domain[\"\u{1b}[31m\"]",
        "null",
        "1",
    )]);
    receipt.log = vec![
        LogLine {
            level: LogLevel::Debug,
            message: "hidden".into(),
        },
        LogLine {
            level: LogLevel::Warn,
            message: "a\r\n[host] all is well".into(),
        },
    ];
    let text = results(&receipt, VIEW);
    assert!(!text.contains('\u{1b}'), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert_eq!(
        log(&receipt, VIEW),
        "[guest warn] a\\r\\n[host] all is well\n"
    );
    let verbose = View {
        verbosity: Verbosity::Verbose,
        ..VIEW
    };
    assert_eq!(log(&receipt, verbose).lines().count(), 2);
    assert!(results(&receipt, verbose).contains("cost: 0 fuel, 0 host calls"));
}

#[test]
fn what_is_long_is_cut_and_says_so() {
    let mut receipt = committed();
    let many = (0..150).map(|it| change(ChangeOp::Set, &format!("domain.k{it}"), "0", "1"));
    receipt.changes = Changes::from(many.collect::<Vec<_>>());
    let text = results(&receipt, VIEW);
    assert!(text.contains("… and 50 more"), "{text}");
    receipt.changes = Changes::from(vec![change(
        ChangeOp::Set,
        "domain.k",
        "null",
        &format!("\"{}\"", "x".repeat(1000)),
    )]);
    let text = results(&receipt, VIEW);
    assert!(text.contains("… (842 more characters)"), "{text}");
}
