//! Conditions: what a rule asks of its field's value.

use super::expr::Expression;
use super::number::Number;
use super::text_pattern::TextPattern;
use crate::contract::Kind;
use crate::path;
use crate::value::Value;
use crate::zone::Hidden;
use std::cmp::Ordering;
use std::fmt;

/// What a rule asks of its field's value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// A number that is not smaller.
    Min(Number),
    /// A number that is not larger.
    Max(Number),
    /// An equal value.
    Eq(Value),
    /// Another value of the same kind.
    Neq(Value),
    /// One of these values.
    In(Vec<Value>),
    /// At least so many elements, keys or bytes.
    MinLen(u64),
    /// At most so many elements, keys or bytes.
    MaxLen(u64),
    /// A string that the pattern matches.
    Regex(TextPattern),
    /// A value of that kind.
    Type(Kind),
    /// An expression that is true.
    Expr(Expression),
}

/// A condition's word in recipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConditionWord {
    /// `min`
    Min,
    /// `max`
    Max,
    /// `eq`
    Eq,
    /// `neq`
    Neq,
    /// `in`
    In,
    /// `min_len`
    MinLen,
    /// `max_len`
    MaxLen,
    /// `regex`
    Regex,
    /// `type`
    Type,
    /// `expr`
    Expr,
}

/// Why a value does not meet a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objection {
    /// Nothing is there.
    Absent,
    /// The value is of a kind that the condition says nothing about.
    WrongKind {
        /// What the condition needs.
        needs: &'static str,
    },
    /// The value is NaN, which no comparison lets pass.
    NotANumber,
    /// The text is too long to be matched.
    TooLong {
        /// The most bytes that the pattern looks at.
        limit: usize,
    },
    /// The expression gives neither true nor false.
    Undecided {
        /// Why, without any value.
        why: Box<str>,
    },
    /// The value is not what the condition asks for.
    Unmet,
}

