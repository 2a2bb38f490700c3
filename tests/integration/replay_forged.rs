//! Replay against whoever can write a journal: what no host has written is named, and nothing gets past the comparison.

use crate::harness::engines::{Setup, commits, fails};
use crate::harness::wat::hostile;
use crate::harness::{guests, outside};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use theus_core::transaction::{Effect, Write};
use theus_host::replay::{Apart, Compiler, Options, ReplayError, Replayed, What, replay};
use theus_host::store::{self, Commit, Damage, Entry, Hash, Store, StoreError};
use theus_host::{
    Actor, Call, Engine, Mode, Outcome, Path, Policy, Seed, Tree, Value, args, context_from_json,
};

/// What is different, by record, and what was not compared.
type Found = (Vec<(u64, What)>, Vec<(Apart, u64)>);

const CONTEXT: &str = r#"{"domain": {"counter": 0, "slots": {}, "inbox": {}, "data": {}, "hidden": "x", "seen": null, "sig_done": null}}"#;

fn new_store() -> Arc<dyn Store> {
    store::memory(context_from_json(CONTEXT).expect("a context")).expect("a store")
}

fn options() -> Options {
    let mut options = Options::default();
    options.compiled_code_cache = Some(guests::tmp().join("compiled"));
    options
}

/// The history of an engine over a store.
fn history(setup: Setup, runs: impl FnOnce(&Engine)) -> Arc<dyn Store> {
    let store = new_store();
    let engine = setup.store(store.clone()).engine();
    runs(&engine);
    store
}

/// The same history, told otherwise.
fn forged(store: &dyn Store, mut change: impl FnMut(&mut Entry)) -> Arc<dyn Store> {
    let copy = store::memory(begin(store)).expect("a store");
    for kept in store.entries(0, usize::MAX).expect("sound") {
        let mut entry = kept.entry;
        keep_blobs(store, &*copy, &entry);
        change(&mut entry);
        let kept = copy.commit(vec![Commit::new(entry)]).expect("committed");
        assert!(matches!(kept[..], [store::Outcome::Kept(_)]), "{kept:?}");
    }
    copy
}

fn begin(store: &dyn Store) -> Tree {
    store.begin(0).expect("it is there").tree
}

fn keep_blobs(from: &dyn Store, to: &dyn Store, entry: &Entry) {
    let component = match &entry.record.actor {
        Actor::Process { digest, .. } => digest.as_deref().and_then(|it| it.parse().ok()),
        _ => None,
    };
    let documents = [component, entry.terms.policy, entry.terms.limits];
    for digest in documents.into_iter().flatten() {
        let bytes = from.blob(digest).expect("sound").expect("kept");
        assert_eq!(to.keep_blob(&bytes), Ok(digest));
    }
}

#[track_caller]
fn replayed(store: &dyn Store) -> Replayed {
    let head = store.head();
    let replayed = replay(store, &options(), |_, _| {}).expect("it is replayed");
    assert_eq!(store.head(), head, "a replay writes nothing");
    replayed
}

#[track_caller]
fn found(store: &dyn Store) -> Found {
    let replayed = replayed(store);
    let differences = replayed.differences.iter();
    (
        differences.map(|it| (it.seq, it.what)).collect(),
        replayed.apart.into_iter().collect(),
    )
}

fn increments() -> Arc<dyn Store> {
    history(Setup::probe(), |engine| {
        commits(engine, "increment", args! {});
        let failing = args! { "code" => "ValueError", "message" => "no" };
        fails(engine, "fail", failing, "ValueError");
        fails(engine, "increment", args! { "more" => 1 }, "THEUS-U006");
    })
}

fn writes() -> Write {
    Write {
        path: Path::parse("domain.counter").expect("a path"),
        effect: Effect::Set(1_000_000.into()),
    }
}

