//! TOML, read into nodes.

use super::error::{FileErrors, Place, Report, Source};
use super::{Content, Key, Node};
use crate::value::Value;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

impl Node {
    /// Parses a file of TOML.
    ///
    /// # Errors
    ///
    /// Every place at which the text is no TOML, or holds what is no value here: a date, a number beyond 64 bits.
    ///
    /// # Security
    ///
    /// The parser bounds the depth; everything else is of the size of the text, which the caller bounds.
    pub(crate) fn of_toml(source: &Source, text: &str) -> Result<Self, FileErrors> {
        let (table, problems) = DeTable::parse_recoverable(text);
        let line_starts = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut reader = Reader {
            text,
            line_starts: std::iter::once(0).chain(line_starts).collect(),
            report: Report::new(source),
        };
        for problem in &problems {
            let place = problem.span().map(|span| reader.place(&span));
            let message = problem.message().replace(char::is_control, " ");
            reader.report.refuse(
                place.unwrap_or_default(),
                format!("not TOML: {message}"),
                None,
            );
        }
        let content = reader.table(table.get_ref());
        let place = Place::default();
        reader.report.finish(Self { place, content })
    }
}

struct Reader<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    report: Report<'a>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> Content {
        let mut entries: Vec<(Key, Node)> = table
            .iter()
            .map(|(key, value)| {
                let key = Key {
                    place: self.place(&key.span()),
                    text: key.get_ref().clone().into_owned(),
                };
                let node = self.node(key.place, value);
                (key, node)
            })
            .collect();
        // The order of the file, as everywhere.
        entries.sort_by_key(|(key, _)| (key.place.line, key.place.column));
        Content::Map(entries)
    }

    fn node(&mut self, key: Place, value: &Spanned<DeValue<'_>>) -> Node {
        let mut place = self.place(&value.span());
        let content = match value.get_ref() {
            DeValue::String(text) => Content::Scalar(text.as_ref().into()),
            DeValue::Boolean(flag) => Content::Scalar((*flag).into()),
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                self.number(place, parsed.ok().map(Value::from))
            }
            DeValue::Float(number) => {
                let parsed = number.as_str().parse::<f64>();
                self.number(place, parsed.ok().map(Value::from))
            }
            DeValue::Datetime(_) => {
                let help = "write it as a text, between quotes".to_owned();
                self.report.refuse(place, "a date is no value here", help);
                Content::Scalar(Value::Nil)
            }
            DeValue::Array(items) => {
                Content::List(items.iter().map(|item| self.node(place, item)).collect())
            }
            DeValue::Table(table) => {
                // A table is spread over the file: what is said of it is said where its name stands.
                place = key;
                self.table(table)
            }
        };
        Node { place, content }
    }

    fn number(&mut self, place: Place, parsed: Option<Value>) -> Content {
        let value = parsed.unwrap_or_else(|| {
            self.report
                .refuse(place, "the number does not fit 64 bits", None);
            Value::Nil
        });
        Content::Scalar(value)
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let line = self.line_starts.partition_point(|at| *at <= span.start);
        let line_start = self.line_starts[line - 1];
        let before = self.text.get(line_start..span.start).unwrap_or_default();
        let spanned = self.text.get(span.clone()).unwrap_or_default();
        let spanned = spanned.lines().next().unwrap_or_default();
        Place {
            line: clamp(line),
            column: clamp(before.chars().count() + 1),
            width: clamp(spanned.chars().count()),
        }
    }
}
