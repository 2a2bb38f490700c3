//! Contracts: what a process declares of itself. Data in the guest's `theus:contract` section, never code.

mod file;
mod raw;

use self::raw::RawContract;
pub(crate) use self::raw::parse_path;
use crate::path::{self, Layer};
use crate::pattern::PathPattern;
use crate::side_effect::SideEffect;
pub use crate::source::error::FileErrors as ContractFileErrors;
use crate::value::Value;
use crate::zone::Zone;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// The custom section that holds a guest's contracts, one JSON object per line.
pub const SECTION: &str = "theus:contract";

/// The most bytes that the section may have.
pub const MAX_SECTION_BYTES: usize = 256 * 1024;

const MAX_PROCESSES: usize = 256;
pub(crate) const MAX_ITEMS: usize = 256;
const MAX_NAME_BYTES: usize = 128;
pub(crate) const MAX_TEXT_BYTES: usize = 1024;

/// What one process declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The process's name.
    pub name: String,
    /// One line for a person.
    pub summary: String,
    /// The arguments it takes, in order.
    pub parameters: Vec<Parameter>,
    /// Places it reads.
    pub inputs: Vec<PathPattern>,
    /// Places it writes.
    pub outputs: Vec<PathPattern>,
    /// Reaches outside the context that it asks for.
    pub side_effects: Vec<SideEffect>,
    /// The errors it may end with.
    pub errors: Vec<String>,
}

/// One argument of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The argument's name.
    pub name: String,
    /// The kind of value it takes.
    pub kind: Kind,
    /// Whether it may be left out or nil.
    pub optional: bool,
    /// Whether its value is masked in logs and records.
    pub secret: bool,
}

/// The kind of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Text.
    String,
    /// Binary data.
    Bytes,
    /// Values in order.
    List,
    /// Values by key.
    Map,
    /// Anything.
    Any,
}

/// Why a contract section is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the contract section: {problem}")]
pub struct ContractError {
    /// The line, from 1; 0 for the section as a whole.
    pub line: usize,
    /// The process, where the line names one.
    pub process: Option<String>,
    /// What is wrong, and what was expected.
    pub problem: String,
}

/// Why strict mode refuses a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrictError {
    /// An input names a signal or meta key.
    #[error("the input `{path}` is in the {} zone, which processes do not read", zone.name())]
    UnreadableInput {
        /// The contract's path.
        path: String,
        /// Its zone.
        zone: Zone,
    },
    /// An output names the configuration layer.
    #[error("the output `{path}` is in `global`, which processes do not write")]
    GlobalOutput {
        /// The contract's path.
        path: String,
    },
}

impl StrictError {
    /// The contract's path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::UnreadableInput { path, .. } | Self::GlobalOutput { path } => path,
        }
    }
}

