//! What an operator reads of a context that lasts, and how they change it.

use crate::harness::desk::Desk;
use crate::harness::root;
use serde_json::{Value as Json, json};
use std::fs;

/// A desk with a state after one run: one item, a total of 500.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.passes("$ADD price=500 $CONTEXT --state state");
    desk
}

fn last_record(desk: &Desk) -> Json {
    desk.passes("log --state state --last 1")["entries"][0].clone()
}

#[test]
fn a_script_can_tell_what_is_absent_from_what_is_nil() {
    let desk = desk();
    desk.passes("context set --state state domain.note:=null");
    let note = desk.passes("context get --state state domain.note");
    assert_eq!((&note["value"], &note["version"]), (&Json::Null, &json!(2)));
    let absent = desk.ends(
        "context get --state state domain.totl_value",
        2,
        "THEUS-U016",
    );
    assert_eq!(absent["error"]["help"], "did you mean `total_value`?");
    let absent = desk.ends(
        "context get --state state domain.items[0].cost.net",
        2,
        "THEUS-U016",
    );
    assert_eq!(
        absent["error"]["help"],
        "`domain.items[0]` has the keys: name, price"
    );
    desk.ends("context get --state state domain.items[7]", 2, "THEUS-U016");
    desk.ends(
        "context get --state state domain.note --at 1",
        2,
        "THEUS-U016",
    );
    desk.ends("context get --state state domain..x", 2, "THEUS-U001");
    let text = desk.text("context get --state state domain.total_value");
    assert_eq!((text.code, text.stdout.as_str()), (0, "500\n"));
}

#[test]
fn two_versions_are_compared_by_what_differs() {
    let desk = desk();
    desk.passes("$ADD price=20 --state state");
    desk.passes("context remove --state state domain.items[0]");
    let diff = |words: &str| desk.passes(&format!("context diff --state state {words}"));
    let all = diff("0");
    assert_eq!((&all["from"], &all["to"]), (&json!(0), &json!(3)));
    assert_eq!(
        all["changes"],
        json!([
            {"path": "domain.items", "op": "push", "old": null, "new": {"name": "TV", "price": 20}},
            {"path": "domain.total_value", "op": "set", "old": 0, "new": 520},
        ])
    );
    assert_eq!(diff("2 3")["changes"][0]["path"], "domain.items[0]");
    assert_eq!(diff("3 0")["changes"][0]["op"], "remove");
    assert_eq!(diff("1 1")["changes"], json!([]));
    desk.ends("context diff --state state 1 9", 2, "THEUS-U015");
    let text = desk.text("context diff --state state 2 3");
    assert_eq!(
        text.stdout,
        "changes:\n  - domain.items[0]  {\"name\": \"TV\", \"price\": 500}\n"
    );
}

#[test]
fn an_edit_is_one_transaction_and_recorded_as_one() {
    let desk = desk();
    let edit = desk.passes(
        "edit --state state domain.total_value=7 --push domain.items:={\"name\":\"a\"} --remove domain.items[0] \
         domain.zip:=\"01234\" domain.zip=00001 domain.word=plain",
    );
    assert_eq!(
        (&edit["version"], &edit["journal"]["seq"], &edit["dry_run"]),
        (&json!(2), &json!(2), &json!(false))
    );
    let record = last_record(&desk);
    assert_eq!(
        (&record["actor"], &record["outcome"], &record["hash"]),
        (
            &json!("edit"),
            &json!("committed"),
            &edit["journal"]["hash"]
        )
    );
    let ops: Vec<_> = record["writes"]
        .as_array()
        .expect("writes")
        .iter()
        .map(|it| &it["op"])
        .collect();
    // In the order in which they were written, words and flags alike.
    assert_eq!(ops, ["set", "push", "remove", "set", "set", "set"]);
    let domain = &desk.passes("context get --state state domain")["value"];
    assert_eq!(
        (
            &domain["items"],
            &domain["total_value"],
            &domain["zip"],
            &domain["word"]
        ),
        (
            &json!([{"name": "a"}]),
            &json!(7),
            &json!("00001"),
            &json!("plain")
        )
    );
    let text = desk.text("context set --state state domain.total_value -5");
    assert_eq!(
        text.stdout,
        "the edit committed, version 2 -> 3\nchanges:\n  ~ domain.total_value  7 -> -5\n"
    );
}

