//! Replay: a history made again is the same, and whatever is different is named.

use crate::harness::binary::run_in;
use crate::harness::engines::{Setup, commits, fails};
use crate::harness::output_schema::misfits;
use crate::harness::{guests, in_flight, outside, root, scribe};
use serde_json::json;
use std::path::Path as File;
use std::sync::Arc;
use theus_host::replay::{Apart, Options, Replayed, What, replay};
use theus_host::store::{self, Commit, Entry, Hash, Store};
use theus_host::{
    Actor, Engine, OutboxMessage, Outcome, Policy, ProcessPolicy, Tree, args, context_from_json,
};

fn replayed(state: &File, options: &Options) -> Replayed {
    let store = store::open(state, |_, _| {}).expect("it opens");
    let head = store.head();
    let replayed = replay(&*store, options, |_, _| {}).expect("it is replayed");
    assert_eq!(store.head(), head, "a replay writes nothing");
    replayed
}

fn apart(replayed: &Replayed) -> Vec<(Apart, u64)> {
    replayed
        .apart
        .iter()
        .map(|(apart, number)| (*apart, *number))
        .collect()
}

fn options() -> Options {
    let mut options = Options::default();
    options.compiled_code_cache = Some(guests::tmp().join("compiled"));
    options
}

/// Runs of every ending.
fn endings(engine: &Engine) {
    commits(engine, "increment", args! {});
    commits(engine, "increment_at", args! { "slot" => "a.b[0]\"" });
    fails(
        engine,
        "fail",
        args! { "code" => "ValueError", "message" => "no" },
        "ValueError",
    );
    fails(
        engine,
        "fail",
        args! { "code" => "Other", "message" => "no" },
        "THEUS-C003",
    );
    fails(
        engine,
        "panic_now",
        args! { "message" => "no" },
        "THEUS-T002",
    );
    fails(engine, "unreachable", args! {}, "THEUS-T001");
    fails(engine, "fail_decode", args! {}, "THEUS-T007");
    fails(engine, "write_undeclared", args! {}, "THEUS-C002");
    fails(engine, "spin", args! {}, "THEUS-L001");
    fails(engine, "nobody", args! {}, "THEUS-U005");
    fails(engine, "increment", args! { "more" => 1 }, "THEUS-U006");
    commits(engine, "secret", args! { "token" => "hunter2" });
    commits(engine, "signal", args! { "value" => 1, "fail" => false });
    let edited = engine.edit(|context| {
        context.set("domain.counter", 40)?;
        context.set("domain.meta_note", "no process sees this")
    });
    edited.expect("an edit");
    commits(engine, "increment", args! {});
}

#[test]
fn runs_of_every_ending_are_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Setup::probe()
        .limits(|it| it.fuel = 5_000_000)
        .state(folder.path())
        .engine();
    endings(&engine);
    drop(engine);
    let replayed = replayed(folder.path(), &options());
    assert_eq!(replayed.differences, []);
    assert_eq!(
        apart(&replayed),
        [
            (Apart::NoRun, 1),
            (Apart::NotEntered, 2),
            (Apart::Secret, 1)
        ]
    );
    assert_eq!((replayed.alike, replayed.other_fuel), (11, 0));
    assert_eq!((replayed.records, replayed.version), (Some((1, 15)), 5));
}

/// Rules and schema judge behind the guest, and are not judged again; the guest's part of such a run is.
#[test]
fn what_was_refused_behind_the_guest_is_run_again_as_far_as_the_guest_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = "process_recipes: { increment: { outputs: [{ field: domain.counter, max: 1, level: B }] } }";
    let engine = Setup::probe().recipe(recipe).state(folder.path()).engine();
    commits(&engine, "increment", args! {});
    fails(&engine, "increment", args! {}, "THEUS-A001");
    drop(engine);
    let replayed = replayed(folder.path(), &options());
    assert_eq!(
        (replayed.differences.as_slice(), replayed.alike),
        ([].as_slice(), 2)
    );
}

