use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::prelude::*;

/// Does what it is told, under a contract with a bit of everything.
#[process(
    inputs = ["domain.inbox", "global.max"],
    outputs = ["domain.data", "domain.slots.{slot}", "domain.sig_done", "domain.heavy_blob"],
    errors = ["ValueError"],
)]
fn play(ctx: &Context, slot: String, act: String) -> Result<Value, Failure> {
    match act.as_str() {
        "nothing" => {}
        "slot" => ctx.set(&path!("domain.slots", slot), &1)?,
        "other slot" => ctx.set("domain.slots.other", &1)?,
        "write" => {
            ctx.set("domain.data.count", &1)?;
            ctx.push("domain.data.list", "first")?;
            ctx.set("domain.sig_done", &true)?;
            log::info("written");
            outbox::send("topic", "payload");
        }
        "write outside" => {
            ctx.set("domain.data.count", &1)?;
            ctx.set("domain.hidden", &1)?;
            ctx.set("domain.data.count", &2)?;
        }
        "read outside" => return Ok(ctx.get("domain.hidden")?.unwrap_or_default()),
        "caught breach" => {
            let breach = catch_unwind(AssertUnwindSafe(|| ctx.get::<i64>("domain.hidden")));
            assert!(breach.is_err(), "the call ended");
            let after = catch_unwind(AssertUnwindSafe(|| ctx.set("domain.data.count", &7)));
            assert!(after.is_err(), "nothing works after the end");
            return Ok(Value::Str("went on".into()));
        }
        "caught panic" => {
            let _ = catch_unwind(|| panic!("caught"));
        }
        "write while ending" => {
            let _last_word = LastWord(ctx);
            ctx.get::<i64>("domain.hidden")?;
        }
        "panic" => {
            ctx.set("domain.data.count", &1)?;
            panic!("at {}", "work");
        }
        "panic with a number" => std::panic::panic_any(7),
        "fail" => {
            ctx.set("domain.data.count", &1)?;
            outbox::send("topic", "payload");
            log::warn("about to fail");
            return Err(Failure::new("ValueError", "told to"));
        }
        "fail undeclared" => return Err(Failure::new("KeyError", "told to")),
        "decode" => return Ok(Value::Int(ctx.get("domain.inbox")?.unwrap_or(0))),
        "bad path" => {
            ctx.get::<i64>("domain..inbox")?;
        }
        "bad value" => ctx.set_encoded("domain.data.x", b"\xc1"),
        "bad shape" => {
            ctx.push("domain.data", &1)?;
        }
        "large value" => ctx.set("domain.data.x", &"x".repeat(1 << 20))?,
        "many calls" => loop {
            log::trace("again");
        },
        "zone" => ctx.set("domain.data.x", &BTreeMap::from([("sig_x", 1)]))?,
        act => return Err(Failure::new("ValueError", format!("unknown act {act}"))),
    }
    Ok(Value::Str(act))
}

struct LastWord<'a>(&'a Context);

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        let written = self.0.set("domain.data.count", &3);
        assert_eq!(written, Ok(()));
    }
}

const CONTEXT: &str = r#"{
    "global": {"max": 5},
    "domain": {"inbox": "text", "data": {}, "slots": {}, "hidden": 1, "sig_done": false}
}"#;

fn act(host: &mut Host, act: &str) -> Run {
    host.run::<play>(args! { "slot" => "mine", "act" => act })
}

#[test]
fn a_committed_run_shows_what_it_did_and_changes_the_context() {
    let mut host = Host::with_context(CONTEXT);
    let run = act(&mut host, "write");
    assert_eq!(run.result(), Ok("write".to_owned()), "{run}");
    assert_eq!(
        run.changes(),
        [
            Change::set("domain.data.count", None::<i64>, 1),
            Change::push("domain.data.list", "first"),
            Change::set("domain.sig_done", false, true),
        ]
    );
    assert_eq!(run.signals(), [Signal::new("domain.sig_done", true)]);
    assert_eq!(run.outbox(), [OutboxMessage::new("topic", "payload")]);
    assert_eq!(run.log()[0].message, "written");
    assert_eq!(run.violations(), []);
    assert_eq!((run.version(), host.version()), (1, 1));
    assert_eq!(run.value("domain.data.count"), Some(1));
    assert_eq!(
        host.value("domain.data.list"),
        Some(vec!["first".to_owned()])
    );

    let run = act(&mut host, "write");
    assert_eq!(run.changes().len(), 1, "only the push is a net change");
    assert_eq!(
        host.value::<Vec<String>>("domain.data.list")
            .map(|it| it.len()),
        Some(2)
    );
    let run = act(&mut host, "nothing");
    assert_eq!((run.is_committed(), run.version()), (true, 2));
    assert_eq!(run.to_string(), "play committed");
}

