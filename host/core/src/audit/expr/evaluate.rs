//! Evaluating: one walk over the nodes, with the work counted.

use super::ast::{Each, EachKind, Node, Read, When};
use super::fault::Fault;
use super::value::{Entries, Items, Val};
use super::{MAX_ELEMENTS, MAX_WORK, functions, operators};
use crate::audit::field::{Facts, Field};
use crate::audit::text_pattern::MAX_TEXT_BYTES;
use crate::value::Value;
use crate::zone::Hidden;
use smol_str::SmolStr;
use std::rc::Rc;

/// Evaluates a whole expression.
pub(super) fn evaluate(
    node: &Node,
    facts: &Facts<'_>,
    optional: &[SmolStr],
) -> Result<bool, Fault> {
    let mut evaluation = Evaluation {
        facts,
        // What the transaction was opened on; its signals are not for rules.
        old: facts.written.map(|transaction| Facts {
            tree: &transaction.base().tree,
            written: None,
            ..*facts
        }),
        optional,
        work: Work(MAX_WORK),
    };
    match evaluation.eval(node, None)? {
        Val::Bool(decided) => Ok(decided),
        other => Err(Fault::Undecided(other.kind())),
    }
}

/// The units of work that are left.
pub(super) struct Work(u64);

impl Work {
    /// Takes units, or ends the evaluation where they are used up.
    pub(super) fn take(&mut self, units: usize) -> Result<(), Fault> {
        match self.0.checked_sub(units as u64) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err(Fault::TooCostly)
            }
        }
    }

    /// Takes units for looking at a text once.
    pub(super) fn take_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.take(bytes / 32)
    }
}

struct Evaluation<'a> {
    facts: &'a Facts<'a>,
    old: Option<Facts<'a>>,
    optional: &'a [SmolStr],
    work: Work,
}

