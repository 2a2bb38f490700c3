//! `guest-sdk/vectors.json` in AssemblyScript and in the host: values have the bytes that every SDK writes and reads.

use crate::harness::engines::{Setup, commits, fails, message};
use crate::harness::guests;
use crate::harness::root;
use serde::Deserialize;
use std::fs;
use theus_core::codec;
use theus_host::{Engine, Value, args};

#[derive(Deserialize)]
struct Vectors {
    same: Vec<(String, String)>,
    widths: Vec<(String, String, String)>,
    refused: Vec<(String, String, String)>,
    malformed: Vec<(String, String)>,
    made: Vec<String>,
}

fn vectors() -> Vectors {
    let text = fs::read_to_string(root().join("guest-sdk/vectors.json")).expect("the vectors");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

/// Bytes from hexadecimal digits; `61*32` is a byte so many times.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |digits: &str| u8::from_str_radix(digits, 16).expect("hexadecimal digits");
    let word = |word: &str| match word.split_once('*') {
        Some((digits, count)) => vec![byte(digits); count.parse().expect("a count")],
        None => (0..word.len() / 2)
            .map(|at| byte(&word[2 * at..2 * at + 2]))
            .collect(),
    };
    text.split_whitespace().flat_map(word).collect()
}

fn probe() -> Engine {
    Setup::of(guests::probe_as(), "guests/probe-as/context.yaml").engine()
}

fn host_decodes(encoded: &[u8]) -> Result<Value, codec::DecodeError> {
    let bounds = codec::Bounds {
        depth: 32,
        decoded_bytes: 16 << 20,
    };
    codec::decode(encoded, bounds)
}

#[test]
fn assemblyscript_reads_and_writes_values_as_the_vectors_say() {
    let Vectors { same, widths, .. } = vectors();
    assert!(same.len() > 50 && widths.len() > 20, "the vectors are gone");
    let engine = probe();
    let same = same
        .into_iter()
        .map(|(kind, both)| (kind, both.clone(), both));
    for (kind, read, written) in same.chain(widths) {
        let args = args! { "type" => kind.as_str(), "encoded" => bytes(&read) };
        let receipt = commits(&engine, "recode", args);
        let expected = Value::from(bytes(&written));
        assert!(receipt.result == Some(expected), "{kind} {read}");
    }
}

#[test]
fn assemblyscript_makes_the_bytes_that_the_vectors_say() {
    let receipt = commits(&probe(), "make", args! {});
    let made = vectors().made;
    let expected: Vec<_> = made.iter().map(|it| Value::from(bytes(it))).collect();
    assert_eq!(receipt.result, Some(Value::from(expected)));
}

#[test]
fn assemblyscript_says_why_bytes_are_no_such_value() {
    let engine = probe();
    let Vectors {
        refused, malformed, ..
    } = vectors();
    let malformed = malformed
        .into_iter()
        .map(|(encoded, why)| ("value".to_owned(), encoded, why));
    for (kind, encoded, why) in refused.into_iter().chain(malformed) {
        let args = args! { "type" => kind.as_str(), "encoded" => bytes(&encoded) };
        let receipt = fails(&engine, "recode", args, "THEUS-T002");
        let told = message(&receipt);
        assert!(told.contains(&why), "{kind} {encoded}: {told}");
    }
}

/// The host's own codec, which every value passes on its way: what the SDKs write is its canonical form.
#[test]
fn the_host_writes_the_same_bytes() {
    let Vectors {
        same,
        widths,
        malformed,
        ..
    } = vectors();
    let written = widths.into_iter().map(|(kind, _, written)| (kind, written));
    for (kind, written) in same.into_iter().chain(written) {
        let encoded = bytes(&written);
        let value = host_decodes(&encoded).unwrap_or_else(|error| panic!("{written}: {error}"));
        // The host has floats of 64 bits only, and keeps maps in the order of their keys.
        if kind != "f32" && kind != "order" {
            assert!(codec::encode_all(&value) == encoded, "{kind} {written}");
        }
    }
    for (encoded, why) in malformed {
        let error = host_decodes(&bytes(&encoded)).expect_err(&encoded);
        assert!(error.to_string().contains(&why), "{encoded}: {error}");
    }
}

/// Depth ends before the sandbox's stack does, in both directions.
#[test]
fn assemblyscript_has_a_limit_of_its_own_for_depth() {
    let engine = probe();
    let nested = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
    let args = |depth| args! { "type" => "value", "encoded" => nested(depth) };
    let receipt = commits(&engine, "recode", args(128));
    assert_eq!(receipt.result, Some(Value::from(nested(128))));
    for depth in [129, 100_000] {
        let receipt = fails(&engine, "recode", args(depth), "THEUS-T002");
        let told = message(&receipt);
        assert!(
            told.contains("nested in more than 128 lists and maps"),
            "{told}"
        );
    }
    let receipt = fails(&engine, "nest_for_ever", args! {}, "THEUS-T002");
    let told = message(&receipt);
    assert!(
        told.contains("nested in more than 128 lists and maps"),
        "{told}"
    );
}
