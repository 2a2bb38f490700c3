//! Guests in AssemblyScript: every call of their SDK, and every way in which they end.

use crate::harness::engines::{PATIENCE, Setup, arguments, commits, fails, json, message, value};
use crate::harness::{guests, root};
use std::process::Command;
use theus_host::{Engine, Limits, LogLevel, Map, Policy, RunError, Value, args, context_from_json};

fn probe() -> Engine {
    Setup::of(guests::probe_as(), "guests/probe-as/context.yaml").engine()
}

/// Runs each process on a new context and compares what it returns.
fn returns(runs: &[(&str, Map, &str)]) {
    for (process, args, result) in runs {
        let receipt = commits(&probe(), process, args.clone());
        assert_eq!(receipt.result, Some(json(result)), "{process}");
    }
}

#[test]
fn arguments_of_every_kind_come_back() {
    let kinds = r#"[true, -9223372036854775808, 2.0, "é📺", {"$bytes": "AP8="}, [1, [2]], {"b": 1, "a": null}, 18446744073709551615]"#;
    returns(&[
        (
            "echo_kinds",
            arguments(
                r#"{"truth": true, "whole": -9223372036854775808, "real": 2, "text": "é📺", "binary": {"$bytes": "AP8="},
                    "list": [1, [2]], "map": {"b": 1, "a": null}, "any": 18446744073709551615}"#,
            ),
            kinds,
        ),
        ("echo", args! { "value" => json(kinds) }, kinds),
        ("optional", args! {}, "\"none\""),
        (
            "optional",
            arguments(r#"{"note": null, "limit": null}"#),
            "\"none\"",
        ),
        (
            "optional",
            args! { "note" => "x", "limit" => u64::MAX },
            "\"some: x, at most 18446744073709551615\"",
        ),
        ("secret", args! { "token" => "hunter2" }, "7"),
        ("secret", args! { "token" => "hunter2", "pin" => 3 }, "8"),
        ("small", args! { "number" => 255 }, "255"),
        ("sum_as", args! { "value" => 7 }, "42.0"),
        // Processes with the names of exports that every guest has.
        ("memory", args! {}, "\"a process\""),
        ("run", args! {}, "\"a process, too\""),
    ]);
}

#[test]
fn every_call_sees_a_new_guest() {
    let engine = probe();
    for _ in 0..3 {
        assert_eq!(
            commits(&engine, "stateful", args! {}).result,
            Some(Value::Int(1))
        );
    }
}

