//! What is wrong with a file: every problem of it, each with its place.

use std::fmt;
use std::sync::Arc;

/// The most problems that are kept of one file.
const MAX_ERRORS: usize = 100;

/// The most characters of a source line that are shown.
const MAX_SHOWN: usize = 160;

/// One problem of a recipe or a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
#[non_exhaustive]
pub struct FileError {
    /// The file, as the caller named it.
    pub origin: Arc<str>,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u32,
    /// The column in characters, from 1; 0 for the file as a whole.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What was expected, and the nearest valid word.
    pub help: Option<String>,
    /// The source line, cut to a readable length.
    pub source_line: Option<String>,
    // Where the caret stands under the source line, and how long it is.
    caret: (usize, usize),
}

/// Every problem of a recipe or a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
#[non_exhaustive]
pub struct FileErrors {
    /// The problems, in the order of the file; never empty.
    pub errors: Vec<FileError>,
    /// How many more there are.
    pub omitted: usize,
}

/// A piece of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) width: u32,
}

/// The file that was read.
#[derive(Debug, Default)]
pub(crate) struct Source {
    origin: Arc<str>,
    text: String,
}

/// Collects the problems of a file.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    source: &'a Source,
    errors: Vec<(Place, String, Option<String>)>,
}

impl FileError {
    fn render(&self) -> String {
        let Self {
            origin, message, ..
        } = self;
        let mut text = match (self.line, self.column) {
            (0, _) => format!("{origin}: {message}"),
            (line, column) => format!("{origin}:{line}:{column}: {message}"),
        };
        if let Some(source_line) = &self.source_line {
            let number = self.line.to_string();
            let (before, width) = self.caret;
            let gutter = " ".repeat(number.len());
            let indent = " ".repeat(before);
            let caret = "^".repeat(width);
            text.push_str(&format!(
                "\n  {number} | {source_line}\n  {gutter} | {indent}{caret}"
            ));
        }
        if let Some(help) = &self.help {
            text.push_str(&format!("\n  help: {help}"));
        }
        text
    }
}

impl FileErrors {
    fn render(&self) -> String {
        let mut parts: Vec<String> = self.errors.iter().map(ToString::to_string).collect();
        if self.omitted > 0 {
            parts.push(format!("and {} more", self.omitted));
        }
        parts.join("\n")
    }

    /// The problems of both, each once, in the order of the file.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.omitted += other.omitted;
        for error in other.errors {
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
        }
        self.errors.sort_by_key(|error| (error.line, error.column));
        self.omitted += self.errors.len().saturating_sub(MAX_ERRORS);
        self.errors.truncate(MAX_ERRORS);
        self
    }

    /// An error about the file as a whole, which is not kept.
    pub(crate) fn of_file(origin: &str, message: String) -> Self {
        Self {
            errors: vec![FileError {
                origin: origin.into(),
                line: 0,
                column: 0,
                message,
                help: None,
                source_line: None,
                caret: (0, 0),
            }],
            omitted: 0,
        }
    }
}

impl Source {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn new(origin: &str, text: &str) -> Self {
        Self {
            origin: origin.into(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    fn error(&self, place: Place, message: String, help: Option<String>) -> FileError {
        let index = (place.line as usize).checked_sub(1);
        let shown = index
            .and_then(|index| self.text.lines().nth(index))
            .map(|line| window(line, place));
        let (source_line, caret) = match shown {
            Some((line, caret)) => (Some(line), caret),
            None => (None, (0, 0)),
        };
        FileError {
            origin: self.origin.clone(),
            line: place.line,
            column: place.column,
            message,
            help,
            source_line,
            caret,
        }
    }
}

impl<'a> Report<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self {
            source,
            errors: Vec::new(),
        }
    }

    /// Records a problem.
    pub(crate) fn refuse(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.errors.push((place, message.into(), help.into()));
    }

    /// How many problems there are so far.
    pub(crate) fn len(&self) -> usize {
        self.errors.len()
    }

    /// The value, unless there are problems.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, FileErrors> {
        if self.errors.is_empty() {
            return Ok(value);
        }
        self.errors
            .sort_by_key(|(place, ..)| (place.line, place.column));
        // Several conditions of one entry share its field, and what is wrong with it.
        self.errors.dedup();
        let omitted = self.errors.len().saturating_sub(MAX_ERRORS);
        self.errors.truncate(MAX_ERRORS);
        let errors = self
            .errors
            .into_iter()
            .map(|(place, message, help)| self.source.error(place, message, help))
            .collect();
        Err(FileErrors { errors, omitted })
    }
}

/// The part of a line around a place, and the caret's position and length in it. One character per column.
fn window(line: &str, place: Place) -> (String, (usize, usize)) {
    let at = (place.column as usize).saturating_sub(1);
    let start = at.saturating_sub(MAX_SHOWN / 2);
    let start = if start < MAX_SHOWN / 4 { 0 } else { start };
    let mut rest = line.chars().skip(start);
    let shown: String = rest
        .by_ref()
        .take(MAX_SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let before = at - start;
    let room = shown.chars().count().saturating_sub(before);
    let width = (place.width as usize).min(room).max(1);
    let lead = if start > 0 { "…" } else { "" };
    let trail = if rest.next().is_some() { "…" } else { "" };
    (
        format!("{lead}{shown}{trail}"),
        (before + lead.chars().count(), width),
    )
}

/// The valid word that was most likely meant.
#[must_use]
pub fn nearest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let near_enough = match lower.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    valid
        .into_iter()
        // A word that is much longer is never near; this also bounds what the distance costs.
        .filter(|valid| valid.len().abs_diff(lower.len()) <= near_enough * 4)
        .map(|valid| (strsim::osa_distance(&lower, &valid.to_lowercase()), valid))
        .filter(|(distance, _)| *distance <= near_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, valid)| valid)
}

/// `` `a`, `b`, `c` ``
pub(crate) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words
        .into_iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
