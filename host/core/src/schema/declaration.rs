//! Declarations: what a schema says about one place.

use crate::audit::{Known, Number};
use crate::contract::Kind;
use crate::value::Value;
use crate::zone;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What a schema says about one place.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    /// The line of the file that it begins at.
    pub(super) line: u32,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
    /// What a new context has where it says nothing.
    pub(super) default: Option<Value>,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
    pub(super) max_len: Option<u64>,
    /// What every element of a list is.
    pub(super) items: Option<Box<Self>>,
    /// What the keys of a map are.
    pub(super) fields: Option<Fields>,
}

/// Whether a key may be absent from its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Optional,
    Required,
}

/// The keys of a map.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) by_key: BTreeMap<SmolStr, Declaration>,
    pub(super) others: Others,
}

/// What becomes of keys that are not declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Refused,
    Allowed,
}

impl Declaration {
    /// A declaration that says no more than a kind.
    pub(super) fn of(kind: Kind, line: u32) -> Self {
        Self {
            line,
            kind,
            presence: Presence::Optional,
            default: None,
            min: None,
            max: None,
            max_len: None,
            items: None,
            fields: None,
        }
    }

    /// What is declared for a key of this map.
    pub(super) fn field(&self, key: &str) -> Option<&Self> {
        self.fields.as_ref()?.by_key.get(key)
    }

    /// Whether a key that is not declared is refused.
    pub(super) fn is_closed(&self) -> bool {
        self.fields
            .as_ref()
            .is_some_and(|fields| fields.others == Others::Refused)
    }

    /// What it says of a value, as rules need it.
    pub(super) fn known(&self) -> Known {
        // Of a closed map there are never more keys than are declared; those of other zones may be out of a rule's sight.
        let declared_keys = self.fields.as_ref().map(|it| it.by_key.len() as u64);
        let closed = declared_keys.filter(|_| self.is_closed());
        let in_sight = self.required().filter(|(key, _)| !zone::is_reserved(key));
        Known {
            min: self.min,
            max: self.max,
            least_len: in_sight.count() as u64,
            most_len: self.max_len.into_iter().chain(closed).min(),
            ..Known::of(self.kind)
        }
    }

    /// Whether there is a default here or anywhere below.
    pub(super) fn has_defaults(&self) -> bool {
        let below = || self.fields.iter().flat_map(|it| it.by_key.values());
        self.default.is_some()
            || self
                .items
                .as_ref()
                .is_some_and(|items| items.has_defaults())
            || below().any(Self::has_defaults)
    }

    /// How many declarations there are, with those below this one.
    pub(super) fn count(&self) -> usize {
        let fields = self.fields.iter().flat_map(|it| it.by_key.values());
        let below = fields.chain(self.items.as_deref());
        1 + below.map(Self::count).sum::<usize>()
    }

    /// The keys that must be there.
    pub(super) fn required(&self) -> impl Iterator<Item = (&SmolStr, &Self)> {
        let all = self.fields.iter().flat_map(|fields| &fields.by_key);
        all.filter(|(_, field)| field.presence == Presence::Required)
    }
}
