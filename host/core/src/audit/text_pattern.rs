//! Regular expressions: compiled once, small, and linear in the text that they look at.

use regex::{Regex, RegexBuilder};
use std::fmt;

/// The most bytes that a pattern may have.
pub const MAX_PATTERN_BYTES: usize = 1024;

/// The most bytes of text that a pattern looks at: more violates, and says so.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The most bytes of text that a large pattern looks at, such as one that counts letters of all languages.
pub const MAX_TEXT_BYTES_OF_LARGE: usize = 4 * 1024;

/// How large a pattern may be once compiled, and the text that it then looks at. Matching costs at most the one times
/// the other, so both products are the same.
const SIZES: [(usize, usize); 2] = [
    (64 * 1024, MAX_TEXT_BYTES),
    (1024 * 1024, MAX_TEXT_BYTES_OF_LARGE),
];

const MAX_NESTING: u32 = 32;

/// A regular expression. It matches anywhere in the text, unless it says `^` and `$`.
#[derive(Clone, Debug)]
pub struct TextPattern {
    regex: Regex,
    max_text: usize,
}

impl TextPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// Why the text is no pattern, or too costly a one, in one line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty, which matches everything".into());
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "has {} bytes, at most {MAX_PATTERN_BYTES} are allowed",
                text.len()
            ));
        }
        for (max_compiled, max_text) in SIZES {
            let built = RegexBuilder::new(text)
                .size_limit(max_compiled)
                .nest_limit(MAX_NESTING)
                .build();
            match built {
                Ok(regex) => return Ok(Self { regex, max_text }),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(other) => {
                    return Err(format!(
                        "is no regular expression: {}",
                        last_line(&other.to_string())
                    ));
                }
            }
        }
        let [.., (max_compiled, _)] = SIZES;
        Err(format!(
            "is too costly: compiled it takes more than {max_compiled} bytes; `[A-Za-z0-9_]` is much smaller than \
             `\\w`, which is all of Unicode"
        ))
    }

    /// Whether the pattern matches, or the most bytes that it looks at where the text has more.
    pub(super) fn matches(&self, text: &str) -> Result<bool, usize> {
        if text.len() > self.max_text {
            return Err(self.max_text);
        }
        Ok(self.regex.is_match(text))
    }

    /// The pattern, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }
}

/// By text.
impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The problem itself stands on the last line, below a drawing of the pattern.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ")
        .replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn patterns_match_anywhere_unless_anchored() {
        for (pattern, text, expected) in [
            ("User", "a User b", true),
            ("^User.*", "User7", true),
            ("^User.*", "a User", false),
            ("^SAFE$", "SAFE\n", false),
            (r"^\d+$", "٣", true),
            ("(?i)^safe$", "SaFe", true),
        ] {
            let compiled = TextPattern::parse(pattern).expect(pattern);
            assert_eq!(compiled.matches(text), Ok(expected), "{pattern} {text:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_too_costly_says_so() {
        for (pattern, expected) in [
            ("", "is empty"),
            ("(", "is no regular expression: unclosed group"),
            (
                "[z-a]",
                "is no regular expression: invalid character class range",
            ),
            (r"(a)\1", "backreferences are not supported"),
            ("(?=a)", "look-around"),
            (r"\w{1000}", "is too costly"),
            // Less than the crate's own limit.
            (r"^\w{1,64}$", "is too costly"),
            ("(((a{100}){100}){100}){100}", "is too costly"),
            (&"(".repeat(500), "is no regular expression"),
            (&"a".repeat(1025), "has 1025 bytes"),
        ] {
            let problem = TextPattern::parse(pattern).expect_err(pattern);
            assert!(problem.contains(expected), "{pattern}: {problem}");
            assert!(!problem.contains('\n'), "{problem}");
        }
    }

    /// A backtracking engine takes longer than anybody waits for any of these.
    #[test]
    fn catastrophic_patterns_stay_linear() {
        let text = "a".repeat(MAX_TEXT_BYTES - 1) + "!";
        let bits: String = (0u64..MAX_TEXT_BYTES as u64)
            .map(|at| {
                if (at * at * 2_654_435_761) >> 20 & 1 == 0 {
                    '0'
                } else {
                    '1'
                }
            })
            .collect();
        let started = Instant::now();
        for (pattern, text) in [
            ("^(a+)+$", &text),
            ("^(a|aa)+$", &text),
            ("^(a*)*b$", &text),
            (r"^(.*?,){11}P", &text),
            ("[01]*1[01]{200}$", &bits),
            ("(?:[01]*1[01]{90}){6}2", &bits),
        ] {
            let compiled = TextPattern::parse(pattern).expect(pattern);
            assert!(compiled.matches(text).is_ok());
        }
        assert!(started.elapsed() < Duration::from_secs(30));
        let longer = "a".repeat(MAX_TEXT_BYTES + 1);
        let compiled = TextPattern::parse("a").expect("a");
        assert_eq!(compiled.matches(&longer), Err(MAX_TEXT_BYTES));
        let large = TextPattern::parse(r"^\w{3,20}$").expect("large");
        assert_eq!(large.matches("Größe"), Ok(true));
        assert_eq!(large.matches(&longer[..MAX_TEXT_BYTES_OF_LARGE]), Ok(false));
        assert_eq!(
            large.matches(&longer[..=MAX_TEXT_BYTES_OF_LARGE]),
            Err(MAX_TEXT_BYTES_OF_LARGE)
        );
    }
}
