use super::*;
use std::fs;

/// A suite whose program prints this object and ends with this code, whatever it is asked.
fn suite(printed: &'static str, code: i32) -> Suite<'static> {
    Suite::new(move || {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            &format!("printf '%s\\n' '{printed}'; exit {code}"),
            "sh",
        ]);
        shell
    })
    .stand_in("$GUEST", "/guest.wasm")
}

/// A folder of cases: their files, each as case, name and text.
fn cases(files: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (case, name, text) in files {
        let case = folder.path().join(case);
        fs::create_dir_all(&case).expect("writable");
        fs::write(case.join(name), text).expect("writable");
    }
    folder
}

fn run(suite: &Suite<'_>, cases: &Path) -> Vec<CaseResult> {
    suite.run(&folders(cases).expect("a folder"))
}

const PASSES: &str = r#"{"exit": 0, "json": {"a": 1}}"#;

#[test]
fn cases_are_run_in_order_and_told_apart() {
    let folder = cases(&[
        ("b", "cmd", "run $GUEST"),
        (
            "b",
            "expected.json",
            r#"{"exit": 3, "json": {"a": 2, "c": null}}"#,
        ),
        ("a", "cmd", "run $GUEST"),
        ("a", "expected.json", PASSES),
    ]);
    let results = run(
        &suite(r#"{"a": 1, "error": {"message": "it went well"}}"#, 0),
        folder.path(),
    );
    let names: Vec<_> = results
        .iter()
        .map(|it| (it.name.as_str(), it.passed()))
        .collect();
    assert_eq!(names, [("a", true), ("b", false)]);
    let expected = [
        "exit: expected 3, found 0: it went well",
        "$.a: expected 2, found 1",
        "$.c: expected null, found nothing",
    ];
    assert_eq!(results[1].failures, expected);
}

#[test]
fn a_case_that_is_not_whole_fails() {
    for (files, expected) in [
        (&[("expected.json", PASSES)][..], "it has no cmd"),
        (&[("cmd", "run $GUEST")], "it has no expected.json"),
        (
            &[("cmd", "run '$GUEST"), ("expected.json", PASSES)],
            "cmd: a quote is left open",
        ),
        (
            &[("cmd", "run $GUETS"), ("expected.json", PASSES)],
            "nothing is called `$GUETS`",
        ),
        (
            &[("cmd", "run"), ("expected.json", "{")],
            "expected.json is no JSON",
        ),
        (
            &[("cmd", "run"), ("expected.json", "[]")],
            "expected.json is no object",
        ),
        (
            &[("cmd", "run"), ("expected.json", r#"{"exit": 0}"#)],
            "lacks `exit` or `json`",
        ),
        (
            &[
                ("cmd", "run"),
                ("expected.json", r#"{"exit": "0", "json": {}}"#),
            ],
            "lacks `exit` or `json`",
        ),
        (
            &[
                ("cmd", "run"),
                ("expected.json", r#"{"exit": 0, "jsno": {}}"#),
            ],
            "the unknown key `jsno`",
        ),
        (
            &[
                ("cmd", "run"),
                ("expected.json", PASSES),
                ("context.yaml", ""),
            ],
            "nothing reads the file context.yaml",
        ),
        (
            &[
                ("cmd", "run"),
                ("expected.json", PASSES),
                ("expected.txt", "{}\n"),
            ],
            "and this was printed",
        ),
    ] {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| ("case", *name, *text))
            .collect();
        let folder = cases(&files);
        let results = run(&suite(r#"{"a": 1}"#, 0), folder.path());
        let failures = results[0].failures.join("\n");
        assert!(failures.contains(expected), "{files:?}: {failures}");
    }
    let configured = cases(&[
        ("case", "cmd", "run"),
        ("case", "expected.json", PASSES),
        ("case", "theus.toml", "context = \"context.yaml\""),
        ("case", "context.yaml", ""),
    ]);
    assert!(run(&suite(r#"{"a": 1}"#, 0), configured.path())[0].passed());
    let folder = cases(&[("case", "cmd", "run"), ("case", "expected.json", PASSES)]);
    let results = run(&suite("no json", 0), folder.path());
    assert!(
        results[0].failures[0].contains("not one JSON object"),
        "{results:?}"
    );
    let checked = suite(r#"{"a": 1}"#, 0).check(|words, code, _| vec![format!("{words:?} {code}")]);
    let results = run(&checked, folder.path());
    assert_eq!(results[0].failures, [r#"["run"] 0"#]);
}

#[test]
fn blessing_writes_what_is_not_met_and_nothing_else() {
    let folder = cases(&[
        ("met", "cmd", "run"),
        ("met", "expected.json", PASSES),
        ("new", "cmd", "run"),
        ("unmet", "cmd", "run"),
        ("unmet", "expected.json", r#"{"exit": 3, "json": {"a": 2}}"#),
        ("unmet", "expected.txt", "other\n"),
    ]);
    let suite = suite(r#"{"a": 1, "b": 2}"#, 0);
    let blessing = suite.expectations(Expectations::Blessed);
    let blessed: Vec<_> = run(&blessing, folder.path())
        .into_iter()
        .map(|it| (it.name, it.failures.len(), it.blessed))
        .collect();
    let expected = [
        ("met".to_owned(), 0, vec![]),
        ("new".to_owned(), 0, vec!["expected.json"]),
        ("unmet".to_owned(), 0, vec!["expected.json", "expected.txt"]),
    ];
    assert_eq!(blessed, expected);
    assert_eq!(
        fs::read_to_string(folder.path().join("met/expected.json")).expect("a file"),
        PASSES
    );
    let fixed = blessing.expectations(Expectations::Fixed);
    assert!(run(&fixed, folder.path()).iter().all(CaseResult::passed));
}
