//! What a person reads about a run: one headline, then what changed, or why nothing did.

mod outside;
mod timeline;

pub(super) use self::timeline::timeline;

use super::color::{Role, Style};
use super::exit;
use super::output::Verbosity;
use super::text::{escape, grouped, size};
use super::value_text::show;
use std::fmt::Write as _;
use theus_core::value::Value;
use theus_host::{
    Change, ChangeOp, ErrorReport, LogLevel, OutboxMessage, Outcome, Receipt, Verdict,
};

/// How a receipt is to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// The version of the context before the run.
    pub(super) before: u64,
    pub(super) verbosity: Verbosity,
    pub(super) style: Style,
}

/// Characters of a value that are shown, unless everything is.
const VALUE_CHARS: usize = 160;
/// Entries of a list that are shown, unless everything is.
const ENTRIES: usize = 100;
/// The widest column of paths.
const PATH_CHARS: usize = 40;

/// What a run that passed has to show.
pub(super) fn results(receipt: &Receipt, view: View) -> String {
    let mut text = headline(receipt, view);
    if let Some(result) = &receipt.result {
        let label = view.style.paint(Role::Heading, "result:");
        let _ = writeln!(text, "{label} {}", view.value(result, 10));
    }
    changes(&mut text, &receipt.changes, view);
    section(&mut text, "signals:", &receipt.signals, view, |signal| {
        format!(
            "{} = {}",
            escape(&signal.path.to_string()),
            view.value(&signal.value, 1)
        )
    });
    section(&mut text, "outbox:", &receipt.outbox, view, |message| {
        format!(
            "{}  {}",
            escape(&message.topic),
            view.value(&payload(message), 1)
        )
    });
    outside::outside(&mut text, receipt, view);
    audit(&mut text, receipt, view);
    if view.verbosity == Verbosity::Verbose {
        costs(&mut text, receipt, view.style);
    }
    text
}

/// Changes that no run made.
pub(super) fn changed(changes: &[Change], view: View) -> String {
    let mut text = String::new();
    self::changes(&mut text, changes, view);
    text
}

/// Why a command did not do what it was asked for. `message` is fit for a terminal already.
pub(super) fn failure(error: &ErrorReport, message: &str, style: Style) -> String {
    let mut text = format!("{} {message}\n", style.paint(Role::Bad, "Failed:"));
    let mut line = |label: &str, value: &str| {
        let label = style.paint(Role::Faint, format_args!("{label:<8}"));
        let _ = writeln!(text, "  {label} {value}");
    };
    let code = format!(
        "{} ({}, exit code {})",
        error.code,
        error.kind,
        exit::code(error.kind)
    );
    line("code:", &escape(&code));
    let places: Vec<_> = error
        .process
        .iter()
        .chain(&error.path)
        .map(|it| escape(it))
        .collect();
    if !places.is_empty() {
        line("where:", &places.join(", "));
    }
    if let Some(help) = &error.help {
        line("help:", &escape(help));
    }
    if error.code.starts_with("THEUS-") {
        line("explain:", &format!("theus-host explain {}", error.code));
    }
    text
}

/// What a run that failed leaves, besides its error.
pub(super) fn remains(receipt: &Receipt, view: View) -> String {
    let mut text = String::new();
    audit(&mut text, receipt, view);
    let version = receipt.version;
    let _ = match receipt.outcome {
        Outcome::Refused => writeln!(
            text,
            "Refused before the guest was entered; the context stays at version {version}."
        ),
        _ => writeln!(
            text,
            "Rolled back: nothing of the run remains, the context stays at version {version}."
        ),
    };
    if receipt.mode == theus_host::Mode::Permissive {
        text.push_str("The run was permissive.\n");
    }
    if view.verbosity == Verbosity::Verbose {
        costs(&mut text, receipt, view.style);
    }
    text
}

/// The guest's log, from the level on that the verbosity asks for.
pub(super) fn log(receipt: &Receipt, view: View) -> String {
    let least = match view.verbosity {
        Verbosity::Verbose => LogLevel::Trace,
        _ => LogLevel::Info,
    };
    let mut text = String::new();
    for line in receipt.log.iter().filter(|line| line.level >= least) {
        let (name, role) = match line.level {
            LogLevel::Trace => ("trace", Role::Faint),
            LogLevel::Debug => ("debug", Role::Faint),
            LogLevel::Info => ("info", Role::Good),
            LogLevel::Warn => ("warn", Role::Notice),
            LogLevel::Error => ("error", Role::Bad),
        };
        let label = view.style.paint(role, format_args!("[guest {name}]"));
        let _ = writeln!(text, "{label} {}", escape(&line.message));
    }
    text
}

