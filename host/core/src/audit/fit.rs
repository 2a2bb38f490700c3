//! Whether a condition makes sense where it stands: what is known of its values before any run.
//!
//! A contract says of which kind an argument is, a schema what the context may hold. A condition that no such value meets
//! would refuse whatever comes; one that every such value meets would never do anything.

use super::condition::{Condition, kind_phrase};
use super::number::Number;
use crate::contract::Kind;
use crate::value::Value;
use std::cmp::Ordering;

/// What is known of the values of a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) min: Option<Number>,
    pub(crate) max: Option<Number>,
    /// The fewest elements, visible keys or bytes.
    pub(crate) least_len: u64,
    /// The most of them.
    pub(crate) most_len: Option<u64>,
}

/// How a condition fits what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It decides something.
    Decides,
    /// No value meets it.
    Never(Why),
    /// Every value meets it.
    Always(Why),
    /// One of its values is of no use: nothing ever equals it.
    Partly { value: String, why: Why },
}

/// What makes that certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The kind: what the condition does, such as `needs a number`.
    Kind(String),
    /// A limit of the declaration, such as `` `max` 5 ``.
    Declared(String),
    /// The condition itself: it lets everything pass.
    Itself,
}

impl Known {
    /// No more than a kind.
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            min: None,
            max: None,
            least_len: 0,
            most_len: None,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Float)
    }

    fn has_len(&self) -> bool {
        matches!(
            self.kind,
            Kind::String | Kind::Bytes | Kind::List | Kind::Map
        )
    }

    /// Whether a value may be one of the place, by its kind.
    pub(super) fn may_equal(&self, value: &Value) -> bool {
        self.kind == Kind::Any || self.compares_with(value)
    }

    /// The same of the values of a kind.
    pub(super) fn may_equal_kind(&self, kind: Kind) -> bool {
        let other = Self::of(kind);
        let either_is_any = [self.kind, kind].contains(&Kind::Any);
        either_is_any || self.kind == kind || (self.is_number() && other.is_number())
    }

    /// Whether comparing with a value says anything: number with number, else one kind.
    fn compares_with(&self, value: &Value) -> bool {
        match Number::of(value) {
            Some(_) => self.is_number(),
            None => self.kind.name() == value.kind(),
        }
    }

    /// Why no value of the place equals this one, where that is certain.
    fn excludes(&self, value: &Value) -> Option<Why> {
        if !self.compares_with(value) {
            return Some(Why::Kind(format!("compares with {}", kind_phrase(value))));
        }
        if let Some(number) = Number::of(value) {
            let is_whole = match number {
                Number::Whole(_) => true,
                Number::Float(float) => float.fract() == 0.0,
            };
            if self.kind == Kind::Int && !is_whole {
                return Some(Why::Kind("compares with what is no whole number".into()));
            }
            return self.below_min(number).or_else(|| self.above_max(number));
        }
        let len = match value {
            Value::Str(text) => text.len() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            // What containers hold is the schema's business at every commit.
            _ => return None,
        };
        self.most_len
            .filter(|most| len > *most)
            .map(|most| Why::Declared(format!("`max_len` {most}")))
    }

    fn below_min(&self, number: Number) -> Option<Why> {
        self.min
            .filter(|min| number.partial_cmp(min) == Some(Ordering::Less))
            .map(|min| Why::Declared(format!("`min` {min}")))
    }

    fn above_max(&self, number: Number) -> Option<Why> {
        self.max
            .filter(|max| number.partial_cmp(max) == Some(Ordering::Greater))
            .map(|max| Why::Declared(format!("`max` {max}")))
    }
}

