//! MessagePack, as guests and the host exchange it: a bounded decoder and a canonical encoder.
//!
//! The decoder accepts every width of the format, and refuses what the context has no value for: extension types, keys
//! that are not strings, keys that come twice. The encoder writes the shortest form, maps in key order, so that equal
//! values have equal bytes.

mod pace;

pub use self::pace::Interrupt;
pub(crate) use self::pace::{PIECE, Pace};

use crate::limits::{Limit, LimitExceeded};
use crate::value::{List, Map, Value};
use crate::zone::Hidden;
use rmp::{Marker, encode};
use smol_str::SmolStr;

/// Why bytes are not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no MessagePack that the context has a value for.
    #[error("malformed value: {problem} at byte {at}")]
    Malformed {
        /// The byte at which the decoder stopped.
        at: usize,
        /// What was there.
        problem: &'static str,
    },
    /// The value is too deep or too large once decoded.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl DecodeError {
    /// The same, where the size of what is decoded counts as another limit.
    pub(crate) fn of_limit(self, limit: Limit) -> Self {
        match self {
            Self::Limit(exceeded) if exceeded.limit == Limit::DecodedBytes => {
                Self::Limit(LimitExceeded { limit, ..exceeded })
            }
            other => other,
        }
    }
}

/// What a decoded value may be at most.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Containers nested in one another.
    pub depth: u64,
    /// Memory of the decoded value, in bytes.
    pub decoded_bytes: u64,
}

/// Decodes one value that takes up all of `bytes`.
///
/// # Errors
///
/// [`DecodeError::Malformed`] with the place, [`DecodeError::Limit`] where a bound is passed.
///
/// # Security
///
/// The bytes may come from a guest. An announced count is compared with the bytes that remain before anything is
/// allocated, recursion ends at `bounds.depth`, and memory use ends at `bounds.decoded_bytes`.
pub fn decode(bytes: &[u8], bounds: Bounds) -> Result<Value, DecodeError> {
    decode_and_measure(bytes, bounds, None, &mut Vec::new()).map(|decoded| decoded.value)
}

/// A decoded value, and how large it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The value.
    pub value: Value,
    /// How many containers deep it is.
    pub depth: u64,
    /// The memory that it takes, as it is counted against [`Bounds::decoded_bytes`].
    pub bytes: u64,
}

/// Decodes one value like [`decode`], and says how large it is.
///
/// What was made of a value that is not decoded to its end is left in `remains`: where that is millions of elements, letting go
/// of them takes a while, which a caller that is out of time may not have.
///
/// # Errors
///
/// As [`decode`]; whatever the interrupt says.
pub fn decode_and_measure(
    bytes: &[u8],
    bounds: Bounds,
    interrupt: Option<Interrupt<'_>>,
    remains: &mut Vec<Value>,
) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder {
        bytes,
        at: 0,
        bounds,
        decoded: 0,
        least_depth_left: bounds.depth,
        pace: Pace::new(interrupt),
        remains,
    };
    let value = decoder.value(bounds.depth)?;
    if decoder.at < bytes.len() {
        let error = decoder.malformed("more bytes after the value");
        decoder.remains.push(value);
        return Err(error);
    }
    Ok(Decoded {
        value,
        depth: bounds.depth - decoder.least_depth_left,
        bytes: decoder.decoded,
    })
}

/// Encodes what `hidden` leaves visible of a value.
///
/// # Errors
///
/// [`LimitExceeded`] as soon as the encoding is longer than `limit` bytes.
pub fn encode(value: &Value, hidden: Hidden, limit: u64) -> Result<Vec<u8>, LimitExceeded> {
    encode_and_count(value, hidden, limit, None).map(|encoded| encoded.bytes)
}

/// What is visible of a value, encoded, and what it took to leave the rest out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The values and keys that were encoded.
    pub elements: u64,
    /// The hidden keys that were passed over; what lies below one is not looked at.
    pub hidden: u64,
}

