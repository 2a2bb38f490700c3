//! The verb `fuzz`: a guest without bugs passes, planted bugs are found, made small, and made to happen again.

use crate::harness::binary::{Ran, run_in};
use crate::harness::{guests, root, wat};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use theus_host::fuzz::{Finding, FindingKind, Fuzzer, play_script};
use theus_host::{Engine, Policy};

/// Fuzzes the guest with a planted bug per process; little fuel, so that what never ends ends soon.
fn fuzz_planted(further: &[&str]) -> Ran {
    let guest = guests::planted_bugs().file.display().to_string();
    let words = [
        "fuzz",
        guest.as_str(),
        "--context",
        "guests/hostile/planted-bugs/context.yaml",
        "--fuel",
        "1000000",
        "--seed",
        "7",
        "--runs",
        "1200",
        "-o",
        "json",
    ];
    run_in(root(), &[&words[..], further].concat())
}

fn findings(ran: &Ran) -> Vec<Json> {
    assert_eq!(ran.code, 1, "{ran:?}");
    ran.json()["findings"].as_array().expect("a list").clone()
}

/// Runs a finding's command line through a shell; the object that it prints.
fn reproduced(folder: &Path, finding: &Json) -> Json {
    let line = finding["reproduce"].as_str().expect("a command line");
    let host = format!("'{}'", env!("CARGO_BIN_EXE_theus-host"));
    let line = line.replacen("theus-host", &host, 1);
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");
    let output = Command::new("sh")
        .current_dir(folder)
        .env("XDG_CACHE_HOME", cache)
        .args(["-c", &format!("{line} -o json")])
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {output:?}"))
}

#[test]
fn every_planted_bug_is_found_made_small_and_made_to_happen_again() {
    let found = findings(&fuzz_planted(&[]));
    let kinds: BTreeSet<(&str, &str)> = found
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().expect("text");
            (text("process"), text("kind"))
        })
        .collect();
    let planted = [
        ("share", "trap"),
        ("cheapest", "trap"),
        ("withdraw", "undeclared-error"),
        ("rename", "contract-violation"),
        ("countdown", "limit"),
    ];
    assert_eq!(kinds, BTreeSet::from(planted));
    let of = |process: &str| {
        let mut of_process = found.iter().filter(|it| it["process"] == process);
        of_process.next().unwrap_or_else(|| panic!("{process}"))
    };
    assert_eq!(
        of("share")["args"],
        serde_json::json!({"amount": 0, "among": 0})
    );
    // On the base there are prices: only another context shows it.
    assert_eq!(
        of("cheapest")["context"]["domain"]["prices"],
        serde_json::json!([])
    );
    assert_eq!(of("withdraw")["args"], serde_json::json!({"amount": 101}));
    assert_eq!(
        of("rename")["args"],
        serde_json::json!({"name": "a".repeat(31)})
    );
    for finding in &found {
        let again = reproduced(root(), finding);
        assert_eq!(
            again["error"]["code"], finding["error"]["code"],
            "{finding}"
        );
    }
    // The smallest inputs come first, and the same seed and runs find the same.
    assert_eq!(found[0]["args"], serde_json::json!({"amount": 101}));
    assert_eq!(findings(&fuzz_planted(&[])), found);
}

#[test]
fn what_is_needed_to_reproduce_goes_into_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("found");
    let limit = ["--limit", "host-calls=10_000"];
    let further = ["--out", &out.display().to_string(), limit[0], limit[1]];
    let found = findings(&fuzz_planted(&further));
    for finding in &found {
        let line = finding["reproduce"].as_str().expect("a command line");
        assert!(line.contains("-args.json"), "{line}");
        assert!(line.contains(&limit.join(" ")), "{line}");
        let again = reproduced(root(), finding);
        assert_eq!(again["error"]["code"], finding["error"]["code"], "{line}");
    }
    let contexts = found.iter().filter(|it| !it["context"].is_null()).count();
    let files = std::fs::read_dir(&out).expect("it was made").count();
    assert_eq!(files, found.len() + contexts);
    assert!(contexts > 0);
}

