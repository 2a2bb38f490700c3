//! Records, edits and subscriptions: what the engine remembers, and whom it tells.

use crate::harness::engines::{Setup, bytes, commits, fails, value};
use crate::harness::guests;
use std::thread;
use theus_host::{
    Action, Actor, Call, EditError, Engine, Event, Mode, Outcome, Policy, Value, args,
};

#[test]
fn every_run_leaves_one_record_refusals_included() {
    let recipe = "
process_recipes:
  increment:
    inputs:
      - { field: domain.counter, max: 0, level: B }
";
    let engine = Engine::builder()
        .context(theus_host::context_from_json(r#"{"domain": {"counter": 0}}"#).expect("a context"))
        .recipe(
            theus_host::Recipe::parse(recipe, "recipe.yaml")
                .unwrap_or_else(|error| panic!("{error}")),
        )
        .build()
        .expect("an engine");
    let registered = engine
        .register(guests::probe().file.as_path(), Policy::as_declared())
        .expect("a guest");

    commits(&engine, "increment", args! {});
    fails(&engine, "increment", args! {}, "THEUS-A001");
    fails(&engine, "write_undeclared", args! {}, "THEUS-C002");
    fails(&engine, "echo_name", args! { "name" => 1 }, "THEUS-U006");
    fails(&engine, "nobody", args! {}, "THEUS-U005");
    commits(&engine, "echo", args! { "value" => "x" });
    engine
        .edit(|context| context.set("domain.counter", 0))
        .expect("an edit");

    let records = engine.records();
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            let name = match &it.actor {
                Actor::Process { name, .. } => &**name,
                Actor::Edit => "(edit)",
                other => panic!("{other:?}"),
            };
            let versions = (it.read_version, it.version);
            (
                it.seq,
                name,
                it.outcome,
                it.error.as_deref(),
                versions,
                it.writes,
            )
        })
        .collect();
    let code = |code| Some(code);
    assert_eq!(
        told,
        [
            (
                1,
                "increment",
                Outcome::Committed,
                None,
                (Some(0), Some(1)),
                1
            ),
            (
                2,
                "increment",
                Outcome::Refused,
                code("THEUS-A001"),
                (None, None),
                0
            ),
            (
                3,
                "write_undeclared",
                Outcome::RolledBack,
                code("THEUS-C002"),
                (Some(1), None),
                0
            ),
            (
                4,
                "echo_name",
                Outcome::Refused,
                code("THEUS-U006"),
                (None, None),
                0
            ),
            (
                5,
                "nobody",
                Outcome::Refused,
                code("THEUS-U005"),
                (None, None),
                0
            ),
            (6, "echo", Outcome::Committed, None, (Some(1), None), 0),
            (7, "(edit)", Outcome::Committed, None, (Some(1), Some(2)), 1),
        ]
    );
    assert_eq!(records[1].audit.len(), 1);
    assert_eq!(records[1].audit[0].action, Action::Block);
    assert_eq!(records[5].args, args! { "value" => "x" });
    assert!(records[0].fuel > 0 && records[1].fuel == 0);
    assert!(records.iter().all(|it| it.mode == Mode::Strict));
    let digest = |index: usize| match &records[index].actor {
        Actor::Process { digest, .. } => digest.as_deref().map(str::to_owned),
        _ => None,
    };
    assert_eq!((digest(0), digest(4)), (Some(registered.digest), None));
}

#[test]
fn the_last_thousand_records_are_kept() {
    let engine = Setup::warehouse().engine();
    for _ in 0..1_005 {
        assert!(engine.call(Call::new("nobody", args! {})).error.is_some());
    }
    let records = engine.records();
    assert_eq!(records.len(), 1_000);
    let numbers: Vec<u64> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (6..=1_005).collect::<Vec<_>>(), "without a gap");
}

