//! Ends other than well: what the operator is told of a trap, and values that are none.

use crate::harness::engines::{Setup, commits, fails, json, message, value};
use theus_host::{ErrorKind, Map, RunError, Value, args};

#[test]
fn a_panic_names_process_function_and_place() {
    let engine = Setup::probe().engine();
    let receipt = fails(
        &engine,
        "panic_now",
        args! { "message" => "all is lost" },
        "THEUS-T002",
    );
    let told = message(&receipt);
    for part in [
        "panic_now",
        "guests/probe/src/endings.rs:11:",
        "all is lost",
    ] {
        assert!(told.contains(part), "{told} lacks {part}");
    }
    let Some(RunError::Panicked { line, function, .. }) = receipt.error else {
        panic!("{receipt:?}");
    };
    assert_eq!(line, 11);
    let function = function.expect("the function's name");
    assert!(function.contains("panic_now"), "{function}");
}

#[test]
fn a_trap_names_process_function_and_place() {
    let engine = Setup::probe().engine();
    let receipt = fails(&engine, "unreachable", args! {}, "THEUS-T001");
    let told = message(&receipt);
    assert!(told.starts_with("unreachable trapped in `"), "{told}");
    assert!(told.contains("probe::endings::"), "{told}");
    assert!(told.contains("at wasm offset 0x"), "{told}");
    assert_eq!(receipt.error.expect("an error").kind(), ErrorKind::Trap);
}

#[test]
fn a_value_of_another_type_is_told_as_such() {
    let engine = Setup::probe().engine();
    let receipt = fails(&engine, "fail_decode", args! {}, "THEUS-T007");
    let told = message(&receipt);
    assert!(told.contains("domain.counter"), "{told}");
    assert_eq!(receipt.error.expect("an error").kind(), ErrorKind::Trap);
}

fn encoded(bytes: &[u8]) -> Map {
    args! { "path" => "domain.data.a", "encoded" => bytes.to_vec() }
}

/// Bytes that are no value: lengths that lie, extension types, keys that come twice, and so on.
#[test]
fn what_is_no_value_is_refused() {
    let engine = Setup::probe().engine();
    for bytes in [
        &b""[..],
        b"\xc1",
        b"\xc0\xc0",
        b"\xcd\x01",
        b"\xa5abc",
        b"\xa1\xff",
        b"\xd9\xff",
        // An array and a map of 2^32 - 1 elements in a few bytes.
        b"\xdd\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff\xc0",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xffx",
        b"\xc6\xff\xff\xff\xffx",
        // A map that misses a value, one with a number as key, one with a key twice.
        b"\x81\xa1a",
        b"\x81\x01\x01",
        b"\x82\xa1a\x01\xa1a\x02",
        b"\x81\xc0\x01",
        // Extension types, the timestamp among them.
        b"\xd4\x01\x00",
        b"\xd6\xff\x00\x00\x00\x00",
        b"\xc7\x01\x05x",
    ] {
        for process in ["set_encoded_raw", "push_encoded_raw"] {
            let receipt = fails(&engine, process, encoded(bytes), "THEUS-T004");
            assert!(
                message(&receipt).contains("at byte"),
                "{}",
                message(&receipt)
            );
        }
    }
    // Nested deeper than anything, in many bytes and in few.
    fails(
        &engine,
        "set_encoded_raw",
        encoded(&[0x91; 100_000]),
        "THEUS-L006",
    );
    fails(
        &engine,
        "set_encoded_raw",
        encoded(&b"\x81\xa1a".repeat(1_000)),
        "THEUS-L006",
    );
}

/// Small when encoded, large when decoded.
#[test]
fn what_grows_when_decoded_is_bounded() {
    let engine = Setup::probe()
        .limits(|limits| limits.value_bytes = 10_000)
        .engine();
    // 3,300 empty maps of one byte each in one list of lists.
    let mut bytes = vec![0xdc, 0x0c, 0xe4];
    bytes.extend([0x80; 3_300]);
    commits(&engine, "set_encoded_raw", encoded(&bytes));
    let mut bytes = vec![0xdc, 0x25, 0x1c];
    bytes.extend([0x80; 9_500]);
    fails(&engine, "set_encoded_raw", encoded(&bytes), "THEUS-L006");
}

