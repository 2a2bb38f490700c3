//! Directories that a run writes into: it sees what it wrote, nobody else does, and all of it appears or nothing.

use crate::harness::engines::{commits, fails, value};
use crate::harness::guests;
use crate::harness::scribe::{does, engine, files, folder, said, setup, steps, stops};
use std::fs;
use std::time::Duration;
use theus_host::{
    Call, Engine, FileOp, Outcome, Policy, RegisterError, Value, args, context_from_json,
};

#[test]
fn a_run_sees_what_it_wrote_over_what_is_there() {
    let folder = folder();
    let engine = engine(folder.path());
    let said = does(
        &engine,
        &[
            &["read", "/data/file"],
            &["write", "/data/file", "other"],
            &["read", "/data/file"],
            &["append", "/data/folder/inner", " still"],
            &["read", "/data/folder/inner"],
            &["new", "/data/new", "made"],
            &["new", "/data/new", "again"],
            &["make", "/data/made"],
            &["rename", "/data/new", "/data/made/moved"],
            &["list", "/data"],
            &["list", "/data/made"],
            &["remove", "/data/file"],
            &["read", "/data/file"],
            &["list", "/data"],
            &["unmake", "/data/folder"],
            &["remove", "/data/folder/inner"],
            &["unmake", "/data/folder"],
            &["list", "/data"],
            &["patch", "/data/made/moved", "2", "XY!"],
            &["read-and-write", "/data/made/moved", "-end"],
            &["size", "/data/made/moved", "3"],
            &["read", "/data/made/../made/./moved"],
        ],
    );
    assert_eq!(
        said,
        [
            "some text",
            "done",
            "other",
            "done",
            "deeper still",
            "done",
            "AlreadyExists",
            "done",
            "done",
            "file folder made",
            "moved",
            "done",
            "NotFound",
            "folder made",
            // Rust's library has no word of its own for a directory that is not empty, on WASI.
            "Uncategorized",
            "done",
            "done",
            "made",
            "done",
            "maXY!-end",
            "done",
            "maX",
        ]
    );
    let left = files(&folder.path().join("data"));
    let expected =
        [("made/", ""), ("made/moved", "maX")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(left, expected.into());
    assert_eq!(value(&engine, "domain.told"), Some(Value::from(1)));
}

#[test]
fn nothing_appears_before_the_commit_and_all_of_it_after() {
    let folder = folder();
    let engine = engine(folder.path());
    let before = files(folder.path());
    let told: &[&[&str]] = &[
        &["write", "/data/file", "other"],
        &["write", "/data/new", "new"],
        &["remove", "/data/folder/inner"],
        &["make", "/data/made"],
    ];
    // Whatever ends the run, nothing of it remains: neither files nor values nor the signal.
    for (last, code) in [("fail", "Stop"), ("panic", "THEUS-T002")] {
        let mut told = told.to_vec();
        let last = [last];
        told.push(&last);
        stops(&engine, folder.path(), &told, code);
        assert_eq!(files(folder.path()), before);
    }
    let receipt = commits(&engine, "work", steps(told));
    let outside = receipt.outside.expect("it has a directory");
    assert_eq!(outside.writable.as_deref(), Some("data"));
    assert!(outside.directories.is_empty());
    let changes: Vec<_> = outside
        .files
        .iter()
        .map(|it| (it.path.as_str(), it.op, it.bytes))
        .collect();
    assert_eq!(
        changes,
        [
            ("/data/file", FileOp::Replace, Some(5)),
            ("/data/folder/inner", FileOp::Remove, None),
            ("/data/made", FileOp::CreateDirectory, None),
            ("/data/new", FileOp::Create, Some(3)),
        ]
    );
    // Of `new`.
    let digest = "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437";
    assert_eq!(outside.files[3].sha256.as_deref(), Some(digest));
    let record = engine.records().pop().expect("it is recorded");
    assert_eq!(
        record.outside.expect("it has a directory").files,
        outside.files
    );
    let left = files(&folder.path().join("data"));
    let expected = [
        ("file", "other"),
        ("folder/", ""),
        ("made/", ""),
        ("new", "new"),
    ];
    assert_eq!(
        left,
        expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into()
    );
}

#[test]
fn limits_deadlines_and_gates_leave_nothing() {
    let folder = folder();
    let told: &[&[&str]] = &[&["write", "/data/file", "other"], &["spin"]];
    let short = setup(folder.path())
        .limits(|it| it.fuel = 5_000_000)
        .engine();
    stops(&short, folder.path(), told, "THEUS-L001");
    let short = setup(folder.path())
        .limits(|it| {
            it.timeout = Duration::from_millis(200);
            it.fuel = u64::MAX / 2;
        })
        .engine();
    stops(&short, folder.path(), told, "THEUS-L002");
    let writes: &[&[&str]] = &[&["write", "/data/file", "other"]];
    let gated = setup(folder.path())
        .recipe(
            "process_recipes: { work: { outputs: [{ field: domain.told, max: 0, level: B }] } }",
        )
        .engine();
    stops(&gated, folder.path(), writes, "THEUS-A001");
    let schema = setup(folder.path())
        .schema("context: { domain: { told: { type: int, max: 0 }, sig_told: { type: bool } } }")
        .engine();
    stops(&schema, folder.path(), writes, "THEUS-C011");
    let thrown = setup(folder.path())
        .recipe(
            "process_recipes: { work: { outputs: [{ field: domain.told, max: 0, level: S }] } }",
        )
        .engine();
    stops(&thrown, folder.path(), writes, "THEUS-A003");
    // A limit on what is written ends the run, whatever the guest would say to it.
    let engine = engine(folder.path());
    let before = files(folder.path());
    let size = steps(&[&["size", "/data/new", "1099511627776"]]);
    for (process, args) in [("flood", args! {}), ("fill", args! {}), ("work", size)] {
        fails(&engine, process, args, "THEUS-L015");
        assert_eq!(files(folder.path()), before, "{process}");
    }
}

#[test]
fn a_dry_run_shows_what_would_be_and_does_nothing() {
    let folder = folder();
    let engine = engine(folder.path());
    let before = files(folder.path());
    let told: &[&[&str]] = &[
        &["write", "/data/file", "other"],
        &["remove", "/data/folder/inner"],
    ];
    let receipt = engine.call(Call::new("work", steps(told)).dry_run());
    assert_eq!(
        (receipt.outcome, &receipt.error),
        (Outcome::RolledBack, &None)
    );
    let files_of = receipt.outside.expect("it has a directory").files;
    let ops: Vec<_> = files_of.iter().map(|it| it.op).collect();
    assert_eq!(ops, [FileOp::Replace, FileOp::Remove]);
    assert_eq!(files(folder.path()), before);
    assert!(engine.records().is_empty());
    does(&engine, told);
}

#[test]
fn files_alone_are_a_commit_that_raises_no_version() {
    let folder = folder();
    let engine = engine(folder.path());
    let receipt = commits(
        &engine,
        "work_on_files",
        steps(&[&["write", "/data/new", "x"]]),
    );
    assert_eq!(receipt.version, 0);
    assert_eq!(receipt.outside.expect("it has a directory").files.len(), 1);
    assert!(folder.path().join("data/new").exists());
}

/// Who asks to read a directory reads what is granted for writing, and cannot write.
#[test]
fn the_contract_says_who_of_a_guest_writes() {
    let folder = folder();
    let engine = engine(folder.path());
    let told: &[&[&str]] = &[
        &["read", "/data/file"],
        &["write", "/data/new", "x"],
        &["append", "/data/file", "x"],
        &["size", "/data/file", "0"],
        &["remove", "/data/file"],
        &["make", "/data/made"],
        &["rename", "/data/file", "/data/new"],
    ];
    let receipt = commits(&engine, "look", steps(told));
    let refused = "ReadOnlyFilesystem";
    let expected = [
        "some text",
        refused,
        refused,
        refused,
        refused,
        refused,
        refused,
    ];
    assert_eq!(said(&receipt), expected);
    assert_eq!(receipt.outside.expect("it has a directory").writable, None);
    let unasked = commits(
        &engine,
        "work_unasked",
        steps(&[&["write", "/data/new", "x"]]),
    );
    assert_ne!(said(&unasked), ["done"]);
    assert_eq!(unasked.outside, None);
    assert!(!folder.path().join("data/new").exists());
}

#[test]
fn writing_is_granted_aloud_and_once() {
    let folder = folder();
    let data = folder.path().join("data");
    let context = || context_from_json(r#"{"domain": {"told": 0, "sig_told": false}}"#);
    let register = |policy: Policy| -> RegisterError {
        let context = context().expect("a context");
        let engine = Engine::builder()
            .context(context)
            .build()
            .expect("an engine");
        let registered = engine.register(guests::scribe().file.as_path(), policy);
        registered.expect_err("it is not granted")
    };
    let check = |policy: Policy, code: &str, expected: &str| {
        let error = register(policy);
        let told = format!("{error}: {}", error.help().unwrap_or_default());
        assert_eq!(error.code().as_str(), code, "{told}");
        assert!(told.contains(expected), "{told}");
    };
    let declared = Policy::as_declared;
    check(
        declared().grant_directory("data", &data),
        "THEUS-C008",
        "the side effect `fs-rw:data` is not granted: grant it with `--dir-rw data=FOLDER` (in a program: `Policy::grant_writable_directory`)",
    );
    check(
        declared()
            .grant_writable_directory("data", &data)
            .grant_directory("data", &data),
        "THEUS-U010",
        "the grant of `fs:data`: it is given twice",
    );
    check(
        declared()
            .grant_writable_directory("data", &data)
            .grant_writable_directory("date", &data),
        "THEUS-U010",
        "no process of the guest asks for it",
    );
    check(
        declared().grant_writable_directory("data", data.join("nowhere")),
        "THEUS-U010",
        "cannot open the directory",
    );
}

#[cfg(unix)]
#[test]
fn rights_are_kept_and_read_only_files_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let data = folder.path().join("data");
    let mode = |path: &str| {
        let metadata = fs::metadata(data.join(path)).expect("it is there");
        metadata.permissions().mode() & 0o7777
    };
    let set = |path: &str, mode| {
        let rights = fs::Permissions::from_mode(mode);
        fs::set_permissions(data.join(path), rights).expect("it is ours");
    };
    set("file", 0o4640);
    set("folder/inner", 0o444);
    let engine = engine(folder.path());
    let said = does(
        &engine,
        &[
            &["append", "/data/file", "!"],
            &["append", "/data/folder/inner", "!"],
            &["rename", "/data/file", "/data/folder/inner"],
            &["new", "/data/new", "x"],
        ],
    );
    assert_eq!(
        said,
        ["done", "PermissionDenied", "PermissionDenied", "done"]
    );
    assert_eq!(mode("file"), 0o640, "nobody runs it as somebody else");
    assert_eq!(mode("folder/inner"), 0o444);
}

/// Time and identity of what the run wrote tell it nothing that it was not granted.
#[test]
fn what_a_run_wrote_bears_the_time_of_the_run() {
    let folder = folder();
    let engine = engine(folder.path());
    let said = does(
        &engine,
        &[
            &["write", "/data/new", "abc"],
            &["stat", "/data/new"],
            &["make", "/data/made"],
            &["stat", "/data/made"],
            &["touch", "/data/new"],
        ],
    );
    let refused = "PermissionDenied";
    assert_eq!(
        said,
        [
            "done",
            "file 3 946684800",
            "done",
            "directory 0 946684800",
            refused
        ]
    );
}

#[test]
fn handles_do_what_they_were_opened_for() {
    let folder = folder();
    let engine = engine(folder.path());
    let said = does(
        &engine,
        &[
            &["write-only", "/data/file"],
            &["read-only", "/data/file"],
            &["write", "/data/new", "x"],
            &["read-only", "/data/new"],
        ],
    );
    for (index, said) in said.iter().enumerate().filter(|(index, _)| *index != 2) {
        assert_ne!(said, "done", "step {index}");
    }
}
