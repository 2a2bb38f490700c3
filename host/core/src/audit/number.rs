//! Numbers of any kind, compared exactly: 2^53 + 1 as an integer is more than 2^53 as a float.

use crate::value::Value;
use std::cmp::Ordering;
use std::fmt;

/// A number of a value or a limit.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number of 64 bits, signed or not.
    Whole(i128),
    /// A floating-point number.
    Float(f64),
}

impl Number {
    /// The number, where the value is one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Whole((*number).into())),
            Value::UInt(number) => Some(Self::Whole((*number).into())),
            Value::Float(number) => Some(Self::Float(number.value())),
            _ => None,
        }
    }

    /// Whether it is NaN, which no comparison lets pass.
    #[must_use]
    pub fn is_nan(self) -> bool {
        matches!(self, Self::Float(number) if number.is_nan())
    }
}

/// By value; none where a NaN takes part.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Float(b)) => whole_with_float(a, b),
            (Self::Float(a), Self::Whole(b)) => whole_with_float(b, a).map(Ordering::reverse),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            // Debug keeps `1.0` a float and large numbers short.
            Self::Float(number) => write!(f, "{number:?}"),
        }
    }
}

/// Compares without rounding: the whole parts as integers, then what is behind the point.
fn whole_with_float(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Saturates, also at the infinities; every whole number here has at most 65 bits.
    let truncated = float.trunc() as i128;
    let behind = float - float.trunc();
    Some(whole.cmp(&truncated).then_with(|| {
        if behind > 0.0 {
            Ordering::Less
        } else if behind < 0.0 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }))
}
