//! What an expression works on: views into arguments and context, and the few values that it makes itself.

use super::fault::Fault;
use crate::value::{self, List, Value};
use crate::zone::Hidden;
use smol_str::SmolStr;
use std::rc::Rc;

/// A value in an expression. A copy costs no more than counting it.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(Text<'a>),
    Bytes(Blob<'a>),
    List(Items<'a>),
    Map(Entries<'a>),
}

/// A text that is there, or was made.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    View(&'a str),
    Made(SmolStr),
}

/// Bytes that are there, or were made.
#[derive(Clone, Debug)]
pub(super) enum Blob<'a> {
    View(&'a [u8]),
    Made(Rc<[u8]>),
}

/// A list that is there, or was made.
#[derive(Clone, Debug)]
pub(super) enum Items<'a> {
    View(&'a List, Hidden),
    Made(Rc<Vec<Val<'a>>>),
}

/// A map that is there, or was made. A made one is as long as its text, so it is searched from the front.
#[derive(Clone, Debug)]
pub(super) enum Entries<'a> {
    View(&'a value::Map, Hidden),
    Made(Rc<Vec<[Val<'a>; 2]>>),
}

impl<'a> Val<'a> {
    /// A view of a value; what `hidden` hides in it is not there.
    pub(super) fn view(value: &'a Value, hidden: Hidden) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(it) => Self::Bool(*it),
            Value::Int(number) => Self::Int(*number),
            Value::UInt(number) => Self::UInt(*number),
            Value::Float(number) => Self::Float(number.value()),
            Value::Str(text) => Self::Str(Text::View(text)),
            Value::Bytes(bytes) => Self::Bytes(Blob::View(bytes)),
            Value::List(list) => Self::List(Items::View(list, hidden)),
            Value::Map(map) => Self::Map(Entries::View(map, hidden)),
        }
    }

    /// A text of the expression's own.
    pub(super) fn text(text: impl Into<SmolStr>) -> Self {
        Self::Str(Text::Made(text.into()))
    }

    /// The kind with its article, as messages print it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::UInt(_) => "an int",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The truth value, for an operator that needs one.
    pub(super) fn truth(&self, operator: &'static str) -> Result<bool, Fault> {
        match self {
            Self::Bool(it) => Ok(*it),
            other => Err(Fault::Operand {
                operator,
                kind: other.kind(),
            }),
        }
    }
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::View(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl Blob<'_> {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::View(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }
}

impl<'a> Items<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::View(list, _) => list.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(super) fn item(&self, index: u64) -> Option<Val<'a>> {
        match self {
            Self::View(list, hidden) => list.get(index).map(|it| Val::view(it, *hidden)),
            Self::Made(items) => items.get(usize::try_from(index).ok()?).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        let (viewed, made) = match self {
            Self::View(list, hidden) => (Some((*list, *hidden)), None),
            Self::Made(items) => (None, Some(items.iter().cloned())),
        };
        let viewed = viewed
            .into_iter()
            .flat_map(|(list, hidden)| list.iter().map(move |it| Val::view(it, hidden)));
        viewed.chain(made.into_iter().flatten())
    }
}

impl<'a> Entries<'a> {
    /// How many entries are visible.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::View(map, hidden) => map.visible_len(*hidden),
            Self::Made(entries) => entries.len(),
        }
    }

    /// How many entries a search or a walk may come across, hidden ones among them.
    pub(super) fn extent(&self) -> usize {
        match self {
            Self::View(map, _) => map.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// The visible value of a text key.
    pub(super) fn by_name(&self, key: &str) -> Option<Val<'a>> {
        match self {
            Self::View(_, hidden) if hidden.hides(key) => None,
            Self::View(map, hidden) => map.get(key).map(|it| Val::view(it, *hidden)),
            Self::Made(entries) => entries.iter().find_map(|[name, value]| match name {
                Val::Str(name) if name.as_str() == key => Some(value.clone()),
                _ => None,
            }),
        }
    }

    /// The visible entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = [Val<'a>; 2]> + '_ {
        let (viewed, made) = match self {
            Self::View(map, hidden) => (Some((*map, *hidden)), None),
            Self::Made(entries) => (None, Some(entries.iter().cloned())),
        };
        let viewed = viewed.into_iter().flat_map(|(map, hidden)| {
            map.iter()
                .filter(move |(key, _)| !hidden.hides(key))
                .map(move |(key, value)| [Val::Str(Text::View(key)), Val::view(value, hidden)])
        });
        viewed.chain(made.into_iter().flatten())
    }
}
