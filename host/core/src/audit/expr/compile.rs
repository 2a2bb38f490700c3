//! From text to nodes: everything that can be known before the first call is checked here.

use super::ast::{Node, Operator};
use super::place::chain;
use super::{Compiled, MAX_EXPRESSION_BYTES, MAX_NESTING};
use crate::audit::field::Field;
use crate::audit::verdict::Gate;
use crate::path::{self, Path};
use crate::value::Value;
use cel::common::ast::{
    CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, operators as cel_operators,
};
use cel::parser::Parser;
use smol_str::SmolStr;

/// Why a text is no expression, and how to mend it.
#[derive(Debug)]
pub(in crate::audit) struct Problem {
    pub(in crate::audit) message: String,
    pub(in crate::audit) help: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

pub(super) type Made = Result<Node, Problem>;

/// Compiles an expression for a gate.
pub(super) fn compile(text: &str, gate: Gate) -> Result<Compiled, Problem> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(Problem::new(format!(
            "it has {} bytes, at most {MAX_EXPRESSION_BYTES} are allowed",
            text.len()
        ))
        .help("write several entries: each has a counter and a message of its own"));
    }
    let parsed = Parser::new()
        .max_recursion_depth(MAX_NESTING)
        .error_recovery_limit(1)
        .parse(text)
        .map_err(|errors| syntax(&errors))?;
    let mut compiler = Compiler {
        gate,
        element: None,
        paths: Vec::new(),
        arguments: Vec::new(),
        places: Vec::new(),
        reads_any_argument: false,
        reads_result: false,
        reads_zones: false,
    };
    let node = compiler.node(&parsed, 0)?;
    if !node.may_decide() {
        return Err(Problem::new("it gives neither true nor false")
            .help("compare it with something, such as `size(args.items) < 10`"));
    }
    if !compiler.reads_anything() {
        return Err(
            Problem::new("it reads nothing, so it would always decide the same")
                .help("name an argument (`args.price`) or a place (`domain.total_value`)"),
        );
    }
    compiler.paths.sort();
    compiler.paths.dedup();
    compiler.arguments.sort();
    compiler.arguments.dedup();
    Ok(Compiled {
        text: text.to_owned(),
        node,
        paths: compiler.paths,
        arguments: compiler.arguments,
        places: compiler.places,
        reads_any_argument: compiler.reads_any_argument,
    })
}

/// The first thing that the parser found.
fn syntax(errors: &cel::ParseErrors) -> Problem {
    let Some(first) = errors.errors.first() else {
        return Problem::new("it is no CEL");
    };
    if first.msg.contains("Recursion limit") {
        return Problem::new(format!("it nests deeper than {MAX_NESTING} levels"))
            .help("write several entries");
    }
    let line = first.msg.lines().next().unwrap_or_default();
    let line = line.strip_prefix("Syntax error: ").unwrap_or(line);
    // The list of everything that could stand there instead helps nobody.
    let line = line.split(" expecting {").next().unwrap_or(line);
    let (row, column) = first.pos;
    Problem::new(format!(
        "it is no CEL: {} at {row}:{column} of the expression",
        path::cut(line)
    ))
}

/// What is known while the nodes are made.
pub(super) struct Compiler {
    pub(super) gate: Gate,
    /// The name of the element, inside the body of a macro.
    pub(super) element: Option<String>,
    pub(super) paths: Vec<Path>,
    pub(super) arguments: Vec<SmolStr>,
    pub(super) places: Vec<Field>,
    pub(super) reads_any_argument: bool,
    pub(super) reads_result: bool,
    // Signal or meta keys, of which nothing is locked.
    pub(super) reads_zones: bool,
}

impl Compiler {
    fn reads_anything(&self) -> bool {
        self.reads_any_argument
            || self.reads_result
            || self.reads_zones
            || !self.paths.is_empty()
            || !self.arguments.is_empty()
    }

