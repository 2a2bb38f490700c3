//! A context that lasts: what comes back, what does not, and what nobody is told before it lasts.

use crate::harness::engines::{Setup, bytes, commits, fails, json, value};
use crate::harness::gate::{Gate, OpensAtTheEnd};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use theus_host::store::{self, Damage, Entry, Hash, Kept, StoreError};
use theus_host::{
    Actor, Call, Durability, Engine, ErrorKind, Event, Outcome, RunError, Terms, args,
};

fn engine(state: &Path) -> Engine {
    Setup::probe().state(state).engine()
}

fn log(state: &Path) -> Vec<Kept> {
    let store = store::open(state, |_, _| {}).expect("it opens");
    store.entries(0, usize::MAX).expect("sound")
}

#[test]
fn what_was_committed_is_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let engine_of_a_life = |version: u64| {
        let engine = engine(&state);
        assert_eq!(engine.context().version, version);
        engine
    };
    let first = engine_of_a_life(0);
    let receipt = commits(&first, "increment", args! {});
    assert_eq!(receipt.durability, Durability::Durable);
    first
        .edit(|context| context.set("domain.record.child", 7))
        .expect("an edit");
    commits(&first, "increment_at", args! { "slot" => "a" });
    let before = bytes(&first);
    drop(first);
    let second = engine_of_a_life(3);
    assert_eq!(bytes(&second), before);
    assert_eq!(
        commits(&second, "increment", args! {}).result,
        Some(2.into())
    );
    drop(second);
    // The hash of a receipt of the first life still stands.
    let journal = receipt.journal.expect("there is a store");
    let verified = store::verify(&state, Some(journal.hash)).expect("it can be read");
    assert_eq!(
        (verified.expected, verified.damage),
        (Some(journal.seq), None)
    );
}

#[test]
fn every_ending_leaves_a_record_that_lasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let recipe =
        "process_recipes: { increment: { inputs: [{ field: domain.counter, max: 0, level: B }] } }";
    let first = Setup::probe().recipe(recipe).state(state).engine();
    commits(&first, "increment", args! {});
    fails(&first, "increment", args! {}, "THEUS-A001");
    fails(&first, "write_undeclared", args! {}, "THEUS-C002");
    fails(&first, "nobody", args! {}, "THEUS-U005");
    commits(&first, "secret", args! { "token" => "hunter2" });
    let edited = first.edit(|context| context.set("domain.no.parent", 1));
    assert!(edited.is_err());
    assert_eq!(
        first
            .call(Call::new("increment", args! {}).dry_run())
            .error
            .map(|it| it.code()),
        Some("THEUS-A001".into())
    );
    let in_memory = first.records();
    drop(first);
    let log = log(state);
    let told: Vec<_> = log
        .iter()
        .map(|kept| {
            let record = &kept.entry.record;
            let name = match &record.actor {
                Actor::Process { name, .. } => &**name,
                Actor::Edit => "(edit)",
                other => panic!("{other:?}"),
            };
            (
                name,
                record.version,
                record.outcome,
                record.error.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("increment", Some(1), Outcome::Committed, None),
            ("increment", None, Outcome::Refused, Some("THEUS-A001")),
            (
                "write_undeclared",
                None,
                Outcome::RolledBack,
                Some("THEUS-C002")
            ),
            ("nobody", None, Outcome::Refused, Some("THEUS-U005")),
            ("secret", None, Outcome::Committed, None),
            ("(edit)", None, Outcome::Refused, Some("THEUS-T005")),
        ]
    );
    let seqs: Vec<_> = in_memory.iter().map(|it| it.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6], "the same numbers in memory");
    let first = &log[0].entry;
    let reads: Vec<_> = first.reads.iter().map(ToString::to_string).collect();
    assert_eq!(reads, ["domain.counter"]);
    assert_eq!(
        (first.record.read_version, first.writes.len()),
        (Some(0), 1)
    );
    let touched: Vec<_> = first.touched.iter().map(ToString::to_string).collect();
    assert_eq!(touched, ["domain.counter"], "what it did read");
    assert_eq!(
        (&first.result, &log[1].entry.result),
        (&Some(1.into()), &None)
    );
    assert!(first.record.fuel > 0);
    all_terms_are_kept(state, first);
    // The rule let the first run pass, blocked the second one, and its counter is back at 0 each time.
    assert_eq!(log[1].entry.record.audit.len(), 1);
    let text = serde_json::to_string(&log[4].entry.to_value()).expect("json");
    assert!(
        text.contains(theus_host::MASK) && !text.contains("hunter2"),
        "{text}"
    );
}

