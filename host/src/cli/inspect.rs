//! `inspect`: what a guest declares, imports and exports. Nothing of it is run, or even compiled.

use super::color::{Role, Style};
use super::config::{ConfigFlag, Setup};
use super::exit;
use super::failure::Failure;
use super::limits;
use super::output::Output;
use super::target::{FileForm, Loaded};
use super::text::{escape, grouped, list, size};
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use theus_core::contract::{Contract, Parameter};
use theus_core::units;

/// The words of `inspect`.
#[derive(Args, Debug)]
pub(super) struct Inspect {
    /// A component, a core module built with an SDK, a guest's source folder (built first), or a component's name of
    /// the configuration
    target: PathBuf,
    /// The size that the component may have: guests with an interpreter in them are large
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    max_component: Option<u64>,
    #[command(flatten)]
    config: ConfigFlag,
}

/// What is printed about a guest.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    form: FileForm,
    file_bytes: u64,
    component_bytes: u64,
    digest: String,
    imports: &'a [String],
    exports: &'a [String],
    processes: Vec<ProcessReport<'a>>,
    error: (),
}

/// What is printed about a process: its contract.
#[derive(Serialize)]
struct ProcessReport<'a> {
    name: &'a str,
    summary: &'a str,
    parameters: Vec<ParameterReport<'a>>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    side_effects: Vec<String>,
    errors: &'a [String],
}

#[derive(Serialize)]
struct ParameterReport<'a> {
    name: &'a str,
    kind: &'static str,
    optional: bool,
    secret: bool,
}

impl Inspect {
    /// Reads the guest and prints what it declares.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let setup = Setup::read(&self.config, &self.target)?;
        for note in setup.notes() {
            output.warn(note);
        }
        let mut limits = setup.limits();
        limits.component_bytes = self.max_component.unwrap_or(limits.component_bytes);
        limits::check(&limits)?;
        let loaded = setup.load(&limits, output)?;
        let report = Report::of(&loaded);
        if output.is_json() {
            output.json(&report)?;
        } else {
            output.data(&report.text(output.style))?;
        }
        Ok(exit::OK)
    }
}

impl<'a> Report<'a> {
    fn of(loaded: &'a Loaded) -> Self {
        let guest = &loaded.guest;
        Self {
            file: loaded.file.display().to_string(),
            form: loaded.form,
            file_bytes: loaded.file_bytes,
            component_bytes: guest.size,
            digest: guest.digest.clone(),
            imports: &guest.imports,
            exports: &guest.exports,
            processes: guest.contracts.iter().map(ProcessReport::of).collect(),
            error: (),
        }
    }

    fn text(&self, style: Style) -> String {
        let mut text = format!("{}: {}\n", escape(&self.file), self.form.name());
        let bytes = |bytes| format!("{} ({} bytes)", size(bytes), grouped(bytes));
        let sizes = match self.form {
            FileForm::Component => bytes(self.component_bytes),
            FileForm::CoreModule => {
                format!(
                    "{}, as a component {}",
                    bytes(self.file_bytes),
                    bytes(self.component_bytes)
                )
            }
        };
        rows(&mut text, style, "size", &[sizes]);
        rows(
            &mut text,
            style,
            "digest",
            std::slice::from_ref(&self.digest),
        );
        rows(&mut text, style, "imports", self.imports);
        rows(&mut text, style, "exports", self.exports);
        for process in &self.processes {
            process.write(&mut text, style);
        }
        text
    }
}

impl<'a> ProcessReport<'a> {
    fn of(contract: &'a Contract) -> Self {
        Self {
            name: &contract.name,
            summary: &contract.summary,
            parameters: contract
                .parameters
                .iter()
                .map(ParameterReport::of)
                .collect(),
            inputs: contract.inputs.iter().map(ToString::to_string).collect(),
            outputs: contract.outputs.iter().map(ToString::to_string).collect(),
            side_effects: contract
                .side_effects
                .iter()
                .map(ToString::to_string)
                .collect(),
            errors: &contract.errors,
        }
    }