#[test]
fn policies_limits_and_modes_are_those_of_each_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let narrow = ProcessPolicy::new()
        .outputs(["domain.counter"])
        .inputs(["domain.counter"]);
    let policy = || Policy::as_declared().narrowed("increment", narrow.clone());
    let first = Setup::probe().policy(policy()).state(state).engine();
    commits(&first, "increment", args! {});
    drop(first);
    let second = Setup::probe().permissive().state(state).engine();
    commits(&second, "write_undeclared", args! {});
    drop(second);
    let third = Setup::probe()
        .limits(|it| it.writes = 3)
        .state(state)
        .engine();
    fails(&third, "rewrite", args! { "count" => 4 }, "THEUS-L009");
    drop(third);
    let fourth = Setup::probe().state(state).engine();
    commits(&fourth, "rewrite", args! { "count" => 4 });
    drop(fourth);
    let replayed = replayed(state, &options());
    assert_eq!(
        (replayed.differences.as_slice(), replayed.alike),
        ([].as_slice(), 4)
    );
}

#[test]
fn time_and_randomness_come_back_and_files_do_not() {
    let folder = outside::folder();
    let state = folder.path().join("state");
    let context = context_from_json(r#"{"domain": {"seen": null}}"#).expect("a context");
    let policy = Policy::as_declared()
        .grant_clock()
        .grant_random()
        .grant_directory("data", folder.path().join("data"));
    let engine = Setup::of(guests::outside(), "guests/probe/context.yaml")
        .tree(context)
        .policy(policy)
        .state(&state)
        .engine();
    for process in ["time", "random", "time_unasked", "random_unasked"] {
        commits(&engine, process, args! {});
    }
    commits(&engine, "read", args! { "path" => "/data/file" });
    drop(engine);
    let reading = replayed(&state, &options());
    assert_eq!(
        (reading.differences.as_slice(), reading.alike),
        ([].as_slice(), 4)
    );
    assert_eq!(apart(&reading), [(Apart::Files, 1)]);

    let folder = scribe::folder();
    let state = folder.path().join("state");
    let engine = scribe::setup(folder.path()).state(&state).engine();
    scribe::says(&engine, &["write", "/data/file", "other"]);
    drop(engine);
    let writing = replayed(&state, &options());
    assert_eq!(
        (writing.differences.as_slice(), apart(&writing).as_slice()),
        ([].as_slice(), [(Apart::Files, 1)].as_slice())
    );
    assert_eq!(writing.version, 1, "what it wrote is applied");
}

/// Runs that were under way together read versions that others have since left behind.
#[test]
fn runs_that_read_older_versions_are_run_on_those() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let engine = in_flight::counting().state(state).engine();
    let (receipt, ()) = in_flight::during_spin(&engine, "a", |_| {
        for _ in 0..10 {
            commits(&engine, "increment_at", args! { "slot" => "b" });
        }
    });
    assert_eq!(receipt.error, None);
    drop(engine);
    let store = store::open(state, |_, _| {}).expect("it opens");
    let entries = store.entries(0, usize::MAX).expect("sound");
    let is_behind =
        |it: &store::Kept| it.entry.record.read_version < it.entry.record.version.map(|it| it - 1);
    let behind = entries.iter().filter(|it| is_behind(it)).count();
    assert_eq!((entries.len(), behind), (11, 1));
    drop(store);
    let whole = replayed(state, &options());
    assert_eq!(
        (whole.differences.as_slice(), whole.alike),
        ([].as_slice(), 11)
    );
    // A part of it begins where it begins, wherever its runs read.
    let mut part = options();
    (part.from, part.to) = (Some(5), None);
    let part = replayed(state, &part);
    assert_eq!(
        (part.differences.as_slice(), part.alike, part.records),
        ([].as_slice(), 7, Some((5, 11)))
    );
}

