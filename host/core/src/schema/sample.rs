//! Contexts that fit: what a schema says a context may be, made up.

use super::declaration::Declaration;
use super::{Presence, Schema};
use crate::audit::Number;
use crate::contract::Kind;
use crate::fuzz::{Dice, Keys, key, text, value};
use crate::path::Layer;
use crate::tree::Tree;
use crate::value::{Map, Value};

/// Beyond so many levels what may be left out is.
const DEEP: u32 = 6;

impl Schema {
    /// Makes up a context that fits. Layers that the schema does not name stay empty.
    ///
    /// Whole numbers are of 63 bits and a sign, unless only larger ones fit.
    #[must_use]
    pub fn sample(&self, dice: &mut Dice<'_>) -> Tree {
        let mut layer = |layer| match self.declared(layer).map(|it| fitting(it, dice, 0)) {
            Some(Value::Map(map)) => map,
            _ => Map::new(),
        };
        Tree::new(layer(Layer::Global), layer(Layer::Domain))
    }
}

/// A value that fits a declaration.
pub(super) fn fitting(declared: &Declaration, dice: &mut Dice<'_>, depth: u32) -> Value {
    match declared.kind {
        Kind::Int => whole(declared, dice),
        Kind::Float => real(declared, dice),
        Kind::String => Value::from(cut(text(dice), declared.max_len)),
        Kind::Bytes => {
            let len = dice.below(room(declared, 40) + 1);
            Value::from(dice.bytes(usize::try_from(len).unwrap_or_default()))
        }
        Kind::Bool => Value::Bool(dice.once_in(2)),
        Kind::List => list(declared, dice, depth),
        Kind::Map => map(declared, dice, depth),
        Kind::Any => value(dice, 2, Keys::NotPrivate),
    }
}

fn list(declared: &Declaration, dice: &mut Dice<'_>, depth: u32) -> Value {
    let most = if depth > DEEP { 0 } else { 4 };
    let len = dice.below(room(declared, most) + 1);
    let mut element = || match &declared.items {
        Some(items) => fitting(items, dice, depth + 1),
        None => value(dice, 1, Keys::NotPrivate),
    };
    Value::List((0..len).map(|_| element()).collect())
}

fn map(declared: &Declaration, dice: &mut Dice<'_>, depth: u32) -> Value {
    let mut map = Map::new();
    for (key, field) in declared.required() {
        map.insert(key.clone(), fitting(field, dice, depth + 1));
    }
    let room = declared.max_len.unwrap_or(u64::MAX);
    let fits = |map: &Map| (map.len() as u64) < room && depth <= DEEP;
    let fields = declared.fields.iter().flat_map(|it| &it.by_key);
    for (key, field) in fields.filter(|(_, it)| it.presence == Presence::Optional) {
        if fits(&map) && !dice.once_in(4) {
            map.insert(key.clone(), fitting(field, dice, depth + 1));
        }
    }
    if !declared.is_closed() {
        for _ in 0..dice.index(4) {
            let key = key(dice, Keys::NotPrivate);
            if fits(&map) && declared.field(&key).is_none() {
                map.insert(key, value(dice, 1, Keys::NotPrivate));
            }
        }
    }
    Value::Map(map)
}

/// How long something may be, of so much at most.
fn room(declared: &Declaration, most: u64) -> u64 {
    declared.max_len.map_or(most, |len| len.min(most))
}

fn cut(mut text: String, max_len: Option<u64>) -> String {
    let most = max_len.map_or(usize::MAX, |len| usize::try_from(len).unwrap_or(usize::MAX));
    while text.len() > most {
        text.pop();
    }
    text
}

fn whole(declared: &Declaration, dice: &mut Dice<'_>) -> Value {
    let least = declared
        .min
        .map_or(i64::MIN.into(), |min| rounded(min, f64::ceil));
    let usual = i128::from(i64::MAX).max(least);
    let most = declared.max.map_or(usual, |max| rounded(max, f64::floor));
    let number = match dice.below(4) {
        0 => least,
        1 => most,
        _ => i128::from(crate::fuzz::whole(dice)),
    };
    Number::Whole(number.clamp(least, most.max(least))).to_value()
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, and what follows stays within 64 bits"
)]
fn rounded(number: Number, round: fn(f64) -> f64) -> i128 {
    let number = match number {
        Number::Whole(number) => number,
        Number::Float(number) => round(number) as i128,
    };
    number.clamp(i64::MIN.into(), u64::MAX.into())
}

fn real(declared: &Declaration, dice: &mut Dice<'_>) -> Value {
    let limits = [declared.min, declared.max];
    if limits.iter().all(Option::is_none) {
        return Value::float(crate::fuzz::real(dice));
    }
    let fits = |value: &Value| {
        let number = Number::of(value);
        let above = declared.min.is_none_or(|min| number >= Some(min));
        above
            && declared
                .max
                .is_none_or(|max| number.is_some_and(|it| it <= max))
    };
    let candidates = [
        crate::fuzz::real(dice),
        0.0,
        limits.into_iter().flatten().next().map_or(0.0, nearest),
        declared.max.map_or(0.0, nearest),
    ];
    let fitting = candidates.into_iter().map(Value::float).find(fits);
    // A limit that no float is exactly: the whole number itself fits as well.
    fitting.unwrap_or_else(|| {
        limits
            .into_iter()
            .flatten()
            .next()
            .unwrap_or(Number::Whole(0))
            .to_value()
    })
}

#[allow(clippy::cast_precision_loss, reason = "the nearest float is asked for")]
fn nearest(number: Number) -> f64 {
    match number {
        Number::Whole(number) => number as f64,
        Number::Float(number) => number,
    }
}
