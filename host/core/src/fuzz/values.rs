//! Values, keys and paths, with a taste for the edges.

use super::Dice;
use crate::contract::Kind;
use crate::path::{Layer, Path, Segment};
use crate::tree::Tree;
use crate::value::{List, Map, Value};
use crate::zone;

/// Which keys maps get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// All of them, private ones as well: what a guest may hand in.
    Any,
    /// No private ones: what a context may hold.
    NotPrivate,
}

const WHOLE: [i64; 22] = [
    0,
    1,
    -1,
    2,
    7,
    100,
    127,
    128,
    -128,
    -129,
    255,
    256,
    65_535,
    65_536,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    1 << 53,
    i64::MAX,
    i64::MAX - 1,
    i64::MIN,
    i64::MIN + 1,
];

const REAL: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1.5,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    f64::EPSILON,
    9_007_199_254_740_993.0,
];

const TEXTS: [&str; 24] = [
    "a",
    "",
    "0",
    "name",
    "true",
    "null",
    "-1",
    " ",
    "a b",
    "Grüße, 世界 👍🏽",
    "\u{0}",
    "\u{202e}cba",
    "\u{1b}[31m",
    "sig_a",
    "cmd_a",
    "meta_a",
    "heavy_a",
    "_a",
    "domain.items",
    "../../etc/passwd",
    "{param}",
    "[0]",
    "\"\\'`$(x)",
    "'; DROP TABLE items; --",
];

const PREFIXED: [&str; 10] = [
    "sig_a", "cmd_a", "meta_a", "heavy_a", "_a", "sig_", "meta_", "heavy_", "_", "heavy_b",
];

const ODD_KEYS: [&str; 14] = [
    "", " ", ".", "a.b", "[", "a[0]", "\"", "\\", "ü", "{a}", "\u{0}", "sig", "SIG_a", "0",
];

/// A map key: plain, reserved, private, or one that paths must quote.
pub fn key(dice: &mut Dice<'_>, keys: Keys) -> String {
    let key = match dice.below(7) {
        0..4 => dice.pick(&["a", "b", "c", "d"]),
        4..6 => dice.pick(&PREFIXED),
        _ => dice.pick(&ODD_KEYS),
    };
    if keys == Keys::NotPrivate && zone::is_private(key) {
        return "a".into();
    }
    key.into()
}

/// Text: short, empty, long, of many alphabets, or one that means something elsewhere.
pub fn text(dice: &mut Dice<'_>) -> String {
    match dice.below(8) {
        0..5 => dice.pick(&TEXTS).into(),
        5 => dice.pick(&TEXTS).repeat(dice.index(5)),
        6 => {
            let len = dice.index(12);
            String::from_utf8_lossy(&dice.bytes(len)).into_owned()
        }
        _ => {
            let len = dice.pick(&[31, 32, 40, 41, 255, 256, 1000, 5000]);
            dice.pick(&["x", "é"]).repeat(len)
        }
    }
}

/// An argument of a kind. Whole numbers are of 63 bits and a sign now and then of 64 bits.
pub fn argument(kind: Kind, dice: &mut Dice<'_>) -> Value {
    match kind {
        Kind::Bool => Value::Bool(dice.once_in(2)),
        Kind::Int => match dice.below(20) {
            0..19 => Value::Int(whole(dice)),
            _ => Value::unsigned(dice.pick(&[u64::MAX, 1 << 63])),
        },
        Kind::Float => Value::float(real(dice)),
        Kind::String => Value::from(text(dice)),
        Kind::Bytes => binary(dice),
        Kind::List => list(dice, 2, Keys::NotPrivate),
        Kind::Map => map(dice, 2, Keys::NotPrivate),
        Kind::Any => value(dice, 2, Keys::NotPrivate),
    }
}

/// A value of any kind, so many containers deep at most.
pub fn value(dice: &mut Dice<'_>, depth: u32, keys: Keys) -> Value {
    match dice.below(if depth == 0 { 7 } else { 10 }) {
        0 => Value::Nil,
        1 => Value::Bool(dice.once_in(2)),
        2 => Value::Int(whole(dice)),
        3 => Value::unsigned(dice.number()),
        4 => Value::float(real(dice)),
        5 => Value::from(text(dice)),
        6 => binary(dice),
        7 => list(dice, depth, keys),
        _ => map(dice, depth, keys),
    }
}

/// A context of a few keys.
pub fn tree(dice: &mut Dice<'_>, keys: Keys) -> Tree {
    let mut layer = || -> Map {
        let len = dice.index(6);
        (0..len)
            .map(|_| (key(dice, keys), value(dice, 3, keys)))
            .collect()
    };
    Tree::new(layer(), layer())
}

/// A place: mostly one that is there or just beside, now and then any.
pub fn path(dice: &mut Dice<'_>, tree: &Tree) -> Path {
    let layer = if dice.once_in(4) {
        Layer::Global
    } else {
        Layer::Domain
    };
    let mut path = Path::layer_root(layer);
    let mut at = Some(tree.layer(layer));
    for _ in 0..5 {
        if dice.below(5) == 0 {
            break;
        }
        let segment = match at {
            Some(Value::Map(map)) if !map.is_empty() && !dice.once_in(4) => {
                let known = dice.index(map.len());
                let key = map.iter().nth(known).map(|(key, _)| key.clone());
                Segment::Key(key.unwrap_or_default())
            }
            Some(Value::List(list)) => Segment::Index(dice.below(list.len() as u64 + 2)),
            _ if dice.once_in(6) => Segment::Index(dice.below(3)),
            _ => Segment::Key(key(dice, Keys::Any).into()),
        };
        at = match (at, &segment) {
            (Some(Value::Map(map)), Segment::Key(key)) => map.get(key),
            (Some(Value::List(list)), Segment::Index(index)) => list.get(*index),
            _ => None,
        };
        path = path.child(segment);
    }
    path
}

pub(crate) fn whole(dice: &mut Dice<'_>) -> i64 {
    match dice.below(4) {
        0..3 => dice.pick(&WHOLE),
        // Of any magnitude: a plain random number is nearly always a huge one.
        _ => dice.number().cast_signed() >> dice.below(64),
    }
}

pub(crate) fn real(dice: &mut Dice<'_>) -> f64 {
    match dice.below(4) {
        0..3 => dice.pick(&REAL),
        _ => f64::from_bits(dice.number()),
    }
}

pub(crate) fn binary(dice: &mut Dice<'_>) -> Value {
    let len = dice.pick(&[0, 1, 2, 3, 16, 31, 32, 255, 256, 1000]);
    Value::from(dice.bytes(len))
}

fn list(dice: &mut Dice<'_>, depth: u32, keys: Keys) -> Value {
    let len = dice.index(5);
    let items: List = (0..len)
        .map(|_| value(dice, depth.saturating_sub(1), keys))
        .collect();
    Value::List(items)
}

fn map(dice: &mut Dice<'_>, depth: u32, keys: Keys) -> Value {
    let len = dice.index(5);
    let entries: Map = (0..len)
        .map(|_| (key(dice, keys), value(dice, depth.saturating_sub(1), keys)))
        .collect();
    Value::Map(entries)
}
