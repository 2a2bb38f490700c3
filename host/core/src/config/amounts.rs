//! `[limits]`: one table of the rows that a file may set.

mod flag;

pub use self::flag::{LimitFlag, LimitFlagError};

use crate::limits::Limits;
use crate::source::error::Report;
use crate::source::words::Words;
use crate::source::{Content, Node};
use crate::units;
use crate::value::Value;
use std::time::Duration;

/// The limits of every call, where they are not the defaults.
#[derive(Clone, Debug, Default)]
pub struct LimitOverrides(Vec<Override>);

/// A row: the word for it, and where its value goes.
type Row = (&'static str, Slot);

/// Where a limit's value stands, and so what it is counted in.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// Bytes: a number, or a text with a unit.
    Bytes(fn(&mut Limits) -> &mut u64),
    /// Pieces.
    Count(fn(&mut Limits) -> &mut u64),
    /// Pieces of which there must be some.
    Fuel(fn(&mut Limits) -> &mut u64),
    /// A time, as a text with a unit.
    Time(fn(&mut Limits) -> &mut Duration),
}

/// A value, and where it goes.
#[derive(Clone, Copy, Debug)]
enum Override {
    Number(fn(&mut Limits) -> &mut u64, u64),
    Time(fn(&mut Limits) -> &mut Duration, Duration),
}

/// Where there is a flag the word is the flag's; else it is that of the field of [`Limits`].
const ROWS: [Row; Limits::COUNT] = [
    ("max-component", Slot::Bytes(|it| &mut it.component_bytes)),
    ("max-memory", Slot::Bytes(|it| &mut it.memory_bytes)),
    ("tables", Slot::Count(|it| &mut it.tables)),
    ("table-elements", Slot::Count(|it| &mut it.table_elements)),
    ("stack-bytes", Slot::Bytes(|it| &mut it.stack_bytes)),
    ("fuel", Slot::Fuel(|it| &mut it.fuel)),
    ("timeout", Slot::Time(|it| &mut it.timeout)),
    ("path-bytes", Slot::Bytes(|it| &mut it.path_bytes)),
    ("path-segments", Slot::Count(|it| &mut it.path_segments)),
    ("value-bytes", Slot::Bytes(|it| &mut it.value_bytes)),
    (
        "heavy-value-bytes",
        Slot::Bytes(|it| &mut it.heavy_value_bytes),
    ),
    ("value-depth", Slot::Count(|it| &mut it.value_depth)),
    ("argument-bytes", Slot::Bytes(|it| &mut it.argument_bytes)),
    ("result-bytes", Slot::Bytes(|it| &mut it.result_bytes)),
    ("writes", Slot::Count(|it| &mut it.writes)),
    ("write-bytes", Slot::Bytes(|it| &mut it.write_bytes)),
    ("reads", Slot::Count(|it| &mut it.reads)),
    ("read-bytes", Slot::Bytes(|it| &mut it.read_bytes)),
    ("log-lines", Slot::Count(|it| &mut it.log_lines)),
    ("log-bytes", Slot::Bytes(|it| &mut it.log_bytes)),
    ("outbox-messages", Slot::Count(|it| &mut it.outbox_messages)),
    ("outbox-bytes", Slot::Bytes(|it| &mut it.outbox_bytes)),
    ("host-calls", Slot::Count(|it| &mut it.host_calls)),
    ("staged-files", Slot::Count(|it| &mut it.staged_files)),
    ("staged-bytes", Slot::Bytes(|it| &mut it.staged_bytes)),
];

/// Other names of the rows that have a flag.
const SYNONYMS: [(&str, &str); 5] = [
    ("memory", "max-memory"),
    ("memory-bytes", "max-memory"),
    ("time", "timeout"),
    ("component-bytes", "max-component"),
    ("max-fuel", "fuel"),
];

/// The words of the limits that are not as by default.
#[must_use]
pub fn changed_limits(limits: &Limits) -> Vec<&'static str> {
    let (mut limits, mut defaults) = (limits.clone(), Limits::default());
    let mut differs = |slot: Slot| match slot {
        Slot::Bytes(at) | Slot::Count(at) | Slot::Fuel(at) => {
            *at(&mut limits) != *at(&mut defaults)
        }
        Slot::Time(at) => *at(&mut limits) != *at(&mut defaults),
    };
    let rows = ROWS.into_iter().filter(|(_, slot)| differs(*slot));
    rows.map(|(word, _)| word).collect()
}

