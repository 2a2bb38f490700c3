//! One line of a contract section, as JSON has it, and what must hold for it to be a contract.

use super::{Contract, Kind, MAX_ITEMS, MAX_NAME_BYTES, MAX_TEXT_BYTES, Parameter};
use crate::path::{self, PathError};
use crate::pattern::{PathPattern, Step};
use crate::side_effect::SideEffect;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawContract {
    pub(super) name: String,
    #[serde(default)]
    pub(super) summary: String,
    #[serde(default)]
    pub(super) parameters: Vec<RawParameter>,
    #[serde(default)]
    pub(super) inputs: Vec<String>,
    #[serde(default)]
    pub(super) outputs: Vec<String>,
    #[serde(default)]
    pub(super) side_effects: Vec<String>,
    #[serde(default)]
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParameter {
    pub(super) name: String,
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) secret: bool,
}

impl From<&Contract> for RawContract {
    fn from(contract: &Contract) -> Self {
        let parameter = |it: &Parameter| RawParameter {
            name: it.name.clone(),
            kind: it.kind,
            optional: it.optional,
            secret: it.secret,
        };
        Self {
            name: contract.name.clone(),
            summary: contract.summary.clone(),
            parameters: contract.parameters.iter().map(parameter).collect(),
            inputs: texts(&contract.inputs),
            outputs: texts(&contract.outputs),
            side_effects: texts(&contract.side_effects),
            errors: contract.errors.clone(),
        }
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

impl RawContract {
    pub(super) fn parse(self) -> Result<Contract, String> {
        check_name("process", &self.name)?;
        if self.summary.len() > MAX_TEXT_BYTES {
            return Err(format!("the summary is longer than {MAX_TEXT_BYTES} bytes"));
        }
        for (what, count) in [
            ("parameters", self.parameters.len()),
            ("inputs", self.inputs.len()),
            ("outputs", self.outputs.len()),
            ("side effects", self.side_effects.len()),
            ("errors", self.errors.len()),
        ] {
            if count > MAX_ITEMS {
                return Err(format!("{count} {what}, at most {MAX_ITEMS} are allowed"));
            }
        }
        let parameters = parse_parameters(self.parameters)?;
        for error in &self.errors {
            check_error(error)?;
        }
        unique("error", &self.errors)?;
        let contract = Contract {
            name: self.name,
            summary: self.summary,
            inputs: parse_paths("input", &self.inputs, &parameters)?,
            outputs: parse_paths("output", &self.outputs, &parameters)?,
            parameters,
            side_effects: parse_side_effects(&self.side_effects)?,
            errors: self.errors,
        };
        Ok(contract)
    }
}

fn parse_parameters(raw: Vec<RawParameter>) -> Result<Vec<Parameter>, String> {
    let mut parameters: Vec<Parameter> = Vec::with_capacity(raw.len());
    for RawParameter {
        name,
        kind,
        optional,
        secret,
    } in raw
    {
        check_parameter(&name)?;
        if parameters.iter().any(|other| other.name == name) {
            return Err(format!("the parameter `{name}` is declared twice"));
        }
        parameters.push(Parameter {
            name,
            kind,
            optional,
            secret,
        });
    }
    Ok(parameters)
}

fn parse_paths(
    what: &str,
    texts: &[String],
    parameters: &[Parameter],
) -> Result<Vec<PathPattern>, String> {
    unique(what, texts)?;
    texts
        .iter()
        .map(|text| parse_path(what, text, parameters))
        .collect()
}

/// Parses a path that arguments of these parameters can fill; a policy's paths are held to the same.
pub(crate) fn parse_path(
    what: &str,
    text: &str,
    parameters: &[Parameter],
) -> Result<PathPattern, String> {
    let problem = |problem: String| format!("the {what} `{}`: {problem}", path::cut(text));
    if text.len() > MAX_TEXT_BYTES {
        return Err(problem(format!("longer than {MAX_TEXT_BYTES} bytes")));
    }
    let pattern = PathPattern::parse(text).map_err(|error| match error {
        PathError::Syntax {
            at, problem: what, ..
        } => problem(format!("{what} at byte {at}")),
        PathError::Limit(limit) => problem(limit.to_string()),
    })?;
    if pattern.is_private() {
        return Err(problem(
            "a key that begins with `_` is private to the host".into(),
        ));
    }
    for (name, step) in pattern.params() {
        let Some(parameter) = parameters.iter().find(|it| it.name == name.as_str()) else {
            return Err(problem(format!("there is no parameter `{name}`")));
        };
        if parameter.optional || parameter.secret {
            return Err(problem(format!(
                "`{{{name}}}` stands for an optional or secret parameter, which no path may depend on"
            )));
        }
        let fits = match step {
            Step::IndexParam(_) => parameter.kind == Kind::Int,
            _ => matches!(parameter.kind, Kind::Int | Kind::String),
        };
        if !fits {
            return Err(problem(format!(
                "`{{{name}}}` stands for a parameter of kind {}, expected a string or int for a key, an int for an index",
                parameter.kind
            )));
        }
    }
    Ok(pattern)
}

/// What a parameter may be called.
pub(super) fn check_parameter(name: &str) -> Result<(), String> {
    const RESERVED: [&str; 5] = ["args", "domain", "global", "result", "old"];
    check_name("parameter", name)?;
    if RESERVED.contains(&name) {
        return Err(format!(
            "a parameter may not be called `{name}`: rules use that name"
        ));
    }
    Ok(())
}

/// What an error of a process may be called.
pub(super) fn check_error(name: &str) -> Result<(), String> {
    check_name("error", name)?;
    if name == "Decode" {
        return Err("the error name `Decode` is reserved".into());
    }
    Ok(())
}

pub(super) fn check_name(what: &str, name: &str) -> Result<(), String> {
    let bare = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            && name
                .bytes()
                .next()
                .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
    };
    if name.len() > MAX_NAME_BYTES || !bare(name) {
        return Err(format!(
            "the {what} name `{}` is not allowed: expected a letter or `_`, then letters, digits, `_` or `-`, at most {MAX_NAME_BYTES} bytes",
            path::cut(name)
        ));
    }
    Ok(())
}

fn parse_side_effects(texts: &[String]) -> Result<Vec<SideEffect>, String> {
    unique("side effect", texts)?;
    let effects: Result<Vec<_>, _> = texts.iter().map(|text| SideEffect::parse(text)).collect();
    let effects = effects.map_err(|error| error.to_string())?;
    let mut directories = HashSet::new();
    let mut named = effects.iter().filter_map(SideEffect::directory);
    match named.find(|name| !directories.insert(*name)) {
        Some(twice) => Err(format!(
            "the directory `{twice}` is asked for twice, as `fs:{twice}` and as `fs-rw:{twice}`"
        )),
        None => Ok(effects),
    }
}

fn unique(what: &str, names: &[String]) -> Result<(), String> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(format!(
            "the {what} `{}` is declared twice",
            path::cut(twice)
        )),
        None => Ok(()),
    }
}
