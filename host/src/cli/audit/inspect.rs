//! `audit inspect`: the rules that hold for each process, as the engine would judge them.

use crate::cli::color::Style;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::run::{read_recipe, recipe_notes};
use crate::cli::table;
use crate::cli::target;
use crate::cli::text::{escape, list};
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use theus_core::audit::{ProcessRules, Rule};
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_host::{Gate, Level, Limits, Recipe};

/// The flags and words of `audit inspect`.
#[derive(Args, Debug)]
pub(super) struct Inspect {
    /// A component, a core module built with an SDK, or a guest's source folder (built first)
    target: PathBuf,
    /// The process; all of them where it is left out
    process: Option<String>,
    /// The recipe
    #[arg(long, value_name = "FILE")]
    audit: PathBuf,
}

/// What is printed: the rules by process.
#[derive(Serialize)]
struct Report {
    recipe: String,
    processes: Vec<ProcessReport>,
    warnings: Vec<String>,
    error: (),
}

/// The rules that hold for a process.
#[derive(Serialize)]
struct ProcessReport {
    name: String,
    rules: Vec<RuleReport>,
    /// The places that the rules read, which a run therefore locks shared.
    reads: Vec<String>,
}

#[derive(Serialize)]
struct RuleReport {
    gate: Gate,
    rule: String,
    field: Option<String>,
    condition: &'static str,
    level: Level,
    min_threshold: u64,
    max_threshold: u64,
    reset_on_success: bool,
    optional: bool,
    message: Option<String>,
    origin: OriginReport,
}

#[derive(Serialize)]
struct OriginReport {
    file: String,
    line: u32,
    /// Whose recipe it stands in: the process's own, one that it inherits, or `*`.
    recipe: String,
}

impl Inspect {
    /// Binds the recipe to the guest's contracts and prints what comes of it.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let recipe = read_recipe(&self.audit)?;
        let loaded = target::load(&self.target, &Limits::default(), output)?;
        let contracts: Vec<&Contract> = match &self.process {
            Some(name) => vec![loaded.process(Some(name))?],
            None => loaded.guest.contracts.iter().collect(),
        };
        let report = Report {
            recipe: self.audit.display().to_string(),
            processes: contracts
                .into_iter()
                .map(|contract| ProcessReport::of(&recipe, contract))
                .collect::<Result<_, _>>()?,
            warnings: recipe_notes(&recipe, &loaded)?,
            error: (),
        };
        if output.is_json() {
            output.json(&report)?;
        } else {
            for warning in &report.warnings {
                output.warn(warning);
            }
            output.data(&report.text(output.style))?;
        }
        Ok(exit::OK)
    }
}

impl ProcessReport {
    fn of(recipe: &Recipe, contract: &Contract) -> Result<Self, Failure> {
        let rules = recipe.bind(contract).map_err(|errors| {
            Failure::with_lines(Code::RecipeFile, errors).process(&contract.name)
        })?;
        let rules = rules.as_deref();
        let all = |gate| rules.map_or(&[][..], |rules| rules.rules(gate));
        Ok(Self {
            name: contract.name.clone(),
            rules: [Gate::Input, Gate::Output]
                .into_iter()
                .flat_map(|gate| all(gate).iter().map(move |rule| RuleReport::of(gate, rule)))
                .collect(),
            reads: rules
                .map_or(&[][..], ProcessRules::context_paths)
                .iter()
                .map(ToString::to_string)
                .collect(),
        })
    }
}

impl RuleReport {
    fn of(gate: Gate, rule: &Rule) -> Self {
        let origin = rule.origin();
        Self {
            gate,
            rule: rule.name().to_owned(),
            field: rule.field().map(ToString::to_string),
            condition: rule.condition().word().name(),
            level: rule.level(),
            min_threshold: rule.min_threshold(),
            max_threshold: rule.max_threshold(),
            reset_on_success: rule.reset_on_success(),
            optional: rule.is_optional(),
            message: rule.message().map(str::to_owned),
            origin: OriginReport {
                file: origin.file.to_string(),
                line: origin.line,
                recipe: origin.recipe.to_string(),
            },
        }
    }

    /// The columns of the table.
    fn cells(&self, process: &str) -> [String; 7] {
        let way = match self.origin.recipe.as_str() {
            own if own == process => String::new(),
            other => format!(" ({other})"),
        };
        let mut rule = escape(&self.rule).into_owned();
        if self.optional {
            rule.push_str(", optional");
        }
        [
            self.gate.to_string(),
            self.level.to_string(),
            rule,
            self.min_threshold.to_string(),
            self.max_threshold.to_string(),
            if self.reset_on_success { "yes" } else { "no" }.to_owned(),
            format!(
                "{}:{}{}",
                escape(&self.origin.file),
                self.origin.line,
                escape(&way)
            ),
        ]
    }
}

const HEADS: [&str; 7] = [
    "gate",
    "level",
    "rule",
    "warns at",
    "acts at",
    "resets",
    "written in",
];

impl Report {
    fn text(&self, style: Style) -> String {
        let mut text = String::new();
        for (index, process) in self.processes.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            process.write(&mut text, style);
        }
        text
    }
}

impl ProcessReport {
    fn write(&self, text: &mut String, style: Style) {
        let name = escape(&self.name);
        if self.rules.is_empty() {
            let _ = writeln!(text, "{name}: no rules hold for it");
            return;
        }
        let _ = writeln!(
            text,
            "{name}: reads {}",
            escape(&list(&self.reads, "no context"))
        );
        let rows: Vec<[String; 7]> = self.rules.iter().map(|it| it.cells(&self.name)).collect();
        table::write(text, HEADS, &rows, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_printed_as_a_table() {
        let section = "{\"name\":\"add\",\"parameters\":[{\"name\":\"price\",\"kind\":\"int\"}]}\n{\"name\":\"other\"}";
        let contracts = Contract::parse_section(section.as_bytes()).expect("contracts");
        let recipe = "process_recipes:
  add:
    inherits: base
    inputs:
      - { field: price, max: 9, level: B, threshold: 3, reset_on_success: false }
  base:
    outputs:
      - { expr: 'domain.total >= old.domain.total', level: S }
";
        let recipe = Recipe::parse(recipe, "audit.yaml").expect("recipe");
        let of = |contract| ProcessReport::of(&recipe, contract).expect("it fits");
        let report = Report {
            recipe: "audit.yaml".into(),
            processes: contracts.iter().map(of).collect(),
            warnings: Vec::new(),
            error: (),
        };
        let expected = "\
add: reads domain.total
  gate    level  rule                                   warns at  acts at  resets  written in
  input   B      price max 9                            0         3        no      audit.yaml:5
  output  S      expr domain.total >= old.domain.total  0         1        yes     audit.yaml:8 (base)

other: no rules hold for it
";
        assert_eq!(report.text(Style::PLAIN), expected);
        let json = serde_json::to_value(&report).expect("json");
        assert_eq!(json["processes"][0]["rules"][1]["origin"]["recipe"], "base");
        assert_eq!(
            json["processes"][0]["rules"][1]["field"],
            serde_json::Value::Null
        );
    }
}
