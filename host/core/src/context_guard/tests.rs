use super::*;
use crate::code::Code;
use crate::testing::{any_key, any_value};
use crate::transaction::Snapshot;
use crate::tree::Tree;
use crate::value::Map;
use crate::zone::is_private;
use proptest::prelude::*;

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

fn pack(text: &str) -> Vec<u8> {
    codec::encode_all(&json(text))
}

const CONTEXT: &str = r#"{
    "items": [{"price": 1}, {"price": 2, "sig_sold": true}],
    "box": {"a": 1, "b": {"meta_note": 1, "c": 2}, "_p": 3, "heavy_image": 4},
    "text": "héllo", "total": 3, "sig_done": false, "rows": [1, 2, 3], "heavy_blob": {"x": 1}
}"#;

fn guarded(inputs: &[&str], outputs: &[&str], mode: Mode, limits: Limits) -> ContextGuard {
    let mut base = Snapshot::default();
    base.tree
        .set(&path("domain"), json(CONTEXT))
        .expect("a map");
    let paths = |texts: &[&str]| texts.iter().map(|text| path(text)).collect();
    let guard = Guard::new(paths(inputs), paths(outputs));
    ContextGuard::new(guard, Transaction::begin(base), Arc::new(limits), mode)
}

fn strict(inputs: &[&str], outputs: &[&str]) -> ContextGuard {
    guarded(inputs, outputs, Mode::Strict, Limits::default())
}

fn shown(guard: &mut ContextGuard, path: &str) -> String {
    let bytes = guard.get(path).expect(path).expect("something is there");
    let bounds = Bounds {
        depth: 32,
        decoded_bytes: 1 << 20,
    };
    serde_json::to_string(&codec::decode(&bytes, bounds).expect("a value")).expect("json")
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.expect_err("must be refused").code()
}

