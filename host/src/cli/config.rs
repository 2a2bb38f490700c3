//! `theus.toml`: what the operator's file and a guest's own file say about a target, below what flags say.

mod command;
mod components;
mod file;
mod state_setup;

pub(super) use self::state_setup::StateSetup;

use self::command::Command;
use self::components::Components;
use self::file::ConfigFile;
use super::failure::Failure;
use super::grants::{FileGrants, Grants};
use super::output::Output;
use super::target::{self, Loaded};
use clap::Args;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::config::{Component, Config, FittingPolicies, Trust};
use theus_core::contract::Contract;
use theus_core::policy::Narrowed;
use theus_core::side_effect::SideEffect;
use theus_host::{Limits, Policy, ProcessPolicy};

/// The flag that names the operator's file.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ConfigFlag {
    /// The operator's configuration; without the flag, the theus.toml of the current folder where there is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFlag {
    /// The file that is named.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        self.config.as_ref()
    }
}

/// A file that a run is given, and its word in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Context,
    Schema,
    Recipe,
}

/// What the configuration files say about one target.
///
/// # Security
///
/// Grants, policies, limits and the mode are the operator's file's alone; a guest's own file cannot give them.
#[derive(Debug)]
pub(super) struct Setup {
    operators: Option<ConfigFile>,
    /// What the operator's file says about the component that is the target.
    component: Option<Component>,
    /// The file that came with the guest, and what it says about its component.
    own: Option<(ConfigFile, Component)>,
    /// A `.wasm` file or a guest's folder.
    location: PathBuf,
    build: Option<Command>,
    notes: Vec<String>,
}

/// What an operator grants a guest: the policy for the engine, and that of each process.
pub(super) struct Granted {
    pub(super) policy: Policy,
    pub(super) by_process: Vec<(String, ProcessPolicy)>,
    pub(super) notes: Vec<String>,
}

/// What a command without a TARGET is about: every component that the operator's file lists; where it lists none, its folder.
pub(super) fn every_target(flag: &ConfigFlag) -> Result<Vec<PathBuf>, Failure> {
    let Some(file) = ConfigFile::of_operator(flag.config.as_deref())? else {
        let message = "no TARGET is given, and there is no theus.toml in the current folder";
        return Err(Failure::new(Code::CommandLine, message)
            .help("name a guest, or list the guests in a theus.toml: `[components.NAME]` with their `path`"));
    };
    let names = Components::of(&file)?.names();
    if names.is_empty() {
        return Ok(vec![file.beside(".")]);
    }
    Ok(names.into_iter().map(PathBuf::from).collect())
}

impl Granted {
    /// The contract's lists as the policy for its process narrows them, where there is one.
    pub(super) fn narrowed(&self, contract: &Contract) -> Option<Narrowed> {
        let mut policies = self.by_process.iter();
        let (_, policy) = policies.find(|(process, _)| *process == contract.name)?;
        // It was held against the contract before: what does not fit was refused.
        policy.narrow(contract).ok()
    }
}

impl Setup {
    /// Finds the files and what TARGET is by them.
    pub(super) fn read(flag: &ConfigFlag, target: &Path) -> Result<Self, Failure> {
        let operators = ConfigFile::of_operator(flag.config.as_deref())?;
        let mut setup = Self {
            operators,
            component: None,
            own: None,
            location: target.to_owned(),
            build: None,
            notes: Vec::new(),
        };
        if let Some(file) = &setup.operators {
            let components = Components::of(file)?;
            if let Some((name, component)) = components.named(target)? {
                setup.location = file.beside(&component.path);
                setup.build = Command::of(&component, file.folder());
                if target.exists() && !file::is_same(target, &setup.location) {
                    setup.notes.push(format!(
                        "`{name}` is the component of {}, not the path; write ./{name} for that",
                        file.name()
                    ));
                }
                setup.component = Some(component);
            }
        }
        if setup.build.is_none() && setup.location.is_dir() {
            setup.guests_own()?;
        }
        Ok(setup)
    }

