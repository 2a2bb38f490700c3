//! What a transaction touched: the places of its final view that it may have made differ from its base.
//!
//! The writes are read backwards, from the last to the first. That way the place of a write is known at once: whatever
//! replaced it, took it away or moved it up came later, and is known already. Each place is then checked once, however
//! often it was written, and an untouched element of a list is not looked at, however often the list was shifted.

use crate::path::{Layer, Path, Segment};
use crate::transaction::{Effect, Write};
use std::collections::BTreeMap;

/// What was touched at and below a place of the final view.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) extent: Extent,
    /// Whether keys or elements may have been added to the value itself.
    pub(super) may_have_grown: bool,
    /// What was touched below, by its step in the final view.
    pub(super) parts: BTreeMap<Segment, Touched>,
    // Of a list, at the moment that has been reached: the elements that are taken out later, in order.
    taken_out: Vec<u64>,
}

/// How much of a value is to be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Extent {
    /// What `parts` names.
    #[default]
    Parts,
    /// All of it.
    Whole,
}

impl Touched {
    /// What the writes touched in a layer.
    pub(super) fn of(layer: Layer, writes: &[Write]) -> Self {
        let mut touched = Self::default();
        for write in writes.iter().rev() {
            if write.path.layer() == layer {
                touched.write(&write.path, &write.effect);
            }
        }
        touched
    }

    fn write(&mut self, path: &Path, effect: &Effect) {
        match effect {
            // A list that was empty, or that was not there: all of it is new.
            Effect::Push { index: 0, .. } | Effect::Set(_) => self.replace(path.segments()),
            Effect::Push { index, .. } => {
                if let Some(list) = self.descend(path.segments()) {
                    list.may_have_grown = true;
                    list.replace(&[Segment::Index(*index)]);
                }
            }
            Effect::Remove => self.remove(path.segments()),
        }
    }

    fn replace(&mut self, steps: &[Segment]) {
        let Some((last, above)) = steps.split_last() else {
            self.become_whole();
            return;
        };
        if let Some(parent) = self.descend(above) {
            parent.may_have_grown |= matches!(last, Segment::Key(_));
            if let Some(place) = parent.part(last) {
                place.become_whole();
            }
        }
    }

    fn remove(&mut self, steps: &[Segment]) {
        match steps.split_last() {
            Some((Segment::Index(index), list)) => {
                if let Some(list) = self.descend(list) {
                    list.take_out(*index);
                }
            }
            _ => {
                if let Some(place) = self.descend(steps) {
                    place.become_whole();
                }
            }
        }
    }

    /// The place behind the steps in the final view; none where a later write replaced or removed it.
    fn descend(&mut self, steps: &[Segment]) -> Option<&mut Self> {
        let mut place = self;
        for step in steps {
            place = place.part(step)?;
        }
        Some(place)
    }

    /// The place one step below, in the final view.
    fn part(&mut self, step: &Segment) -> Option<&mut Self> {
        if self.extent == Extent::Whole {
            return None;
        }
        let step = match step {
            Segment::Key(key) => Segment::Key(key.clone()),
            Segment::Index(index) => match self.taken_out.binary_search(index) {
                Ok(_) => return None,
                Err(below) => Segment::Index(index - below as u64),
            },
        };
        Some(self.parts.entry(step).or_default())
    }

    fn become_whole(&mut self) {
        self.extent = Extent::Whole;
        self.parts.clear();
    }

    /// Goes back over the removal of an element: those behind it had an index that was larger by one.
    fn take_out(&mut self, index: u64) {
        let at = self.taken_out.partition_point(|later| *later < index);
        for later in &mut self.taken_out[at..] {
            *later += 1;
        }
        self.taken_out.insert(at, index);
    }
}
