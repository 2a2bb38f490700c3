//! Rules meet what is declared: the kinds of the contract's parameters, and the schema of the context.

use super::bind::Binder;
use super::condition::Condition;
use super::error::Place;
use super::expr::Shape;
use super::field::Field;
use super::fit::{Fit, Known, Why, fit, kind_with_article};
use super::inheritance::Way;
use super::recipe::PlacedRule;
use super::rule::Rule;
use super::verdict::Gate;
use crate::contract::{Contract, Kind};
use crate::path::Segment;
use crate::schema::Schema;
use crate::value::Value;

/// What is declared of a place, and where.
struct Declared {
    known: Known,
    /// The place, as messages begin with it.
    what: String,
    /// Behind it in brackets, for the schema.
    at: String,
    /// Whether a gate ever sees another value than the declared ones.
    holds: Holds,
    /// Whether something is always there.
    present: bool,
}

/// When the declaration holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Whenever the gate looks.
    Before,
    /// Only once the run is committed: a rule acts before the schema is asked.
    AtCommit,
}

impl Binder<'_> {
    /// Refuses a rule that would refuse everything or could never see anything; notes one that can never act.
    pub(super) fn meet(&mut self, placed: &PlacedRule, rule: &Rule, way: Way) {
        if let Condition::Expr(expression) = &rule.condition {
            for place in expression.places() {
                self.declared(rule, place, placed.condition_place);
            }
            let (contract, schema) = (self.contract, self.schema);
            for (message, help) in expression.misfits(&|place| shape(place, contract, schema)) {
                self.report.refuse(placed.condition_place, message, help);
            }
        }
        let Some(field) = &rule.field else { return };
        let Some(declared) = self.declared(rule, field, placed.place) else {
            return;
        };
        self.judge(rule, &declared, placed.condition_place, way);
    }

    /// What is declared of a field; none where nothing is, or nothing can be there, which is refused.
    fn declared(&mut self, rule: &Rule, field: &Field, place: Place) -> Option<Declared> {
        match field {
            Field::Argument { name, steps } => self.parameter(name, steps, place),
            Field::Context { path, .. } => match self.schema?.place(path) {
                Ok(Some(place)) => Some(Declared {
                    known: place.known(),
                    what: format!("`{path}`"),
                    at: format!(" ({})", place.declared_at()),
                    holds: match rule.id.gate {
                        Gate::Input => Holds::Before,
                        Gate::Output => Holds::AtCommit,
                    },
                    present: false,
                }),
                Ok(None) => None,
                Err(impossible) => {
                    let help = impossible.help();
                    self.report.refuse(place, impossible.to_string(), help);
                    None
                }
            },
            Field::Result { .. } => None,
        }
    }

    fn parameter(&mut self, name: &str, steps: &[Segment], place: Place) -> Option<Declared> {
        let parameter = self.contract.parameter(name)?;
        let what = format!("the parameter `{name}` of `{}`", self.contract.name);
        let Some(step) = steps.first() else {
            return Some(Declared {
                known: Known::of(parameter.kind),
                what,
                at: String::new(),
                holds: Holds::Before,
                present: !parameter.optional,
            });
        };
        let (kind, parts) = match step {
            Segment::Key(_) => (Kind::Map, "keys"),
            Segment::Index(_) => (Kind::List, "elements"),
        };
        if ![kind, Kind::Any].contains(&parameter.kind) {
            let shown: String = steps.iter().map(ToString::to_string).collect();
            let message = format!(
                "nothing can ever be at `{name}{shown}`: {what} is {}, which has no {parts}",
                kind_with_article(parameter.kind)
            );
            let help = format!("look at `{name}` itself, or change the contract");
            self.report.refuse(place, message, help);
        }
        None
    }

    fn judge(&mut self, rule: &Rule, declared: &Declared, place: Place, way: Way) {
        if is_about_presence(rule, declared) {
            return;
        }
        let Declared {
            known, what, at, ..
        } = declared;
        let word = rule.condition.word();
        let kind = kind_with_article(known.kind);
        match fit(&rule.condition, known) {
            Fit::Never(why) => {
                let message = match &why {
                    Why::Kind(does) => {
                        format!(
                            "`{word}` {does}, and {what} is {kind}{at}: no value of it would pass"
                        )
                    }
                    Why::Declared(limit) => format!(
                        "`{word}` {} contradicts the schema, which gives {what} {limit}{at}: no value of it would pass",
                        rule.condition.limit()
                    ),
                    // A condition that lets everything pass refuses nothing.
                    Why::Itself => return,
                };
                let mut help = remedy(known.kind, &why);
                if way == Way::EveryProcess {
                    help.push_str("; the entry holds for every process, this one among them");
                }
                self.report.refuse(place, message, help);
            }
            Fit::Always(why) if declared.holds == Holds::Before => {
                let because = match why {
                    Why::Kind(does) => format!("it {does}, and {what} is {kind}{at}"),
                    Why::Declared(limit) => format!("the schema gives {what} {limit}{at}"),
                    Why::Itself => "it lets every value pass".into(),
                };
                let unless = match declared.present || rule.optional {
                    true => "can never act",
                    false => "acts only where nothing is there",
                };
                self.note(
                    place,
                    &format!("the rule `{}` {unless}: {because}", rule.name),
                );
            }
            Fit::Partly { value, why } => {
                let because = match why {
                    Why::Kind(_) => format!("is {kind}{at}"),
                    Why::Declared(limit) => format!("has {limit} by the schema{at}"),
                    Why::Itself => return,
                };
                self.note(
                    place,
                    &format!("`{word}` lists {value}, which nothing equals: {what} {because}"),
                );
            }
            // At the output gate the rule acts, with its level, before the schema is asked.
            Fit::Always(_) | Fit::Decides => {}
        }
    }

    fn note(&mut self, place: Place, message: &str) {
        self.notes.push(format!("{}:{place}: {message}", self.file));
    }
}

