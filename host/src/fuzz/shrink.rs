//! Making an input small: simpler arguments and contexts, as long as they show the same.

use super::finding::Found;
use super::input::Input;
use super::judge::Judge;
use std::sync::Arc;
use theus_core::contract::Contract;
use theus_core::path::{Layer, Path, Segment};
use theus_core::schema::Schema;
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// Runs that one finding may take, and fuel: a guest that never ends costs a second each time.
const MAX_RUNS: u64 = 600;
const MAX_FUEL: u64 = 6_000_000_000;

/// Places of a context that are made simpler, one after another.
const MAX_PLACES: usize = 200;

/// The smallest input that still shows what was found.
pub(super) fn shrink(
    found: &Found,
    input: Input,
    contract: &Contract,
    base: &Tree,
    schema: Option<&Schema>,
    judge: &Judge<'_>,
) -> (Found, Input) {
    let mut smallest = (found.clone(), input);
    let (mut runs, mut fuel) = (0, 0);
    let mut shows = |input: &Input| {
        runs += 1;
        if runs > MAX_RUNS || fuel > MAX_FUEL {
            return None;
        }
        let judged = judge.judge(input);
        fuel += 2 * judged.receipt.stats.fuel;
        judged.found.filter(|again| again.is_same(found))
    };
    loop {
        let candidates =
            arguments(&smallest.1, contract)
                .into_iter()
                .chain(contexts(&smallest.1, base, schema));
        let simpler = candidates.into_iter().find_map(|input| {
            let found = shows(&input)?;
            Some((found, input))
        });
        match simpler {
            Some(simpler) => smallest = simpler,
            None => return smallest,
        }
    }
}

/// The same input with one argument less or a simpler one.
fn arguments(input: &Input, contract: &Contract) -> Vec<Input> {
    let with = |args: Map| Input {
        args,
        ..input.clone()
    };
    let mut candidates = Vec::new();
    for parameter in &contract.parameters {
        let Some(value) = input.args.get(&parameter.name) else {
            continue;
        };
        if parameter.optional {
            let others = input.args.iter().filter(|(key, _)| **key != parameter.name);
            let others = others.map(|(key, value)| (key.clone(), value.clone()));
            candidates.push(with(others.collect()));
        }
        for simpler in simpler(value) {
            let mut args = input.args.clone();
            args.insert(parameter.name.as_str(), simpler);
            candidates.push(with(args));
        }
    }
    candidates
}

/// The same input on the base, or with a simpler value at one place. Kinds stay, and so does what a schema asks for.
fn contexts(input: &Input, base: &Tree, schema: Option<&Schema>) -> Vec<Input> {
    if *input.context == *base {
        return Vec::new();
    }
    let with = |context: Tree| Input {
        context: Arc::new(context),
        ..input.clone()
    };
    let mut candidates = vec![base.clone()];
    for layer in Layer::ALL {
        let mut places = Vec::new();
        let root = Path::layer_root(layer);
        places_below(&root, input.context.layer(layer), &mut places);
        for place in places.iter().take(MAX_PLACES) {
            let old = input.context.get(place);
            let of_base = base.get(place).filter(|it| Some(*it) != old);
            let simpler = of_base.cloned().into_iter();
            for value in simpler.chain(old.into_iter().flat_map(simpler_of_its_kind)) {
                let mut context = Tree::clone(&input.context);
                if context.set(place, value).is_ok() {
                    candidates.push(context);
                }
            }
        }
    }
    let fits = |it: &Tree| schema.is_none_or(|schema| schema.check(it).is_ok());
    candidates.into_iter().filter(fits).map(with).collect()
}

fn places_below(path: &Path, value: &Value, places: &mut Vec<Path>) {
    if places.len() >= MAX_PLACES {
        return;
    }
    let mut below = |segment, value| {
        let place = path.child(segment);
        places.push(place.clone());
        places_below(&place, value, places);
    };
    match value {
        Value::Map(map) => map
            .iter()
            .for_each(|(key, value)| below(Segment::Key(key.clone()), value)),
        Value::List(list) => (0..)
            .zip(list.iter())
            .for_each(|(index, value)| below(Segment::Index(index), value)),
        _ => {}
    }
}

/// Maps keep their keys: a guest may rely on them.
fn simpler_of_its_kind(value: &Value) -> Vec<Value> {
    match value {
        Value::Map(_) => Vec::new(),
        other => simpler(other),
    }
}

