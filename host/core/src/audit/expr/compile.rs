//! From text to nodes: everything that can be known before the first call is checked here.

use super::ast::{Each, EachKind, Function, Node, Operator, Read, When};
use super::{Compiled, MAX_EXPRESSION_BYTES, MAX_NESTING};
use crate::audit::error::{nearest, quoted};
use crate::audit::field::Field;
use crate::audit::text_pattern::TextPattern;
use crate::audit::verdict::Gate;
use crate::path::{self, Layer, Path, Segment};
use crate::value::Value;
use crate::zone::Zone;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, SelectExpr,
    operators as cel_operators,
};
use cel::parser::Parser;
use smol_str::SmolStr;

/// The most steps of a place.
const MAX_STEPS: usize = 16;

const ROOTS: [&str; 5] = ["args", "domain", "global", "result", "old"];

const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

/// Why a text is no expression, and how to mend it.
#[derive(Debug)]
pub(in crate::audit) struct Problem {
    pub(in crate::audit) message: String,
    pub(in crate::audit) help: Option<String>,
}

impl Problem {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

type Made = Result<Node, Problem>;

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

struct Compiler {
    gate: Gate,
    /// The name of the element, inside the body of a macro.
    element: Option<String>,
    paths: Vec<Path>,
    arguments: Vec<SmolStr>,
    reads_any_argument: bool,
    reads_result: bool,
    // Signal or meta keys, of which nothing is locked.
    reads_zones: bool,
}

impl Compiler {
    fn reads_anything(&self) -> bool {
        self.reads_any_argument
            || self.reads_result
            || self.reads_zones
            || !self.paths.is_empty()
            || !self.arguments.is_empty()
    }

    fn node(&mut self, expr: &IdedExpr, depth: u16) -> Made {
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

    /// A name that is no element, and the fixed steps behind it.
    fn place(&mut self, root: &str, steps: Vec<Segment>) -> Made {
        if root == "args" && steps.is_empty() {
            self.reads_any_argument = true;
            return Ok(Node::Args);
        }
        self.read(root, steps)
            .map(|read| Node::Read(Box::new(read)))
    }

    fn read(&mut self, root: &str, steps: Vec<Segment>) -> Result<Read, Problem> {
        let read = self.parse_read(root, steps)?;
        match &read.field {
            Field::Argument { name, .. } => self.arguments.push(name.clone()),
            Field::Result { .. } => self.reads_result = true,
            Field::Context { path, zone } if zone.is_readable() => self.paths.push(path.clone()),
            Field::Context { .. } => self.reads_zones = true,
        }
        Ok(read)
    }

    fn parse_read(&self, root: &str, mut steps: Vec<Segment>) -> Result<Read, Problem> {
        if steps.len() > MAX_STEPS {
            return Err(Problem::new(format!(
                "a place has {} steps, at most {MAX_STEPS} are allowed",
                steps.len()
            )));
        }
        let text = spelled(root, &steps);
        let (when, root) = match root {
            "old" => {
                if self.gate == Gate::Input {
                    return Err(Problem::new(format!(
                        "`{text}` is what was before the run, and at the input gate nothing else is there"
                    ))
                    .help("leave `old.` out, or move the entry to `outputs`"));
                }
                match steps.first() {
                    Some(Segment::Key(layer)) => {
                        let layer = layer.clone();
                        steps.remove(0);
                        (When::Old, layer)
                    }
                    _ => return Err(self.no_layer_of_old()),
                }
            }
            root => (When::Now, SmolStr::from(root)),
        };
        let field = match root.as_str() {
            "domain" | "domain_ctx" => self.context(Layer::Domain, steps, when, &text)?,
            "global" | "global_ctx" => self.context(Layer::Global, steps, when, &text)?,
            _ if when == When::Old => return Err(self.no_layer_of_old()),
            "args" => match steps.first() {
                Some(Segment::Key(name)) => Field::Argument {
                    name: name.clone(),
                    steps: steps.split_off(1),
                },
                _ => return Err(Problem::new("arguments have names: expected `args.name`")),
            },
            "result" if self.gate == Gate::Input => {
                return Err(Problem::new(format!(
                    "`{text}` is not there at the input gate: the process has not run"
                ))
                .help("move the entry to `outputs`"));
            }
            "result" => Field::Result { steps },
            other => return Err(self.unknown(other)),
        };
        Ok(Read {
            when,
            field,
            text: text.into(),
        })
    }

    fn no_layer_of_old(&self) -> Problem {
        Problem::new("`old` holds `old.domain` and `old.global`")
            .help("write the layer behind it, such as `old.domain.total_value`")
    }

    fn context(
        &self,
        layer: Layer,
        steps: Vec<Segment>,
        when: When,
        text: &str,
    ) -> Result<Field, Problem> {
        let path = Path::new(layer, steps);
        if path.is_private() {
            return Err(Problem::new(format!(
                "`{text}`: a key that begins with `_` is private to the host"
            )));
        }
        let zone = Zone::of_segments(path.segments());
        if !zone.is_readable() && (self.gate == Gate::Input || when == When::Old) {
            return Err(Problem::new(format!(
                "`{text}` is in the {} zone, which rules see only as written by this run",
                zone.name()
            ))
            .help(match when {
                When::Old => "leave `old.` out",
                When::Now => "move the entry to `outputs`",
            }));
        }
        Ok(Field::Context { path, zone })
    }

    fn unknown(&self, name: &str) -> Problem {
        let shown = path::cut(name);
        if name.starts_with('.') {
            return Problem::new(format!("`{shown}`: a name does not begin with a dot"));
        }
        let element = self.element.as_deref();
        let known = || ROOTS.into_iter().chain(element);
        let help = match nearest(name, known()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "there are {}; an argument is written `args.{shown}`",
                quoted(known())
            ),
        };
        Problem::new(format!("there is no `{shown}`")).help(help)
    }

