//! Policies: the operator grants less than a contract asks for, and never more.

use crate::harness::engines::{Setup, commits, fails, message, value};
use crate::harness::guests;
use crate::harness::in_flight::{counting, during_spin};
use theus_core::guard::Violation;
use theus_host::{
    Call, Engine, ErrorKind, ErrorReport, Mode, Outcome, Policy, PolicyProblem, ProcessPolicy,
    Receipt, RegisterError, Value, args,
};

fn narrowed(process: &str, policy: ProcessPolicy) -> Policy {
    Policy::as_declared().narrowed(process, policy)
}

#[track_caller]
fn help(receipt: &Receipt) -> String {
    let error = receipt.error.as_ref().expect("an error");
    error.help().expect("a help")
}

#[track_caller]
fn refused(policy: Policy) -> RegisterError {
    let engine = Engine::builder().build().expect("an engine");
    let error = engine
        .register(guests::probe().file.as_path(), policy)
        .expect_err("it does not narrow");
    assert_eq!(error.code().as_str(), "THEUS-U011", "{error}");
    let receipt = engine.call(Call::new("echo", args! { "value" => 1 }));
    assert_eq!(receipt.outcome, Outcome::Refused, "nothing was registered");
    error
}

#[test]
fn what_the_policy_withholds_is_refused_and_says_who_refuses() {
    let policy = narrowed("increment", ProcessPolicy::new().outputs([] as [&str; 0]));
    let engine = Setup::probe().policy(policy).engine();
    let written = fails(&engine, "increment", args! {}, "THEUS-C002");
    assert_eq!(
        message(&written),
        "increment: `set` of `domain.counter` writes outside the policy; nothing is granted as writable"
    );
    assert_eq!(
        help(&written),
        "the contract declares it, the policy does not grant it: add \"domain.counter\" to the policy's outputs of \
         `increment`, or do not touch it"
    );
    // What the contract itself does not declare is still the contract's to mend.
    let policy = narrowed(
        "write_undeclared",
        ProcessPolicy::new().inputs([] as [&str; 0]),
    );
    let engine = Setup::probe().policy(policy).engine();
    let undeclared = fails(&engine, "write_undeclared", args! {}, "THEUS-C002");
    assert_eq!(
        help(&undeclared),
        "add \"domain.hidden\" to the process's outputs, or do not touch it (contract of `write_undeclared`)"
    );
}

#[test]
fn what_is_left_works_and_other_processes_keep_what_they_declare() {
    let policy = narrowed(
        "increment_at",
        ProcessPolicy::new().outputs(["domain.slots.anna"]),
    );
    let engine = Setup::probe().policy(policy).engine();
    commits(&engine, "increment_at", args! { "slot" => "anna" });
    assert_eq!(value(&engine, "domain.slots.anna"), Some(Value::Int(1)));
    commits(&engine, "increment", args! {});
    // The contract grants `domain.slots.{slot}` of this call, the policy another one: nothing is both.
    let other = fails(
        &engine,
        "increment_at",
        args! { "slot" => "bob" },
        "THEUS-C001",
    );
    assert!(
        message(&other).contains("`get` of `domain.slots.bob` reads outside the policy"),
        "{}",
        message(&other)
    );
}

/// A run locks its grant: what the policy withholds keeps nobody waiting.
#[test]
fn what_is_withheld_is_not_locked() {
    let policy = narrowed("spin_for", ProcessPolicy::new().outputs(["domain.slots.b"]));
    let engine = counting().policy(policy).engine();
    let (long, ()) = during_spin(&engine, "a", |still_running| {
        commits(&engine, "increment_at", args! { "slot" => "a" });
        assert!(
            still_running(),
            "it did not wait for the run that may not write there"
        );
    });
    let code = long.error.as_ref().map(theus_host::RunError::code);
    assert_eq!(code.as_deref(), Some("THEUS-C002"));
    assert_eq!(value(&engine, "domain.slots.a"), Some(Value::Int(1)));
}

#[test]
fn a_policy_that_widens_is_refused_at_registration() {
    let policy = narrowed(
        "increment",
        ProcessPolicy::new()
            .inputs(["domain"])
            .outputs(["domain.countre"]),
    );
    let error = refused(policy);
    let RegisterError::Policy { process, problems } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(process, "increment");
    assert_eq!(problems.len(), 2, "both are told: {problems:?}");
    assert!(
        problems
            .iter()
            .all(|it| matches!(it, PolicyProblem::NotDeclared { .. }))
    );
    assert_eq!(
        error.to_string(),
        "increment: the policy grants `domain` among its inputs, which the contract does not ask for; it reads \
         domain.counter; the policy grants `domain.countre` among its outputs, which the contract does not ask for; it \
         writes domain.counter"
    );
    let report = ErrorReport::from(&error);
    assert_eq!(report.path.as_deref(), Some("domain"));
    assert_eq!(report.process.as_deref(), Some("increment"));
    let slip = refused(narrowed(
        "increment",
        ProcessPolicy::new().outputs(["domain.countre"]),
    ));
    assert!(
        slip.help()
            .expect("a help")
            .starts_with("did you mean `domain.counter`?")
    );
}

