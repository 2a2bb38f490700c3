//! `componentize`: a guest of a core module that any compiler may have made, checked as `run` would check it.

use super::artefact::Artefact;
use super::exit;
use super::failure::Failure;
use super::files;
use super::output::Output;
use super::progress::during;
use super::target::{self, FileForm};
use clap::Args;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_host::component::componentize;
use theus_host::guest::Guest;
use theus_host::{Engine, Limits};

/// The flags and words of `componentize`.
#[derive(Args, Debug)]
#[command(override_usage = "theus-host componentize [OPTIONS] --out <FILE> <MODULE>")]
pub(super) struct Componentize {
    /// A core module, or a component that contracts are to be added to
    module: PathBuf,
    /// The contracts to add: YAML, one contract or a list of them
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
}

impl Componentize {
    /// Makes the component and writes it to the file of `--out`.
    pub(super) fn execute(&self, out: Option<&Path>, output: &mut Output) -> Result<u8, Failure> {
        let Some(out) = out else {
            let problem = "no file is named that the component is to be written to";
            return Err(Failure::new(Code::CommandLine, problem).help("add --out FILE"));
        };
        let limits = Limits::default();
        let contracts = self.contract.as_deref().map_or(Ok(Vec::new()), read)?;
        let module = target::read(&self.module, &limits)?;
        let about = |failure: Failure| failure.about(self.module.display());
        let component = componentize(&module, &contracts).map_err(|error| about(error.into()))?;
        let guest = during(output, "compiling the guest", || examine(&component))
            .map_err(|failure| self.with_contract_flag(about(failure)))?;
        files::replace(out, &component)?;
        Artefact::new(out, FileForm::Component, guest.size, &guest).print(output)?;
        Ok(exit::OK)
    }

    /// Who makes a guest without an SDK has no attribute to add.
    fn with_contract_flag(&self, failure: Failure) -> Failure {
        let missing = failure.report.code == Code::ContractMissing.as_str();
        let help = "declare its processes in a file, and name it with --contract FILE";
        failure.help_if(missing.then(|| help.to_owned()))
    }
}

/// Reads a contract file.
fn read(file: &Path) -> Result<Vec<Contract>, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
    Contract::parse_file(&text, &file.display().to_string())
        .map_err(|errors| Failure::with_lines(Code::ContractFile, errors))
}

/// What `run` would refuse, but for what only the operator of a run can grant.
fn examine(component: &[u8]) -> Result<Guest, Failure> {
    let engine = Engine::builder()
        .build()
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    Ok(engine.examine(component.to_vec())?)
}