#[test]
fn a_history_that_was_compacted_is_replayed_from_where_it_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let engine = Setup::probe().state(state).engine();
    (0..3).for_each(|_| drop(commits(&engine, "increment", args! {})));
    drop(engine);
    let store = store::open(state, |_, _| {}).expect("it opens");
    store.compact(3).expect("compacted");
    drop(store);
    let engine = Setup::probe().state(state).engine();
    commits(&engine, "increment", args! {});
    drop(engine);
    let replayed = replayed(state, &options());
    assert_eq!(
        (
            replayed.differences.as_slice(),
            replayed.alike,
            replayed.records
        ),
        ([].as_slice(), 1, Some((4, 4)))
    );
}

#[test]
fn guests_in_assemblyscript_are_replayed_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup::of(guests::warehouse_as(), "guests/warehouse/context.yaml");
    let engine = setup.state(folder.path()).engine();
    commits(
        &engine,
        "add_product",
        args! { "product_name" => "TV", "price" => 500 },
    );
    fails(
        &engine,
        "add_product",
        args! { "product_name" => "TV", "price" => -5 },
        "ValueError",
    );
    drop(engine);
    let replayed = replayed(folder.path(), &options());
    assert_eq!(
        (replayed.differences.as_slice(), replayed.alike),
        ([].as_slice(), 2)
    );
}

/// A history of one run, changed by hand before it is replayed.
fn changed(change: impl FnOnce(&mut Entry)) -> Replayed {
    let changed = |begin| store::memory(begin).expect("a store");
    let copy = with_changed(change, changed);
    replay(&*copy, &options(), |_, _| {}).expect("it is replayed")
}

fn with_changed(
    change: impl FnOnce(&mut Entry),
    create: impl FnOnce(Tree) -> Arc<dyn Store>,
) -> Arc<dyn Store> {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Setup::probe().state(folder.path()).engine();
    commits(&engine, "increment", args! {});
    drop(engine);
    let original = store::open(folder.path(), |_, _| {}).expect("it opens");
    let begin = original.begin(0).expect("there").tree;
    let copy = create(begin);
    copy_blobs(&*original, &*copy);
    let mut entry = original.entries(0, 1).expect("sound").remove(0).entry;
    change(&mut entry);
    copy.commit(vec![Commit::new(entry)]).expect("kept");
    copy
}

fn copy_blobs(from: &dyn Store, to: &dyn Store) {
    let entry = from.entries(0, 1).expect("sound").remove(0).entry;
    let Actor::Process { digest, .. } = &entry.record.actor else {
        panic!("{:?}", entry.record.actor)
    };
    let component: Hash = digest.as_deref().expect("named").parse().expect("a digest");
    let documents = [Some(component), entry.terms.policy, entry.terms.limits];
    for digest in documents.into_iter().flatten() {
        let bytes = from.blob(digest).expect("sound").expect("kept");
        assert_eq!(to.keep_blob(&bytes), Ok(digest));
    }
}

#[test]
fn whatever_is_different_is_named() {
    type Change = fn(&mut Entry);
    let changes: [(Change, What); 8] = [
        (
            |it| it.writes[0].effect = theus_core::transaction::Effect::Set(2.into()),
            What::Write(1),
        ),
        (|it| it.writes.push(it.writes[0].clone()), What::Write(2)),
        (
            |it| {
                it.outbox.push(OutboxMessage {
                    topic: "t".into(),
                    payload: b"p".to_vec().into(),
                });
            },
            What::Message(1),
        ),
        (|it| it.result = Some(2.into()), What::Result),
        (|it| it.result = None, What::Result),
        (|it| it.record.fuel += 1, What::Fuel),
        (
            |it| {
                it.writes.clear();
                it.result = None;
                it.record.error = Some("ValueError".into());
                it.record.outcome = Outcome::RolledBack;
            },
            What::Error,
        ),
        (|it| it.record.args = args! { "x" => 1 }, What::Error),
    ];
    for (change, what) in changes {
        let replayed = changed(change);
        let found: Vec<_> = replayed
            .differences
            .iter()
            .map(|it| (it.seq, it.what))
            .collect();
        assert_eq!(found, [(1, what)], "{replayed:?}");
        assert_eq!((replayed.different, replayed.alike), (1, 0));
        assert_eq!(
            replayed.differences[0].process.as_deref(),
            Some("increment")
        );
    }
    assert_eq!(changed(|_| {}).alike, 1);
    // Other code may cost otherwise; that is said, and is no difference.
    let settings = changed(|it| {
        it.record.fuel += 1;
        it.terms.settings = Some(Hash::default());
    });
    assert_eq!(
        (settings.different, settings.alike, settings.other_fuel),
        (0, 1, 1)
    );
    // What is not there cannot be run, and is not passed over in silence.
    let lost = changed(|it| it.terms.limits = None);
    assert_eq!(apart(&lost), [(Apart::NotKept, 1)]);
}

