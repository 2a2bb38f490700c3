//! The JSON and YAML form of values: what context files hold and what `-o json` prints.
//!
//! JSON has no binary data and no infinities: bytes are `{"$bytes": "base64"}`, non-finite floats `{"$float": "nan"}`
//! (or `inf`, `-inf`). A map that would read as one of these is `{"$map": [[key, value]]}`, so that every value reads back as
//! itself. Whole numbers are exact to 64 bits.

use crate::value::{List, Map, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use smol_str::SmolStr;
use std::fmt;

const BYTES: &str = "$bytes";
const FLOAT: &str = "$float";
const MAP: &str = "$map";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nil => serializer.serialize_unit(),
            Self::Bool(it) => serializer.serialize_bool(*it),
            Self::Int(it) => serializer.serialize_i64(*it),
            Self::UInt(it) => serializer.serialize_u64(*it),
            Self::Float(it) if it.value().is_finite() => serializer.serialize_f64(it.value()),
            Self::Float(it) => {
                let name = match it.value() {
                    number if number.is_nan() => "nan",
                    number if number > 0.0 => "inf",
                    _ => "-inf",
                };
                tagged(serializer, FLOAT, name)
            }
            Self::Str(it) => serializer.serialize_str(it),
            Self::Bytes(it) => tagged(serializer, BYTES, &BASE64.encode(it)),
            Self::List(it) => serializer.collect_seq(it.iter()),
            Self::Map(it) => it.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if reads_as_tag(self) {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(MAP, &Pairs(self))?;
            return map.end();
        }
        serializer.collect_map(self.iter())
    }
}

/// A map as a list of its entries.
struct Pairs<'a>(&'a Map);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// Whether a map, written as it is, would be read as something else.
fn reads_as_tag(map: &Map) -> bool {
    let only = map.iter().next().filter(|_| map.len() == 1);
    only.is_some_and(|(key, value)| match key.as_str() {
        BYTES | FLOAT => matches!(value, Value::Str(_)),
        MAP => matches!(value, Value::List(_)),
        _ => false,
    })
}

fn tagged<S: Serializer>(serializer: S, tag: &str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, text)?;
    map.end()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nil, a bool, a number, a string, a list, or a map with string keys")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Value, E> {
        Ok(Value::Int(it))
    }

    fn visit_u64<E: Error>(self, it: u64) -> Result<Value, E> {
        Ok(Value::unsigned(it))
    }

    fn visit_f64<E: Error>(self, it: f64) -> Result<Value, E> {
        Ok(Value::float(it))
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Value, E> {
        Ok(Value::Str(it.into()))
    }

    fn visit_bytes<E: Error>(self, it: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(it.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = List::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = entries.next_entry::<SmolStr, Value>()? {
            if map.get(&key).is_some() {
                return Err(A::Error::custom(format!("the key `{key}` comes twice")));
            }
            map.insert(key, value);
        }
        untag(map).map_err(A::Error::custom)
    }
}

fn untag(map: Map) -> Result<Value, String> {
    if map.len() == 1 {
        if let Some(Value::Str(text)) = map.get(BYTES) {
            let bytes = BASE64
                .decode(text.as_bytes())
                .map_err(|error| format!("`{BYTES}` is not base64: {error}"))?;
            return Ok(Value::from(bytes));
        }
        if let Some(Value::Str(text)) = map.get(FLOAT) {
            return match text.as_str() {
                "nan" => Ok(Value::float(f64::NAN)),
                "inf" => Ok(Value::float(f64::INFINITY)),
                "-inf" => Ok(Value::float(f64::NEG_INFINITY)),
                other => Err(format!(
                    "`{FLOAT}` is `{other}`, expected `nan`, `inf` or `-inf`"
                )),
            };
        }
        if let Some(Value::List(pairs)) = map.get(MAP) {
            return of_pairs(pairs);
        }
    }
    Ok(Value::Map(map))
}

fn of_pairs(pairs: &List) -> Result<Value, String> {
    let mut map = Map::new();
    for pair in pairs.iter() {
        let pair = pair.as_list().filter(|pair| pair.len() == 2);
        let entry = pair.and_then(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?)));
        let (key, value) =
            entry.ok_or_else(|| format!("`{MAP}` is a list of pairs: a key, its value"))?;
        if map.insert(key, value.clone()).is_some() {
            return Err(format!("the key `{key}` comes twice"));
        }
    }
    Ok(Value::Map(map))
}

/// Decodes base64, as `NAME=VALUE` on the command line has bytes.
///
/// # Errors
///
/// What the text holds that base64 has not.
pub fn bytes_from_base64(text: &str) -> Result<Value, String> {
    BASE64
        .decode(text)
        .map(Value::from)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::any_value;
    use proptest::prelude::*;

    #[test]
    fn what_json_lacks_is_tagged() {
        for (value, json) in [
            (Value::from(vec![1u8, 2]), r#"{"$bytes":"AQI="}"#),
            (Value::float(f64::NAN), r#"{"$float":"nan"}"#),
            (Value::float(f64::NEG_INFINITY), r#"{"$float":"-inf"}"#),
            (Value::UInt(u64::MAX), "18446744073709551615"),
            (Value::Int(i64::MIN), "-9223372036854775808"),
        ] {
            assert_eq!(serde_json::to_string(&value).expect("json"), json);
            assert_eq!(serde_json::from_str::<Value>(json).expect("value"), value);
        }
        assert!(serde_json::from_str::<Value>(r#"{"$float":"NaN"}"#).is_err());
        assert!(serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).is_err());
    }

    #[test]
    fn a_map_that_looks_like_a_tag_stays_a_map() {
        let only =
            |key: &str, value: Value| Value::Map([(key.to_owned(), value)].into_iter().collect());
        for (value, json) in [
            (
                only("$bytes", "AQI=".into()),
                r#"{"$map":[["$bytes","AQI="]]}"#,
            ),
            (only("$float", "x".into()), r#"{"$map":[["$float","x"]]}"#),
            (only("$bytes", 1.into()), r#"{"$bytes":1}"#),
            (
                only("$map", Value::List([Value::Nil].into_iter().collect())),
                r#"{"$map":[["$map",[null]]]}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&value).expect("json"), json);
            assert_eq!(serde_json::from_str::<Value>(json).expect("value"), value);
        }
        for wrong in [
            r#"{"$map":[1]}"#,
            r#"{"$map":[["a",1],["a",2]]}"#,
            r#"{"$map":[[1,1]]}"#,
        ] {
            assert!(serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
        // Beside other keys it is one of them.
        let beside = r#"{"$map":[1],"a":2}"#;
        let value: Value = serde_json::from_str(beside).expect("value");
        assert_eq!(serde_json::to_string(&value).expect("json"), beside);
    }

    proptest! {
        #[test]
        fn values_round_trip_through_json(value in any_value()) {
            let json = serde_json::to_string(&value).expect("json");
            prop_assert_eq!(serde_json::from_str::<Value>(&json).expect("value"), value);
        }
    }
}
