//! `theus-host test`, where a test has to change a guest's cases. Everything else is data in `tests/cases`.

use crate::harness::binary::{Ran, run_in};
use crate::harness::console::shown;
use crate::harness::{guests, root};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;

/// The project's own guest, built from its folder, with the cases that lie in it.
#[test]
fn a_folder_is_built_and_its_cases_pass() {
    let ran = run_in(root(), &["test", "guests/warehouse"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.ends_with("3 passed, 0 failed\n"), "{ran:?}");
}

#[test]
fn the_page_about_testing_does_what_it_shows() {
    let page = fs::read_to_string(root().join("host/docs/testing.md")).expect("testing.md");
    let commands = shown(&page);
    assert_eq!(commands.len(), 2);
    for shown in commands {
        let line = shown
            .command
            .strip_prefix("theus-host ")
            .expect("a command of the host");
        shown.holds(root(), line);
    }
}

#[test]
fn blessing_makes_a_case_of_a_command() {
    let cases = tempfile::tempdir().expect("a folder");
    let case = cases.path().join("adds");
    fs::create_dir(&case).expect("writable");
    fs::write(case.join("cmd"), "run $GUEST product_name=TV price=500").expect("writable");
    fs::write(case.join("expected.txt"), "").expect("writable");
    let run = |flags: &[&str]| -> Ran {
        let guest = guests::warehouse().file.display().to_string();
        let folder = cases.path().display().to_string();
        run_in(
            Path::new("/"),
            &[&["test", &guest, "--cases", &folder], flags].concat(),
        )
    };
    let ran = run(&[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("it has no expected.json") && ran.stdout.contains("--bless"),
        "{ran:?}"
    );

    let ran = run(&["--bless", "-o", "json"]);
    let object = ran.json();
    assert_eq!(
        (ran.code, &object["cases"][0]["blessed"]),
        (0, &json!(["expected.json", "expected.txt"]))
    );
    let written = fs::read_to_string(case.join("expected.json")).expect("it is written");
    let written: Json = serde_json::from_str(&written).expect("JSON");
    assert_eq!(
        (&written["exit"], &written["json"]["result"]),
        (&json!(0), &json!("Added"))
    );
    // What differs from run to run is not expected.
    assert_eq!(written["json"].get("stats"), None, "{written}");
    let text = fs::read_to_string(case.join("expected.txt")).expect("it is written");
    assert!(
        text.starts_with("add_product committed, version 0 -> 1\n"),
        "{text}"
    );
    assert_eq!(run(&[]).code, 0);

    // A slip in the expectation is told of by its place, and blessed as small as it was written.
    let expected = r#"{"exit": 0, "json": {"changes": [{"new": {"price": 5}}, {}]}}"#;
    fs::write(case.join("expected.json"), expected).expect("writable");
    let ran = run(&[]);
    assert!(
        ran.stdout
            .contains("$.changes[0].new.price: expected 5, found 500"),
        "{ran:?}"
    );
    assert!(
        run(&["adds", "--bless"])
            .stdout
            .starts_with("blessed adds\n1 passed")
    );
    let blessed = fs::read_to_string(case.join("expected.json")).expect("it is written");
    let blessed: Json = serde_json::from_str(&blessed).expect("JSON");
    assert_eq!(
        blessed,
        json!({"exit": 0, "json": {"changes": [{"new": {"price": 500}}, {}]}})
    );
}