    /// The file in the target's folder: the operator's, or the one that came with the guest.
    fn guests_own(&mut self) -> Result<(), Failure> {
        let folder = self.location.clone();
        let operators = self.operators.as_ref();
        let is_operators = operators.is_some_and(|file| file.is_in(&folder));
        let own = match (operators, is_operators) {
            (Some(file), true) => Some(file.clone()),
            _ => ConfigFile::in_folder(&folder, Trust::Guest)?,
        };
        let Some(own) = own else { return Ok(()) };
        let component = Components::of(&own)?.only(&own)?;
        if let Some(component) = &component {
            self.location = own.inside("path", &component.path)?;
            self.build = Command::of(component, own.folder());
        }
        if is_operators {
            self.component = component.or_else(|| self.component.take());
        } else {
            self.own = Some((own, component.unwrap_or_default()));
        }
        Ok(())
    }

    /// The file to use: the flag's; else that of the operator's file, for the component before that for all; else that of the guest's.
    pub(super) fn file(&self, word: Word, flag: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
        if let Some(flag) = flag {
            return Ok(Some(flag.to_owned()));
        }
        if let Some(file) = &self.operators {
            let for_component = self.component.as_ref().and_then(|it| word.of(it));
            if let Some(path) = for_component.or_else(|| word.of_all(&file.config)) {
                return Ok(Some(file.beside(path)));
            }
        }
        let Some((own, component)) = &self.own else {
            return Ok(None);
        };
        let path = word.of(component).or_else(|| word.of_all(&own.config));
        path.map(|path| own.inside(word.name(), path)).transpose()
    }

    /// The directory in which the context lasts: the flag's, else that of the operator's file.
    pub(super) fn state(&self, flag: Option<&Path>) -> Option<PathBuf> {
        let of_file = |file: &ConfigFile| Some(file.beside(&file.config.state.as_ref()?.directory));
        flag.map(Path::to_owned)
            .or_else(|| self.operators.as_ref().and_then(of_file))
    }

    /// Whether the operator's file asks for commits that do not wait for the disk.
    pub(super) fn is_buffered(&self) -> bool {
        let state = self
            .operators
            .as_ref()
            .and_then(|it| it.config.state.as_ref());
        state.and_then(|it| it.buffered) == Some(true)
    }

    /// The folders that the operator's file grants for writing.
    pub(super) fn writable_directories(&self) -> Vec<PathBuf> {
        let of_file = |file: &ConfigFile| -> Vec<PathBuf> {
            let granted = file.config.grants.writable_directories.values();
            granted.map(|path| file.beside(path)).collect()
        };
        self.operators.as_ref().map(of_file).unwrap_or_default()
    }

    /// The limits of the operator's file over the defaults.
    pub(super) fn limits(&self) -> Limits {
        let defaults = Limits::default();
        match &self.operators {
            Some(file) => file.config.limits.applied_to(defaults),
            None => defaults,
        }
    }

    /// Whether the operator's file asks for permissive mode.
    pub(super) fn is_permissive(&self) -> bool {
        let asked = self.operators.as_ref().and_then(|it| it.config.permissive);
        asked == Some(true)
    }

    /// Builds the target where it has to be, and reads it.
    pub(super) fn load(&self, limits: &Limits, output: &Output) -> Result<Loaded, Failure> {
        if let Some(build) = &self.build {
            build.run(output)?;
        }
        if let (Some((own, component)), false) = (&self.own, self.location.is_dir()) {
            // The command that made it is the guest's author's: what it made is looked at only now.
            own.inside("path", &component.path)?;
        }
        target::load(&self.location, limits, output)
    }

