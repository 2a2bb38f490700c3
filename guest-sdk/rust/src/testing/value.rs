//! Between the SDK's values and the host's.

use serde::Serialize;
use serde::de::DeserializeOwned;
use theus_core::codec::{self, Bounds};
use theus_core::limits::Limits;
use theus_core::value::Value as CoreValue;

use crate::value::Value;

/// Turns anything serializable into a value of the context.
pub(super) fn to_core<T: Serialize + ?Sized>(value: &T) -> Result<CoreValue, String> {
    /// Deeper than any value that the host takes, so that the host's own limit is what a test meets.
    const DEPTH: u64 = 128;

    let encoded = rmp_serde::to_vec_named(value).map_err(|why| why.to_string())?;
    let bounds = Bounds {
        depth: DEPTH,
        decoded_bytes: Limits::decoded_bytes(Limits::default().heavy_value_bytes),
    };
    codec::decode(&encoded, bounds).map_err(|why| why.to_string())
}

/// Reads a value of the context as a `T`.
#[track_caller]
pub(super) fn read<T: DeserializeOwned>(value: &CoreValue, what: &str) -> T {
    match rmp_serde::from_slice(&codec::encode_all(value)) {
        Ok(value) => value,
        Err(why) => panic!(
            "{what} is of kind {}, and the test reads it as `{}`: {why}",
            value.kind(),
            std::any::type_name::<T>()
        ),
    }
}

/// Turns anything serializable into a value of the SDK.
#[track_caller]
pub(super) fn value<T: Serialize>(written: &T) -> Value {
    match to_core(written) {
        Ok(value) => from_core(&value),
        Err(why) => panic!("the value cannot be encoded: {why}"),
    }
}

pub(super) fn from_core(value: &CoreValue) -> Value {
    match value {
        CoreValue::Nil => Value::Nil,
        CoreValue::Bool(it) => Value::Bool(*it),
        CoreValue::Int(it) => Value::Int(*it),
        CoreValue::UInt(it) => Value::UInt(*it),
        CoreValue::Float(it) => Value::Float(it.value()),
        CoreValue::Str(it) => Value::Str(it.to_string()),
        CoreValue::Bytes(it) => Value::Bytes(it.to_vec()),
        CoreValue::List(it) => Value::List(it.iter().map(from_core).collect()),
        CoreValue::Map(it) => Value::Map(
            it.iter()
                .map(|(key, value)| (key.to_string(), from_core(value)))
                .collect(),
        ),
    }
}