/// What is applied was compared, or it has a reason that the record alone cannot make up.
#[test]
fn no_write_gets_past_the_comparison() {
    type Change = fn(&mut Entry);
    let store = increments();
    assert_eq!(found(&*store), (vec![], vec![(Apart::NotEntered, 1)]));
    let not_entered = || vec![(Apart::NotEntered, 1)];
    type Case = (u64, Change, What, Vec<(Apart, u64)>);
    let changes: [Case; 9] = [
        // A failed run that left something.
        (
            2,
            |it| it.writes.push(writes()),
            What::Write(1),
            not_entered(),
        ),
        (
            2,
            |it| it.result = Some(1.into()),
            What::Result,
            not_entered(),
        ),
        // One whose guest was not entered.
        (3, |it| it.writes.push(writes()), What::Write(1), vec![]),
        // Endings of which nothing is promised.
        (
            2,
            |it| {
                it.record.error = Some("THEUS-L002".into());
                it.writes.push(writes());
            },
            What::Write(1),
            not_entered(),
        ),
        (
            2,
            |it| {
                it.record.error = Some("THEUS-H001".into());
                it.writes.push(writes());
            },
            What::Write(1),
            not_entered(),
        ),
        // A commit that failed.
        (
            1,
            |it| it.record.error = Some("THEUS-L002".into()),
            What::Error,
            not_entered(),
        ),
        // A run that ended in no way.
        (2, |it| it.record.error = None, What::Error, not_entered()),
        // One that read nothing.
        (
            1,
            |it| {
                it.record.read_version = None;
                it.writes = vec![writes()];
            },
            What::Write(1),
            not_entered(),
        ),
        // Files that its contract does not ask for.
        (
            1,
            |it| {
                let mut outside = theus_host::Outside::default();
                outside.directories.push("data".into());
                it.record.outside = Some(Box::new(outside));
                it.writes = vec![writes()];
            },
            What::Write(1),
            not_entered(),
        ),
    ];
    for (at, change, what, apart) in changes {
        let copy = forged(&*store, |entry| {
            if entry.record.seq == at {
                change(entry);
            }
        });
        assert_eq!(found(&*copy), (vec![(at, what)], apart), "{at} {what}");
    }
}

/// Nothing of what a journal names ends the program, or keeps the rest from being looked at.
#[test]
fn what_a_record_names_may_be_anything() {
    type Change = fn(&mut Entry);
    let one = || {
        history(Setup::probe(), |engine| {
            commits(engine, "increment", args! {});
            commits(engine, "increment_at", args! { "slot" => "a" });
        })
    };
    let not_kept = |reason| (vec![], vec![(reason, 1)]);
    let changes: [(Change, Found); 8] = [
        (|it| it.terms.limits = None, not_kept(Apart::NotKept)),
        (
            |it| it.terms.limits = Some(Hash::default()),
            not_kept(Apart::NotKept),
        ),
        // A document that is there, and is of something else.
        (
            |it| it.terms.limits = it.terms.policy,
            not_kept(Apart::NotKept),
        ),
        (|it| it.terms.policy = None, not_kept(Apart::NotKept)),
        (
            |it| it.terms.policy = it.terms.limits,
            (vec![(1, What::Component)], vec![]),
        ),
        (
            |it| it.record.actor = process("increment", Some("native")),
            not_kept(Apart::NotKept),
        ),
        (
            |it| it.record.actor = process("increment", None),
            not_kept(Apart::NotKept),
        ),
        (
            |it| {
                let Actor::Process { digest, .. } = &it.record.actor else {
                    panic!("{:?}", it.record.actor)
                };
                it.record.actor = process("nobody", digest.as_deref());
            },
            (vec![(1, What::Component)], vec![]),
        ),
    ];
    let store = one();
    for (change, expected) in changes {
        let copy = forged(&*store, |entry| {
            if entry.record.seq == 1 {
                change(entry);
            }
        });
        assert_eq!(found(&*copy), expected);
        assert_eq!(replayed(&*copy).alike, 1, "the second run");
    }
    // Limits that no engine runs under.
    let limits = store.entries(0, 1).expect("sound")[0].entry.terms.limits;
    let document = store.blob(limits.expect("named")).expect("sound");
    let mut limits: Json = serde_json::from_slice(&document.expect("kept")).expect("JSON");
    limits["fuel"] = json!(0);
    let limits = limits.to_string();
    let digest = store.keep_blob(limits.as_bytes()).expect("kept");
    let copy = forged(&*store, |entry| {
        if entry.record.seq == 1 {
            entry.terms.limits = Some(digest);
        }
    });
    copy.keep_blob(limits.as_bytes()).expect("kept");
    assert_eq!(found(&*copy), (vec![(1, What::Component)], vec![]));
    assert_eq!(replayed(&*copy).alike, 1, "the second run");
}

fn process(name: &str, digest: Option<&str>) -> Actor {
    Actor::Process {
        name: name.into(),
        digest: digest.map(Into::into),
    }
}

#[test]
fn a_version_that_there_never_was_is_damage() {
    let copy = forged(&*increments(), |entry| {
        if entry.record.seq == 2 {
            entry.record.read_version = Some(7);
        }
    });
    let error = replay(&*copy, &options(), |_, _| {}).expect_err("it is made up");
    let ReplayError::Store(StoreError::Damaged(Damage::Record { seq, problem })) = error else {
        panic!("{error}")
    };
    assert_eq!((seq, problem.contains("version 7")), (2, true), "{problem}");
}

