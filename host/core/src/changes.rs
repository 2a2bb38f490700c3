//! What a transaction changed, net: one entry per place touched, with the value before and after.

use crate::path::{Path, Segment};
use crate::transaction::{Effect, Write};
use crate::tree::Tree;
use crate::value::Value;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, Deref};
use std::sync::OnceLock;

/// What a transaction changed, net: a slice of [`Change`]s in order of the first write.
///
/// They are worked out when they are first looked at, so a run whose changes nobody reads does not pay for them. Until
/// then, and for as long as this lives, it keeps the context before and after, which share what did not change.
#[derive(Clone, Default)]
pub struct Changes {
    written: Option<Written>,
    net: OnceLock<Vec<Change>>,
}

/// What changes are worked out from.
#[derive(Clone)]
struct Written {
    before: Tree,
    after: Tree,
    writes: Vec<Write>,
}

/// The net effect of a transaction on one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The place; for a push, the list.
    pub path: Path,
    /// What happened to it.
    pub op: ChangeOp,
    /// The value before the transaction; nil where nothing was there.
    pub old: Value,
    /// The value after it; nil where nothing is there.
    pub new: Value,
}

/// What happened to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOp {
    /// It has another value.
    Set,
    /// An element was appended; `new` is the element.
    Push,
    /// It is gone.
    Remove,
}

impl Changes {
    /// The net effect of `writes`, which lead from one tree to the other.
    pub(crate) fn between(before: Tree, after: Tree, writes: Vec<Write>) -> Self {
        Self {
            written: Some(Written {
                before,
                after,
                writes,
            }),
            net: OnceLock::new(),
        }
    }
}

impl Deref for Changes {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        self.net.get_or_init(|| match &self.written {
            Some(it) => net(&it.before, &it.after, &it.writes),
            None => Vec::new(),
        })
    }
}

