//! Operators: exact numbers, comparisons that never guess.

use super::ast::Operator;
use super::evaluate::{Work, operand};
use super::fault::Fault;
use super::value::{Blob, Entries, Items, Text, Val};
use crate::audit::number::Number;
use smol_str::SmolStr;
use std::cmp::Ordering;
use std::rc::Rc;

/// Applies an operator to two operands.
pub(super) fn binary<'a>(
    operator: Operator,
    left: &Val<'a>,
    right: &Val<'a>,
    work: &mut Work,
) -> Result<Val<'a>, Fault> {
    match operator {
        Operator::Add => add(left, right, work),
        Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
            arithmetic(operator, left, right)
        }
        Operator::Equal => equal(operator, left, right, work).map(Val::Bool),
        Operator::Different => equal(operator, left, right, work).map(|it| Val::Bool(!it)),
        Operator::Less => compare(operator, left, right, work, Ordering::is_lt),
        Operator::LessOrEqual => compare(operator, left, right, work, Ordering::is_le),
        Operator::Greater => compare(operator, left, right, work, Ordering::is_gt),
        Operator::GreaterOrEqual => compare(operator, left, right, work, Ordering::is_ge),
        Operator::In => contains(left, right, work).map(Val::Bool),
    }
}

/// `-of`
pub(super) fn negate<'a>(of: &Val<'a>) -> Result<Val<'a>, Fault> {
    match of {
        Val::Float(number) => Ok(Val::Float(-number)),
        Val::Int(number) => number
            .checked_neg()
            .map(Val::Int)
            .ok_or(Fault::Overflow("-")),
        Val::UInt(number) => whole(-i128::from(*number), "-"),
        other => Err(operand("-", other)),
    }
}

/// `of[index]`
pub(super) fn index<'a>(of: &Val<'a>, index: &Val<'a>, work: &mut Work) -> Result<Val<'a>, Fault> {
    match (of, index) {
        (Val::List(items), Val::Int(_) | Val::UInt(_)) => {
            let at = match index {
                Val::Int(at) => u64::try_from(*at).ok(),
                Val::UInt(at) => Some(*at),
                _ => None,
            };
            at.and_then(|at| items.item(at)).ok_or(Fault::NoSuchElement)
        }
        (Val::Map(entries), Val::Str(key)) => {
            entries.by_name(key.as_str()).ok_or(Fault::NoSuchElement)
        }
        (Val::Map(Entries::Made(entries)), Val::Int(_) | Val::UInt(_) | Val::Bool(_)) => {
            for [key, value] in entries.iter() {
                if is_same(key, index, work)? {
                    return Ok(value.clone());
                }
            }
            Err(Fault::NoSuchElement)
        }
        _ => Err(operands("[ ]", of, index)),
    }
}

/// Whether two values are the same; values of different kinds are not.
pub(super) fn is_same(left: &Val<'_>, right: &Val<'_>, work: &mut Work) -> Result<bool, Fault> {
    work.take(1)?;
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return match left.partial_cmp(&right) {
            Some(ordering) => Ok(ordering.is_eq()),
            None => Err(Fault::NotANumber),
        };
    }
    match (left, right) {
        (Val::Nil, Val::Nil) => Ok(true),
        (Val::Bool(left), Val::Bool(right)) => Ok(left == right),
        (Val::Str(left), Val::Str(right)) => {
            work.take_text(left.as_str().len().min(right.as_str().len()))?;
            Ok(left.as_str() == right.as_str())
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            work.take_text(left.as_slice().len().min(right.as_slice().len()))?;
            Ok(left.as_slice() == right.as_slice())
        }
        (Val::List(left), Val::List(right)) => same_lists(left, right, work),
        (Val::Map(left), Val::Map(right)) => same_maps(left, right, work),
        _ => Ok(false),
    }
}

fn same_lists(left: &Items<'_>, right: &Items<'_>, work: &mut Work) -> Result<bool, Fault> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        if !is_same(&left, &right, work)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps(left: &Entries<'_>, right: &Entries<'_>, work: &mut Work) -> Result<bool, Fault> {
    // Hidden entries are walked over as well.
    work.take(left.extent().abs_diff(left.len()) + right.extent().abs_diff(right.len()))?;
    if left.len() != right.len() {
        return Ok(false);
    }
    for [key, value] in left.iter() {
        let other = match &key {
            Val::Str(name) => right.by_name(name.as_str()),
            key => keyed(right, key, work)?,
        };
        let Some(other) = other else {
            return Ok(false);
        };
        if !is_same(&value, &other, work)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value of a key that is no text, which only a made map can have.
fn keyed<'a>(
    entries: &Entries<'a>,
    key: &Val<'a>,
    work: &mut Work,
) -> Result<Option<Val<'a>>, Fault> {
    let Entries::Made(entries) = entries else {
        return Ok(None);
    };
    for [known, value] in entries.iter() {
        if is_same(known, key, work)? {
            return Ok(Some(value.clone()));
        }
    }
    Ok(None)
}

fn equal(
    operator: Operator,
    left: &Val<'_>,
    right: &Val<'_>,
    work: &mut Work,
) -> Result<bool, Fault> {
    if !is_comparable(left, right) {
        return Err(operands(operator.name(), left, right));
    }
    is_same(left, right, work)
}

/// Numbers with numbers, values of one kind with one another, and everything with null.
fn is_comparable(left: &Val<'_>, right: &Val<'_>) -> bool {
    matches!(left, Val::Nil)
        || matches!(right, Val::Nil)
        || (number(left).is_some() && number(right).is_some())
        || left.kind() == right.kind()
}