fn headline(receipt: &Receipt, view: View) -> String {
    let process = receipt.process.as_deref().unwrap_or("the run");
    let (done, version) = (receipt.outcome == Outcome::Committed, receipt.version);
    let verb = if done { "committed" } else { "would commit" };
    let verb = view.style.paint(Role::Good, verb);
    let mut text = format!("{} {verb}", escape(process));
    let wrote_files = receipt
        .outside
        .as_ref()
        .is_some_and(|it| !it.files.is_empty());
    let _ = match (done, version == view.before) {
        (false, _) => write!(text, " (dry run), version stays {version}"),
        (true, true) if wrote_files => {
            write!(text, ", version stays {version}: it wrote files only")
        }
        (true, true) => write!(text, ", version stays {version}: it wrote nothing"),
        (true, false) => write!(text, ", version {} -> {version}", view.before),
    };
    if receipt.mode == theus_host::Mode::Permissive {
        text.push_str(" (permissive)");
    }
    text.push('\n');
    text
}

fn changes(text: &mut String, changes: &[Change], view: View) {
    if changes.is_empty() {
        let _ = writeln!(text, "{} none", view.style.paint(Role::Heading, "changes:"));
        return;
    }
    let paths: Vec<String> = changes
        .iter()
        .map(|it| escape(&it.path.to_string()).into_owned())
        .collect();
    let width = paths
        .iter()
        .map(|it| it.chars().count())
        .max()
        .unwrap_or(0)
        .min(PATH_CHARS);
    let lines: Vec<_> = paths.iter().zip(changes).collect();
    section(text, "changes:", &lines, view, |(path, change)| {
        let (sign, role, values) = match (change.op, &change.old) {
            (ChangeOp::Push, _) => (
                "+",
                Role::Good,
                format!("{}  (push)", view.value(&change.new, 1)),
            ),
            (ChangeOp::Remove, old) => ("-", Role::Bad, view.value(old, 1)),
            (ChangeOp::Set, Value::Nil) => ("+", Role::Good, view.value(&change.new, 1)),
            (ChangeOp::Set, old) => (
                "~",
                Role::Notice,
                format!("{} -> {}", view.value(old, 1), view.value(&change.new, 1)),
            ),
        };
        let place = view
            .style
            .paint(role, format_args!("{sign} {path:<width$}"));
        format!("{place}  {values}")
    });
}

/// How many rules each gate had and how many passed, then those that did not.
fn audit(text: &mut String, receipt: &Receipt, view: View) {
    let gates: Vec<String> = receipt
        .stats
        .gates
        .iter()
        .map(|it| {
            let passed = it.judged - it.violated;
            format!("{} gate {passed} of {} passed", it.gate, it.judged)
        })
        .collect();
    if gates.is_empty() {
        return;
    }
    let label = view.style.paint(Role::Heading, "audit:");
    let _ = writeln!(text, "{label} {}", gates.join(", "));
    entries(text, &receipt.audit, view, |it| verdict(it, view.style));
}

fn section<T>(
    text: &mut String,
    heading: &str,
    entries: &[T],
    view: View,
    line: impl Fn(&T) -> String,
) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", view.style.paint(Role::Heading, heading));
    self::entries(text, entries, view, line);
}

fn entries<T>(text: &mut String, entries: &[T], view: View, line: impl Fn(&T) -> String) {
    let shown = if view.verbosity == Verbosity::Verbose {
        entries.len()
    } else {
        ENTRIES
    };
    for entry in entries.iter().take(shown) {
        let _ = writeln!(text, "  {}", line(entry));
    }
    if entries.len() > shown {
        let more = entries.len() - shown;
        let _ = writeln!(text, "  … and {more} more; -v and -o json show all");
    }
}

fn verdict(verdict: &Verdict, style: Style) -> String {
    let Verdict {
        gate,
        rule,
        level,
        count,
        action,
        message,
    } = verdict;
    let role = if action.refuses() {
        Role::Bad
    } else {
        Role::Notice
    };
    let action = style.paint(role, action);
    format!(
        "{action} {} (level {level}, {gate} gate, rule `{}`, count {count})",
        escape(message),
        escape(rule)
    )
}

fn costs(text: &mut String, receipt: &Receipt, style: Style) {
    let stats = &receipt.stats;
    let _ = writeln!(
        text,
        "{} {} fuel, {} host calls, {} of memory, {}",
        style.paint(Role::Heading, "cost:"),
        grouped(stats.fuel),
        grouped(stats.host_calls),
        size(stats.memory_bytes),
        timeline::time(stats.steps.iter().fold(0.0, |sum, it| sum + it.micros())),
    );
}

/// A message's payload on one line.
pub(super) fn payload_text(message: &OutboxMessage) -> String {
    show(&payload(message), VALUE_CHARS)
}

/// The payload as text where it is some; the host knows no more of it.
fn payload(message: &OutboxMessage) -> Value {
    match std::str::from_utf8(&message.payload) {
        Ok(text) => Value::from(text),
        Err(_) => Value::Bytes(message.payload.clone()),
    }
}

impl View {
    fn value(self, value: &Value, lines: usize) -> String {
        match self.verbosity {
            Verbosity::Verbose => show(value, usize::MAX),
            _ => show(value, VALUE_CHARS * lines),
        }
    }
}

#[cfg(test)]
mod tests;
