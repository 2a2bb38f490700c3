//! What differs between two contexts, whatever led from one to the other.

use crate::changes::{Change, ChangeOp};
use crate::path::{Layer, Path, Segment};
use crate::tree::Tree;
use crate::value::{List, Map, Value};
use smol_str::SmolStr;
use std::cmp::Ordering;

/// The changes that make one context of another: applied in their order they lead exactly there.
///
/// Maps are compared key by key. Of lists, what they have in common at their begin and at their end stays untold: between
/// those, elements are compared one by one where there are as many, and are appended or removed where that is all. A list
/// that differs in another way is one `set` of the list.
///
/// ```
/// use theus_core::context_source::context_from_json;
/// use theus_core::differences::differences;
///
/// let before = context_from_json(r#"{"domain": {"items": [1], "total": 1}}"#).unwrap();
/// let after = context_from_json(r#"{"domain": {"items": [1, 2], "total": 3}}"#).unwrap();
/// let changes = differences(&before, &after);
/// let places: Vec<String> = changes.iter().map(|it| it.path.to_string()).collect();
/// assert_eq!(places, ["domain.items", "domain.total"]);
/// ```
#[must_use]
pub fn differences(before: &Tree, after: &Tree) -> Vec<Change> {
    let mut found = Vec::new();
    for layer in Layer::ALL {
        let root = Path::layer_root(layer);
        of_values(root, before.layer(layer), after.layer(layer), &mut found);
    }
    found
}

fn of_values(path: Path, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        (Value::Map(before), Value::Map(after)) => of_maps(&path, before, after, found),
        (Value::List(before), Value::List(after)) => of_lists(path, before, after, found),
        _ if before == after => {}
        _ => found.push(set(path, before.clone(), after.clone())),
    }
}

fn of_maps(path: &Path, before: &Map, after: &Map, found: &mut Vec<Change>) {
    if before.is_same(after) {
        return;
    }
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    // Both are in the order of their keys.
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some((key, _)), Some((next, _))) => key.cmp(next),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        let place = |key: &SmolStr| path.child(Segment::Key(key.clone()));
        match (gone, come) {
            (None, None) => return,
            (Some((key, one)), Some((_, other))) => of_values(place(key), one, other, found),
            (None, Some((key, value))) => found.push(set(place(key), Value::Nil, value.clone())),
            (Some((key, value)), None) => found.push(Change {
                path: place(key),
                op: ChangeOp::Remove,
                old: value.clone(),
                new: Value::Nil,
            }),
        }
    }
}

fn of_lists(path: Path, before: &List, after: &List, found: &mut Vec<Change>) {
    let begin = before
        .iter()
        .zip(after.iter())
        .take_while(|(one, other)| one == other)
        .count() as u64;
    let (old, new) = (before.len() as u64, after.len() as u64);
    let shorter = old.min(new) - begin;
    let end = (1..=shorter)
        .take_while(|it| before.get(old - it) == after.get(new - it))
        .count() as u64;
    match (old - begin - end, new - begin - end) {
        (gone, come) if gone == come => {
            for index in begin..begin + gone {
                if let (Some(one), Some(other)) = (before.get(index), after.get(index)) {
                    of_values(path.child(Segment::Index(index)), one, other, found);
                }
            }
        }
        (0, _) if end == 0 => {
            let come = (begin..new).filter_map(|index| after.get(index));
            found.extend(come.map(|value| Change {
                path: path.clone(),
                op: ChangeOp::Push,
                old: Value::Nil,
                new: value.clone(),
            }));
        }
        (gone, 0) => {
            // From the last one on: so every index is the one that the element had.
            for index in (begin..begin + gone).rev() {
                found.push(Change {
                    path: path.child(Segment::Index(index)),
                    op: ChangeOp::Remove,
                    old: before.get(index).cloned().unwrap_or_default(),
                    new: Value::Nil,
                });
            }
        }
        _ => {
            let (before, after) = (before.clone(), after.clone());
            found.push(set(path, Value::List(before), Value::List(after)));
        }
    }
}

