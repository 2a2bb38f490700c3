//! Contexts near another one: the same keys and kinds, other values.

use theus_core::contract::Kind;
use theus_core::fuzz::{Dice, argument, text};
use theus_core::path::Layer;
use theus_core::tree::Tree;
use theus_core::value::{List, Map, Value};

/// Changes values here and there. Kinds, keys and signs stay: a guest may rely on them where no schema says otherwise.
pub(super) fn tree(base: &Tree, dice: &mut Dice<'_>) -> Tree {
    let mut layer = |layer| match base.layer(layer) {
        Value::Map(map) => entries(map, dice),
        _ => Map::new(),
    };
    Tree::new(layer(Layer::Global), layer(Layer::Domain))
}

fn entries(map: &Map, dice: &mut Dice<'_>) -> Map {
    map.iter()
        .map(|(key, it)| (key.clone(), value(it, dice)))
        .collect()
}

fn value(old: &Value, dice: &mut Dice<'_>) -> Value {
    match old {
        Value::Map(map) => Value::Map(entries(map, dice)),
        Value::List(list) => Value::List(elements(list, dice)),
        _ if !dice.once_in(3) => old.clone(),
        Value::Nil => Value::Nil,
        Value::Bool(_) => argument(Kind::Bool, dice),
        Value::Int(number) => whole(*number, dice),
        Value::UInt(_) => Value::unsigned(dice.number() | 1 << 63),
        Value::Float(_) => argument(Kind::Float, dice),
        Value::Str(_) => Value::from(text(dice)),
        Value::Bytes(_) => argument(Kind::Bytes, dice),
    }
}

fn whole(old: i64, dice: &mut Dice<'_>) -> Value {
    let new = match argument(Kind::Int, dice) {
        Value::Int(number) => number,
        _ => i64::MAX,
    };
    Value::Int(if old >= 0 {
        new.checked_abs().unwrap_or(i64::MAX)
    } else {
        new
    })
}

/// Fewer elements, or more that are like those that are there; most of the time as many.
fn elements(list: &List, dice: &mut Dice<'_>) -> List {
    // Long lists are looked at no further than that: a context is made thousands of times.
    const LOOKED_AT: usize = 256;
    let mut elements: Vec<Value> = list.iter().take(LOOKED_AT).cloned().collect();
    match dice.below(6) {
        0 => elements.truncate(dice.index(elements.len() + 1)),
        1 if !elements.is_empty() => {
            let again = elements[dice.index(elements.len())].clone();
            let more = dice.index(40);
            elements.extend(std::iter::repeat_n(again, more));
        }
        _ => elements.extend(list.iter().skip(LOOKED_AT).cloned()),
    }
    for _ in 0..3 {
        if !elements.is_empty() {
            let at = dice.index(elements.len());
            elements[at] = value(&elements[at], dice);
        }
    }
    elements.into_iter().collect()
}
