//! A build command of a configuration file.

use crate::cli::failure::Failure;
use crate::cli::output::{Output, Verbosity};
use crate::cli::text::escape;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use theus_core::code::Code;
use theus_core::config::Component;

/// A program and its arguments, run in a folder without a shell.
#[derive(Debug)]
pub(super) struct Command {
    words: Vec<String>,
    folder: PathBuf,
}

impl Command {
    /// The build command of a component.
    pub(super) fn of(component: &Component, folder: &Path) -> Option<Self> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        component.build.as_ref().map(|words| Self {
            words: words.clone(),
            folder: folder.to_owned(),
        })
    }

    /// Runs the command.
    ///
    /// # Security
    ///
    /// It runs with the rights of whoever runs the host, like cargo's build scripts: naming the folder, or writing the
    /// command into the operator's file, is trusting its author.
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let line = self.words.join(" ");
        let folder = self.folder.display();
        output.note(&escape_line(&format!(
            "building in {folder}: {line}; this runs a command of its author with your rights"
        )));
        let Some((program, arguments)) = self.words.split_first() else {
            return Ok(());
        };
        let failed = |detail: String| {
            Failure::with_lines(
                Code::BuildFailed,
                format!("the build command `{line}` in {folder} failed{detail}"),
            )
            .help("mend what it reports; it runs in the folder of its theus.toml, without a shell")
        };
        // A program beside the file is found there, wherever the system would look for it.
        let program = if program.contains('/') {
            let folder = self.folder.canonicalize();
            folder.map_or_else(|_| program.into(), |folder| folder.join(program))
        } else {
            PathBuf::from(program)
        };
        let mut command = process::Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        let is_shown = !output.is_json() && output.verbosity > Verbosity::Quiet;
        if is_shown {
            // Results alone go to the standard output.
            command.stdout(std::io::stderr()).stderr(Stdio::inherit());
        }
        let ran = command
            .output()
            .map_err(|error| failed(format!(": it cannot be started: {error}")))?;
        if ran.status.success() {
            return Ok(());
        }
        let printed = [ran.stdout, ran.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        Err(failed(match printed.trim() {
            "" => format!(": {}", ran.status),
            printed => format!(": {}\n{printed}", ran.status),
        }))
    }
}

fn escape_line(text: &str) -> String {
    format!("{}\n", escape(text))
}
