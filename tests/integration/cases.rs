//! Runs the cases of `tests/cases` through the built binary.

use crate::harness::cases::{Case, exit_code, folders};
use crate::harness::root;
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