impl Condition {
    /// Judges a value; what `hidden` hides in it does not count.
    pub(super) fn check(&self, value: &Value, hidden: Hidden) -> Result<(), Objection> {
        match self {
            Self::Min(limit) => ordered(value, *limit, Ordering::is_ge),
            Self::Max(limit) => ordered(value, *limit, Ordering::is_le),
            Self::Eq(wanted) => match same(value, wanted, hidden) {
                Sameness::Same => Ok(()),
                Sameness::Unordered => Err(Objection::NotANumber),
                Sameness::Different => Err(different(value, wanted)),
            },
            Self::Neq(unwanted) => match same(value, unwanted, hidden) {
                Sameness::Same => Err(Objection::Unmet),
                Sameness::Unordered => Err(Objection::NotANumber),
                // Everything that is there differs from nil; else another kind is an error, never a pass.
                Sameness::Different if *unwanted == Value::Nil => Ok(()),
                Sameness::Different => match different(value, unwanted) {
                    Objection::Unmet => Ok(()),
                    wrong_kind => Err(wrong_kind),
                },
            },
            Self::In(allowed) => one_of(value, allowed, hidden),
            Self::MinLen(limit) => sized(value, hidden, |len| len >= *limit),
            Self::MaxLen(limit) => sized(value, hidden, |len| len <= *limit),
            Self::Regex(pattern) => match value {
                Value::Str(text) => match pattern.matches(text) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Objection::Unmet),
                    Err(limit) => Err(Objection::TooLong { limit }),
                },
                _ => Err(Objection::WrongKind { needs: "a string" }),
            },
            Self::Type(kind) if kind.accepts(value) => Ok(()),
            // An expression is about all facts, not about one value: the rule evaluates it.
            Self::Type(_) | Self::Expr(_) => Err(Objection::Unmet),
        }
    }

    /// The condition's word.
    #[must_use]
    pub fn word(&self) -> ConditionWord {
        match self {
            Self::Min(_) => ConditionWord::Min,
            Self::Max(_) => ConditionWord::Max,
            Self::Eq(_) => ConditionWord::Eq,
            Self::Neq(_) => ConditionWord::Neq,
            Self::In(_) => ConditionWord::In,
            Self::MinLen(_) => ConditionWord::MinLen,
            Self::MaxLen(_) => ConditionWord::MaxLen,
            Self::Regex(_) => ConditionWord::Regex,
            Self::Type(_) => ConditionWord::Type,
            Self::Expr(_) => ConditionWord::Expr,
        }
    }

    /// What a message says that was expected; `limit` stands for the condition's limit.
    pub(super) fn expectation(&self, limit: &str) -> String {
        match self {
            Self::Min(_) | Self::MinLen(_) => format!("expected at least {limit}"),
            Self::Max(_) | Self::MaxLen(_) => format!("expected at most {limit}"),
            Self::Eq(_) | Self::Type(_) => format!("expected {limit}"),
            Self::Neq(_) => "which is not allowed".into(),
            Self::In(_) => format!("expected one of {limit}"),
            Self::Regex(_) => format!("expected a match of {limit}"),
            Self::Expr(_) => format!("`{limit}` does not hold"),
        }
    }

    /// The condition's limit, as rule names and messages print it.
    pub(super) fn limit(&self) -> String {
        match self {
            Self::Min(limit) | Self::Max(limit) => limit.to_string(),
            Self::Eq(value) | Self::Neq(value) => literal(value),
            Self::In(values) => path::cut(&format!(
                "[{}]",
                values.iter().map(literal).collect::<Vec<_>>().join(", ")
            )),
            Self::MinLen(limit) | Self::MaxLen(limit) => limit.to_string(),
            Self::Regex(pattern) => format!("\"{}\"", path::cut(pattern.as_str())),
            Self::Type(kind) => kind.name().to_owned(),
            Self::Expr(expression) => {
                let words: Vec<_> = expression.as_str().split_whitespace().collect();
                path::cut(&words.join(" "))
            }
        }
    }

    /// Whether the limit says what the value is or may be, which a secret's message must not.
    pub(super) fn limit_tells_value(&self) -> bool {
        matches!(
            self,
            Self::Eq(_) | Self::Neq(_) | Self::In(_) | Self::Regex(_) | Self::Expr(_)
        )
    }
}

impl ConditionWord {
    /// Every condition, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Min,
        Self::Max,
        Self::Eq,
        Self::Neq,
        Self::In,
        Self::MinLen,
        Self::MaxLen,
        Self::Regex,
        Self::Type,
        Self::Expr,
    ];

    /// The word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::In => "in",
            Self::MinLen => "min_len",
            Self::MaxLen => "max_len",
            Self::Regex => "regex",
            Self::Type => "type",
            Self::Expr => "expr",
        }
    }
}

impl fmt::Display for ConditionWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Elements of a list, visible keys of a map, bytes of a string or binary; none for anything else.
pub(super) fn len(value: &Value, hidden: Hidden) -> Option<u64> {
    let len = match value {
        Value::List(list) => list.len(),
        Value::Map(map) => map.visible_len(hidden),
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => return None,
    };
    Some(len as u64)
}

/// The value as messages print it: one short line, whatever it holds.
pub(crate) fn describe(value: &Value, hidden: Hidden) -> String {
    match (value, len(value, hidden)) {
        (Value::Str(text), _) => format!("\"{}\"", path::cut(text)),
        (Value::Float(number), _) if number.value().is_nan() => "NaN".into(),
        (Value::List(_), Some(len)) => format!("a list of {}", counted(len, "element")),
        (Value::Map(_), Some(len)) => format!("a map of {}", counted(len, "key")),
        (Value::Bytes(_), Some(len)) => counted(len, "byte"),
        (scalar, _) => literal(scalar),
    }
}

