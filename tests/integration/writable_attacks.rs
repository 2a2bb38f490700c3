//! Attacks through a directory that is granted for writing: nothing leads out, nothing waits, nothing is without bound.

use crate::harness::engines::{PATIENCE, commits, fails};
use crate::harness::scribe::said;
use crate::harness::scribe::{does, engine, files, folder, says, setup, steps};
use crate::harness::trace::listening;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use theus_host::{Call, Limits};

/// Every step that changes something, at a path.
fn changes<'a>(path: &'a str, other: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["write", path, "x"],
        vec!["new", path, "x"],
        vec!["append", path, "x"],
        vec!["patch", path, "0", "x"],
        vec!["size", path, "3"],
        vec!["remove", path],
        vec!["make", path],
        vec!["unmake", path],
        vec!["rename", path, other],
        vec!["rename", other, path],
        vec!["link", other, path],
    ]
}

/// None of the steps changes anything at the path, and nothing changes on the outside either.
fn nothing_changes(path: &str, folder: &std::path::Path) {
    let engine = engine(folder);
    let before = files(folder);
    let told = changes(path, "/data/file");
    let told: Vec<&[&str]> = told.iter().map(Vec::as_slice).collect();
    let said = does(&engine, &told);
    for (said, told) in said.iter().zip(&told) {
        assert_ne!(said, "done", "{told:?}");
    }
    assert_eq!(files(folder), before, "{path}");
}

#[test]
fn no_path_leads_out_of_the_directory() {
    let folder = folder();
    let absolute = folder.path().join("secret").display().to_string();
    let below = format!("/data/{absolute}");
    let long = format!("/data/{}", "n".repeat(256));
    let deep = format!("/data/{}x", "d/".repeat(40));
    let longest = format!("/data/{}", "folder/../".repeat(500));
    for path in [
        "/data/../secret",
        "/data/folder/../../secret",
        "/data/./../data/../secret",
        "/data/nothing/../../secret",
        "/data/file/../../secret",
        "../secret",
        "secret",
        "/",
        "",
        "/data",
        "/data/",
        "/data/.",
        "/etc/passwd",
        "/proc/self/cwd/x",
        &absolute,
        &long,
        &deep,
        &longest,
        "/data/nul\0byte",
        "/data/file/",
        "/data/file/.",
        "/data/file/x",
        "/data/nothing/x",
    ] {
        // What is below the absolute path is in the directory: only its parents are not there.
        nothing_changes(path, folder.path());
    }
    nothing_changes(&below, folder.path());
}

#[test]
fn the_hosts_own_folder_is_not_there() {
    let folder = folder();
    for path in [
        "/data/.theus-staging",
        "/data/.theus-staging/manifest",
        "/data/.theus-staging/0",
        "/data/./.theus-staging/",
        "/data/folder/../.theus-staging/0",
        "/data/.THEUS-STAGING",
        "/data/.Theus-Staging/0",
        "/data/.theus-\u{17f}taging/0",
        "/data/folder/.theus-staging",
    ] {
        nothing_changes(path, folder.path());
        let said = does(
            &engine(folder.path()),
            &[
                &["write", "/data/new", "the folder is there now"],
                &["read", path],
                &["list", path],
                &["stat", path],
                &["list", "/data"],
                &["remove", "/data/new"],
            ],
        );
        let refused = "PermissionDenied";
        assert_eq!(
            said[1..5],
            [refused, refused, refused, "file folder new"],
            "{path}"
        );
    }
    // Nor for those that only read, in a directory above.
    let engine = engine(folder.path());
    let inner = folder.path().join("data/folder/.theus-staging");
    fs::create_dir(&inner).expect("it is writable");
    fs::write(inner.join("0"), "another run's").expect("it is writable");
    let told: &[&[&str]] = &[
        &["list", "/data/folder"],
        &["read", "/data/folder/.theus-staging/0"],
    ];
    let receipt = commits(&engine, "work_on_files", steps(told));
    assert_eq!(
        crate::harness::scribe::said(&receipt),
        ["inner", "PermissionDenied"]
    );
}

