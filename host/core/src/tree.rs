//! The context's tree: two layers of persistent maps. A copy is O(1); a change copies only the nodes on its path.

use crate::path::{Layer, Path, Segment};
use crate::value::{Map, Value};
use std::fmt;

/// The whole context at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    global: Value,
    domain: Value,
}

/// Why an operation does not fit what is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {problem}")]
pub struct ShapeError {
    /// The place that the operation named.
    pub path: Path,
    /// What is there instead of what the operation needs.
    pub problem: ShapeProblem,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeProblem {
    /// The parent is not there: `set` and `push` create the last key only.
    MissingParent,
    /// The parent is no map (for a key) or no list (for an index).
    WrongParent {
        /// What the last step needs.
        expected: &'static str,
        /// What the parent is.
        found: &'static str,
    },
    /// The list is shorter: `push` appends, `set` replaces.
    PastTheEnd {
        /// The list's length.
        len: u64,
    },
    /// The value there is of another kind than the operation needs.
    WrongKind {
        /// What the operation needs.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A layer is always a map.
    LayerIsMap,
    /// A layer cannot be removed.
    LayerStays,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            global: Value::Map(Map::new()),
            domain: Value::Map(Map::new()),
        }
    }
}

impl Tree {
    /// Creates a tree from its layers.
    #[must_use]
    pub fn new(global: Map, domain: Map) -> Self {
        Self {
            global: Value::Map(global),
            domain: Value::Map(domain),
        }
    }

    /// A whole layer; always a map.
    #[must_use]
    pub fn layer(&self, layer: Layer) -> &Value {
        match layer {
            Layer::Global => &self.global,
            Layer::Domain => &self.domain,
        }
    }

    /// Whether the two are one tree rather than equal ones. O(1).
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same = |one: &Value, other: &Value| match (one, other) {
            (Value::Map(one), Value::Map(other)) => one.is_same(other),
            _ => false,
        };
        same(&self.global, &other.global) && same(&self.domain, &other.domain)
    }

    /// The value at a place, or none where nothing is there.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Value> {
        path.segments()
            .iter()
            .try_fold(self.layer(path.layer()), |value, segment| {
                match (value, segment) {
                    (Value::Map(map), Segment::Key(key)) => map.get(key),
                    (Value::List(list), Segment::Index(index)) => list.get(*index),
                    _ => None,
                }
            })
    }

    /// Sets the value at a place; its parent must be there.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] where the parent is missing or of another kind, or an index is past the end.
    pub fn set(&mut self, path: &Path, value: Value) -> Result<(), ShapeError> {
        if path.segments().is_empty() {
            if value.as_map().is_none() {
                return Err(shape(path, ShapeProblem::LayerIsMap));
            }
            *self.layer_mut(path.layer()) = value;
            return Ok(());
        }
        self.with_parent(path, |parent, last| match (parent, last) {
            (Value::Map(map), Segment::Key(key)) => {
                map.insert(key.clone(), value);
                Ok(())
            }
            (Value::List(list), Segment::Index(index)) => {
                let len = list.len() as u64;
                list.modify(*index, |element| *element = value)
                    .ok_or(ShapeProblem::PastTheEnd { len })
            }
            (parent, last) => Err(wrong_parent(parent, last)),
        })
    }

    /// Appends to the list at a place, or creates a list of one where nothing is there. The new length.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] where something else than a list is there, or [`Tree::set`] would fail.
    pub fn push(&mut self, path: &Path, value: Value) -> Result<u64, ShapeError> {
        if path.segments().is_empty() {
            return Err(shape(path, ShapeProblem::LayerIsMap));
        }
        self.with_parent(path, |parent, last| match (parent, last) {
            (Value::Map(map), Segment::Key(key)) => {
                if map.get(key).is_none() {
                    map.insert(key.clone(), Value::from(vec![value]));
                    return Ok(1);
                }
                map.modify(key, |target| append(target, value))
                    .unwrap_or(Err(ShapeProblem::MissingParent))
            }
            (Value::List(list), Segment::Index(index)) => {
                let len = list.len() as u64;
                list.modify(*index, |target| append(target, value))
                    .unwrap_or(Err(ShapeProblem::PastTheEnd { len }))
            }
            (parent, last) => Err(wrong_parent(parent, last)),
        })
    }

    /// Removes the value at a place. True where something was there.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] for a whole layer.
    pub fn remove(&mut self, path: &Path) -> Result<bool, ShapeError> {
        if path.segments().is_empty() {
            return Err(shape(path, ShapeProblem::LayerStays));
        }
        if self.get(path).is_none() {
            return Ok(false);
        }
        self.with_parent(path, |parent, last| {
            let removed = match (parent, last) {
                (Value::Map(map), Segment::Key(key)) => map.remove(key),
                (Value::List(list), Segment::Index(index)) => list.remove(*index),
                _ => None,
            };
            Ok(removed.is_some())
        })
    }

    /// A layer to change in place; it stays a map.
    pub(crate) fn layer_mut(&mut self, layer: Layer) -> &mut Value {
        match layer {
            Layer::Global => &mut self.global,
            Layer::Domain => &mut self.domain,
        }
    }

    fn with_parent<R>(
        &mut self,
        path: &Path,
        change: impl FnOnce(&mut Value, &Segment) -> Result<R, ShapeProblem>,
    ) -> Result<R, ShapeError> {
        let Some((last, above)) = path.segments().split_last() else {
            return Err(shape(path, ShapeProblem::MissingParent));
        };
        descend(self.layer_mut(path.layer()), above, |parent| {
            change(parent, last)
        })
        .map_err(|problem| shape(path, problem))
    }
}