/// Values that are simpler, the simplest first. Every one is strictly simpler, so that shrinking ends.
fn simpler(value: &Value) -> Vec<Value> {
    match value {
        Value::Nil | Value::Bool(false) => Vec::new(),
        Value::Bool(true) => vec![Value::Bool(false)],
        Value::Int(number) => whole(*number).into_iter().map(Value::Int).collect(),
        Value::UInt(_) => vec![Value::Int(0), Value::Int(i64::MAX)],
        Value::Float(number) => real(number.value()),
        Value::Str(text) => texts(text).into_iter().map(Value::from).collect(),
        Value::Bytes(bytes) => halves(bytes.len())
            .into_iter()
            .map(|len| Value::from(bytes[..len].to_vec()))
            .collect(),
        Value::List(list) => {
            let items: Vec<Value> = list.iter().cloned().collect();
            pieces(&items).into_iter().map(Value::from).collect()
        }
        Value::Map(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, it)| (key.clone(), it.clone()))
                .collect();
            let fewer = fewer(&entries).into_iter();
            let mut maps: Vec<Map> = fewer.map(|it| it.into_iter().collect()).collect();
            for (key, value) in &entries {
                for simpler in simpler(value) {
                    let mut map = map.clone();
                    map.insert(key.clone(), simpler);
                    maps.push(map);
                }
            }
            maps.into_iter().map(Value::Map).collect()
        }
    }
}

/// Towards 0 in steps that get smaller: what is found in the end is the least number of its sign that shows it.
fn whole(number: i64) -> Vec<i64> {
    let mut candidates = Vec::new();
    let mut step = number;
    while step != 0 {
        candidates.push(number - step);
        step /= 2;
    }
    candidates
}

fn real(number: f64) -> Vec<Value> {
    let simpler = [0.0, 1.0, -1.0, number.trunc()];
    // The first of them that it is ends the list: those behind are not simpler.
    let is_it = |it: &f64| it.to_bits() == number.to_bits();
    let simpler = simpler.into_iter().take_while(|it| !is_it(it));
    simpler
        .filter(|it| it.is_finite())
        .map(Value::float)
        .collect()
}

fn texts(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut candidates: Vec<String> = halves(characters.len())
        .into_iter()
        .map(|len| characters[..len].iter().collect())
        .collect();
    candidates.extend(characters.get(1..).map(|rest| rest.iter().collect()));
    if characters.iter().any(|it| *it != 'a') {
        // As many characters, or as many bytes; either is as simple as a text of its length gets.
        candidates.push("a".repeat(characters.len()));
        candidates.push("a".repeat(text.len()));
    }
    candidates
}

fn pieces(items: &[Value]) -> Vec<Vec<Value>> {
    let mut candidates = fewer(items);
    for (at, item) in items.iter().enumerate().take(16) {
        for simpler in simpler(item) {
            let mut items = items.to_vec();
            items[at] = simpler;
            candidates.push(items);
        }
    }
    candidates
}

/// The first so many of them, and all but one.
fn fewer<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let first = halves(items.len()).into_iter();
    let mut candidates: Vec<Vec<T>> = first.map(|len| items[..len].to_vec()).collect();
    for at in 0..items.len().min(16) {
        let mut rest = items.to_vec();
        rest.remove(at);
        candidates.push(rest);
    }
    candidates
}

/// 0, then ever closer to `len`.
fn halves(len: usize) -> Vec<usize> {
    let mut lens = Vec::new();
    let mut step = len;
    while step != 0 {
        lens.push(len - step);
        step /= 2;
    }
    lens
}

#[cfg(test)]
mod tests {
    use super::*;
    use theus_core::fuzz::{Dice, Keys, bytes, value};
    use theus_core::value::List;

    /// Shrinks a value by itself, as long as `shows` says so.
    fn smallest(mut value: Value, shows: impl Fn(&Value) -> bool) -> Value {
        assert!(shows(&value));
        while let Some(simpler) = simpler(&value).into_iter().find(&shows) {
            value = simpler;
        }
        value
    }

    #[test]
    fn the_smallest_value_that_shows_it_is_found() {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect(text);
        let len = |it: &Value| it.as_list().map_or(0, List::len);
        assert_eq!(
            smallest(i64::MAX.into(), |it| it.as_i64() >= Some(1000)),
            1000.into()
        );
        assert_eq!(
            smallest(i64::MIN.into(), |it| it.as_i64() <= Some(-7)),
            (-7).into()
        );
        assert_eq!(
            smallest(json(r#"[1,[2,3],{"a":4}]"#), |it| len(it) >= 2),
            json("[0,[]]")
        );
        let bytes = |it: &Value| it.as_str().map_or(0, str::len);
        assert_eq!(
            smallest("é".repeat(8).into(), |it| bytes(it) > 12),
            "a".repeat(13).into()
        );
        assert_eq!(
            smallest("Grüße, 世界".into(), |it| it
                .as_str()
                .is_some_and(|it| it.contains('ü'))),
            "ü".into()
        );
        assert_eq!(
            smallest(json(r#"{"a":7,"b":[8]}"#), |it| it.as_map().is_some()),
            json("{}")
        );
        assert_eq!(
            smallest(2.5.into(), |it| *it != Value::float(0.0)),
            1.0.into()
        );
    }

    /// Whatever is asked of it, it comes to an end.
    #[test]
    fn shrinking_ends() {
        for seed in 0..300 {
            let bytes = bytes(seed, 400);
            let value = value(&mut Dice::new(&bytes), 2, Keys::Any);
            let kind = value.kind();
            let smallest = smallest(value, |it| it.kind() == kind);
            assert!(
                simpler(&smallest).iter().all(|it| it.kind() != kind),
                "{smallest:?}"
            );
        }
    }
}
