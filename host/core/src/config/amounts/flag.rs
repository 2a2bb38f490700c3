//! `--limit NAME=VALUE`: one row of `[limits]`, as a flag says it.

use super::{LimitOverrides, Override, ROWS, SYNONYMS};
use crate::path;
use crate::source::error::quoted;
use crate::source::words::{Words, with_nearest};
use crate::value::Value;
use std::fmt;
use std::str::FromStr;

/// One limit that a flag gives.
///
/// ```
/// use theus_core::config::{LimitFlag, LimitOverrides};
/// use theus_core::limits::Limits;
///
/// let flags: Vec<LimitFlag> = vec!["writes=5".parse().unwrap(), "value-bytes=2MiB".parse().unwrap()];
/// let limits = LimitOverrides::from(&flags[..]).applied_to(Limits::default());
/// assert_eq!((limits.writes, limits.value_bytes), (5, 2 << 20));
/// assert!("writs=5".parse::<LimitFlag>().unwrap_err().to_string().contains("did you mean `writes`?"));
/// ```
#[derive(Clone, Debug)]
pub struct LimitFlag {
    word: &'static str,
    text: String,
    row: Override,
}

/// Why a text sets no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LimitFlagError(String);

impl LimitFlag {
    /// The limit's word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.word
    }
}

impl fmt::Display for LimitFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.word, self.text)
    }
}

impl FromStr for LimitFlag {
    type Err = LimitFlagError;

    fn from_str(flag: &str) -> Result<Self, LimitFlagError> {
        let (word, text) = flag.split_once('=').ok_or_else(|| {
            LimitFlagError("expected NAME=VALUE, for example writes=20000".into())
        })?;
        let known = ROWS.map(|(word, _)| word);
        let Some((word, slot)) = ROWS.into_iter().find(|(known, _)| *known == word) else {
            let words = Words {
                known: &known,
                offered: &known,
                synonyms: &SYNONYMS,
            };
            let expected = format!("the limits are {}", quoted(known));
            return Err(LimitFlagError(format!(
                "there is no limit `{}`: {}",
                path::cut(word),
                with_nearest(words.meant(word), &expected)
            )));
        };
        let row = slot.of(&as_in_a_file(text)).map_err(|expected| {
            LimitFlagError(format!(
                "`{word}` is `{}`, expected {expected}",
                path::cut(text)
            ))
        })?;
        Ok(Self {
            word,
            text: text.to_owned(),
            row,
        })
    }
}

impl From<&[LimitFlag]> for LimitOverrides {
    fn from(flags: &[LimitFlag]) -> Self {
        Self(flags.iter().map(|flag| flag.row).collect())
    }
}

/// What the text would be in a file: a number, whose digits may be grouped, or a text.
fn as_in_a_file(text: &str) -> Value {
    match text.replace('_', "").parse() {
        Ok(number) => Value::Int(number),
        Err(_) => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::amounts;
    use crate::limits::{Limit, Limits};

    #[test]
    fn every_limit_that_can_be_raised_has_a_row_under_its_word() {
        let mut words: Vec<_> = Limit::ALL.into_iter().filter_map(Limit::word).collect();
        words.sort();
        words.dedup();
        let mut rows: Vec<_> = ROWS.iter().map(|(word, _)| (*word).to_owned()).collect();
        rows.sort();
        assert_eq!(words, rows);
    }

    #[test]
    fn every_row_is_set_by_its_flag_and_no_other_one_is() {
        let defaults = amounts(&Limits::default());
        for (word, _) in ROWS {
            let (value, amount) = match word {
                "timeout" => ("7s", 7_000_000_000),
                _ => ("1_234", 1_234),
            };
            let flag: LimitFlag = format!("{word}={value}").parse().expect(word);
            assert_eq!(
                (flag.word(), flag.to_string()),
                (word, format!("{word}={value}"))
            );
            let limits = LimitOverrides::from(&[flag][..]).applied_to(Limits::default());
            for (at, (other, set)) in amounts(&limits).into_iter().enumerate() {
                let expected = if other == word {
                    amount
                } else {
                    defaults[at].1
                };
                assert_eq!(set, expected, "{other} by {word}");
            }
        }
    }

    #[test]
    fn what_sets_no_limit_says_what_would() {
        for (flag, said) in [
            ("writes", "expected NAME=VALUE"),
            (
                "writs=1",
                "there is no limit `writs`: did you mean `writes`? the limits are `max-component`, `max-memory`",
            ),
            ("memory=1", "did you mean `max-memory`?"),
            ("colour=1", "there is no limit `colour`: the limits are"),
            ("=1", "there is no limit ``"),
            (
                "writes=",
                "`writes` is ``, expected a whole number that is not negative",
            ),
            ("writes=-1", "`writes` is `-1`, expected a whole number"),
            ("writes=1KiB", "`writes` is `1KiB`, expected a whole number"),
            (
                "fuel=0",
                "`fuel` is `0`, expected a whole number, such as 1_000_000_000, more than zero",
            ),
            (
                "value-bytes=0",
                "expected a size, such as \"64MiB\" or 1048576, more than zero",
            ),
            ("value-bytes=1.5MiB", "expected a size"),
            (
                "timeout=5",
                "`timeout` is `5`, expected a time with a unit, such as \"5s\"",
            ),
        ] {
            let error = flag.parse::<LimitFlag>().expect_err(flag).to_string();
            assert!(error.contains(said), "{flag}: {error}");
        }
    }
}
