//! `check`: everything that can be known without running a process. Does it all fit: the limits, the guest and its imports, the
//! contracts, the schema, a recipe, a context file, the configuration, the policy?
//!
//! Whatever is wrong is told at once, row by row; what could not be looked at for lack of a file is said as well.

mod imports;
mod report;

use self::imports::Import;
use self::report::Report;
use super::config::{self, ConfigFlag, Granted, Setup, Word};
use super::context_file;
use super::exit;
use super::failure::Failure;
use super::grants::Grants;
use super::inputs::InputFlags;
use super::limits::{self, LimitFlags};
use super::output::Output;
use super::progress::during;
use super::run::read_recipe;
use super::schema;
use super::target::Loaded;
use super::text::{counted, list};
use clap::Args;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::config::changed_limits;
use theus_core::contract::Contract;
use theus_host::{Engine, Gate, Limits, Policy, Recipe, RecipeErrors, RegisterError, Schema};

/// The flags and words of `check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// A component, a core module built with an SDK, a guest's source folder (built first), or a component's name of
    /// the configuration; without it, every component of the configuration
    target: Option<PathBuf>,
    #[command(flatten)]
    inputs: InputFlags,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    config: ConfigFlag,
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
        let Some(target) = &self.target else {
            return self.every_component(output);
        };
        let report = self.check(target, output);
        report.print(output)?;
        Ok(report.first().map_or(exit::OK, Failure::exit_code))
    }

    /// Without a TARGET: whatever the operator's file lists.
    fn every_component(&self, output: &mut Output) -> Result<u8, Failure> {
        let targets = config::every_target(&self.config)?;
        let reports: Vec<Report> = targets
            .iter()
            .map(|target| self.check(target, output))
            .collect();
        report::print_all(&reports, output)?;
        let first = reports.iter().find_map(Report::first);
        Ok(first.map_or(exit::OK, Failure::exit_code))
    }

    fn check(&self, target: &Path, output: &Output) -> Report {
        let mut report = Report::new(target);
        let Some(setup) = configuration(Setup::read(&self.config, target), &mut report) else {
            return report;
        };
        let limits = self.limits(&setup, &mut report);
        let loaded = load(&setup, &limits, output, &mut report);
        let granted = loaded
            .as_ref()
            .map(|loaded| setup.granted(&self.grants, &loaded.guest.contracts));
        if let Some(loaded) = &loaded {
            report.digest = Some(loaded.guest.digest.clone());
            let policy = match &granted {
                Some(Ok(granted)) => granted.policy.clone(),
                _ => Policy::as_declared(),
            };
            report.imports = Import::all(&loaded.guest, &policy);
            let told = imports::told(&report.imports);
            report.note("imports", Ok(()), |()| told);
        }
        let schema = self.schema(&setup, &mut report);
        if let Some(loaded) = &loaded {
            contracts(loaded, schema.as_ref(), &mut report);
        }
        let recipe = self.recipe(&setup, loaded.as_ref(), schema.as_ref(), &mut report);
        self.context(&setup, &limits, schema, &mut report);
        if let (Some(loaded), Some(granted)) = (loaded, granted) {
            let policy = policy_of(&loaded, granted, &mut report);
            registration(loaded, recipe, policy, limits, output, &mut report);
        } else {
            let imports_failed = report.failed_among(&["imports"]).is_some();
            let rows = ["imports", "contract", "policy", "registration"];
            for name in rows.into_iter().skip(usize::from(imports_failed)) {
                report.skip(name, "there is no guest to look at");
            }
        }
        report
    }

    /// The limits; where they make no sense, those by default, so that everything else can be looked at.
    fn limits(&self, setup: &Setup, report: &mut Report) -> Limits {
        let limits = self.limits.over(setup.limits());
        let limits = limits.and_then(|limits| limits::check(&limits).map(|()| limits));
        let count = Limits::COUNT;
        let passed = report.note("limits", limits, |limits| {
            match changed_limits(limits).as_slice() {
                [] => format!("{count} limits, all as by default"),
                changed => format!(
                    "{count} limits, not as by default: {}",
                    list(changed, "none")
                ),
            }
        });
        passed.unwrap_or_default()
    }

    fn schema(&self, setup: &Setup, report: &mut Report) -> Option<Schema> {
        let Some(file) = setup
            .file(Word::Schema, self.inputs.schema.as_deref())
            .transpose()
        else {
            let reason = "no schema is given (--schema FILE): contracts, recipe and context are held against none";
            report.skip("schema", reason);
            return None;
        };
        let schema = report.note(
            "schema",
            file.and_then(|file| schema::read(&file)),
            |schema| {
                let declared = counted(schema.declarations(), "declaration");
                format!("{}: {declared}", schema.origin())
            },
        );
        if schema.is_none() {
            let reason = "the schema failed: contracts, recipe and context are held against none";
            report.skip("paths", reason);
        }
        schema
    }

    fn recipe(
        &self,
        setup: &Setup,
        loaded: Option<&Loaded>,
        schema: Option<&Schema>,
        report: &mut Report,
    ) -> Option<Recipe> {
        let Some(file) = setup
            .file(Word::Recipe, self.inputs.audit.as_deref())
            .transpose()
        else {
            report.skip("recipe", "no recipe is given (--audit FILE)");
            return None;
        };
        let contracts = loaded.map_or(&[][..], |loaded| &loaded.guest.contracts);
        let fits = file.and_then(|file| {
            let bound = read_recipe(&file).and_then(|recipe| bind(recipe, contracts, schema))?;
            Ok((file, bound))
        });
        let (_, bound) = report.note("recipe", fits, |(file, bound)| {
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

    fn context(&self, setup: &Setup, limits: &Limits, schema: Option<Schema>, report: &mut Report) {
        let Some(file) = setup
            .file(Word::Context, self.inputs.context.as_deref())
            .transpose()
        else {
            report.skip("context", "no context is given (--context FILE)");
            return;
        };
        let fits = if schema.is_some() {
            ", fits the schema"
        } else {
            ""
        };
        let read = file.and_then(|file| {
            let tree = context_file::read(&file, limits)?;
            schema::fits_an_engine(tree, schema, &file)?;
            Ok(file)
        });
        report.note("context", read, |file| format!("{}{fits}", file.display()));
    }
}

/// The guest's file; one that imports what it is not given fails as such.
fn load(setup: &Setup, limits: &Limits, output: &Output, report: &mut Report) -> Option<Loaded> {
    let loaded = setup.load(limits, output);
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

/// What the operator grants of what each contract asks for; none where that does not fit the contracts.
fn policy_of(
    loaded: &Loaded,
    granted: Result<Granted, Failure>,
    report: &mut Report,
) -> Option<Policy> {
    let contracts = &loaded.guest.contracts;
    let fits = granted.and_then(|granted| {
        granted.policy.check(contracts)?;
        Ok(granted)
    });
    let granted = match fits {
        Ok(granted) => granted,
        Err(failure) => return report.note("policy", Err(failure), |_| String::new()),
    };
    for contract in contracts {
        let narrowed = granted.narrowed(contract);
        let (inputs, outputs, how) = match &narrowed {
            Some(narrowed) => (&narrowed.inputs, &narrowed.outputs, "narrowed"),
            None => (&contract.inputs, &contract.outputs, "as declared"),
        };
        let topics = narrowed.as_ref().and_then(|it| it.topics.as_ref());
        let topics = topics.map_or_else(String::new, |topics| {
            format!("sends to {}; ", list(&topics.texts(), "no topic"))
        });
        report.note("policy", Ok(()), |()| {
            format!(
                "{}: {how}: reads {}; writes {}; {topics}side effects: {}",
                contract.name,
                list(inputs, "nothing but its outputs"),
                list(outputs, "nothing"),
                list(&contract.side_effects, "none")
            )
        });
    }
    report.warnings.extend(granted.notes);
    Some(granted.policy)
}

/// The configuration files, where there are some.
fn configuration(read: Result<Setup, Failure>, report: &mut Report) -> Option<Setup> {
    let files = |setup: &Setup| list(&setup.files(), "none");
    match read {
        Ok(setup) if setup.files().is_empty() => Some(setup),
        read => report.note("config", read, files),
    }
    .inspect(|setup| report.warnings.extend_from_slice(setup.notes()))
}

/// What `run` does with the guest, up to where it would run.
fn registration(
    loaded: Loaded,
    recipe: Option<Recipe>,
    policy: Option<Policy>,
    limits: Limits,
    output: &Output,
    report: &mut Report,
) {
    let failed = report.failed_among(&["limits", "contract", "policy"]);
    let (None, Some(policy)) = (failed, policy) else {
        let failed = failed.unwrap_or("policy");
        let reason = format!("`{failed}` failed above, and refuses it");
        report.skip("registration", reason);
        return;
    };
    let registered = during(output, "compiling the guest", || {
        register(loaded, recipe, policy, limits)
    });
    let told = "the imports are linked, and the code compiles";
    let notes = report.note("registration", registered, |_| told.into());
    for note in notes.into_iter().flatten() {
        // What the recipe's row has told already is not told again.
        if !report.warnings.contains(&note) {
            report.warnings.push(note);
        }
    }
}

fn register(
    loaded: Loaded,
    recipe: Option<Recipe>,
    policy: Policy,
    limits: Limits,
) -> Result<Vec<String>, Failure> {
    let mut builder = Engine::builder().limits(limits).standing_instances(0);
    if let Some(recipe) = recipe {
        builder = builder.recipe(recipe);
    }
    let engine = builder
        .build()
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    Ok(engine.register(loaded.component, policy)?.notes)
}
