//! What is declared of the places in an expression, those among them that only a run finds: elements of lists, keys of an
//! element, what stands behind an index.

use super::ast::{Each, EachKind, Node, Operator};
use crate::audit::condition::kind_phrase;
use crate::audit::field::Field;
use crate::audit::fit::{Known, kind_with_article};
use crate::contract::Kind;
use crate::path::Segment;
use crate::schema::DeclaredPlace;
use crate::value::Value;

/// What is known of a value.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Shape<'a> {
    pub(in crate::audit) kind: Kind,
    /// The place as messages print it: a path, with `[]` for any element.
    pub(in crate::audit) text: String,
    /// The schema's declaration, where it is the schema that says so.
    pub(in crate::audit) declared: Option<DeclaredPlace<'a>>,
}

/// What does not fit, and how to mend it.
pub(in crate::audit) type Misfit = (String, String);

/// Everything in an expression that can give no value; `shape` says what is known of a fixed place.
///
/// Fixed places at which nothing can be are not among it: `shape` knows nothing of them.
pub(super) fn misfits<'a>(node: &Node, shape: &dyn Fn(&Field) -> Option<Shape<'a>>) -> Vec<Misfit> {
    let mut walk = Walk {
        shape,
        misfits: Vec::new(),
    };
    walk.node(node, None);
    walk.misfits
}

struct Walk<'f, 'a> {
    shape: &'f dyn Fn(&Field) -> Option<Shape<'a>>,
    misfits: Vec<Misfit>,
}

impl<'a> Walk<'_, 'a> {
    /// What is known of a node's value; the depth of nodes is bounded since they were made.
    fn node(&mut self, node: &Node, element: Option<&Shape<'a>>) -> Option<Shape<'a>> {
        match node {
            Node::Literal(_) | Node::Args | Node::Has { .. } => None,
            Node::Read(read) => (self.shape)(&read.field),
            Node::Element => element.cloned(),
            Node::Key { of, key } => {
                let of = self.node(of, element)?;
                self.below(&of, key)
            }
            Node::HasKey { of, key } => {
                if let Some(of) = self.node(of, element) {
                    self.below(&of, key);
                }
                None
            }
            Node::Index(pair) => {
                let [of, index] = &**pair;
                self.node(index, element);
                self.node(of, element)?.element()
            }
            Node::Binary(operator, pair) => {
                let [left, right] = &**pair;
                let shapes = [self.node(left, element), self.node(right, element)];
                self.compared(*operator, [left, right], &shapes);
                None
            }
            Node::Each(each) => self.each(each, element),
            Node::List(nodes) | Node::Call(_, nodes) => self.all(nodes, element),
            Node::Map(entries) => self.all(entries.as_flattened(), element),
            Node::And(nodes) | Node::Or(nodes) => self.all(&**nodes, element),
            Node::If(nodes) => self.all(&**nodes, element),
            Node::Not(of) | Node::Negate(of) | Node::Matches(of, _) => {
                self.node(of, element);
                None
            }
        }
    }

    fn all(&mut self, nodes: &[Node], element: Option<&Shape<'a>>) -> Option<Shape<'a>> {
        for node in nodes {
            self.node(node, element);
        }
        None
    }

    fn each(&mut self, each: &Each, element: Option<&Shape<'a>>) -> Option<Shape<'a>> {
        let range = self.node(&each.range, element);
        // Of a map the macros see the keys.
        let inner = range.as_ref().and_then(Shape::element);
        if let EachKind::Map { test: Some(test) } = &each.kind {
            self.node(test, inner.as_ref());
        }
        self.node(&each.body, inner.as_ref());
        range.filter(|_| matches!(each.kind, EachKind::Filter))
    }

    fn below(&mut self, of: &Shape<'a>, key: &str) -> Option<Shape<'a>> {
        let text = format!("{}{}", of.text, Segment::Key(key.into()));
        match of.declared?.key(&of.text, key) {
            Ok(declared) => declared.map(|declared| Shape::of(declared, text)),
            Err(impossible) => {
                self.misfits
                    .push((impossible.to_string(), impossible.help()));
                None
            }
        }
    }

    /// A comparison of two kinds is an error at every call.
    fn compared(&mut self, operator: Operator, nodes: [&Node; 2], shapes: &[Option<Shape<'a>>; 2]) {
        if !operator.compares() {
            return;
        }
        let name = operator.name();
        let told = match (nodes, shapes) {
            ([Node::Literal(value), _], [_, Some(shape)])
            | ([_, Node::Literal(value)], [Some(shape), _]) => {
                // Nil compares with everything.
                let fits = *value == Value::Nil || shape.known().may_equal(value);
                (!fits).then(|| format!("{}, with {}", shape.described(), kind_phrase(value)))
            }
            (_, [Some(left), Some(right)]) => {
                let fits = left.known().may_equal_kind(right.kind);
                (!fits).then(|| format!("{}, with {}", left.described(), right.described()))
            }
            _ => None,
        };
        if let Some(told) = told {
            let help = "compare values of one kind; `int(x)`, `double(x)` and `string(x)` convert";
            let message = format!("`{name}` compares {told}: that can never be decided");
            self.misfits.push((message, help.to_owned()));
        }
    }
}

impl<'a> Shape<'a> {
    pub(in crate::audit) fn of(declared: DeclaredPlace<'a>, text: String) -> Self {
        Self {
            kind: declared.kind(),
            text,
            declared: Some(declared),
        }
    }

    fn element(&self) -> Option<Self> {
        let declared = self.declared?.element()?;
        Some(Self::of(declared, format!("{}[]", self.text)))
    }

    fn known(&self) -> Known {
        Known::of(self.kind)
    }

    fn described(&self) -> String {
        let at = self
            .declared
            .map_or_else(String::new, |it| format!(" ({})", it.declared_at()));
        format!("`{}`, {}{at}", self.text, kind_with_article(self.kind))
    }
}