/// Declared errors, audit rules and the schema at work are counted, and are no findings.
#[test]
fn the_warehouse_is_clean_and_its_endings_are_counted() {
    let guest = guests::warehouse().file.display().to_string();
    let folder = root().join("guests/warehouse");
    let words = [
        "fuzz",
        &guest,
        "--seed",
        "3",
        "--runs",
        "1500",
        "-o",
        "json",
        "--context",
        "context.yaml",
    ];
    let rules = ["--schema", "schema.yaml", "--audit", "audit.yaml"];
    for further in [&[][..], &rules] {
        let ran = run_in(&folder, &[&words[..], further].concat());
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        let process = &ran.json()["processes"][0];
        assert_eq!(process["runs"], 1500);
        let mut seen = vec!["committed", "failed: ValueError", "arguments not taken"];
        if !further.is_empty() {
            seen.extend(["refused by the schema", "refused by a rule: audit-block"]);
            let rules = process["audit"].as_array().expect("a list");
            let acted = rules.iter().filter(|it| it["action"] == "block").count();
            assert!(acted > 0, "{rules:?}");
        }
        for ending in seen {
            assert!(
                process["endings"][ending].as_u64() > Some(0),
                "{ending}: {process}"
            );
        }
        assert!(process["hungriest"]["fuel"].as_u64() > Some(0));
    }
}

/// Arguments that a guest's types do not hold are the caller's mistake, in every language.
#[test]
fn the_warehouse_is_clean_in_both_languages_whatever_the_seed() {
    let folder = root().join("guests/warehouse");
    for guest in [guests::warehouse(), guests::warehouse_as()] {
        let guest = guest.file.display().to_string();
        for seed in ["1", "2", "3"] {
            let words = [
                "fuzz",
                &guest,
                "--seed",
                seed,
                "--runs",
                "500",
                "-o",
                "json",
                "--context",
                "context.yaml",
            ];
            let ran = run_in(&folder, &words);
            assert_eq!(ran.code, 0, "{}", ran.stdout);
            let endings = &ran.json()["processes"][0]["endings"];
            for ending in ["committed", "failed: ValueError", "arguments not taken"] {
                assert!(endings[ending].as_u64() > Some(0), "{ending}: {endings}");
            }
        }
    }
}

/// A directory that changes under a guest makes runs differ that should not: two reads of one file, two texts.
#[cfg(target_os = "linux")]
#[test]
fn runs_that_differ_with_the_same_input_are_found() {
    let engine = Engine::builder().build().expect("an engine");
    let policy = Policy::as_declared()
        .grant_clock()
        .grant_random()
        .grant_directory("data", "/proc/sys/kernel/random");
    engine
        .register(guests::outside().file.as_path(), policy)
        .unwrap_or_else(|error| panic!("{error}"));
    let fuzz = |process: &str| Fuzzer::new(&engine).process(process).runs(5).run().findings;
    let found = fuzz("read_changing");
    let kinds: Vec<FindingKind> = found.iter().map(|it: &Finding| it.kind).collect();
    assert_eq!(kinds, [FindingKind::Nondeterminism], "{found:?}");
    // The time and the seed are inputs, brought again for the second run: using them makes none.
    let traps = |found: &[Finding]| found.iter().all(|it| it.kind == FindingKind::Trap);
    for process in ["time", "random"] {
        let found = fuzz(process);
        assert!(traps(&found), "{process}: {found:?}");
    }
}

/// Codes that are made of arguments are findings without end: they leave room for what else there is.
#[test]
fn codes_made_of_arguments_do_not_crowd_out_the_rest() {
    let contract = |name: &str| {
        format!(
            r#"{{"name":"{name}","parameters":[{{"name":"n","kind":"int"}}],"inputs":[],"outputs":[]}}"#
        )
    };
    let contracts = format!("{}\n{}\n", contract("coded"), contract("trapping"));
    // The shorter name is that of the process whose code is a letter by the last byte of its arguments.
    let guest = wat::core_module_with(
        "(if (i32.ne (local.get 1) (i32.const 5)) (then unreachable))
        (i32.store8 (i32.const 512)
            (i32.add (i32.const 48) (i32.and (i32.const 63)
                (i32.load8_u (i32.sub (i32.add (local.get 2) (local.get 3)) (i32.const 1))))))
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (i32.const 512))
        (i32.store (i32.const 1032) (i32.const 1))
        (i32.const 1024)",
        &wat::contract_section(&contracts),
    );
    let engine = Engine::builder().build().expect("an engine");
    engine
        .register(guest, Policy::as_declared())
        .unwrap_or_else(|error| panic!("{error}"));
    let report = Fuzzer::new(&engine).runs(600).run();
    let of = |kind| report.findings.iter().filter(|it| it.kind == kind).count();
    assert_eq!(of(FindingKind::UndeclaredError), 16);
    assert_eq!(of(FindingKind::Trap), 1);
    assert!(report.left_out > 0);
}