#[test]
fn an_edit_is_one_transaction() {
    let engine = Setup::probe().engine();
    let length = engine.edit(|context| {
        context.set("domain.counter", 5)?;
        context.set("domain.data.new", true)?;
        assert_eq!(
            context.get("domain.counter")?,
            Some(Value::Int(5)),
            "it sees its own writes"
        );
        assert_eq!(engine.context().version, 0, "nobody else does");
        assert!(context.remove("domain.hidden")?);
        assert!(!context.remove("domain.hidden")?);
        context.push("domain.deep", 1)
    });
    assert_eq!(length, Ok(1));
    assert_eq!(engine.context().version, 1);
    assert_eq!(value(&engine, "domain.counter"), Some(Value::Int(5)));
    assert_eq!(value(&engine, "domain.hidden"), None);
    // The operator may write configuration and signals, but nothing that is the host's own.
    engine
        .edit(|context| {
            context.set("global.max_capacity", 9)?;
            context.set("domain.sig_done", 1)
        })
        .expect("an edit");
    for (path, value) in [
        ("domain._x", Value::Nil),
        (
            "domain.data.a",
            crate::harness::engines::json(r#"{"_x": 1}"#),
        ),
    ] {
        let refused = engine.edit(|context| context.set(path, value));
        assert!(matches!(refused, Err(EditError::Private(_))), "{refused:?}");
    }
}

#[test]
fn an_edit_that_fails_leaves_nothing() {
    let engine = Setup::probe().engine();
    let events = engine.subscribe();
    let before = bytes(&engine);
    let given_up: Result<(), _> = engine.edit(|context| {
        context.set("domain.counter", 5)?;
        context.set("domain.sig_done", 5)?;
        Err(EditError::Abandoned("changed my mind".into()))
    });
    assert_eq!(
        given_up,
        Err(EditError::Abandoned("changed my mind".into()))
    );
    for result in [
        engine.edit(|context| context.set("domain..x", 1)),
        engine.edit(|context| context.set("domain.no.parent", 1)),
        engine.edit(|context| context.set("domain", 1)),
        engine.edit(|context| context.remove("domain").map(drop)),
    ] {
        assert!(result.is_err());
    }
    assert_eq!(bytes(&engine), before);
    assert_eq!(engine.context().version, 0);
    assert_eq!(events.try_next(), None);
    // Its lock went with it.
    commits(&engine, "increment", args! {});
}

#[test]
fn an_edit_that_panics_leaves_nothing_and_holds_nothing() {
    let engine = Setup::probe().engine();
    let before = bytes(&engine);
    let panicked = thread::scope(|scope| {
        let editing = scope.spawn(|| {
            engine.edit(|context| -> Result<(), EditError> {
                context.set("domain.counter", 5)?;
                panic!("on purpose");
            })
        });
        editing.join().is_err()
    });
    assert!(panicked);
    assert_eq!(bytes(&engine), before);
    commits(&engine, "increment", args! {});
}

/// The version and the value of each signal that is there.
fn drain(subscription: &theus_host::Subscription) -> Vec<(u64, Value)> {
    std::iter::from_fn(|| subscription.try_next())
        .map(|event| match event {
            Event::Signal { version, signal } => (version, signal.value),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn subscribers_see_committed_signals_in_commit_order() {
    let engine = Setup::probe().engine();
    let signal = |value: i64, fail: bool| args! { "value" => value, "fail" => fail };
    let early = engine.subscribe();
    commits(&engine, "signal", signal(1, false));
    let late = engine.subscribe();
    fails(&engine, "signal", signal(2, true), "ValueError");
    commits(&engine, "increment", args! {});
    // An equal value is an event all the same, and so is a signal of the operator's.
    commits(&engine, "signal", signal(1, false));
    engine
        .edit(|context| context.set("domain.sig_done", 3))
        .expect("an edit");
    let [one, again, edited] = [1, 1, 3].map(Value::Int);
    assert_eq!(
        drain(&early),
        [(1, one), (3, again.clone()), (4, edited.clone())]
    );
    assert_eq!(drain(&late), [(3, again), (4, edited)]);
}

#[test]
fn the_order_of_events_is_that_of_the_versions() {
    let engine = Setup::probe().engine();
    let events = engine.subscribe();
    thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..25 {
                    let value = thread * 100 + round;
                    let receipt = commits(
                        engine,
                        "signal",
                        args! { "value" => value, "fail" => false },
                    );
                    assert_eq!(receipt.signals.len(), 1);
                }
            });
        }
    });
    let versions: Vec<u64> = drain(&events).iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (1..=100).collect::<Vec<_>>());
}

/// A subscriber that does not keep up loses events and is told so; no commit waits for it.
#[test]
fn a_slow_subscriber_sees_a_gap() {
    let engine = Setup::probe().engine();
    let slow = engine.subscribe();
    for value in 0..1_030 {
        engine
            .edit(|context| context.set("domain.sig_done", value))
            .expect("an edit");
    }
    let mut events: Vec<Event> = std::iter::from_fn(|| slow.try_next()).collect();
    assert_eq!(events.pop(), Some(Event::Gap { version: 1_025 }));
    assert_eq!(events.len(), 1_024);
    commits(&engine, "signal", args! { "value" => 0, "fail" => false });
    assert_eq!(drain(&slow), [(1_031, Value::Int(0))]);
}

#[test]
fn outbox_messages_are_part_of_the_commit() {
    let engine = Setup::probe().engine();
    let receipt = commits(
        &engine,
        "send_messages",
        args! { "count" => 2, "topic" => "orders" },
    );
    let sent: Vec<_> = receipt
        .outbox
        .iter()
        .map(|it| (it.topic.as_str(), &it.payload[..]))
        .collect();
    assert_eq!(
        sent,
        [("orders", &b"message 0"[..]), ("orders", &b"message 1"[..])]
    );
}
