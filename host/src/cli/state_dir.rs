//! `--state DIR` of the verbs that look into a state.

use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use theus_host::store::{self, Store, StoreError};

/// The directory of a state.
#[derive(Args, Debug)]
pub(super) struct StateDir {
    /// The directory that `run --state DIR` made
    #[arg(long, value_name = "DIR")]
    pub(super) state: PathBuf,
}

impl StateDir {
    /// Opens the state; says so where that takes long.
    pub(super) fn open(&self, output: &Output) -> Result<Arc<dyn Store>, Failure> {
        let opened = during(output, "opening the state", || {
            store::open(&self.state, |_, _| {})
        });
        Ok(opened?)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), &error).help_if(error.help())
    }
}
