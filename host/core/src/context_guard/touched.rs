//! Where a run read: as few places as still tell.

use crate::path::Path;
use std::collections::BTreeSet;

/// The places that a run read. Where they become many, those that lie deepest give way to the places that hold them.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched(BTreeSet<Path>);

/// The places that are kept at most.
const MOST: usize = 64;

impl Touched {
    pub(super) fn note(&mut self, path: &Path) {
        if self.covers(path) {
            return;
        }
        self.0.insert(path.clone());
        while self.0.len() > MOST {
            self.fold();
        }
    }

    pub(super) fn into_places(self) -> Vec<Path> {
        let places = self.0.iter();
        let outer = places.filter(|path| !holders(path).any(|holder| self.0.contains(&holder)));
        outer.cloned().collect()
    }

    fn covers(&self, path: &Path) -> bool {
        self.0.contains(path) || holders(path).any(|holder| self.0.contains(&holder))
    }

    fn fold(&mut self) {
        let depth = |path: &Path| path.segments().len();
        let deepest = self.0.iter().map(depth).max().unwrap_or_default();
        let places = std::mem::take(&mut self.0);
        self.0 = places
            .into_iter()
            .map(|path| match path.split_last() {
                Some((holder, _)) if depth(&path) == deepest => holder,
                _ => path,
            })
            .collect();
    }
}

/// The places that hold a place, from the nearest one to its layer.
fn holders(path: &Path) -> impl Iterator<Item = Path> {
    let holder = |path: &Path| path.split_last().map(|(holder, _)| holder);
    std::iter::successors(holder(path), holder)
}

#[cfg(test)]
mod tests {
    use super::{MOST, Touched};
    use crate::path::Path;

    fn touched(texts: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut touched = Touched::default();
        for text in texts {
            touched.note(&Path::parse(&text).expect("path"));
        }
        let places = touched.into_places();
        places.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn few_places_stay_as_they_are_and_many_give_way_to_what_holds_them() {
        let few = [
            "domain.a.b",
            "domain.a.b",
            "domain.c",
            "domain.a",
            "domain.a.z",
        ];
        assert_eq!(touched(few.map(String::from)), ["domain.a", "domain.c"]);

        let rows = |count: usize| (0..count).map(|row| format!("domain.rows[{row}].price"));
        assert_eq!(touched(rows(MOST)).len(), MOST);
        let many = rows(10_000).chain(["domain.total".to_owned()]);
        assert_eq!(touched(many), ["domain.rows", "domain.total"]);
    }

    #[test]
    fn whatever_was_read_is_covered_by_at_most_that_many_places() {
        let paths: Vec<Path> = (0..5_000)
            .map(|at: usize| format!("domain.k{}.m{}.n{}", at % 3, at % 70, at))
            .map(|text| Path::parse(&text).expect("path"))
            .collect();
        let mut touched = Touched::default();
        for path in &paths {
            touched.note(path);
        }
        let places = touched.into_places();
        assert!(places.len() <= MOST, "{places:?}");
        for path in &paths {
            assert!(
                places.iter().any(|place| path.is_at_or_below(place)),
                "{path}"
            );
        }
    }
}