impl<'a> Evaluation<'a> {
    /// The value of a node; `element` is what a macro is at.
    fn eval(&mut self, node: &'a Node, element: Option<&Val<'a>>) -> Result<Val<'a>, Fault> {
        self.work.take(1)?;
        match node {
            Node::Literal(value) => Ok(Val::view(value, Hidden::Nothing)),
            Node::Args => Ok(Val::Map(Entries::View(self.facts.args, Hidden::Nothing))),
            Node::Read(read) => self
                .read(read)
                .ok_or_else(|| Fault::Absent(read.text.clone())),
            Node::Has { above, read } => self.has(above.as_deref(), read),
            Node::HasKey { of, key } => match self.eval(of, element)? {
                Val::Map(entries) => Ok(Val::Bool(entries.by_name(key).is_some())),
                other => Err(operand("has", &other)),
            },
            Node::Element => element.cloned().ok_or(Fault::NoSuchElement),
            Node::Key { of, key } => match self.eval(of, element)? {
                Val::Map(entries) => entries
                    .by_name(key)
                    .ok_or_else(|| Fault::Absent(key.clone())),
                other => Err(operand(".", &other)),
            },
            Node::Index(pair) => {
                let [of, index] = self.pair(pair, element)?;
                operators::index(&of, &index, &mut self.work)
            }
            Node::List(nodes) => {
                let items: Result<Vec<_>, _> =
                    nodes.iter().map(|node| self.eval(node, element)).collect();
                items.map(|items| Val::List(Items::Made(Rc::new(items))))
            }
            Node::Map(nodes) => self.map(nodes, element),
            Node::Not(of) => Ok(Val::Bool(!self.eval(of, element)?.truth("!")?)),
            Node::Negate(of) => operators::negate(&self.eval(of, element)?),
            Node::And(pair) => self.either(pair, false, "&&", element),
            Node::Or(pair) => self.either(pair, true, "||", element),
            Node::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                if self.eval(condition, element)?.truth("? :")? {
                    self.eval(then, element)
                } else {
                    self.eval(otherwise, element)
                }
            }
            Node::Binary(operator, pair) => {
                let [left, right] = self.pair(pair, element)?;
                operators::binary(*operator, &left, &right, &mut self.work)
            }
            Node::Call(function, nodes) => {
                let arguments: Result<Vec<_>, _> =
                    nodes.iter().map(|node| self.eval(node, element)).collect();
                functions::call(*function, &arguments?, &mut self.work)
            }
            Node::Matches(of, pattern) => match self.eval(of, element)? {
                Val::Str(text) => {
                    let text = text.as_str();
                    // The worst patterns cost more per byte than looking does.
                    self.work.take(text.len().min(MAX_TEXT_BYTES) / 2)?;
                    let matched = pattern.matches(text);
                    matched.map(Val::Bool).map_err(Fault::TextTooLong)
                }
                other => Err(operand("matches", &other)),
            },
            Node::Each(each) => self.each(each, element),
        }
    }

    fn pair(
        &mut self,
        pair: &'a [Node; 2],
        element: Option<&Val<'a>>,
    ) -> Result<[Val<'a>; 2], Fault> {
        Ok([self.eval(&pair[0], element)?, self.eval(&pair[1], element)?])
    }

    /// The value at a place; none where nothing is there.
    fn read(&self, read: &'a Read) -> Option<Val<'a>> {
        let facts = match read.when {
            When::Now => Some(self.facts),
            When::Old => self.old.as_ref(),
        };
        let value = read.field.value(facts?)?;
        let is_nil_for_absent = *value == Value::Nil
            && matches!(&read.field, Field::Argument { name, steps }
                if steps.is_empty() && self.optional.contains(name));
        (!is_nil_for_absent).then(|| Val::view(value, read.field.hidden()))
    }

    fn has(&self, above: Option<&'a Read>, read: &'a Read) -> Result<Val<'a>, Fault> {
        if let Some(above) = above {
            match self.read(above) {
                Some(Val::Map(_)) => {}
                Some(other) => return Err(operand("has", &other)),
                None => return Err(Fault::Absent(above.text.clone())),
            }
        }
        Ok(Val::Bool(self.read(read).is_some()))
    }

    fn map(&mut self, nodes: &'a [[Node; 2]], element: Option<&Val<'a>>) -> Result<Val<'a>, Fault> {
        let mut entries: Vec<[Val<'a>; 2]> = Vec::with_capacity(nodes.len());
        for pair in nodes {
            let [key, value] = self.pair(pair, element)?;
            if !matches!(key, Val::Str(_) | Val::Int(_) | Val::UInt(_) | Val::Bool(_)) {
                return Err(operand("{ }", &key));
            }
            for [known, _] in &entries {
                if operators::is_same(known, &key, &mut self.work)? {
                    return Err(Fault::DuplicateKey);
                }
            }
            entries.push([key, value]);
        }
        Ok(Val::Map(Entries::Made(Rc::new(entries))))
    }

    /// `&&` and `||`: one side that decides is enough, whatever ails the other one.
    fn either(
        &mut self,
        pair: &'a [Node; 2],
        decides: bool,
        operator: &'static str,
        element: Option<&Val<'a>>,
    ) -> Result<Val<'a>, Fault> {
        let sides = pair
            .iter()
            .map(|node| self.eval(node, element)?.truth(operator));
        decide(sides, decides)
    }

    /// A macro. Its body holds no other one, so there is one element at a time.
    fn each(&mut self, each: &'a Each, element: Option<&Val<'a>>) -> Result<Val<'a>, Fault> {
        let range = self.eval(&each.range, element)?;
        let (extent, elements): (usize, Box<dyn Iterator<Item = Val<'a>> + '_>) = match &range {
            Val::List(items) => (items.len(), Box::new(items.iter())),
            Val::Map(entries) => (
                entries.extent(),
                Box::new(entries.iter().map(|[key, _]| key)),
            ),
            other => return Err(operand("a macro", other)),
        };
        if extent > MAX_ELEMENTS {
            return Err(Fault::TooLong);
        }
        match &each.kind {
            EachKind::All => self.decided(each, elements, false),
            EachKind::Exists => self.decided(each, elements, true),
            EachKind::ExistsOne => {
                let mut found = 0;
                for element in elements {
                    let held = self.eval(&each.body, Some(&element))?;
                    found += u32::from(held.truth("exists_one")?);
                }
                Ok(Val::Bool(found == 1))
            }
            EachKind::Filter => {
                let mut kept = Vec::new();
                for element in elements {
                    let held = self.eval(&each.body, Some(&element))?;
                    if held.truth("filter")? {
                        kept.push(element);
                    }
                }
                Ok(Val::List(Items::Made(Rc::new(kept))))
            }
            EachKind::Map { test } => {
                let mut made = Vec::new();
                for element in elements {
                    let held = match test {
                        Some(test) => self.eval(test, Some(&element))?.truth("map")?,
                        None => true,
                    };
                    if held {
                        made.push(self.eval(&each.body, Some(&element))?);
                    }
                }
                Ok(Val::List(Items::Made(Rc::new(made))))
            }
        }
    }

    /// `all` and `exists`: one element that decides is enough, whatever ails the others.
    fn decided(
        &mut self,
        each: &'a Each,
        elements: impl Iterator<Item = Val<'a>>,
        decides: bool,
    ) -> Result<Val<'a>, Fault> {
        let held = elements.map(|element| {
            let held = self.eval(&each.body, Some(&element))?;
            held.truth("a macro's body")
        });
        decide(held, decides)
    }
}

/// One answer that decides is enough, whatever ails the others; where none does, a fault counts.
fn decide<'a>(
    answers: impl Iterator<Item = Result<bool, Fault>>,
    decides: bool,
) -> Result<Val<'a>, Fault> {
    let mut fault = None;
    for answer in answers {
        match answer {
            Ok(truth) if truth == decides => return Ok(Val::Bool(decides)),
            Ok(_) => {}
            Err(found) if found.is_final() => return Err(found),
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    match fault {
        Some(fault) => Err(fault),
        None => Ok(Val::Bool(!decides)),
    }
}

pub(super) fn operand(operator: &'static str, value: &Val<'_>) -> Fault {
    Fault::Operand {
        operator,
        kind: value.kind(),
    }
}