/// Whatever a record names by digest can be had from the state.
fn all_terms_are_kept(state: &Path, entry: &Entry) {
    let store = store::open(state, |_, _| {}).expect("it opens");
    let document = |digest: Option<Hash>| {
        let bytes = store.blob(digest.expect("named")).expect("sound");
        String::from_utf8(bytes.expect("kept")).expect("text")
    };
    let Terms {
        policy,
        recipe,
        schema,
        limits,
        settings,
        contract,
        ..
    } = entry.terms;
    assert!(document(policy).contains(r#""outputs":["domain.counter"]"#));
    assert!(document(recipe).contains("process_recipes"));
    assert!(document(limits).contains(r#""fuel":1000000000"#));
    assert!(document(settings).contains("compiler"));
    assert_eq!((schema, contract.is_some()), (None, true));
    let Actor::Process { digest, .. } = &entry.record.actor else {
        panic!("{:?}", entry.record.actor)
    };
    let component = digest.as_deref().expect("registered").parse();
    let component = store.blob(component.expect("a digest")).expect("sound");
    assert!(component.expect("kept").starts_with(b"\0asm"));
}

#[test]
fn counters_and_the_interlock_survive_also_an_edit_of_the_recipe() {
    let recipe = |rules: &str| format!("process_recipes: {{ echo_name: {{ inputs: [{rules}] }} }}");
    let counted = "{ field: name, max_len: 3, level: B, threshold: 3 }";
    let throwing = "{ field: name, neq: thrown, level: S, message: 'no more' }";
    let other = "{ field: name, min_len: 1, level: C }";
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let engine = |rules: &str| Setup::probe().recipe(&recipe(rules)).state(state).engine();

    let first = engine(&format!("{counted}, {throwing}"));
    commits(&first, "echo_name", args! { "name" => "long" });
    drop(first);
    // The rule stands elsewhere now, and its counter goes on.
    let second = engine(&format!("{other}, {throwing}, {counted}"));
    assert_eq!(second.audit_counts().len(), 1);
    let receipt = commits(&second, "echo_name", args! { "name" => "long" });
    assert_eq!(receipt.audit[0].count, 2);
    fails(
        &second,
        "echo_name",
        args! { "name" => "thrown" },
        "THEUS-A003",
    );
    drop(second);
    let third = engine(&format!("{throwing}, {counted}"));
    let cause = third.interlock().expect("it is in force");
    assert_eq!(
        (cause.process.as_str(), cause.message.as_str()),
        ("echo_name", "no more")
    );
    fails(&third, "increment", args! {}, "THEUS-A004");
    assert_eq!(third.reset_interlock(), Ok(Some(cause)));
    // `thrown` is too long as well, but nothing is judged behind level S; so this is the third time.
    fails(
        &third,
        "echo_name",
        args! { "name" => "long" },
        "THEUS-A001",
    );
    drop(third);
    let fourth = engine(counted);
    assert_eq!((fourth.interlock(), fourth.audit_counts().len()), (None, 0));
}

#[test]
fn signals_return_to_their_initial_values_and_all_else_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let first = engine(state);
    commits(&first, "signal", args! { "value" => 5, "fail" => false });
    first
        .edit(|context| {
            context.set("domain.meta_note", "kept")?;
            context.set("domain.data.cmd_go", true)
        })
        .expect("an edit");
    drop(first);
    let second = engine(state);
    assert_eq!(value(&second, "domain.sig_done"), Some(json("null")));
    assert_eq!(value(&second, "domain.data.cmd_go"), None);
    assert_eq!(value(&second, "domain.meta_note"), Some("kept".into()));
    assert_eq!(second.context().version, 3);
    drop(second);
    // There was nothing left to reset.
    assert_eq!(engine(state).context().version, 3);
    let log = log(state);
    let last = log.last().expect("one");
    assert_eq!(last.entry.record.actor, Actor::SignalsReset);
    assert_eq!((last.entry.record.seq, last.entry.writes.len()), (3, 2));
}

#[test]
fn a_state_has_one_context_and_one_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let first = engine(state);
    let refused = |context: bool| {
        let mut builder = Engine::builder().state(state);
        if context {
            builder = builder.context(theus_host::Tree::default());
        }
        builder.build().err().expect("refused").to_string()
    };
    assert!(refused(false).contains("in use by another host"));
    drop(first);
    assert!(refused(true).contains("there is a state in"));
    let store = store::open(state, |_, _| {}).expect("it opens");
    let both = Engine::builder()
        .store(store)
        .context(theus_host::Tree::default());
    assert!(
        both.build()
            .err()
            .expect("refused")
            .to_string()
            .contains("has a context")
    );
}

#[test]
fn a_context_that_a_new_schema_does_not_allow_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(engine(folder.path()));
    let text = "context: { domain: { counter: { type: int, min: 1 } } }";
    let schema = theus_host::Schema::parse(text, "schema.yaml").expect("a schema");
    let error = Engine::builder()
        .schema(schema)
        .state(folder.path())
        .build()
        .err();
    assert!(
        error
            .expect("refused")
            .to_string()
            .contains("domain.counter")
    );
}

#[test]
fn nobody_is_told_of_what_does_not_last() {
    let gate = Gate::shut();
    let engine = Setup::probe().store(gate.clone()).engine();
    let _opens = OpensAtTheEnd(gate.clone());
    let events = engine.subscribe();
    thread::scope(|scope| {
        let engine = &engine;
        let committed =
            scope.spawn(move || commits(engine, "signal", args! { "value" => 1, "fail" => false }));
        gate.until_asked();
        // The next ones read what does not last.
        let refused = scope.spawn(move || engine.call(Call::new("write_undeclared", args! {})));
        let dry = scope.spawn(move || engine.call(Call::new("increment", args! {}).dry_run()));
        // For as long as the gate is shut, nothing of it is told.
        assert_eq!(engine.context().version, 0);
        assert_eq!(events.next_timeout(Duration::from_millis(50)), None);
        assert!(!committed.is_finished() && !refused.is_finished());
        gate.open();
        assert_eq!(committed.join().expect("a receipt").version, 1);
        assert_eq!(
            refused.join().expect("a receipt").outcome,
            Outcome::RolledBack
        );
        assert!(dry.join().expect("a receipt").error.is_none());
    });
    assert_eq!(engine.context().version, 1);
    let event = events.next_timeout(Duration::from_secs(60));
    assert!(
        matches!(event, Some(Event::Signal { version: 1, .. })),
        "{event:?}"
    );
}

#[test]
fn a_failing_store_fails_every_run_behind_it() {
    let gate = Gate::shut();
    let engine = Setup::probe().store(gate.clone()).engine();
    let events = engine.subscribe();
    gate.failing.store(true, Ordering::SeqCst);
    gate.open();
    let receipt = engine.call(Call::new("increment", args! {}));
    let error = receipt.error.expect("it is not kept");
    assert_eq!(
        (error.code().as_str(), error.kind()),
        ("THEUS-H004", ErrorKind::Host)
    );
    assert_ne!(receipt.outcome, Outcome::Committed);
    assert!(receipt.changes.is_empty() && receipt.result.is_none());
    assert_eq!((receipt.version, engine.context().version), (0, 0));
    // The store is well again; what it holds is open, so nothing more is taken, and nothing is tried again.
    gate.failing.store(false, Ordering::SeqCst);
    let made = engine.sandboxes_made();
    for process in ["increment", "echo"] {
        let error = engine
            .call(Call::new(process, args! {}))
            .error
            .expect("refused");
        assert!(matches!(error, RunError::Store { .. }), "{error}");
    }
    assert_eq!(engine.sandboxes_made(), made, "no guest is entered");
    let edited = engine.edit(|context| context.set("domain.counter", 9));
    assert!(
        edited
            .expect_err("refused")
            .to_string()
            .contains("the disk is gone")
    );
    assert!(engine.reset_interlock().is_err());
    assert_eq!(events.try_next(), None);
    assert_eq!(gate.inner.head().seq, 0);
}

#[test]
fn nobody_waits_for_a_store_that_panicked() {
    let gate = Gate::shut();
    let engine = Setup::probe().store(gate.clone()).engine();
    gate.panicking.store(true, Ordering::SeqCst);
    gate.open();
    for _ in 0..2 {
        let error = engine.call(Call::new("increment", args! {})).error;
        let error = error.expect("it is not kept").to_string();
        assert!(error.contains("the committer panicked"), "{error}");
    }
}

#[test]
fn a_buffered_engine_does_not_wait_and_says_so() {
    let gate = Gate::shut();
    let engine = Engine::builder()
        .store(gate.clone())
        .durability(Durability::Buffered)
        .build()
        .expect("an engine");
    let _opens = OpensAtTheEnd(gate.clone());
    let events = engine.subscribe();
    engine
        .edit(|context| context.set("domain.sig_done", 1))
        .expect("acknowledged at once");
    let receipt = engine.call(Call::new("nobody", args! {}));
    assert_eq!(receipt.durability, Durability::Buffered);
    // Readers outside and subscribers still see what lasts, and only that.
    assert_eq!((engine.context().version, events.try_next()), (0, None));
    gate.open();
    assert!(events.next_timeout(Duration::from_secs(60)).is_some());
    drop(engine);
    assert_eq!(gate.inner.head().seq, 2, "what was queued is kept");
}

#[test]
fn many_threads_commit_in_one_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path());
    thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for _ in 0..25 {
                    let slot = format!("slot{thread}");
                    let receipt = commits(engine, "increment_at", args! { "slot" => slot });
                    let journal = receipt.journal.expect("there is a store");
                    assert!(
                        journal.version >= receipt.version,
                        "acknowledged before it lasts"
                    );
                    assert!(engine.context().version >= receipt.version);
                    commits(engine, "increment", args! {});
                }
            });
        }
    });
    let before = bytes(&engine);
    drop(engine);
    let verified = store::verify(folder.path(), None).expect("it can be read");
    assert_eq!((verified.sound.seq, verified.damage), (200, None));
    let store = store::open(folder.path(), |_, _| {}).expect("it opens");
    let versions: Vec<_> = store
        .watch(0, Duration::ZERO)
        .expect("sound")
        .iter()
        .filter_map(|kept| kept.entry.record.version)
        .collect();
    assert_eq!(versions, (1..=200).collect::<Vec<u64>>());
    drop(store);
    let engine = Setup::probe().state(folder.path()).engine();
    assert_eq!(bytes(&engine), before);
    assert_eq!(value(&engine, "domain.counter"), Some(100.into()));
}