#[test]
fn one_process_alone_is_run_again_over_what_the_others_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Setup::probe().state(folder.path()).engine();
    commits(&engine, "rewrite", args! { "count" => 2 });
    commits(&engine, "increment", args! {});
    drop(engine);
    let mut only = options();
    only.process = Some("increment".into());
    let replayed = replayed(folder.path(), &only);
    assert_eq!(
        (replayed.differences.as_slice(), replayed.alike),
        ([].as_slice(), 1)
    );
    assert_eq!(apart(&replayed), [(Apart::OtherProcess, 1)]);
}

/// The verb says what the library finds, in words and as an object.
#[test]
fn the_verb_names_the_first_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let create = |begin| store::create(&state, begin).expect("a store");
    let copy = with_changed(|it| it.record.fuel += 1, create);
    copy.close().expect("closed");
    drop(copy);
    let line = ["replay", "--state", "state"];
    let ran = run_in(folder.path(), &line);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout
            .contains("records 1 to 1: 0 run again and alike, 1 different"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("record 1: the fuel of increment was "),
        "{ran:?}"
    );
    let line = ["replay", "--state", "state", "-o", "json"];
    let ran = run_in(folder.path(), &line);
    let object = ran.json();
    assert_eq!(
        misfits(&line.map(str::to_owned), &object),
        [""; 0],
        "{object}"
    );
    assert_eq!(
        (ran.code, &object["error"]["code"]),
        (1, &json!("THEUS-H008"))
    );
    assert_eq!(object["differences"][0]["what"], "fuel");
    assert_eq!(object["different"], 1);
}

#[test]
fn the_verb_replays_what_commands_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let guest = guests::warehouse().file.display().to_string();
    let context = root()
        .join("guests/warehouse/context.yaml")
        .display()
        .to_string();
    let add = |price: &str, more: &[&str]| {
        let line = [
            "run",
            &guest,
            "add_product",
            "product_name=TV",
            price,
            "--state",
            "state",
        ];
        run_in(folder.path(), &[&line[..], more].concat()).code
    };
    assert_eq!(add("price=500", &["--context", &context]), 0);
    assert_eq!(add("price=-5", &[]), 7);
    assert_eq!(add("price=20", &["--fuel", "2000000"]), 0);
    let line = ["replay", "--state", "state"];
    let ran = run_in(folder.path(), &line);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (
            0,
            "records 1 to 3: 3 run again and alike, 0 different\ncontext: version 2\n"
        ),
        "{ran:?}"
    );
    let line = [
        "replay", "--state", "state", "--from", "2", "--to", "2", "-o", "json",
    ];
    let object = run_in(folder.path(), &line).json();
    assert_eq!(
        misfits(&line.map(str::to_owned), &object),
        [""; 0],
        "{object}"
    );
    assert_eq!(
        (&object["first"], &object["alike"], &object["version"]),
        (&json!(2), &json!(1), &json!(1))
    );
    let misspelt = ["replay", "--state", "state", "--process", "add_products"];
    let ran = run_in(folder.path(), &misspelt);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("did you mean `add_product`?"),
        "{ran:?}"
    );
    for (wrong, told) in [
        (["--from", "4"].as_slice(), "the last one is 3"),
        (&["--from", "3", "--to", "2"], "--from 3 lies behind --to 2"),
    ] {
        let ran = run_in(
            folder.path(),
            &[&["replay", "--state", "state"][..], wrong].concat(),
        );
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
    }
}
