//! Failures of the command line: what ended a command before there was a receipt.

use super::exit;
use super::text::{escape, escape_lines};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;
use theus_core::audit::{RecipeError, RecipeErrors};
use theus_core::code::Code;
use theus_core::context_guard::Mode;
use theus_host::build::BuildError;
use theus_host::component::ComponentError;
use theus_host::guest::GuestError;
use theus_host::{Durability, ErrorReport, Outcome, RegisterError, Stats};

/// What ended a command before there was a receipt.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    // Boxed, because failures travel in results.
    pub(super) report: Box<ErrorReport>,
    // Line breaks in the message are the host's own: a snippet of a file, cargo's output.
    lines: Lines,
    mode: Mode,
    dry_run: bool,
    /// The same problem by problem, where they stand in a file.
    pub(super) problems: Vec<FileProblem>,
}

/// One problem of a file, for programs that show it at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct FileProblem {
    file: String,
    /// From 1; 0 for the file as a whole.
    line: u32,
    column: u32,
    message: String,
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    One,
    Several,
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Display) -> Self {
        Self {
            report: Box::new(ErrorReport {
                code: code.to_string(),
                kind: code.kind(),
                message: message.to_string(),
                help: None,
                path: None,
                process: None,
            }),
            lines: Lines::One,
            mode: Mode::Strict,
            dry_run: false,
            problems: Vec::new(),
        }
    }

    /// A failure whose message has several lines, all of them put together by the host.
    pub(super) fn with_lines(code: Code, message: impl Display) -> Self {
        Self {
            lines: Lines::Several,
            ..Self::new(code, message)
        }
    }

    /// Everything that is wrong with a file, each with its place.
    pub(super) fn in_file(code: Code, errors: &RecipeErrors) -> Self {
        let problem = |error: &RecipeError| FileProblem {
            file: error.origin.to_string(),
            line: error.line,
            column: error.column,
            message: error.message.clone(),
            help: error.help.clone(),
        };
        Self {
            problems: errors.errors.iter().map(problem).collect(),
            ..Self::with_lines(code, errors)
        }
    }

    /// A file that cannot be read or written.
    pub(super) fn file(verb: &str, file: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot {verb} {}: {error}", file.display());
        Self::new(Code::Unreadable, message)
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.report.help = Some(help.into());
        self
    }

    pub(super) fn help_if(mut self, help: Option<String>) -> Self {
        self.report.help = help.or(self.report.help);
        self
    }

    pub(super) fn process(mut self, process: &str) -> Self {
        self.report
            .process
            .get_or_insert_with(|| process.to_owned());
        self
    }

    /// Notes the line and the column that the message begins with.
    pub(super) fn at(mut self, file: &str, place: (usize, usize), message: &str) -> Self {
        let number = |it| u32::try_from(it).unwrap_or(u32::MAX);
        self.problems.push(FileProblem {
            file: file.to_owned(),
            line: number(place.0),
            column: number(place.1),
            message: message.to_owned(),
            help: None,
        });
        self
    }

    /// Puts what the failure is about in front of the message.
    pub(super) fn about(mut self, what: impl Display) -> Self {
        self.report.message = format!("{what}: {}", self.report.message);
        self
    }

    /// Notes how the run that did not begin was asked for.
    pub(super) fn of_run(mut self, mode: Mode, dry_run: bool) -> Self {
        self.mode = mode;
        self.dry_run = dry_run;
        self
    }

    pub(super) fn exit_code(&self) -> u8 {
        exit::code(self.report.kind)
    }

    /// The message, fit for a terminal.
    pub(super) fn message(&self) -> Cow<'_, str> {
        match self.lines {
            Lines::One => escape(&self.report.message),
            Lines::Several => escape_lines(&self.report.message),
        }
    }

    /// The object that `-o json` prints for it.
    pub(super) fn object(&self) -> Refused<'_> {
        Refused {
            outcome: Outcome::Refused,
            process: self.report.process.as_deref(),
            result: (),
            version: 0,
            changes: [],
            signals: [],
            outbox: [],
            audit: [],
            error: &self.report,
            stats: Stats::default(),
            warnings: [],
            mode: self.mode,
            durability: Durability::Memory,
            journal: (),
            dry_run: self.dry_run,
            log: [],
            violations: [],
            outside: (),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::with_lines(error.code(), &error).help_if(error.help())
    }
}

impl From<ComponentError> for Failure {
    fn from(error: ComponentError) -> Self {
        Self::new(error.code(), &error).help_if(error.help())
    }
}

impl From<GuestError> for Failure {
    fn from(error: GuestError) -> Self {
        Self::new(error.code(), &error).help_if(error.help())
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        if let RegisterError::Recipe(errors) = &error {
            return Self::in_file(error.code(), errors);
        }
        let lines = match error {
            RegisterError::NotInSchema { .. } => Lines::Several,
            _ => Lines::One,
        };
        Self {
            report: Box::new(ErrorReport::from(&error)),
            lines,
            ..Self::new(error.code(), "")
        }
    }
}

/// A receipt's object for a run that did not begin: the same keys, nearly all of them empty.
#[derive(Serialize)]
pub(super) struct Refused<'a> {
    outcome: Outcome,
    process: Option<&'a str>,
    result: (),
    version: u64,
    changes: [(); 0],
    signals: [(); 0],
    outbox: [(); 0],
    audit: [(); 0],
    error: &'a ErrorReport,
    stats: Stats,
    warnings: [(); 0],
    mode: Mode,
    durability: Durability,
    journal: (),
    dry_run: bool,
    log: [(); 0],
    violations: [(); 0],
    outside: (),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;
    use theus_host::Receipt;

    #[test]
    fn a_refused_command_prints_every_key_of_a_receipt() {
        let failure = Failure::new(Code::CommandLine, "no").of_run(Mode::Permissive, true);
        let keys = |json: Json| -> Vec<String> {
            json.as_object().expect("object").keys().cloned().collect()
        };
        let receipt = serde_json::to_value(Receipt::refused(None)).expect("json");
        let object = serde_json::to_value(failure.object()).expect("json");
        assert_eq!(object["error"]["kind"], "usage");
        assert_eq!(object["outcome"], "refused");
        assert_eq!(object["mode"], "permissive");
        assert_eq!(object["dry_run"], true);
        assert_eq!(keys(object), keys(receipt));
    }

    #[test]
    fn only_the_host_breaks_lines() {
        let one = Failure::new(Code::Arguments, "a\nb").about("guest.wasm");
        assert_eq!(one.message(), "guest.wasm: a\\nb");
        assert_eq!(
            Failure::with_lines(Code::ContextFile, "a\nb").message(),
            "a\nb"
        );
        assert_eq!(one.exit_code(), 2);
    }
}
