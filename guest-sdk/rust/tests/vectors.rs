//! `guest-sdk/vectors.json` in Rust: values have the bytes that every SDK writes and reads.
//!
//! What `malformed` lists, the host refuses before a guest sees it; serde does not look at all of it.

#![cfg(not(target_family = "wasm"))]

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use theus_guest::{Bytes, Value};

/// A record with a record, a list and an optional field in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Order {
    id: u64,
    product: Product,
    notes: Vec<String>,
    discount: Option<f64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Product {
    name: String,
    price: i64,
}

#[derive(Deserialize)]
struct Vectors {
    /// Type and bytes: they are read and written as they are.
    same: Vec<(String, String)>,
    /// Type, bytes that are read, bytes that are written.
    widths: Vec<(String, String, String)>,
    /// Type, bytes that are no such value, and why.
    refused: Vec<(String, String, String)>,
    /// The bytes of the values that [`made`] makes.
    made: Vec<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors.json")).expect("the vectors are JSON")
}

/// Bytes from hexadecimal digits; `61*32` is a byte so many times.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |digits: &str| u8::from_str_radix(digits, 16).expect("hexadecimal digits");
    let mut all = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once('*') {
            Some((digits, count)) => {
                let count = count.parse().expect("a count");
                all.extend(std::iter::repeat_n(byte(digits), count));
            }
            None => all.extend((0..word.len() / 2).map(|at| byte(&word[2 * at..2 * at + 2]))),
        }
    }
    all
}

fn recoded<T: Serialize + DeserializeOwned>(encoded: &[u8]) -> Result<Vec<u8>, String> {
    let value: T = rmp_serde::from_slice(encoded).map_err(|error| error.to_string())?;
    Ok(encoded_form(&value))
}

/// As `Context::set` writes it.
fn encoded_form<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("a value that can be written")
}

fn recode(kind: &str, encoded: &[u8]) -> Result<Vec<u8>, String> {
    match kind {
        "value" => recoded::<Value>(encoded),
        "bool" => recoded::<bool>(encoded),
        "i8" => recoded::<i8>(encoded),
        "i16" => recoded::<i16>(encoded),
        "i32" => recoded::<i32>(encoded),
        "i64" => recoded::<i64>(encoded),
        "u8" => recoded::<u8>(encoded),
        "u16" => recoded::<u16>(encoded),
        "u32" => recoded::<u32>(encoded),
        "u64" => recoded::<u64>(encoded),
        "f32" => recoded::<f32>(encoded),
        "f64" => recoded::<f64>(encoded),
        "string" => recoded::<String>(encoded),
        "bytes" => recoded::<Bytes>(encoded),
        "list of i64" => recoded::<Vec<i64>>(encoded),
        "list of lists of string" => recoded::<Vec<Vec<String>>>(encoded),
        "map of i64" => recoded::<BTreeMap<String, i64>>(encoded),
        "optional i64" => recoded::<Option<i64>>(encoded),
        "optional string" => recoded::<Option<String>>(encoded),
        "order" => recoded::<Order>(encoded),
        other => panic!("the vectors have an unknown type `{other}`"),
    }
}

/// The values that the process `make` of `guests/probe-as` makes.
fn made() -> Vec<Vec<u8>> {
    let order = Order {
        id: u64::MAX,
        product: Product {
            name: "TV".into(),
            price: 500,
        },
        notes: vec!["é".into(), String::new()],
        discount: None,
    };
    let discounted = Order {
        discount: Some(0.25),
        ..Order::default()
    };
    let list = vec![
        Value::Nil,
        Value::Bool(true),
        Value::UInt(u64::MAX),
        Value::Float(1.0),
    ];
    let values = BTreeMap::from([
        ("list".into(), Value::List(list)),
        ("bytes".into(), Value::Bytes(encoded_form("x"))),
    ]);
    let order_as_value: Value =
        rmp_serde::from_slice(&encoded_form(&order)).expect("any value is one");
    vec![
        encoded_form(&true),
        encoded_form(&-1_i8),
        encoded_form(&i64::MIN),
        encoded_form(&u64::MAX),
        encoded_form(&0.5_f32),
        encoded_form(&0.1_f64),
        encoded_form("TV \u{1f4fa}"),
        encoded_form(&Bytes(vec![0, 0])),
        encoded_form(&[1_i64, 1000, -1000]),
        encoded_form(&BTreeMap::from([("b", 2), ("a", -1)])),
        encoded_form(&None::<i64>),
        encoded_form(&Some(300_i64)),
        encoded_form(&order),
        encoded_form(&discounted),
        encoded_form(&Value::Map(values)),
        encoded_form(&order_as_value),
    ]
}

#[test]
fn values_are_read_and_written_as_the_vectors_say() {
    let Vectors { same, widths, .. } = vectors();
    assert!(same.len() > 50 && widths.len() > 20, "the vectors are gone");
    let same = same
        .into_iter()
        .map(|(kind, both)| (kind, both.clone(), both));
    for (kind, read, written) in same.chain(widths) {
        assert_eq!(
            recode(&kind, &bytes(&read)),
            Ok(bytes(&written)),
            "{kind} {read}"
        );
    }
}

#[test]
fn bytes_of_another_type_are_refused() {
    for (kind, encoded, why) in vectors().refused {
        assert!(
            recode(&kind, &bytes(&encoded)).is_err(),
            "{kind} {encoded}: {why}"
        );
    }
}

#[test]
fn values_that_were_never_read_have_the_same_bytes() {
    let expected: Vec<_> = vectors().made.iter().map(|text| bytes(text)).collect();
    assert_eq!(made(), expected);
}