#[test]
fn an_edit_that_does_not_fit_changes_nothing() {
    let desk = desk();
    for (command, exit, code) in [
        (
            "edit --state state domain.a=1 domain.no.such=1",
            2,
            "THEUS-U017",
        ),
        (
            "edit --state state domain.a=1 domain.total_value=much",
            2,
            "THEUS-U017",
        ),
        (
            "edit --state state domain.a=1 domain.items={}",
            2,
            "THEUS-U017",
        ),
        (
            "edit --state state domain.a=1 --push domain.total_value:=1",
            2,
            "THEUS-U017",
        ),
        (
            "edit --state state domain.a=1 domain._private=1",
            2,
            "THEUS-U017",
        ),
        (
            "edit --state state domain.a=1 --remove domain",
            2,
            "THEUS-U017",
        ),
        ("edit --state state domain.a=1 domain..b=1", 2, "THEUS-U017"),
        ("edit --state state", 2, "THEUS-U001"),
        ("edit --state state domain.a", 2, "THEUS-U001"),
        ("edit --state state domain.a:=much", 2, "THEUS-U001"),
        ("context set --state state domain.a", 2, "THEUS-U001"),
        ("edit --state nowhere domain.a=1", 2, "THEUS-U015"),
    ] {
        desk.ends(command, exit, code);
    }
    assert_eq!(
        desk.passes("context show --state state domain.a")["version"],
        1
    );
    assert!(!desk.path().join("nowhere").exists());
    // Who tried is on record, as for a run.
    assert_eq!(last_record(&desk)["outcome"], "refused");
}

#[test]
fn operations_come_from_a_file_in_the_form_of_records() {
    let desk = desk();
    let writes = last_record(&desk)["writes"].to_string();
    let from_stdin = ["edit", "--state", "state", "--operations", "-"];
    // The record's push went to index 0, where there is something by now.
    let (exit, refused) = desk.json_of(&from_stdin, &writes);
    assert_eq!(
        (exit, &refused["error"]["code"]),
        (2, &json!("THEUS-U017")),
        "{refused}"
    );
    desk.passes("context remove --state state domain.items[0]");
    let (exit, edit) = desk.json_of(&from_stdin, &writes);
    assert_eq!((exit, &edit["error"]), (0, &Json::Null), "{edit}");
    assert_eq!(
        desk.passes("context diff --state state 1 3")["changes"],
        json!([])
    );
    desk.write(
        "operations.json",
        "[{\"op\": \"set\",\n \"path\": \"domain.a\", \"valeu\": 1}]",
    );
    let wrong = desk.ends(
        "edit --state state --operations operations.json",
        2,
        "THEUS-U018",
    );
    let message = wrong["error"]["message"].as_str().expect("a message");
    assert!(message.starts_with("operations.json:2:"), "{message}");
}

#[test]
fn a_dry_run_of_an_edit_leaves_no_trace() {
    let desk = desk();
    let head = |desk: &Desk| desk.passes("log --state state")["head"].clone();
    // A signal with a value: opening the state for an edit returns it to what it was, which is a commit.
    desk.passes("context set --state state domain.sig_restock_needed:=true");
    let before = head(&desk);
    let dry = desk.passes("edit --state state domain.total_value=1 --dry-run");
    assert_eq!(
        (&dry["dry_run"], &dry["version"], &dry["changes"][0]["new"]),
        (&json!(true), &before["version"], &json!(1))
    );
    assert_eq!(head(&desk), before);
    desk.ends(
        "edit --state state domain.total_value=x --dry-run",
        2,
        "THEUS-U017",
    );
    assert_eq!(head(&desk), before);
    let text = desk.text("context set --state state domain.total_value 1 --dry-run");
    assert!(
        text.stdout
            .starts_with("the edit would commit (dry run), version stays 2\n"),
        "{text:?}"
    );
}

#[test]
fn what_is_exported_is_imported_again_as_it_was() {
    let desk = desk();
    let strange = [
        "edit",
        "--state",
        "state",
        r#"domain.blob:={"$bytes":"AP8="}"#,
        r#"domain.nan:={"$float":"nan"}"#,
        r#"domain.tag:={"$map":[["$bytes","AP8="]]}"#,
        "domain.big:=18446744073709551615",
        "domain.meta_note=\u{202e}1e3",
        "domain.heavy_x:=[0.1,-0.0,1e300]",
        r#"domain["a b=c"]:="no""#,
    ];
    let (exit, edit) = desk.json_of(&strange, "");
    assert_eq!(exit, 0, "{edit}");
    let whole = desk.passes("context show --state state")["value"].clone();
    for file in ["kept.yaml", "kept.json"] {
        let exported = desk.text(&format!("context export --state state --out {file}"));
        assert_eq!(exported.code, 0, "{exported:?}");
        let same = desk.passes(&format!("context import --state state {file}"));
        assert_eq!(same["changes"], json!([]), "{file}");
        // A state of its own, which begins with it.
        desk.passes(&format!(
            "$ADD price=1 --context {file} --state {file}.state"
        ));
        let begun = desk.passes(&format!("context show --state {file}.state --at 0"));
        assert_eq!(begun["value"], whole, "{file}");
    }
    let old = desk.text("context export --state state --at 0 --out old.yaml");
    assert!(old.stderr.contains("version 0"), "{old:?}");
    let before = desk.passes("context diff --state state 2 0");
    let back = desk.passes("context import --state state old.yaml");
    assert_eq!(
        back["changes"].as_array().map(Vec::len),
        before["changes"].as_array().map(Vec::len)
    );
    assert_eq!(
        desk.passes("context diff --state state 0")["changes"],
        json!([])
    );
    desk.write("wrong.yaml", "domian: {}\n");
    desk.ends("context import --state state wrong.yaml", 2, "THEUS-U003");
    desk.write("private.yaml", "domain: { _x: 1 }\n");
    desk.ends("context import --state state private.yaml", 2, "THEUS-U017");
    // On the way to a terminal nothing is in it that one would obey; it is the same context.
    let shown = desk.text("context export --state state --at 2");
    assert!(
        !shown.stdout.contains('\u{202e}') && shown.stdout.contains("U0000202e"),
        "{shown:?}"
    );
}

