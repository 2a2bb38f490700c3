//! `audit backtest`: which runs of a state a recipe would have refused or warned about.

use crate::cli::color::Style;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::progress::during;
use crate::cli::run::read_recipe;
use crate::cli::span::Span;
use crate::cli::state_dir::StateDir;
use crate::cli::table;
use crate::cli::text::{counted, escape};
use crate::cli::time_text::utc;
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use theus_core::code::Code;
use theus_host::backtest::{
    Backtest as Judging, BacktestError, BacktestReport, Halt, Judged, Listed, NotJudged, RuleReport,
};

/// The exit code where a run that committed would not have.
const REFUSED: u8 = 1;

/// The flags of `audit backtest`.
#[derive(Args, Debug)]
pub(super) struct Backtest {
    /// The recipe
    #[arg(long, value_name = "FILE")]
    audit: PathBuf,
    #[command(flatten)]
    dir: StateDir,
    #[command(flatten)]
    span: Span,
    /// Judges the runs of this process only
    #[arg(long, value_name = "NAME")]
    process: Option<String>,
    /// How many commits of a kind to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    list: usize,
}

/// What is printed.
#[derive(Serialize)]
struct Printed<'a> {
    recipe: String,
    #[serde(flatten)]
    report: &'a BacktestReport,
    error: (),
}

impl Backtest {
    /// Judges the history and prints what the recipe would have done to it.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let recipe = read_recipe(&self.audit)?;
        let store = self.dir.open(output)?;
        let range = self.span.range(store.head().seq)?;
        let mut judging = Judging::new(&recipe).records(range).listed(self.list);
        if let Some(process) = &self.process {
            judging = judging.process(process);
        }
        let report = during(output, "judging the history", || judging.run(&*store));
        let report = report.map_err(failure)?;
        let origin = self.audit.display().to_string();
        if output.is_json() {
            output.json(&Printed {
                recipe: origin,
                report: &report,
                error: (),
            })?;
        } else {
            for warning in &report.warnings {
                output.warn(warning);
            }
            output.data(&text(&report, &origin, output.style))?;
        }
        Ok(if report.refuses() { REFUSED } else { exit::OK })
    }
}

fn failure(error: BacktestError) -> Failure {
    let (code, help) = (error.code(), error.help());
    match error {
        BacktestError::Store(error) => error.into(),
        BacktestError::Recipe { process, errors } => {
            let failure = Failure::in_file(Code::RecipeFile, &errors);
            match process {
                Some(process) => failure.process(&process),
                None => failure,
            }
        }
        other => Failure::new(code, other).help_if(help),
    }
}

fn text(report: &BacktestReport, recipe: &str, style: Style) -> String {
    let mut text = format!(
        "{} against records {} to {}: {}, {} of them committed\n",
        escape(recipe),
        report.from,
        report.to,
        counted(number(report.runs), "run"),
        report.commits
    );
    write_judged(&mut text, &report.refused, "refused");
    write_judged(&mut text, &report.warned, "warned about");
    report.halts.iter().for_each(|it| write_halt(&mut text, it));
    write_rules(&mut text, &report.rules, style);
    write_not_judged(&mut text, &report.not_judged);
    text
}

fn write_judged(text: &mut String, judged: &Judged, what: &str) {
    let Judged {
        commits, others, ..
    } = judged;
    let _ = write!(
        text,
        "{} would have been {what}",
        counted(number(*commits), "commit")
    );
    if *others > 0 {
        let _ = write!(
            text,
            ", and {} that did not commit",
            counted(number(*others), "run")
        );
    }
    text.push_str(if judged.first.is_empty() { "\n" } else { ":\n" });
    for listed in &judged.first {
        let _ = writeln!(text, "  {}", line(listed));
    }
    match commits.saturating_sub(judged.first.len() as u64) {
        0 => {}
        more => drop(writeln!(text, "  and {more} more")),
    }
}

fn line(listed: &Listed) -> String {
    let version = listed
        .version
        .map_or_else(|| "-".into(), |it| it.to_string());
    let verdict = &listed.verdict;
    format!(
        "record {}  v{version}  {}  {}  {} {} (level {}, {} gate, rule `{}`, count {})",
        listed.seq,
        utc(listed.time),
        escape(&listed.process),
        verdict.action.name(),
        escape(&verdict.message),
        verdict.level,
        verdict.gate,
        escape(&verdict.rule),
        verdict.count
    )
}

fn write_halt(text: &mut String, halt: &Halt) {
    let until = match halt.until {
        Some(seq) => format!("until record {seq} reset it"),
        None => "and stayed so".to_owned(),
    };
    let _ = writeln!(
        text,
        "record {} would have thrown the interlock, {until}: {} behind it, {} of them committed, would have been refused",
        halt.thrown_by.seq,
        counted(number(halt.runs), "run"),
        halt.commits
    );
}

const HEADS: [&str; 8] = [
    "process", "gate", "level", "rule", "judged", "violated", "warned", "refused",
];

fn write_rules(text: &mut String, rules: &[RuleReport], style: Style) {
    if rules.is_empty() {
        text.push_str("no rule of it holds for a process of these records\n");
        return;
    }
    let row = |it: &RuleReport| {
        [
            escape(&it.process).into_owned(),
            it.gate.to_string(),
            it.level.to_string(),
            escape(&it.rule).into_owned(),
            it.judged.to_string(),
            it.violated.to_string(),
            it.warned.to_string(),
            (it.blocked + it.aborted + it.thrown).to_string(),
        ]
    };
    let rows: Vec<_> = rules.iter().map(row).collect();
    table::write(text, HEADS, &rows, style);
}

fn write_not_judged(text: &mut String, not_judged: &[NotJudged]) {
    if not_judged.is_empty() {
        return;
    }
    text.push_str("not judged, or not by all rules:\n");
    for NotJudged {
        reason,
        runs,
        processes,
        ..
    } in not_judged
    {
        let processes: Vec<_> = processes.iter().map(|it| escape(it)).collect();
        let _ = writeln!(
            text,
            "  {} of {}: {}",
            counted(number(*runs), "run"),
            processes.join(", "),
            reason.text()
        );
    }
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
