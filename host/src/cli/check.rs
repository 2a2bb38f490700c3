//! `check`: does everything fit? The guest, its contracts, a recipe, a schema, a context file; no process is run.

use super::color::{Role, Style};
use super::config::{ConfigFlag, Granted, Setup, Word};
use super::context_file;
use super::exit;
use super::failure::Failure;
use super::grants::Grants;
use super::output::Output;
use super::progress::during;
use super::run::{read_recipe, recipe_notes};
use super::schema;
use super::target::Loaded;
use super::text::{escape, list};
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_host::{Engine, ErrorReport, Limits, Policy, Recipe, RegisterError, Schema};

/// The flags and words of `check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// A component, a core module built with an SDK, a guest's source folder (built first), or a component's name of
    /// the configuration
    target: PathBuf,
    /// The recipe to check against the contracts
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// The schema to check, and to check the context and the contracts against
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The context file to check
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    config: ConfigFlag,
}

/// What is printed: every check, and the first error among them.
#[derive(Serialize)]
struct Report {
    target: String,
    digest: Option<String>,
    checks: Vec<Checked>,
    warnings: Vec<String>,
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
}

impl Check {
    /// Checks everything that is given, and prints all that it found.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let mut report = Report::new(&self.target);
        let Some(setup) = report.setup(Setup::read(&self.config, &self.target)) else {
            report.print(output)?;
            return Ok(report.first.as_ref().map_or(exit::OK, Failure::exit_code));
        };
        let limits = setup.limits();
        let file = |word, flag: &Option<PathBuf>| setup.file(word, flag.as_deref()).transpose();
        let loaded = setup.load(&limits, output);
        let loaded = report.note("guest", loaded, |loaded| {
            let guest = &loaded.guest;
            let names: Vec<_> = guest.contracts.iter().map(|it| it.name.as_str()).collect();
            format!(
                "{}, {} imports, processes: {}",
                loaded.form.name(),
                guest.imports.len(),
                list(&names, "none")
            )
        });
        let schema = file(Word::Schema, &self.schema).and_then(|file| {
            let read = file.and_then(|file| schema::read(&file));
            report.note("schema", read, |schema| schema.origin().to_owned())
        });
        if let Some(loaded) = &loaded {
            report.digest = Some(loaded.guest.digest.clone());
            report.contracts(loaded, schema.as_ref());
        }
        let recipe =
            file(Word::Recipe, &self.audit).map(|file| file.and_then(|file| read_recipe(&file)));
        let recipe = recipe.and_then(|read| report.recipe(read, loaded.as_ref()));
        if let Some(file) = file(Word::Context, &self.context) {
            let read = file.and_then(|file| {
                let tree = context_file::read(&file, &limits)?;
                schema::fits_an_engine(tree, schema, &file)?;
                Ok(file.display().to_string())
            });
            report.note("context", read, String::clone);
        }
        if let Some(loaded) = loaded {
            let granted = setup.granted(&self.grants, &loaded.guest.contracts);
            let registered = granted.and_then(|granted| {
                let Granted { policy, notes, .. } = granted;
                report.warnings.extend(notes);
                during(output, "compiling the guest", || {
                    register(loaded, recipe, policy, &limits)
                })
            });
            report.note("registration", registered, |()| {
                "the imports are granted, and the code compiles".into()
            });
        }
        report.print(output)?;
        Ok(report.first.as_ref().map_or(exit::OK, Failure::exit_code))
    }
}

impl Report {
    fn new(target: &Path) -> Self {
        Self {
            target: target.display().to_string(),
            digest: None,
            checks: Vec::new(),
            warnings: Vec::new(),
            error: None,
            first: None,
        }
    }

    /// Notes how a check ended; gives what it found where it passed.
    fn note<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Failure>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(found) => {
                self.checks.push(Checked {
                    name,
                    passed: true,
                    detail: detail(&found),
                    error: None,
                });
                Some(found)
            }
            Err(failure) => {
                self.checks.push(Checked {
                    name,
                    passed: false,
                    detail: failure.message().into_owned(),
                    error: Some(ErrorReport::clone(&failure.report)),
                });
                if self.first.is_none() {
                    self.error = Some(ErrorReport::clone(&failure.report));
                    self.first = Some(failure);
                }
                None
            }
        }
    }

    /// The configuration files, where there are some.
    fn setup(&mut self, read: Result<Setup, Failure>) -> Option<Setup> {
        match read {
            Ok(setup) => {
                let files = setup.files();
                if !files.is_empty() {
                    self.note("config", Ok(()), |()| list(&files, "none"));
                }
                self.warnings.extend_from_slice(setup.notes());
                Some(setup)
            }
            Err(failure) => self.note("config", Err(failure), |_| String::new()),
        }
    }

    /// Strict mode's rules and the schema's paths, for every contract.
    fn contracts(&mut self, loaded: &Loaded, schema: Option<&Schema>) {
        for contract in &loaded.guest.contracts {
            let process = || contract.name.clone();
            let strict = contract
                .check_strict()
                .map_err(|problem| RegisterError::NotStrict {
                    process: process(),
                    problem,
                });
            let known = schema.map_or(Ok(()), |schema| schema.check_contract(contract));
            let known = known.map_err(|problem| RegisterError::NotInSchema {
                process: process(),
                problem,
            });
            let fits = strict.and(known).map_err(Failure::from);
            let told = format!(
                "{}: {} inputs, {} outputs, {} errors",
                contract.name,
                contract.inputs.len(),
                contract.outputs.len(),
                contract.errors.len()
            );
            self.note("contract", fits, |()| told);
        }
    }

    /// A recipe by itself, then against every contract that there is.
    fn recipe(&mut self, read: Result<Recipe, Failure>, loaded: Option<&Loaded>) -> Option<Recipe> {
        let fits = read.and_then(|recipe| {
            let Some(loaded) = loaded else {
                return Ok((recipe, Vec::new(), Vec::new()));
            };
            let notes = recipe_notes(&recipe, loaded)?;
            let mut bound = Vec::new();
            for contract in &loaded.guest.contracts {
                let rules = recipe.bind(contract).map_err(|errors| {
                    Failure::with_lines(Code::RecipeFile, errors).process(&contract.name)
                })?;
                bound.extend(rules.map(|_| contract.name.clone()));
            }
            Ok((recipe, notes, bound))
        });
        let (recipe, notes, _) = self.note("recipe", fits, |(_, _, bound)| {
            format!(
                "its rules fit the contracts of: {}",
                list(bound, "no process")
            )
        })?;
        self.warnings.extend(notes);
        Some(recipe)
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(self);
        }
        for warning in &self.warnings {
            output.warn(warning);
        }
        output.data(&self.text(output.style))
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
        text
    }
}

/// What `run` does with the guest, up to where it would run.
fn register(
    loaded: Loaded,
    recipe: Option<Recipe>,
    policy: Policy,
    limits: &Limits,
) -> Result<(), Failure> {
    let mut builder = Engine::builder().limits(limits.clone());
    if let Some(recipe) = recipe {
        builder = builder.recipe(recipe);
    }
    let engine = builder
        .build()
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    engine.register(loaded.component, policy)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let expected = "\
ok     guest        component
failed recipe       recipe.yaml:1:1: no
  1 | x
       code: THEUS-U004
       help: mend it
failed context      no
       code: THEUS-U003
";
        assert_eq!(report.text(Style::PLAIN), expected);
        let json = serde_json::to_value(&report).expect("json");
        assert_eq!(json["error"]["code"], "THEUS-U004");
        assert_eq!(json["checks"][0]["passed"], true);
    }
}
