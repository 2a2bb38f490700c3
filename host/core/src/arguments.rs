//! Arguments and results of a call: checked against the contract and the limits, before anything else looks at them.

use crate::codec::{self, Bounds, DecodeError, Decoded, Interrupt};
use crate::contract::{Contract, Kind};
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::path;
use crate::value::{Map, Value};
use crate::zone::Hidden;

/// What stands in a record for the value of a secret argument.
pub const MASK: &str = "***";

/// What does not fit about the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentProblem {
    /// A parameter that is not optional has no argument.
    #[error("the argument `{name}` ({kind}) is missing")]
    Missing {
        /// The parameter.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// There is no such parameter.
    #[error("there is no parameter `{name}`; it takes: {}", list(known))]
    Unknown {
        /// The argument's name.
        name: String,
        /// The parameters that there are.
        known: Vec<String>,
    },
    /// The value is of another kind.
    #[error("the argument `{name}` must be of kind {expected}, it is {found}")]
    WrongKind {
        /// The parameter.
        name: String,
        /// Its kind.
        expected: &'static str,
        /// The kind of the value.
        found: &'static str,
    },
}

/// Checks arguments against the parameters, and makes whole numbers floats where a float is asked for.
///
/// # Errors
///
/// The first argument that does not fit.
///
/// # Security
///
/// The arguments may come from anybody.
pub fn check(contract: &Contract, mut args: Map) -> Result<Map, ArgumentProblem> {
    if let Some((name, _)) = args
        .iter()
        .find(|(name, _)| contract.parameter(name).is_none())
    {
        return Err(ArgumentProblem::Unknown {
            name: path::cut(name),
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
#[must_use]
pub fn masked(contract: &Contract, mut args: Map) -> Map {
    for parameter in contract.parameters.iter().filter(|it| it.secret) {
        if args.get(&parameter.name).is_some() {
            args.insert(parameter.name.as_str(), Value::from(MASK));
        }
    }
    args
}

/// Encodes checked arguments for the guest.
///
/// # Errors
///
/// The limit that they are over: their depth or their encoded size; whatever the interrupt says.
pub fn encode(
    args: &Map,
    limits: &Limits,
    interrupt: Option<Interrupt<'_>>,
) -> Result<Vec<u8>, LimitExceeded> {
    let value = Value::Map(args.clone());
    LimitExceeded::check(Limit::ValueDepth, limits.value_depth, value.nesting())?;
    let encoded =
        codec::encode_and_count(&value, Hidden::Nothing, limits.argument_bytes, interrupt);
    match encoded {
        Ok(encoded) => Ok(encoded.bytes),
        Err(exceeded) if exceeded.limit == Limit::ValueBytes => Err(LimitExceeded {
            limit: Limit::ArgumentBytes,
            ..exceeded
        }),
        Err(exceeded) => Err(exceeded),
    }
}

/// Decodes what the guest returned. What was made of a result that is none is left in `remains`: see
/// [`codec::decode_and_measure`].
///
/// # Errors
///
/// Bytes that are no value, or one that is too deep or too large once decoded; whatever the interrupt says.
///
/// # Security
///
/// The bytes come from the guest; their number was checked against [`Limits::result_bytes`].
pub fn decode_result(
    bytes: &[u8],
    limits: &Limits,
    interrupt: Option<Interrupt<'_>>,
    remains: &mut Vec<Value>,
) -> Result<Decoded, DecodeError> {
    let bounds = Bounds {
        depth: limits.value_depth,
        decoded_bytes: Limits::decoded_bytes(limits.result_bytes),
    };
    codec::decode_and_measure(bytes, bounds, interrupt, remains)
        .map_err(|error| error.of_limit(Limit::ResultDecodedBytes))
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

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
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

    fn args<const N: usize>(entries: [(&str, Value); N]) -> Map {
        entries.into_iter().collect()
    }

    #[test]
    fn arguments_fit_the_parameters_or_say_why_not() {
        let contract = contract();
        let fit = check(
            &contract,
            args([
                ("name", "a".into()),
                ("rate", 2.into()),
                ("note", Value::Nil),
            ]),
        );
        assert_eq!(fit.expect("fits").get("rate"), Some(&Value::float(2.0)));
        for (args, expected) in [
            (
                args([("rate", 1.0.into())]),
                "the argument `name` (string) is missing",
            ),
            (
                args([("name", Value::Nil), ("rate", 1.0.into())]),
                "must be of kind string, it is nil",
            ),
            (
                args([("name", "a".into()), ("rate", "b".into())]),
                "`rate` must be of kind float, it is string",
            ),
            (
                args([
                    ("name", "a".into()),
                    ("rate", 1.0.into()),
                    ("nmae", 1.into()),
                ]),
                "no parameter `nmae`; it takes: name, rate",
            ),
        ] {
            let message = check(&contract, args).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn secrets_are_masked() {
        let given = args([("name", "a".into()), ("token", "hunter2".into())]);
        assert_eq!(
            masked(&contract(), given),
            args([("name", "a".into()), ("token", "***".into())])
        );
    }

    #[test]
    fn arguments_have_a_limit_of_their_own() {
        let limits = Limits {
            argument_bytes: 10,
            ..Limits::default()
        };
        let exceeded = encode(&args([("name", "longer than ten".into())]), &limits, None);
        assert_eq!(exceeded.expect_err("too long").limit, Limit::ArgumentBytes);
        assert_eq!(
            encode(&args([("a", 1.into())]), &limits, None),
            Ok(b"\x81\xa1a\x01".to_vec())
        );
    }
}
