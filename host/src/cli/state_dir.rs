//! `--state DIR` of the verbs that work on a state: the flag's directory, else the one that the configuration names.

use super::config::{ConfigFlag, StateSetup};
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use theus_core::code::Code;
use theus_host::store::{self, Store, StoreError};

/// The directory of a state.
#[derive(Args, Debug)]
pub(super) struct StateDir {
    /// The directory that `run --state DIR` made; without the flag, `state` of the configuration
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigFlag,
}

impl StateDir {
    /// The directory, whether there is a state in it or not.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        StateSetup::read(&self.config)?.state.ok_or_else(|| {
            Failure::new(Code::CommandLine, "no state is named")
                .help("name its directory: --state DIR, or `state` in theus.toml")
        })
    }

    /// Opens the state; says so where that takes long.
    pub(super) fn open(&self, output: &Output) -> Result<Arc<dyn Store>, Failure> {
        let path = self.path()?;
        let opened = during(output, "opening the state", || {
            store::open(&path, |_, _| {})
        });
        Ok(opened?)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), &error).help_if(error.help())
    }
}
