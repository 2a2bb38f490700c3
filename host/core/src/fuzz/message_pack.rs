//! MessagePack: what is a value, what is not, and what either costs.

use super::values::{Keys, key, value};
use super::{Broken, Dice, holds};
use crate::codec::{self, Bounds, DecodeError};
use crate::limits::Limits;
use crate::value::{Map, Value};
use crate::zone::Hidden;

/// Bytes that announce something: extensions, lengths, containers, numbers.
const TELLING: [u8; 11] = [
    0xc1, 0xc7, 0xd4, 0xdd, 0xdf, 0xdb, 0xc6, 0x91, 0x81, 0xca, 0xcf,
];

pub(super) fn check(data: &[u8]) -> Result<(), Broken> {
    judge_bytes(data)?;
    let mut dice = Dice::new(data);
    let value = value(&mut dice, 5, Keys::Any);
    judge_value(&value)?;
    judge_refused(&value, &mut dice)?;
    let mut bytes = codec::encode_all(&value);
    for _ in 0..4 {
        if bytes.is_empty() {
            break;
        }
        let at = dice.index(bytes.len());
        match dice.below(4) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.pick(&TELLING),
            2 => bytes.truncate(at),
            _ => bytes.insert(at, dice.pick(&[0xc0, 0xa0, 0x90, 0x80, 0xff])),
        }
        judge_bytes(&bytes)?;
    }
    Ok(())
}

/// What the context has no value for is refused, wherever it stands.
fn judge_refused(inner: &Value, dice: &mut Dice<'_>) -> Result<(), Broken> {
    let value = codec::encode_all(inner);
    let key = codec::encode_all(&Value::from(key(dice, Keys::Any)));
    let no_text = codec::encode_all(&dice.pick(&[1_i64, -1, 1 << 40]).into());
    for (what, bytes) in [
        (
            "a key twice",
            [&[0x82], &key[..], &value, &key, &[0xc0]].concat(),
        ),
        (
            "a number as a key",
            [&[0x81], &no_text[..], &value].concat(),
        ),
        (
            "an extension",
            [&[0x92], &value[..], &[0xd4, 1, 2]].concat(),
        ),
        ("a byte too many", [&value[..], &[0xc0]].concat()),
        ("a byte too few", value[..value.len() - 1].to_vec()),
        (
            "a list that lies",
            [&[0xdd, 0xff, 0xff, 0xff, 0xff], &value[..]].concat(),
        ),
    ] {
        let bounds = Bounds {
            depth: 64,
            decoded_bytes: u64::MAX,
        };
        let decoded = codec::decode(&bytes, bounds);
        holds(
            matches!(decoded, Err(DecodeError::Malformed { .. })),
            || format!("{what} is let in: {bytes:x?} is {decoded:?}"),
        )?;
    }
    Ok(())
}

/// Bytes that are a value have one shortest form, which is the same value.
fn judge_bytes(bytes: &[u8]) -> Result<(), Broken> {
    let bounds = Bounds {
        depth: 32,
        decoded_bytes: Limits::decoded_bytes(bytes.len() as u64),
    };
    match codec::decode(bytes, bounds) {
        Ok(value) => {
            let shortest = codec::encode_all(&value);
            // A float of four bytes is the only thing whose one form is longer.
            holds(shortest.len() <= 2 * bytes.len(), || {
                format!("{bytes:x?} grew to {shortest:x?}")
            })?;
            judge_value(&value)
        }
        Err(DecodeError::Malformed { at, .. }) => holds(at <= bytes.len(), || {
            format!("{bytes:x?} are said to be malformed at {at}")
        }),
        Err(DecodeError::Limit(_)) => Ok(()),
    }
}

fn judge_value(value: &Value) -> Result<(), Broken> {
    let bytes = codec::encode_all(value);
    let exact = Bounds {
        depth: value.nesting(),
        decoded_bytes: u64::MAX,
    };
    let again = codec::decode(&bytes, exact);
    holds(again.as_ref() == Ok(value), || {
        format!("{value:?} came back as {again:?}")
    })?;
    holds(is_canonical(value), || {
        format!("{value:?} is not canonical")
    })?;
    if let Some(depth) = exact.depth.checked_sub(1) {
        let flat = codec::decode(&bytes, Bounds { depth, ..exact });
        holds(matches!(flat, Err(DecodeError::Limit(_))), || {
            format!("{value:?} was let in under a depth of {depth}")
        })?;
    }
    let size = bytes.len() as u64;
    holds(
        codec::encode(value, Hidden::Nothing, size).is_ok()
            && codec::encode(value, Hidden::Nothing, size - 1).is_err(),
        || format!("{value:?} has {size} bytes, and the limit does not"),
    )?;
    for hidden in [Hidden::Private, Hidden::Reserved] {
        let seen = codec::encode(value, hidden, u64::MAX).map_err(|why| Broken(why.to_string()))?;
        holds(seen == codec::encode_all(&without(value, hidden)), || {
            format!("{value:?} is seen as {seen:x?}")
        })?;
    }
    Ok(())
}

/// Whether every number has its one variant and NaN its one form.
fn is_canonical(value: &Value) -> bool {
    match value {
        Value::UInt(number) => i64::try_from(*number).is_err(),
        Value::Float(number) => {
            !number.value().is_nan() || number.value().to_bits() == f64::NAN.to_bits()
        }
        Value::List(list) => list.iter().all(is_canonical),
        Value::Map(map) => map.iter().all(|(_, value)| is_canonical(value)),
        _ => true,
    }
}

fn without(value: &Value, hidden: Hidden) -> Value {
    match value {
        Value::List(list) => Value::List(list.iter().map(|it| without(it, hidden)).collect()),
        Value::Map(map) => {
            let seen = map.iter().filter(|(key, _)| !hidden.hides(key));
            let seen: Map = seen
                .map(|(key, it)| (key.clone(), without(it, hidden)))
                .collect();
            Value::Map(seen)
        }
        other => other.clone(),
    }
}
