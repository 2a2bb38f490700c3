//! What SECURITY.md says is tested: every test that it names is there.

use crate::harness::{hostile, root};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all test functions, those of the hostile guests' table included.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in [
        "host/src",
        "host/core/src",
        "host/core/tests",
        "host/smith/tests",
        "tests/integration",
        "guest-sdk/rust/src",
    ] {
        gather(&root().join(folder), &mut names);
    }
    names.extend(hostile::folders().iter().map(|it| it.replace('-', "_")));
    names
}

fn gather(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, names);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                if line != "#[test]" {
                    continue;
                }
                let name = lines
                    .by_ref()
                    .find_map(|line| line.strip_prefix("fn "))
                    .and_then(|rest| rest.split_once('('));
                names.extend(name.map(|(name, _)| name.to_owned()));
            }
        }
    }
}

/// The rows of the table under a heading of SECURITY.md, as cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let (_, behind) = text
        .split_once(heading)
        .unwrap_or_else(|| panic!("{heading}"));
    let section = behind.split("\n## ").next().expect("a section");
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .skip(1)
        .map(|line| {
            line.trim_matches('|')
                .split(" | ")
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect::<Vec<_>>();
    assert!(!rows.is_empty(), "{heading} has no rows");
    rows
}

/// The words between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_attack_names_tests_that_are_there() {
    let tests = tests();
    let mut named = BTreeSet::new();
    for heading in ["\n## Attacks", "\n## Incidents"] {
        for row in rows(heading) {
            let cited = quoted(&row[1]);
            assert!(!cited.is_empty(), "`{}` has no test", row[0]);
            for test in cited {
                assert!(tests.contains(test), "`{test}` of `{}` is no test", row[0]);
                named.insert(test.to_owned());
            }
        }
    }
    for folder in hostile::folders() {
        let name = folder.replace('-', "_");
        assert!(
            named.contains(&name),
            "SECURITY.md has no attack with `{name}`"
        );
    }
}

#[test]
fn every_defence_was_broken_on_purpose_and_a_test_that_is_there_failed() {
    let tests = tests();
    for row in rows("\n## Defences, broken on purpose") {
        let cited = quoted(&row[2]);
        assert!(!cited.is_empty(), "`{}` made no test fail", row[0]);
        for test in cited {
            assert!(tests.contains(test), "`{test}` of `{}` is no test", row[0]);
        }
    }
}
