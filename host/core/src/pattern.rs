//! Contract paths: a path in which `{param}` stands for one key or index taken from an argument.

use crate::path::{self, Dialect, Layer, Path, PathError, Scanner, Segment, Token};
use crate::value::{Map, Value};
use crate::zone::{self, Zone};
use smol_str::{SmolStr, ToSmolStr as _};
use std::fmt;

/// A path of a contract, as its author declared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    layer: Layer,
    steps: Vec<Step>,
}

/// One step of a [`PathPattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A step that is the same on every call.
    Fixed(Segment),
    /// `{param}`: one whole key, whatever the argument holds.
    KeyParam(SmolStr),
    /// `[{param}]`: one list index.
    IndexParam(SmolStr),
}

/// Why an argument cannot stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The argument is missing, or of a kind that is no key or index.
    #[error("`{pattern}` needs {expected} in the argument `{param}`, which is {found}")]
    Unfit {
        /// The contract's path.
        pattern: String,
        /// The parameter's name.
        param: String,
        /// What the pattern takes.
        expected: &'static str,
        /// What the argument holds.
        found: &'static str,
    },
    /// The argument would name a key of another zone, or one that is private to the host.
    #[error(
        "the argument `{param}` would put `{key}` into `{pattern}`, which moves it into another zone"
    )]
    Zone {
        /// The contract's path.
        pattern: String,
        /// The parameter's name.
        param: String,
        /// The key, cut to a readable length.
        key: String,
    },
}

impl PathPattern {
    /// Parses a contract path.
    ///
    /// # Errors
    ///
    /// [`PathError`] with the byte at which the text leaves the grammar.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut scanner = Scanner::new(text, Dialect::Pattern)?;
        let mut steps = Vec::new();
        while let Some(token) = scanner.next_token()? {
            steps.push(match token {
                Token::Key(key) => Step::Fixed(Segment::Key(SmolStr::new(key))),
                Token::Index(index) => Step::Fixed(Segment::Index(index)),
                Token::KeyParam(name) => Step::KeyParam(name.into()),
                Token::IndexParam(name) => Step::IndexParam(name.into()),
            });
        }
        Ok(Self {
            layer: scanner.layer,
            steps,
        })
    }

    /// The layer that the pattern begins with.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The steps below the layer.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The same steps below another layer.
    pub(crate) fn in_layer(&self, layer: Layer) -> Self {
        Self {
            layer,
            ..self.clone()
        }
    }

    /// The zone of every place that the pattern can name: arguments cannot change it.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.fixed_keys()
            .find_map(|key| Zone::of_key(key))
            .unwrap_or(Zone::Data)
    }

    /// Whether the pattern names a key that is private to the host.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.fixed_keys().any(|key| zone::is_private(key))
    }

    /// The parameters that the pattern takes keys and indices from.
    pub fn params(&self) -> impl Iterator<Item = (&SmolStr, &Step)> {
        self.steps.iter().filter_map(|step| match step {
            Step::KeyParam(name) | Step::IndexParam(name) => Some((name, step)),
            Step::Fixed(_) => None,
        })
    }

    /// The pattern with one step more.
    #[must_use]
    pub fn child(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self {
            layer: self.layer,
            steps,
        }
    }

    /// Whether it names an element of a list: as an output it allows `set` only.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        let is_index =
            |step: &Step| matches!(step, Step::IndexParam(_) | Step::Fixed(Segment::Index(_)));
        self.steps.iter().any(is_index)
    }

    /// Whether every place that `other` names lies at or below the one that this pattern names, in the same zone, whatever
    /// the arguments are.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.layer == other.layer
            && self.zone() == other.zone()
            && other.steps.starts_with(&self.steps)
    }

    /// Whether a place that `other` names may lie at or below one that this pattern names, in the same zone.
    ///
    /// A key under `{param}` may be the one that the argument names: only the call can tell.
    #[must_use]
    pub fn may_cover(&self, other: &Self) -> bool {
        let meets = |(own, other): (&Step, &Step)| match (own, other) {
            (Step::KeyParam(_), Step::Fixed(Segment::Key(_)))
            | (Step::IndexParam(_), Step::Fixed(Segment::Index(_))) => true,
            (own, other) => own == other,
        };
        self.layer == other.layer
            && self.zone() == other.zone()
            && self.steps.len() <= other.steps.len()
            && self.steps.iter().zip(&other.steps).all(meets)
    }

    /// The path of this call: every parameter replaced by its argument.
    ///
    /// # Errors
    ///
    /// [`FillError`] where an argument is no key or index, or would change the zone.
    ///
    /// # Security
    ///
    /// An argument becomes exactly one key. Dots, brackets and wildcards in it are characters of that key.
    pub fn fill(&self, args: &Map) -> Result<Path, FillError> {
        let segments: Result<Vec<_>, _> = self
            .steps
            .iter()
            .map(|step| self.fill_step(step, args))
            .collect();
        Ok(Path::new(self.layer, segments?))
    }

    fn fill_step(&self, step: &Step, args: &Map) -> Result<Segment, FillError> {
        match step {
            Step::Fixed(segment) => Ok(segment.clone()),
            Step::KeyParam(param) => {
                let key = match args.get(param) {
                    Some(Value::Str(key)) => key.clone(),
                    Some(Value::Int(number)) => number.to_smolstr(),
                    Some(Value::UInt(number)) => number.to_smolstr(),
                    found => return Err(self.unfit(param, "a string or a whole number", found)),
                };
                if zone::is_reserved(&key) {
                    return Err(FillError::Zone {
                        pattern: self.to_string(),
                        param: param.to_string(),
                        key: path::cut(&key),
                    });
                }
                Ok(Segment::Key(key))
            }
            Step::IndexParam(param) => match args.get(param) {
                Some(Value::Int(number)) if *number >= 0 => {
                    Ok(Segment::Index(number.unsigned_abs()))
                }
                Some(Value::UInt(number)) => Ok(Segment::Index(*number)),
                found => Err(self.unfit(param, "a whole number that is not negative", found)),
            },
        }
    }

    fn unfit(&self, param: &str, expected: &'static str, found: Option<&Value>) -> FillError {
        FillError::Unfit {
            pattern: self.to_string(),
            param: param.to_owned(),
            expected,
            found: found.map_or("absent", Value::kind),
        }
    }

    fn fixed_keys(&self) -> impl Iterator<Item = &SmolStr> {
        self.steps.iter().filter_map(|step| match step {
            Step::Fixed(Segment::Key(key)) => Some(key),
            _ => None,
        })
    }
}