    pub(super) fn node(&mut self, expr: &IdedExpr, depth: u16) -> Made {
        if depth > MAX_NESTING * 2 {
            return Err(Problem::new("it is too long a chain of operators")
                .help("write several entries, or use parentheses to group it"));
        }
        if let Some((root, steps)) = chain(expr)
            && self.element.as_deref() != Some(root)
        {
            return self.place(root, steps);
        }
        let below = depth + 1;
        match &expr.expr {
            Expr::Literal(literal) => Ok(Node::Literal(value(literal))),
            // Every other name is a place.
            Expr::Ident(_) => Ok(Node::Element),
            Expr::Select(select) if select.test => self.has(select, below),
            Expr::Select(select) => Ok(Node::Key {
                of: Box::new(self.node(&select.operand, below)?),
                key: select.field.as_str().into(),
            }),
            Expr::Call(call) => self.call(call, below),
            Expr::List(list) => {
                let nodes: Result<_, _> = list
                    .elements
                    .iter()
                    .map(|it| self.node(it, below))
                    .collect();
                nodes.map(Node::List)
            }
            Expr::Map(map) => self.map(map, below),
            Expr::Comprehension(comprehension) => self.each(comprehension, below),
            Expr::Struct(message) => Err(Problem::new(format!(
                "there are no messages, and so no `{}`",
                path::cut(&message.type_name)
            ))),
            Expr::Unspecified => Err(Problem::new("a part of it is empty")),
        }
    }

    fn pair(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        depth: u16,
    ) -> Result<Box<[Node; 2]>, Problem> {
        Ok(Box::new([
            self.node(left, depth)?,
            self.node(right, depth)?,
        ]))
    }

    fn map(&mut self, map: &MapExpr, depth: u16) -> Made {
        let entry = |entry: &EntryExpr| match entry {
            EntryExpr::MapEntry(entry) => Ok([
                self.node(&entry.key, depth)?,
                self.node(&entry.value, depth)?,
            ]),
            EntryExpr::StructField(field) => Err(Problem::new(format!(
                "the key `{}` needs quotes",
                path::cut(&field.field)
            ))),
        };
        let entries: Result<_, _> = map.entries.iter().map(|it| &it.expr).map(entry).collect();
        entries.map(Node::Map)
    }

    fn call(&mut self, call: &CallExpr, depth: u16) -> Made {
        let name = call.func_name.as_str();
        match (&call.target, call.args.as_slice()) {
            (None, [of]) if name == cel_operators::LOGICAL_NOT => {
                Ok(Node::Not(Box::new(self.node(of, depth)?)))
            }
            (None, [of]) if name == cel_operators::NEGATE => {
                Ok(Node::Negate(Box::new(self.node(of, depth)?)))
            }
            (None, [condition, then, otherwise]) if name == cel_operators::CONDITIONAL => {
                Ok(Node::If(Box::new([
                    self.node(condition, depth)?,
                    self.node(then, depth)?,
                    self.node(otherwise, depth)?,
                ])))
            }
            (None, [left, right]) if name == cel_operators::LOGICAL_AND => {
                self.pair(left, right, depth).map(Node::And)
            }
            (None, [left, right]) if name == cel_operators::LOGICAL_OR => {
                self.pair(left, right, depth).map(Node::Or)
            }
            (None, [of, index]) if name == cel_operators::INDEX => self.index(of, index, depth),
            (None, [left, right]) if let Some(operator) = operator(name) => self
                .pair(left, right, depth)
                .map(|pair| Node::Binary(operator, pair)),
            (target, args) => self.function(name, target.as_deref(), args, depth),
        }
    }

    /// A place that depends on a value is not known: what is fixed above it is read, and locked, as a whole.
    fn index(&mut self, of: &IdedExpr, index: &IdedExpr, depth: u16) -> Made {
        if matches!(&of.expr, Expr::Ident(root) if root == "old") {
            return Err(self.no_layer_of_old());
        }
        self.pair(of, index, depth).map(Node::Index)
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        cel_operators::ADD => Operator::Add,
        cel_operators::SUBSTRACT => Operator::Subtract,
        cel_operators::MULTIPLY => Operator::Multiply,
        cel_operators::DIVIDE => Operator::Divide,
        cel_operators::MODULO => Operator::Remainder,
        cel_operators::EQUALS => Operator::Equal,
        cel_operators::NOT_EQUALS => Operator::Different,
        cel_operators::LESS => Operator::Less,
        cel_operators::LESS_EQUALS => Operator::LessOrEqual,
        cel_operators::GREATER => Operator::Greater,
        cel_operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        cel_operators::IN => Operator::In,
        _ => return None,
    })
}

fn value(literal: &LiteralValue) -> Value {
    match literal {
        LiteralValue::Boolean(it) => Value::Bool(*it.inner()),
        LiteralValue::Bytes(bytes) => Value::Bytes(bytes.inner().into()),
        LiteralValue::Double(number) => Value::float(*number.inner()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        LiteralValue::Null => Value::Nil,
        LiteralValue::String(text) => Value::from(text.inner()),
        // Kept apart from `Int`, however small: `5u - 6u` overflows, as in CEL.
        LiteralValue::UInt(number) => Value::UInt(*number.inner()),
    }
}