/// Links that somebody else put there, leading out and leading in: not followed, not moved, not removed.
#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let data = folder.path().join("data");
    let secret = folder.path().join("secret").display().to_string();
    for (link, target) in [
        ("up", "../secret"),
        ("absolute", &*secret),
        ("out", ".."),
        ("within", "file"),
        ("inside", "folder"),
        ("loop", "loop"),
        ("dangling", "../new"),
        ("staging", ".theus-staging"),
    ] {
        symlink(target, data.join(link)).expect(link);
    }
    for path in [
        "up",
        "absolute",
        "out",
        "out/secret",
        "out/new",
        "within",
        "inside",
        "inside/inner",
        "inside/new",
        "loop",
        "dangling",
        "staging/0",
        "inside/../file/x",
    ] {
        nothing_changes(&format!("/data/{path}"), folder.path());
    }
    let engine = engine(folder.path());
    for path in ["up", "within", "inside/inner", "out/secret"] {
        let said = says(&engine, &["read", &format!("/data/{path}")]);
        assert!(
            ["FilesystemLoop", "PermissionDenied"].contains(&&*said),
            "{path}: {said}"
        );
    }
    let names = says(&engine, &["list", "/data"]);
    assert!(
        names.contains("up") && names.contains("within"),
        "they are listed: {names}"
    );
}

/// A directory that a run knows becomes a link to the outside while it is at work, and between its end and its commit.
#[cfg(unix)]
#[test]
fn a_directory_that_becomes_a_link_is_left() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let data = folder.path().join("data");
    fs::create_dir(folder.path().join("outside")).expect("it is writable");
    let engine = engine(folder.path());
    assert_eq!(says(&engine, &["write", "/data/folder/new", "x"]), "done");
    fs::rename(data.join("folder"), data.join("moved")).expect("it is writable");
    symlink("../outside", data.join("folder")).expect("a link");
    nothing_changes("/data/folder/new", folder.path());
    nothing_changes("/data/folder/other", folder.path());
    assert!(files(&folder.path().join("outside")).is_empty());
}

#[cfg(unix)]
#[test]
fn fifos_and_sockets_are_neither_opened_nor_replaced() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::net::UnixListener;
    let folder = folder();
    let data = folder.path().join("data");
    mknodat(CWD, data.join("fifo"), FileType::Fifo, Mode::RWXU, 0).expect("a FIFO");
    let _socket = UnixListener::bind(data.join("socket")).expect("a socket");
    let started = Instant::now();
    for path in ["/data/fifo", "/data/socket"] {
        nothing_changes(path, folder.path());
        assert_eq!(
            says(&engine(folder.path()), &["read", path]),
            "PermissionDenied"
        );
    }
    assert!(
        started.elapsed() < PATIENCE / 2,
        "nobody waited for a reader"
    );
}

/// A terabyte that is nowhere, a hundred thousand files, directories without end: each ends at its limit.
#[test]
fn nothing_is_written_without_bound() {
    let folder = folder();
    let before = files(folder.path());
    let engine = engine(folder.path());
    let tera: &[&[&str]] = &[
        &["write", "/data/new", "x"],
        &["size", "/data/new", "1099511627776"],
    ];
    let receipt = fails(&engine, "work", steps(tera), "THEUS-L015");
    let error = receipt.error.expect("an error").to_string();
    assert_eq!(
        error,
        "work: the staged bytes limit of 67108864 bytes was reached (1099511627776 asked)"
    );
    let far: &[&[&str]] = &[&["patch", "/data/file", "18446744073709551000", "x"]];
    let receipt = engine.call(Call::new("work", steps(far)));
    let said = receipt
        .result
        .map(|it| format!("{it:?}"))
        .unwrap_or_default();
    assert!(!said.contains("done"), "{said}");
    fails(&engine, "flood", theus_host::Map::new(), "THEUS-L015");
    fails(&engine, "fill", theus_host::Map::new(), "THEUS-L015");
    let mut made = Vec::new();
    let mut path = String::from("/data");
    for _ in 0..40 {
        path.push_str("/d");
        made.push(path.clone());
    }
    let told: Vec<[&str; 2]> = made.iter().map(|it| ["make", it.as_str()]).collect();
    let mut told: Vec<&[&str]> = told.iter().map(<[&str; 2]>::as_slice).collect();
    told.push(&["fail"]);
    fails(&engine, "work", steps(&told), "Stop");
    assert_eq!(files(folder.path()), before);
}

