//! The report as text.

use super::super::color::{Role, Style};
use super::super::output::Verbosity;
use super::super::text::{escape, grouped, size};
use super::super::value_text::show;
use std::fmt::Write as _;
use theus_core::value::Value;
use theus_host::fuzz::{Costly, Finding, FuzzReport, ProcessReport};

/// The longest arguments that are shown on one line.
const SHOWN: usize = 60;

/// What was run, how it ended, what it cost, and what was found; the last alone where little is asked for.
pub(super) fn report(
    report: &FuzzReport,
    reproduce: &[String],
    verbosity: Verbosity,
    style: Style,
) -> String {
    let mut text = String::new();
    let told = report.processes.iter();
    for process in told.filter(|_| verbosity > Verbosity::Quiet) {
        text.push_str(&of_process(process));
    }
    let findings = match report.findings.len() {
        0 => style.paint(Role::Good, "no findings"),
        1 => style.paint(Role::Bad, "1 finding"),
        several => style.paint(Role::Bad, format!("{several} findings")),
    };
    let (runs, seed) = (grouped(report.runs), report.seed);
    let time = report.fuzzing.as_secs_f64();
    let exit = if report.findings.is_empty() {
        ""
    } else {
        ", exit code 1"
    };
    let _ = writeln!(
        text,
        "{findings} in {runs} runs, seed {seed} ({time:.1} s{exit})"
    );
    for (number, (finding, command)) in report.findings.iter().zip(reproduce).enumerate() {
        text.push_str(&of_finding(number + 1, finding, command, style));
    }
    if report.left_out > 0 {
        let left_out = grouped(report.left_out);
        let _ = writeln!(text, "{left_out} runs showed more than is kept");
    }
    text
}

fn of_process(process: &ProcessReport) -> String {
    let mut text = format!(
        "{}: {} runs\n",
        escape(&process.process),
        grouped(process.runs)
    );
    let width = process.endings.keys().map(String::len).max().unwrap_or(0);
    for (ending, runs) in &process.endings {
        let ending = escape(ending);
        let _ = writeln!(text, "  {ending:<width$}  {}", grouped(*runs));
    }
    for seen in &process.audit {
        let (rule, runs) = (escape(&seen.rule), grouped(seen.runs));
        let (action, level, gate) = (seen.action, seen.level, seen.gate);
        let _ = writeln!(
            text,
            "  audit: {action} by `{rule}` (level {level}, {gate} gate)  {runs}"
        );
    }
    for (label, costly) in [
        ("slowest", &process.slowest),
        ("hungriest", &process.hungriest),
    ] {
        if let Some(costly) = costly {
            let _ = writeln!(text, "  {label:<9} {}", of_costly(costly));
        }
    }
    text
}

fn of_costly(costly: &Costly) -> String {
    format!(
        "{:.1} us, {} fuel, {}, {}",
        costly.micros,
        grouped(costly.fuel),
        size(costly.memory_bytes),
        show(&Value::Map(costly.args.clone()), SHOWN)
    )
}

fn of_finding(number: usize, finding: &Finding, command: &str, style: Style) -> String {
    let error = &finding.error;
    let kind = style.paint(Role::Bad, finding.kind.name());
    let mut text = format!("{number}. {kind}: {}\n", escape(&error.message));
    let _ = writeln!(
        text,
        "   {}, {}, in {} runs",
        escape(&finding.process),
        escape(&error.code),
        grouped(finding.times)
    );
    if let Some(help) = &error.help {
        let _ = writeln!(text, "   help:      {}", escape(help));
    }
    if finding.outside.is_some() {
        text.push_str(
            "   note:      it was given a time or a seed of its own; `run` brings others\n",
        );
    }
    let _ = writeln!(text, "   reproduce: {}", escape(command));
    text
}
