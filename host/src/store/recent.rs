//! What the last versions changed: enough to tell whether something that was read has changed since.

use std::collections::VecDeque;
use std::sync::Arc;
use theus_core::path::{Path, Segment};
use theus_core::transaction::{Effect, Write};

/// The places that the last versions changed, the oldest first.
#[derive(Debug)]
pub(super) struct Recent {
    /// The version before the first one that is kept.
    before: u64,
    versions: VecDeque<Arc<[Path]>>,
}

/// Versions that are kept: a commit that read an older one has taken too long.
const KEPT: usize = 4_096;

impl Recent {
    /// Nothing is known of how a version came to be.
    pub(super) fn from(version: u64) -> Self {
        Self {
            before: version,
            versions: VecDeque::new(),
        }
    }

    /// Notes what the next version changes.
    pub(super) fn add(&mut self, writes: &[Write]) {
        if self.versions.len() == KEPT {
            self.versions.pop_front();
            self.before += 1;
        }
        self.versions
            .push_back(writes.iter().map(touched).collect());
    }

    /// A place among those that were read at a version and changed since; `Some(None)` where that is too long ago to tell.
    pub(super) fn changed_since(&self, version: u64, reads: &[Path]) -> Option<Option<Path>> {
        if reads.is_empty() {
            return None;
        }
        let Some(known) = version.checked_sub(self.before) else {
            return Some(None);
        };
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let changed = self.versions.iter().skip(known).flat_map(|it| it.iter());
        changed
            .flat_map(|touched| reads.iter().filter(|read| read.overlaps(touched)))
            .next()
            .map(|read| Some(read.clone()))
    }
}

/// The place whose value, or absence, a write may have changed: for the removal of an element, the whole list, because
/// those behind it move up.
fn touched(write: &Write) -> Path {
    match (&write.effect, write.path.split_last()) {
        (Effect::Remove, Some((list, Segment::Index(_)))) => list,
        _ => write.place(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use theus_core::value::Value;

    fn path(text: &str) -> Path {
        Path::parse(text).expect(text)
    }

    fn write(place: &str, effect: Effect) -> Write {
        Write {
            path: path(place),
            effect,
        }
    }

    #[test]
    fn what_was_read_has_changed_where_a_write_lies_on_its_line() {
        let set = || Effect::Set(Value::Nil);
        let push = Effect::Push {
            value: Value::Nil,
            index: 3,
        };
        for (place, effect, read, changed) in [
            ("domain.a", set(), "domain.a", true),
            ("domain.a", set(), "domain.a.b", true),
            ("domain.a.b", set(), "domain.a", true),
            ("domain.a.b", set(), "domain.a.c", false),
            ("domain.a", Effect::Remove, "domain.ab", false),
            ("domain.l", push.clone(), "domain.l", true),
            ("domain.l", push.clone(), "domain.l[2]", false),
            ("domain.l", push, "domain.l[3]", true),
            ("domain.l[0]", Effect::Remove, "domain.l[2]", true),
            ("domain.l[0]", set(), "domain.l[2]", false),
        ] {
            let mut recent = Recent::from(7);
            recent.add(&[write(place, effect)]);
            let read = [path(read)];
            let expected = changed.then(|| Some(read[0].clone()));
            assert_eq!(recent.changed_since(7, &read), expected, "{place} {read:?}");
            assert_eq!(recent.changed_since(8, &read), None);
            assert_eq!(recent.changed_since(6, &read), Some(None));
            assert_eq!(recent.changed_since(6, &[]), None);
        }
    }

    #[test]
    fn what_is_too_long_ago_cannot_be_told() {
        let mut recent = Recent::from(0);
        for _ in 0..=KEPT {
            recent.add(&[write("domain.a", Effect::Remove)]);
        }
        let read = [path("domain.b")];
        assert_eq!(recent.changed_since(0, &read), Some(None));
        assert_eq!(recent.changed_since(1, &read), None);
    }
}
