//! What a guest cannot do: touch what it has not declared, move data between zones, keep anything for its next call.

use crate::harness::engines::{Setup, bytes, commits, fails, json, message, value};
use std::thread;
use theus_host::{Engine, ErrorKind, Map, Outcome, Value, args};

/// A context whose data holds keys of every zone below the place that the probe's raw processes may read and write.
const ZONES: &str = r#"{"domain": {"slots": {}, "inbox": {"a": 1, "sig_in": 2},
    "data": {"plain": 1, "sig_x": 2, "cmd_y": 3, "meta_z": 4, "heavy_w": 5, "map": {"b": 1, "sig_deep": 2}}}}"#;

fn path(path: &str) -> Map {
    args! { "path" => path }
}

fn set(path: &str, value: &str) -> Map {
    args! { "path" => path, "value" => json(value) }
}

/// What a run gives that commits.
fn result(engine: &Engine, process: &str, args: Map) -> Value {
    let receipt = commits(engine, process, args);
    receipt.result.expect("a result")
}

#[test]
fn every_call_begins_anew() {
    let engine = Setup::probe().engine();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(result(&engine, "stateful", args! {}), Value::Int(1));
                }
            });
        }
    });
    // Not after a run that ended in the middle of something either.
    fails(
        &engine,
        "panic_now",
        args! { "message" => "left behind" },
        "THEUS-T002",
    );
    assert_eq!(result(&engine, "stateful", args! {}), Value::Int(1));
}

#[test]
fn a_read_outside_the_contract_ends_the_run() {
    let engine = Setup::probe().engine();
    let receipt = fails(&engine, "read_undeclared", args! {}, "THEUS-C001");
    assert_eq!(
        message(&receipt),
        "read_undeclared: `get` of `domain.hidden` reads outside the contract; declared as readable: domain.counter"
    );
    let error = receipt.error.expect("an error");
    assert_eq!(
        (error.kind(), error.process()),
        (ErrorKind::Contract, "read_undeclared")
    );
    assert_eq!(error.path().as_deref(), Some("domain.hidden"));
    let help = error.help().expect("a remedy");
    assert!(
        help.contains("add \"domain.hidden\" to the process's inputs"),
        "{help}"
    );
}

#[test]
fn a_write_outside_the_contract_names_process_path_and_remedy() {
    let engine = Setup::probe().engine();
    let receipt = fails(&engine, "write_undeclared", args! {}, "THEUS-C002");
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    assert_eq!(
        message(&receipt),
        "write_undeclared: `set` of `domain.hidden` writes outside the contract; declared as writable: domain.counter"
    );
    let error = receipt.error.expect("an error");
    assert_eq!(error.path().as_deref(), Some("domain.hidden"));
    let help = error.help().expect("a remedy");
    assert!(
        help.contains("add \"domain.hidden\" to the process's outputs"),
        "{help}"
    );
}