    fn has(&mut self, select: &SelectExpr, depth: u16) -> Made {
        let key = SmolStr::from(select.field.as_str());
        let Some((root, mut steps)) =
            chain(&select.operand).filter(|(root, _)| self.element.as_deref() != Some(*root))
        else {
            return Ok(Node::HasKey {
                of: Box::new(self.node(&select.operand, depth)?),
                key,
            });
        };
        let whole_map = matches!((root, steps.as_slice()), ("args", []) | ("old", []));
        // That the place above is there is read as well; its other contents are not, so they are not locked.
        let above = if whole_map {
            None
        } else {
            Some(Box::new(self.parse_read(root, steps.clone())?))
        };
        steps.push(Segment::Key(key));
        let read = Box::new(self.read(root, steps)?);
        if let (Some(above), Field::Context { zone, .. }) = (&above, &read.field)
            && !zone.is_readable()
            && let Field::Context { path, zone } = &above.field
            && zone.is_readable()
            && !path.segments().is_empty()
        {
            self.paths.push(path.clone());
        }
        Ok(Node::Has { above, read })
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

    fn function(
        &mut self,
        name: &str,
        target: Option<&IdedExpr>,
        args: &[IdedExpr],
        depth: u16,
    ) -> Made {
        if name == "matches" {
            return self.matches(target, args, depth);
        }
        let shown = path::cut(name);
        let Some(function) = Function::ALL.into_iter().find(|it| it.name() == name) else {
            if MACROS.contains(&name) {
                return Err(Problem::new(format!("`{shown}` is not called like this")).help(
                    "write `list.all(x, …)`, `list.map(x, …)`, `has(place.key)`; the first word names the element",
                ));
            }
            let functions = || {
                let functions = Function::ALL.into_iter().map(Function::name);
                functions.chain(["matches"]).chain(MACROS)
            };
            let help = match nearest(name, functions()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", quoted(functions())),
            };
            return Err(Problem::new(format!("there is no function `{shown}`")).help(help));
        };
        if !function.takes(target.is_some(), args.len()) {
            return Err(Problem::new(format!("`{shown}` is not called like this"))
                .help(format!("write `{}`", function.usage())));
        }
        let nodes: Result<_, _> = target
            .into_iter()
            .chain(args)
            .map(|it| self.node(it, depth))
            .collect();
        nodes.map(|nodes| Node::Call(function, nodes))
    }

    fn matches(&mut self, target: Option<&IdedExpr>, args: &[IdedExpr], depth: u16) -> Made {
        let (text, pattern) = match (target, args) {
            (Some(text), [pattern]) | (None, [text, pattern]) => (text, pattern),
            _ => {
                return Err(Problem::new("`matches` is not called like this")
                    .help("write `text.matches('^pattern$')`"));
            }
        };
        let Expr::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            return Err(Problem::new(
                "the pattern of `matches` is no literal, so it cannot be compiled once",
            )
            .help("write the pattern itself, such as `args.name.matches('^[a-z]+$')`"));
        };
        let pattern = TextPattern::parse(pattern.inner())
            .map_err(|problem| Problem::new(format!("the pattern of `matches` {problem}")))?;
        Ok(Node::Matches(Box::new(self.node(text, depth)?), pattern))
    }

