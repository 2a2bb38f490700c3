//! Calls in expressions: functions, and what the parser has made of macros.

use super::ast::{Each, EachKind, Function, Node};
use super::compile::{Compiler, Made, Problem};
use super::place::ROOTS;
use crate::audit::error::{nearest, quoted};
use crate::audit::text_pattern::TextPattern;
use crate::path;
use cel::common::ast::{
    ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators as cel_operators,
};

const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

impl Compiler {
    pub(super) fn function(
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
        let ((Some(text), [pattern]) | (None, [text, pattern])) = (target, args) else {
            return Err(Problem::new("`matches` is not called like this")
                .help("write `text.matches('^pattern$')`"));
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
    pub(super) fn each(&mut self, fold: &ComprehensionExpr, depth: u16) -> Made {
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