/// Encodes like [`encode()`], and counts the keys that it leaves out.
///
/// # Errors
///
/// As [`encode()`]; whatever the interrupt says.
pub fn encode_and_count(
    value: &Value,
    hidden: Hidden,
    limit: u64,
    interrupt: Option<Interrupt<'_>>,
) -> Result<Encoded, LimitExceeded> {
    let mut encoder = Encoder {
        out: Vec::with_capacity(32),
        hidden,
        limit,
        elements: 0,
        passed: 0,
        pace: Pace::new(interrupt),
    };
    encoder.value(value)?;
    Ok(Encoded {
        bytes: encoder.out,
        elements: encoder.elements,
        hidden: encoder.passed,
    })
}

/// Encodes a whole value, for the host's own use.
#[must_use]
pub fn encode_all(value: &Value) -> Vec<u8> {
    // Without a limit there is nothing that could be exceeded.
    encode(value, Hidden::Nothing, u64::MAX).unwrap_or_default()
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    bounds: Bounds,
    decoded: u64,
    /// What is left of the depth where it was least.
    least_depth_left: u64,
    pace: Pace<'a>,
    /// What was made of the value when it turned out to be none.
    remains: &'a mut Vec<Value>,
}

/// What one decoded slot and one container cost in memory, roughly and never less.
const SLOT: u64 = 24;
const CONTAINER: u64 = 96;
const ENTRY: u64 = 80;

