//! Paths: where a value lives. Parsed once, compared as segments, never as strings.
//!
//! The grammar is `layer` followed by any of `.name`, `[index]` and `["any string"]`. There is one spelling per place:
//! text that is not in canonical form is refused, so two different strings never name the same key by surprise.

mod scanner;

pub(crate) use self::scanner::{Dialect, Scanner, Token};

use self::scanner::is_bare_byte;
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::zone::{self, Zone};
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

/// A place in the context. A copy costs no more than counting it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Arc<Parts>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    layer: Layer,
    segments: SmallVec<[Segment; 4]>,
    // What the segments say, so that no decision has to look at their text. Last, for these do not order paths.
    zone: Zone,
    private: bool,
}

/// The first segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Configuration.
    Global,
    /// Business data.
    Domain,
}

/// One step below a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a map.
    Key(SmolStr),
    /// An element of a list.
    Index(u64),
}

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text does not follow the grammar.
    #[error("malformed path `{text}`: {problem} at byte {at}")]
    Syntax {
        /// The text, cut to a readable length.
        text: String,
        /// The byte where the problem is.
        at: usize,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// The text is a path, but too large.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl Layer {
    /// Every layer, in order.
    pub const ALL: [Self; 2] = [Self::Global, Self::Domain];

    /// The layer's name, as paths spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Domain => "domain",
        }
    }
}

impl Path {
    /// The path of a whole layer.
    #[must_use]
    pub fn layer_root(layer: Layer) -> Self {
        Self::of(layer, SmallVec::new())
    }

    /// Creates a path from its parts.
    #[must_use]
    pub fn new(layer: Layer, segments: impl IntoIterator<Item = Segment>) -> Self {
        Self::of(layer, segments.into_iter().collect())
    }

    fn of(layer: Layer, segments: SmallVec<[Segment; 4]>) -> Self {
        let private = segments
            .iter()
            .any(|segment| matches!(segment, Segment::Key(key) if zone::is_private(key)));
        Self(Arc::new(Parts {
            zone: Zone::of_segments(&segments),
            private,
            layer,
            segments,
        }))
    }

    /// Parses a path of any size: for text that the operator wrote.
    ///
    /// # Errors
    ///
    /// [`PathError::Syntax`] with the byte at which the text leaves the grammar.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut scanner = Scanner::new(text, Dialect::Plain)?;
        let mut segments = SmallVec::new();
        while let Some(token) = scanner.next_token()? {
            segments.push(token.into_segment());
        }
        Ok(Self::of(scanner.layer, segments))
    }

    /// Parses a path under the limits of a call.
    ///
    /// # Errors
    ///
    /// [`PathError::Syntax`] where the text is no path, else [`PathError::Limit`] where it is too large. A text that is over 64 KiB
    /// and over its limit is not looked at.
    ///
    /// # Security
    ///
    /// The text may come from a guest. Nothing is stored beyond the limits; how long it takes is bounded as well.
    #[inline]
    pub fn parse_bounded(text: &str, limits: &Limits) -> Result<Self, PathError> {
        const LOOKED_AT: u64 = 64 << 10;
        let (bytes, allowed) = (text.len() as u64, limits.path_bytes);
        if bytes > LOOKED_AT {
            LimitExceeded::check(Limit::PathBytes, allowed, bytes)?;
        }
        let mut scanner = Scanner::new(text, Dialect::Plain)?;
        let mut segments: SmallVec<[Segment; 4]> = SmallVec::new();
        let mut count = 0u64;
        let fits = bytes <= allowed;
        while let Some(token) = scanner.next_token()? {
            count += 1;
            if fits && count <= limits.path_segments {
                segments.push(token.into_segment());
            }
        }
        LimitExceeded::check(Limit::PathBytes, allowed, bytes)?;
        LimitExceeded::check(Limit::PathSegments, limits.path_segments, count)?;
        Ok(Self::of(scanner.layer, segments))
    }

    /// The layer that the path begins with.
    #[inline]
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.0.layer
    }

    /// The steps below the layer.
    #[inline]
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0.segments
    }

    /// The zone of the place: the first reserved prefix on the path, else data.
    #[inline]
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.0.zone
    }

    /// Whether the path is `ancestor`, or lies below it.
    #[inline]
    #[must_use]
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        Arc::ptr_eq(&self.0, &ancestor.0)
            || (self.layer() == ancestor.layer()
                && self.segments().starts_with(ancestor.segments()))
    }

    /// Whether the two paths are equal or one lies below the other.
    #[inline]
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.segments(), other.segments());
        let common = ours.len().min(theirs.len());
        self.layer() == other.layer() && ours[..common] == theirs[..common]
    }

    /// The path one step further down.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        let mut segments = self.0.segments.clone();
        segments.push(segment);
        Self::of(self.layer(), segments)
    }

    /// The path one step up and the last step, or none for a layer.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, &Segment)> {
        let (last, parent) = self.segments().split_last()?;
        let parent = Self::new(self.layer(), parent.iter().cloned());
        Some((parent, last))
    }

    /// Whether a step of the path is private to the host.
    #[inline]
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.0.private
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.layer().name())?;
        for segment in self.segments() {
            segment.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if is_bare(key) => write!(f, ".{key}"),
            Self::Key(key) => {
                f.write_str("[\"")?;
                for part in key.split_inclusive(['"', '\\']) {
                    match part.chars().next_back() {
                        Some(last @ ('"' | '\\')) => {
                            write!(f, "{}\\{last}", &part[..part.len() - 1])?;
                        }
                        _ => f.write_str(part)?,
                    }
                }
                f.write_str("\"]")
            }
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Whether a key can be written without quotes.
#[inline]
#[must_use]
pub fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(is_bare_byte)
}