    /// The parser has made a fold of the macro; which one it was shows in its step.
    fn each(&mut self, fold: &ComprehensionExpr, depth: u16) -> Made {
        if self.element.is_some() {
            return Err(
                Problem::new("a macro stands inside the body of another one").help(
                    "the work would be one list's length times the other's; write it without nesting",
                ),
            );
        }
        if ROOTS.contains(&fold.iter_var.as_str()) {
            return Err(Problem::new(format!(
                "the element is named `{}`, which hides what is there",
                fold.iter_var
            ))
            .help("give it another name, such as `x`"));
        }
        let range = self.node(&fold.iter_range, depth)?;
        self.element = Some(fold.iter_var.clone());
        let made = self.body(fold, depth);
        self.element = None;
        let (kind, body) = made?;
        Ok(Node::Each(Box::new(Each { kind, range, body })))
    }

    fn body(&mut self, fold: &ComprehensionExpr, depth: u16) -> Result<(EachKind, Node), Problem> {
        let unknown = || Problem::new("it has a macro that is not known");
        let Expr::Call(step) = &fold.loop_step.expr else {
            return Err(unknown());
        };
        match (step.func_name.as_str(), step.args.as_slice()) {
            (cel_operators::LOGICAL_AND, [_, body]) => Ok((EachKind::All, self.node(body, depth)?)),
            (cel_operators::LOGICAL_OR, [_, body]) => {
                Ok((EachKind::Exists, self.node(body, depth)?))
            }
            (cel_operators::CONDITIONAL, [test, step, _]) => {
                let test = self.node(test, depth)?;
                match appended(step) {
                    None => Ok((EachKind::ExistsOne, test)),
                    Some(item) if is_name(item, &fold.iter_var) => Ok((EachKind::Filter, test)),
                    Some(item) => {
                        let kind = EachKind::Map { test: Some(test) };
                        Ok((kind, self.node(item, depth)?))
                    }
                }
            }
            (cel_operators::ADD, [..]) => {
                let item = appended(&fold.loop_step).ok_or_else(unknown)?;
                Ok((EachKind::Map { test: None }, self.node(item, depth)?))
            }
            _ => Err(unknown()),
        }
    }
}

/// What `accumulated + [item]` appends.
fn appended(step: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(call) = &step.expr else {
        return None;
    };
    match call.args.as_slice() {
        [
            _,
            IdedExpr {
                expr: Expr::List(list),
                ..
            },
        ] => list.elements.first(),
        _ => None,
    }
}

fn is_name(expr: &IdedExpr, name: &str) -> bool {
    matches!(&expr.expr, Expr::Ident(ident) if ident == name)
}

/// A name and the steps behind it that do not depend on any value.
fn chain(expr: &IdedExpr) -> Option<(&str, Vec<Segment>)> {
    let mut steps = Vec::new();
    let mut expr = expr;
    loop {
        match &expr.expr {
            Expr::Ident(root) => {
                steps.reverse();
                return Some((root, steps));
            }
            Expr::Select(select) if !select.test => {
                steps.push(Segment::Key(select.field.as_str().into()));
                expr = &select.operand;
            }
            Expr::Call(call) if call.func_name == cel_operators::INDEX => {
                let [of, index] = call.args.as_slice() else {
                    return None;
                };
                steps.push(match &index.expr {
                    Expr::Literal(LiteralValue::String(key)) => Segment::Key(key.inner().into()),
                    Expr::Literal(LiteralValue::Int(at)) => {
                        Segment::Index(u64::try_from(*at.inner()).ok()?)
                    }
                    Expr::Literal(LiteralValue::UInt(at)) => Segment::Index(*at.inner()),
                    _ => return None,
                });
                expr = of;
            }
            _ => return None,
        }
    }
}

/// A place as messages spell it, whatever its keys hold.
fn spelled(root: &str, steps: &[Segment]) -> String {
    let steps: String = steps.iter().map(ToString::to_string).collect();
    path::cut(&format!("{root}{steps}"))
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
