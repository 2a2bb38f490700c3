//! States on the command line: `run --state`, and the verbs that look into one. Each test makes its own state.

use crate::harness::desk::Desk;
use crate::harness::{guests, root};
use serde_json::{Value as Json, json};
use std::fs;

/// The file's context is what a state begins with: it does not stand in the way of the next run, as the flag does.
#[test]
fn a_configuration_names_the_state_and_what_it_begins_with() {
    let desk = Desk::new();
    let context = root().join("guests/warehouse/context.yaml");
    let file = format!("version = 1\nstate = \"kept\"\ncontext = {context:?}\n");
    fs::write(desk.path().join("theus.toml"), file).expect("it is writable");
    assert_eq!(desk.passes("$ADD price=500")["version"], 1);
    assert_eq!(desk.passes("$ADD price=20 --buffered")["version"], 2);
    assert_eq!(
        desk.passes("$ADD price=20")["changes"][1],
        json!({"path": "domain.total_value", "op": "set", "old": 520, "new": 540})
    );
    assert!(desk.path().join("kept").is_dir());
    let file = "version = 1\n[state]\ndirectory = \"kept\"\nbuffered = true\n";
    fs::write(desk.path().join("theus.toml"), file).expect("it is writable");
    for (flag, durability) in [("", "buffered"), ("--buffered=false", "durable")] {
        let receipt = desk.passes(&format!("$ADD price=1 {flag}"));
        assert_eq!(receipt["durability"], durability, "{flag}");
    }
    desk.ends("$ADD price=500 $CONTEXT", 2, "THEUS-U015");
    assert_eq!(desk.passes("$ADD price=500 --state other")["version"], 1);
}

