//! Side effects: what the operator grants outside the context, and what one run found there.
//!
//! A contract asks, the operator grants; both must agree. What is asked for and not granted refuses the guest at
//! registration, and so does a grant that nothing asks for: a slip of the pen must not be silent.

mod directory;
mod file_change;
mod outside;

pub(crate) use self::directory::{Directory, DirectoryKey};
pub use self::file_change::{FileChange, FileOp};
pub(crate) use self::outside::nanos;
pub use self::outside::{Outside, Seed};

use crate::error::{GrantProblem, RegisterError};
use crate::lock::{LockMode, LockSet};
use crate::policy::Policy;
use crate::staging::{self, Fate, Recovered};
use std::path::PathBuf;
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
    Directory {
        name: String,
        path: PathBuf,
        access: Access,
    },
}

/// What a directory is granted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// What one process reaches outside the context: all that its contract asks for.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) effects: Vec<SideEffect>,
    /// The directories that it only reads.
    pub(crate) directories: Vec<Directory>,
    /// The directory that it writes into.
    pub(crate) writable: Option<Directory>,
}

/// Grants whose directories are open, for the contracts of one guest.
pub(crate) struct OpenGrants<'a> {
    grants: &'a SideEffectGrants,
    directories: Vec<(Directory, Access)>,
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
        self.side_effects
            .grant_directory(name.into(), path.into(), Access::Read);
        self
    }

    /// Grants `fs-rw:NAME`: processes that ask for it read and write the files of a directory, and see it as `/NAME`. Those
    /// that ask for `fs:NAME` read it.
    ///
    /// What a run writes appears when it commits, as a whole; until then it is in the folder `.theus-staging` of the
    /// directory. Where a host was killed in the midst of that, registering the guest completes it.
    ///
    /// # Security
    ///
    /// Everything that [`Policy::grant_directory`] says. A process may replace or remove any file below the directory, with
    /// this user's rights; links in it are not followed at all. Do not grant a directory whose files are obeyed: where
    /// programs, their settings or their keys are.
    #[must_use]
    pub fn grant_writable_directory(
        mut self,
        name: impl Into<String>,
        path: impl Into<PathBuf>,
    ) -> Self {
        self.side_effects
            .grant_directory(name.into(), path.into(), Access::ReadWrite);
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

    pub(crate) fn grant_directory(&mut self, name: String, path: PathBuf, access: Access) {
        self.0.push(Granted::Directory { name, path, access });
    }

    /// What is granted, as contracts spell it.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.iter().map(|it| it.effect().to_string()).collect()
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
            check_one_is_written(contract)?;
        }
        let mut directories: Vec<(Directory, Access)> = Vec::new();
        for (index, granted) in self.0.iter().enumerate() {
            let wrong = |problem| RegisterError::Grant {
                grant: granted.effect().to_string(),
                problem,
            };
            if self.0[..index].iter().any(|other| other.is_same(granted)) {
                return Err(wrong(GrantProblem::Twice));
            }
            if let Granted::Directory { name, .. } = granted {
                directory_name(name).map_err(|error| wrong(GrantProblem::Name(error)))?;
            }
            let asked = || contracts.iter().flat_map(|it| &it.side_effects);
            // A grant to write that nothing but reading asks for would be more than anybody needs.
            if !asked().any(|effect| *effect == granted.effect()) {
                let mut asked: Vec<_> = asked().cloned().collect();
                asked.sort();
                asked.dedup();
                return Err(wrong(GrantProblem::NotAsked { asked }));
            }
            if let Granted::Directory { name, path, access } = granted {
                let directory = Directory::open(name, path).map_err(|source| {
                    wrong(GrantProblem::Directory {
                        path: path.clone(),
                        source,
                    })
                })?;
                let overlaps = |(other, theirs): &&(Directory, Access)| {
                    [*access, *theirs].contains(&Access::ReadWrite)
                        && other.key.overlaps(&directory.key)
                };
                if let Some((other, _)) = directories.iter().find(overlaps) {
                    return Err(wrong(GrantProblem::Overlaps {
                        other: other.name.to_string(),
                    }));
                }
                if *access == Access::ReadWrite && !cfg!(unix) {
                    let source = std::io::ErrorKind::Unsupported.into();
                    let path = path.clone();
                    return Err(wrong(GrantProblem::Directory { path, source }));
                }
                directories.push((directory, *access));
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
    /// Completes what killed hosts left in the directories to write into; says so of each.
    ///
    /// # Errors
    ///
    /// What cannot be completed.
    pub(crate) fn recover(&self, fate: Fate<'_>) -> Result<Vec<String>, RegisterError> {
        let mut notes = Vec::new();
        let writable = |(_, access): &&(Directory, Access)| *access == Access::ReadWrite;
        for (directory, _) in self.directories.iter().filter(writable) {
            let recovered =
                staging::recover(directory, fate).map_err(|problem| RegisterError::Grant {
                    grant: SideEffect::FsRw(directory.name.to_string()).to_string(),
                    problem: GrantProblem::Unfinished { problem },
                })?;
            if recovered == Recovered::Commit {
                notes.push(staging::told(&directory.name));
            }
        }
        Ok(notes)
    }

    /// What a process reaches; none where its contract asks for nothing, which costs its runs nothing.
    pub(crate) fn reach(&self, contract: &Contract) -> Option<Arc<Reach>> {
        if contract.side_effects.is_empty() {
            return None;
        }
        let granted = |effect: &&SideEffect| self.grants.covers(effect);
        let effects: Vec<_> = contract.side_effects.iter().filter(granted).collect();
        let asked = |it: &Directory| {
            let asks = |effect: &&&SideEffect| effect.directory() == Some(&*it.name);
            effects.iter().find(asks).copied()
        };
        let is_read = |it: &&Directory| matches!(asked(it), Some(SideEffect::Fs(_)));
        let is_written = |it: &&Directory| matches!(asked(it), Some(SideEffect::FsRw(_)));
        let directories = || self.directories.iter().map(|(directory, _)| directory);
        Some(Arc::new(Reach {
            directories: directories().filter(is_read).cloned().collect(),
            writable: directories().find(is_written).cloned(),
            effects: effects.into_iter().cloned().collect(),
        }))
    }
}

impl Reach {
    /// Whether a process reaches this.
    pub(crate) fn has(&self, effect: &SideEffect) -> bool {
        self.effects.contains(effect)
    }

    /// Adds its directories to what a run locks: a writer keeps every other run out.
    pub(crate) fn lock(&self, set: &mut LockSet) {
        for directory in &self.directories {
            set.add_directory(&directory.key, LockMode::Shared);
        }
        if let Some(directory) = &self.writable {
            set.add_directory(&directory.key, LockMode::Exclusive);
        }
    }
}

/// One manifest decides over the files of a run, and it lies in one directory.
fn check_one_is_written(contract: &Contract) -> Result<(), RegisterError> {
    let is_written = |it: &&SideEffect| matches!(it, SideEffect::FsRw(_));
    let mut written = contract.side_effects.iter().filter(is_written);
    match (written.next(), written.next()) {
        (Some(first), Some(second)) => Err(RegisterError::SecondDirectory {
            process: contract.name.clone(),
            first: first.clone(),
            second: second.clone(),
        }),
        _ => Ok(()),
    }
}

impl Granted {
    /// Whether the grant gives a contract what it asks for. Who may write may also only read.
    fn covers(&self, effect: &SideEffect) -> bool {
        match (self, effect) {
            (Self::Clock, SideEffect::Clock) | (Self::Random, SideEffect::Random) => true,
            (Self::Directory { name, .. }, SideEffect::Fs(asked)) => name == asked,
            (Self::Directory { name, access, .. }, SideEffect::FsRw(asked)) => {
                name == asked && *access == Access::ReadWrite
            }
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

    /// What it grants, as contracts spell it.
    fn effect(&self) -> SideEffect {
        match self {
            Self::Clock => SideEffect::Clock,
            Self::Random => SideEffect::Random,
            Self::Directory { name, access, .. } => {
                let name = theus_core::path::cut(name);
                match access {
                    Access::Read => SideEffect::Fs(name),
                    Access::ReadWrite => SideEffect::FsRw(name),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
