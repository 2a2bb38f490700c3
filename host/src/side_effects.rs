//! Side effects: what the operator grants outside the context, and what one run found there.
//!
//! A contract asks, the operator grants; both must agree. What is asked for and not granted refuses the guest at
//! registration, and so does a grant that nothing asks for: a slip of the pen must not be silent.

mod outside;

pub(crate) use self::outside::nanos;
pub use self::outside::{Outside, Seed};

use crate::error::{GrantProblem, RegisterError};
use crate::policy::Policy;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use theus_core::contract::Contract;
use theus_core::side_effect::{SideEffect, directory_name};

/// What the operator grants outside the context.
#[derive(Clone, Debug, Default)]
pub(crate) struct SideEffectGrants(Vec<Granted>);

/// One grant, as the operator wrote it.
#[derive(Clone, Debug)]
enum Granted {
    Clock,
    Random,
    Directory { name: String, path: PathBuf },
}

/// What one process reaches outside the context: all that its contract asks for.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) effects: Vec<SideEffect>,
    pub(crate) directories: Vec<Directory>,
}

/// A granted directory, open.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) name: Arc<str>,
    pub(crate) dir: Arc<Dir>,
}

/// Grants whose directories are open, for the contracts of one guest.
pub(crate) struct OpenGrants<'a> {
    grants: &'a SideEffectGrants,
    directories: Vec<Directory>,
}

impl Policy {
    /// Grants the `clock`: processes that ask for it know the time at which their run began.
    #[must_use]
    pub fn grant_clock(mut self) -> Self {
        self.side_effects.grant_clock();
        self
    }

    /// Grants `random`: processes that ask for it draw randomness that is different in every run.
    #[must_use]
    pub fn grant_random(mut self) -> Self {
        self.side_effects.grant_random();
        self
    }

    /// Grants `fs:NAME`: processes that ask for it read the files of a directory, and see it as `/NAME`.
    ///
    /// # Security
    ///
    /// The directory is opened when the guest is registered, and everything below it may be read from then on; links in
    /// it that lead out do not. What a process read it may write into its outputs, or send to its outbox.
    #[must_use]
    pub fn grant_directory(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.side_effects.grant_directory(name.into(), path.into());
        self
    }
}

impl SideEffectGrants {
    pub(crate) fn grant_clock(&mut self) {
        self.0.push(Granted::Clock);
    }

    pub(crate) fn grant_random(&mut self) {
        self.0.push(Granted::Random);
    }

    pub(crate) fn grant_directory(&mut self, name: String, path: PathBuf) {
        self.0.push(Granted::Directory { name, path });
    }

    /// What is granted, as contracts spell it.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.iter().map(Granted::words).collect()
    }

    /// Holds the grants against what the contracts of a guest ask for, and opens the directories.
    ///
    /// A directory is opened once: what the path leads to later is of no concern to the guest.
    ///
    /// # Errors
    ///
    /// A side effect that is not granted, a grant that nothing asks for or that is given twice, a directory that cannot
    /// be opened.
    pub(crate) fn open(&self, contracts: &[Contract]) -> Result<OpenGrants<'_>, RegisterError> {
        for contract in contracts {
            let missing = contract.side_effects.iter().find(|it| !self.covers(it));
            if let Some(side_effect) = missing {
                return Err(RegisterError::SideEffect {
                    process: contract.name.clone(),
                    side_effect: side_effect.clone(),
                });
            }
        }
        let mut directories = Vec::new();
        for (index, granted) in self.0.iter().enumerate() {
            let wrong = |problem| RegisterError::Grant {
                grant: granted.words(),
                problem,
            };
            if self.0[..index].iter().any(|other| other.is_same(granted)) {
                return Err(wrong(GrantProblem::Twice));
            }
            if let Granted::Directory { name, .. } = granted {
                directory_name(name).map_err(|error| wrong(GrantProblem::Name(error)))?;
            }
            let asked = || contracts.iter().flat_map(|it| &it.side_effects);
            if !asked().any(|effect| granted.covers(effect)) {
                let mut asked: Vec<_> = asked().cloned().collect();
                asked.sort();
                asked.dedup();
                return Err(wrong(GrantProblem::NotAsked { asked }));
            }
            if let Granted::Directory { name, path } = granted {
                let dir = open(path).map_err(|source| {
                    wrong(GrantProblem::Directory {
                        path: path.clone(),
                        source,
                    })
                })?;
                directories.push(Directory {
                    name: name.as_str().into(),
                    dir: Arc::new(dir),
                });
            }
        }
        Ok(OpenGrants {
            grants: self,
            directories,
        })
    }

    fn covers(&self, effect: &SideEffect) -> bool {
        self.0.iter().any(|granted| granted.covers(effect))
    }
}

impl OpenGrants<'_> {
    /// What a process reaches; none where its contract asks for nothing, which costs its runs nothing.
    pub(crate) fn reach(&self, contract: &Contract) -> Option<Arc<Reach>> {
        if contract.side_effects.is_empty() {
            return None;
        }
        let granted = |effect: &&SideEffect| self.grants.covers(effect);
        let effects: Vec<_> = contract.side_effects.iter().filter(granted).collect();
        let named = |it: &&Directory| effects.iter().any(|e| e.directory() == Some(&*it.name));
        Some(Arc::new(Reach {
            directories: self.directories.iter().filter(named).cloned().collect(),
            effects: effects.into_iter().cloned().collect(),
        }))
    }
}

impl Reach {
    /// Whether a process reaches this.
    pub(crate) fn has(&self, effect: &SideEffect) -> bool {
        self.effects.contains(effect)
    }
}

impl Granted {
    /// Whether the grant gives a contract what it asks for. Nothing gives a directory for writing yet.
    fn covers(&self, effect: &SideEffect) -> bool {
        match (self, effect) {
            (Self::Clock, SideEffect::Clock) | (Self::Random, SideEffect::Random) => true,
            (Self::Directory { name, .. }, SideEffect::Fs(asked)) => name == asked,
            _ => false,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Clock, Self::Clock) | (Self::Random, Self::Random) => true,
            (Self::Directory { name, .. }, Self::Directory { name: other, .. }) => name == other,
            _ => false,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Clock => SideEffect::Clock.to_string(),
            Self::Random => SideEffect::Random.to_string(),
            Self::Directory { name, .. } => SideEffect::Fs(theus_core::path::cut(name)).to_string(),
        }
    }
}

/// The path is the operator's own and may lead anywhere, through links too; the guest's paths begin below it.
fn open(path: &Path) -> std::io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}

#[cfg(test)]
mod tests;
