//! `audit gen-spec`: a recipe to begin with. What an operator wrote is never changed, only added to.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::target;
use crate::cli::text::list;
use clap::Args;
use serde::Serialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use theus_core::audit::{Merged, merge, skeleton};
use theus_core::code::Code;
use theus_host::Limits;

/// The words of `audit gen-spec`.
#[derive(Args, Debug)]
pub(super) struct GenSpec {
    /// A component, a core module built with an SDK, or a guest's source folder (built first)
    target: PathBuf,
}

/// What is printed: the recipe, or what became of the file.
#[derive(Serialize)]
struct Report {
    /// The file of `--out`.
    file: Option<String>,
    /// The processes that the recipe did not name before.
    added: Vec<String>,
    /// The whole recipe.
    recipe: String,
    error: (),
}

impl GenSpec {
    /// Makes the skeleton and prints it, or adds it to the file of `--out`.
    pub(super) fn execute(&self, out: Option<&Path>, output: &mut Output) -> Result<u8, Failure> {
        let loaded = target::load(&self.target, &Limits::default(), output)?;
        let contracts = &loaded.guest.contracts;
        let Some(file) = out else {
            let report = Report {
                file: None,
                added: contracts.iter().map(|it| it.name.clone()).collect(),
                recipe: skeleton(contracts),
                error: (),
            };
            if output.is_json() {
                output.json(&report)?;
            } else {
                output.data(&report.recipe)?;
            }
            return Ok(exit::OK);
        };
        let before = read(file)?;
        let origin = file.display().to_string();
        let Merged { text, added, .. } =
            merge(before.as_deref().unwrap_or_default(), &origin, contracts)
                .map_err(|problem| Failure::with_lines(Code::RecipeFile, problem))?;
        if before.as_deref() != Some(text.as_str()) {
            files::replace(file, text.as_bytes())?;
        }
        if output.is_json() {
            output.json(&Report {
                file: Some(origin),
                added,
                recipe: text,
                error: (),
            })?;
        } else {
            output.note(&format!("{origin}: added {}\n", list(&added, "nothing")));
        }
        Ok(exit::OK)
    }
}

/// What the file holds; none where there is no file.
fn read(file: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", file, &error)),
    }
}