#[test]
fn an_ancestor_of_an_output_is_not_writable() {
    let engine = Setup::probe().engine();
    let receipt = fails(&engine, "write_ancestor", args! {}, "THEUS-C002");
    assert!(
        message(&receipt).contains("`domain.record`"),
        "{}",
        message(&receipt)
    );
    assert_eq!(
        value(&engine, "domain.record"),
        Some(json(r#"{"child": 1, "sibling": 2}"#))
    );
}

#[test]
fn a_guest_cannot_go_on_after_a_violation() {
    let engine = Setup::probe().engine();
    let steps = |violation: &str| {
        let after = r#"{"set": {"path": "domain.data.after", "value": 1}}"#;
        args! { "steps" => json(&format!("[{violation}, {after}]")) }
    };
    for (violation, code) in [
        (r#"{"get": {"path": "domain.hidden"}}"#, "THEUS-C001"),
        (r#"{"len": {"path": "domain.hidden"}}"#, "THEUS-C001"),
        (r#"{"keys": {"path": "domain"}}"#, "THEUS-C001"),
        (
            r#"{"set": {"path": "domain.hidden", "value": 1}}"#,
            "THEUS-C002",
        ),
        (
            r#"{"push": {"path": "domain.inbox.first", "value": 1}}"#,
            "THEUS-C002",
        ),
        (r#"{"remove": {"path": "domain.hidden"}}"#, "THEUS-C002"),
    ] {
        let receipt = fails(&engine, "script", steps(violation), code);
        assert_eq!(receipt.stats.host_calls, 1, "{violation}");
    }
}

/// Law 5.
#[test]
fn an_error_that_is_not_declared_is_a_violation() {
    let engine = Setup::probe().engine();
    let fail = |code: &str| args! { "code" => code, "message" => "whatever it says" };
    let declared = fails(&engine, "fail", fail("ValueError"), "ValueError");
    assert_eq!(declared.error.expect("an error").kind(), ErrorKind::Failure);
    for code in ["Other", "", "valueerror", "THEUS-C001"] {
        let receipt = fails(&engine, "fail", fail(code), "THEUS-C003");
        let error = receipt.error.expect("an error");
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(error.to_string().contains(&format!("`{code}`")), "{error}");
        let help = error.help().expect("a remedy");
        assert!(help.contains("it lists: ValueError"), "{help}");
    }
}

#[test]
fn a_subtree_read_shows_its_own_zone_only() {
    let engine = Setup::probe().context(ZONES).engine();
    assert_eq!(
        result(&engine, "get_raw", path("domain.data")),
        json(r#"{"plain": 1, "map": {"b": 1}}"#)
    );
    assert_eq!(
        result(&engine, "keys_raw", path("domain.data")),
        json(r#"["map", "plain"]"#)
    );
    assert_eq!(result(&engine, "len_raw", path("domain.data")), json("2"));
    assert_eq!(
        result(&engine, "get_raw", path("domain.inbox")),
        json(r#"{"a": 1}"#)
    );
    // One page after the other: no gap where a key is hidden.
    let page = args! { "path" => "domain.data", "after" => "map", "limit" => 1 };
    assert_eq!(result(&engine, "keys_page_raw", page), json(r#"["plain"]"#));
    for hidden in ["sig_x", "cmd_y", "meta_z", "heavy_w", "map.sig_deep"] {
        let place = format!("domain.data.{hidden}");
        for process in ["get_raw", "len_raw", "keys_raw"] {
            fails(&engine, process, path(&place), "THEUS-C001");
        }
    }
}

#[test]
fn a_write_over_a_subtree_does_not_take_other_zones_with_it() {
    let engine = Setup::probe().context(ZONES).engine();
    for (process, args) in [
        ("set_raw", set("domain.data", "{}")),
        ("set_raw", set("domain.data.map", "{}")),
        ("remove_raw", path("domain.data.map")),
        ("remove_raw", path("domain.data")),
        ("remove_raw", path("domain.data.sig_x")),
        ("set_raw", set("domain.data.heavy_w", "1")),
    ] {
        fails(&engine, process, args, "THEUS-C002");
    }
    commits(&engine, "set_raw", set("domain.data.plain", "2"));
    commits(&engine, "remove_raw", path("domain.data.map.b"));
}

#[test]
fn signals_are_set_and_never_read() {
    let engine = Setup::probe().engine();
    commits(&engine, "set_raw", set("domain.sig_done", "true"));
    for process in ["get_raw", "len_raw", "keys_raw"] {
        fails(&engine, process, path("domain.sig_done"), "THEUS-C001");
    }
    fails(&engine, "remove_raw", path("domain.sig_done"), "THEUS-C002");
    let receipt = fails(
        &engine,
        "push_raw",
        set("domain.sig_done", "1"),
        "THEUS-C002",
    );
    assert!(
        message(&receipt).contains("accepts `set` only"),
        "{}",
        message(&receipt)
    );
}

#[test]
fn a_written_value_cannot_smuggle_a_key_into_another_zone() {
    let engine = Setup::probe().engine();
    for key in ["sig_x", "cmd_x", "meta_x", "heavy_x", "_x", "_", "sig_"] {
        for value in [
            format!(r#"{{"{key}": 1}}"#),
            format!(r#"{{"ok": [1, {{"deep": {{"{key}": 1}}}}]}}"#),
        ] {
            fails(
                &engine,
                "set_raw",
                set("domain.data.a", &value),
                "THEUS-C009",
            );
            fails(
                &engine,
                "push_raw",
                set("domain.data.a", &value),
                "THEUS-C009",
            );
        }
    }
    for key in ["_x", "_"] {
        let place = format!("domain.data.{key}");
        fails(&engine, "set_raw", set(&place, "1"), "THEUS-C002");
        fails(&engine, "get_raw", path(&place), "THEUS-C001");
    }
    // A text that is no key is only a text, and a key may hold what it does not begin with.
    let harmless = r#"{"text": "sig_x", "x_": "_", "sigma": 1, "a.sig_x": 1}"#;
    commits(&engine, "set_raw", set("domain.data.a", harmless));
}

#[test]
fn an_argument_cannot_leave_its_one_key() {
    let engine = Setup::probe().engine();
    for slot in ["sig_x", "cmd_x", "meta_x", "heavy_x", "_x", "_"] {
        let receipt = fails(
            &engine,
            "increment_at",
            args! { "slot" => slot },
            "THEUS-C009",
        );
        assert_eq!(receipt.outcome, Outcome::Refused);
        assert!(message(&receipt).contains(slot), "{}", message(&receipt));
    }
    assert_eq!(engine.sandboxes_made(), 0);
    let slots = [
        "a.b",
        "a[0]",
        "*",
        "{slot}",
        "",
        "a\"b\\c",
        "domain.hidden",
        "ü\0",
        "[\"x\"]",
    ];
    for slot in slots {
        commits(&engine, "increment_at", args! { "slot" => slot });
    }
    let committed = value(&engine, "domain.slots").expect("the slots");
    let mut found: Vec<String> = committed
        .as_map()
        .expect("a map")
        .iter()
        .map(|(key, _)| key.to_string())
        .collect();
    let mut expected = slots.map(str::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_secret_is_masked_wherever_the_host_speaks() {
    const SECRET: &str = "hunter2";
    let recipe = "
process_recipes:
  secret:
    inputs:
      - { field: token, min_len: 3, level: B, message: '{field} is {value}' }
      - { field: token, neq: hunter2, level: B, message: 'not {value}, nor {limit}' }
";
    let engine = Setup::probe().recipe(recipe).engine();
    let told = |args: Map, code| {
        let receipt = fails(&engine, "secret", args, code);
        let error = receipt.error.as_ref().expect("an error");
        let json = serde_json::to_string(&receipt).expect("JSON");
        format!("{error} {:?} {json} {receipt:?}", error.help())
    };
    let blocked = told(args! { "token" => SECRET }, "THEUS-A001");
    assert!(!blocked.contains(SECRET), "{blocked}");
    let wrong_kind = told(args! { "token" => vec![Value::from(SECRET)] }, "THEUS-U006");
    assert!(!wrong_kind.contains(SECRET), "{wrong_kind}");

    let receipt = commits(&engine, "secret", args! { "token" => "hunter22" });
    assert_eq!(receipt.result, Some(Value::Int(8)));
    let records = format!("{:?}", engine.records());
    assert!(!records.contains(SECRET), "{records}");
    let kept: Vec<Map> = engine.records().iter().map(|it| it.args.clone()).collect();
    let masked = args! { "token" => "***" };
    // Of arguments that fit no parameters nobody knows which are secret: none is kept.
    assert_eq!(kept, [masked.clone(), args! {}, masked]);
}

/// Law 7: the same component, arguments, context and settings.
#[test]
fn equal_calls_have_equal_ends() {
    let engines = [(); 2].map(|()| Setup::probe().engine());
    let script = json(
        r#"[{"set": {"path": "domain.data.a", "value": [1.5, "two", {"three": null}]}},
            {"push": {"path": "domain.data.a", "value": 4}}, {"keys": {"path": "domain.inbox"}}]"#,
    );
    for (process, args) in [
        ("script", args! { "steps" => script }),
        ("spin_for", args! { "iterations" => 10_000, "key" => "a" }),
        ("send_messages", args! { "count" => 3, "topic" => "t" }),
        ("echo", args! { "value" => f64::NAN }),
    ] {
        let [first, second] = engines
            .each_ref()
            .map(|engine| commits(engine, process, args.clone()));
        assert_eq!(first.result, second.result, "{process}");
        assert_eq!(first.changes, second.changes, "{process}");
        assert_eq!(first.outbox, second.outbox, "{process}");
        assert_eq!(first.stats.fuel, second.stats.fuel, "{process}");
        assert_eq!(first.stats.host_calls, second.stats.host_calls, "{process}");
    }
    let failed = |engine| {
        let args = args! { "code" => "ValueError", "message" => "as declared" };
        fails(engine, "fail", args, "ValueError").stats.fuel
    };
    assert_eq!(failed(&engines[0]), failed(&engines[1]));
    assert_eq!(bytes(&engines[0]), bytes(&engines[1]));
}

#[test]
fn permissive_mode_reports_what_it_lets_pass() {
    let engine = Setup::probe().permissive().engine();
    let receipt = commits(&engine, "write_undeclared", args! {});
    assert_eq!(receipt.violations.len(), 1);
    assert_eq!(receipt.violations[0].path.to_string(), "domain.hidden");
    assert!(
        receipt.warnings[0].contains("add \"domain.hidden\""),
        "{:?}",
        receipt.warnings
    );
    assert_eq!(
        value(&engine, "domain.hidden"),
        Some(Value::from("overwritten"))
    );
    // What is no matter of the contract holds as ever.
    let undeclared = args! { "code" => "Other", "message" => "" };
    fails(&engine, "fail", undeclared, "THEUS-C003");
    fails(&engine, "set_raw", set("domain.data._x", "1"), "THEUS-C002");
    fails(
        &engine,
        "set_raw",
        set("domain.data.a", r#"{"_x": 1}"#),
        "THEUS-C009",
    );
    fails(&engine, "get_raw", path("domain..x"), "THEUS-T003");
}
