//! Reads a path's text step by step, without storing anything.

use super::{Layer, PathError, Segment, cut, is_bare};
use smol_str::{SmolStr, SmolStrBuilder};
use std::borrow::Cow;

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
    pub(super) fn into_segment(self) -> Segment {
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

#[inline]
pub(super) fn is_bare_byte(byte: u8) -> bool {
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