#[test]
fn a_failed_run_leaves_nothing_but_its_log() {
    for (name, code) in [
        ("write outside", "THEUS-C002"),
        ("other slot", "THEUS-C002"),
        ("zone", "THEUS-C009"),
        ("read outside", "THEUS-C001"),
        ("caught breach", "THEUS-C001"),
        ("caught panic", "THEUS-T002"),
        ("write while ending", "THEUS-C001"),
        ("panic", "THEUS-T002"),
        ("panic with a number", "THEUS-T002"),
        ("fail", "ValueError"),
        ("fail undeclared", "THEUS-C003"),
        ("decode", "THEUS-T007"),
        ("bad path", "THEUS-T003"),
        ("bad value", "THEUS-T004"),
        ("bad shape", "THEUS-T005"),
        ("large value", "THEUS-L006"),
        ("many calls", "THEUS-L012"),
    ] {
        let mut host = Host::with_context(CONTEXT);
        let before: Value = host.value("domain").expect("a layer");
        let run = act(&mut host, name);
        let error = run.error().expect(name);
        assert_eq!(error.code(), code, "{name}: {run}");
        assert_eq!(run.result::<Value>(), Err(error.clone()));
        assert!(run.changes().is_empty() && run.signals().is_empty() && run.outbox().is_empty());
        assert_eq!(host.value("domain"), Some(before), "{name}");
        assert_eq!(host.version(), 0);
        let breach = matches!(code, "THEUS-C001" | "THEUS-C002" | "THEUS-C009");
        assert_eq!(run.violations().len(), usize::from(breach), "{name}");
        assert!(
            act(&mut host, "nothing").is_committed(),
            "the next run is free"
        );
    }
}

#[test]
fn endings_say_what_happened() {
    let mut host = Host::with_context(CONTEXT);
    let run = act(&mut host, "fail");
    assert_eq!(run.failure(), Some(&Failure::new("ValueError", "told to")));
    assert_eq!(run.error().map(RunError::kind), Some(ErrorKind::Failure));
    assert_eq!(run.log()[0].level, LogLevel::Warn);

    let run = act(&mut host, "panic");
    let Some(RunError::Panicked {
        message,
        file,
        line,
        ..
    }) = run.error()
    else {
        panic!("{run}");
    };
    assert_eq!(message, "at work");
    assert!(file.ends_with("tests.rs") && *line > 0, "{file}:{line}");

    let run = act(&mut host, "write outside");
    assert_eq!(
        run.to_string(),
        "play failed with THEUS-C002: `set` of `domain.hidden` writes outside the contract; declared as writable: \
         domain.data, domain.slots.mine, domain.sig_done, domain.heavy_blob; \
         add \"domain.hidden\" to the process's outputs"
    );
    let run = act(&mut host, "decode");
    assert!(run.to_string().contains("kind string"), "{run}");
}

#[test]
fn permissive_mode_reports_violations_and_goes_on() {
    let mut host = Host::with_context(CONTEXT).permissive();
    let run = act(&mut host, "write outside");
    assert!(run.is_committed(), "{run}");
    assert_eq!(run.violations().len(), 1);
    assert_eq!(run.violations()[0].path.to_string(), "domain.hidden");
    assert_eq!(host.value("domain.hidden"), Some(1));
    assert_eq!(host.value("domain.data.count"), Some(2));
    assert_eq!(
        act(&mut host, "fail undeclared")
            .error()
            .map(RunError::code),
        Some("THEUS-C003".into())
    );
}