impl<'a> Decoder<'a> {
    fn value(&mut self, depth: u64) -> Result<Value, DecodeError> {
        self.pace.element()?;
        self.charge(SLOT)?;
        let marker = Marker::from_u8(self.take::<1>()?[0]);
        Ok(match marker {
            Marker::Null => Value::Nil,
            Marker::False => Value::Bool(false),
            Marker::True => Value::Bool(true),
            Marker::FixPos(number) => Value::Int(number.into()),
            Marker::FixNeg(number) => Value::Int(number.into()),
            Marker::U8 => Value::Int(u8::from_be_bytes(self.take()?).into()),
            Marker::U16 => Value::Int(u16::from_be_bytes(self.take()?).into()),
            Marker::U32 => Value::Int(u32::from_be_bytes(self.take()?).into()),
            Marker::U64 => Value::unsigned(u64::from_be_bytes(self.take()?)),
            Marker::I8 => Value::Int(i8::from_be_bytes(self.take()?).into()),
            Marker::I16 => Value::Int(i16::from_be_bytes(self.take()?).into()),
            Marker::I32 => Value::Int(i32::from_be_bytes(self.take()?).into()),
            Marker::I64 => Value::Int(i64::from_be_bytes(self.take()?)),
            Marker::F32 => Value::float(f32::from_be_bytes(self.take()?).into()),
            Marker::F64 => Value::float(f64::from_be_bytes(self.take()?)),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                Value::Str(self.text(marker)?)
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let len = match marker {
                    Marker::Bin8 => u8::from_be_bytes(self.take()?).into(),
                    Marker::Bin16 => u16::from_be_bytes(self.take()?).into(),
                    _ => u32::from_be_bytes(self.take()?),
                };
                let bytes = self.slice(len)?;
                self.charge(bytes.len() as u64)?;
                self.pace.bytes(bytes.len())?;
                Value::Bytes(bytes.into())
            }
            Marker::FixArray(len) => self.list(len.into(), depth)?,
            Marker::Array16 => {
                let len = u16::from_be_bytes(self.take()?);
                self.list(len.into(), depth)?
            }
            Marker::Array32 => {
                let len = u32::from_be_bytes(self.take()?);
                self.list(len, depth)?
            }
            Marker::FixMap(len) => self.map(len.into(), depth)?,
            Marker::Map16 => {
                let len = u16::from_be_bytes(self.take()?);
                self.map(len.into(), depth)?
            }
            Marker::Map32 => {
                let len = u32::from_be_bytes(self.take()?);
                self.map(len, depth)?
            }
            Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
            | Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16 => {
                return Err(self.malformed("an extension type, which no value has"));
            }
            Marker::Reserved => return Err(self.malformed("the reserved marker 0xc1")),
        })
    }

    fn list(&mut self, len: u32, depth: u64) -> Result<Value, DecodeError> {
        let depth = self.descend(depth)?;
        if len as usize > self.left() {
            return Err(self.malformed("a list that announces more elements than bytes follow"));
        }
        let mut list = List::with_room(len as usize);
        for _ in 0..len {
            match self.value(depth) {
                Ok(value) => list.push(value),
                Err(error) => {
                    self.remains.push(Value::List(list));
                    return Err(error);
                }
            }
        }
        Ok(Value::List(list))
    }

    fn map(&mut self, len: u32, depth: u64) -> Result<Value, DecodeError> {
        let depth = self.descend(depth)?;
        if len as usize > self.left() / 2 {
            return Err(self.malformed("a map that announces more entries than bytes follow"));
        }
        let mut map = Map::with_room(len as usize);
        for _ in 0..len {
            if let Err(error) = self.entry(&mut map, depth) {
                self.remains.push(Value::Map(map));
                return Err(error);
            }
        }
        Ok(Value::Map(map))
    }

    fn entry(&mut self, map: &mut Map, depth: u64) -> Result<(), DecodeError> {
        let at = self.at;
        let marker = Marker::from_u8(self.take::<1>()?[0]);
        let key = match marker {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                self.text(marker)?
            }
            _ => {
                self.at = at;
                return Err(self.malformed("a map key that is not a string"));
            }
        };
        self.charge(ENTRY)?;
        let value = self.value(depth)?;
        if map.insert(key, value).is_some() {
            self.at = at;
            return Err(self.malformed("a map key that comes twice"));
        }
        Ok(())
    }

    fn text(&mut self, marker: Marker) -> Result<SmolStr, DecodeError> {
        let len = match marker {
            Marker::FixStr(len) => len.into(),
            Marker::Str8 => u8::from_be_bytes(self.take()?).into(),
            Marker::Str16 => u16::from_be_bytes(self.take()?).into(),
            _ => u32::from_be_bytes(self.take()?),
        };
        let bytes = self.slice(len)?;
        self.charge(bytes.len() as u64)?;
        self.pace.bytes(bytes.len())?;
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Ok(SmolStr::new(text)),
            Err(_) => Err(self.malformed("a string that is not UTF-8")),
        }
    }

    fn descend(&mut self, depth: u64) -> Result<u64, DecodeError> {
        self.charge(CONTAINER)?;
        let left = depth.checked_sub(1).ok_or(LimitExceeded {
            limit: Limit::ValueDepth,
            allowed: self.bounds.depth,
            asked: None,
        })?;
        self.least_depth_left = self.least_depth_left.min(left);
        Ok(left)
    }

    fn charge(&mut self, bytes: u64) -> Result<(), DecodeError> {
        self.decoded += bytes;
        LimitExceeded::check(Limit::DecodedBytes, self.bounds.decoded_bytes, self.decoded)?;
        Ok(())
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn slice(&mut self, len: u32) -> Result<&'a [u8], DecodeError> {
        let end = self.at.saturating_add(len as usize);
        let Some(slice) = self.bytes.get(self.at..end) else {
            return Err(self.malformed("a length that goes past the end"));
        };
        self.at = end;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes[self.at..].first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.malformed("the bytes end in the middle of a value")),
        }
    }

    #[cold]
    fn malformed(&self, problem: &'static str) -> DecodeError {
        DecodeError::Malformed {
            at: self.at,
            problem,
        }
    }
}

struct Encoder<'a> {
    out: Vec<u8>,
    hidden: Hidden,
    limit: u64,
    /// Values and keys that were encoded.
    elements: u64,
    /// Hidden keys that were passed over.
    passed: u64,
    pace: Pace<'a>,
}