impl From<Vec<Change>> for Changes {
    fn from(changes: Vec<Change>) -> Self {
        Self {
            written: None,
            net: changes.into(),
        }
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl AsRef<[Change]> for Changes {
    fn as_ref(&self) -> &[Change] {
        self
    }
}

impl<T: AsRef<[Change]>> PartialEq<T> for Changes {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Computes the net changes between two trees from the writes that lie between them.
pub(crate) fn net(before: &Tree, after: &Tree, writes: &[Write]) -> Vec<Change> {
    let mut touched = Touched::default();
    for (order, write) in writes.iter().enumerate() {
        touched.touch(order, write);
    }
    let mut entries: Vec<(Path, Touch)> = touched.places.into_iter().collect();
    entries.sort_by_key(|(_, touch)| touch.order);
    entries
        .into_iter()
        .filter_map(|(place, touch)| change(before, after, place, touch.kind))
        .collect()
}

/// The places touched so far. No place lies below another one: that is what `touch` keeps true.
#[derive(Default)]
struct Touched {
    places: BTreeMap<Path, Touch>,
    // Lists whose elements moved up: places below them no longer mean what they meant.
    shifted: Vec<Path>,
}

struct Touch {
    order: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Compare before and after.
    Value,
    /// An element appended by this transaction.
    Pushed,
    /// An element taken out of a list that is otherwise untouched.
    TakenOut,
}

impl Touched {
    fn touch(&mut self, order: usize, write: &Write) {
        let place = write.place();
        if let Some(list) = self.shifted.iter().find(|list| place.is_at_or_below(list)) {
            let list = list.clone();
            self.fold(order, list);
            return;
        }
        // No place lies below another, so an ancestor, where there is one, is the nearest place before this one.
        let before = self.places.range(..=&place).next_back();
        if before.is_some_and(|(ancestor, _)| place.is_at_or_below(ancestor))
            && !matches!(write.effect, Effect::Remove if is_element(&place))
        {
            return;
        }
        match &write.effect {
            Effect::Push { .. } => {
                let kind = Kind::Pushed;
                self.places.insert(place, Touch { order, kind });
            }
            Effect::Remove if is_element(&place) => self.take_out(order, place),
            Effect::Set(_) | Effect::Remove => self.fold(order, place),
        }
    }

    fn take_out(&mut self, order: usize, place: Path) {
        let Some((list, _)) = place.split_last() else {
            return;
        };
        let covered = self
            .places
            .range(..=&list)
            .next_back()
            .is_some_and(|(ancestor, _)| list.is_at_or_below(ancestor));
        if covered {
            return;
        }
        if self.below(&list).next().is_none() {
            self.shifted.push(list);
            let kind = Kind::TakenOut;
            self.places.insert(place, Touch { order, kind });
        } else {
            self.fold(order, list);
        }
    }

    /// Makes `place` one entry that stands for everything touched at or below it.
    fn fold(&mut self, order: usize, place: Path) {
        let below: Vec<Path> = self.below(&place).cloned().collect();
        let first = below
            .iter()
            .filter_map(|path| self.places.remove(path))
            .map(|touch| touch.order)
            .min();
        let touch = Touch {
            order: first.unwrap_or(order),
            kind: Kind::Value,
        };
        self.places.insert(place, touch);
    }

    fn below<'a>(&'a self, place: &'a Path) -> impl Iterator<Item = &'a Path> {
        self.places
            .range((Bound::Included(place), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(move |path| path.is_at_or_below(place))
    }
}

fn is_element(place: &Path) -> bool {
    matches!(place.segments().last(), Some(Segment::Index(_)))
}

fn change(before: &Tree, after: &Tree, place: Path, kind: Kind) -> Option<Change> {
    let new = after.get(&place);
    let (path, op, old) = match kind {
        Kind::Pushed => {
            let (list, _) = place.split_last()?;
            (list, ChangeOp::Push, None)
        }
        Kind::TakenOut => {
            let old = before.get(&place);
            return Some(Change {
                path: place,
                op: ChangeOp::Remove,
                old: old.cloned().unwrap_or_default(),
                new: Value::Nil,
            });
        }
        Kind::Value => {
            let old = before.get(&place);
            if old == new {
                return None;
            }
            let op = if new.is_some() {
                ChangeOp::Set
            } else {
                ChangeOp::Remove
            };
            (place, op, old)
        }
    };
    Some(Change {
        path,
        op,
        old: old.cloned().unwrap_or_default(),
        new: new.cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::{Snapshot, Transaction};

    /// Runs `script` (`set PATH JSON`, `push PATH JSON`, `remove PATH`, one per line) on a context and prints the changes.
    fn check(context: &str, script: &str, expected: &[&str]) {
        let path = |text: &str| Path::parse(text).expect(text);
        let json = |text: &str| serde_json::from_str::<Value>(text).expect(text);
        let mut base = Snapshot::default();
        base.tree
            .set(&path("domain"), json(context))
            .expect("a map");
        let mut transaction = Transaction::begin(base);
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let mut words = line.splitn(3, ' ');
            let (op, place) = (words.next().expect("op"), path(words.next().expect("path")));
            match op {
                "set" => transaction
                    .set(place, json(words.next().expect("json")))
                    .expect(line),
                "push" => drop(
                    transaction
                        .push(place, json(words.next().expect("json")))
                        .expect(line),
                ),
                "remove" => drop(transaction.remove(place).expect(line)),
                other => panic!("unknown op {other}"),
            }
        }
        let text = |value: &Value| serde_json::to_string(value).expect("json");
        let printed: Vec<String> = transaction
            .changes()
            .iter()
            .map(|it| {
                format!(
                    "{:?} {} {} -> {}",
                    it.op,
                    it.path,
                    text(&it.old),
                    text(&it.new)
                )
            })
            .collect();
        assert_eq!(printed, expected, "{script}");
    }

    #[test]
    fn one_entry_per_place_in_order_of_the_first_write() {
        check(
            r#"{"a":1,"b":2,"list":[1]}"#,
            "set domain.b 5\n set domain.a 7\n push domain.list 2\n set domain.b 6",
            &[
                "Set domain.b 2 -> 6",
                "Set domain.a 1 -> 7",
                "Push domain.list null -> 2",
            ],
        );
    }

    #[test]
    fn what_is_net_nothing_is_left_out() {
        check(
            r#"{"a":1}"#,
            "set domain.a 2\n set domain.a 1\n set domain.new 1\n remove domain.new",
            &[],
        );
    }

    #[test]
    fn descendants_fold_into_a_written_ancestor() {
        check(
            r#"{"a":{"x":1,"y":2},"z":0}"#,
            "set domain.a.x 5\n set domain.z 1\n set domain.a {\"x\":6}",
            &[
                r#"Set domain.a {"x":1,"y":2} -> {"x":6}"#,
                "Set domain.z 0 -> 1",
            ],
        );
        check(
            "{}",
            "set domain.a {}\n set domain.a.x 1\n set domain.ab 2",
            &[r#"Set domain.a null -> {"x":1}"#, "Set domain.ab null -> 2"],
        );
    }

    #[test]
    fn a_pushed_element_shows_its_final_value() {
        check(
            r#"{"list":[{"n":1}]}"#,
            "push domain.list {\"n\":2}\n set domain.list[1].n 3\n push domain.fresh 1\n push domain.fresh 2",
            &[
                r#"Push domain.list null -> {"n":3}"#,
                "Push domain.fresh null -> 1",
                "Push domain.fresh null -> 2",
            ],
        );
    }

    #[test]
    fn taking_out_an_element_is_one_removal() {
        check(
            r#"{"list":[1,2,3]}"#,
            "remove domain.list[1]",
            &["Remove domain.list[1] 2 -> null"],
        );
        check(
            r#"{"list":[1,2,3]}"#,
            "remove domain.list[0]\n remove domain.list[0]",
            &["Set domain.list [1,2,3] -> [3]"],
        );
        check(
            r#"{"list":[1,2,3]}"#,
            "push domain.list 4\n remove domain.list[0]\n set domain.list[0] 9",
            &["Set domain.list [1,2,3] -> [9,3,4]"],
        );
        check(
            r#"{"list":[1]}"#,
            "push domain.list 2\n remove domain.list[1]",
            &[],
        );
        check(
            r#"{"list":[1,2]}"#,
            "set domain.list [5,6,7]\n remove domain.list[0]",
            &["Set domain.list [1,2] -> [6,7]"],
        );
    }

    #[test]
    fn a_removal_is_a_removal() {
        check(
            r#"{"a":{"b":1}}"#,
            "set domain.a.b 2\n remove domain.a",
            &[r#"Remove domain.a {"b":1} -> null"#],
        );
    }
}