/// Whether a rule is about whether anything is there, whatever it is.
fn is_about_presence(rule: &Rule, declared: &Declared) -> bool {
    match &rule.condition {
        // Nothing may be there.
        Condition::Eq(Value::Nil) => rule.optional,
        // Something must be there.
        Condition::Type(Kind::Any) | Condition::Neq(Value::Nil) => {
            !rule.optional && !declared.present
        }
        _ => false,
    }
}

/// What is known of a fixed place in an expression.
fn shape<'a>(place: &Field, contract: &Contract, schema: Option<&'a Schema>) -> Option<Shape<'a>> {
    match place {
        Field::Argument { name, steps } if steps.is_empty() => Some(Shape {
            kind: contract.parameter(name)?.kind,
            text: format!("args.{name}"),
            declared: None,
        }),
        Field::Context { path, .. } => {
            let declared = schema?.place(path).ok().flatten()?;
            Some(Shape::of(declared, path.to_string()))
        }
        Field::Argument { .. } | Field::Result { .. } => None,
    }
}

/// What else to write for a kind.
fn remedy(kind: Kind, why: &Why) -> String {
    if matches!(why, Why::Declared(_)) {
        return "change the rule, or the declaration in the schema".into();
    }
    let words = match kind {
        Kind::Int | Kind::Float => "`min`, `max`, `eq`, `neq` and `in` with numbers",
        Kind::String => "`min_len`, `max_len`, `regex`, and `eq`, `neq` and `in` with strings",
        Kind::Bytes => "`min_len`, `max_len`, and `eq`, `neq` and `in` with `{ $bytes: … }`",
        Kind::List => "`min_len`, `max_len`, and `eq`, `neq` and `in` with lists",
        Kind::Map => "`min_len`, `max_len`, and `eq`, `neq` and `in` with maps",
        Kind::Bool => "`eq`, `neq` and `in` with `true` or `false`",
        Kind::Any => return "leave the rule out".into(),
    };
    format!("for {} there are {words}", kind_with_article(kind))
}