#[test]
fn every_call_of_the_context_does_what_the_host_does() {
    returns(&[
        (
            "get_raw",
            args! { "at" => "domain.inbox" },
            r#"{"first": [1, 2, 3], "text": "hello"}"#,
        ),
        ("get_raw", args! { "at" => "domain.data.none" }, "null"),
        ("get_or", args! { "at" => "domain.inbox.text" }, "\"hello\""),
        (
            "get_or",
            args! { "at" => "domain.data.none" },
            "\"nothing\"",
        ),
        (
            "get_encoded_raw",
            args! { "at" => "domain.inbox.first" },
            r#"{"$bytes": "kwECAw=="}"#,
        ),
        (
            "get_encoded_raw",
            args! { "at" => "domain.inbox.none" },
            "null",
        ),
        ("remove_raw", args! { "at" => "domain.data.none" }, "false"),
        (
            "push_twice",
            args! { "at" => "domain.data.list", "value" => 3 },
            "[1, 2]",
        ),
        (
            "len_raw",
            args! { "at" => "domain.inbox.first" },
            r#"{"len": 3, "findLen": 3}"#,
        ),
        (
            "len_raw",
            args! { "at" => "domain.data.none" },
            r#"{"len": 77, "findLen": null}"#,
        ),
        (
            "keys_raw",
            args! { "at" => "domain.inbox" },
            r#"["first", "text"]"#,
        ),
        ("keys_raw", args! { "at" => "domain.data" }, "[]"),
        (
            "keys_page_raw",
            args! { "at" => "domain.inbox", "limit" => 1 },
            r#"["first"]"#,
        ),
        (
            "keys_page_raw",
            args! { "at" => "domain.inbox", "after" => "first", "limit" => 9 },
            r#"["text"]"#,
        ),
        (
            "read_bytes_raw",
            args! { "at" => "domain.inbox.text", "offset" => 1, "length" => 3 },
            r#"{"$bytes": "ZWxs"}"#,
        ),
        ("many_slots", args! { "count" => 600 }, "600"),
        ("many_slots", args! { "count" => 256 }, "256"),
        (
            "join",
            args! { "keys" => json(r#"["a-9", "b.c", "say \"\\", "é", ""]"#), "at" => 3 },
            r#""domain.a-9[\"b.c\"][\"say \\\"\\\\\"][\"é\"][\"\"][3]""#,
        ),
    ]);
    let engine = probe();
    commits(
        &engine,
        "push_twice",
        args! { "at" => "domain.data.list", "value" => 3 },
    );
    commits(
        &engine,
        "set_raw",
        args! { "at" => "domain.data.list[1]", "value" => json("[null]") },
    );
    assert_eq!(
        value(&engine, "domain.data.list"),
        Some(json("[3, [null]]"))
    );
    let removed = commits(&engine, "remove_raw", args! { "at" => "domain.data.list" });
    assert_eq!(removed.result, Some(Value::Bool(true)));
    for (slot, count) in [("a@b.org", 1), ("a@b.org", 2), (r#"say "\"#, 1)] {
        let receipt = commits(&engine, "increment_at", args! { "slot" => slot });
        assert_eq!(receipt.result, Some(Value::Int(count)), "{slot}");
    }
}

#[test]
fn messages_and_signals_go_out_with_the_commit() {
    let engine = probe();
    let receipt = commits(&engine, "tell", args! { "fail" => false });
    let sent: Vec<_> = receipt
        .outbox
        .iter()
        .map(|message| (message.topic.as_str(), &message.payload[..]))
        .collect();
    assert_eq!(sent, [("bytes", "é".as_bytes()), ("text", "é".as_bytes())]);
    assert_eq!(receipt.signals.len(), 1);
    let receipt = fails(&engine, "tell", args! { "fail" => true }, "ValueError");
    assert_eq!(message(&receipt), "told to fail after the signal");
}

#[test]
fn the_language_s_own_functions_write_to_the_log() {
    let receipt = commits(&probe(), "log_levels", args! {});
    let lines: Vec<_> = receipt
        .log
        .iter()
        .map(|line| (line.level, line.message.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (LogLevel::Trace, "a trace line"),
            (LogLevel::Debug, "a debug line"),
            (LogLevel::Info, "an info line é"),
            (LogLevel::Warn, "a warn line"),
            (LogLevel::Error, "an error line"),
            (LogLevel::Info, "from the console"),
            (LogLevel::Error, "an error from the console"),
            (LogLevel::Error, "assertion failed: not so"),
            (LogLevel::Trace, "traced 1.0 2.5"),
        ]
    );
}

#[test]
fn what_is_thrown_reaches_the_operator_with_its_place() {
    for (process, args, parts) in [
        (
            "throw_now",
            args! { "message" => "out of stock" },
            [
                "assembly/endings.ts:9:3",
                "`assembly/endings/throw_now`: out of stock",
            ],
        ),
        (
            "assert_now",
            args! { "number" => 3 },
            ["assembly/endings.ts:22:3", "the number must be negative"],
        ),
        // The check is the library's; the function that failed it is the guest's own.
        (
            "out_of_bounds",
            args! { "at" => 3 },
            [
                "~lib/array.ts:",
                "`assembly/endings/out_of_bounds`: Index out of range",
            ],
        ),
        (
            "misread",
            args! {},
            [
                "assembly/endings.ts:33:17",
                "the value at `domain.inbox.text` is of kind string, and the process reads it as `i64`",
            ],
        ),
    ] {
        let receipt = fails(&probe(), process, args, "THEUS-T002");
        let told = message(&receipt);
        for part in parts {
            assert!(told.contains(part), "{told} lacks {part}");
        }
    }
    let receipt = fails(&probe(), "divide", args! { "by" => 0 }, "THEUS-T001");
    let told = message(&receipt);
    assert!(
        told.starts_with("divide trapped in `assembly/endings/divide` at"),
        "{told}"
    );
}

#[test]
fn a_secret_is_in_no_message() {
    let args = args! { "token" => "hunter2", "pin" => 999 };
    let receipt = fails(&probe(), "secret", args, "THEUS-T007");
    let told = message(&receipt);
    assert!(told.contains("`pin`") && !told.contains("999"), "{told}");
}

#[test]
fn the_first_failure_counts_and_is_one_of_the_contract() {
    let fail = |code: &str, then: Option<&str>| {
        let mut args = args! { "code" => code };
        if let Some(then) = then {
            args.insert("then", then.into());
        }
        args
    };
    for (args, code) in [
        (fail("ValueError", None), "ValueError"),
        (fail("KeyError", Some("ValueError")), "KeyError"),
        (fail("Undeclared", Some("ValueError")), "THEUS-C003"),
        (fail("Decode", None), "THEUS-T007"),
    ] {
        fails(&probe(), "fail", args, code);
    }
}

#[test]
fn the_guard_and_the_limits_hold() {
    for (process, args, code) in [
        ("write_undeclared", args! {}, "THEUS-C002"),
        ("get_or", args! { "at" => "domain.hidden" }, "THEUS-C001"),
        ("get_or", args! { "at" => "domain..a" }, "THEUS-T003"),
        (
            "set_encoded_raw",
            args! { "at" => "domain.data.a", "encoded" => vec![0xc1_u8] },
            "THEUS-T004",
        ),
        (
            "push_twice",
            args! { "at" => "domain.data.a.b", "value" => 1 },
            "THEUS-T005",
        ),
        ("allocate", args! { "mebibytes" => 80 }, "THEUS-L003"),
        ("recurse", args! {}, "THEUS-L004"),
    ] {
        fails(&probe(), process, args, code);
    }
    assert_eq!(
        commits(&probe(), "allocate", args! { "mebibytes" => 10 }).result,
        Some(Value::Int(10))
    );
}

/// What the host checks of arguments, it checks by the contract; what it lets pass that does not fit, the guest refuses.
#[test]
fn contract_and_guest_agree_on_parameters() {
    let engine = probe();
    for (args, code) in [
        (args! {}, "THEUS-U006"),
        (args! { "number" => "1" }, "THEUS-U006"),
        (args! { "number" => 1, "more" => 1 }, "THEUS-U006"),
        (args! { "number" => -1 }, "THEUS-T007"),
    ] {
        let receipt = fails(&engine, "small", args, code);
        assert!(!matches!(receipt.error, Some(RunError::Host { .. })));
    }
}

/// Contracts know kinds, and types hold less: what does not fit is the caller's mistake, and no abort of the guest's.
#[test]
fn an_argument_that_its_type_does_not_hold_is_a_failure() {
    let engine = probe();
    let entered = arguments(
        r#"{"as_i8": -128, "as_i16": 32767, "as_i32": -2147483648, "as_i64": 9223372036854775807, "as_u8": 255,
            "as_u16": 65535, "as_u32": 4294967295, "as_u64": 18446744073709551615, "flags": [true], "numbers": [[], [0, 255]],
            "reals": [1, 0.5], "blobs": [{"$bytes": "AP8="}], "table": {"a": "b"}, "line": {"name": "n", "count": 1, "tags": []},
            "lines": {"a": [{"name": "n", "count": 1, "tags": ["t"]}]}, "last": "x"}"#,
    );
    let receipt = commits(&engine, "narrow", entered);
    assert_eq!(receipt.result, Some("entered".into()));
    let whole = "is of kind int, and does not fit";
    for (given, told) in [
        (r#""as_i8": 128"#, format!("`as_i8` {whole} `i8`")),
        (r#""as_i8": -129"#, format!("`as_i8` {whole} `i8`")),
        (r#""as_i16": 32768"#, format!("`as_i16` {whole} `i16`")),
        (
            r#""as_i32": -2147483649"#,
            format!("`as_i32` {whole} `i32`"),
        ),
        (
            r#""as_i64": 9223372036854775808"#,
            format!("`as_i64` {whole} `i64`"),
        ),
        (r#""as_u8": 256"#, format!("`as_u8` {whole} `u8`")),
        (r#""as_u16": -1"#, format!("`as_u16` {whole} `u16`")),
        (r#""as_u32": 4294967296"#, format!("`as_u32` {whole} `u32`")),
        (r#""as_u64": -1"#, format!("`as_u64` {whole} `u64`")),
        // Of several the first one is told, in the order of the parameters.
        (
            r#""as_u64": -1, "as_i8": 128"#,
            format!("`as_i8` {whole} `i8`"),
        ),
        (
            r#""flags": [true, 1, false]"#,
            "`flags` is of kind int, and the process reads it as `bool`".into(),
        ),
        (
            r#""numbers": [[1], [2, 1.5, 3], [4]]"#,
            "`numbers` is of kind float, and the process reads it as `u8`".into(),
        ),
        (
            r#""numbers": [[1], [256]]"#,
            format!("`numbers` {whole} `u8`"),
        ),
        (
            r#""numbers": [[1], 2]"#,
            "`numbers` is of kind int, and the process reads it as `Array<u8>`".into(),
        ),
        (
            r#""numbers": [null]"#,
            "`numbers` is of kind nil, and the process reads it as `Array<u8>`".into(),
        ),
        (
            r#""reals": ["1"]"#,
            "`reals` is of kind string, and the process reads it as `f32`".into(),
        ),
        (
            r#""blobs": ["text"]"#,
            "`blobs` is of kind string, and the process reads it as `Uint8Array`".into(),
        ),
        (
            r#""table": {"a": "b", "c": {"d": 1}, "e": "f"}"#,
            "`table` is of kind map, and the process reads it as `string`".into(),
        ),
        (
            r#""line": 5"#,
            "`line` is of kind int, and the process reads it as `Line`".into(),
        ),
        (
            r#""line": {"name": "n", "tags": []}"#,
            "`line` has no `count`, and the process reads it as `Line`".into(),
        ),
        (
            r#""lines": {"a": [{"name": "n", "count": 300, "tags": []}], "b": []}"#,
            format!("`lines` {whole} `u8`"),
        ),
        (
            r#""lines": {"a": [{"name": "n", "count": 3, "tags": ["t", 4]}, {}]}"#,
            "`lines` is of kind int, and the process reads it as `string`".into(),
        ),
    ] {
        let given = format!(r#"{{{given}, "last": "x"}}"#);
        let receipt = fails(&engine, "narrow", arguments(&given), "THEUS-T007");
        let said = message(&receipt);
        assert!(
            said.contains(&format!("argument {told}")),
            "{given}: {said}"
        );
    }
}

/// An engine with what asc makes in the folder of the probe, with these words.
fn compiled(name: &str, words: &[&str]) -> Engine {
    // The compiler is that of the guest as it is built otherwise.
    guests::probe_as();
    let file = guests::tmp().join(name);
    let output = Command::new("node")
        .arg("--enable-source-maps")
        .arg("node_modules/assemblyscript/bin/asc.js")
        .args(words)
        .arg("--outFile")
        .arg(&file)
        .current_dir(root().join("guests/probe-as"))
        .output()
        .expect("node starts: the AssemblyScript parts need Node >= 20");
    assert!(output.status.success(), "{output:?}");
    let context =
        context_from_json(r#"{"domain": {"inbox": {"text": "hello"}}}"#).expect("a context");
    let limits = Limits {
        timeout: PATIENCE,
        ..Limits::default()
    };
    let builder = Engine::builder().context(context).limits(limits);
    let engine = builder.build().expect("an engine");
    engine
        .register(file.as_path(), Policy::as_declared())
        .expect("a guest");
    engine
}

/// The runtime that a guest's author chooses for it: with a garbage collector, what was dropped is used again.
#[test]
fn a_guest_may_have_a_garbage_collector() {
    let engine = compiled("collected.wasm", &["--runtime", "incremental"]);
    let receipt = commits(&engine, "allocate", args! { "mebibytes" => 200 });
    assert_eq!(receipt.result, Some(Value::Int(200)));
    let receipt = commits(&engine, "get_or", args! { "at" => "domain.inbox.text" });
    assert_eq!(receipt.result, Some("hello".into()));
}
