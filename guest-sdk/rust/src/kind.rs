//! The kinds of values that a contract knows, as a MessagePack value's first byte tells them.

/// A kind of argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nil; no parameter is of this kind, an optional one may be given it.
    Nil,
    /// `true` or `false`.
    Bool,
    /// An integer of 64 bits.
    Int,
    /// A floating-point number.
    Float,
    /// Text.
    String,
    /// Binary data.
    Bytes,
    /// Values in order.
    List,
    /// Values under string keys.
    Map,
    /// Any of them.
    Any,
}

impl Kind {
    /// The kind of an encoded value, if it has one: extension types do not.
    pub(crate) fn of(encoded: &[u8]) -> Option<Self> {
        Some(match *encoded.first()? {
            0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff => Self::Int,
            0x80..=0x8f | 0xde | 0xdf => Self::Map,
            0x90..=0x9f | 0xdc | 0xdd => Self::List,
            0xa0..=0xbf | 0xd9..=0xdb => Self::String,
            0xc0 => Self::Nil,
            0xc2 | 0xc3 => Self::Bool,
            0xc4..=0xc6 => Self::Bytes,
            0xca | 0xcb => Self::Float,
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return None,
        })
    }

    /// Whether a parameter of this kind takes an argument of that kind.
    pub(crate) fn takes(self, argument: Self) -> bool {
        self == Self::Any || self == argument || (self, argument) == (Self::Float, Self::Int)
    }

    /// The word in the contract.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Any => "any",
        }
    }
}
