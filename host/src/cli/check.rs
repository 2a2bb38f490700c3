//! `check`: everything that can be known without running a process. Does it all fit: the limits, the guest and its imports, the
//! contracts, the schema, a recipe, a context file, the policy?
//!
//! Whatever is wrong is told at once, row by row; what could not be looked at for lack of a file is said as well.

mod imports;
mod report;

use self::imports::Import;
use self::report::Report;
use super::context_file;
use super::exit;
use super::failure::Failure;
use super::grants::Grants;
use super::limits::{self, LimitFlags};
use super::output::Output;
use super::progress::during;
use super::run::read_recipe;
use super::schema;
use super::target::{self, Loaded};
use super::text::{counted, list};
use clap::Args;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_host::{Engine, Gate, Limits, Policy, Recipe, RecipeErrors, RegisterError, Schema};

/// The flags and words of `check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// A component, a core module built with an SDK, or a guest's source folder (built first)
    target: PathBuf,
    /// The recipe to check against the contracts and the schema
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// The schema to check, and to check the context, the contracts and the recipe against
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The context file to check
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    limits: LimitFlags,
}

/// A recipe that fits, what holds of it, and what is odd about it.
struct Bound {
    recipe: Recipe,
    rules: usize,
    processes: Vec<String>,
    notes: Vec<String>,
}

impl Check {
    /// Checks everything that is given, and prints all that it found.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let policy = self.grants.policy();
        let mut report = Report::new(&self.target);
        let limits = self.limits(&mut report);
        let loaded = load(&self.target, &limits, output, &mut report);
        if let Some(loaded) = &loaded {
            report.digest = Some(loaded.guest.digest.clone());
            report.imports = Import::all(&loaded.guest, &policy);
            let told = imports::told(&report.imports);
            report.note("imports", Ok(()), |()| told);
        }
        let schema = self.schema(&mut report);
        if let Some(loaded) = &loaded {
            contracts(loaded, schema.as_ref(), &mut report);
        }
        let recipe = self.recipe(loaded.as_ref(), schema.as_ref(), &mut report);
        self.context(&limits, schema, &mut report);
        if let Some(loaded) = loaded {
            policy_of(&loaded, &policy, &mut report);
            registration(loaded, recipe, policy, limits, output, &mut report);
        } else {
            let imports_failed = report.failed_among(&["imports"]).is_some();
            let rows = ["imports", "contract", "policy", "registration"];
            for name in rows.into_iter().skip(usize::from(imports_failed)) {
                report.skip(name, "there is no guest to look at");
            }
        }
        report.print(output)?;
        Ok(report.first().map_or(exit::OK, Failure::exit_code))
    }

    /// The limits; where they make no sense, those by default, so that everything else can be looked at.
    fn limits(&self, report: &mut Report) -> Limits {
        let limits = self.limits.limits();
        let count = Limits::COUNT;
        let passed = report.note("limits", limits::check(&limits), |()| {
            match self.limits.changed() {
                0 => format!("{count} limits, all as by default"),
                changed => format!("{count} limits, {changed} of them changed by flags"),
            }
        });
        passed.map_or_else(Limits::default, |()| limits)
    }

    fn schema(&self, report: &mut Report) -> Option<Schema> {
        let Some(file) = &self.schema else {
            let reason = "no schema is given (--schema FILE): contracts, recipe and context are held against none";
            report.skip("schema", reason);
            return None;
        };
        let schema = report.note("schema", schema::read(file), |schema| {
            let declared = counted(schema.declarations(), "declaration");
            format!("{}: {declared}", schema.origin())
        });
        if schema.is_none() {
            let reason = "the schema failed: contracts, recipe and context are held against none";
            report.skip("paths", reason);
        }
        schema
    }

    fn recipe(
        &self,
        loaded: Option<&Loaded>,
        schema: Option<&Schema>,
        report: &mut Report,
    ) -> Option<Recipe> {
        let Some(file) = &self.audit else {
            report.skip("recipe", "no recipe is given (--audit FILE)");
            return None;
        };
        let contracts = loaded.map_or(&[][..], |loaded| &loaded.guest.contracts);
        let fits = read_recipe(file).and_then(|recipe| bind(recipe, contracts, schema));
        let bound = report.note("recipe", fits, |bound| {
            if contracts.is_empty() {
                return format!(
                    "{}: read, but there is no contract to hold it against",
                    file.display()
                );
            }
            let rules = counted(bound.rules, "rule");
            let processes = list(&bound.processes, "no process");
            format!("{}: {rules} for: {processes}", file.display())
        })?;
        report.warnings.extend(bound.notes);
        Some(bound.recipe)
    }

    fn context(&self, limits: &Limits, schema: Option<Schema>, report: &mut Report) {
        let Some(file) = &self.context else {
            report.skip("context", "no context is given (--context FILE)");
            return;
        };
        let fits = if schema.is_some() {
            ", fits the schema"
        } else {
            ""
        };
        let read = context_file::read(file, limits)
            .and_then(|tree| schema::fits_an_engine(tree, schema, file));
        report.note("context", read, |()| format!("{}{fits}", file.display()));
    }
}