/// What a process does to files is part of its commit: the record lists it, and the next command finds both.
#[test]
fn a_process_writes_files_and_a_state_in_one_commit() {
    let desk = Desk::new();
    fs::create_dir(desk.path().join("data")).expect("it is writable");
    let context = root().join("guests/scribe/context.yaml");
    let run = |process: &str, steps: &str, more: &str| {
        let guest = guests::scribe().file.display().to_string();
        desk.passes(&format!(
            "run {guest} {process} steps:={steps} --dir-rw data=data --state state {more}"
        ))
    };
    let first = format!("--context {}", context.display());
    let made = run("work", r#"[["write","/data/file","text"]]"#, &first);
    assert_eq!(
        (&made["version"], &made["journal"]["seq"]),
        (&json!(1), &json!(1))
    );
    let read = |name: &str| fs::read_to_string(desk.path().join("data").join(name)).ok();
    assert_eq!(read("file").as_deref(), Some("text"));
    // Files alone make no version, and are kept nevertheless; also where commits do not wait for the disk.
    let files_only = r#"[["write","/data/other","more"]]"#;
    let receipt = run("work_on_files", files_only, "--buffered");
    assert_eq!(
        (&receipt["version"], &receipt["journal"]["seq"]),
        (&json!(2), &json!(3)),
        "one more than the reset of its signal"
    );
    assert_eq!(receipt["outside"]["files"][0]["path"], "/data/other");
    run("work", r#"[["write","/data/never","x"]]"#, "--dry-run");
    assert_eq!(
        (read("other").as_deref(), read("never")),
        (Some("more"), None)
    );
    let log = desk.passes("log --state state");
    let files: Vec<_> = log["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["actor"] == "process")
        .map(|entry| &entry["outside"]["files"][0]["path"])
        .collect();
    assert_eq!(files, ["/data/file", "/data/other"]);
    assert_eq!(
        fs::read_dir(desk.path().join("data"))
            .expect("there")
            .count(),
        2
    );
}

#[test]
fn the_context_lives_in_the_directory_from_one_command_to_the_next() {
    let desk = Desk::new();
    let first = desk.passes("$ADD price=500 $CONTEXT --state state");
    assert_eq!(
        (&first["version"], &first["durability"]),
        (&json!(1), &json!("durable"))
    );
    assert_eq!(first["journal"]["seq"], 1);
    let second = desk.passes("$ADD price=20 --state state --buffered");
    assert_eq!(
        (&second["version"], &second["durability"]),
        (&json!(2), &json!("buffered"))
    );
    desk.ends("$ADD price=-5 --state state", 7, "ValueError");
    let show =
        |words: &str| desk.passes(&format!("context show --state state {words}"))["value"].clone();
    assert_eq!(show("domain.total_value"), 520);
    assert_eq!(show("domain.total_value --at 1"), 500);
    assert_eq!(show("domain.total_value --at 0"), 0);
    assert_eq!(show("domain.nothing"), Json::Null);
    assert_eq!(show("")["global"]["max_capacity"], 500);
    desk.ends("context show --state state --at 9", 2, "THEUS-U015");
    desk.ends("context show --state state domain..x", 2, "THEUS-U001");
    let text = desk.text("context show --state state domain.total_value");
    assert_eq!((text.code, text.stdout.as_str()), (0, "520\n"));
}

#[test]
fn what_does_not_fit_a_state_is_refused() {
    let desk = Desk::new();
    desk.passes("$ADD price=500 $CONTEXT --state state");
    let refused = desk.ends("$ADD price=500 $CONTEXT --state state", 2, "THEUS-U015");
    assert_eq!(
        refused["error"]["help"],
        "leave out --context, or give another --state for a new context"
    );
    desk.ends("$ADD price=500 --buffered", 2, "THEUS-U001");
    desk.ends("log", 2, "THEUS-U001");
    for verb in ["log", "log verify", "context show", "state interlock reset"] {
        desk.ends(&format!("{verb} --state nowhere"), 2, "THEUS-U015");
    }
    assert!(!desk.path().join("nowhere").exists());
    let in_use = theus_host::store::open(&desk.path().join("state"), |_, _| {}).expect("it opens");
    let refused = desk.ends("$ADD price=500 --state state", 2, "THEUS-U015");
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains("in use by another host"), "{message}");
    drop(in_use);
    desk.passes("$ADD price=500 --state state");
}

#[test]
fn a_dry_run_leaves_no_state_behind() {
    let desk = Desk::new();
    let dry = desk.passes("$ADD price=500 $CONTEXT --state state --dry-run");
    assert_eq!(dry["durability"], "memory");
    assert!(!desk.path().join("state").exists());
    desk.passes("$ADD price=500 $CONTEXT --state state");
    let dry = desk.passes("$ADD price=500 --state state --dry-run");
    assert_eq!(
        (&dry["version"], &dry["outcome"]),
        (&json!(1), &json!("rolled-back"))
    );
    assert_eq!(desk.passes("log --state state")["head"]["seq"], 1);
}

#[test]
fn the_log_says_what_happened_and_why() {
    let desk = Desk::new();
    let receipt = desk.passes("$ADD price=500 $CONTEXT --state state");
    desk.ends("$ADD price=-5 --state state", 7, "ValueError");
    let log = desk.passes("log --state state");
    let entries = log["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["hash"], receipt["journal"]["hash"]);
    assert_eq!(
        entries[0]["args"],
        json!({"product_name": "TV", "price": 500})
    );
    assert_eq!(entries[0]["writes"][1]["path"], "domain.total_value");
    assert_eq!(entries[0]["outcome"], "committed");
    assert_eq!(entries[1]["error"], "ValueError");
    assert_eq!(entries[1]["version"], Json::Null);
    let last = desk.passes("log --state state --last 1");
    assert_eq!(last["entries"][0]["seq"], 2);
    let after = desk.passes("log --state state --after 0 --last 1");
    assert_eq!(after["entries"][0]["seq"], 1);
    let text = desk.text("log --state state");
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{text:?}");
    assert!(
        lines[0].contains("add_product  committed  domain.items  domain.total_value"),
        "{text:?}"
    );
    assert!(
        lines[1].ends_with("add_product  rolled back  ValueError"),
        "{text:?}"
    );
    assert!(
        text.stderr.contains("head: record 2, version 1, sha256:"),
        "{text:?}"
    );
}

#[test]
fn verify_finds_damage_and_rewriting_and_salvage_saves_the_rest() {
    let desk = Desk::new();
    let receipt = desk.passes("$ADD price=500 $CONTEXT --state state");
    desk.passes("$ADD price=20 --state state");
    let hash = receipt["journal"]["hash"].as_str().expect("a hash");
    let sound = desk.passes(&format!("log verify --state state --expect {hash}"));
    assert_eq!(
        (&sound["sound"]["seq"], &sound["expected"]),
        (&json!(2), &json!(1))
    );
    let text = desk.text("log verify --state state");
    assert!(text.stdout.contains("records 1 to 2: sound"), "{text:?}");
    assert!(text.stdout.contains("without --expect HASH"), "{text:?}");
    let other = format!("sha256:{}", "0".repeat(64));
    desk.ends(
        &format!("log verify --state state --expect {other}"),
        1,
        "THEUS-H005",
    );
    desk.ends(
        "log verify --state state --expect nonsense",
        2,
        "THEUS-U001",
    );
    fs::remove_file(desk.path().join("state/seal")).expect("there");
    for command in [
        "$ADD price=1 --state state",
        "log --state state",
        "log verify --state state",
    ] {
        let damaged = desk.ends(command, 1, "THEUS-H005");
        let help = damaged["error"]["help"].as_str().expect("help");
        assert!(help.contains("log salvage"), "{help}");
    }
    let salvaged = desk.passes("log salvage --state state --to new");
    assert_eq!(salvaged["last"]["seq"], 2);
    desk.ends("log salvage --state state --to new", 2, "THEUS-U015");
    assert_eq!(desk.passes("$ADD price=3 --state new")["version"], 3);
    desk.passes(&format!("log verify --state new --expect {hash}"));
}

#[test]
fn the_interlock_stays_until_the_operator_resets_it() {
    let desk = Desk::new();
    let recipe = "process_recipes: { add_product: { inputs: [{ field: price, max: 100, level: S, message: too much }] } }";
    fs::write(desk.path().join("audit.yaml"), recipe).expect("writable");
    desk.ends(
        "$ADD price=500 $CONTEXT --state state --audit audit.yaml",
        6,
        "THEUS-A003",
    );
    // Without the recipe as well: the stop is the state's.
    let stopped = desk.ends("$ADD price=1 --state state", 6, "THEUS-A004");
    let help = stopped["error"]["help"].as_str().expect("help");
    assert!(
        help.contains("theus-host state interlock reset --state DIR"),
        "{help}"
    );
    let shown = desk.passes("state interlock show --state state");
    assert_eq!(
        (&shown["in_force"], &shown["process"], &shown["message"]),
        (&json!(true), &json!("add_product"), &json!("too much"))
    );
    let text = desk.text("state interlock show --state state");
    assert_eq!(
        text.stdout,
        "the interlock is in force; `price max 100` of add_product had thrown it: too much\n"
    );
    let reset = desk.passes("state interlock reset --state state");
    assert_eq!(
        (&reset["was_in_force"], &reset["message"]),
        (&json!(true), &json!("too much"))
    );
    desk.passes("$ADD price=1 --state state");
    let text = desk.text("state interlock reset --state state");
    assert_eq!(
        (text.code, text.stdout.as_str()),
        (0, "the interlock was not in force\n")
    );
    let shown = desk.passes("state interlock show --state state");
    assert_eq!(shown["in_force"], json!(false));
    let actors = desk.passes("log --state state");
    let actors: Vec<_> = actors["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["actor"])
        .collect();
    assert_eq!(actors, ["process", "process", "interlock-reset", "process"]);
}
