//! What the virtual WASI world costs: by what the host does, whether it comes to anything or not.

use super::files::run_in;
use super::guests::{data, on_wasi};
use super::run;
use crate::runtime::{End, Execution};
use std::fs;

fn returned(execution: &Execution) -> &[u8] {
    match &execution.end {
        End::Returned(bytes) => bytes,
        other => panic!("it did not return: {other:?}"),
    }
}

const WORLD: &str = r#"
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $print (param i32 i32 i32 i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
"#;

/// The fuel that the host's work takes: of the guest's own there is next to none.
fn fuel(call: &str) -> u64 {
    let body = format!(
        "(local $at i32) (local $handle i32)
         (drop (memory.grow (i32.const 8)))
         (local.set $handle (call $after (i64.const 0)))
         ;; A thousand times the same handle, where a poll finds them.
         (loop $on
            (i32.store (i32.add (i32.const 65536) (local.get $at)) (local.get $handle))
            (br_if $on (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 4000))))
         (memory.fill (i32.const 131072) (i32.const 97) (i32.const 4096))
         (memory.fill (i32.const 196608) (i32.const 10) (i32.const 4096))
         {call}
         (call $ok (i32.const 0) (i32.const 1))"
    );
    let execution = run(&on_wasi(WORLD, &body));
    returned(&execution);
    execution.fuel
}

#[test]
fn virtual_calls_cost_by_what_they_do() {
    let print = |at: u32| {
        format!("(call $print (call $stdout) (i32.const {at}) (i32.const 4096) (i32.const 512))")
    };
    for (name, small, large, least) in [
        (
            "a thousand things to wait for",
            "(call $poll (i32.const 65536) (i32.const 1) (i32.const 512))".to_owned(),
            "(call $poll (i32.const 65536) (i32.const 1000) (i32.const 512))".to_owned(),
            999 * 50,
        ),
        (
            "four thousand lines",
            print(131_072),
            print(196_608),
            4096 * 20,
        ),
        (
            "60,000 random bytes",
            "(call $random (i64.const 1) (i32.const 512))".to_owned(),
            "(call $random (i64.const 60000) (i32.const 512))".to_owned(),
            59_999 * 4,
        ),
    ] {
        let more = fuel(&large) - fuel(&small);
        // The guest's allocator has a little to do for what it is given.
        assert!(
            (least..least + 1000).contains(&more),
            "{name}: {more}, not {least}"
        );
    }
}

const FILES: &str = r#"
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.symlink-at" (func $link (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.read-directory" (func $list (param i32 i32)))
    (import "wasi:io/error@0.2.0" "[method]error.to-debug-string" (func $say (param i32 i32)))
    (import "wasi:io/error@0.2.0" "[resource-drop]error" (func $forget (param i32)))
"#;

/// A guest in a folder with an empty file and nothing else; `call` has its `$dir`, the open `$file`, and a `$stream` that is
/// before no byte that could be read. The host calls and the fuel that it all took.
fn costs(call: &str, result: &str) -> (u64, u64, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("it is writable");
    let body = format!(
        "(local $dir i32) (local $file i32) (local $stream i32)
         (drop (memory.grow (i32.const 8)))
         (memory.fill (i32.const 65536) (i32.const 97) (i32.const 65536))
         (call $directories (i32.const 512))
         (local.set $dir (i32.load (i32.load (i32.const 512))))
         (call $open (local.get $dir) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 1)
            (i32.const 528))
         (local.set $file (i32.load (i32.const 532)))
         (call $stream (local.get $file) (i64.const -1) (i32.const 544))
         (local.set $stream (i32.load (i32.const 548)))
         {call}
         {result}"
    );
    let execution = run_in(
        folder.path(),
        &(FILES.to_owned() + &data(0, b"file")),
        &body,
    );
    let bytes = returned(&execution).to_owned();
    (execution.host_calls, execution.fuel, bytes)
}

const OK: &str = "(call $ok (i32.const 560) (i32.const 8))";
const FAILING: &str = "(call $blocking_read (local.get $stream) (i64.const 8) (i32.const 560))";

#[test]
fn what_a_directory_refuses_costs_as_well() {
    let (calls, fuel, _) = costs("", OK);
    for (name, call, refused, least) in [
        (
            "the two texts of a link that is never made",
            "(call $link (local.get $dir) (i32.const 65536) (i32.const 60000) (i32.const 65536) (i32.const 60000)
                (i32.const 560))",
            1,
            120_000,
        ),
        (
            "bytes for a file that is only read",
            "(call $write (local.get $file) (i32.const 65536) (i32.const 60000) (i64.const 0) (i32.const 560))",
            1,
            60_000,
        ),
        ("a read that fails", FAILING, 1, 500),
        (
            "opening and listing",
            "(call $list (local.get $dir) (i32.const 560))",
            0,
            3 * 500,
        ),
    ] {
        let (more_calls, more, bytes) = costs(call, OK);
        assert_eq!(bytes[0], refused, "{name}");
        assert_eq!(more_calls - calls, 1, "{name}: one call counts once");
        let more = more - fuel;
        assert!(
            (least..least + 1500).contains(&more),
            "{name}: {more}, not {least}"
        );
    }
}

/// What a failure says is the system's word. It costs, and nothing of the host is in it, whatever its environment says of
/// backtraces.
#[test]
fn the_text_of_an_error_is_counted_and_tells_nothing_of_the_host() {
    let forget = "(call $forget (i32.load (i32.const 568)))";
    let say = "(call $say (i32.load (i32.const 568)) (i32.const 576))";
    let (calls, fuel, _) = costs(&format!("{FAILING} {forget}"), OK);
    let text = "(call $ok (i32.load (i32.const 576)) (i32.load (i32.const 580)))";
    let (more_calls, more, bytes) = costs(&format!("{FAILING} {say} {forget}"), text);
    assert_eq!(more_calls - calls, 1);
    assert!(more - fuel > 50 + bytes.len() as u64, "{}", more - fuel);
    let text = String::from_utf8(bytes).expect("text");
    let said = std::io::Error::from_raw_os_error(22).to_string();
    assert!(cfg!(not(unix)) || text == said, "{text}");
}