#[test]
fn a_policy_that_would_do_nothing_is_refused() {
    let nobody = refused(narrowed(
        "incremnt",
        ProcessPolicy::new().inputs(["domain.counter"]),
    ));
    assert!(
        nobody
            .to_string()
            .contains("the policy is for the process `incremnt`, which the guest does not have"),
        "{nobody}"
    );
    assert_eq!(nobody.help().as_deref(), Some("did you mean `increment`?"));
    let empty = refused(narrowed("increment", ProcessPolicy::new()));
    assert!(
        empty.to_string().contains("would narrow nothing"),
        "{empty}"
    );
}

/// Permissive mode relaxes the grant, whoever made it narrow; the report says whose line to add.
#[test]
fn permissive_mode_reports_what_the_policy_withholds() {
    let policy = narrowed("increment", ProcessPolicy::new().outputs([] as [&str; 0]));
    let engine = Setup::probe().policy(policy).permissive().engine();
    let receipt = commits(&engine, "increment", args! {});
    let violations: Vec<_> = receipt.violations.iter().map(Violation::remedy).collect();
    assert_eq!(
        violations,
        [
            "the contract declares it, the policy does not grant it: add \"domain.counter\" to the policy's outputs"
        ]
    );
}

/// Several runs come to one block: whole lists, to paste into the contract and the policy.
#[test]
fn advice_is_collected_over_permissive_runs() {
    let policy = narrowed(
        "write_undeclared",
        ProcessPolicy::new().outputs([] as [&str; 0]),
    );
    let engine = Setup::probe().policy(policy).permissive().engine();
    assert!(engine.advice().is_empty());
    for slot in ["a", "b"] {
        commits(&engine, "increment_at", args! { "slot" => slot });
    }
    let dry = engine.call(Call::new("write_undeclared", args! {}).dry_run());
    assert_eq!(dry.violations.len(), 2);
    assert!(engine.advice().is_empty(), "a dry run leaves nothing");
    commits(&engine, "write_undeclared", args! {});
    commits(&engine, "write_undeclared", args! {});
    commits(&engine, "read_undeclared", args! {});
    let advice = engine.advice();
    let processes: Vec<_> = advice.iter().map(theus_host::Advice::process).collect();
    assert_eq!(processes, ["read_undeclared", "write_undeclared"]);
    assert_eq!(
        advice[0].to_string(),
        "the contract of `read_undeclared` would have to say:\n    inputs = [\"domain.counter\", \"domain.hidden\"],\n"
    );
    assert_eq!(
        advice[1].to_string(),
        "the contract of `write_undeclared` would have to say:\n    outputs = [\"domain.counter\", \"domain.hidden\"],\n\
         the policy of `write_undeclared` would have to say:\n    outputs = [\"domain.counter\", \"domain.hidden\"],\n"
    );
    let strict = Setup::probe().engine();
    fails(&strict, "write_undeclared", args! {}, "THEUS-C002");
    assert!(strict.advice().is_empty());
    let record = engine.records().pop().expect("a record");
    assert_eq!(record.mode, theus_host::Mode::Permissive);
}

/// Whatever the mode: a message leaves the host. Nothing of the run remains, not even what went to a topic that is granted.
#[test]
fn a_message_to_a_topic_that_is_withheld_ends_the_run() {
    let send = |topics: &[&str], topic: &str, mode: Mode| {
        let policy = narrowed(
            "send_messages",
            ProcessPolicy::new().topics(topics.to_vec()),
        );
        let engine = Engine::builder().mode(mode).build().expect("an engine");
        engine
            .register(guests::probe().file.as_path(), policy)
            .unwrap_or_else(|error| panic!("{error}"));
        engine.call(Call::new(
            "send_messages",
            args! { "count" => 2, "topic" => topic },
        ))
    };
    for mode in [Mode::Strict, Mode::Permissive] {
        for (topics, topic) in [
            (&["orders"][..], "orders"),
            (&["x", "stock.*"], "stock.low"),
            (&["*"], "anything"),
        ] {
            let receipt = send(topics, topic, mode);
            assert!(receipt.error.is_none(), "{:?}", receipt.error);
            assert_eq!(receipt.outbox.len(), 2);
        }
        for (topics, topic) in [
            (&["orders"][..], "orders.new"),
            (&["stock.*"], "stock"),
            (&[], "orders"),
        ] {
            let receipt = send(topics, topic, mode);
            let error = receipt.error.expect("it is withheld");
            assert_eq!(
                (error.code(), error.kind()),
                ("THEUS-C013".into(), ErrorKind::Contract)
            );
            assert!(receipt.outbox.is_empty() && receipt.changes.is_empty());
            let told = error.to_string();
            assert!(told.contains(&format!("`{topic}`")), "{told}");
            let help = error.help().expect("help");
            assert!(help.contains("`topics`"), "{help}");
        }
    }
}
