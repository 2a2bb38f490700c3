//! What the operator's file says to the commands that are about a state, and about no target.

use super::components::Components;
use super::file::ConfigFile;
use super::{ConfigFlag, Word};
use crate::cli::failure::Failure;
use crate::cli::text::list;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_host::Limits;

/// The operator's file, as far as it is about a state.
pub(in crate::cli) struct StateSetup {
    /// The directory in which the context lasts.
    pub(in crate::cli) state: Option<PathBuf>,
    /// The limits of the file over the defaults.
    pub(in crate::cli) limits: Limits,
    schemas: BTreeSet<PathBuf>,
}

impl StateSetup {
    /// Reads the file that is named, or that of the current folder where there is one.
    pub(in crate::cli) fn read(flag: &ConfigFlag) -> Result<Self, Failure> {
        let Some(file) = ConfigFile::of_operator(flag.file().map(PathBuf::as_path))? else {
            return Ok(Self {
                state: None,
                limits: Limits::default(),
                schemas: BTreeSet::new(),
            });
        };
        Ok(Self {
            state: file
                .config
                .state
                .as_ref()
                .map(|it| file.beside(&it.directory)),
            limits: file.config.limits.applied_to(Limits::default()),
            schemas: schemas(&file)?,
        })
    }

    /// The schema's file: the flag's, else the one that the file names.
    ///
    /// Components may each have a schema of their own. Which one the context fits is then for the operator to say: checking
    /// none, or the wrong one, would look like a check.
    pub(in crate::cli) fn schema(&self, flag: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
        match (flag, self.schemas.len()) {
            (Some(flag), _) => Ok(Some(flag.to_owned())),
            (None, 0 | 1) => Ok(self.schemas.first().cloned()),
            (None, _) => {
                let names: Vec<_> = self.schemas.iter().map(|it| it.display()).collect();
                let problem = format!(
                    "the configuration names several schemas: {}",
                    list(&names, "none")
                );
                Err(Failure::new(Code::CommandLine, problem)
                    .help("say which of them the context fits: --schema FILE"))
            }
        }
    }
}

fn schemas(file: &ConfigFile) -> Result<BTreeSet<PathBuf>, Failure> {
    let of_all = Word::Schema.of_all(&file.config);
    let own: Vec<String> = match of_all {
        Some(_) => Vec::new(),
        None => Components::of(file)?.schemas(),
    };
    let named = of_all.into_iter().chain(own.iter().map(String::as_str));
    Ok(named.map(|path| file.beside(path)).collect())
}
