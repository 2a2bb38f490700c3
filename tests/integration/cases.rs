//! Runs the cases of `tests/cases` through the built binary.

use crate::cli::GENERATED;
use crate::harness::cases::{folders, suite};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_case_ends_as_expected() {
    let results = suite().run(&folders());
    let failures: Vec<String> = results
        .iter()
        .flat_map(|case| {
            case.failures
                .iter()
                .map(|it| format!("{}: {it}", case.name))
        })
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn expected(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("expected.json")).expect("expected.json");
    serde_json::from_str(&text).expect("expected.json")
}

/// Every row of the exit code table, as JSON and as text.
#[test]
fn the_cases_reach_every_exit_code_in_both_formats() {
    let (mut as_json, mut as_text) = (BTreeSet::new(), BTreeSet::new());
    for folder in folders() {
        let exit = expected(&folder)["exit"].as_i64();
        as_json.insert(exit);
        if folder.join("expected.txt").exists() {
            as_text.insert(exit);
        }
    }
    let every: BTreeSet<Option<i64>> = (0..=9).map(Some).collect();
    assert_eq!(as_json, every);
    assert_eq!(as_text, every);
}

/// Every code that is not reached says why.
#[test]
fn every_code_is_reached_through_the_binary() {
    const OUT_OF_REACH: [(&str, &str); 5] = [
        (
            "THEUS-H008",
            "no command writes a record that is not true: `replay.rs`",
        ),
        (
            "THEUS-A004",
            "it needs a state in which an earlier command threw the interlock: `state_commands.rs`",
        ),
        (
            "THEUS-C010",
            "a command registers one guest, whose contracts are checked before",
        ),
        (
            "THEUS-U016",
            "it needs a state, which an earlier command made: `state_edits.rs`",
        ),
        (
            "THEUS-U017",
            "it needs a state, which an earlier command made: `state_edits.rs`",
        ),
    ];
    let in_cases = folders().into_iter().filter_map(|folder| {
        let code = &expected(&folder)["json"]["error"]["code"];
        code.as_str().map(str::to_owned)
    });
    let reached: BTreeSet<String> = in_cases
        .chain(GENERATED.iter().map(|(code, _)| (*code).to_owned()))
        .chain(OUT_OF_REACH.iter().map(|(code, _)| (*code).to_owned()))
        .collect();
    for code in theus_host::Code::ALL {
        assert!(reached.contains(code.as_str()), "{code} has no case");
    }
}
