//! `contract`: what processes declare, against what they do.

use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::span::Span;
use super::state_dir::StateDir;
use super::text::{counted, escape, escape_lines};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write as _;
use theus_core::pattern::PathPattern;
use theus_host::PolicyList;
use theus_host::minimize::{Fate, Minimize as Minimizing, MinimizeError, Minimized, Minimum};

/// The words of `contract`.
#[derive(Args, Debug)]
pub(super) struct ContractVerb {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Proposes the tightest contract that a state's history fits into, and a policy that narrows the guest to it
    Minimize(Minimize),
}

#[derive(Args, Debug)]
struct Minimize {
    /// The process; all of the history where it is left out
    process: Option<String>,
    #[command(flatten)]
    dir: StateDir,
    #[command(flatten)]
    span: Span,
}

#[derive(Serialize)]
struct Printed {
    processes: Vec<Proposal>,
    error: (),
}

/// What is printed of one process.
#[derive(Serialize)]
struct Proposal {
    process: String,
    component: String,
    other_components: u64,
    runs: u64,
    permissive_runs: u64,
    rolled_back_runs: u64,
    folded_runs: u64,
    earlier_runs: u64,
    inputs: Vec<Path>,
    outputs: Vec<Path>,
    added_inputs: Vec<String>,
    beyond_inputs: Vec<String>,
    beyond_outputs: Vec<String>,
    unseen_errors: Vec<String>,
    is_tight: bool,
    proposed: Lists,
    attribute: String,
    policy: Option<String>,
    warnings: Vec<String>,
}

/// What became of a declared path.
#[derive(Serialize)]
struct Path {
    declared: String,
    proposed: Vec<String>,
    unsure: bool,
}

#[derive(Serialize)]
struct Lists {
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl ContractVerb {
    /// Proposes.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let Form::Minimize(minimize) = &self.form;
        minimize.execute(output)
    }
}

impl Minimize {
    fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let store = self.dir.open(output)?;
        let range = self.span.range(store.head().seq)?;
        let mut minimizing = Minimizing::new().records(range);
        if let Some(process) = &self.process {
            minimizing = minimizing.process(process);
        }
        let found = during(output, "going through the history", || {
            minimizing.run(&*store)
        });
        let processes: Vec<Proposal> = found.map_err(failure)?.iter().map(Proposal::of).collect();
        if output.is_json() {
            output.json(&Printed {
                processes,
                error: (),
            })?;
            return Ok(exit::OK);
        }
        if processes.is_empty() {
            output.note("no run of these records entered a guest whose component is kept\n");
        }
        let texts: Vec<String> = processes.iter().map(Proposal::text).collect();
        output.data(&texts.join("\n"))?;
        Ok(exit::OK)
    }
}

fn failure(error: MinimizeError) -> Failure {
    let (code, help) = (error.code(), error.help());
    Failure::new(code, error).help_if(help)
}

impl Proposal {
    fn of(found: &Minimized) -> Self {
        let minimum: &Minimum = &found.minimum;
        let fates = |fates: &[Fate]| fates.iter().map(Path::of).collect();
        Self {
            process: found.process.to_string(),
            component: found.component.to_string(),
            other_components: found.other_components,
            runs: minimum.runs,
            permissive_runs: found.permissive_runs,
            rolled_back_runs: found.rolled_back_runs,
            folded_runs: minimum.folded_runs,
            earlier_runs: found.earlier_runs,
            inputs: fates(&minimum.inputs),
            outputs: fates(&minimum.outputs),
            added_inputs: texts(&minimum.added_inputs),
            beyond_inputs: texts(&minimum.beyond_inputs),
            beyond_outputs: texts(&minimum.beyond_outputs),
            unseen_errors: minimum.unseen_errors.clone(),
            is_tight: minimum.is_tight(),
            proposed: Lists {
                inputs: texts(&minimum.list(PolicyList::Inputs)),
                outputs: texts(&minimum.list(PolicyList::Outputs)),
            },
            attribute: minimum.attribute(),
            policy: minimum.policy_table(),
            warnings: found.warnings.clone(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{}: declared, against what {} touched\n",
            escape(&self.process),
            counted(usize::try_from(self.runs).unwrap_or(usize::MAX), "run")
        );
        let lists = [
            ("inputs", &self.inputs, &self.beyond_inputs),
            ("outputs", &self.outputs, &self.beyond_outputs),
        ];
        for (list, declared, beyond) in lists {
            for (index, path) in declared.iter().enumerate() {
                let head = if index == 0 { list } else { "" };
                let _ = writeln!(text, "  {head:<8} {}", path.text());
            }
            for path in beyond {
                let _ = writeln!(
                    text,
                    "  {:<8} + {}: touched, and not declared",
                    "",
                    escape(path)
                );
            }
        }
        for path in &self.added_inputs {
            let _ = writeln!(
                text,
                "  {:<8} + {}: read through an output that is narrower now",
                "",
                escape(path)
            );
        }
        if !self.unseen_errors.is_empty() {
            let _ = writeln!(
                text,
                "  errors   never returned: {}",
                self.unseen_errors.join(", ")
            );
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  note     {}", escape(warning));
        }
        if self.is_tight && self.beyond_inputs.is_empty() && self.beyond_outputs.is_empty() {
            text.push_str("nothing to narrow: all of it is needed as it is declared\n");
            return text;
        }
        text.push_str("in the guest's source:\n");
        text.push_str(&indented(&self.attribute));
        if let Some(policy) = &self.policy {
            text.push_str("or in theus.toml, without building it again:\n");
            text.push_str(&indented(policy));
        }
        text
    }
}

impl Path {
    fn of(fate: &Fate) -> Self {
        Self {
            declared: fate.declared.to_string(),
            proposed: texts(&fate.proposed),
            unsure: fate.unsure,
        }
    }

    fn text(&self) -> String {
        let declared = escape(&self.declared);
        match self.proposed.as_slice() {
            [] => format!("- {declared}: never used"),
            _ if self.unsure => format!("  {declared}: may have been read"),
            [same] if *same == self.declared => format!("  {declared}"),
            narrower => format!("~ {declared}: {}", escape(&narrower.join(", "))),
        }
    }
}

fn texts(paths: &[PathPattern]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

fn indented(block: &str) -> String {
    let block = escape_lines(block);
    block.lines().map(|line| format!("    {line}\n")).collect()
}