impl Contract {
    /// Parses a `theus:contract` section.
    ///
    /// # Errors
    ///
    /// The first line that is no contract, and why.
    ///
    /// # Security
    ///
    /// The bytes come with the guest. Sizes and counts are bounded; nothing of the guest is run.
    pub fn parse_section(bytes: &[u8]) -> Result<Vec<Self>, ContractError> {
        let whole = |problem: String| ContractError {
            line: 0,
            process: None,
            problem,
        };
        if bytes.len() > MAX_SECTION_BYTES {
            return Err(whole(format!(
                "it has {} bytes, at most {MAX_SECTION_BYTES} are allowed",
                bytes.len()
            )));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| whole("it is not UTF-8".into()))?;
        let mut contracts: Vec<Self> = Vec::new();
        let mut names = HashSet::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let contract = Self::parse_line(line).map_err(|(process, problem)| ContractError {
                line: number + 1,
                process,
                problem,
            })?;
            if !names.insert(contract.name.clone()) {
                return Err(ContractError {
                    line: number + 1,
                    problem: format!("the process `{}` is declared twice", contract.name),
                    process: Some(contract.name),
                });
            }
            if contracts.len() == MAX_PROCESSES {
                return Err(whole(format!("more than {MAX_PROCESSES} processes")));
            }
            contracts.push(contract);
        }
        if contracts.is_empty() {
            return Err(whole("it declares no process".into()));
        }
        Ok(contracts)
    }

    /// The contracts as a `theus:contract` section.
    ///
    /// # Errors
    ///
    /// More of them than a section may hold.
    pub fn section(contracts: &[Self]) -> Result<String, ContractError> {
        let mut section = String::new();
        for contract in contracts {
            let line = serde_json::to_string(&RawContract::from(contract)).map_err(|error| {
                ContractError {
                    line: 0,
                    process: Some(contract.name.clone()),
                    problem: error.to_string(),
                }
            })?;
            section.push_str(&line);
            section.push('\n');
        }
        // What is written is what will be read.
        Self::parse_section(section.as_bytes())?;
        Ok(section)
    }

    /// Judges the contract by the rules of strict mode.
    ///
    /// # Errors
    ///
    /// The first input or output that strict mode does not allow; [`Contract::strict_errors`] has all of them.
    pub fn check_strict(&self) -> Result<(), StrictError> {
        self.strict_errors().next().map_or(Ok(()), Err)
    }

    /// Every input and output that strict mode does not allow.
    pub fn strict_errors(&self) -> impl Iterator<Item = StrictError> {
        let unreadable = self.inputs.iter().filter(|it| !it.zone().is_readable());
        let inputs = unreadable.map(|input| StrictError::UnreadableInput {
            path: input.to_string(),
            zone: input.zone(),
        });
        let global = self.outputs.iter().filter(|it| it.layer() == Layer::Global);
        inputs.chain(global.map(|output| StrictError::GlobalOutput {
            path: output.to_string(),
        }))
    }

    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    fn parse_line(line: &str) -> Result<Self, (Option<String>, String)> {
        if !line.trim_start().starts_with('{') {
            return Err((None, "expected one JSON object".into()));
        }
        let raw: RawContract =
            serde_json::from_str(line).map_err(|error| (None, error.to_string()))?;
        let name = raw.name.clone();
        raw.parse()
            .map_err(|problem| (Some(path::cut(&name)), problem))
    }
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Bool,
        Self::Int,
        Self::Float,
        Self::String,
        Self::Bytes,
        Self::List,
        Self::Map,
        Self::Any,
    ];

    /// The kind of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind's name, as contracts spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Any => "any",
        }
    }

    /// Whether a value is of the kind; a whole number is a float too.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Float => matches!(value, Value::Float(_) | Value::Int(_) | Value::UInt(_)),
            other => value.kind() == other.name(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAREHOUSE: &str = r#"{"name":"add_product","summary":"Adds a product","parameters":[{"name":"product_name","kind":"string","optional":false,"secret":false},{"name":"price","kind":"int"}],"inputs":["domain.items"],"outputs":["domain.items","domain.total_value"],"side_effects":[],"errors":["ValueError"]}"#;

    #[test]
    fn a_section_holds_one_contract_per_line() {
        let section = format!("{WAREHOUSE}\n{{\"name\":\"other\"}}\n\n");
        let contracts = Contract::parse_section(section.as_bytes()).expect("section");
        assert_eq!(contracts.len(), 2);
        assert_eq!(contracts[0].parameters[1].kind, Kind::Int);
        assert_eq!(contracts[0].outputs[1].to_string(), "domain.total_value");
        assert_eq!(contracts[1].name, "other");
    }

    fn refusal(line: &str) -> String {
        match Contract::parse_section(line.as_bytes()) {
            Ok(_) => panic!("accepted: {line}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_contract_is_refused_with_its_place() {
        for (line, expected) in [
            ("", "declares no process"),
            ("{", "EOF"),
            ("[]", "expected one JSON object"),
            (r#"{"name":"a","nmae":1}"#, "unknown field `nmae`"),
            (r#"{"name":"a","name":"b"}"#, "duplicate field"),
            (r#"{"name":""}"#, "process name"),
            (r#"{"name":"a b"}"#, "process name"),
            (
                "{\"name\":\"a\"}\n{\"name\":\"a\"}",
                "line 2 of the contract section: the process `a` is declared twice",
            ),
            (r#"{"name":"a","inputs":["domain..x"]}"#, "at byte 7"),
            (
                r#"{"name":"a","inputs":["domain._x"]}"#,
                "private to the host",
            ),
            (
                r#"{"name":"a","inputs":["domain.{p}"]}"#,
                "no parameter `p`",
            ),
            (
                r#"{"name":"a","inputs":["domain.x","domain.x"]}"#,
                "declared twice",
            ),
            (
                r#"{"name":"a","parameters":[{"name":"p","kind":"text"}]}"#,
                "unknown variant `text`",
            ),
            (
                r#"{"name":"a","parameters":[{"name":"old","kind":"int"}]}"#,
                "may not be called `old`",
            ),
            (
                r#"{"name":"a","parameters":[{"name":"p","kind":"int","optional":true}],"outputs":["domain.{p}"]}"#,
                "optional or secret",
            ),
            (
                r#"{"name":"a","parameters":[{"name":"p","kind":"float"}],"outputs":["domain.{p}"]}"#,
                "of kind float",
            ),
            (
                r#"{"name":"a","side_effects":["net"]}"#,
                "unknown side effect `net`",
            ),
            (
                r#"{"name":"a","side_effects":["clokc"]}"#,
                "did you mean `clock`?",
            ),
            (
                r#"{"name":"a","side_effects":["fs:x","fs-rw:x"]}"#,
                "the directory `x` is asked for twice",
            ),
            (
                r#"{"name":"a","side_effects":["clock","clock"]}"#,
                "the side effect `clock` is declared twice",
            ),
            (r#"{"name":"a","errors":["Decode"]}"#, "reserved"),
        ] {
            let message = refusal(line);
            assert!(message.contains(expected), "{line}: {message}");
        }
        assert!(Contract::parse_section(&[0xff]).is_err());
        assert!(Contract::parse_section(&vec![b' '; MAX_SECTION_BYTES + 1]).is_err());
    }

    #[test]
    fn strict_mode_judges_zones() {
        let check =
            |line: &str| Contract::parse_section(line.as_bytes()).expect(line)[0].check_strict();
        assert_eq!(check(WAREHOUSE), Ok(()));
        assert_eq!(
            check(r#"{"name":"a","outputs":["domain.sig_x","domain.meta_y"]}"#),
            Ok(())
        );
        for line in [
            r#"{"name":"a","inputs":["domain.sig_x"]}"#,
            r#"{"name":"a","inputs":["domain.box.meta_x.y"]}"#,
            r#"{"name":"a","outputs":["global.max"]}"#,
            r#"{"name":"a","outputs":["global"]}"#,
        ] {
            assert!(check(line).is_err(), "{line}");
        }
        let line = r#"{"name":"a","inputs":["domain.x","domain.sig_x","domain.meta_y"],"outputs":["global.max"]}"#;
        let contract = Contract::parse_section(line.as_bytes())
            .expect(line)
            .remove(0);
        let all: Vec<_> = contract
            .strict_errors()
            .map(|it| it.path().to_owned())
            .collect();
        assert_eq!(all, ["domain.sig_x", "domain.meta_y", "global.max"]);
    }
}
