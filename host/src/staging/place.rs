//! Places in a granted directory: names from the top, without links, dots and anything else that is read in two ways.

use super::problem::FileProblem;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// The host's own folder in a directory that is written into. No guest can name it, list it or make it, at any depth.
pub(crate) const PRIVATE: &str = ".theus-staging";

/// The most directories above a file.
const MAX_DEPTH: usize = 32;
/// The most names in one path, those included that `..` takes back.
const MAX_NAMES: usize = 2 * MAX_DEPTH;
/// The longest name, in bytes.
const MAX_NAME: usize = 255;

/// A place in a granted directory; without a name, the directory itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Place(Vec<String>);

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move<'a> {
    Up,
    Into(&'a str),
}

/// Takes a guest's path apart; whether it ends as only a directory's does.
///
/// # Security
///
/// The path is the guest's. Whatever two systems might read in two ways is refused here: absolute paths, NUL, names that
/// are too long, and every spelling of the host's own folder.
pub(super) fn moves(path: &str) -> Result<(Vec<Move<'_>>, bool), FileProblem> {
    if path.is_empty() {
        return Err(FileProblem::NotFound);
    }
    if path.starts_with('/') {
        return Err(FileProblem::NotPermitted);
    }
    let mut moves = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => moves.push(Move::Up),
            name => {
                check_name(name)?;
                moves.push(Move::Into(name));
            }
        }
        if moves.len() > MAX_NAMES {
            return Err(FileProblem::NameTooLong);
        }
    }
    let ends_as_directory = path.ends_with('/') || path.ends_with("/.");
    Ok((moves, ends_as_directory))
}

/// Whether a name is the host's own folder, also on a file system that takes no notice of case.
pub(crate) fn is_private(name: &str) -> bool {
    name.eq_ignore_ascii_case(PRIVATE)
        || (!name.is_ascii() && name.to_uppercase() == PRIVATE.to_uppercase())
}

fn check_name(name: &str) -> Result<(), FileProblem> {
    if name.contains('\0') || name.contains('\\') && cfg!(windows) {
        return Err(FileProblem::Invalid);
    }
    if name.len() > MAX_NAME {
        return Err(FileProblem::NameTooLong);
    }
    if is_private(name) {
        return Err(FileProblem::NotPermitted);
    }
    Ok(())
}

impl Place {
    /// The place one name below.
    pub(super) fn child(&self, name: &str) -> Result<Self, FileProblem> {
        if self.0.len() >= MAX_DEPTH {
            return Err(FileProblem::NameTooLong);
        }
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Ok(Self(names))
    }

    /// The directory that it lies in, and its name there; none for the granted directory itself.
    pub(super) fn split(&self) -> Option<(&[String], &str)> {
        let (name, parent) = self.0.split_last()?;
        Some((parent, name))
    }

    /// The directory that it lies in; the granted directory lies in itself.
    pub(super) fn parent(&self) -> Self {
        Self(
            self.split()
                .map_or_else(Vec::new, |(parent, _)| parent.to_vec()),
        )
    }

    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether it is the other place or lies below it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The same place, once `from` is `to`.
    pub(super) fn moved(&self, from: &Self, to: &Self) -> Self {
        let rest = self.0.get(from.0.len()..).unwrap_or_default();
        Self(to.0.iter().chain(rest).cloned().collect())
    }

    /// Whether it could be a guest's: what a manifest names is held to the same.
    pub(super) fn is_sound(&self) -> bool {
        let sound = |name: &String| {
            !matches!(name.as_str(), "" | "." | "..")
                && !name.contains('/')
                && check_name(name).is_ok()
        };
        !self.0.is_empty() && self.0.len() <= MAX_DEPTH && self.0.iter().all(sound)
    }
}

impl Borrow<[String]> for Place {
    fn borrow(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart_or_refused() {
        let ok = |path: &'static str| moves(path).expect(path);
        assert_eq!(ok("a/./b"), (vec![Move::Into("a"), Move::Into("b")], false));
        assert_eq!(ok("a//b/"), (vec![Move::Into("a"), Move::Into("b")], true));
        assert_eq!(ok("."), (Vec::new(), false));
        assert_eq!(ok("a/../b").0[1], Move::Up);
        let long = "n".repeat(256);
        let deep = "d/".repeat(65);
        for (path, expected) in [
            ("", "NotFound"),
            ("/etc", "NotPermitted"),
            ("//a", "NotPermitted"),
            ("a\0b", "Invalid"),
            (&*long, "NameTooLong"),
            (&*deep, "NameTooLong"),
            (".theus-staging", "NotPermitted"),
            ("a/.theus-staging/0", "NotPermitted"),
            (".Theus-Staging", "NotPermitted"),
            (".theus-\u{17f}taging", "NotPermitted"),
            ("a/../.theus-staging", "NotPermitted"),
        ] {
            let error = moves(path).expect_err(path);
            assert_eq!(format!("{error:?}"), expected, "{path}");
        }
        assert!(moves(".theus-staging2").is_ok());
    }

    #[test]
    fn what_a_manifest_may_name_is_what_a_guest_may() {
        let place = |names: &[&str]| Place(names.iter().map(ToString::to_string).collect());
        assert!(place(&["a", "b"]).is_sound());
        for names in [
            &[][..],
            &[""],
            &[".."],
            &["a", "."],
            &["a/b"],
            &["a\0"],
            &[".theus-staging", "0"],
        ] {
            assert!(!place(names).is_sound(), "{names:?}");
        }
        assert!(!Place(vec!["a".to_owned(); 33]).is_sound());
    }

    #[test]
    fn places_move_and_nest() {
        let place = |text: &str| Place(text.split('/').map(str::to_owned).collect());
        assert!(place("a/b").is_within(&place("a")) && place("a").is_within(&place("a")));
        assert!(!place("ab").is_within(&place("a")));
        assert_eq!(
            place("a/b/c").moved(&place("a/b"), &place("d")),
            place("d/c")
        );
        assert_eq!(place("a").parent(), Place::default());
    }
}