#[test]
fn a_read_leaves_out_what_is_of_another_zone_in_get_keys_and_len() {
    let mut guard = strict(&["domain.box", "domain.items"], &[]);
    assert_eq!(shown(&mut guard, "domain.box"), r#"{"a":1,"b":{"c":2}}"#);
    assert_eq!(guard.len("domain.box"), Ok(Some(2)));
    assert_eq!(
        guard.keys("domain.box", None, 10),
        Ok(vec!["a".into(), "b".into()])
    );
    assert_eq!(
        shown(&mut guard, "domain.items"),
        r#"[{"price":1},{"price":2}]"#
    );
    assert_eq!(guard.len("domain.items[1]"), Ok(Some(1)));
    assert_eq!(code(guard.get("domain.box._p")), Code::ReadOutside);
    assert_eq!(
        code(guard.get("domain.items[1].sig_sold")),
        Code::ReadOutside
    );
}

#[test]
fn keys_go_on_after_a_key_and_stop_at_the_limit() {
    let mut guard = strict(&["domain.box", "domain.total"], &[]);
    assert_eq!(
        guard.keys("domain.box", Some("a"), 10),
        Ok(vec!["b".into()])
    );
    assert_eq!(guard.keys("domain.box", None, 1), Ok(vec!["a".into()]));
    assert_eq!(guard.keys("domain.box.none", None, 1), Ok(vec![]));
    assert_eq!(
        code(guard.keys("domain.total", None, 1)),
        Code::ShapeMismatch
    );
}

#[test]
fn len_is_for_what_has_a_length() {
    let mut guard = strict(&["domain.text", "domain.total", "domain.none"], &[]);
    assert_eq!(guard.len("domain.text"), Ok(Some(6)));
    assert_eq!(guard.len("domain.none"), Ok(None));
    assert_eq!(guard.len("domain.total.below"), Ok(None));
    assert_eq!(code(guard.len("domain.total")), Code::ShapeMismatch);
}

#[test]
fn read_bytes_gives_pieces() {
    let mut guard = strict(&["domain.text", "domain.total"], &[]);
    assert_eq!(guard.read_bytes("domain.text", 3, 100), Ok(b"llo".to_vec()));
    assert_eq!(guard.read_bytes("domain.text", 2, 1), Ok(vec![0xa9]));
    assert_eq!(
        guard.read_bytes("domain.text", u64::MAX, u32::MAX),
        Ok(vec![])
    );
    assert_eq!(
        code(guard.read_bytes("domain.total", 0, 1)),
        Code::ShapeMismatch
    );
}

#[test]
fn a_write_does_not_cover_what_is_of_another_zone() {
    let mut guard = strict(&[], &["domain.box", "domain.items"]);
    assert_eq!(
        code(guard.set("domain.box", &pack("{}"))),
        Code::WriteOutside
    );
    assert_eq!(code(guard.remove("domain.box.b")), Code::WriteOutside);
    assert_eq!(code(guard.remove("domain.items[1]")), Code::WriteOutside);
    assert_eq!(guard.set("domain.box.b.c", &pack("9")), Ok(()));
}

#[test]
fn a_written_value_moves_nothing_into_another_zone() {
    let mut guard = strict(
        &[],
        &[
            "domain.box",
            "domain.items",
            "domain.heavy_blob",
            "domain.sig_done",
        ],
    );
    for value in [
        r#"{"sig_x":1}"#,
        r#"[{"a":{"_p":1}}]"#,
        r#"{"meta_x":1}"#,
        r#"{"heavy_x":1}"#,
    ] {
        assert_eq!(
            code(guard.set("domain.box.a", &pack(value))),
            Code::ZoneMoved,
            "{value}"
        );
        assert_eq!(
            code(guard.push("domain.items", &pack(value))),
            Code::ZoneMoved,
            "{value}"
        );
        assert_eq!(
            code(guard.set("domain.heavy_blob", &pack(value))),
            Code::ZoneMoved,
            "{value}"
        );
        assert_eq!(
            code(guard.set("domain.sig_done", &pack(value))),
            Code::ZoneMoved,
            "{value}"
        );
    }
    assert!(guard.transaction().writes().is_empty());
}

#[test]
fn checks_come_in_their_order() {
    let limits = Limits {
        value_bytes: 4,
        value_depth: 3,
        ..Limits::default()
    };
    let mut guard = guarded(&[], &["domain.box"], Mode::Strict, limits);
    let long = format!("domain.other{}", ".a".repeat(16));
    assert_eq!(
        code(guard.set("domain..x", &[0xc1; 9])),
        Code::MalformedPath
    );
    assert_eq!(code(guard.set(&long, &[0xc1; 9])), Code::PathTooLarge);
    assert_eq!(
        code(guard.set("domain.other", &[0xc1; 9])),
        Code::WriteOutside
    );
    assert_eq!(
        code(guard.set("domain.box.a", &[0xc1; 9])),
        Code::ValueTooLarge
    );
    assert_eq!(
        code(guard.set("domain.box.a", &[0x91, 0x91, 0xc0])),
        Code::ValueTooLarge
    );
    assert_eq!(
        code(guard.set("domain.box.a", &[0xc1])),
        Code::MalformedValue
    );
    assert_eq!(guard.set("domain.box.a", &[0x91, 0xc0]), Ok(()));
    assert_eq!(
        code(guard.push("domain.box.a", &[0x91, 0xc0])),
        Code::ValueTooLarge
    );
}

#[test]
fn a_value_over_the_limit_is_refused_when_read() {
    let limits = Limits {
        value_bytes: 6,
        ..Limits::default()
    };
    let mut guard = guarded(&["domain.text", "domain.total"], &[], Mode::Strict, limits);
    assert_eq!(code(guard.get("domain.text")), Code::ValueTooLarge);
    assert_eq!(
        code(
            guard
                .read_bytes("domain.text", 0, 7)
                .and(guard.get("domain.text").map(drop))
        ),
        Code::ValueTooLarge
    );
    assert!(guard.get("domain.total").is_ok());
}

#[test]
fn operations_and_bytes_are_counted_to_the_edge() {
    let limits = Limits {
        reads: 2,
        writes: 2,
        write_bytes: 3,
        read_bytes: 2,
        outbox_messages: 1,
        outbox_bytes: 4,
        ..Limits::default()
    };
    let fresh = || {
        guarded(
            &["domain.total"],
            &["domain.box.a"],
            Mode::Strict,
            limits.clone(),
        )
    };
    let mut guard = fresh();
    assert!(guard.get("domain.total").is_ok());
    assert!(guard.get("domain.total").is_ok());
    assert_eq!(code(guard.get("domain.total")), Code::TooManyReads);
    let mut guard = fresh();
    assert!(guard.set("domain.box.a", &[1]).is_ok());
    assert!(guard.set("domain.box.a", &[1]).is_ok());
    assert_eq!(code(guard.set("domain.box.a", &[1])), Code::TooManyWrites);
    let mut guard = fresh();
    assert!(guard.set("domain.box.a", &[0x92, 1, 1]).is_ok());
    assert_eq!(code(guard.set("domain.box.a", &[1])), Code::TooManyWrites);
    let mut guard = fresh();
    assert!(guard.set("domain.box.a", &[0x92, 1, 1]).is_ok());
    assert_eq!(code(guard.get("domain.box.a")), Code::TooManyReads);
    let mut guard = fresh();
    assert!(guard.send("ab", b"cd").is_ok());
    assert_eq!(code(guard.send("", b"")), Code::OutboxFull);
    assert_eq!(code(fresh().send("ab", b"cde")), Code::OutboxFull);
    assert_eq!(code(fresh().send(&"t".repeat(257), b"")), Code::OutboxFull);
}

#[test]
fn permissive_mode_reports_and_goes_on_but_not_over_private_keys() {
    let mut guard = guarded(
        &["domain.total"],
        &["domain.total"],
        Mode::Permissive,
        Limits::default(),
    );
    assert_eq!(guard.set("domain.sig_done", &pack("true")), Ok(()));
    assert_eq!(guard.set("domain.rows[0]", &pack("7")), Ok(()));
    assert_eq!(guard.set("domain.rows[0]", &pack("8")), Ok(()));
    assert_eq!(
        shown(&mut guard, "domain.box"),
        r#"{"a":1,"b":{"c":2,"meta_note":1},"heavy_image":4}"#
    );
    assert_eq!(guard.violations().len(), 3);
    assert_eq!(
        guard.violations()[0].remedy(),
        "add \"domain.sig_done\" to the process's outputs"
    );
    assert_eq!(code(guard.get("domain.box._p")), Code::ReadOutside);
    assert_eq!(code(guard.remove("domain.box")), Code::WriteOutside);
    assert_eq!(
        code(guard.set("domain.total", &pack(r#"{"sig_x":{"_p":1}}"#))),
        Code::ZoneMoved
    );
    assert_eq!(
        code(guard.set("domain..x", &pack("1"))),
        Code::MalformedPath
    );
}

#[test]
fn work_follows_logical_sizes_and_not_the_shape_of_the_tree() {
    let work = |context: &str| {
        let mut base = Snapshot::default();
        base.tree
            .set(&path("domain"), json(context))
            .expect("a map");
        let guard = Guard::new(vec![], vec![path("domain.list")]);
        let mut guard = ContextGuard::new(
            guard,
            Transaction::begin(base),
            Arc::default(),
            Mode::Strict,
        );
        guard.push("domain.list", &pack("[1,2,3]")).expect("push");
        guard.work()
    };
    let large = format!(r#"{{"list":[{}0],"other":{{"a":1}}}}"#, "1,".repeat(5000));
    assert_eq!(work(r#"{"list":[]}"#), work(&large));
}

/// One host call of a random script.
#[derive(Clone, Debug)]
enum Step {
    Get(String),
    Len(String),
    Keys(String, Option<String>),
    ReadBytes(String),
    Set(String, Value),
    Push(String, Value),
    Remove(String),
}

fn any_path() -> impl Strategy<Value = Path> {
    let segment = prop_oneof![
        4 => any_key().prop_map(|key| crate::path::Segment::Key(key.into())),
        1 => (0u64..3).prop_map(crate::path::Segment::Index),
    ];
    (any::<bool>(), prop::collection::vec(segment, 0..4)).prop_map(|(global, segments)| {
        let layer = if global {
            crate::path::Layer::Global
        } else {
            crate::path::Layer::Domain
        };
        Path::new(layer, segments)
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let text = any_path().prop_map(|path| path.to_string()).boxed();
    prop_oneof![
        text.clone().prop_map(Step::Get),
        text.clone().prop_map(Step::Len),
        (text.clone(), prop::option::of(any_key()))
            .prop_map(|(path, after)| Step::Keys(path, after)),
        text.clone().prop_map(Step::ReadBytes),
        (text.clone(), any_value()).prop_map(|(path, value)| Step::Set(path, value)),
        (text.clone(), any_value()).prop_map(|(path, value)| Step::Push(path, value)),
        text.prop_map(Step::Remove),
    ]
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let layer = || prop::collection::btree_map(any_key(), any_value(), 0..6);
    (layer(), layer()).prop_map(|(global, domain)| {
        Tree::new(global.into_iter().collect(), domain.into_iter().collect())
    })
}

/// A contract's paths as registration lets them through: no private keys, and no unreadable inputs.
fn any_grants() -> impl Strategy<Value = (Vec<Path>, Vec<Path>)> {
    let some = || {
        prop::collection::vec(
            any_path().prop_filter("private", |path| !path.is_private()),
            0..4,
        )
    };
    (some(), some())
}

/// Every place of a value that is no container, or an empty one, with its path.
fn leaves(place: &Path, value: &Value, found: &mut Vec<(Path, Value)>) {
    use crate::path::Segment;
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (key, value) in map.iter() {
                leaves(&place.child(Segment::Key(key.clone())), value, found);
            }
        }
        Value::List(list) if !list.is_empty() => {
            for (index, value) in list.iter().enumerate() {
                leaves(&place.child(Segment::Index(index as u64)), value, found);
            }
        }
        other => found.push((place.clone(), other.clone())),
    }
}

fn tree_leaves(tree: &Tree) -> Vec<(Path, Value)> {
    let mut found = Vec::new();
    for layer in crate::path::Layer::ALL {
        leaves(&Path::layer_root(layer), tree.layer(layer), &mut found);
    }
    found
}

/// The oracle's own word for "the grant covers this place": same zone, equal or below, nothing private.
fn covered(grants: &[Path], place: &Path) -> bool {
    let zone = place.zone();
    !place.is_private()
        && grants
            .iter()
            .any(|grant| place.is_at_or_below(grant) && grant.zone() == zone)
}

/// A container that emptied or filled shows up as a leaf itself, so an ancestor's grant or a descendant's explains it.
fn explained(grants: &[Path], place: &Path) -> bool {
    covered(grants, place) || grants.iter().any(|grant| grant.is_at_or_below(place))
}

fn run(guard: &mut ContextGuard, step: &Step) -> Result<Option<Vec<u8>>, Refusal> {
    match step {
        Step::Get(path) => guard.get(path),
        Step::Len(path) => guard.len(path).map(|_| None),
        Step::Keys(path, after) => guard.keys(path, after.as_deref(), 5).map(|keys| {
            assert!(keys.iter().all(|key| !is_private(key)));
            None
        }),
        Step::ReadBytes(path) => guard.read_bytes(path, 1, 3).map(|_| None),
        Step::Set(path, value) => guard.set(path, &codec::encode_all(value)).map(|()| None),
        Step::Push(path, value) => guard.push(path, &codec::encode_all(value)).map(|_| None),
        Step::Remove(path) => guard.remove(path).map(|_| None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Law 2 and law 3: no sequence of calls reads or writes outside the grant, or moves data between zones.
    #[test]
    fn no_sequence_of_calls_leaves_the_grant(
        tree in any_tree(),
        (inputs, outputs) in any_grants(),
        steps in prop::collection::vec(any_step(), 1..25),
    ) {
        let base = Snapshot { version: 1, tree };
        let guard = Guard::new(inputs.clone(), outputs.clone()).interned();
        let mut guard = ContextGuard::new(guard, Transaction::begin(base.clone()), Arc::default(), Mode::Strict);
        let readable: Vec<Path> = inputs.iter().chain(&outputs).cloned().collect();
        for step in &steps {
            let before = guard.transaction().view().clone();
            match run(&mut guard, step) {
                Err(_) => prop_assert_eq!(guard.transaction().view(), &before, "a refused call changed something"),
                Ok(Some(bytes)) => {
                    let Step::Get(text) = step else { continue };
                    let bounds = Bounds { depth: 64, decoded_bytes: 1 << 24 };
                    let mut found = Vec::new();
                    leaves(&path(text), &codec::decode(&bytes, bounds).expect("a value"), &mut found);
                    for (place, _) in found {
                        // Lists keep their elements, so an index means the same; a map that lost all its keys is a leaf.
                        prop_assert!(covered(&readable, &place), "read {} under {:?}", place, readable);
                        prop_assert!(place.zone().is_readable(), "read {}", place);
                    }
                }
                Ok(None) => {}
            }
        }
        let transaction = guard.into_transaction();
        let after = transaction.commit(&base).expect("nothing else moved").tree;
        prop_assert_eq!(&after, transaction.view());
        let (old, new) = (tree_leaves(&base.tree), tree_leaves(&after));
        let changed = old.iter().filter(|leaf| !new.contains(leaf)).chain(new.iter().filter(|leaf| !old.contains(leaf)));
        for (place, _) in changed {
            prop_assert!(explained(&outputs, place), "wrote {} under {:?}", place, outputs);
            prop_assert!(!place.is_private(), "wrote {}", place);
        }
        // A rollback is the identity: the base shares everything and kept everything.
        prop_assert_eq!(tree_leaves(&base.tree), old);
    }

    /// What the receipt says is what happened: applying the changes to the old tree gives the new one.
    #[test]
    fn changes_tell_the_whole_difference(
        tree in any_tree(),
        steps in prop::collection::vec(any_step(), 1..25),
    ) {
        use crate::changes::ChangeOp;
        let base = Snapshot { version: 1, tree };
        let all = vec![path("domain"), path("global")];
        let guard = Guard::new(vec![], all);
        let mut guard = ContextGuard::new(guard, Transaction::begin(base.clone()), Arc::default(), Mode::Permissive);
        for step in &steps {
            drop(run(&mut guard, step));
        }
        let transaction = guard.into_transaction();
        let mut replayed = base.tree.clone();
        for change in transaction.changes() {
            match change.op {
                ChangeOp::Set => replayed.set(&change.path, change.new).expect("set"),
                ChangeOp::Push => drop(replayed.push(&change.path, change.new).expect("push")),
                ChangeOp::Remove => prop_assert!(replayed.remove(&change.path).expect("remove")),
            }
        }
        prop_assert_eq!(&replayed, transaction.view());
    }
}

#[test]
fn a_removal_does_not_move_what_it_may_not_touch() {
    let mut guard = strict(&[], &["domain.items", "domain.rows"]);
    // The element behind it holds a signal, which would be another place's.
    let refusal = guard.remove("domain.items[0]").expect_err("refused");
    let text = refusal.to_string();
    assert!(text.contains("would move `sig_sold`"), "{text}");
    assert_eq!(refusal.code(), Code::WriteOutside);
    assert_eq!(guard.remove("domain.rows[0]"), Ok(true));
    // An element whose own key is hidden cannot be removed either; one behind it can.
    assert!(guard.remove("domain.items[1]").is_err());
    guard.push("domain.items", &pack("7")).expect("push");
    assert_eq!(guard.remove("domain.items[2]"), Ok(true));
    let mut permissive = guarded(&[], &["domain.items"], Mode::Permissive, Limits::default());
    assert_eq!(permissive.remove("domain.items[0]"), Ok(true));
    assert_eq!(permissive.violations().len(), 1);
}

#[test]
fn the_bases_map_is_shared_and_not_copied() {
    let map: Map = (0..1000)
        .map(|n| (format!("k{n}"), Value::Int(n)))
        .collect();
    let mut tree = Tree::default();
    tree.set(&path("domain"), Value::Map(map)).expect("a map");
    let snapshot = Snapshot { version: 0, tree };
    let copy = snapshot.clone();
    assert_eq!(snapshot.tree, copy.tree);
}