    fn write(&self, text: &mut String, style: Style) {
        let name = style.paint(Role::Heading, self.name);
        let summary = escape(self.summary);
        let _ = match summary.is_empty() {
            true => writeln!(text, "\n{name}"),
            false => writeln!(text, "\n{name}: {summary}"),
        };
        rows(
            text,
            style,
            "parameters",
            &ParameterReport::table(&self.parameters),
        );
        rows(text, style, "inputs", &self.inputs);
        rows(text, style, "outputs", &self.outputs);
        rows(text, style, "errors", &one_row(self.errors));
        rows(text, style, "side effects", &one_row(&self.side_effects));
    }
}

impl<'a> ParameterReport<'a> {
    fn of(parameter: &'a Parameter) -> Self {
        Self {
            name: &parameter.name,
            kind: parameter.kind.name(),
            optional: parameter.optional,
            secret: parameter.secret,
        }
    }

    /// One row per parameter, with the kinds under one another.
    fn table(parameters: &[Self]) -> Vec<String> {
        let width = parameters.iter().map(|it| it.name.len()).max().unwrap_or(0);
        parameters
            .iter()
            .map(|it| {
                let mut row = format!("{:<width$}  {}", it.name, it.kind);
                for (is, word) in [(it.optional, ", optional"), (it.secret, ", secret")] {
                    row.push_str(if is { word } else { "" });
                }
                row
            })
            .collect()
    }
}

fn one_row(names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    vec![list(names, "none")]
}

/// A label, and values under one another behind it.
fn rows(text: &mut String, style: Style, label: &str, values: &[String]) {
    let mut label = label;
    for value in values.iter().map(|it| escape(it)) {
        let painted = style.paint(Role::Faint, format_args!("{label:<13}"));
        let _ = writeln!(text, "  {painted}{value}");
        label = "";
    }
    if values.is_empty() {
        let painted = style.paint(Role::Faint, format_args!("{label:<13}"));
        let _ = writeln!(text, "  {painted}none");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = r#"{"name":"add_product","summary":"Adds \u001b[31m.","parameters":[
        {"name":"product_name","kind":"string"},{"name":"token","kind":"int","optional":true,"secret":true}],
        "inputs":["domain.items"],"outputs":["domain.items","domain.total_value"],"errors":["ValueError","Full"]}"#;

    #[test]
    fn a_guest_is_printed_as_a_table() {
        let contract = Contract::parse_section(CONTRACT.replace('\n', "").as_bytes())
            .expect("contract")
            .remove(0);
        let imports = ["theus:process/context@0.1.0".to_owned()];
        let report = Report {
            file: "warehouse.wasm".into(),
            form: FileForm::CoreModule,
            file_bytes: 1000,
            component_bytes: 2048,
            digest: "sha256:00".into(),
            imports: &imports,
            exports: &[],
            processes: vec![ProcessReport::of(&contract)],
            error: (),
        };
        let expected = "\
warehouse.wasm: core module, made a component
  size         1000 bytes (1,000 bytes), as a component 2.0 KiB (2,048 bytes)
  digest       sha256:00
  imports      theus:process/context@0.1.0
  exports      none

add_product: Adds \\u{1b}[31m.
  parameters   product_name  string
               token         int, optional, secret
  inputs       domain.items
  outputs      domain.items
               domain.total_value
  errors       ValueError, Full
  side effects none
";
        assert_eq!(report.text(Style::PLAIN), expected);
        let json = serde_json::to_value(&report).expect("json");
        assert_eq!(json["form"], "core-module");
        assert_eq!(json["processes"][0]["parameters"][1]["secret"], true);
        assert_eq!(json["processes"][0]["outputs"][1], "domain.total_value");
    }
}
