//! Paths: where a value lives. Parsed once, compared as segments, never as strings.
//!
//! The grammar is `layer` followed by any of `.name`, `[index]` and `["any string"]`. There is one spelling per place:
//! text that is not in canonical form is refused, so two different strings never name the same key by surprise.

use crate::limits::{Limit, LimitExceeded, Limits};
use smallvec::SmallVec;
use smol_str::{SmolStr, SmolStrBuilder};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A place in the context. A copy costs no more than counting it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Arc<Parts>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    layer: Layer,
    segments: SmallVec<[Segment; 4]>,
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
        Self(Arc::new(Parts { layer, segments }))
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
    /// [`PathError::Syntax`] where the text is no path, else [`PathError::Limit`] where it is too large.
    ///
    /// # Security
    ///
    /// The text may come from a guest. Nothing is stored beyond the limits; a text of any length is only scanned.
    #[inline]
    pub fn parse_bounded(text: &str, limits: &Limits) -> Result<Self, PathError> {
        let mut scanner = Scanner::new(text, Dialect::Plain)?;
        let mut segments: SmallVec<[Segment; 4]> = SmallVec::new();
        let mut count = 0u64;
        let fits = text.len() as u64 <= limits.path_bytes;
        while let Some(token) = scanner.next_token()? {
            count += 1;
            if fits && count <= limits.path_segments {
                segments.push(token.into_segment());
            }
        }
        LimitExceeded::check(Limit::PathBytes, limits.path_bytes, text.len() as u64)?;
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
        self.segments()
            .iter()
            .any(|segment| matches!(segment, Segment::Key(key) if crate::zone::is_private(key)))
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

/// Whether `{param}` segments are part of the grammar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Paths as guests and rules write them.
    Plain,
    /// Contract paths: `{param}` stands for a key, `[{param}]` for an index.
    Pattern,
}

/// One step of a path, borrowed from its text.
pub(crate) enum Token<'a> {
    Key(Cow<'a, str>),
    Index(u64),
    KeyParam(&'a str),
    IndexParam(&'a str),
}

impl Token<'_> {
    #[inline]
    fn into_segment(self) -> Segment {
        match self {
            // The plain dialect yields no parameters, so these spellings only ever hold a key.
            Self::Key(key) => Segment::Key(SmolStr::new(key)),
            Self::Index(index) => Segment::Index(index),
            Self::KeyParam(name) | Self::IndexParam(name) => Segment::Key(SmolStr::new(name)),
        }
    }
}

/// Reads a path's text step by step, without storing anything.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    pub(crate) layer: Layer,
}

impl<'a> Scanner<'a> {
    #[inline]
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Result<Self, PathError> {
        let end = bare_end(text.as_bytes(), 0);
        let followed_by_dot = text.as_bytes().get(end) == Some(&b'.');
        let layer = match &text[..end] {
            "domain" => Layer::Domain,
            "global" => Layer::Global,
            "domain_ctx" if followed_by_dot => Layer::Domain,
            "global_ctx" if followed_by_dot => Layer::Global,
            "" => return Err(syntax(text, 0, "expected a layer: `domain` or `global`")),
            other => {
                let problem = format!(
                    "unknown layer `{}`, expected `domain` or `global`",
                    cut(other)
                );
                return Err(syntax(text, 0, &problem));
            }
        };
        Ok(Self {
            text,
            at: end,
            dialect,
            layer,
        })
    }

    #[inline]
    pub(crate) fn next_token(&mut self) -> Result<Option<Token<'a>>, PathError> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at) {
            None => Ok(None),
            Some(b'.')
                if self.dialect == Dialect::Pattern && bytes.get(self.at + 1) == Some(&b'{') =>
            {
                self.at += 1;
                self.param().map(|name| Some(Token::KeyParam(name)))
            }
            Some(b'.') => {
                let start = self.at + 1;
                let end = bare_end(bytes, start);
                if end == start {
                    return Err(self.error(start, "expected a name of letters, digits, `_` or `-`"));
                }
                self.at = end;
                Ok(Some(Token::Key(Cow::Borrowed(&self.text[start..end]))))
            }
            Some(b'[') => self.bracket().map(Some),
            Some(_) => Err(self.error(self.at, "expected `.name`, `[index]` or `[\"key\"]`")),
        }
    }

    fn bracket(&mut self) -> Result<Token<'a>, PathError> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let token = match bytes.get(start) {
            Some(b'"') => return self.quoted(start + 1),
            Some(b'{') if self.dialect == Dialect::Pattern => {
                self.at = start;
                Token::IndexParam(self.param()?)
            }
            Some(b'0'..=b'9') => {
                let digits = bytes[start..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let text = &self.text[start..start + digits];
                if digits > 1 && text.starts_with('0') {
                    return Err(self.error(start, "an index has no leading zero"));
                }
                self.at = start + digits;
                let index = text
                    .parse()
                    .map_err(|_| self.error(start, "the index does not fit into 64 bits"))?;
                Token::Index(index)
            }
            _ => {
                return Err(self.error(start, "expected an index of plain digits, or a quoted key"));
            }
        };
        if bytes.get(self.at) != Some(&b']') {
            return Err(self.error(self.at, "expected `]`"));
        }
        self.at += 1;
        Ok(token)
    }

    fn quoted(&mut self, start: usize) -> Result<Token<'a>, PathError> {
        let bytes = self.text.as_bytes();
        let mut at = start;
        let mut piece = start;
        let mut unescaped: Option<SmolStrBuilder> = None;
        loop {
            match bytes.get(at) {
                None => return Err(self.error(at, "expected `\"]` to end the quoted key")),
                Some(b'"') => break,
                Some(b'\\') => {
                    if !matches!(bytes.get(at + 1), Some(b'"' | b'\\')) {
                        return Err(self.error(at, "only `\\\"` and `\\\\` are escapes"));
                    }
                    let builder = unescaped.get_or_insert_with(SmolStrBuilder::new);
                    builder.push_str(&self.text[piece..at]);
                    piece = at + 1;
                    at += 2;
                }
                Some(_) => at += 1,
            }
        }
        let key = match unescaped {
            None => Cow::Borrowed(&self.text[start..at]),
            Some(mut builder) => {
                builder.push_str(&self.text[piece..at]);
                Cow::Owned(builder.finish().into())
            }
        };
        if bytes.get(at + 1) != Some(&b']') {
            return Err(self.error(at + 1, "expected `]`"));
        }
        if is_bare(&key) {
            let problem = format!("the key needs no quotes here, write `.{}`", cut(&key));
            return Err(self.error(start, &problem));
        }
        self.at = at + 2;
        Ok(Token::Key(key))
    }

    fn param(&mut self) -> Result<&'a str, PathError> {
        let start = self.at + 1;
        let end = bare_end(self.text.as_bytes(), start);
        if end == start || self.text.as_bytes().get(end) != Some(&b'}') {
            return Err(self.error(start, "expected a parameter's name and `}`"));
        }
        self.at = end + 1;
        Ok(&self.text[start..end])
    }

    #[cold]
    fn error(&self, at: usize, problem: &str) -> PathError {
        syntax(self.text, at, problem)
    }
}

#[cold]
fn syntax(text: &str, at: usize, problem: &str) -> PathError {
    PathError::Syntax {
        text: cut(text),
        at,
        problem: problem.to_owned(),
    }
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

#[inline]
fn is_bare_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[inline]
fn bare_end(bytes: &[u8], start: usize) -> usize {
    start
        + bytes[start..]
            .iter()
            .take_while(|byte| is_bare_byte(**byte))
            .count()
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