/// The guest's file; one that imports what it is not given fails as such.
fn load(target: &Path, limits: &Limits, output: &Output, report: &mut Report) -> Option<Loaded> {
    let loaded = target::load(target, limits, output);
    let name = match &loaded {
        Err(failure) if failure.report.code == Code::ImportNotGranted.as_str() => "imports",
        _ => "guest",
    };
    report.note(name, loaded, |loaded| {
        let guest = &loaded.guest;
        let names: Vec<_> = guest.contracts.iter().map(|it| it.name.as_str()).collect();
        format!(
            "{}, processes: {}",
            loaded.form.name(),
            list(&names, "none")
        )
    })
}

/// Strict mode's rules and the schema's paths, for every contract.
fn contracts(loaded: &Loaded, schema: Option<&Schema>, report: &mut Report) {
    for contract in &loaded.guest.contracts {
        let name = &contract.name;
        let problems: Vec<_> = contract.strict_errors().collect();
        let strict = match problems.is_empty() {
            true => Ok(()),
            false => Err(RegisterError::NotStrict {
                process: name.clone(),
                problems,
            }),
        };
        report.note("contract", strict.map_err(Failure::from), |()| {
            format!(
                "{name}: {}, {}, {}",
                counted(contract.inputs.len(), "input"),
                counted(contract.outputs.len(), "output"),
                counted(contract.errors.len(), "error")
            )
        });
        let Some(schema) = schema else { continue };
        let known = schema
            .check_contract(contract)
            .map_err(|problem| RegisterError::NotInSchema {
                process: name.clone(),
                problem,
            });
        report.note("paths", known.map_err(Failure::from), |()| {
            let paths = contract.inputs.len() + contract.outputs.len();
            format!("{name}: {}, all in the schema", counted(paths, "path"))
        });
    }
}

/// Binds a recipe to every contract; all that is wrong with it comes at once.
fn bind(recipe: Recipe, contracts: &[Contract], schema: Option<&Schema>) -> Result<Bound, Failure> {
    let mut bound = Bound {
        recipe,
        rules: 0,
        processes: Vec::new(),
        notes: Vec::new(),
    };
    let mut wrong: Option<RecipeErrors> = None;
    let mut add = |errors: RecipeErrors| {
        wrong = Some(match wrong.take() {
            Some(before) => before.and(errors),
            None => errors,
        });
    };
    if !contracts.is_empty() {
        let names: Vec<&str> = contracts.iter().map(|it| it.name.as_str()).collect();
        match bound.recipe.notes(&names) {
            Ok(notes) => bound.notes = notes,
            Err(errors) => add(errors),
        }
    }
    for contract in contracts {
        let rules = match schema {
            Some(schema) => bound.recipe.bind_within(contract, schema),
            None => bound.recipe.bind(contract),
        };
        match rules {
            Err(errors) => add(errors),
            Ok(None) => {}
            Ok(Some(rules)) => {
                let gates = [Gate::Input, Gate::Output];
                bound.rules += gates
                    .map(|gate| rules.rules(gate).len())
                    .iter()
                    .sum::<usize>();
                bound.processes.push(contract.name.clone());
                for note in rules.notes() {
                    if !bound.notes.contains(note) {
                        bound.notes.push(note.clone());
                    }
                }
            }
        }
    }
    match wrong {
        Some(errors) => Err(Failure::in_file(Code::RecipeFile, &errors)),
        None => Ok(bound),
    }
}

/// What the operator grants of what each contract asks for.
fn policy_of(loaded: &Loaded, policy: &Policy, report: &mut Report) {
    let contracts = &loaded.guest.contracts;
    if let Err(error) = policy.check(contracts) {
        report.note("policy", Err::<(), _>(error.into()), |()| String::new());
        return;
    }
    for contract in contracts {
        let narrowed = policy
            .narrowed_processes()
            .any(|name| name == contract.name);
        let how = if narrowed {
            "narrowed from"
        } else {
            "as declared"
        };
        report.note("policy", Ok(()), |()| {
            format!(
                "{}: {how}: reads {}; writes {}; side effects: {}",
                contract.name,
                list(&contract.inputs, "nothing but its outputs"),
                list(&contract.outputs, "nothing"),
                list(&contract.side_effects, "none")
            )
        });
    }
}

/// What `run` does with the guest, up to where it would run.
fn registration(
    loaded: Loaded,
    recipe: Option<Recipe>,
    policy: Policy,
    limits: Limits,
    output: &Output,
    report: &mut Report,
) {
    if let Some(failed) = report.failed_among(&["limits", "contract", "policy"]) {
        let reason = format!("`{failed}` failed above, and refuses it");
        report.skip("registration", reason);
        return;
    }
    let registered = during(output, "compiling the guest", || {
        register(loaded, recipe, policy, limits)
    });
    report.note("registration", registered, |()| {
        "the imports are linked, and the code compiles".into()
    });
}

fn register(
    loaded: Loaded,
    recipe: Option<Recipe>,
    policy: Policy,
    limits: Limits,
) -> Result<(), Failure> {
    let mut builder = Engine::builder().limits(limits).standing_instances(0);
    if let Some(recipe) = recipe {
        builder = builder.recipe(recipe);
    }
    let engine = builder
        .build()
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    engine.register(loaded.component, policy)?;
    Ok(())
}