/// A run stages many more files than it, or the host, has open; each of them is what was written into it.
#[cfg(target_os = "linux")]
#[test]
fn staged_files_are_not_kept_open() {
    let folder = folder();
    let engine = engine(folder.path());
    let paths: Vec<String> = (0..300).map(|number| format!("/data/{number}")).collect();
    let mut told: Vec<[&str; 3]> = paths.iter().map(|it| ["write", it, it]).collect();
    told.extend(paths.iter().map(|it| ["append", it.as_str(), "!"]));
    let mut told: Vec<&[&str]> = told.iter().map(<[&str; 3]>::as_slice).collect();
    let last = ["read", "/data/7"];
    told.push(&last);
    let most = std::sync::Arc::new(AtomicUsize::new(0));
    let staging = folder.path().join("data/.theus-staging");
    let seen = most.clone();
    let look = move |passed: &str| {
        if passed == "output-gate" {
            let open = fs::read_dir("/proc/self/fd").expect("Linux has it");
            let links = open.filter_map(|it| fs::read_link(it.ok()?.path()).ok());
            let open = links.filter(|it| it.starts_with(&staging)).count();
            seen.store(open, Ordering::SeqCst);
        }
    };
    let receipt = listening(look, || engine.call(Call::new("work", steps(&told))));
    assert_eq!(receipt.error, None);
    assert_eq!(said(&receipt).pop().as_deref(), Some("/data/7!"));
    let open = most.load(Ordering::SeqCst);
    assert!((1..=20).contains(&open), "{open} are open");
    for path in &paths {
        let file = folder.path().join(&path[1..]);
        let text = fs::read_to_string(&file).expect("it is there");
        assert_eq!(text, format!("{path}!"));
    }
}

/// A cheap call that makes the host copy megabytes costs as much fuel.
#[test]
fn work_on_files_costs_fuel() {
    let folder = folder();
    fs::write(folder.path().join("data/large"), vec![b'x'; 8 << 20]).expect("it is writable");
    let fuel = |told: &[&str]| {
        let receipt = engine(folder.path()).call(Call::new("work", steps(&[told])).dry_run());
        assert_eq!(receipt.error, None, "{told:?}");
        receipt.stats.fuel
    };
    for told in [
        &["patch", "/data/large", "0", "x"][..],
        &["size", "/data/large", "1"],
        &["rename", "/data/large", "/data/moved"],
        &["size", "/data/new", "8388608"],
    ] {
        let fuel = fuel(told);
        assert!(fuel > 8 << 20, "{told:?}: {fuel}");
    }
    let engine = setup(folder.path())
        .limits(|it| it.fuel = 5_000_000)
        .engine();
    fails(
        &engine,
        "work",
        steps(&[&["size", "/data/large", "1"]]),
        "THEUS-L001",
    );
}

#[test]
fn open_files_are_bounded_and_limits_are_told_before_they_are_reached() {
    let folder = folder();
    let engine = setup(folder.path())
        .limits(|it: &mut Limits| it.staged_bytes = 10)
        .engine();
    let receipt = commits(
        &engine,
        "work",
        steps(&[&["write", "/data/new", "12345678"]]),
    );
    let warnings = receipt.warnings.join("\n");
    assert!(
        warnings.contains("staged bytes of 10 bytes used: 8"),
        "{warnings}"
    );
}
