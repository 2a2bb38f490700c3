//! `test`: a guest's cases, each a command as data and what it must print.

use super::color::Role;
use super::config::{ConfigFlag, Setup};
use super::exit;
use super::failure::Failure;
use super::nearest::did_you_mean;
use super::output::Output;
use super::progress::during;
use super::text::escape_lines;
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use theus_core::code::Code;
use theus_core::path::cut;
use theus_host::testing::cases::{CaseResult, Expectations, Suite, folders};
use theus_host::{ErrorReport, Limits};

/// The flags and words of `test`.
#[derive(Args, Debug)]
pub(super) struct Test {
    /// A guest's source folder (built first), a component, or a core module built with an SDK
    target: PathBuf,
    /// The cases to run, by the names of their folders; all of them where none is named
    #[arg(value_name = "CASE")]
    names: Vec<String>,
    /// Where the cases are, one folder each; `tests/cases` in the guest's folder if it is left out
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Writes expectations that are not met anew, from what is printed now
    #[arg(long)]
    bless: bool,
    #[command(flatten)]
    config: ConfigFlag,
}

/// What is printed: every case and how it ended.
#[derive(Serialize)]
struct Report {
    guest: String,
    folder: String,
    passed: usize,
    failed: usize,
    cases: Vec<Case>,
    error: Option<ErrorReport>,
}

#[derive(Serialize)]
struct Case {
    name: String,
    passed: bool,
    failures: Vec<String>,
    blessed: Vec<&'static str>,
}

impl Test {
    /// Builds the guest once, and runs its cases.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let setup = Setup::read(&self.config, &self.target)?;
        let (cases, chosen) = self.cases(setup.location())?;
        let loaded = setup.load(&Limits::default(), output)?;
        let absolute = |file: &Path| {
            std::path::absolute(file).map_err(|error| Failure::file("find", file, &error))
        };
        let guest = absolute(&loaded.file)?;
        let chosen: Result<Vec<_>, _> = chosen.iter().map(|it| absolute(it)).collect();
        let chosen = chosen?;
        let program = std::env::current_exe().map_err(|error| {
            Failure::new(Code::HostFailed, format!("cannot find itself: {error}"))
        })?;
        let suite = Suite::new(|| command(&program))
            .stand_in("$GUEST", guest.display().to_string())
            .expectations(if self.bless {
                Expectations::Blessed
            } else {
                Expectations::Fixed
            });
        let results = during(output, "running the cases", || suite.run(&chosen));
        let report = Report::new(&self.target, &cases, results);
        report.print(output)?;
        Ok(report
            .error
            .as_ref()
            .map_or(exit::OK, |error| exit::code(error.kind)))
    }

    /// The folder of the cases, and the cases that are meant.
    fn cases(&self, guest: &Path) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
        let folder = match &self.cases {
            Some(folder) => folder.clone(),
            None => guest.join("tests/cases"),
        };
        let what = "a case is a folder in tests/cases with `cmd` and `expected.json`; --cases names another place";
        let all =
            folders(&folder).map_err(|error| Failure::file("read", &folder, &error).help(what))?;
        if all.is_empty() {
            let problem = format!("{} holds no case", folder.display());
            return Err(Failure::new(Code::Unreadable, problem).help(what));
        }
        let name = |folder: &PathBuf| {
            let name = folder.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let names: Vec<String> = all.iter().map(name).collect();
        if let Some(unknown) = self.names.iter().find(|it| !names.contains(it)) {
            let problem = format!(
                "there is no case `{}` in {}",
                cut(unknown),
                folder.display()
            );
            return Err(Failure::new(Code::CommandLine, problem)
                .help("without a name all cases are run")
                .help_if(did_you_mean(unknown, names.iter().map(String::as_str))));
        }
        let meant = |folder: &PathBuf| self.names.is_empty() || self.names.contains(&name(folder));
        let chosen = all.iter().filter(|it| meant(it)).cloned().collect();
        Ok((folder, chosen))
    }
}

/// This program again, with nothing of the environment that changes what it prints.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_remove("CLICOLOR_FORCE").env_remove("RUST_LOG");
    command
}

impl Report {
    fn new(target: &Path, folder: &Path, results: Vec<CaseResult>) -> Self {
        let cases: Vec<Case> = results.into_iter().map(Case::from).collect();
        let failed = cases.iter().filter(|it| !it.passed).count();
        let failure = (failed > 0).then(|| {
            let problem = format!("{failed} of {} cases failed", cases.len());
            let help =
                "mend the guest, or let --bless write what is printed now where that is right";
            *Failure::new(Code::CaseFailed, problem).help(help).report
        });
        Self {
            guest: target.display().to_string(),
            folder: folder.display().to_string(),
            passed: cases.len() - failed,
            failed,
            cases,
            error: failure,
        }
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(self);
        }
        let mut text = String::new();
        for case in &self.cases {
            let (word, role) = match (case.passed, case.blessed.is_empty()) {
                (true, true) => ("ok", Role::Good),
                (true, false) => ("blessed", Role::Notice),
                (false, _) => ("failed", Role::Bad),
            };
            let word = output.style.paint(role, format_args!("{word:<7}"));
            let _ = writeln!(text, "{word} {}", escape_lines(&case.name));
            for line in case.failures.iter().flat_map(|it| it.lines()) {
                let _ = writeln!(text, "        {}", escape_lines(line));
            }
        }
        let _ = writeln!(text, "{} passed, {} failed", self.passed, self.failed);
        output.data(&text)
    }
}

impl From<CaseResult> for Case {
    fn from(result: CaseResult) -> Self {
        Self {
            passed: result.passed(),
            name: result.name,
            failures: result.failures,
            blessed: result.blessed,
        }
    }
}
