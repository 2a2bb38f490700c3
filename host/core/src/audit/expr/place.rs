//! Places in expressions: which are fixed, and whether the gate has them.

use super::ast::{Node, Read, When};
use super::compile::{Compiler, Made, Problem};
use crate::audit::error::{nearest, quoted};
use crate::audit::field::Field;
use crate::audit::verdict::Gate;
use crate::path::{self, Layer, Path, Segment};
use crate::zone::Zone;
use cel::common::ast::{Expr, IdedExpr, LiteralValue, SelectExpr, operators as cel_operators};
use smol_str::SmolStr;

/// The most steps of a place.
const MAX_STEPS: usize = 16;

/// The names that every expression has.
pub(super) const ROOTS: [&str; 5] = ["args", "domain", "global", "result", "old"];

impl Compiler {
    /// A name that is no element, and the fixed steps behind it.
    pub(super) fn place(&mut self, root: &str, steps: Vec<Segment>) -> Made {
        if root == "args" && steps.is_empty() {
            self.reads_any_argument = true;
            return Ok(Node::Args);
        }
        self.read(root, steps)
            .map(|read| Node::Read(Box::new(read)))
    }

    fn read(&mut self, root: &str, steps: Vec<Segment>) -> Result<Read, Problem> {
        let read = self.parse_read(root, steps)?;
        if !self.places.contains(&read.field) {
            self.places.push(read.field.clone());
        }
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

    pub(super) fn no_layer_of_old(&self) -> Problem {
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

    pub(super) fn has(&mut self, select: &SelectExpr, depth: u16) -> Made {
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
}

/// A name and the steps behind it that do not depend on any value.
pub(super) fn chain(expr: &IdedExpr) -> Option<(&str, Vec<Segment>)> {
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