/// A pattern that names one place on every call.
impl From<&Path> for PathPattern {
    fn from(path: &Path) -> Self {
        Self {
            layer: path.layer(),
            steps: path.segments().iter().cloned().map(Step::Fixed).collect(),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.layer.name())?;
        for step in &self.steps {
            match step {
                Step::Fixed(segment) => segment.fmt(f)?,
                Step::KeyParam(name) => write!(f, ".{{{name}}}")?,
                Step::IndexParam(name) => write!(f, "[{{{name}}}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(pattern: &str, value: impl Into<Value>) -> Result<String, FillError> {
        let args: Map = [("p", value.into())].into_iter().collect();
        let pattern = PathPattern::parse(pattern).expect(pattern);
        pattern.fill(&args).map(|path| path.to_string())
    }

    #[test]
    fn an_argument_is_one_key_whatever_it_holds() {
        for (argument, path) in [
            ("anna", "domain.accounts.anna"),
            ("a.b", "domain.accounts[\"a.b\"]"),
            ("x[0]", "domain.accounts[\"x[0]\"]"),
            ("*", "domain.accounts[\"*\"]"),
            ("{p}", "domain.accounts[\"{p}\"]"),
            ("", "domain.accounts[\"\"]"),
        ] {
            assert_eq!(fill("domain.accounts.{p}", argument).as_deref(), Ok(path));
        }
        assert_eq!(
            fill("domain.accounts.{p}", 7).as_deref(),
            Ok("domain.accounts.7")
        );
        assert_eq!(
            fill("domain.rows[{p}].x", 7).as_deref(),
            Ok("domain.rows[7].x")
        );
    }

    #[test]
    fn an_argument_cannot_change_the_zone() {
        for key in ["sig_x", "cmd_x", "meta_x", "heavy_x", "_x", "_"] {
            assert!(
                matches!(fill("domain.{p}", key), Err(FillError::Zone { .. })),
                "{key}"
            );
        }
    }

    #[test]
    fn an_argument_of_the_wrong_kind_is_refused() {
        assert!(matches!(
            fill("domain.{p}", 1.5),
            Err(FillError::Unfit { .. })
        ));
        assert!(matches!(
            fill("domain.{q}", 1),
            Err(FillError::Unfit {
                found: "absent",
                ..
            })
        ));
        assert!(matches!(
            fill("domain.rows[{p}]", "1"),
            Err(FillError::Unfit { .. })
        ));
        assert!(matches!(
            fill("domain.rows[{p}]", -1),
            Err(FillError::Unfit { .. })
        ));
    }

    #[test]
    fn patterns_print_as_they_were_written() {
        for text in ["domain.{a}.b[{i}]", "global", "domain.x[\"a b\"].{key}"] {
            assert_eq!(PathPattern::parse(text).expect(text).to_string(), text);
        }
        assert!(PathPattern::parse("domain.{}").is_err());
        assert!(PathPattern::parse("domain.{a").is_err());
        assert!(PathPattern::parse("domain.x{a}").is_err());
    }
}