/// Replaying over the time of today would show a difference that is none, or hide one.
#[test]
fn a_run_whose_time_or_seed_is_missing_is_not_made_again() {
    let folder = outside::folder();
    let policy = Policy::as_declared()
        .grant_clock()
        .grant_random()
        .grant_directory("data", folder.path().join("data"));
    let setup = Setup::of(guests::outside(), "guests/probe/context.yaml").policy(policy);
    let store = history(setup, |engine| {
        commits(engine, "time", args! {});
        commits(engine, "random", args! {});
    });
    assert_eq!(found(&*store), (vec![], vec![]));
    let none = forged(&*store, |entry| entry.record.outside = None);
    assert_eq!(found(&*none), (vec![], vec![(Apart::NotKept, 2)]));
    let other = forged(&*store, |entry| {
        let outside = entry.record.outside.as_mut().expect("recorded");
        outside.time = outside.time.map(|_| std::time::UNIX_EPOCH);
        outside.seed = outside.seed.map(|_| Seed::from_bytes([7; 32]));
    });
    let writes = vec![(1, What::Write(1)), (2, What::Write(1))];
    assert_eq!(found(&*other), (writes, vec![]));
}

/// An instance that could not be made had read nothing, and is made again all the same.
#[test]
fn what_ended_while_its_instance_was_made_is_made_again() {
    let store = new_store();
    let engine = Setup::probe().store(store.clone()).engine();
    engine
        .register(hostile("start-traps"), Policy::as_declared())
        .expect("it is registered");
    let receipt = engine.call(Call::new("attack", args! {}));
    assert_eq!(receipt.outcome, Outcome::RolledBack, "{:?}", receipt.error);
    let entry = &store.entries(0, 1).expect("sound")[0].entry;
    assert_eq!(entry.record.read_version, None);
    assert_eq!(replayed(&*store).alike, 1);
    let other = forged(&*store, |it| it.record.error = Some("THEUS-L001".into()));
    assert_eq!(found(&*other).0, [(1, What::Error)]);
}

/// The store's records are the engine's: what failed leaves no result in them.
#[test]
fn a_run_that_an_output_rule_refused_leaves_no_result_in_its_record() {
    let rule = "{ field: domain.counter, max: 0, level: B }";
    let recipe = format!("process_recipes: {{ increment: {{ outputs: [{rule}] }} }}");
    let store = history(Setup::probe().recipe(&recipe), |engine| {
        fails(engine, "increment", args! {}, "THEUS-A001");
    });
    let entry = &store.entries(0, 1).expect("sound")[0].entry;
    assert_eq!((&entry.result, entry.writes.len()), (&None, 0));
    assert_eq!(
        (found(&*store), replayed(&*store).alike),
        ((vec![], vec![]), 1)
    );
    let dearer = forged(&*store, |it| it.record.fuel += 1);
    assert_eq!(found(&*dearer).0, [(1, What::Fuel)]);
}

/// The interlock is history as well: a replay neither minds it nor throws it.
#[test]
fn verdicts_of_level_s_and_resets_are_history() {
    let rule = "{ field: domain.counter, max: 1, level: S, message: 'no more' }";
    let recipe = format!("process_recipes: {{ increment: {{ outputs: [{rule}] }} }}");
    let store = history(Setup::probe().recipe(&recipe), |engine| {
        commits(engine, "increment", args! {});
        fails(engine, "increment", args! {}, "THEUS-A003");
        fails(engine, "increment", args! {}, "THEUS-A004");
        engine.reset_interlock().expect("it is reset");
        commits(engine, "increment_at", args! { "slot" => "a" });
        fails(engine, "increment", args! {}, "THEUS-A003");
    });
    let replayed = replayed(&*store);
    assert_eq!((replayed.different, replayed.alike), (0, 4));
    assert_eq!(
        found(&*store).1,
        [(Apart::NoRun, 1), (Apart::NotEntered, 1)]
    );
    assert!(store.state().interlock().is_some(), "as it was");
}

/// As many limits as a journal likes, one after the other and back again.
#[test]
fn any_number_of_limits_is_replayed() {
    let store = new_store();
    for turn in 0..2 {
        for fuel in [1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000] {
            let setup = Setup::probe().limits(|it| it.fuel = fuel + turn);
            let engine = setup.store(store.clone()).engine();
            commits(&engine, "increment", args! {});
            let endings = [("spin", "THEUS-L001"), ("recurse", "THEUS-L004")];
            for (process, code) in endings.into_iter().take(1 + usize::from(fuel > 4_000_000)) {
                fails(&engine, process, args! {}, code);
            }
        }
    }
    let replayed = replayed(&*store);
    assert_eq!(
        (replayed.different, replayed.alike),
        (0, 22),
        "{replayed:?}"
    );
}

