//! Granted directories: their files are read, nothing is changed, and no way leads out.

use crate::harness::engines::{PATIENCE, commits, fails};
use crate::harness::guests;
use crate::harness::outside::{engine, engine_with, folder, refused, result};
use std::fs;
use std::time::{Duration, Instant, UNIX_EPOCH};
use theus_host::{Call, Engine, Limits, Policy, Value, args, context_from_json};

#[test]
fn files_of_the_granted_directory_are_read() {
    let folder = folder();
    let engine = engine(folder.path());
    let data = folder.path().join("data");
    let long = "0123456789".repeat(50_000);
    fs::write(data.join("long"), &long).expect("it is writable");
    let read = |path: &str| result(&commits(&engine, "read", args! { "path" => path }));
    assert_eq!(read("/data/file"), Value::from("some text"));
    assert_eq!(read("/data/folder/inner"), Value::from("deeper"));
    assert_eq!(read("/data/folder/../file"), Value::from("some text"));
    assert_eq!(read("/data/long"), Value::from(long.as_str()));
    let piece = args! { "path" => "/data/long", "from" => 123_456, "len" => 5 };
    assert_eq!(
        result(&commits(&engine, "read_piece", piece)),
        Value::from("67890")
    );
    let names = commits(&engine, "list", args! { "path" => "/data" });
    let expected = ["file", "folder", "long"].map(Value::from).to_vec();
    assert_eq!(result(&names), Value::from(expected), "in order");
    let modified = fs::metadata(data.join("file"))
        .and_then(|it| it.modified())
        .expect("a time");
    let seconds = modified.duration_since(UNIX_EPOCH).expect("now").as_secs();
    let stat = commits(&engine, "stat", args! { "path" => "/data/file" });
    let expected = [9, seconds].map(Value::unsigned).to_vec();
    assert_eq!(result(&stat), Value::from(expected));
    assert_eq!(
        stat.outside.expect("recorded").directories,
        ["data".into()],
        "the receipt says what it could read"
    );
    refused(&engine, "read", "/data/nothing", "NotFound");
    refused(&engine, "list", "/data/file", "NotADirectory");
    refused(&engine, "read", "/data/folder", "IsADirectory");
}