/// How a condition fits the values of a place; nil and absence aside.
pub(super) fn fit(condition: &Condition, known: &Known) -> Fit {
    if known.kind == Kind::Any {
        return match condition {
            Condition::Type(Kind::Any) => Fit::Always(Why::Itself),
            _ => Fit::Decides,
        };
    }
    match condition {
        Condition::Min(_) | Condition::Max(_) if !known.is_number() => {
            Fit::Never(Why::Kind("needs a number".into()))
        }
        Condition::Min(limit) => {
            let always = known.min.filter(|min| min >= limit);
            either(
                known.above_max(*limit),
                always.map(|min| format!("`min` {min}")),
            )
        }
        Condition::Max(limit) => {
            let always = known.max.filter(|max| max <= limit);
            either(
                known.below_min(*limit),
                always.map(|max| format!("`max` {max}")),
            )
        }
        Condition::MinLen(_) | Condition::MaxLen(_) if !known.has_len() => {
            Fit::Never(Why::Kind("needs a list, a map, a string or bytes".into()))
        }
        Condition::MinLen(0) => Fit::Always(Why::Itself),
        Condition::MinLen(limit) => {
            let most = known.most_len.filter(|most| most < limit);
            let always = known.least_len >= *limit;
            either(
                most.map(|most| Why::Declared(counted_most(most))),
                always.then(|| counted_least(known.least_len)),
            )
        }
        Condition::MaxLen(limit) => {
            let least = known.least_len > *limit;
            let always = known.most_len.filter(|most| most <= limit);
            either(
                least.then(|| Why::Declared(counted_least(known.least_len))),
                always.map(counted_most),
            )
        }
        Condition::Regex(_) if known.kind != Kind::String => {
            Fit::Never(Why::Kind("needs a string".into()))
        }
        Condition::Eq(value) => known.excludes(value).map_or(Fit::Decides, Fit::Never),
        // Everything that is there differs from nil.
        Condition::Neq(Value::Nil) => Fit::Always(Why::Kind("compares with nil".into())),
        Condition::Neq(value) => match known.excludes(value) {
            None => Fit::Decides,
            Some(why) if known.compares_with(value) => Fit::Always(why),
            // Another kind is a violation, never a pass.
            Some(why) => Fit::Never(why),
        },
        Condition::In(values) => one_of(values, known),
        Condition::Type(wanted) => of_type(*wanted, known.kind),
        Condition::Regex(_) | Condition::Expr(_) => Fit::Decides,
    }
}

fn either(never: Option<Why>, always: Option<String>) -> Fit {
    match (never, always) {
        (Some(why), _) => Fit::Never(why),
        (None, Some(declared)) => Fit::Always(Why::Declared(declared)),
        (None, None) => Fit::Decides,
    }
}

fn counted_most(most: u64) -> String {
    format!("a length of {most} at most")
}

fn counted_least(least: u64) -> String {
    format!("a length of {least} at least")
}

fn one_of(values: &[Value], known: &Known) -> Fit {
    let mut excluded = values
        .iter()
        .filter_map(|value| known.excludes(value).map(|why| (value, why)));
    let Some((value, why)) = excluded.next() else {
        return Fit::Decides;
    };
    // The first one was taken already.
    if excluded.count() + 1 == values.len() {
        return Fit::Never(why);
    }
    Fit::Partly {
        value: Condition::Eq(value.clone()).limit(),
        why,
    }
}

fn of_type(wanted: Kind, declared: Kind) -> Fit {
    let asks = || Why::Kind(format!("asks for the type `{wanted}`"));
    match (wanted, declared) {
        (Kind::Any, _) => Fit::Always(Why::Itself),
        // A whole number is a float too.
        (Kind::Float, Kind::Int) => Fit::Always(asks()),
        (Kind::Int, Kind::Float) => Fit::Decides,
        _ if wanted == declared => Fit::Always(asks()),
        _ => Fit::Never(asks()),
    }
}

/// A kind with its article.
pub(crate) fn kind_with_article(kind: Kind) -> String {
    match kind {
        Kind::Int => "an int".into(),
        Kind::Bytes => "bytes".into(),
        Kind::Any => "anything".into(),
        other => format!("a {other}"),
    }
}
