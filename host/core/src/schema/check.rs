//! Checks values against declarations: whole ones, and what a transaction touched of them.

use super::breach::{BreachProblem, Findings, Place};
use super::declaration::{Declaration, Presence};
use super::touched::{Extent, Touched};
use crate::audit::Number;
use crate::path::Segment;
use crate::value::{List, Map, Value};
use std::cmp::Ordering;

/// Checks a value with everything in it.
pub(super) fn whole(
    declared: &Declaration,
    value: &Value,
    place: Place<'_>,
    findings: &mut Findings<'_>,
) {
    if findings.are_enough() {
        return;
    }
    if !declared.kind.accepts(value) {
        findings.add(place, declared, BreachProblem::wrong_kind(declared, value));
        return;
    }
    number(declared, value, place, findings);
    len(declared, value, place, findings);
    match value {
        Value::List(list) => elements(declared, list, place, findings),
        Value::Map(map) => keys(declared, map, place, findings),
        _ => {}
    }
}

/// Checks what a transaction touched in a value that was as declared before it.
///
/// A constraint on the value itself can only break through what is checked here: its kind stays, its length is looked at
/// where something was added, and a required key where it was removed.
pub(super) fn changed(
    declared: &Declaration,
    value: &Value,
    touched: &Touched,
    place: Place<'_>,
    findings: &mut Findings<'_>,
) {
    if touched.extent == Extent::Whole {
        whole(declared, value, place, findings);
        return;
    }
    if touched.may_have_grown {
        len(declared, value, place, findings);
    }
    for (step, part) in &touched.parts {
        match (value, step) {
            (Value::Map(map), Segment::Key(key)) => {
                let place = Place::Key(&place, key);
                match (map.get(key), declared.field(key)) {
                    (Some(value), Some(field)) => changed(field, value, part, place, findings),
                    (Some(_), None) if declared.is_closed() => {
                        findings.add(place, declared, BreachProblem::undeclared(declared, key));
                    }
                    (None, Some(field)) if field.presence == Presence::Required => {
                        findings.add(place, field, BreachProblem::Missing);
                    }
                    _ => {}
                }
            }
            (Value::List(list), Segment::Index(index)) => {
                if let (Some(items), Some(value)) = (&declared.items, list.get(*index)) {
                    changed(items, value, part, Place::Index(&place, *index), findings);
                }
            }
            _ => {}
        }
    }
}

fn number(declared: &Declaration, value: &Value, place: Place<'_>, findings: &mut Findings<'_>) {
    let Some(found) = Number::of(value) else {
        return;
    };
    let (min, max) = (declared.min, declared.max);
    if found.is_nan() && (min.is_some() || max.is_some()) {
        findings.add(place, declared, BreachProblem::NotANumber);
        return;
    }
    if let Some(min) = min.filter(|min| found.partial_cmp(min) == Some(Ordering::Less)) {
        findings.add(place, declared, BreachProblem::BelowMin { min, found });
    }
    if let Some(max) = max.filter(|max| found.partial_cmp(max) == Some(Ordering::Greater)) {
        findings.add(place, declared, BreachProblem::AboveMax { max, found });
    }
}

fn len(declared: &Declaration, value: &Value, place: Place<'_>, findings: &mut Findings<'_>) {
    let Some(max_len) = declared.max_len else {
        return;
    };
    let (found, unit) = match value {
        Value::List(list) => (list.len(), "elements"),
        Value::Map(map) => (map.len(), "keys"),
        Value::Str(text) => (text.len(), "bytes"),
        Value::Bytes(bytes) => (bytes.len(), "bytes"),
        _ => return,
    };
    let found = found as u64;
    if found > max_len {
        let problem = BreachProblem::TooLong {
            max_len,
            found,
            unit,
        };
        findings.add(place, declared, problem);
    }
}

fn elements(declared: &Declaration, list: &List, place: Place<'_>, findings: &mut Findings<'_>) {
    let Some(items) = &declared.items else {
        return;
    };
    for (index, element) in (0..).zip(list.iter()) {
        if findings.are_enough() {
            return;
        }
        whole(items, element, Place::Index(&place, index), findings);
    }
}

fn keys(declared: &Declaration, map: &Map, place: Place<'_>, findings: &mut Findings<'_>) {
    if declared.fields.is_none() {
        return;
    }
    for (key, value) in map.iter() {
        let place = Place::Key(&place, key);
        match declared.field(key) {
            Some(field) => whole(field, value, place, findings),
            None if declared.is_closed() => {
                findings.add(place, declared, BreachProblem::undeclared(declared, key));
            }
            None => {}
        }
        if findings.are_enough() {
            return;
        }
    }
    for (key, field) in declared.required() {
        if map.get(key).is_none() {
            findings.add(Place::Key(&place, key), field, BreachProblem::Missing);
        }
    }
}