#[test]
fn every_width_of_a_number_is_the_same_number() {
    let engine = Setup::probe().engine();
    for bytes in [
        &b"\x07"[..],
        b"\xcc\x07",
        b"\xcd\0\x07",
        b"\xce\0\0\0\x07",
        b"\xcf\0\0\0\0\0\0\0\x07",
        b"\xd0\x07",
        b"\xd1\0\x07",
        b"\xd2\0\0\0\x07",
        b"\xd3\0\0\0\0\0\0\0\x07",
    ] {
        commits(&engine, "set_encoded_raw", encoded(bytes));
        assert_eq!(
            value(&engine, "domain.data.a"),
            Some(Value::Int(7)),
            "{bytes:x?}"
        );
    }
    // Every NaN is the one NaN.
    for bytes in [
        b"\xcb\x7f\xf0\0\0\0\0\0\x01",
        b"\xcb\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        commits(&engine, "set_encoded_raw", encoded(bytes));
        assert_eq!(
            value(&engine, "domain.data.a"),
            Some(Value::float(f64::NAN))
        );
    }
}

#[test]
fn arguments_of_every_kind_come_through() {
    let engine = Setup::probe().engine();
    let map = json(r#"{"b": [true, null], "a": {"c": -1}}"#);
    let args = args! {
        "truth" => true,
        "whole" => i64::MIN,
        "real" => 2,
        "text" => "ü\0",
        "binary" => vec![0_u8, 255],
        "list" => json("[1, \"two\", 18446744073709551615]"),
        "map" => map.clone(),
        "any" => Value::Nil,
    };
    let receipt = commits(&engine, "echo_kinds", args.clone());
    let result = receipt.result.expect("a result");
    let kinds = [
        "bool", "int", "float", "string", "bytes", "list", "map", "nil",
    ];
    for (index, (kind, name)) in kinds
        .into_iter()
        .zip([
            "truth", "whole", "real", "text", "binary", "list", "map", "any",
        ])
        .enumerate()
    {
        let found = result
            .as_list()
            .expect("a list")
            .get(index as u64)
            .expect("an element");
        assert_eq!(found.kind(), kind);
        if name != "real" {
            assert_eq!(Some(found), args.get(name), "{name}");
        }
    }
    let optional = |args| commits(&engine, "optional", args).result;
    assert_eq!(optional(args! {}), Some(Value::from("none")));
    assert_eq!(
        optional(args! { "note" => Value::Nil }),
        Some(Value::from("none"))
    );
    assert_eq!(
        optional(args! { "note" => "x" }),
        Some(Value::from("some: x"))
    );
}

#[test]
fn arguments_that_do_not_fit_are_refused_before_anything_runs() {
    let engine = Setup::probe().engine();
    for (process, args, part) in [
        (
            "echo_name",
            args! {},
            "the argument `name` (string) is missing",
        ),
        (
            "echo_name",
            args! { "name" => 1 },
            "must be of kind string, it is int",
        ),
        (
            "echo_name",
            args! { "name" => Value::Nil },
            "must be of kind string, it is nil",
        ),
        (
            "echo_name",
            args! { "name" => "x", "other" => 1 },
            "no parameter `other`; it takes: name",
        ),
        (
            "increment_at",
            args! { "slot" => 1 },
            "must be of kind string",
        ),
    ] {
        let receipt = fails(&engine, process, args, "THEUS-U006");
        assert!(message(&receipt).contains(part), "{}", message(&receipt));
    }
    let receipt = fails(&engine, "incremnt", args! {}, "THEUS-U005");
    assert!(
        message(&receipt).contains("increment"),
        "{}",
        message(&receipt)
    );
    assert_eq!(engine.sandboxes_made(), 0);
}