/// A kind with its article.
pub(crate) fn kind_phrase(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "a bool",
        Value::Int(_) | Value::UInt(_) => "an int",
        Value::Float(_) => "a float",
        Value::Str(_) => "a string",
        Value::Bytes(_) => "bytes",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

/// `1 element`, `2 elements`.
pub(super) fn counted(count: u64, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {one}{ending}")
}

fn literal(value: &Value) -> String {
    match value {
        Value::Str(text) => format!("\"{}\"", path::cut(text)),
        other => serde_json::to_string(other)
            .map_or_else(|_| other.kind().to_owned(), |json| path::cut(&json)),
    }
}

fn ordered(value: &Value, limit: Number, fits: fn(Ordering) -> bool) -> Result<(), Objection> {
    let Some(number) = Number::of(value) else {
        return Err(Objection::WrongKind { needs: "a number" });
    };
    match number.partial_cmp(&limit) {
        None => Err(Objection::NotANumber),
        Some(ordering) if fits(ordering) => Ok(()),
        Some(_) => Err(Objection::Unmet),
    }
}

fn sized(value: &Value, hidden: Hidden, fits: impl Fn(u64) -> bool) -> Result<(), Objection> {
    match len(value, hidden) {
        None => Err(Objection::WrongKind {
            needs: "a list, a map, a string or bytes",
        }),
        Some(len) if fits(len) => Ok(()),
        Some(_) => Err(Objection::Unmet),
    }
}

fn one_of(value: &Value, allowed: &[Value], hidden: Hidden) -> Result<(), Objection> {
    let mut objection = Objection::Unmet;
    for wanted in allowed {
        match same(value, wanted, hidden) {
            Sameness::Same => return Ok(()),
            Sameness::Unordered => objection = Objection::NotANumber,
            Sameness::Different => {}
        }
    }
    Err(objection)
}

fn different(value: &Value, wanted: &Value) -> Objection {
    if comparable(value, wanted) {
        Objection::Unmet
    } else {
        Objection::WrongKind {
            needs: match wanted {
                number if Number::of(number).is_some() => "a number",
                other => kind_phrase(other),
            },
        }
    }
}

fn comparable(value: &Value, wanted: &Value) -> bool {
    let both_numbers = Number::of(value).is_some() && Number::of(wanted).is_some();
    both_numbers || value.kind() == wanted.kind()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sameness {
    Same,
    Different,
    // A NaN takes part.
    Unordered,
}

/// Compares by value: numbers across their kinds, containers by what is visible. Costs at most the size of `wanted`.
fn same(value: &Value, wanted: &Value, hidden: Hidden) -> Sameness {
    if let Some(number) = Number::of(value) {
        if number.is_nan() {
            return Sameness::Unordered;
        }
        return match Number::of(wanted).map(|wanted| number.partial_cmp(&wanted)) {
            Some(Some(Ordering::Equal)) => Sameness::Same,
            Some(None) => Sameness::Unordered,
            _ => Sameness::Different,
        };
    }
    match (value, wanted) {
        (Value::List(list), Value::List(wanted)) if list.len() == wanted.len() => all_same(
            list.iter()
                .zip(wanted.iter())
                .map(|(item, wanted)| same(item, wanted, hidden)),
        ),
        (Value::Map(map), Value::Map(wanted)) if map.visible_len(hidden) == wanted.len() => {
            all_same(wanted.iter().map(|(key, wanted)| match map.get(key) {
                Some(item) if !hidden.hides(key) => same(item, wanted, hidden),
                _ => Sameness::Different,
            }))
        }
        (Value::List(_), _) | (Value::Map(_), _) => Sameness::Different,
        (value, wanted) if value == wanted => Sameness::Same,
        _ => Sameness::Different,
    }
}

fn all_same(mut parts: impl Iterator<Item = Sameness>) -> Sameness {
    parts
        .find(|part| *part != Sameness::Same)
        .unwrap_or(Sameness::Same)
}
