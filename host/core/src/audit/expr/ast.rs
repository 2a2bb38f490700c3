//! What an expression is made into: nodes that are known to make sense.

use crate::audit::field::Field;
use crate::audit::text_pattern::TextPattern;
use crate::value::Value;
use smol_str::SmolStr;

/// One node of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// A value of the text.
    Literal(Value),
    /// All arguments, as a map.
    Args,
    /// A place that is the same on every call.
    Read(Box<Read>),
    /// `has` of such a place; the place above it must be there.
    Has {
        above: Option<Box<Read>>,
        read: Box<Read>,
    },
    /// `has` of a key of what a node gives.
    HasKey {
        of: Box<Node>,
        key: SmolStr,
    },
    /// The element that a macro is at.
    Element,
    /// `of.key`
    Key {
        of: Box<Node>,
        key: SmolStr,
    },
    /// `pair[0][pair[1]]`
    Index(Box<[Node; 2]>),
    List(Vec<Node>),
    Map(Vec<[Node; 2]>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    /// Condition, then, otherwise.
    If(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
    Matches(Box<Node>, TextPattern),
    Each(Box<Each>),
}

/// A place, and when it is looked at.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) when: When,
    pub(super) field: Field,
    /// The place as the expression spells it.
    pub(super) text: SmolStr,
}

/// Which version of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// What the gate shows.
    Now,
    /// What the transaction was opened on.
    Old,
}

/// A macro: a body for every element of a range.
#[derive(Debug)]
pub(super) struct Each {
    pub(super) kind: EachKind,
    pub(super) range: Node,
    pub(super) body: Node,
}

/// What a macro makes of its body's values.
#[derive(Debug)]
pub(super) enum EachKind {
    All,
    Exists,
    ExistsOne,
    /// The elements for which the body holds.
    Filter,
    /// The body's value for every element, or for those that the test lets through.
    Map {
        test: Option<Node>,
    },
}

/// An operator of two operands that both are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// A function that expressions may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Int,
    Double,
    String,
}

impl Operator {
    /// The operator, as expressions spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::Different => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }

    /// Whether it takes two values of one kind.
    pub(super) fn compares(self) -> bool {
        self.decides() && self != Self::In
    }

    /// Whether it gives true or false.
    pub(super) fn decides(self) -> bool {
        !matches!(
            self,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder
        )
    }
}

impl Function {
    pub(super) const ALL: [Self; 7] = [
        Self::Size,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Int,
        Self::Double,
        Self::String,
    ];

    /// The function's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Int => "int",
            Self::Double => "double",
            Self::String => "string",
        }
    }

    /// How it is called.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Self::Size => "size(x) or x.size()",
            Self::Contains => "text.contains(part)",
            Self::StartsWith => "text.startsWith(part)",
            Self::EndsWith => "text.endsWith(part)",
            Self::Int => "int(x)",
            Self::Double => "double(x)",
            Self::String => "string(x)",
        }
    }

    /// Whether a call with this form makes sense: on a value or not, and with how many arguments beside it.
    pub(super) fn takes(self, on_value: bool, arguments: usize) -> bool {
        match self {
            Self::Size => usize::from(on_value) + arguments == 1,
            Self::Contains | Self::StartsWith | Self::EndsWith => on_value && arguments == 1,
            Self::Int | Self::Double | Self::String => !on_value && arguments == 1,
        }
    }

    /// Whether it gives true or false.
    pub(super) fn decides(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }
}

impl Node {
    /// Whether the node can give true or false; false is certain, true is not.
    pub(super) fn may_decide(&self) -> bool {
        match self {
            Self::Literal(value) => matches!(value, Value::Bool(_)),
            Self::Args | Self::List(_) | Self::Map(_) | Self::Negate(_) => false,
            Self::Read(_)
            | Self::Element
            | Self::Key { .. }
            | Self::Index(_)
            | Self::Has { .. }
            | Self::HasKey { .. }
            | Self::Matches(..)
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_) => true,
            Self::If(parts) => parts[1].may_decide() && parts[2].may_decide(),
            Self::Binary(operator, _) => operator.decides(),
            Self::Call(function, _) => function.decides(),
            Self::Each(each) => !matches!(each.kind, EachKind::Filter | EachKind::Map { .. }),
        }
    }
}