/// Walks down `steps`, copying shared nodes on the way, so that `change` may alter what it finds in place.
fn descend<R>(
    value: &mut Value,
    steps: &[Segment],
    change: impl FnOnce(&mut Value) -> Result<R, ShapeProblem>,
) -> Result<R, ShapeProblem> {
    let Some((step, below)) = steps.split_first() else {
        return change(value);
    };
    match (value, step) {
        (Value::Map(map), Segment::Key(key)) => {
            map.modify(key, |child| descend(child, below, change))
        }
        (Value::List(list), Segment::Index(index)) => {
            list.modify(*index, |child| descend(child, below, change))
        }
        _ => None,
    }
    .unwrap_or(Err(ShapeProblem::MissingParent))
}

fn append(target: &mut Value, value: Value) -> Result<u64, ShapeProblem> {
    match target {
        Value::List(list) => {
            list.push(value);
            Ok(list.len() as u64)
        }
        other => Err(ShapeProblem::WrongKind {
            expected: "a list",
            found: other.kind(),
        }),
    }
}

#[cold]
fn wrong_parent(parent: &Value, last: &Segment) -> ShapeProblem {
    ShapeProblem::WrongParent {
        expected: match last {
            Segment::Key(_) => "a map",
            Segment::Index(_) => "a list",
        },
        found: parent.kind(),
    }
}

#[cold]
fn shape(path: &Path, problem: ShapeProblem) -> ShapeError {
    ShapeError {
        path: path.clone(),
        problem,
    }
}

impl ShapeError {
    /// An operation that needs another kind of value than the one that is there.
    #[cold]
    pub(crate) fn wrong_kind(path: &Path, expected: &'static str, found: &'static str) -> Self {
        shape(path, ShapeProblem::WrongKind { expected, found })
    }
}

impl fmt::Display for ShapeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingParent => f.write_str("has no parent here: create the map above it first"),
            Self::WrongParent { expected, found } => {
                write!(f, "needs {expected} as its parent, which is a {found}")
            }
            Self::PastTheEnd { len } => {
                write!(f, "is past the end of a list of {len}: use push to append")
            }
            Self::WrongKind { expected, found } => {
                write!(f, "must be {expected} for this call, it is {found}")
            }
            Self::LayerIsMap => f.write_str("is a layer, which is always a map"),
            Self::LayerStays => f.write_str("is a layer, which cannot be removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let domain =
            serde_json::from_str(r#"{"items":[{"price":1},{"price":2}],"total":3,"box":{}}"#);
        match domain.expect("json") {
            Value::Map(domain) => Tree::new(Map::new(), domain),
            other => panic!("not a map: {other:?}"),
        }
    }

    fn path(text: &str) -> Path {
        Path::parse(text).expect(text)
    }

    #[test]
    fn get_finds_or_finds_nothing() {
        let tree = tree();
        assert_eq!(
            tree.get(&path("domain.items[1].price")),
            Some(&Value::Int(2))
        );
        for absent in [
            "domain.none",
            "domain.total.x",
            "domain.items[2]",
            "domain.items.x",
            "domain.box[0]",
        ] {
            assert_eq!(tree.get(&path(absent)), None, "{absent}");
        }
    }

    #[test]
    fn set_creates_the_last_key_only() {
        let mut tree = tree();
        tree.set(&path("domain.box.new"), Value::Int(1))
            .expect("set");
        tree.set(&path("domain.items[0].price"), Value::Int(9))
            .expect("set");
        assert_eq!(
            tree.get(&path("domain.items[0].price")),
            Some(&Value::Int(9))
        );
        for (bad, problem) in [
            ("domain.none.x", ShapeProblem::MissingParent),
            (
                "domain.total.x",
                ShapeProblem::WrongParent {
                    expected: "a map",
                    found: "int",
                },
            ),
            (
                "domain.items.x",
                ShapeProblem::WrongParent {
                    expected: "a map",
                    found: "list",
                },
            ),
            (
                "domain.box[0]",
                ShapeProblem::WrongParent {
                    expected: "a list",
                    found: "map",
                },
            ),
            ("domain.items[2]", ShapeProblem::PastTheEnd { len: 2 }),
            ("domain", ShapeProblem::LayerIsMap),
        ] {
            let before = tree.clone();
            let error = tree.set(&path(bad), Value::Nil).expect_err(bad);
            assert_eq!(error.problem, problem, "{bad}");
            assert_eq!(tree, before);
        }
    }

    #[test]
    fn push_appends_or_creates() {
        let mut tree = tree();
        assert_eq!(tree.push(&path("domain.items"), Value::Nil), Ok(3));
        assert_eq!(tree.push(&path("domain.box.fresh"), Value::Nil), Ok(1));
        for bad in [
            "domain.total",
            "domain.none.x",
            "domain.items[7]",
            "domain",
            "domain.box",
        ] {
            assert!(tree.push(&path(bad), Value::Nil).is_err(), "{bad}");
        }
    }

    #[test]
    fn remove_says_whether_something_was_there() {
        let mut tree = tree();
        assert_eq!(tree.remove(&path("domain.items[0]")), Ok(true));
        assert_eq!(
            tree.get(&path("domain.items[0].price")),
            Some(&Value::Int(2))
        );
        assert_eq!(tree.remove(&path("domain.total")), Ok(true));
        for absent in [
            "domain.total",
            "domain.items[5]",
            "domain.none.x",
            "domain.box[0]",
        ] {
            assert_eq!(tree.remove(&path(absent)), Ok(false), "{absent}");
        }
        assert!(tree.remove(&path("domain")).is_err());
    }
}
