//! Infers declarations from a context: the tightest ones that it fits, without limits and defaults.

use super::declaration::{Declaration, Fields, Others, Presence};
use crate::contract::Kind;
use crate::value::Value;
use crate::zone::{self, Zone};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What was seen at one place, or at the same place of all elements of a list.
#[derive(Default)]
struct Seen {
    values: usize,
    /// The kind of all the values so far; `any` where they differ.
    kind: Option<Kind>,
    maps: usize,
    keys: BTreeMap<SmolStr, Seen>,
    elements: Option<Box<Seen>>,
}

/// Where a value stands, as far as it decides what may be required there.
#[derive(Clone, Copy)]
struct Around {
    zone: Zone,
    in_element: bool,
}

/// The declaration of a layer.
pub(super) fn layer(value: &Value) -> Declaration {
    let mut seen = Seen::default();
    seen.value(value);
    let around = Around {
        zone: Zone::Data,
        in_element: false,
    };
    let mut declared = seen.declaration(around);
    // A layer without keys takes any, until somebody says what it may hold.
    declared.kind = Kind::Map;
    declared
}

impl Seen {
    fn value(&mut self, value: &Value) {
        self.values += 1;
        let kind = kind_of(value);
        self.kind = Some(match self.kind {
            None => kind,
            Some(known) => common(known, kind),
        });
        match value {
            Value::List(list) => {
                for element in list.iter() {
                    self.elements.get_or_insert_default().value(element);
                }
            }
            Value::Map(map) => {
                self.maps += 1;
                for (key, value) in map.iter() {
                    self.keys.entry(key.clone()).or_default().value(value);
                }
            }
            _ => {}
        }
    }

    fn declaration(&self, around: Around) -> Declaration {
        let mut declared = Declaration::of(self.kind.unwrap_or(Kind::Any), 0);
        if declared.kind == Kind::List {
            let around = Around {
                in_element: true,
                ..around
            };
            let items = self.elements.as_ref();
            declared.items = items.map(|items| Box::new(items.declaration(around)));
        }
        if declared.kind == Kind::Map && !self.keys.is_empty() {
            let by_key = self.keys.iter().map(|(key, seen)| {
                let field = self.field(key, seen, around);
                (key.clone(), field)
            });
            declared.fields = Some(Fields {
                by_key: by_key.collect(),
                others: Others::Refused,
            });
        }
        declared
    }

    fn field(&self, key: &str, seen: &Self, around: Around) -> Declaration {
        let own = Zone::of_key(key);
        let zone = match around.zone {
            Zone::Data => own.unwrap_or(Zone::Data),
            above => above,
        };
        let mut field = seen.declaration(Around { zone, ..around });
        let can_be_required = zone.is_readable() && !(around.in_element && zone::is_reserved(key));
        if can_be_required && seen.values == self.maps {
            field.presence = Presence::Required;
        }
        field
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Nil => Kind::Any,
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::UInt(_) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::Str(_) => Kind::String,
        Value::Bytes(_) => Kind::Bytes,
        Value::List(_) => Kind::List,
        Value::Map(_) => Kind::Map,
    }
}

/// A kind that takes the values of both.
fn common(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        (one, other) if one == other => one,
        (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Kind::Float,
        _ => Kind::Any,
    }
}