#[test]
fn arguments_are_checked_as_the_host_checks_them() {
    let mut host = Host::with_context(CONTEXT);
    for (args, code, message) in [
        (
            args! { "slot" => "a" },
            "THEUS-U006",
            "`act` (string) is missing",
        ),
        (
            args! { "slot" => "a", "act" => 1 },
            "THEUS-U006",
            "must be of kind string, it is int",
        ),
        (
            args! { "slot" => "a", "act" => "nothing", "atc" => 1 },
            "THEUS-U006",
            "there is no parameter `atc`; it takes: slot, act",
        ),
        (
            args! { "slot" => "sig_x", "act" => "slot" },
            "THEUS-C009",
            "another zone",
        ),
        (
            args! { "slot" => "a", "act" => "x".repeat(4 << 20) },
            "THEUS-L007",
            "arguments size",
        ),
    ] {
        let run = host.run::<play>(args);
        let error = run.error().expect(message);
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(message), "{error}");
    }
    let run = host.run::<play>(args! { "slot" => "a.b[0]\"", "act" => "slot" });
    assert_eq!(run.value(r#"domain.slots["a.b[0]\""]"#), Some(1), "{run}");
}

#[process(inputs = ["domain.sig_done"])]
fn reads_a_signal(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(outputs = ["global.max"])]
fn writes_configuration(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[process(side_effects = ["clock"])]
fn asks_for_the_clock(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[test]
fn contracts_are_judged_as_the_host_judges_them() {
    let mut host = Host::new();
    for (run, code) in [
        (host.run::<reads_a_signal>(args! {}), "THEUS-C007"),
        (host.run::<writes_configuration>(args! {}), "THEUS-C007"),
        (host.run::<asks_for_the_clock>(args! {}), "THEUS-C008"),
    ] {
        assert_eq!(run.error().map(RunError::code).as_deref(), Some(code));
    }
    assert!(
        Host::new()
            .permissive()
            .run::<reads_a_signal>(args! {})
            .is_committed()
    );
}

#[process]
fn runs_another(_ctx: &Context) -> Result<(), Failure> {
    let _ = Host::new().run::<reads_a_signal>(args! {});
    let _ = Host::new().run::<asks_for_nothing>(args! {});
    Ok(())
}

#[process]
fn asks_for_nothing(_ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

#[test]
fn a_process_runs_no_process() {
    let run = Host::new().run::<runs_another>(args! {});
    assert!(run.to_string().contains("cannot run another one"), "{run}");
}

#[test]
fn hosts_on_several_threads_do_not_meet() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut host = Host::with_context(CONTEXT);
                for count in 1..=50 {
                    assert!(act(&mut host, "write").is_committed());
                    assert!(!act(&mut host, "write outside").is_committed());
                    assert_eq!(host.version(), count);
                }
            });
        }
    });
}

#[test]
fn a_context_is_json_yaml_or_a_value() {
    let yaml = Host::with_context("domain:\n  inbox: text\n");
    assert_eq!(yaml.value("domain.inbox"), Some("text".to_owned()));
    let json = Host::with_context(
        r#"{"domain": {"blob": {"$bytes": "AAE="}, "big": 18446744073709551615}}"#,
    );
    assert_eq!(json.value("domain.blob"), Some(Bytes(vec![0, 1])));
    assert_eq!(json.value("domain.big"), Some(u64::MAX));
    let layers = BTreeMap::from([("domain", BTreeMap::from([("blob", Bytes(vec![7]))]))]);
    let mut value = Host::new().context_value(&layers);
    assert_eq!(value.value("domain.blob"), Some(Bytes(vec![7])));
    value
        .set("domain.list", &[1, 2])
        .set("domain.list[0]", "one");
    assert_eq!(value.value("domain.list[0]"), Some("one".to_owned()));
    assert_eq!(value.value::<Value>("domain.none"), None);
}

#[test]
fn what_is_no_context_says_why() {
    for (text, expected) in [
        ("[1]", "a context is a map of layers, this is a list"),
        ("{\"local\": {}}", "unknown layer `local`"),
        ("domain: 1", "the layer `domain` must be a map, it is a int"),
        ("{\"domain\": ", "neither JSON nor YAML"),
        (
            "{\"domain\": {\"_x\": 1}}",
            "the key `_x` at `domain` is private",
        ),
    ] {
        let refused = catch_unwind(|| Host::with_context(text)).expect_err(text);
        let message = refused.downcast_ref::<String>().expect("a message");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
#[should_panic(expected = "the result of `play` is of kind string, and the test reads it as `i64`")]
fn a_result_of_another_type_fails_the_test() {
    let _ = act(&mut Host::with_context(CONTEXT), "nothing").result::<i64>();
}

#[test]
fn outside_a_host_log_lines_are_dropped_and_messages_refused() {
    log::info("nobody reads this");
    let refused = catch_unwind(|| outbox::send("topic", "payload")).expect_err("a panic");
    let message = refused.downcast_ref::<String>().expect("a message");
    assert!(
        message.starts_with("outside a host: `send` works only"),
        "{message}"
    );
}