    /// What flags and the operator's file grant the guest.
    pub(super) fn granted(
        &self,
        flags: &Grants,
        contracts: &[Contract],
    ) -> Result<Granted, Failure> {
        let Some(file) = &self.operators else {
            return Ok(Granted {
                policy: flags.policy(&FileGrants::default()),
                by_process: Vec::new(),
                notes: Vec::new(),
            });
        };
        let fitting = file.config.policies_for(contracts).map_err(|misfit| {
            let failure = Failure::with_lines(Code::PolicyUnfit, &misfit.errors);
            match &misfit.process {
                Some(process) => failure.process(process),
                None => failure,
            }
        })?;
        let FittingPolicies {
            policies: by_process,
            mut notes,
        } = fitting;
        let grants = file_grants(file, contracts, &mut notes);
        let mut policy = flags.policy(&grants);
        for (process, narrowing) in &by_process {
            policy = policy.narrowed(process, narrowing.clone());
        }
        Ok(Granted {
            policy,
            by_process,
            notes,
        })
    }

    /// The names of the files that were read, the operator's first.
    pub(super) fn files(&self) -> Vec<String> {
        let own = self
            .own
            .iter()
            .map(|(file, _)| format!("{} (the guest's own)", file.name()));
        let operators = self.operators.iter().map(ConfigFile::name);
        operators.chain(own).collect()
    }

    /// The places that the target is made from: its file or folder, and the configurations.
    ///
    /// What a `build` command reads is not known, and what it writes would be taken for a change.
    pub(super) fn places(&self) -> Result<Vec<PathBuf>, Failure> {
        if self.build.is_some() {
            let problem = format!(
                "{} is made by the `build` command of a configuration, whose sources are not known",
                self.location.display()
            );
            return Err(Failure::new(Code::CommandLine, problem)
                .help("give the .wasm file itself, as a path, and let something else build it"));
        }
        let own = self.own.iter().map(|(file, _)| file);
        let files = self.operators.iter().chain(own).map(ConfigFile::path);
        Ok(std::iter::once(self.location.as_path())
            .chain(files)
            .map(Path::to_owned)
            .collect())
    }

    /// A `.wasm` file or a guest's folder.
    pub(super) fn location(&self) -> &Path {
        &self.location
    }

    /// What the files give that may surprise.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What messages call the operator's file.
    pub(super) fn origin(&self) -> String {
        self.operators
            .as_ref()
            .map(ConfigFile::name)
            .unwrap_or_default()
    }
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Schema => "schema",
            Self::Recipe => "recipe",
        }
    }

    fn of(self, component: &Component) -> Option<&str> {
        match self {
            Self::Context => component.context.as_deref(),
            Self::Schema => component.schema.as_deref(),
            Self::Recipe => component.recipe.as_deref(),
        }
    }

    fn of_all(self, config: &Config) -> Option<&str> {
        match self {
            Self::Context => config.context.as_deref(),
            Self::Schema => config.schema.as_deref(),
            Self::Recipe => config.recipe.as_deref(),
        }
    }
}

/// The side effects that the file grants and the guest asks for. The file is for other guests, too: what this one does
/// not ask for is told, not refused.
fn file_grants(file: &ConfigFile, contracts: &[Contract], notes: &mut Vec<String>) -> FileGrants {
    let mut ask = |side_effect: SideEffect| {
        let asked = contracts
            .iter()
            .any(|it| it.side_effects.contains(&side_effect));
        if !asked {
            notes.push(format!(
                "{}: the grant of `{side_effect}` is not used: no contract of this guest asks for it",
                file.name()
            ));
        }
        asked
    };
    let grants = &file.config.grants;
    let mut granted = FileGrants {
        clock: grants.clock == Some(true) && ask(SideEffect::Clock),
        random: grants.random == Some(true) && ask(SideEffect::Random),
        directories: Vec::new(),
        writable_directories: Vec::new(),
    };
    for (name, path) in &grants.directories {
        if ask(SideEffect::Fs(name.clone())) {
            granted.directories.push((name.clone(), file.beside(path)));
        }
    }
    for (name, path) in &grants.writable_directories {
        if ask(SideEffect::FsRw(name.clone())) {
            let path = file.beside(path);
            granted.writable_directories.push((name.clone(), path));
        }
    }
    granted
}

#[cfg(test)]
mod tests;
