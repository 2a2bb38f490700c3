//! Large values of the heavy zone: transactional like all the rest, kept apart from the journal, and read in pieces.

use crate::harness::engines::{Setup, commits, fails, value};
use crate::harness::gate::{Gate, OpensAtTheEnd};
use std::fs;
use std::path::Path;
use std::thread;
use theus_host::{
    Call, Engine, ErrorKind, Limit, Map, Outcome, RunError, Value, args, context_from_json, store,
};

const MIB: usize = 1 << 20;
const CONTEXT: &str = r#"{"domain":{"counter":0}}"#;

fn engine(state: &Path) -> Engine {
    Setup::probe().context(CONTEXT).state(state).engine()
}

fn draw(bytes: usize, shade: u8, fail: bool) -> Map {
    let bytes = i64::try_from(bytes).expect("small");
    args! { "bytes" => bytes, "shade" => i64::from(shade), "fail" => fail }
}

fn image(bytes: usize, shade: u8) -> Option<Value> {
    Some(Value::from(vec![shade; bytes]))
}

/// The blobs of a state that are as large as a value.
fn large_blobs(state: &Path) -> Vec<u64> {
    let listed = fs::read_dir(state.join("blobs")).expect("there are some");
    let lengths = listed.map(|it| it.expect("readable").metadata().expect("there").len());
    // A component is a blob, too.
    lengths.filter(|len| *len > 800_000).collect()
}

#[test]
fn a_large_value_is_committed_kept_apart_and_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let first = engine(state);
    let receipt = commits(&first, "draw", draw(MIB, 7, false));
    assert_eq!(receipt.changes[0].path.to_string(), "domain.heavy_image");
    assert_eq!(value(&first, "domain.heavy_image"), image(MIB, 7));
    assert_eq!(large_blobs(state).len(), 1);
    // The same again, by a process and by hand.
    commits(&first, "draw", draw(MIB, 7, false));
    let edit = first.edit(|context| context.set("domain.heavy_copy", vec![7_u8; MIB]));
    edit.expect("an edit");
    assert_eq!(large_blobs(state).len(), 1, "once");
    commits(&first, "draw", draw(MIB, 8, false));
    drop(first);
    let journal = fs::metadata(state.join("journal.redb")).expect("there");
    assert!(journal.len() < 800_000, "{} bytes", journal.len());
    let second = engine(state);
    assert_eq!(value(&second, "domain.heavy_image"), image(MIB, 8));
    assert_eq!(value(&second, "domain.heavy_copy"), image(MIB, 7));
    let store = second.context();
    assert_eq!(store.version, 4);
    drop(second);
    let verified = store::verify(state, None).expect("it can be read");
    assert_eq!(verified.damage, None);
}

#[test]
fn a_rollback_leaves_nothing_of_a_large_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let recipe = "process_recipes: { draw: { outputs: [
        { field: domain.heavy_image, max_len: 2000000, level: B }] } }";
    let schema = "context: { domain: { type: map, open: true, fields: {
        heavy_image: { type: bytes, max_len: 1500000 } } } }";
    let engine = Setup::probe()
        .context(CONTEXT)
        .recipe(recipe)
        .schema(schema)
        .limits(|limits| limits.heavy_value_bytes = 3_000_000)
        .state(state)
        .engine();
    // By the process, by a rule, by the schema, by a limit.
    fails(&engine, "draw", draw(MIB, 1, true), "Told");
    fails(&engine, "draw", draw(2_500_000, 1, false), "THEUS-A001");
    fails(&engine, "draw", draw(1_700_000, 1, false), "THEUS-C011");
    fails(&engine, "draw", draw(3_000_001, 1, false), "THEUS-L006");
    let dry = engine.call(Call::new("draw", draw(MIB, 1, false)).dry_run());
    assert_eq!(dry.error, None);
    assert_eq!(value(&engine, "domain.heavy_image"), None);
    assert_eq!(large_blobs(state), [0; 0]);
    commits(&engine, "draw", draw(MIB, 1, false));
    assert_eq!(large_blobs(state).len(), 1);
}