#[test]
fn an_edit_is_held_against_the_schema_and_may_mend_what_breaks_it() {
    let schema = |limit: &str| {
        let any = ["items", "sig_restock_needed", "a"].map(|key| format!("{key}: {{ type: any }}"));
        let total = format!("total_value: {{ type: int, {limit} }}");
        format!(
            "context: {{ domain: {{ {}, {total} }}, global: {{ max_capacity: {{ type: int }} }} }}",
            any.join(", ")
        )
    };
    let desk = desk();
    desk.write("schema.yaml", &schema("max: 1000"));
    desk.write(
        "theus.toml",
        "version = 1\nstate = \"state\"\nschema = \"schema.yaml\"\n",
    );
    let refused = desk.ends("context set domain.total_value 1001", 3, "THEUS-C011");
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains("`max` 1000 (schema.yaml:1)"), "{message}");
    assert_eq!(last_record(&desk)["error"], "THEUS-C011");
    desk.ends(
        "context set domain.total_value 1001 --dry-run",
        3,
        "THEUS-C011",
    );
    desk.write("high.yaml", &schema("min: 700"));
    // What is there does not fit this one: an edit elsewhere does not make it better, and one of the place does.
    desk.ends("context set domain.a 1 --schema high.yaml", 3, "THEUS-C011");
    desk.passes("context set domain.total_value 800 --schema high.yaml");
    desk.passes("context set domain.a 1");
    // Which of several counts is for the operator to say.
    let guest = root().join("guests/warehouse");
    let component = |schema: &str| format!("path = {guest:?}\nschema = {schema:?}\n");
    desk.write(
        "theus.toml",
        &format!(
            "version = 1\nstate = \"state\"\n[components.a]\n{}[components.b]\n{}",
            component("schema.yaml"),
            component("high.yaml")
        ),
    );
    desk.ends("context set domain.a 2", 2, "THEUS-U001");
    desk.passes("context set domain.a 2 --schema schema.yaml");
}

#[test]
fn an_operator_edits_while_the_interlock_is_in_force() {
    let desk = Desk::new();
    desk.write(
        "audit.yaml",
        "process_recipes: { add_product: { inputs: [{ field: price, max: 100, level: S }] } }",
    );
    desk.ends(
        "$ADD price=500 $CONTEXT --state state --audit audit.yaml",
        6,
        "THEUS-A003",
    );
    assert_eq!(
        desk.passes("context set --state state domain.total_value 5")["version"],
        1
    );
    desk.ends("$ADD price=1 --state state", 6, "THEUS-A004");
}

#[test]
fn the_state_of_the_configuration_is_that_of_every_verb() {
    let desk = desk();
    fs::create_dir(desk.path().join("conf")).expect("it is writable");
    desk.write("conf/theus.toml", "version = 1\nstate = \"../state\"\n");
    for verb in [
        "context show",
        "context get domain",
        "context diff 0",
        "context set domain.a 1",
        "log",
        "log verify",
    ] {
        let refused = desk.ends(verb, 2, "THEUS-U001");
        assert_eq!(refused["error"]["message"], "no state is named", "{verb}");
        desk.passes(&format!("{verb} --config conf/theus.toml"));
        // The flag wins.
        desk.ends(
            &format!("{verb} --config conf/theus.toml --state nowhere"),
            2,
            "THEUS-U015",
        );
    }
    desk.write("theus.toml", "version = 1\nstate = \"state\"\n");
    assert_eq!(desk.passes("context get domain.a")["value"], 1);
}
