//! Runs the cases of `tests/cases` through the built binary.

use crate::cli::GENERATED;
use crate::harness::cases::{Case, folders};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[test]
fn every_case_ends_as_expected() {
    let folders = folders();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found =
                        Case::read(folder).map_or_else(|error| vec![error], |case| case.failures());
                    let name = folder.file_name().unwrap_or_default().to_string_lossy();
                    let mut failures = failures.lock().expect("no worker panics");
                    failures.extend(found.iter().map(|failure| format!("{name}: {failure}")));
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no worker panicked");
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
    const OUT_OF_REACH: [(&str, &str); 3] = [
        (
            "THEUS-A004",
            "it needs a state in which an earlier command threw the interlock: `state_commands.rs`",
        ),
        (
            "THEUS-C010",
            "a command registers one guest, whose contracts are checked before",
        ),
        (
            "THEUS-U011",
            "the command line grants every contract as declared",
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
