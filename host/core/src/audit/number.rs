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

    /// The value that holds it.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Whole(number) => u64::try_from(number).map_or_else(
                // A number below zero came from an `i64`.
                |_| Value::Int(i64::try_from(number).unwrap_or(i64::MIN)),
                Value::unsigned,
            ),
            Self::Float(number) => Value::float(number),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole() -> impl Strategy<Value = i128> {
        prop_oneof![
            any::<i64>().prop_map(i128::from),
            any::<u64>().prop_map(i128::from),
            // Where f64 has no room for every whole number.
            (50u32..64, -3i128..4).prop_map(|(bits, near)| (1i128 << bits) + near),
            -5i128..5,
        ]
    }

    /// An independent oracle: both numbers as a sign and an exact multiple of 2^-1074.
    fn exact(float: f64) -> Option<(i128, i32)> {
        let bits = float.to_bits();
        let exponent = i32::try_from((bits >> 52) & 0x7ff).expect("11 bits");
        let fraction = i128::from(bits & ((1 << 52) - 1));
        let mantissa = if exponent == 0 {
            fraction
        } else {
            fraction | (1 << 52)
        };
        let signed = if float.is_sign_negative() {
            -mantissa
        } else {
            mantissa
        };
        (exponent != 0x7ff).then_some((signed, exponent.max(1) - 1075))
    }

    fn oracle(whole: i128, float: f64) -> Ordering {
        match exact(float) {
            None if float > 0.0 => Ordering::Less,
            None => Ordering::Greater,
            Some((0, _)) => whole.cmp(&0),
            // Larger than any whole number here.
            Some((mantissa, exponent)) if exponent > 60 => 0.cmp(&mantissa),
            Some((mantissa, exponent)) if exponent >= 0 => whole.cmp(&(mantissa << exponent)),
            // whole ? mantissa / 2^n: compare with the floor, then look at what is left.
            Some((mantissa, exponent)) => {
                let shift = exponent.unsigned_abs().min(120);
                let floor = mantissa >> shift;
                let rest = mantissa - (floor << shift);
                whole.cmp(&floor).then(0.cmp(&rest))
            }
        }
    }

    proptest! {
        #[test]
        fn whole_and_float_compare_exactly(whole in whole(), float in any::<f64>(), near in -2i64..3) {
            let close = f64::from_bits((whole as f64).to_bits().wrapping_add_signed(near));
            for float in [float, close, close + 0.5, whole as f64] {
                if float.is_nan() {
                    continue;
                }
                let (a, b) = (Number::Whole(whole), Number::Float(float));
                prop_assert_eq!(a.partial_cmp(&b), Some(oracle(whole, float)), "{} {}", whole, float);
                prop_assert_eq!(b.partial_cmp(&a), Some(oracle(whole, float).reverse()));
            }
        }

        #[test]
        fn nan_compares_with_nothing(whole in whole()) {
            let nan = Number::Float(f64::NAN);
            prop_assert_eq!(nan.partial_cmp(&Number::Whole(whole)), None);
            prop_assert_eq!(Number::Whole(whole).partial_cmp(&nan), None);
            prop_assert_eq!(nan.partial_cmp(&nan), None);
        }
    }
}