#[test]
fn a_damaged_state_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(engine(folder.path()));
    std::fs::remove_file(folder.path().join("seal")).expect("there");
    let error = Engine::builder()
        .state(folder.path())
        .build()
        .err()
        .expect("refused");
    let damaged = StoreError::Damaged(Damage::File("its seal is missing".into()));
    assert_eq!(error.to_string(), damaged.to_string());
}

/// Files are what readers outside see: not before their commit lasts, and not at all where that is open.
#[test]
fn files_are_in_place_once_their_commit_lasts_and_not_before() {
    use crate::harness::scribe;
    for fails in [false, true] {
        let folder = scribe::folder();
        let data = folder.path().join("data");
        let gate = Gate::over(r#"{"domain":{"told":0,"sig_told":false}}"#);
        gate.failing.store(fails, Ordering::SeqCst);
        let engine = scribe::setup(folder.path()).store(gate.clone()).engine();
        let _opens = OpensAtTheEnd(gate.clone());
        let before = scribe::files(&data);
        let receipt = thread::scope(|scope| {
            let steps = scribe::steps(&[&["write", "/data/file", "other"]]);
            let engine = &engine;
            let ran = scope.spawn(move || engine.call(Call::new("work", steps)));
            gate.until_asked();
            let text = std::fs::read_to_string(data.join("file")).expect("it is there");
            assert_eq!(text, "some text", "nothing of it lasts");
            gate.open();
            ran.join().expect("no panic")
        });
        let text = std::fs::read_to_string(data.join("file")).expect("it is there");
        if fails {
            assert_eq!(
                (receipt.outcome, text.as_str()),
                (Outcome::RolledBack, "some text")
            );
            assert_eq!(
                receipt.error.map(|it| it.code()).as_deref(),
                Some("THEUS-H004")
            );
            // What became of the commit is open, so what was staged stays until that is known: and it was not kept.
            assert_ne!(scribe::files(&data), before);
            drop(engine);
            drop(
                scribe::setup(folder.path())
                    .store(gate.inner.clone())
                    .engine(),
            );
            assert_eq!(scribe::files(&data), before);
        } else {
            assert_eq!(
                (receipt.outcome, text.as_str()),
                (Outcome::Committed, "other")
            );
        }
    }
}
