//! The virtual WASI world.

use super::guests::{data, on_wasi};
use super::{FUEL, PATIENCE, RUNTIME, guard, run, settings};
use crate::runtime::{End, Execution};
use std::time::{Duration, Instant};
use theus_core::guest_log::LogLevel;
use theus_core::limits::Limit;

fn returned(execution: Execution) -> Vec<u8> {
    match execution.end {
        End::Returned(bytes) => bytes,
        other => panic!("it did not return: {other:?}"),
    }
}

const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop_output (param i32)))
"#;

#[test]
fn stdout_and_stderr_go_into_the_log_line_by_line() {
    let text = data(0, b"one\ntwo and\n three\nlast");
    let execution = run(&on_wasi(
        &format!("{STDOUT} {text}"),
        "(local $out i32)
         (local.set $out (call $stdout))
         (call $write (local.get $out) (i32.const 0) (i32.const 11) (i32.const 512))
         (call $write (call $stderr) (i32.const 0) (i32.const 4) (i32.const 512))
         (call $write (local.get $out) (i32.const 11) (i32.const 12) (i32.const 512))
         (call $drop_output (local.get $out))
         (call $ok (i32.const 512) (i32.const 1))",
    ));
    let lines: Vec<_> = execution
        .log
        .lines()
        .iter()
        .map(|line| (line.level, line.message.clone()))
        .collect();
    assert_eq!(
        lines,
        [
            (LogLevel::Info, "one".to_owned()),
            (LogLevel::Warn, "one".to_owned()),
            (LogLevel::Info, "two and".to_owned()),
            (LogLevel::Info, " three".to_owned()),
            (LogLevel::Info, "last".to_owned()),
        ]
    );
    assert_eq!(returned(execution), [0], "the write says it worked");
}

#[test]
fn stdin_is_closed() {
    let stdin = r#"
        (import "wasi:cli/stdin@0.2.0" "get-stdin" (func $stdin (result i32)))
        (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))"#;
    let execution = run(&on_wasi(
        stdin,
        "(call $read (call $stdin) (i64.const 100) (i32.const 512)) (call $ok (i32.const 512) (i32.const 8))",
    ));
    let bytes = returned(execution);
    assert_eq!(
        (bytes[0], bytes[4]),
        (1, 1),
        "an error, and that it is closed"
    );
}