/// `needle in haystack`: an element of a list, or a key of a map.
fn contains(needle: &Val<'_>, haystack: &Val<'_>, work: &mut Work) -> Result<bool, Fault> {
    match haystack {
        Val::List(items) => {
            let mut askable = items.len() == 0;
            for item in items.iter() {
                if is_same(needle, &item, work)? {
                    return Ok(true);
                }
                askable |= is_comparable(needle, &item);
            }
            // As in the condition `in`: a list that holds nothing of the kind says nothing about it.
            if askable {
                Ok(false)
            } else {
                Err(operands("in", needle, haystack))
            }
        }
        Val::Map(entries) => match needle {
            Val::Str(key) => Ok(entries.by_name(key.as_str()).is_some()),
            Val::Int(_) | Val::UInt(_) | Val::Bool(_) => {
                Ok(keyed(entries, needle, work)?.is_some())
            }
            other => Err(operands("in", other, haystack)),
        },
        other => Err(operands("in", needle, other)),
    }
}

fn compare<'a>(
    operator: Operator,
    left: &Val<'a>,
    right: &Val<'a>,
    work: &mut Work,
    holds: fn(Ordering) -> bool,
) -> Result<Val<'a>, Fault> {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        let ordering = left.partial_cmp(&right).ok_or(Fault::NotANumber)?;
        return Ok(Val::Bool(holds(ordering)));
    }
    let ordering = match (left, right) {
        (Val::Str(left), Val::Str(right)) => {
            work.take_text(left.as_str().len().min(right.as_str().len()))?;
            left.as_str().cmp(right.as_str())
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            work.take_text(left.as_slice().len().min(right.as_slice().len()))?;
            left.as_slice().cmp(right.as_slice())
        }
        (Val::Bool(left), Val::Bool(right)) => left.cmp(right),
        _ => return Err(operands(operator.name(), left, right)),
    };
    Ok(Val::Bool(holds(ordering)))
}

fn add<'a>(left: &Val<'a>, right: &Val<'a>, work: &mut Work) -> Result<Val<'a>, Fault> {
    match (left, right) {
        (Val::Str(left), Val::Str(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            work.take_text(left.len() + right.len())?;
            let mut text = String::with_capacity(left.len() + right.len());
            text.push_str(left);
            text.push_str(right);
            Ok(Val::Str(Text::Made(SmolStr::from(text))))
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            let (left, right) = (left.as_slice(), right.as_slice());
            work.take_text(left.len() + right.len())?;
            Ok(Val::Bytes(Blob::Made([left, right].concat().into())))
        }
        (Val::List(left), Val::List(right)) => {
            work.take(left.len() + right.len())?;
            let items = left.iter().chain(right.iter()).collect();
            Ok(Val::List(Items::Made(Rc::new(items))))
        }
        _ => arithmetic(Operator::Add, left, right),
    }
}

fn arithmetic<'a>(operator: Operator, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>, Fault> {
    let name = operator.name();
    match (left, right) {
        (Val::Float(left), Val::Float(right)) => float(operator, *left, *right)
            .map(Val::Float)
            .ok_or_else(|| operand(name, &Val::Float(*left))),
        (Val::Int(_) | Val::UInt(_), Val::Int(_) | Val::UInt(_)) => {
            let (a, b) = (exact(left), exact(right));
            if b == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
                return Err(Fault::DivisionByZero(name));
            }
            // Factors have at most 64 bits, so their product has at most 128.
            let result = match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            let result = result.ok_or(Fault::Overflow(name))?;
            match (left, right) {
                (Val::Int(_), Val::Int(_)) => i64::try_from(result)
                    .map(Val::Int)
                    .map_err(|_| Fault::Overflow(name)),
                (Val::UInt(_), Val::UInt(_)) => u64::try_from(result)
                    .map(Val::UInt)
                    .map_err(|_| Fault::Overflow(name)),
                _ => whole(result, name),
            }
        }
        _ => Err(operands(name, left, right)),
    }
}

/// None where floats do not have the operator.
fn float(operator: Operator, left: f64, right: f64) -> Option<f64> {
    match operator {
        Operator::Add => Some(left + right),
        Operator::Subtract => Some(left - right),
        Operator::Multiply => Some(left * right),
        Operator::Divide => Some(left / right),
        _ => None,
    }
}

fn exact(value: &Val<'_>) -> i128 {
    match value {
        Val::Int(number) => i128::from(*number),
        Val::UInt(number) => i128::from(*number),
        _ => 0,
    }
}

/// A whole number of 64 bits, signed where it fits.
pub(super) fn whole<'a>(number: i128, operator: &'static str) -> Result<Val<'a>, Fault> {
    if let Ok(number) = i64::try_from(number) {
        return Ok(Val::Int(number));
    }
    u64::try_from(number)
        .map(Val::UInt)
        .map_err(|_| Fault::Overflow(operator))
}

fn number(value: &Val<'_>) -> Option<Number> {
    match value {
        Val::Int(number) => Some(Number::Whole(i128::from(*number))),
        Val::UInt(number) => Some(Number::Whole(i128::from(*number))),
        Val::Float(number) => Some(Number::Float(*number)),
        _ => None,
    }
}

fn operands(operator: &'static str, left: &Val<'_>, right: &Val<'_>) -> Fault {
    Fault::Operands {
        operator,
        left: left.kind(),
        right: right.kind(),
    }
}
