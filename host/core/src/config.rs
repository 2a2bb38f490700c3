//! `theus.toml`: what an operator writes down instead of saying it by flags at every command.
//!
//! A file is read by the trust that its reader has in it: [`Trust::Operator`] for the file of whoever runs the guest,
//! [`Trust::Guest`] for the one that came with a guest's folder. The latter says where things are; it grants nothing.
//! The language is described in `host/docs/configuration.md`.
//!
//! ```
//! use theus_core::config::{Config, Trust};
//!
//! let file = "version = 1\n[policy.add_product]\noutputs = [\"domain.items\"]\n";
//! assert!(Config::parse(file, "theus.toml", Trust::Operator).is_ok());
//! assert!(Config::parse(file, "guest/theus.toml", Trust::Guest).is_err());
//! ```

mod amounts;
mod policies;
mod reader;

pub use self::amounts::{
    LimitFlag, LimitFlagError, LimitOverrides, amounts, changed_limits, limits_of_amounts,
};
pub use self::policies::{FittingPolicies, PolicyGrant, PolicyMisfit};
pub use crate::source::error::FileErrors as ConfigErrors;

use crate::source::Node;
use crate::source::error::{Place, Report, Source};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The name that a configuration file has in its folder.
pub const CONFIG_FILE_NAME: &str = "theus.toml";

/// The most bytes that a configuration file may have.
pub const MAX_CONFIG_BYTES: usize = 64 * 1024;

/// The version of the format that this host reads.
pub const CONFIG_VERSION: i64 = 1;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// That of whoever runs the guest: it may say everything.
    Operator,
    /// The one that came with the guest: where its context, schema, recipe and components are, and how they are built.
    Guest,
}

/// A configuration file of theus-host. What it leaves out keeps its default; flags win over what it says.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "theus.toml", deny_unknown_fields))]
pub struct Config {
    #[cfg_attr(test, schemars(skip))]
    source: Arc<Source>,
    /// The version of this format: 1.
    #[cfg_attr(test, schemars(range(min = 1, max = 1)))]
    version: u32,
    /// The initial context: YAML, or JSON where the name ends in .json. Relative to this file, as every path here.
    pub context: Option<String>,
    /// The schema: what the context may hold.
    pub schema: Option<String>,
    /// The audit recipe: rules for the input gate and the output gate.
    pub recipe: Option<String>,
    /// The directory in which the context lasts from run to run, or a table; `context` then is its beginning. Only in the operator's file.
    #[cfg_attr(test, schemars(with = "Option<StateForms>"))]
    pub state: Option<StateConfig>,
    /// Lets contract and zone violations pass and reports them; for developing a contract. Only in the operator's file.
    pub permissive: Option<bool>,
    /// The guests of this file by name, and a folder to scan for more.
    #[cfg_attr(test, schemars(default))]
    pub components: Components,
    /// What processes get of what their contracts ask for, by process: less, never more. Only in the operator's file.
    #[cfg_attr(test, schemars(default))]
    pub policy: BTreeMap<String, PolicyGrant>,
    /// Side effects that processes may have if their contracts ask for them. Only in the operator's file.
    #[cfg_attr(test, schemars(default))]
    pub grants: Grants,
    /// The limits of every call. Only in the operator's file.
    #[cfg_attr(test, schemars(default))]
    pub limits: LimitOverrides,
}

/// The guests of a file.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Components {
    /// A folder: every .wasm file and every guest's folder directly in it is a component, named for it.
    pub scan: Option<String>,
    /// The others, by name.
    #[cfg_attr(test, schemars(flatten))]
    pub by_name: BTreeMap<String, Component>,
}

/// A guest, and what it is run with.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Component {
    /// A .wasm file, or a guest's source folder, which is built first.
    pub path: String,
    /// The command that makes the .wasm file, run in this file's folder without a shell: a list of words, or a text split at blanks.
    #[cfg_attr(test, schemars(with = "Option<Build>"))]
    pub build: Option<Vec<String>>,
    /// The initial context of runs of this component.
    pub context: Option<String>,
    /// The schema of runs of this component.
    pub schema: Option<String>,
    /// The recipe of runs of this component.
    pub recipe: Option<String>,
}

/// Side effects that an operator grants.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Grants {
    /// The time of the run.
    pub clock: Option<bool>,
    /// Randomness that is different in every run.
    pub random: Option<bool>,
    /// Folders to read, by the name that contracts ask for: `fs:NAME`.
    #[cfg_attr(test, schemars(default))]
    pub directories: BTreeMap<String, String>,
    /// Folders to write into, by the name that contracts ask for: `fs-rw:NAME`.
    #[cfg_attr(test, schemars(default))]
    pub writable_directories: BTreeMap<String, String>,
}

/// Where the context lasts, and how. A text is its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct StateConfig {
    /// The directory.
    pub directory: String,
    /// Does not wait for the disk: a crash may cost the last commits.
    pub buffered: Option<bool>,
}

/// The two forms of a state.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
enum StateForms {
    #[expect(dead_code, reason = "only its schema is of use")]
    Directory(String),
    #[expect(dead_code, reason = "only its schema is of use")]
    Table(StateConfig),
}

/// The two spellings of a command.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
enum Build {
    #[expect(dead_code, reason = "only its schema is of use")]
    Line(String),
    #[expect(dead_code, reason = "only its schema is of use")]
    Words(Vec<String>),
}

impl Config {
    /// Parses a file; `origin` is what errors call it.
    ///
    /// # Errors
    ///
    /// Every problem of the file at once, each with line, column and the nearest valid word.
    ///
    /// # Security
    ///
    /// A file of [`Trust::Guest`] grants nothing: what it says beyond names, places and commands is an error. Its paths
    /// are relative and do not leave its folder as they are written; links are for the caller to look at.
    pub fn parse(text: &str, origin: &str, trust: Trust) -> Result<Self, ConfigErrors> {
        if text.len() > MAX_CONFIG_BYTES {
            let message = format!(
                "the file has {} bytes, more than the {MAX_CONFIG_BYTES} of a configuration",
                text.len()
            );
            return Err(ConfigErrors::of_file(origin, message));
        }
        let source = Source::new(origin, text);
        let root = Node::of_toml(&source, text)?;
        let config = reader::read(&source, &root, trust)?;
        Ok(Self {
            source: Arc::new(source),
            ..config
        })
    }

    /// What errors call the file.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.source.origin()
    }

    /// An error about a word of the file, where a place is known.
    fn refuse(&self, problems: Vec<(Place, String, Option<String>)>) -> Result<(), ConfigErrors> {
        let mut report = Report::new(&self.source);
        for (place, message, help) in problems {
            report.refuse(place, message, help);
        }
        report.finish(())
    }
}

/// Whether a path, as it is written, stays in the folder that it is relative to.
#[must_use]
pub fn stays_within(path: &str) -> bool {
    use std::path::Component;
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(path).components().all(inside)
}

#[cfg(test)]
mod tests;
