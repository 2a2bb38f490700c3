//! What a state holds, how it is copied, and how it is made smaller.

use crate::harness::desk::Desk;
use serde_json::json;
use std::fs;
use theus_host::Engine;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.passes("$ADD price=500 $CONTEXT --state state");
    desk
}

/// Many records, with a checkpoint wherever one is due; every version has another large value, so that old ones take room.
fn grow(desk: &Desk, edits: u64, bytes: usize) {
    let builder = Engine::builder().state(desk.path().join("state"));
    let engine = builder.build().expect("it opens");
    let store = engine.store().expect("it has one");
    for number in 0..edits {
        let text = format!("{number:08}").repeat(bytes / 8);
        engine
            .edit(|context| context.set("domain.text", text))
            .expect("it fits");
        store.tend().expect("it is written");
    }
}

#[test]
fn a_state_says_what_it_holds() {
    let desk = Desk::new();
    desk.write(
        "audit.yaml",
        "process_recipes: { add_product: { inputs: [{ field: price, max: 100, level: S, threshold: 2, message: too much }] } }",
    );
    let run = "$ADD price=500 --state state --audit audit.yaml";
    let receipt = desk.passes(&format!("{run} $CONTEXT"));
    let journal = fs::metadata(desk.path().join("state/journal.redb")).expect("it is there");
    let info = desk.passes("state info --state state");
    assert_eq!(
        (&info["oldest_version"], &info["first_record"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(info["head"], receipt["journal"]);
    assert_eq!(
        (&info["sealed"], &info["checkpoints"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&info["began_ns"], &info["interlock"]),
        (&info["ended_ns"], &json!(null))
    );
    assert_eq!(
        info["counts"],
        json!([{"process": "add_product", "gate": "input", "rule": "price max 100", "count": 1}])
    );
    assert_eq!(info["largest"][0]["path"], "domain.items");
    assert!(
        info["blobs"].as_u64() >= Some(1),
        "the component is kept: {info}"
    );
    assert_eq!(info["journal_bytes"], journal.len());
    desk.ends(run, 6, "THEUS-A003");
    let info = desk.passes("state info --state state");
    assert_eq!(
        info["interlock"],
        json!({"process": "add_product", "rule": "price max 100", "message": "too much"})
    );
    let text = desk.text("state info --state state").stdout;
    for line in [
        "versions     0 to 1\n",
        "records      1 to 2, made from ",
        "seal         it was left in order\n",
        "interlock    in force: `price max 100` of add_product: too much\n",
        "counters     all at 0\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // A host that is killed leaves the seal where it was; an older one is the same to see.
    let seal = desk.path().join("state/seal");
    let older = fs::read(&seal).expect("it is there");
    desk.passes("context set --state state domain.a 1");
    fs::write(&seal, older).expect("it is writable");
    let text = desk.text("state info --state state").stdout;
    assert!(
        text.contains("seal         at record 2: the host behind it did not end in order"),
        "{text}"
    );
}

#[test]
fn compacting_forgets_what_it_was_told_to_and_gives_back_the_space() {
    let desk = desk();
    grow(&desk, 60, 100_000);
    let whole = desk.passes("state compact --state state");
    assert_eq!(
        (&whole["forgotten"], &whole["oldest"]),
        (&json!(0), &json!(0))
    );
    desk.passes("context show --state state --at 0 domain.total_value");
    let before = desk.passes("context show --state state")["value"].clone();
    let head = desk.passes("log --state state --last 1")["head"].clone();
    let compacted = desk.passes("state compact --state state --keep 1");
    assert_eq!(
        (
            &compacted["forgotten"],
            &compacted["oldest"],
            &compacted["head"]
        ),
        (&json!(61), &json!(61), &head)
    );
    let bytes = |name: &str| compacted[name].as_u64().expect("a size");
    assert!(
        bytes("bytes_after") * 4 < bytes("bytes_before"),
        "{compacted}"
    );
    let file = fs::metadata(desk.path().join("state/journal.redb")).expect("it is there");
    assert_eq!(bytes("bytes_after"), file.len());
    let gone = desk.ends("context show --state state --at 60", 2, "THEUS-U015");
    let message = gone["error"]["message"].as_str().expect("a message");
    assert_eq!(
        message,
        "version 60 was compacted away; the oldest one left is 61"
    );
    assert_eq!(desk.passes("context show --state state")["value"], before);
    // It goes on behind it: the next record has the next number, and the chain holds.
    let receipt = desk.passes("$ADD price=1 --state state");
    assert_eq!(receipt["journal"]["seq"], 62);
    let verified = desk.passes(&format!(
        "log verify --state state --expect {}",
        receipt["journal"]["hash"].as_str().expect("a hash")
    ));
    assert_eq!(
        (&verified["first"], &verified["sound"]),
        (&json!(62), &receipt["journal"])
    );
    assert_eq!(desk.passes("state info --state state")["first_record"], 62);
    desk.ends("state compact --state state --before 63", 2, "THEUS-U015");
    desk.ends(
        "state compact --state state --before 1 --keep 1",
        2,
        "THEUS-U001",
    );
    desk.ends("state compact --state state --keep 0", 2, "THEUS-U001");
}

#[test]
fn history_is_forgotten_up_to_a_checkpoint_and_what_stays_longer_is_told() {
    let desk = desk();
    desk.passes("$ADD price=1 --state state");
    let text = desk.text("state compact --state state --before 1");
    assert!(
        text.stdout
            .starts_with("0 records forgotten; the oldest version left is 0\njournal: "),
        "{text:?}"
    );
    assert!(text.stderr.contains("up to a checkpoint"), "{text:?}");
    // Two checkpoints' worth of records.
    grow(&desk, 90, 200_000);
    let compacted = desk.passes("state compact --state state --keep 2");
    let oldest = compacted["oldest"].as_u64().expect("a version");
    assert!((1..91).contains(&oldest), "{compacted}");
    desk.passes(&format!(
        "context show --state state --at {oldest} domain.total_value"
    ));
    desk.passes("log verify --state state");
}

#[test]
fn a_backup_is_the_same_state_and_overwrites_nothing() {
    let desk = desk();
    grow(&desk, 50, 200_000);
    let receipt = desk.passes("$ADD price=20 --state state");
    let hash = receipt["journal"]["hash"].as_str().expect("a hash");
    let copied = desk.passes("state backup --state state --to copy");
    assert_eq!(copied["sound"], receipt["journal"]);
    assert!(copied["checkpoints"].as_u64() > Some(1), "{copied}");
    let (one, other) = (
        desk.passes(&format!("log verify --state state --expect {hash}")),
        desk.passes(&format!("log verify --state copy --expect {hash}")),
    );
    assert_eq!(one, other);
    assert_eq!(
        desk.passes("log --state state --last 100")["entries"],
        desk.passes("log --state copy --last 100")["entries"]
    );
    let shown = |state: &str| desk.passes(&format!("context show --state {state}"));
    assert_eq!(shown("state"), shown("copy"));
    for to in ["copy", "state"] {
        let refused = desk.ends(
            &format!("state backup --state state --to {to}"),
            2,
            "THEUS-U015",
        );
        assert_eq!(
            refused["error"]["help"],
            "nothing is overwritten: give another directory"
        );
    }
    // Each goes on by itself.
    assert_eq!(desk.passes("$ADD price=1 --state copy")["version"], 53);
    assert_eq!(desk.passes("log --state state")["head"], receipt["journal"]);
    let text = desk.text("state backup --state state --to other");
    assert!(
        text.stdout
            .starts_with("other holds all of it, verified: records 1 to 52, version 52, sha256:"),
        "{text:?}"
    );
    fs::remove_file(desk.path().join("state/seal")).expect("it is there");
    desk.ends("state backup --state state --to none", 1, "THEUS-H005");
    desk.ends("log --state none", 2, "THEUS-U015");
}

/// Every verb that opens a state, while another host has it open.
#[test]
fn a_second_host_is_refused_whatever_it_wants_to_do() {
    let desk = desk();
    desk.write("context.yaml", "domain: {}\n");
    let open = theus_host::store::open(&desk.path().join("state"), |_, _| {}).expect("it opens");
    let verbs = [
        "$ADD price=1",
        "$ADD price=1 --dry-run",
        "context show",
        "context get domain",
        "context diff 0",
        "context export",
        "context set domain.a 1",
        "context remove domain.a",
        "context import context.yaml",
        "edit domain.a=1",
        "edit domain.a=1 --dry-run",
        "log",
        "log verify",
        "log outbox",
        "log salvage --to new",
        "state info",
        "state compact",
        "state backup --to new",
        "state interlock show",
        "state interlock reset",
    ];
    for verb in verbs {
        let refused = desk.ends(&format!("{verb} --state state"), 2, "THEUS-U015");
        assert_eq!(
            (&refused["error"]["message"], &refused["error"]["help"]),
            (
                &json!("the state in state is in use by another host"),
                &json!("end the other host, or give this one another --state")
            ),
            "{verb}"
        );
    }
    assert!(!desk.path().join("new/journal.redb").exists());
    drop(open);
    assert_eq!(desk.passes("log --state state")["head"]["seq"], 1);
}