/// A readable piece of a text that a guest may have chosen.
#[must_use]
pub fn cut(text: &str) -> String {
    const SHOWN: usize = 80;
    let escaped = |text: &str| {
        text.chars()
            .flat_map(char::escape_debug)
            .collect::<String>()
    };
    if text.len() <= SHOWN {
        // Quotes are part of the path grammar and stay readable; control characters do not reach a terminal.
        escaped(text).replace("\\\"", "\"").replace("\\'", "'")
    } else {
        format!("{}…", escaped(&text[..text.floor_char_boundary(SHOWN)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_paths_print_as_they_were_written() {
        for text in [
            "domain",
            "global.max_capacity",
            "domain.items[3].price",
            "domain.accounts[\"a@b.org\"]",
            "domain[\"\"]",
            "domain[\"a\\\"b\\\\c\"].x-1[0]",
            "domain.7",
            "domain.items[18446744073709551615]",
        ] {
            assert_eq!(Path::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn aliases_name_the_layers() {
        let path = Path::parse("domain_ctx.items").expect("alias");
        assert_eq!(path.to_string(), "domain.items");
        assert!(Path::parse("domain_ctx").is_err());
        assert!(Path::parse("domain_ctx[\"a b\"]").is_err());
    }

    #[test]
    fn path_tricks_are_refused() {
        for text in [
            "",
            "domain..items",
            "domain.items.",
            ".domain",
            "domain.it\0ems",
            "domain.items[-1]",
            "domain.items[01]",
            "domain.items[+1]",
            "domain.items[18446744073709551616]",
            "domain.items[1",
            "domain.items[]",
            "domain[\"items\"]",
            "domain[\"a b]",
            "domain[\"a b\"",
            "domain[\"a\\nb\"]",
            "domain.ïtems",
            "dоmain.items",
            "Domain.items",
            "local.x",
            "domain.{name}",
            "domain[{i}]",
            "domain.*",
            " domain",
            "domain.items ",
        ] {
            assert!(
                matches!(Path::parse(text), Err(PathError::Syntax { .. })),
                "{text:?} must be refused"
            );
        }
    }

    #[test]
    fn size_is_judged_after_syntax() {
        let limits = Limits::default();
        let at_edge = format!("domain.{}", "a".repeat(1024 - 7));
        assert!(Path::parse_bounded(&at_edge, &limits).is_ok());
        let over = format!("{at_edge}a");
        assert!(matches!(
            Path::parse_bounded(&over, &limits),
            Err(PathError::Limit(_))
        ));
        assert!(matches!(
            Path::parse_bounded(&format!("{over}."), &limits),
            Err(PathError::Syntax { .. })
        ));
        // Far over its limit a text is not looked at, unless the limit lets it be so long.
        let huge = format!("domain.{}.", "a".repeat(64 << 10));
        assert!(matches!(
            Path::parse_bounded(&huge, &limits),
            Err(PathError::Limit(_))
        ));
        let wide = Limits {
            path_bytes: 1 << 20,
            ..Limits::default()
        };
        assert!(matches!(
            Path::parse_bounded(&huge, &wide),
            Err(PathError::Syntax { .. })
        ));
        let deep = format!("domain{}", ".a".repeat(16));
        assert!(Path::parse_bounded(&deep, &limits).is_ok());
        assert!(matches!(
            Path::parse_bounded(&format!("{deep}.a"), &limits),
            Err(PathError::Limit(_))
        ));
    }

    #[test]
    fn overlap_is_equal_ancestor_or_descendant() {
        let path = |text| Path::parse(text).expect("path");
        assert!(path("domain").overlaps(&path("domain.a.b")));
        assert!(path("domain.a.b").overlaps(&path("domain.a")));
        assert!(!path("domain.a").overlaps(&path("domain.ab")));
        assert!(!path("domain.a").overlaps(&path("global.a")));
        assert!(path("domain.a[1]").is_at_or_below(&path("domain.a")));
        assert!(!path("domain.a").is_at_or_below(&path("domain.a[1]")));
    }

    proptest! {
        #[test]
        fn any_key_round_trips(keys in prop::collection::vec(".{0,12}", 0..6), index in any::<u64>()) {
            let mut path = Path::layer_root(Layer::Domain);
            for key in keys {
                path = path.child(Segment::Key(key.into()));
            }
            path = path.child(Segment::Index(index));
            prop_assert_eq!(Path::parse(&path.to_string()).expect("canonical"), path);
        }

        #[test]
        fn one_spelling_per_place(text in "(domain|global|domain_ctx)([.\\[\\]\"a-c0-2\\\\{}]){0,12}") {
            if let Ok(path) = Path::parse(&text) {
                let plain = text.replacen("domain_ctx.", "domain.", 1);
                prop_assert_eq!(path.to_string(), plain);
            }
        }
    }
}
