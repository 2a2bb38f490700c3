//! What a command that makes a guest says of it: where it is, how large, its digest, its processes.

use super::failure::Failure;
use super::output::Output;
use super::target::FileForm;
use super::text::{escape, grouped, list, size};
use serde::Serialize;
use std::path::Path;
use theus_host::guest::Guest;

/// A guest's file, as it is printed.
#[derive(Serialize)]
pub(super) struct Artefact<'a> {
    file: String,
    form: FileForm,
    bytes: u64,
    /// The component's digest, whatever the file's form: what receipts and records name.
    digest: &'a str,
    processes: Vec<&'a str>,
    error: (),
}

impl<'a> Artefact<'a> {
    pub(super) fn new(file: &Path, form: FileForm, bytes: u64, guest: &'a Guest) -> Self {
        let contracts = guest.contracts.iter();
        Self {
            file: file.display().to_string(),
            form,
            bytes,
            digest: &guest.digest,
            processes: contracts.map(|it| it.name.as_str()).collect(),
            error: (),
        }
    }

    /// Prints it as the command's result.
    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(self);
        }
        output.data(&self.text())
    }

    fn text(&self) -> String {
        let form = match self.form {
            FileForm::Component => "component",
            FileForm::CoreModule => "core module",
        };
        format!(
            "{}: {form}\n  size       {} ({} bytes)\n  digest     {}\n  processes  {}\n",
            escape(&self.file),
            size(self.bytes),
            grouped(self.bytes),
            self.digest,
            list(&self.processes, "none")
        )
    }
}
