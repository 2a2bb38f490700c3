//! Lists: persistent, compact while they are short.

use crate::value::Value;
use imbl::Vector;
use std::sync::Arc;

/// A persistent list: a copy is O(1), a change copies at most one piece of it.
///
/// A short list is one array, which takes no more memory than its elements do; a long one is a balanced tree of arrays.
#[derive(Clone, Debug, Default)]
pub struct List(Arc<Node>);

#[derive(Clone, Debug, Default)]
struct Node {
    items: Items,
    // True where a descendant map may hold a reserved key; never false where one does.
    reserved: bool,
}

#[derive(Clone, Debug)]
enum Items {
    Few(Vec<Value>),
    Many(Vector<Value>),
}

/// The longest list that is one array. Copying this much costs about what copying a tree's node does.
const FEW: usize = 32;

impl Default for Items {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl List {
    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty list with room for what is about to be pushed.
    pub(crate) fn with_room(len: usize) -> Self {
        Self(Arc::new(Node {
            items: Items::Few(Vec::with_capacity(len.min(FEW))),
            reserved: false,
        }))
    }

    /// Where its content lies: see [`Value::address`].
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0.items {
            Items::Few(items) => items.len(),
            Items::Many(items) => items.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&Value> {
        let index = usize::try_from(index).ok()?;
        match &self.0.items {
            Items::Few(items) => items.get(index),
            Items::Many(items) => items.get(index),
        }
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        let (few, many) = match &self.0.items {
            Items::Few(items) => (Some(items), None),
            Items::Many(items) => (None, Some(items)),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }

    /// Appends an element.
    pub fn push(&mut self, value: Value) {
        let node = Arc::make_mut(&mut self.0);
        node.reserved |= value.may_hold_reserved();
        match &mut node.items {
            Items::Few(items) if items.len() < FEW => items.push(value),
            Items::Few(items) => {
                let mut many: Vector<Value> = std::mem::take(items).into();
                many.push_back(value);
                node.items = Items::Many(many);
            }
            Items::Many(items) => items.push_back(value),
        }
    }

    /// Removes an element; the ones after it move up.
    pub(crate) fn remove(&mut self, index: u64) -> Option<Value> {
        let index = self.index(index)?;
        Some(match &mut Arc::make_mut(&mut self.0).items {
            Items::Few(items) => items.remove(index),
            Items::Many(items) => items.remove(index),
        })
    }

    /// Changes an element in place.
    pub(crate) fn modify<R>(
        &mut self,
        index: u64,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<R> {
        let index = self.index(index)?;
        let node = Arc::make_mut(&mut self.0);
        let element = match &mut node.items {
            Items::Few(items) => items.get_mut(index),
            Items::Many(items) => items.get_mut(index),
        }?;
        let result = change(element);
        node.reserved |= element.may_hold_reserved();
        Some(result)
    }

    /// Whether a map in the list may hold a reserved key: false is certain.
    #[inline]
    pub(crate) fn may_hold_reserved(&self) -> bool {
        self.0.reserved
    }

    fn index(&self, index: u64) -> Option<usize> {
        usize::try_from(index)
            .ok()
            .filter(|index| *index < self.len())
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        let mut list = Self::new();
        for item in items {
            list.push(item);
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One change of a list.
    #[derive(Clone, Debug)]
    enum Change {
        Push(i64),
        Remove(u64),
        Modify(u64, i64),
    }

    fn any_change() -> impl Strategy<Value = Change> {
        prop_oneof![
            3 => any::<i64>().prop_map(Change::Push),
            1 => (0..90u64).prop_map(Change::Remove),
            1 => (0..90u64, any::<i64>()).prop_map(|(index, value)| Change::Modify(index, value)),
        ]
    }

    proptest! {
        #[test]
        fn a_list_is_a_vector_at_every_length(changes in prop::collection::vec(any_change(), 0..160)) {
            let mut list = List::new();
            let mut model: Vec<i64> = Vec::new();
            for change in changes {
                let before = (list.clone(), model.clone());
                match change {
                    Change::Push(value) => {
                        list.push(Value::Int(value));
                        model.push(value);
                    }
                    Change::Remove(index) => {
                        let at = usize::try_from(index).expect("small");
                        let removed = (at < model.len()).then(|| model.remove(at));
                        prop_assert_eq!(list.remove(index), removed.map(Value::Int));
                    }
                    Change::Modify(index, value) => {
                        let at = usize::try_from(index).expect("small");
                        let modified = list.modify(index, |it| *it = Value::Int(value));
                        prop_assert_eq!(modified.is_some(), at < model.len());
                        if let Some(element) = model.get_mut(at) {
                            *element = value;
                        }
                    }
                }
                let same = |list: &List, model: &[i64]| {
                    list.len() == model.len() && list.iter().eq(model.iter().copied().map(Value::Int).collect::<Vec<_>>().iter())
                };
                prop_assert!(same(&list, &model));
                prop_assert!(same(&before.0, &before.1), "a copy changed");
                prop_assert_eq!(list.get(40).cloned(), model.get(40).copied().map(Value::Int));
            }
        }
    }

    #[test]
    fn lists_of_different_making_are_equal() {
        let mut long: List = (0..40).map(Value::Int).collect();
        for _ in 0..30 {
            long.remove(39 - 29);
        }
        let short: List = (0..10).map(Value::Int).collect();
        assert_eq!(long, short);
    }
}
