//! Arguments: checked against the contract before anything else looks at them.

use crate::engine::Shared;
use crate::error::{ArgumentProblem, RunError};
use crate::run::Run;
use theus_core::codec;
use theus_core::contract::{Contract, Kind};
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::value::{Map, Value};
use theus_core::zone::Hidden;

/// Makes a map of arguments: `args! { "product_name" => "TV", "price" => 500 }`.
#[macro_export]
macro_rules! args {
    ($($name:expr => $value:expr),* $(,)?) => {
        <$crate::Map as ::std::iter::FromIterator<(&str, $crate::Value)>>::from_iter(
            [$(($name, $crate::Value::from($value))),*]
        )
    };
}

/// What stands in a record for the value of a secret argument.
pub const MASK: &str = "***";

/// Checks arguments against the parameters, and makes whole numbers floats where a float is asked for.
pub(crate) fn check(contract: &Contract, mut args: Map) -> Result<Map, ArgumentProblem> {
    if let Some((name, _)) = args
        .iter()
        .find(|(name, _)| contract.parameter(name).is_none())
    {
        return Err(ArgumentProblem::Unknown {
            name: theus_core::path::cut(name),
            known: contract
                .parameters
                .iter()
                .map(|it| it.name.clone())
                .collect(),
        });
    }
    for parameter in &contract.parameters {
        let missing = || ArgumentProblem::Missing {
            name: parameter.name.clone(),
            kind: parameter.kind.name(),
        };
        match args.get(&parameter.name) {
            None | Some(Value::Nil) if parameter.optional => {}
            None => return Err(missing()),
            Some(value) if !parameter.kind.accepts(value) => {
                return Err(ArgumentProblem::WrongKind {
                    name: parameter.name.clone(),
                    expected: parameter.kind.name(),
                    found: value.kind(),
                });
            }
            Some(value) if parameter.kind == Kind::Float => {
                if let Some(float) = whole_as_float(value) {
                    args.insert(parameter.name.as_str(), float);
                }
            }
            Some(_) => {}
        }
    }
    Ok(args)
}

/// The arguments as records keep them: secret ones masked.
pub(crate) fn masked(contract: &Contract, mut args: Map) -> Map {
    for parameter in contract.parameters.iter().filter(|it| it.secret) {
        if args.get(&parameter.name).is_some() {
            args.insert(parameter.name.as_str(), Value::from(MASK));
        }
    }
    args
}

#[allow(
    clippy::cast_precision_loss,
    reason = "the parameter asks for a float: the nearest one is what it gets"
)]
fn whole_as_float(value: &Value) -> Option<Value> {
    match value {
        Value::Int(number) => Some(Value::float(*number as f64)),
        Value::UInt(number) => Some(Value::float(*number as f64)),
        _ => None,
    }
}

impl Shared {
    /// Checks the arguments of a run and encodes them for the guest.
    pub(crate) fn arguments(&self, run: &mut Run) -> Result<Vec<u8>, RunError> {
        let contract = &run.process.contract;
        let given = std::mem::take(&mut run.args);
        run.args = check(contract, given).map_err(|problem| RunError::Arguments {
            process: run.name().to_owned(),
            problem,
        })?;
        let value = Value::Map(run.args.clone());
        let depth =
            LimitExceeded::check(Limit::ValueDepth, self.limits.value_depth, value.nesting());
        let encoded = codec::encode(&value, Hidden::Nothing, self.limits.argument_bytes);
        depth.and(encoded).map_err(|exceeded| {
            run.limit(match exceeded.limit {
                Limit::ValueBytes => LimitExceeded {
                    limit: Limit::ArgumentBytes,
                    ..exceeded
                },
                _ => exceeded,
            })
        })
    }

    /// Decodes what the guest returned.
    pub(crate) fn result(&self, run: &Run, bytes: &[u8]) -> Result<Value, RunError> {
        let bounds = codec::Bounds {
            depth: self.limits.value_depth,
            decoded_bytes: Limits::decoded_bytes(self.limits.result_bytes),
        };
        codec::decode(bytes, bounds).map_err(|problem| match problem {
            codec::DecodeError::Limit(exceeded) => run.limit(exceeded),
            problem @ codec::DecodeError::Malformed { .. } => RunError::MalformedResult {
                process: run.name().to_owned(),
                problem,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> Contract {
        let line = r#"{"name":"p","parameters":[{"name":"name","kind":"string"},{"name":"rate","kind":"float"},{"name":"note","kind":"string","optional":true},{"name":"token","kind":"string","optional":true,"secret":true}]}"#;
        Contract::parse_section(line.as_bytes())
            .expect("contract")
            .remove(0)
    }

    #[test]
    fn arguments_fit_the_parameters_or_say_why_not() {
        let contract = contract();
        let fit = check(
            &contract,
            args! { "name" => "a", "rate" => 2, "note" => Value::Nil },
        );
        assert_eq!(fit.expect("fits").get("rate"), Some(&Value::float(2.0)));
        for (args, expected) in [
            (
                args! { "rate" => 1.0 },
                "the argument `name` (string) is missing",
            ),
            (
                args! { "name" => Value::Nil, "rate" => 1.0 },
                "must be of kind string, it is nil",
            ),
            (
                args! { "name" => "a", "rate" => "b" },
                "`rate` must be of kind float, it is string",
            ),
            (
                args! { "name" => "a", "rate" => 1.0, "nmae" => 1 },
                "no parameter `nmae`; it takes: name, rate",
            ),
        ] {
            let message = check(&contract, args).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn secrets_are_masked() {
        let masked = masked(&contract(), args! { "name" => "a", "token" => "hunter2" });
        assert_eq!(masked, args! { "name" => "a", "token" => "***" });
    }
}
