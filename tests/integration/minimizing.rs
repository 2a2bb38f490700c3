//! `contract minimize` and `audit backtest` through the built binary, over states that earlier commands made; and the
//! library's proposals for real guests.

use crate::harness::binary::run_in;
use crate::harness::engines::{Setup, commits, fails, json};
use crate::harness::output_schema::misfits;
use crate::harness::wat::{contract_section, core_module};
use crate::harness::{guests, root, text};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use theus_host::component::into_component;
use theus_host::minimize::{Minimize, Minimized};
use theus_host::store::{self, Store};
use theus_host::{Call, Engine, Policy, PolicyList, Tree, args};

/// Runs a command of words without blanks as JSON, in a folder.
#[track_caller]
fn json_of(folder: &Path, command: &str) -> (i32, Json) {
    let mut words = words(command);
    words.extend(["-o".into(), "json".into()]);
    let ran = run_in(folder, &words);
    let object = ran.json();
    assert_eq!(misfits(&words, &object), [""; 0], "{command}: {object}");
    (ran.code, object)
}

#[track_caller]
fn passes(folder: &Path, command: &str) -> Json {
    let (code, object) = json_of(folder, command);
    assert_eq!(
        (code, &object["error"]),
        (0, &Json::Null),
        "{command}: {object}"
    );
    object
}

#[track_caller]
fn ends(folder: &Path, command: &str, exit: i32, code: &str) -> Json {
    let (ended, object) = json_of(folder, command);
    assert_eq!(
        (ended, &object["error"]["code"]),
        (exit, &json!(code)),
        "{object}"
    );
    object
}

