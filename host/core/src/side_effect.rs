//! Side effects: what a contract asks to reach outside the context.

use crate::path;
use crate::source::error::nearest;
use std::fmt;

/// One reach outside the context that a contract asks for.
///
/// Asking is not having: the operator grants it, or the guest is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SideEffect {
    /// Reads the files of a directory, known to the guest by this name.
    Fs(String),
    /// Reads and writes the files of a directory.
    FsRw(String),
    /// Knows the time at which the run began.
    Clock,
    /// Draws randomness that is different in every run.
    Random,
}

/// Why a text is no side effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SideEffectError {
    problem: String,
}

const FS: &str = "fs";
const FS_RW: &str = "fs-rw";
const CLOCK: &str = "clock";
const RANDOM: &str = "random";
const EXPECTED: &str = "`clock`, `random`, `fs:NAME` or `fs-rw:NAME`";
const MAX_NAME_BYTES: usize = 128;

impl SideEffect {
    /// Parses a side effect, as contracts spell it.
    ///
    /// # Errors
    ///
    /// An unknown word, with the nearest that is known; a directory's name that is none.
    ///
    /// # Security
    ///
    /// The text comes with a guest. A name is one plain word: it never becomes a path of the host.
    pub fn parse(text: &str) -> Result<Self, SideEffectError> {
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (text, None),
        };
        match (word, name) {
            (CLOCK, None) => Ok(Self::Clock),
            (RANDOM, None) => Ok(Self::Random),
            (FS, Some(name)) => directory_name(name).map(Self::Fs),
            (FS_RW, Some(name)) => directory_name(name).map(Self::FsRw),
            (FS | FS_RW, None) => Err(unknown(text, Some(&format!("{word}:NAME")))),
            (CLOCK | RANDOM, Some(_)) => Err(unknown(text, Some(word))),
            (_, None) => Err(unknown(text, nearest(word, [CLOCK, RANDOM, FS, FS_RW]))),
            (_, Some(name)) => {
                let meant = nearest(word, [FS, FS_RW, CLOCK, RANDOM]);
                let meant = meant.map(|word| match word {
                    FS | FS_RW => format!("{word}:{}", path::cut(name)),
                    _ => word.to_owned(),
                });
                Err(unknown(text, meant.as_deref()))
            }
        }
    }

    /// The name of the directory, where it is about one.
    #[must_use]
    pub fn directory(&self) -> Option<&str> {
        match self {
            Self::Fs(name) | Self::FsRw(name) => Some(name),
            Self::Clock | Self::Random => None,
        }
    }
}

/// Checks the name that a contract or a grant gives a directory.
///
/// # Errors
///
/// Anything but one plain word.
pub fn directory_name(name: &str) -> Result<String, SideEffectError> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let begins = name
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    if begins && name.bytes().all(word) && name.len() <= MAX_NAME_BYTES {
        return Ok(name.to_owned());
    }
    Err(SideEffectError {
        problem: format!(
            "the directory name `{}` is not allowed: expected a letter or `_`, then letters, digits, `_` or `-`, at most {MAX_NAME_BYTES} bytes",
            path::cut(name)
        ),
    })
}

fn unknown(text: &str, meant: Option<&str>) -> SideEffectError {
    let text = path::cut(text);
    let problem = match meant {
        Some(meant) => {
            format!("unknown side effect `{text}`, did you mean `{meant}`? expected {EXPECTED}")
        }
        None => format!("unknown side effect `{text}`, expected {EXPECTED}"),
    };
    SideEffectError { problem }
}

impl fmt::Display for SideEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fs(name) => write!(f, "{FS}:{name}"),
            Self::FsRw(name) => write!(f, "{FS_RW}:{name}"),
            Self::Clock => f.write_str(CLOCK),
            Self::Random => f.write_str(RANDOM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_effects_are_read_and_written_alike() {
        for (text, effect, directory) in [
            ("clock", SideEffect::Clock, None),
            ("random", SideEffect::Random, None),
            ("fs:prices", SideEffect::Fs("prices".into()), Some("prices")),
            (
                "fs-rw:a_b-1",
                SideEffect::FsRw("a_b-1".into()),
                Some("a_b-1"),
            ),
        ] {
            let parsed = SideEffect::parse(text).expect(text);
            assert_eq!(parsed, effect);
            assert_eq!(parsed.to_string(), text);
            assert_eq!(parsed.directory(), directory);
        }
    }

    #[test]
    fn what_is_no_side_effect_is_refused_with_the_nearest_word() {
        for (text, expected) in [
            ("net", "unknown side effect `net`, expected `clock`"),
            ("", "unknown side effect ``, expected"),
            ("clocks", "did you mean `clock`?"),
            ("Random", "did you mean `random`?"),
            ("fs", "did you mean `fs:NAME`?"),
            ("fs-rw", "did you mean `fs-rw:NAME`?"),
            ("fsrw:out", "did you mean `fs-rw:out`?"),
            ("fs_rw:out", "did you mean `fs-rw:out`?"),
            ("FS:out", "did you mean `fs:out`?"),
            ("clock:utc", "did you mean `clock`?"),
            ("fs:", "the directory name `` is not allowed"),
            ("fs:../up", "the directory name `../up` is not allowed"),
            ("fs:a/b", "is not allowed"),
            ("fs:a:b", "is not allowed"),
            ("fs-rw:/etc", "is not allowed"),
            ("fs:1", "is not allowed"),
            ("fs:\u{430}", "is not allowed"),
        ] {
            let error = SideEffect::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let long = format!("fs:{}", "a".repeat(129));
        assert!(SideEffect::parse(&long).is_err());
        assert!(SideEffect::parse(&long[..131]).is_ok());
    }
}