fn set(path: Path, old: Value, new: Value) -> Change {
    Change {
        path,
        op: ChangeOp::Set,
        old,
        new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{any_key, any_value};
    use proptest::prelude::*;

    fn tree(json: &str) -> Tree {
        let domain: Value = serde_json::from_str(json).expect(json);
        let Value::Map(domain) = domain else {
            panic!("{json} is no map")
        };
        Tree::new(Map::new(), domain)
    }

    fn applied(changes: &[Change], to: &Tree) -> Tree {
        let mut tree = to.clone();
        for change in changes {
            let (path, value) = (&change.path, change.new.clone());
            match change.op {
                ChangeOp::Set => tree.set(path, value).expect("it fits"),
                ChangeOp::Push => drop(tree.push(path, value).expect("it fits")),
                ChangeOp::Remove => assert!(tree.remove(path).expect("it fits"), "{path}"),
            }
        }
        tree
    }

    #[test]
    fn only_what_differs_is_told() {
        for (before, after, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#, ""),
            (r#"{"a":1}"#, r#"{"a":1.0}"#, "Set domain.a"),
            (r#"{"a":1}"#, r#"{"a":null}"#, "Set domain.a"),
            (
                r#"{"a":1,"c":2}"#,
                r#"{"b":1,"c":2}"#,
                "Remove domain.a, Set domain.b",
            ),
            (
                r#"{"a":{"b":1,"c":2}}"#,
                r#"{"a":{"b":1,"c":3}}"#,
                "Set domain.a.c",
            ),
            (
                r#"{"l":[1]}"#,
                r#"{"l":[1,2,3]}"#,
                "Push domain.l, Push domain.l",
            ),
            (
                r#"{"l":[1,2,3,4]}"#,
                r#"{"l":[1,4]}"#,
                "Remove domain.l[2], Remove domain.l[1]",
            ),
            (
                r#"{"l":[1,{"a":1,"b":2},3]}"#,
                r#"{"l":[1,{"a":2,"b":2},3]}"#,
                "Set domain.l[1].a",
            ),
            (r#"{"l":[1,3]}"#, r#"{"l":[1,2,3]}"#, "Set domain.l"),
            (r#"{"l":[1,1]}"#, r#"{"l":[1]}"#, "Remove domain.l[1]"),
            (r#"{"l":[1]}"#, r#"{"l":{}}"#, "Set domain.l"),
        ] {
            let (before, after) = (tree(before), tree(after));
            let changes = differences(&before, &after);
            let told: Vec<String> = changes
                .iter()
                .map(|it| format!("{:?} {}", it.op, it.path))
                .collect();
            assert_eq!(told.join(", "), expected);
            assert_eq!(applied(&changes, &before), after);
        }
    }

    fn any_map() -> impl Strategy<Value = Map> {
        prop::collection::btree_map(any_key(), any_value(), 0..4)
            .prop_map(|entries| entries.into_iter().collect())
    }

    proptest! {
        #[test]
        fn they_lead_from_one_to_the_other(one in any_map(), other in any_map(), mixed in any_value()) {
            let mut near = one.clone();
            if let Some((key, _)) = one.iter().next() {
                near.insert(key.clone(), mixed);
            }
            let one = Tree::new(one, Map::new());
            for after in [Tree::new(other, Map::new()), Tree::new(near, Map::new()), one.clone()] {
                let changes = differences(&one, &after);
                prop_assert_eq!(applied(&changes, &one), after.clone());
                prop_assert_eq!(changes.is_empty(), one == after);
            }
        }

        #[test]
        fn lists_do_as_well(one in prop::collection::vec(0..3_i64, 0..6), other in prop::collection::vec(0..3_i64, 0..6)) {
            let list = |items: Vec<i64>| {
                let list: List = items.into_iter().map(Value::Int).collect();
                Tree::new(Map::new(), [("l", Value::List(list))].into_iter().collect())
            };
            let (before, after) = (list(one), list(other));
            prop_assert_eq!(applied(&differences(&before, &after), &before), after);
        }
    }
}