fn words(command: &str) -> Vec<String> {
    let file = |guest: &guests::Prebuilt| guest.file.display().to_string();
    let context = |guest: &str| {
        root()
            .join("guests")
            .join(guest)
            .join("context.yaml")
            .display()
            .to_string()
    };
    command
        .replace("$PROBE_CONTEXT", &context("probe"))
        .replace("$WAREHOUSE_CONTEXT", &context("warehouse"))
        .replace("$PROBE", &file(guests::probe()))
        .replace("$WAREHOUSE", &file(guests::warehouse()))
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// Declares too much, runs, minimizes, narrows, and runs again.
#[test]
fn a_guest_that_declares_too_much_is_narrowed_to_what_it_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let steps = r#"steps:=[{"get":{"path":"domain.inbox.first"}},{"set":{"path":"domain.data.x","value":1}},{"get":{"path":"domain.data"}}]"#;
    let run = format!("run $PROBE script {steps} --state state");
    passes(folder, &format!("{run} --context $PROBE_CONTEXT"));
    let found = passes(folder, "contract minimize script --state state");
    let script = &found["processes"][0];
    assert_eq!(
        script["proposed"],
        json!({"inputs": ["domain.inbox.first", "domain.data"], "outputs": ["domain.data.x"]})
    );
    assert_eq!(script["added_inputs"], json!(["domain.data"]));
    assert_eq!(
        script["outputs"][1],
        json!({"declared": "domain.sig_done", "proposed": [], "unsure": false})
    );
    assert_eq!(
        script["attribute"],
        "#[process(\n    inputs = [\"domain.inbox.first\", \"domain.data\"],\n    outputs = [\"domain.data.x\"],\n)]\n"
    );
    let policy = script["policy"].as_str().expect("a policy");
    fs::write(
        folder.join("theus.toml"),
        format!("version = 1\n\n{policy}"),
    )
    .expect("writable");
    assert_eq!(passes(folder, &run)["outcome"], "committed");
    // What no run has done is withheld now.
    for (step, code) in [
        (r#"{"get":{"path":"domain.inbox.text"}}"#, "THEUS-C001"),
        (
            r#"{"set":{"path":"domain.data.y","value":1}}"#,
            "THEUS-C002",
        ),
        (
            r#"{"set":{"path":"domain.sig_done","value":1}}"#,
            "THEUS-C002",
        ),
    ] {
        let refused = ends(
            folder,
            &format!("run $PROBE script steps:=[{step}] --state state"),
            3,
            code,
        );
        let message = refused["error"]["message"].as_str().expect("a message");
        assert!(message.contains("outside the policy"), "{message}");
    }
    // What was proposed is proposed again.
    let again = passes(folder, "contract minimize --state state --from 1 --to 2");
    assert_eq!(again["processes"][0]["proposed"], script["proposed"]);
}

#[test]
fn a_proposal_reads_as_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    passes(
        folder,
        "run $WAREHOUSE add_product product_name=TV price=500 --state state --context $WAREHOUSE_CONTEXT",
    );
    ends(
        folder,
        "run $WAREHOUSE add_product product_name=TV price=-5 --state state",
        7,
        "ValueError",
    );
    let ran = run_in(folder, &words("contract minimize --state state"));
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stdout,
        "\
add_product: declared, against what 2 runs touched
  inputs     domain.items
             global.max_capacity
  outputs    domain.items
             domain.total_value
           - domain.sig_restock_needed: never used
  note     it rests on 2 runs only: what a rarer run needs is not among them
  note     1 of the runs were rolled back: what they wrote is not recorded
in the guest's source:
    #[process(
        inputs = [\"domain.items\", \"global.max_capacity\"],
        outputs = [\"domain.items\", \"domain.total_value\"],
        errors = [\"ValueError\"],
    )]
or in theus.toml, without building it again:
    [policy.add_product]
    outputs = [\"domain.items\", \"domain.total_value\"]
"
    );
    let wrong = ends(
        folder,
        "contract minimize ad_product --state state",
        2,
        "THEUS-U005",
    );
    assert_eq!(wrong["error"]["help"], "did you mean `add_product`?");
    ends(
        folder,
        "contract minimize --state state --from 3 --to 1",
        2,
        "THEUS-U001",
    );
    ends(folder, "contract minimize --state nowhere", 2, "THEUS-U015");
    ends(
        folder,
        "contract minimize --state state --from 9",
        2,
        "THEUS-U001",
    );
}

#[test]
fn a_recipe_is_held_against_a_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    passes(
        folder,
        "run $WAREHOUSE add_product product_name=TV price=500 --state state --context $WAREHOUSE_CONTEXT",
    );
    passes(
        folder,
        "run $WAREHOUSE add_product product_name=TV price=20 --state state",
    );
    ends(
        folder,
        "run $WAREHOUSE add_product product_name=TV price=-5 --state state",
        7,
        "ValueError",
    );
    let rules = "process_recipes:
  add_product:
    inputs:
      - { field: price, min: 100, level: B, message: \"too cheap\" }
    outputs:
      - { field: domain.total_value, max: 400, level: C }
";
    fs::write(folder.join("new.yaml"), rules).expect("writable");
    let (exit, found) = json_of(folder, "audit backtest --audit new.yaml --state state");
    assert_eq!((exit, &found["error"]), (1, &Json::Null));
    assert_eq!((&found["runs"], &found["commits"]), (&json!(3), &json!(2)));
    assert_eq!(
        (&found["refused"]["commits"], &found["refused"]["others"]),
        (&json!(1), &json!(1))
    );
    let first = &found["refused"]["first"][0];
    assert_eq!(
        (&first["seq"], &first["version"], &first["message"]),
        (&json!(2), &json!(2), &json!("too cheap"))
    );
    assert_eq!(found["warned"]["first"][0]["seq"], 1);

    let ran = run_in(
        folder,
        &words("audit backtest --audit new.yaml --state state"),
    );
    assert_eq!(ran.code, 1);
    let printed = without_times(&text::normalized(&ran.stdout));
    assert_eq!(
        printed,
        "\
new.yaml against records 1 to 3: 3 runs, 2 of them committed
1 commit would have been refused, and 1 run that did not commit:
  record 2  v2  TIME  add_product  block too cheap (level B, input gate, rule `price min 100`, count 1)
1 commit would have been warned about:
  record 1  v1  TIME  add_product  warn `domain.total_value` is 500, expected at most 400 (level C, output gate, rule `domain.total_value max 400`, count 1)
  process      gate    level  rule                        judged  violated  warned  refused
  add_product  input   B      price min 100               3       2         0       2
  add_product  output  C      domain.total_value max 400  1       1         1       0
"
    );
    // Warnings alone are no findings.
    let (exit, found) = json_of(
        folder,
        "audit backtest --audit new.yaml --state state --to 1 --list 0",
    );
    assert_eq!(
        (exit, &found["warned"]["commits"], &found["warned"]["first"]),
        (0, &json!(1), &json!([]))
    );

    fs::write(folder.join("wrong.yaml"), rules.replace("price", "pric")).expect("writable");
    let wrong = ends(
        folder,
        "audit backtest --audit wrong.yaml --state state",
        2,
        "THEUS-U004",
    );
    let message = wrong["error"]["message"].as_str().expect("a message");
    assert!(
        message.contains("wrong.yaml:4:") && message.contains("did you mean `price`"),
        "{message}"
    );
    assert_eq!(wrong["process"], "add_product");
    let nobody = ends(
        folder,
        "audit backtest --audit new.yaml --state state --process ad_product",
        2,
        "THEUS-U005",
    );
    assert_eq!(nobody["error"]["help"], "did you mean `add_product`?");
    ends(
        folder,
        "audit backtest --audit none.yaml --state state",
        2,
        "THEUS-U002",
    );
    ends(
        folder,
        "audit backtest --audit new.yaml --state nowhere",
        2,
        "THEUS-U015",
    );
}

/// The moments of records, as a stand-in.
fn without_times(text: &str) -> String {
    let is_time = |word: &str| word.len() == 20 && word.ends_with('Z') && word.contains('T');
    let word = |word| if is_time(word) { "TIME" } else { word };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn probe_store() -> Arc<dyn Store> {
    let engine = Setup::probe().engine();
    store::memory(engine.context().tree.clone()).expect("a store")
}

#[track_caller]
fn minimized(store: &Arc<dyn Store>, process: &str) -> Minimized {
    let found = Minimize::new().process(process).run(&**store);
    found.expect("found").remove(0)
}

fn lists(found: &Minimized) -> [Vec<String>; 2] {
    [PolicyList::Inputs, PolicyList::Outputs].map(|list| {
        found
            .minimum
            .list(list)
            .iter()
            .map(ToString::to_string)
            .collect()
    })
}

#[test]
fn keys_that_are_arguments_stay_arguments() {
    let store = probe_store();
    let engine = Setup::probe().store(store.clone()).engine();
    for (from, to) in [("a", "b"), ("b", "c"), ("a", "c")] {
        for slot in [from, to] {
            commits(&engine, "increment_at", args! { "slot" => slot });
        }
        commits(
            &engine,
            "transfer",
            args! { "from" => from, "to" => to, "amount" => 1 },
        );
    }
    let found = minimized(&store, "transfer");
    assert_eq!(
        lists(&found)[1],
        ["domain.slots.{from}", "domain.slots.{to}"]
    );
    assert!(found.minimum.is_tight() && found.minimum.unseen_errors == ["Poor"]);
    // A path of the script's is an argument's text, not a key that an argument names.
    let steps = json(r#"[{"set":{"path":"domain.data.x","value":1}}]"#);
    commits(&engine, "script", args! { "steps" => steps });
    commits(
        &engine,
        "set_raw",
        args! { "path" => "domain.data.x", "value" => 2 },
    );
    assert_eq!(lists(&minimized(&store, "set_raw"))[1], ["domain.data.x"]);
}

#[test]
fn permissive_runs_and_runs_that_failed_are_evidence_and_said_to_be() {
    let store = probe_store();
    let engine = Setup::probe().permissive().store(store.clone()).engine();
    commits(&engine, "write_undeclared", args! {});
    let found = minimized(&store, "write_undeclared");
    assert_eq!(
        lists(&found),
        [
            Vec::new(),
            vec!["domain.counter".to_owned(), "domain.hidden".to_owned()]
        ]
    );
    assert_eq!(
        (found.permissive_runs, found.minimum.policy().is_some()),
        (1, true)
    );
    assert!(
        found
            .warnings
            .iter()
            .any(|it| it.starts_with("1 of the runs were permissive"))
    );
    drop(engine);
    let engine = Setup::probe().store(store.clone()).engine();
    fails(
        &engine,
        "fail",
        args! { "code" => "ValueError", "message" => "no" },
        "ValueError",
    );
    fails(&engine, "write_undeclared", args! {}, "THEUS-C002");
    let found = minimized(&store, "fail");
    assert_eq!((found.minimum.runs, found.rolled_back_runs), (1, 1));
    assert!(found.minimum.unseen_errors.is_empty());
    // What was refused before its guest was entered says nothing about the guest.
    let _ = engine.call(Call::new("increment", args! { "no" => 1 }));
    assert!(Minimize::new().process("increment").run(&*store).is_err());
}

/// More places than a record names: nothing of what may have been read is dropped.
#[test]
fn runs_that_read_more_than_a_record_names_keep_what_they_may_have_read() {
    let store = probe_store();
    let engine = Setup::probe().store(store.clone()).engine();
    let get = |path: String| format!(r#"{{"get":{{"path":"{path}"}}}}"#);
    let below =
        (0..40).flat_map(|at| [format!("domain.inbox.k{at}"), format!("domain.data.k{at}")]);
    let steps: Vec<String> = below.map(get).collect();
    commits(
        &engine,
        "script",
        args! { "steps" => json(&format!("[{}]", steps.join(","))) },
    );
    let found = minimized(&store, "script");
    assert_eq!(lists(&found)[0], ["domain.inbox", "domain.data"]);
}

#[test]
fn runs_under_an_earlier_contract_do_not_count() {
    let store = store::memory(Tree::default()).expect("a store");
    let run = |inputs: &str, note: &str| {
        let contract = format!(r#"{{"name":"p","inputs":[{inputs}]}}"#);
        let note = format!("(@custom \"note\" \"{note}\")");
        let module = core_module(&format!("{} {note}", contract_section(&contract)));
        let component = into_component(&module).expect("a component").into_owned();
        let engine = Engine::builder()
            .store(store.clone())
            .build()
            .expect("an engine");
        engine
            .register(component, Policy::as_declared())
            .expect("registered");
        commits(&engine, "p", args! {});
    };
    run(r#""domain.a""#, "1");
    run(r#""domain.b""#, "2");
    run(r#""domain.b""#, "3");
    let found = minimized(&store, "p");
    assert_eq!(
        (
            found.minimum.runs,
            found.earlier_runs,
            found.other_components
        ),
        (2, 1, 1)
    );
    assert_eq!(found.minimum.inputs[0].declared.to_string(), "domain.b");
    assert!(
        found
            .warnings
            .contains(&"1 run under 1 other contract of the process left out".to_owned()),
        "{:?}",
        found.warnings
    );
}