#[test]
fn sleeping_takes_virtual_time_only() {
    let clocks = r#"
        (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
        (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
        (import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))
        (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
        (import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))"#;
    let started = Instant::now();
    let execution = run(&on_wasi(
        clocks,
        // An hour, then the sooner of two hours and one second.
        "(call $block (call $after (i64.const 3600000000000)))
         (i32.store (i32.const 512) (call $after (i64.const 7200000000000)))
         (i32.store (i32.const 516) (call $after (i64.const 1000000000)))
         (call $poll (i32.const 512) (i32.const 2) (i32.const 520))
         (i64.store (i32.const 600) (call $now))
         (call $wall (i32.const 608))
         (i32.store (i32.const 624) (i32.load (i32.load (i32.const 520))))
         (i32.store (i32.const 628) (i32.load (i32.const 524)))
         (call $ok (i32.const 600) (i32.const 32))",
    ));
    let bytes = returned(execution);
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
    assert_eq!(u64_at(0), 3_601_000_000_000);
    assert_eq!(u64_at(8), 946_684_800 + 3601);
    assert_eq!(
        (u32_at(24), u32_at(28)),
        (1, 1),
        "the second of the two, and no other"
    );
    assert!(started.elapsed() < Duration::from_secs(50));
}

const RANDOM: &str = r#"
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
    (import "wasi:random/random@0.2.0" "get-random-u64" (func $random_u64 (result i64)))"#;

#[test]
fn randomness_follows_from_component_process_and_arguments() {
    let random = |salt: u8, process: &str, args: &[u8]| {
        let guest = on_wasi(
            &format!("{RANDOM} {}", data(9000, &[salt])),
            "(call $random (i64.const 40) (i32.const 512))
             (call $ok (i32.load (i32.const 512)) (i32.load (i32.const 516)))",
        );
        let program = RUNTIME.compile(&guest).expect("the guest compiles");
        let call = settings(FUEL, PATIENCE);
        let instance = program.instantiate(&call).expect("nothing stops it");
        returned(instance.run(process, args, guard(), &call))
    };
    let one = random(1, "a", b"x");
    assert_eq!(one.len(), 40);
    assert_eq!(one, random(1, "a", b"x"));
    for other in [
        random(2, "a", b"x"),
        random(1, "b", b"x"),
        random(1, "a", b"y"),
        random(1, "ax", b""),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn random_bytes_are_bounded_and_cost_fuel() {
    let guest = |len: &str| {
        on_wasi(
            RANDOM,
            &format!(
                "(call $random (i64.const {len}) (i32.const 512)) (call $ok (i32.const 0) (i32.const 0))"
            ),
        )
    };
    assert!(matches!(run(&guest("-1")).end, End::Trapped { .. }));
    assert!(run(&guest("40000")).fuel > 40_000);
    let flood = on_wasi(
        RANDOM,
        "(loop $on (drop (call $random_u64)) (br $on)) unreachable",
    );
    let program = RUNTIME.compile(&flood).expect("the guest compiles");
    let end = super::run_program(&program, &[], settings(1_000_000, PATIENCE)).end;
    assert!(
        matches!(&end, End::Limit(it) if it.limit == Limit::Fuel),
        "{end:?}"
    );
}

#[test]
fn environment_arguments_and_files_are_empty() {
    let imports = r#"
        (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
        (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
        (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))"#;
    let execution = run(&on_wasi(
        imports,
        "(call $environment (i32.const 512)) (call $arguments (i32.const 520)) (call $directories (i32.const 528))
         (call $ok (i32.const 512) (i32.const 24))",
    ));
    let bytes = returned(execution);
    for list in 0..3 {
        assert_eq!(bytes[list * 8 + 4..][..4], [0; 4], "list {list}");
    }
}

#[test]
fn sockets_and_names_are_denied() {
    let imports = r#"
        (import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $tcp (param i32 i32)))
        (import "wasi:sockets/udp-create-socket@0.2.0" "create-udp-socket" (func $udp (param i32 i32)))
        (import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
        (import "wasi:sockets/network@0.2.0" "[resource-drop]network" (func $drop_network (param i32)))
        (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))"#;
    let execution = run(&on_wasi(
        imports,
        "(local $handle i32)
         (call $tcp (i32.const 0) (i32.const 512)) (call $udp (i32.const 1) (i32.const 520))
         (local.set $handle (call $network))
         (call $resolve (local.get $handle) (i32.const 0) (i32.const 1) (i32.const 528))
         (call $drop_network (local.get $handle))
         (call $ok (i32.const 512) (i32.const 24))",
    ));
    let bytes = returned(execution);
    for (at, error) in [(0, 1), (8, 1), (16, 20)] {
        assert_eq!((bytes[at], bytes[at + 4]), (1, error), "error {error}");
    }
}

#[test]
fn exit_traps() {
    let execution = run(&on_wasi(
        r#"(import "wasi:cli/exit@0.2.3" "exit" (func $exit (param i32)))"#,
        "(call $exit (i32.const 0)) unreachable",
    ));
    let End::Trapped { reason, .. } = execution.end else {
        panic!("{:?}", execution.end);
    };
    assert!(reason.contains("exit"), "{reason}");
}

#[test]
fn handles_are_bounded() {
    let execution = run(&on_wasi(
        STDOUT,
        "(loop $on (drop (call $stdout)) (br $on)) unreachable",
    ));
    assert!(matches!(execution.end, End::Trapped { .. }));
    assert!(execution.host_calls <= 1100, "{}", execution.host_calls);
}

#[test]
fn wasi_calls_count_as_host_calls() {
    let limits = theus_core::limits::Limits {
        host_calls: 10,
        ..Default::default()
    };
    let calls = "(drop (call $random_u64))".repeat(11);
    let guest = on_wasi(
        RANDOM,
        &format!("{calls} (call $ok (i32.const 0) (i32.const 0))"),
    );
    let end = super::run_with(&limits, &guest).end;
    assert!(
        matches!(&end, End::Limit(it) if it.limit == Limit::HostCalls),
        "{end:?}"
    );
}

#[test]
fn runs_inside_an_async_runtime() {
    let guest = on_wasi(
        &format!(
            r#"{STDOUT} {}
            (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
            (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
            (import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop_pollable (param i32)))
            (import "wasi:sockets/udp-create-socket@0.2.0" "create-udp-socket" (func $udp (param i32 i32)))"#,
            data(0, b"hello\n")
        ),
        "(local $handle i32)
         (local.set $handle (call $after (i64.const 1000000000)))
         (call $block (local.get $handle))
         (call $drop_pollable (local.get $handle))
         (call $udp (i32.const 0) (i32.const 512))
         (local.set $handle (call $stdout))
         (call $write (local.get $handle) (i32.const 0) (i32.const 6) (i32.const 512))
         (call $drop_output (local.get $handle))
         (call $ok (i32.const 0) (i32.const 5))",
    );
    let current = tokio::runtime::Builder::new_current_thread().build();
    let many = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build();
    for tokio in [current, many] {
        let tokio = tokio.expect("a runtime starts");
        let guest = guest.clone();
        let task = tokio.spawn(async move { returned(run(&guest)) });
        let bytes = tokio.block_on(task).expect("the run does not panic");
        assert_eq!(bytes, b"hello");
    }
}
