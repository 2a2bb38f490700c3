//! Granted directories, asked in ways in which no standard library asks.

use super::guests::{data, on_wasi};
use super::{FUEL, PATIENCE, RUNTIME, guard, settings};
use crate::Policy;
use crate::runtime::{End, Execution};
use crate::side_effects::{Outside, Reach};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use theus_core::contract::Contract;

const FILES: &str = r#"
    (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.read" (func $read (param i32 i64 i64 i32)))
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.read-via-stream" (func $stream (param i32 i64 i32)))
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.open-at"
        (func $open (param i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.write" (func $write (param i32 i32 i32 i64 i32)))
    (import "wasi:filesystem/types@0.2.0" "[method]descriptor.unlink-file-at" (func $unlink (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.splice" (func $splice (param i32 i32 i64 i32)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $blocking_read (param i32 i64 i32)))
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
"#;

/// What a process with this directory reaches.
fn reach(folder: &Path) -> Arc<Reach> {
    let line = br#"{"name":"work","side_effects":["fs:data"]}"#;
    let contracts = Contract::parse_section(line).expect("a contract");
    let policy = Policy::as_declared().grant_directory("data", folder);
    let grants = policy.side_effects.open(&contracts).expect("granted");
    grants.reach(&contracts[0]).expect("it asks for something")
}

pub(super) fn run_in(folder: &Path, definitions: &str, body: &str) -> Execution {
    let guest = on_wasi(&format!("{FILES} {definitions}"), body);
    let program = RUNTIME.compile(&guest).expect("the guest compiles");
    let call = settings(FUEL, PATIENCE);
    let mut instance = program.instantiate(&call).expect("nothing stops it");
    instance.reach(&reach(folder), &Outside::default(), None);
    instance.run("work", &[], guard(), &call)
}

fn returned(end: &End) -> &[u8] {
    match end {
        End::Returned(bytes) => bytes,
        other => panic!("it did not return: {other:?}"),
    }
}

#[test]
fn odd_lengths_and_paths_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, vec![b'x'; 100_000]).expect("it is writable");
    let paths = data(0, b"file") + &data(2048, &[b'a'; 5000]);
    let execution = run_in(
        folder.path(),
        &paths,
        "(local $dir i32) (local $file i32)
         (call $directories (i32.const 512))
         (local.set $dir (i32.load (i32.load (i32.const 512))))
         (call $open (local.get $dir) (i32.const 0) (i32.const 2048) (i32.const 5000) (i32.const 0) (i32.const 1)
            (i32.const 528))
         (call $unlink (local.get $dir) (i32.const 0) (i32.const 4) (i32.const 544))
         (call $open (local.get $dir) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 1)
            (i32.const 560))
         (local.set $file (i32.load (i32.const 564)))
         (call $write (local.get $file) (i32.const 0) (i32.const 4) (i64.const 0) (i32.const 576))
         (call $read (local.get $file) (i64.const -1) (i64.const 0) (i32.const 592))
         (call $read (local.get $file) (i64.const 1) (i64.const -1) (i32.const 608))
         (call $read (local.get $dir) (i64.const 1) (i64.const 0) (i32.const 624))
         (call $ok (i32.const 528) (i32.const 112))",
    );
    let bytes = returned(&execution.end);
    assert_eq!((bytes[0], bytes[4]), (1, 18), "name too long");
    assert_eq!((bytes[16], bytes[17]), (1, 33), "read-only: unlink");
    assert_eq!(bytes[32], 0, "the file is opened");
    assert_eq!((bytes[48], bytes[56]), (1, 33), "read-only: write");
    let read = u32::from_le_bytes(bytes[72..76].try_into().expect("4 bytes"));
    assert_eq!((bytes[64], read, bytes[76]), (0, 65_536, 0), "a piece");
    assert_eq!((bytes[80], bytes[84]), (1, 12), "invalid: no such offset");
    assert_eq!((bytes[96], bytes[100]), (1, 14), "a directory is not read");
    assert!(execution.fuel > 65_536, "{}", execution.fuel);
    assert_eq!(fs::read(&file).expect("it is there").len(), 100_000);
}

#[test]
fn a_file_flows_into_a_stream() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "from a file\nand on").expect("it is writable");
    let execution = run_in(
        folder.path(),
        &data(0, b"file"),
        "(local $input i32) (local $output i32)
         (call $directories (i32.const 512))
         (call $open (i32.load (i32.load (i32.const 512))) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
            (i32.const 1) (i32.const 528))
         (call $stream (i32.load (i32.const 532)) (i64.const 5) (i32.const 544))
         (local.set $input (i32.load (i32.const 548)))
         (local.set $output (call $stdout))
         (call $splice (local.get $output) (local.get $input) (i64.const 7) (i32.const 560))
         (call $splice (local.get $output) (local.get $input) (i64.const -1) (i32.const 576))
         (call $splice (local.get $output) (local.get $input) (i64.const 1) (i32.const 592))
         (call $ok (i32.const 560) (i32.const 48))",
    );
    let bytes = returned(&execution.end);
    assert_eq!((bytes[0], bytes[8]), (0, 7));
    assert_eq!((bytes[16], bytes[24]), (0, 6));
    assert_eq!((bytes[32], bytes[40]), (1, 1), "closed at the end");
    let lines = execution.log.lines().iter();
    let lines: Vec<_> = lines.map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["a file", "and on"]);
}

/// The guest does nothing with the bytes: what they cost is the host's work alone.
#[test]
fn reading_costs_fuel_by_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), vec![b'x'; 60_000]).expect("it is writable");
    let fuel = |read: &str| {
        let body = format!(
            "(local $file i32)
             (call $directories (i32.const 512))
             (call $open (i32.load (i32.load (i32.const 512))) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
                (i32.const 1) (i32.const 528))
             (local.set $file (i32.load (i32.const 532)))
             (call $stream (local.get $file) (i64.const 0) (i32.const 544))
             {read}
             (call $ok (i32.load (i32.const 564)) (i32.load (i32.const 568)))"
        );
        let execution = run_in(folder.path(), &data(0, b"file"), &body);
        (returned(&execution.end).len(), execution.fuel)
    };
    for way in [
        "$read (local.get $file)",
        "$blocking_read (i32.load (i32.const 548))",
    ] {
        let offset = if way.starts_with("$read") {
            "(i64.const 0)"
        } else {
            ""
        };
        let read = |len: u32| {
            fuel(&format!(
                "(call {way} (i64.const {len}) {offset} (i32.const 560))"
            ))
        };
        let ((few, cheap), (many, dear)) = (read(8), read(60_000));
        assert_eq!((few, many), (8, 60_000), "{way}");
        // The result costs fuel as well, but less than half as much.
        assert!(dear > cheap + 60_000, "{way}: {cheap} and {dear}");
    }
}

/// Nothing of one call's grant is in a world that was made for another.
#[test]
fn an_instance_without_a_grant_has_no_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let body = "(call $directories (i32.const 512)) (call $ok (i32.const 512) (i32.const 8))";
    let granted = run_in(folder.path(), "", body);
    assert_eq!(returned(&granted.end)[4], 1);
    let without = super::run(&on_wasi(FILES, body));
    assert_eq!(returned(&without.end)[4], 0);
}