/// Every limit, by its word: bytes, pieces, or nanoseconds.
#[must_use]
pub fn amounts(limits: &Limits) -> [(&'static str, u64); Limits::COUNT] {
    let mut limits = limits.clone();
    ROWS.map(|(word, slot)| {
        let amount = match slot {
            Slot::Bytes(at) | Slot::Count(at) | Slot::Fuel(at) => *at(&mut limits),
            Slot::Time(at) => u64::try_from(at(&mut limits).as_nanos()).unwrap_or(u64::MAX),
        };
        (word, amount)
    })
}

/// The limits of such amounts; none where one of them is missing, or is of no limit.
#[must_use]
pub fn limits_of_amounts<'a>(amounts: impl IntoIterator<Item = (&'a str, u64)>) -> Option<Limits> {
    let mut limits = Limits::default();
    let mut seen = std::collections::BTreeSet::new();
    for (word, amount) in amounts {
        let (word, slot) = ROWS.into_iter().find(|(known, _)| *known == word)?;
        seen.insert(word);
        match slot {
            Slot::Bytes(at) | Slot::Count(at) | Slot::Fuel(at) => *at(&mut limits) = amount,
            Slot::Time(at) => *at(&mut limits) = Duration::from_nanos(amount),
        }
    }
    (seen.len() == Limits::COUNT).then_some(limits)
}

impl LimitOverrides {
    /// The limits with those of the file.
    #[must_use]
    pub fn applied_to(&self, mut limits: Limits) -> Limits {
        for row in &self.0 {
            match *row {
                Override::Number(place, number) => *place(&mut limits) = number,
                Override::Time(place, time) => *place(&mut limits) = time,
            }
        }
        limits
    }

    pub(super) fn read(report: &mut Report<'_>, node: &Node) -> Self {
        let known = ROWS.map(|(word, _)| word);
        let words = Words {
            known: &known,
            offered: &known,
            synonyms: &SYNONYMS,
        };
        let mut rows = Vec::new();
        for (key, node) in report.entries(node, "`limits`", &words) {
            let row = ROWS.into_iter().find(|(word, _)| *word == key.text);
            rows.extend(row.and_then(|(word, slot)| slot.read(report, word, node)));
        }
        Self(rows)
    }
}

impl Slot {
    fn read(self, report: &mut Report<'_>, word: &str, node: &Node) -> Option<Override> {
        let read = match &node.content {
            Content::Scalar(value) => self.of(value),
            _ => Err(self.expected()),
        };
        read.map_err(|expected| report.unfit(word, node, expected))
            .ok()
    }

    /// What a value sets the limit to, or what was expected.
    fn of(self, value: &Value) -> Result<Override, &'static str> {
        let whole = match value {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        let text = match value {
            Value::Str(text) => Some(text.as_str()),
            _ => None,
        };
        let number = |place, number: Option<u64>| number.map(|it| Override::Number(place, it));
        let found = match self {
            Self::Time(place) => {
                let time = text.and_then(|text| units::duration(text).ok());
                time.map(|time| Override::Time(place, time))
            }
            Self::Bytes(place) => {
                let bytes = whole.filter(|bytes| *bytes > 0);
                number(
                    place,
                    bytes.or_else(|| text.and_then(|text| units::bytes(text).ok())),
                )
            }
            Self::Fuel(place) => number(place, whole.filter(|fuel| *fuel > 0)),
            Self::Count(place) => number(place, whole),
        };
        found.ok_or(self.expected())
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Time(_) => "a time with a unit, such as \"5s\" or \"200ms\", more than zero",
            Self::Bytes(_) => "a size, such as \"64MiB\" or 1048576, more than zero",
            Self::Fuel(_) => "a whole number, such as 1_000_000_000, more than zero",
            Self::Count(_) => "a whole number that is not negative",
        }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for LimitOverrides {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let properties: serde_json::Map<String, serde_json::Value> = ROWS
            .iter()
            .map(|(word, slot)| {
                let schema = match slot {
                    Slot::Time(_) => serde_json::json!({ "type": "string" }),
                    Slot::Bytes(_) => {
                        serde_json::json!({ "type": ["integer", "string"], "minimum": 1 })
                    }
                    Slot::Fuel(_) => serde_json::json!({ "type": "integer", "minimum": 1 }),
                    Slot::Count(_) => serde_json::json!({ "type": "integer", "minimum": 0 }),
                };
                ((*word).to_owned(), schema)
            })
            .collect();
        schemars::json_schema!({
            "description": "The limits of every call, where they are not the defaults.",
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
        })
    }
}
