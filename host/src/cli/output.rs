//! Where output goes: results and data to the standard output or a file, everything else to the standard error.

use super::Common;
use super::color::{Role, Style, When};
use super::exit;
use super::failure::Failure;
use super::report;
use super::text::{escape, escape_json};
use clap::ValueEnum;
use serde::Serialize;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use theus_core::code::Code;

/// The format of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object, whatever happens
    Json,
}

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Results and errors.
    Quiet,
    /// The contract, progress, warnings and the guest's log as well.
    Normal,
    /// Costs and whole values as well.
    Verbose,
}

/// Writes what a command has to say.
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) verbosity: Verbosity,
    /// The style of results.
    pub(super) style: Style,
    /// The style of everything else.
    pub(super) note_style: Style,
    pub(super) color: When,
    file: Option<File>,
    /// Whether a piece has been written.
    has_begun: bool,
}

/// Who reads what is written in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Listens,
    /// They closed the pipe: they have read enough.
    Gone,
}

impl Output {
    pub(super) fn new(common: &Common) -> Self {
        let mut output = Self::plain(common.output, common.color);
        output.verbosity = common.verbosity();
        if common.out.is_some() && common.color == When::Auto {
            output.style = Style::PLAIN;
        }
        output
    }

    /// An output to the standard streams, before the command line is known in full.
    pub(super) fn plain(format: Format, color: When) -> Self {
        Self {
            format,
            verbosity: Verbosity::Normal,
            style: color.style(&io::stdout()),
            note_style: color.style(&io::stderr()),
            color,
            file: None,
            has_begun: false,
        }
    }

    /// Opens the file of `--out`, before anything is done whose result could not be written.
    pub(super) fn open(&mut self, file: Option<&Path>) -> Result<(), Failure> {
        let Some(path) = file else { return Ok(()) };
        // What the file holds stays until there is something to replace it with.
        let opened = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        self.file = Some(opened.map_err(|error| Failure::file("write", path, &error))?);
        Ok(())
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether the output goes where nobody looks at once.
    pub(super) fn is_aside(&self) -> bool {
        self.file.is_some()
    }

    /// Writes results: a command does it once.
    pub(super) fn data(&mut self, text: &str) -> Result<(), Failure> {
        let written = match self.file.take() {
            Some(file) => replace(&file, text),
            None => to_stdout(text),
        };
        match written {
            // Who closed the pipe has read enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&error)),
            _ => Ok(()),
        }
    }

    /// Writes one of several pieces as soon as it is there. Whether anybody reads on.
    pub(super) fn piece(&mut self, text: &str) -> Result<Reader, Failure> {
        let begins = !std::mem::replace(&mut self.has_begun, true);
        let written = match &mut self.file {
            Some(file) if begins => replace(file, text),
            Some(file) => file.write_all(text.as_bytes()),
            None => to_stdout(text),
        };
        match written {
            Ok(()) => Ok(Reader::Listens),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => Err(unwritten(&error)),
        }
    }

    /// Writes an object as JSON.
    pub(super) fn json(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(object)
            .map_err(|error| Failure::new(Code::HostFailed, error))?;
        text.push('\n');
        self.data(&escape_json(&text))
    }

    /// Writes an object as one line of JSON, as a piece.
    pub(super) fn json_line(&mut self, object: &impl Serialize) -> Result<Reader, Failure> {
        let text =
            serde_json::to_string(object).map_err(|error| Failure::new(Code::HostFailed, error))?;
        self.piece(&(escape_json(&text) + "\n"))
    }

    /// Writes to the standard error stream, unless `-q` is given. The text ends its own lines.
    pub(super) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.complain(text);
        }
    }

    /// Writes a warning to the standard error stream, unless `-q` is given.
    pub(super) fn warn(&self, warning: &str) {
        let label = self.note_style.paint(Role::Notice, "warning:");
        self.note(&format!("{label} {}\n", escape(warning)));
    }

    /// Writes to the standard error stream, whatever is asked for.
    pub(super) fn complain(&self, text: &str) {
        // Where the error stream is gone there is nobody left to tell.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Ends a command that failed before there was a receipt.
    pub(super) fn fail(&mut self, failure: &Failure) -> u8 {
        // In JSON the object says it; where that goes to a file, or cannot be written, a person still wants to know.
        let aside = self.is_aside();
        let written = match self.format {
            // It comes behind what was written before.
            Format::Json if self.has_begun => self.json_line(&failure.object()).map(drop),
            Format::Text if self.has_begun => Ok(()),
            Format::Json => self.json(&failure.object()),
            // No result: nothing of an earlier one may look like it.
            Format::Text if aside => self.data(""),
            Format::Text => Ok(()),
        };
        if self.format == Format::Text || aside || written.is_err() {
            self.complain(&report::failure(
                &failure.report,
                &failure.message(),
                self.note_style,
            ));
        }
        match written {
            Ok(()) => failure.exit_code(),
            Err(error) => {
                self.complain(&report::failure(
                    &error.report,
                    &error.message(),
                    self.note_style,
                ));
                exit::HOST
            }
        }
    }
}

fn to_stdout(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::new(
        Code::HostFailed,
        format!("cannot write the output: {error}"),
    )
}

fn replace(mut file: &File, text: &str) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
}