/// No process reads them, so it makes no difference what they are: a history with other ones replays as well. Where there
/// are none, it costs less to step over them, and nothing else is different.
#[test]
fn meta_values_never_influence_a_replay() {
    let meta = |engine: &Engine, value: Value| {
        let edited = engine.edit(|context| {
            context.set("domain.meta_note", value.clone())?;
            context.set("domain.inbox.meta_deep", value.clone())?;
            context.set("domain.data.meta_deep", value)
        });
        edited.expect("an edit");
    };
    let store = history(Setup::probe(), |engine| {
        meta(engine, 1.into());
        commits(engine, "increment", args! {});
        for process in ["touch", "keys_raw", "len_raw", "get_raw"] {
            for path in ["domain.inbox", "domain.data"] {
                commits(engine, process, args! { "path" => path });
            }
        }
        meta(engine, "other".into());
        let steps = crate::harness::engines::json(
            r#"[{"get": {"path": "domain.inbox"}}, {"keys": {"path": "domain.data"}}]"#,
        );
        commits(engine, "script", args! { "steps" => steps });
    });
    let whole = replayed(&*store);
    assert_eq!((whole.different, whole.alike), (0, 10), "{whole:?}");
    let long: Value = "x".repeat(10_000).as_str().into();
    let with_edits = |change: &dyn Fn(&mut Entry)| {
        let other = forged(&*store, |entry| {
            if entry.record.actor == Actor::Edit {
                change(entry);
            }
        });
        replayed(&*other)
    };
    let others = with_edits(&|entry| {
        for write in &mut entry.writes {
            write.effect = Effect::Set(long.clone());
        }
    });
    assert_eq!((others.different, others.alike), (0, 10), "{others:?}");
    // In as many versions.
    let none = with_edits(&|entry| {
        entry.writes = vec![Write {
            path: Path::parse("domain.hidden").expect("a path"),
            effect: Effect::Set("x".into()),
        }];
    });
    // All that looked at those maps, and not the one that did not.
    assert_eq!((none.different, none.alike), (9, 1), "{none:?}");
    let costs = none.differences.iter().all(|it| it.what == What::Fuel);
    assert!(costs, "{none:?}");
}

#[test]
fn what_permissive_runs_and_heavy_values_did_comes_back() {
    let heavy = Value::from(vec![7; 300_000]);
    let store = history(Setup::probe().permissive(), |engine| {
        let value = heavy.clone();
        let set = args! { "path" => "domain.data.heavy_w", "value" => value };
        commits(engine, "set_raw", set);
        commits(engine, "write_undeclared", args! {});
        commits(engine, "touch", args! { "path" => "domain.data.heavy_w" });
        commits(
            engine,
            "send_messages",
            args! { "count" => 3, "topic" => "t" },
        );
        commits(engine, "echo", args! { "value" => f64::NAN });
    });
    let replayed = replayed(&*store);
    assert_eq!((replayed.different, replayed.alike), (0, 5), "{replayed:?}");
    let strict = forged(&*store, |entry| entry.record.mode = Mode::Strict);
    let differences = found(&*strict).0;
    assert!(
        differences.starts_with(&[(1, What::Error), (2, What::Error)]),
        "{differences:?}"
    );
    let other = forged(&*store, |entry| {
        if let Some(message) = entry.outbox.get_mut(1) {
            message.payload = b"other".to_vec().into();
        }
    });
    assert_eq!(found(&*other).0, [(4, What::Message(2))]);
}

#[test]
fn what_another_compiler_made_is_compared_as_far_as_that_is_promised() {
    let setup = Setup::probe().limits(|it| it.fuel = 5_000_000);
    let store = history(setup, |engine| {
        commits(engine, "increment", args! {});
        fails(engine, "spin", args! {}, "THEUS-L001");
        fails(engine, "unreachable", args! {}, "THEUS-T001");
    });
    let other = forged(&*store, |entry| {
        entry.terms.settings = Some(Hash::default());
        entry.record.fuel += 1;
    });
    let whole = replayed(&*other);
    assert_eq!(
        (whole.different, whole.alike, whole.other_fuel),
        (0, 2, 1),
        "{whole:?}"
    );
    assert_eq!(found(&*other).1, [(Apart::OtherCompiler, 1)]);
    let differs = forged(&*other, |entry| {
        if let Some(write) = entry.writes.first_mut() {
            write.effect = Effect::Set(2.into());
        }
    });
    let whole = replayed(&*differs);
    let first = &whole.differences[0];
    assert_eq!(
        (first.what, first.compiler),
        (What::Write(1), Compiler::Other)
    );
}

/// That nothing differs would say nothing.
#[test]
fn a_process_that_no_record_is_of_is_a_slip() {
    let store = increments();
    let mut only = options();
    only.process = Some("incremnt".into());
    let error = replay(&*store, &only, |_, _| {}).expect_err("there is none");
    let ReplayError::NoSuchProcess { process, known } = error else {
        panic!("{error}")
    };
    assert_eq!(
        (process.as_str(), known),
        ("incremnt", vec!["fail".to_owned(), "increment".into()])
    );
}