/// The engine is left as it was found.
#[test]
fn fuzzing_commits_nothing_and_puts_the_context_back() {
    let context = theus_host::context_from_json(r#"{"domain": {"balance": 100, "name": "n"}}"#);
    let engine = Engine::builder()
        .context(context.expect("a context"))
        .build()
        .expect("an engine");
    engine
        .register(guests::planted_bugs().file.as_path(), Policy::as_declared())
        .unwrap_or_else(|error| panic!("{error}"));
    let before = engine.context().tree.clone();
    let report = Fuzzer::new(&engine).process("deposit").runs(300).run();
    assert_eq!(engine.context().tree, before);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(report.processes[0].committed() > 0);
    assert!(report.processes[0].runs == 300);
}

/// What the host's own functions answer is what a guest is answered, and what remains is the same.
#[test]
fn scripts_end_in_the_sandbox_as_they_end_without() {
    let engine = Engine::builder().build().expect("an engine");
    engine
        .register(guests::probe().file.as_path(), Policy::as_declared())
        .unwrap_or_else(|error| panic!("{error}"));
    for seed in 0..400 {
        let data = theus_core::fuzz::bytes(seed, 1024);
        play_script(&engine, &data).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
    }
    // Both endings are common among them.
    let records = engine.records();
    let failed = records.iter().filter(|it| it.error.is_some()).count();
    assert!((60..300).contains(&failed), "{failed} of 400 were refused");
}

/// An interrupt ends the search, and not what was found.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_what_was_found() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;
    let guest = &guests::planted_bugs().file;
    let mut child = Command::new(env!("CARGO_BIN_EXE_theus-host"))
        .arg("fuzz")
        .arg(guest)
        .args(["withdraw", "--seconds", "600", "-o", "json"])
        .args(["--context", "guests/hostile/planted-bugs/context.yaml"])
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        )
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    while !line.contains("fuzzing the guest") {
        line.clear();
        assert!(said.read_line(&mut line).expect("it says something") > 0);
    }
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    let printed: Json = serde_json::from_slice(&output.stdout).expect("one object");
    let warnings = printed["warnings"].to_string();
    assert!(warnings.contains("interrupted"), "{printed}");
    let found = printed["findings"].as_array().expect("a list").len();
    assert_eq!(
        output.status.code(),
        Some(i32::from(found > 0)),
        "{printed}"
    );
}

/// What has nowhere to go is said before anything is found, and so nothing is lost.
#[test]
fn a_folder_that_cannot_be_made_is_said_at_once() {
    let guest = guests::planted_bugs().file.display().to_string();
    let words = ["fuzz", &guest, "--runs", "5", "--out", "/dev/null/folder"];
    let ran = run_in(root(), &words);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("cannot write /dev/null/folder"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("fuzzing the guest"), "{ran:?}");
}

/// An author who gives no context is told that none was tried.
#[test]
fn contexts_that_are_never_varied_are_said() {
    let guest = guests::planted_bugs().file.display().to_string();
    let fuzz = |further: &[&str]| {
        let words = [
            "fuzz",
            guest.as_str(),
            "withdraw",
            "--runs",
            "5",
            "--seed",
            "1",
            "-o",
            "json",
        ];
        run_in(root(), &[&words[..], further].concat()).json()["warnings"].to_string()
    };
    assert!(fuzz(&[]).contains("empty context"));
    let context = ["--context", "guests/hostile/planted-bugs/context.yaml"];
    assert_eq!(fuzz(&context), "[]");
}
