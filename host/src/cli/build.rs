//! `build`: a guest's source folder made into a guest, with the compiler's own diagnostics.

use super::artefact::Artefact;
use super::config::{ConfigFlag, Setup};
use super::exit;
use super::failure::Failure;
use super::files;
use super::output::Output;
use super::target::FileForm;
use clap::Args;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_host::Limits;

/// The words of `build`.
#[derive(Args, Debug)]
pub(super) struct BuildVerb {
    /// A guest's source folder; building it runs its author's build scripts with your rights
    folder: PathBuf,
    #[command(flatten)]
    config: ConfigFlag,
}

impl BuildVerb {
    /// Builds the guest; `--out` takes the component, the compiler's own file stays where it is.
    pub(super) fn execute(&self, out: Option<&Path>, output: &mut Output) -> Result<u8, Failure> {
        if self.folder.is_file() {
            let problem = format!(
                "{} is a file: there is nothing to build",
                self.folder.display()
            );
            return Err(Failure::new(Code::CommandLine, problem)
                .help("`theus-host componentize` makes a component of a core module"));
        }
        let loaded = Setup::read(&self.config, &self.folder)?.load(&Limits::default(), output)?;
        let guest = &loaded.guest;
        let artefact = match out {
            None => Artefact::new(&loaded.file, loaded.form, loaded.file_bytes, guest),
            Some(out) => {
                files::replace(out, &loaded.component)?;
                Artefact::new(out, FileForm::Component, guest.size, guest)
            }
        };
        artefact.print(output)?;
        Ok(exit::OK)
    }
}