/// Writing into a `Vec<u8>` does not fail, and every length is under the limit before it is narrowed.
const INFALLIBLE: &str = "a Vec<u8> takes every write";

impl Encoder<'_> {
    fn value(&mut self, value: &Value) -> Result<(), LimitExceeded> {
        self.pace.element()?;
        self.elements += 1;
        let out = &mut self.out;
        match value {
            Value::Nil => encode::write_nil(out).expect(INFALLIBLE),
            Value::Bool(it) => encode::write_bool(out, *it).expect(INFALLIBLE),
            Value::Int(it) => {
                encode::write_sint(out, *it).expect(INFALLIBLE);
            }
            Value::UInt(it) => {
                encode::write_uint(out, *it).expect(INFALLIBLE);
            }
            Value::Float(it) => encode::write_f64(out, it.value()).expect(INFALLIBLE),
            Value::Str(it) => {
                let len = self.fits(it.len())?;
                encode::write_str_len(&mut self.out, len).expect(INFALLIBLE);
                self.append(it.as_bytes())?;
            }
            Value::Bytes(it) => {
                let len = self.fits(it.len())?;
                encode::write_bin_len(&mut self.out, len).expect(INFALLIBLE);
                self.append(it)?;
            }
            Value::List(list) => {
                let len = self.fits(list.len())?;
                encode::write_array_len(&mut self.out, len).expect(INFALLIBLE);
                for item in list.iter() {
                    self.value(item)?;
                }
            }
            Value::Map(map) => {
                let mut visible = map.len();
                for _ in map.hidden_keys(self.hidden) {
                    self.pace.element()?;
                    visible -= 1;
                }
                self.passed += (map.len() - visible) as u64;
                let len = self.fits(visible)?;
                encode::write_map_len(&mut self.out, len).expect(INFALLIBLE);
                for (key, value) in map.iter() {
                    if self.hidden.hides(key) {
                        self.pace.element()?;
                        continue;
                    }
                    self.fits(key.len())?;
                    self.elements += 1;
                    encode::write_str(&mut self.out, key).expect(INFALLIBLE);
                    self.value(value)?;
                }
            }
        }
        LimitExceeded::check(Limit::ValueBytes, self.limit, self.out.len() as u64)
    }

    /// Copies bytes, large ones in pieces.
    fn append(&mut self, bytes: &[u8]) -> Result<(), LimitExceeded> {
        self.out.reserve(bytes.len());
        for piece in bytes.chunks(PIECE) {
            self.pace.bytes(piece.len())?;
            self.out.extend_from_slice(piece);
        }
        Ok(())
    }

    /// Every element takes a byte at least, so a count is bounded like a length.
    fn fits(&self, len: usize) -> Result<u32, LimitExceeded> {
        let asked = self.out.len() as u64 + len as u64;
        LimitExceeded::check(Limit::ValueBytes, self.limit.min(u32::MAX.into()), asked)?;
        Ok(u32::try_from(len).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::any_value;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds {
        depth: 32,
        decoded_bytes: 1 << 20,
    };

    #[test]
    fn every_width_decodes_to_the_canonical_value() {
        for (bytes, value) in [
            (&[0xcc, 0x05][..], Value::Int(5)),
            (&[0xd3, 0, 0, 0, 0, 0, 0, 0, 5], Value::Int(5)),
            (&[0xcf, 0, 0, 0, 0, 0, 0, 0, 5], Value::Int(5)),
            (
                &[0xcf, 255, 255, 255, 255, 255, 255, 255, 255],
                Value::UInt(u64::MAX),
            ),
            (&[0xe0], Value::Int(-32)),
            (&[0xd0, 0x80], Value::Int(-128)),
            (&[0xca, 0x3f, 0x80, 0, 0], Value::float(1.0)),
            (&[0xca, 0x7f, 0xc0, 0x12, 0x34], Value::float(f64::NAN)),
            (
                &[0xcb, 0xff, 0xf8, 0, 0, 0, 0, 0, 9],
                Value::float(f64::NAN),
            ),
            (&[0xd9, 1, b'a'], Value::from("a")),
            (&[0xda, 0, 1, b'a'], Value::from("a")),
            (&[0xdb, 0, 0, 0, 1, b'a'], Value::from("a")),
            (&[0xc4, 1, 7], Value::from(vec![7u8])),
            (&[0xc6, 0, 0, 0, 1, 7], Value::from(vec![7u8])),
            (&[0xdc, 0, 1, 0xc0], Value::from(vec![Value::Nil])),
            (&[0xdd, 0, 0, 0, 1, 0xc0], Value::from(vec![Value::Nil])),
        ] {
            assert_eq!(decode(bytes, BOUNDS), Ok(value), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for bytes in [
            &[][..],
            &[0xc1],
            &[0xd4, 0, 0],
            &[0xc7, 0, 0],
            &[0x81, 0x01, 0x01],
            &[0x82, 0xa1, b'a', 0x01, 0xa1, b'a', 0x02],
            &[0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0],
            &[0xdf, 0xff, 0xff, 0xff, 0xff, 0xa0, 0xc0],
            &[0xdb, 0xff, 0xff, 0xff, 0xff],
            &[0xa2, 0xff, 0xfe],
            &[0xc0, 0xc0],
            &[0xcd, 0x01],
            &[0x91],
        ] {
            assert!(
                matches!(decode(bytes, BOUNDS), Err(DecodeError::Malformed { .. })),
                "{bytes:x?}"
            );
        }
    }

    #[test]
    fn depth_has_an_edge() {
        let nested = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
        assert!(decode(&nested(32), BOUNDS).is_ok());
        assert!(matches!(
            decode(&nested(33), BOUNDS),
            Err(DecodeError::Limit(LimitExceeded {
                limit: Limit::ValueDepth,
                ..
            }))
        ));
        assert!(decode(&nested(5_000_000), BOUNDS).is_err());
    }

    #[test]
    fn decoded_memory_has_an_edge() {
        let bounds = Bounds {
            depth: 32,
            decoded_bytes: SLOT + CONTAINER + 3 * SLOT,
        };
        assert!(decode(&[0x93, 0xc0, 0xc0, 0xc0], bounds).is_ok());
        assert!(decode(&[0x94, 0xc0, 0xc0, 0xc0, 0xc0], bounds).is_err());
    }

    #[test]
    fn encoding_stops_at_its_limit() {
        let value = Value::from("12345");
        assert_eq!(encode(&value, Hidden::Nothing, 6).map(|it| it.len()), Ok(6));
        assert!(encode(&value, Hidden::Nothing, 5).is_err());
    }

    #[test]
    fn hidden_keys_are_left_out_at_any_depth() {
        let inner: Map = [("sig_x", Value::Nil), ("a", Value::Nil)]
            .into_iter()
            .collect();
        let map: Map = [
            ("list", Value::from(vec![Value::Map(inner)])),
            ("meta_m", Value::Nil),
        ]
        .into_iter()
        .collect();
        let bytes = encode(&Value::Map(map), Hidden::Reserved, 100).expect("fits");
        let shown = decode(&bytes, BOUNDS).expect("decodes");
        assert_eq!(
            serde_json::to_string(&shown).expect("json"),
            r#"{"list":[{"a":null}]}"#
        );
    }

    proptest! {
        #[test]
        fn values_round_trip(value in any_value()) {
            let bytes = encode_all(&value);
            prop_assert_eq!(decode(&bytes, BOUNDS), Ok(value));
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = decode(&bytes, BOUNDS) {
                prop_assert_eq!(decode(&encode_all(&value), BOUNDS), Ok(value));
            }
        }
    }
}
