//! What `check` found: one row per thing that it looked at, and what it did not look at.

use super::imports::Import;
use crate::cli::color::{Role, Style};
use crate::cli::failure::{Failure, FileProblem};
use crate::cli::output::Output;
use crate::cli::text::{counted, escape};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use theus_host::ErrorReport;

/// What is printed: every check, and the first error among them.
#[derive(Serialize)]
pub(super) struct Report {
    target: String,
    pub(super) digest: Option<String>,
    pub(super) imports: Vec<Import>,
    checks: Vec<Checked>,
    not_checked: Vec<NotChecked>,
    passed: usize,
    failed: usize,
    pub(super) warnings: Vec<String>,
    error: Option<ErrorReport>,
    #[serde(skip)]
    first: Option<Failure>,
}

/// One check and how it ended.
#[derive(Serialize)]
struct Checked {
    name: &'static str,
    passed: bool,
    detail: String,
    error: Option<ErrorReport>,
    /// The error problem by problem, where they stand in a file.
    problems: Vec<FileProblem>,
}

/// What was not looked at, and why.
#[derive(Serialize)]
struct NotChecked {
    name: &'static str,
    reason: String,
}

/// What is printed of several targets.
#[derive(Serialize)]
struct All<'a> {
    components: &'a [Report],
    passed: usize,
    failed: usize,
    error: Option<&'a ErrorReport>,
}

/// Prints the reports of several targets, each under its name.
pub(super) fn print_all(reports: &[Report], output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&All {
            components: reports,
            passed: reports.iter().map(|it| it.passed).sum(),
            failed: reports.iter().map(|it| it.failed).sum(),
            error: reports.iter().find_map(|it| it.error.as_ref()),
        });
    }
    let mut text = String::new();
    for report in reports {
        report.warn(output);
        if !text.is_empty() {
            text.push('\n');
        }
        let name = output.style.paint(Role::Heading, escape(&report.target));
        let _ = writeln!(text, "{name}");
        text.push_str(&report.text(output.style));
    }
    output.data(&text)
}

impl Report {
    pub(super) fn new(target: &Path) -> Self {
        Self {
            target: target.display().to_string(),
            digest: None,
            imports: Vec::new(),
            checks: Vec::new(),
            not_checked: Vec::new(),
            passed: 0,
            failed: 0,
            warnings: Vec::new(),
            error: None,
            first: None,
        }
    }

    /// Notes how a check ended; gives what it found where it passed.
    pub(super) fn note<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Failure>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(found) => {
                self.passed += 1;
                self.checks.push(Checked {
                    name,
                    passed: true,
                    detail: detail(&found),
                    error: None,
                    problems: Vec::new(),
                });
                Some(found)
            }
            Err(failure) => {
                self.failed += 1;
                self.checks.push(Checked {
                    name,
                    passed: false,
                    detail: failure.message().into_owned(),
                    error: Some(ErrorReport::clone(&failure.report)),
                    problems: failure.problems.clone(),
                });
                if self.first.is_none() {
                    self.error = Some(ErrorReport::clone(&failure.report));
                    self.first = Some(failure);
                }
                None
            }
        }
    }

    /// Notes that something was not looked at: silence would look like passing.
    pub(super) fn skip(&mut self, name: &'static str, reason: impl Into<String>) {
        self.not_checked.push(NotChecked {
            name,
            reason: reason.into(),
        });
    }

    /// The first of these checks that failed.
    pub(super) fn failed_among(&self, names: &[&str]) -> Option<&'static str> {
        let failed = |it: &&Checked| !it.passed && names.contains(&it.name);
        self.checks.iter().find(failed).map(|it| it.name)
    }

    /// What failed first, which decides the exit code.
    pub(super) fn first(&self) -> Option<&Failure> {
        self.first.as_ref()
    }

    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(self);
        }
        self.warn(output);
        output.data(&self.text(output.style))
    }

    fn warn(&self, output: &Output) {
        for warning in &self.warnings {
            output.warn(warning);
        }
    }

    fn text(&self, style: Style) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let (word, role) = if check.passed {
                ("ok", Role::Good)
            } else {
                ("failed", Role::Bad)
            };
            let word = style.paint(role, format_args!("{word:<6}"));
            // A failed check's message is fit for a terminal already, and may have lines of its own.
            let detail = if check.passed {
                escape(&check.detail)
            } else {
                check.detail.as_str().into()
            };
            let _ = writeln!(text, "{word} {:<12} {detail}", check.name);
            let Some(error) = &check.error else { continue };
            let _ = writeln!(text, "       code: {}", error.code);
            if let Some(help) = &error.help {
                let _ = writeln!(text, "       help: {}", escape(help));
            }
        }
        for NotChecked { name, reason } in &self.not_checked {
            let word = style.paint(Role::Faint, format_args!("{:<6}", "--"));
            let _ = writeln!(text, "{word} {name:<12} not checked: {}", escape(reason));
        }
        let _ = writeln!(text, "{}", self.sum(style));
        text
    }

    fn sum(&self, style: Style) -> String {
        let all = self.passed + self.failed;
        let checks = counted(all, "check");
        let mut sum = match self.failed {
            0 => style.paint(Role::Good, format_args!("{checks} passed")),
            failed => style.paint(Role::Bad, format_args!("{failed} of {checks} failed")),
        };
        if !self.not_checked.is_empty() {
            let _ = write!(sum, ", {} not made", self.not_checked.len());
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use theus_core::code::Code;

    #[test]
    fn every_check_is_told_and_the_first_failure_decides() {
        let mut report = Report::new(Path::new("guest.wasm"));
        report.note("guest", Ok(()), |()| "component".into());
        let failed = || {
            Failure::with_lines(Code::RecipeFile, "recipe.yaml:1:1: no\n  1 | x").help("mend it")
        };
        report.note::<()>("recipe", Err(failed()), |()| String::new());
        report.note::<()>(
            "context",
            Err(Failure::new(Code::ContextFile, "no")),
            |()| String::new(),
        );
        report.skip("schema", "no schema is given");
        let expected = "\
ok     guest        component
failed recipe       recipe.yaml:1:1: no
  1 | x
       code: THEUS-U004
       help: mend it
failed context      no
       code: THEUS-U003
--     schema       not checked: no schema is given
2 of 3 checks failed, 1 not made
";
        assert_eq!(report.text(Style::PLAIN), expected);
        let json = serde_json::to_value(&report).expect("json");
        assert_eq!(json["error"]["code"], "THEUS-U004");
        assert_eq!(json["checks"][0]["passed"], true);
        assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &2.into()));
        assert_eq!(json["not_checked"][0]["name"], "schema");
        assert_eq!(report.failed_among(&["guest", "context"]), Some("context"));
        assert_eq!(report.failed_among(&["guest"]), None);
    }

    #[test]
    fn a_clean_report_says_how_much_was_checked() {
        let mut report = Report::new(Path::new("guest.wasm"));
        report.note("guest", Ok(()), |()| "component".into());
        assert!(report.text(Style::PLAIN).ends_with("\n1 check passed\n"));
        report.note("policy", Ok(()), |()| "as declared".into());
        assert!(report.text(Style::PLAIN).ends_with("\n2 checks passed\n"));
        assert!(report.first().is_none());
    }
}