#[test]
fn no_path_leads_out_of_a_directory() {
    let folder = folder();
    let engine = engine(folder.path());
    let secret = folder.path().join("secret").display().to_string();
    for path in [
        "/data/../secret",
        "/data/folder/../../secret",
        "/data/./../data/../secret",
        "/data/folder/../../../../../../../../etc/passwd",
        "/etc/passwd",
        "/",
        &secret,
        &format!("/data/{secret}"),
        "secret",
        "../secret",
        "file",
        "/proc/self/environ",
        "/data/nothing/../../secret",
        "",
    ] {
        let receipt = engine.call(Call::new("read", args! { "path" => path }));
        let error = receipt.error.unwrap_or_else(|| panic!("read {path}"));
        assert_eq!(error.code(), "Io", "{path}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_directory() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let engine = engine(folder.path());
    let data = folder.path().join("data");
    for (link, target) in [
        ("up", "../secret"),
        (
            "absolute",
            &*folder.path().join("secret").display().to_string(),
        ),
        ("etc", "/etc"),
        ("folder/up", "../../secret"),
        ("twice", "up"),
        ("loop", "loop"),
        ("out-and-in", "../data/file"),
    ] {
        symlink(target, data.join(link)).expect(link);
    }
    symlink("folder/inner", data.join("within")).expect("within");
    for path in [
        "up",
        "absolute",
        "etc/passwd",
        "folder/up",
        "twice",
        "loop",
        "out-and-in",
    ] {
        for process in ["read", "stat"] {
            let path = format!("/data/{path}");
            let receipt = engine.call(Call::new(process, args! { "path" => path.as_str() }));
            let error = receipt.error.unwrap_or_else(|| panic!("{process} {path}"));
            assert_eq!(error.code(), "Io", "{process} {path}: {error}");
        }
    }
    refused(&engine, "list", "/data/etc", "PermissionDenied");
    let within = commits(&engine, "read", args! { "path" => "/data/within" });
    assert_eq!(result(&within), Value::from("deeper"));
    let target = commits(&engine, "follow_link", args! { "path" => "/data/within" });
    assert_eq!(result(&target), Value::from("folder/inner"));
}

#[cfg(unix)]
#[test]
fn only_files_and_directories_are_opened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::net::UnixListener;
    let folder = folder();
    let engine = engine(folder.path());
    let data = folder.path().join("data");
    mknodat(CWD, data.join("fifo"), FileType::Fifo, Mode::RWXU, 0).expect("a FIFO");
    let _socket = UnixListener::bind(data.join("socket")).expect("a socket");
    std::os::unix::fs::symlink("fifo", data.join("to-fifo")).expect("a link");
    let started = Instant::now();
    for path in ["/data/fifo", "/data/socket", "/data/to-fifo"] {
        refused(&engine, "read", path, "PermissionDenied");
    }
    assert!(
        started.elapsed() < PATIENCE / 2,
        "nobody waited for a writer"
    );
}

/// Device files below a grant: the system's own.
#[cfg(target_os = "linux")]
#[test]
fn a_device_is_not_opened() {
    let context = context_from_json(r#"{"domain": {"seen": null}}"#).expect("a context");
    let engine = Engine::builder()
        .context(context)
        .build()
        .expect("an engine");
    let policy = Policy::as_declared()
        .grant_clock()
        .grant_random()
        .grant_directory("data", "/dev");
    engine
        .register(guests::outside().file.as_path(), policy)
        .expect("the directory is there");
    for device in ["null", "zero", "random", "tty"] {
        refused(
            &engine,
            "read",
            &format!("/data/{device}"),
            "PermissionDenied",
        );
    }
}

#[test]
fn a_directory_cannot_be_changed() {
    let folder = folder();
    let engine = engine(folder.path());
    let said = commits(&engine, "change", args! { "path" => "/data" });
    let Value::List(said) = result(&said) else {
        panic!("{said:?}");
    };
    assert_eq!(said.len(), 12);
    for (index, said) in said.iter().enumerate() {
        assert_eq!(said, &Value::from("ReadOnlyFilesystem"), "the way {index}");
    }
    let data = folder.path().join("data");
    assert_eq!(
        fs::read_to_string(data.join("file")).expect("it is there"),
        "some text"
    );
    assert!(data.join("folder").is_dir() && !data.join("new").exists());
}

/// Who only reads a directory does not see what a run of another host is about to write into it.
#[test]
fn what_others_stage_is_not_there() {
    let folder = folder();
    let engine = engine(folder.path());
    let staging = folder.path().join("data/.theus-staging");
    fs::create_dir(&staging).expect("it is writable");
    fs::write(staging.join("0"), "not committed").expect("it is writable");
    refused(
        &engine,
        "read",
        "/data/.theus-staging/0",
        "PermissionDenied",
    );
    refused(&engine, "list", "/data/.Theus-Staging", "PermissionDenied");
    let names = commits(&engine, "list", args! { "path" => "/data" });
    let expected = ["file", "folder"].map(Value::from).to_vec();
    assert_eq!(result(&names), Value::from(expected));
}

#[test]
fn what_the_process_did_not_ask_for_is_not_there() {
    let folder = folder();
    let engine = engine(folder.path());
    commits(&engine, "read", args! { "path" => "/data/file" });
    for path in ["/data/file", "/data", "data/file", "/"] {
        let receipt = engine.call(Call::new("read_unasked", args! { "path" => path }));
        assert_eq!(receipt.error.expect(path).code(), "Io");
    }
    refused(&engine, "read", "/other/file", "NotFound");
}

#[test]
fn what_the_path_leads_to_later_is_not_what_was_granted() {
    let folder = folder();
    let engine = engine(folder.path());
    let data = folder.path().join("data");
    fs::rename(&data, folder.path().join("moved")).expect("it can be moved");
    fs::create_dir(&data).expect("it is writable");
    fs::write(data.join("file"), "another").expect("it is writable");
    let read = commits(&engine, "read", args! { "path" => "/data/file" });
    assert_eq!(result(&read), Value::from("some text"));
}

#[test]
fn open_files_are_bounded() {
    let folder = folder();
    let engine = engine(folder.path());
    let hoard = commits(&engine, "hoard", args! { "path" => "/data/file" });
    assert_eq!(result(&hoard), Value::from(32));
    // What one call had open is closed, so the next one begins anew.
    let hoard = commits(&engine, "hoard", args! { "path" => "/data/folder/inner" });
    assert_eq!(result(&hoard), Value::from(32));
}

#[test]
fn a_guest_that_only_reads_files_is_ended_like_any_other() {
    let folder = folder();
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits {
            timeout: PATIENCE,
            ..Limits::default()
        };
        change(&mut limits);
        limits
    };
    let args = || args! { "path" => "/data/file" };
    let engine = engine_with(folder.path(), limits(|it| it.fuel = 10_000_000));
    fails(&engine, "flood", args(), "THEUS-L001");
    let calls = |it: &mut Limits| {
        it.fuel = u64::MAX / 2;
        it.host_calls = 1_000;
    };
    fails(
        &engine_with(folder.path(), limits(calls)),
        "flood",
        args(),
        "THEUS-L012",
    );
    let time = |it: &mut Limits| {
        it.fuel = u64::MAX / 2;
        it.host_calls = u64::MAX / 2;
        it.timeout = Duration::from_millis(300);
    };
    let started = Instant::now();
    fails(
        &engine_with(folder.path(), limits(time)),
        "flood",
        args(),
        "THEUS-L002",
    );
    assert!(started.elapsed() < PATIENCE);
}

/// wasmtime-wasi's own file functions panic on a runtime's thread.
#[test]
fn files_are_read_inside_an_async_runtime() {
    let folder = folder();
    let engine = engine(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let read =
        runtime.block_on(async { commits(&engine, "read", args! { "path" => "/data/file" }) });
    assert_eq!(result(&read), Value::from("some text"));
}