/// One host writes a large value, and does not get on; another one commits meanwhile, and is acknowledged.
#[test]
fn small_commits_do_not_wait_for_a_large_value_to_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let context = context_from_json(CONTEXT).expect("a context");
    let store = store::create(folder.path(), context).expect("a new one");
    let gate = Gate::shut_to_large_blobs(store);
    let engine = Setup::probe().store(gate.clone()).engine();
    thread::scope(|scope| {
        let _opens = OpensAtTheEnd(gate.clone());
        let drawn = scope.spawn(|| commits(&engine, "draw", draw(MIB, 7, false)));
        while !gate.was_asked() {
            assert!(!drawn.is_finished(), "it is written by whoever commits it");
            thread::yield_now();
        }
        // The value is being written, and will be until all of this is acknowledged.
        for count in 1..=3 {
            let receipt = commits(&engine, "increment", args! {});
            assert_eq!(receipt.result, Some(Value::Int(count)));
            let journal = receipt.journal.expect("there is a store");
            assert_eq!(journal.version, receipt.version);
        }
        assert_eq!(engine.context().version, 3);
        assert_eq!(value(&engine, "domain.heavy_image"), None);
        assert!(!drawn.is_finished());
        gate.open();
        assert_eq!(drawn.join().expect("a receipt").version, 4);
    });
    assert_eq!(value(&engine, "domain.heavy_image"), image(MIB, 7));
}

/// A value that cannot be written fails its own run; the state takes what comes behind.
#[test]
fn a_large_value_that_cannot_be_written_fails_its_run_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let context = context_from_json(CONTEXT).expect("a context");
    let store = store::create(folder.path(), context).expect("a new one");
    let gate = Gate::shut_to_large_blobs(store);
    let engine = Setup::probe().store(gate.clone()).engine();
    gate.open();
    gate.failing
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let receipt = engine.call(Call::new("draw", draw(MIB, 7, false)));
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    let error = receipt.error.expect("it is not kept");
    assert_eq!(
        (error.code().as_str(), error.kind()),
        ("THEUS-H004", ErrorKind::Host)
    );
    let edit = engine.edit(|context| context.set("domain.heavy_image", vec![7_u8; MIB]));
    assert!(
        edit.expect_err("refused")
            .to_string()
            .contains("the disk is gone")
    );
    assert_eq!(value(&engine, "domain.heavy_image"), None);
    commits(&engine, "increment", args! {});
    gate.failing
        .store(false, std::sync::atomic::Ordering::SeqCst);
    commits(&engine, "draw", draw(MIB, 7, false));
}

#[test]
fn a_value_that_is_too_large_to_get_is_read_in_pieces() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path();
    let bytes = (0..MIB).map(|at| (at % 251) as u8).collect::<Vec<_>>();
    let first = engine(state);
    let edit = first.edit(|context| context.set("domain.heavy_image", bytes.clone()));
    edit.expect("an edit");
    // Below its own limit, which is another one than that of data, it is handed out whole.
    let whole = MIB as i64 + 5;
    assert_eq!(
        commits(&first, "look", args! {}).result,
        Some(Value::Int(whole))
    );
    drop(first);
    let second = Setup::probe()
        .limits(|limits| limits.heavy_value_bytes = 1_000_000)
        .state(state)
        .engine();
    let receipt = second.call(Call::new("look", args! {}));
    let error = receipt.error.expect("it is refused");
    assert_eq!(
        (error.code().as_str(), error.kind()),
        ("THEUS-L006", ErrorKind::Limit)
    );
    let RunError::Limit { exceeded, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (exceeded.limit, exceeded.allowed),
        (Limit::HeavyValueBytes, 1_000_000)
    );
    let help = error.help().expect("help");
    assert!(help.contains("`read-bytes`"), "{help}");
    let mut read = Vec::new();
    while read.len() < MIB {
        let piece = args! { "offset" => read.len() as i64, "len" => 300_000 };
        match commits(&second, "look_at", piece).result {
            Some(Value::Bytes(piece)) => read.extend_from_slice(&piece),
            other => panic!("{other:?}"),
        }
    }
    assert!(read == bytes);
}
