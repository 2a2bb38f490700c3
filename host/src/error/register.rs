//! Why a guest was not registered.

use crate::guest::GuestError;
use crate::staging::DirectoryProblem;
use std::path::PathBuf;
use theus_core::audit::RecipeErrors;
use theus_core::code::{Code, ErrorKind};
use theus_core::contract::StrictError;
use theus_core::policy::PolicyProblem;
use theus_core::schema::ImpossiblePaths;
use theus_core::side_effect::{SideEffect, SideEffectError};

/// Why a guest was not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The bytes are no guest that this host runs.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// Strict mode does not allow a contract.
    #[error("{process}: {}", joined(problems))]
    NotStrict {
        /// The process.
        process: String,
        /// Everything that is not allowed; never empty.
        problems: Vec<StrictError>,
    },
    /// The schema lets nothing be at paths of a contract.
    #[error("{process}: {problem}")]
    NotInSchema {
        /// The process.
        process: String,
        /// The paths, and what the schema declares instead.
        problem: ImpossiblePaths,
    },
    /// A contract asks for a side effect that was not granted.
    #[error("{process}: the side effect `{side_effect}` is not granted")]
    SideEffect {
        /// The process.
        process: String,
        /// What it asks for.
        side_effect: SideEffect,
    },
    /// A contract asks to write into two directories.
    #[error("{process}: it writes into `{first}`, so `{second}` cannot be granted as well")]
    SecondDirectory {
        /// The process.
        process: String,
        /// What it asks for first.
        first: SideEffect,
        /// What it asks for as well.
        second: SideEffect,
    },
    /// The operator grants a side effect that nothing asks for, or that cannot be given.
    #[error("the grant of `{grant}`: {problem}")]
    Grant {
        /// What is granted.
        grant: String,
        /// What is wrong about it.
        problem: GrantProblem,
    },
    /// The policy does not narrow a contract: it goes beyond it, or says nothing.
    #[error("{process}: {}", joined(problems))]
    Policy {
        /// The process.
        process: String,
        /// Everything that does not fit; never empty.
        problems: Vec<PolicyProblem>,
    },
    /// The policy is for a process that the guest does not have.
    #[error("the policy is for the process `{process}`, which the guest does not have; it has: {}", known.join(", "))]
    PolicyForNobody {
        /// The name in the policy.
        process: String,
        /// The processes of the guest.
        known: Vec<String>,
    },
    /// A process of that name is registered already.
    #[error("a process `{process}` is registered already")]
    RegisteredTwice {
        /// The name.
        process: String,
    },
    /// The recipe does not fit a contract.
    #[error(transparent)]
    Recipe(#[from] RecipeErrors),
}

/// What is wrong about a granted side effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantProblem {
    /// No contract of the guest asks for it.
    #[error("no process of the guest asks for it; they ask for {}", quoted(asked))]
    NotAsked {
        /// What they ask for.
        asked: Vec<SideEffect>,
    },
    /// It is granted twice.
    #[error("it is given twice")]
    Twice,
    /// The directory's name is none.
    #[error(transparent)]
    Name(SideEffectError),
    /// The path leads to no directory that can be opened.
    #[error("cannot open the directory {}: {source}", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// One of two directories is granted for writing, and they are the same or one lies in the other.
    #[error("it overlaps with the directory `{other}`, and one of them is written into")]
    Overlaps {
        /// The name of the other one.
        other: String,
    },
    /// A killed host left a commit in the directory that cannot be completed.
    #[error("{problem}")]
    Unfinished {
        /// Why not.
        problem: DirectoryProblem,
    },
}

impl RegisterError {
    /// The error's stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::Unreadable,
            Self::Guest(error) => error.code(),
            Self::NotStrict { .. } => Code::NotStrict,
            Self::NotInSchema { .. } => Code::PathNotInSchema,
            Self::SideEffect { .. } | Self::SecondDirectory { .. } => Code::SideEffectNotGranted,
            Self::Grant {
                problem: GrantProblem::Unfinished { .. },
                ..
            } => Code::DirectoryUnusable,
            Self::Grant { .. } => Code::GrantUnfit,
            Self::Policy { .. } | Self::PolicyForNobody { .. } => Code::PolicyUnfit,
            Self::RegisteredTwice { .. } => Code::RegisteredTwice,
            Self::Recipe(_) => Code::RecipeFile,
        }
    }

    /// The kind of ending, which decides the exit code.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.code().kind()
    }

    /// The process that the error is about, where it is about one.
    #[must_use]
    pub fn process(&self) -> Option<&str> {
        match self {
            Self::NotStrict { process, .. }
            | Self::NotInSchema { process, .. }
            | Self::SideEffect { process, .. }
            | Self::SecondDirectory { process, .. }
            | Self::Policy { process, .. }
            | Self::PolicyForNobody { process, .. }
            | Self::RegisteredTwice { process } => Some(process),
            _ => None,
        }
    }

    /// The place in the context that the error is about, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match self {
            Self::NotStrict { problems, .. } => problems.first().map(|it| it.path().to_owned()),
            Self::NotInSchema { problem, .. } => problem.paths.first().map(|it| it.path.clone()),
            Self::Policy { problems, .. } => problems.iter().find_map(|it| match it {
                PolicyProblem::NotDeclared { path, .. } => Some(path.clone()),
                _ => None,
            }),
            _ => None,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Guest(error) => return error.help(),
            Self::NotStrict { .. } => {
                "change the contract, or run in permissive mode while you develop".into()
            }
            Self::NotInSchema { problem, .. } => return problem.help(),
            Self::SideEffect { side_effect, .. } => how_to_grant(side_effect),
            Self::SecondDirectory { .. } => {
                "the files of a run are decided on in one directory: let it write into one, or make two processes of it"
                    .into()
            }
            Self::Grant { problem, .. } => match problem {
                GrantProblem::NotAsked { .. } => {
                    "leave the grant out, or add it to the `side_effects` of a contract".into()
                }
                GrantProblem::Twice => "grant it once".into(),
                GrantProblem::Name(_) => "use the name that the contract asks for".into(),
                GrantProblem::Directory { .. } => {
                    "name a directory that is there and that this user may read".into()
                }
                GrantProblem::Overlaps { .. } => {
                    "grant directories of which none lies in another; a process that asks for `fs:NAME` reads what is granted for writing under the same name".into()
                }
                GrantProblem::Unfinished { problem } => problem.help(),
            },
            Self::Policy { problems, .. } => problems.first()?.help(),
            Self::PolicyForNobody { process, known } => {
                let names = known.iter().map(String::as_str);
                match theus_core::policy::nearest(process, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name a process of the guest; `inspect` prints them".into(),
                }
            }
            Self::RegisteredTwice { .. } => "register each process once".into(),
            _ => return None,
        })
    }
}

/// How the operator grants a side effect.
pub(super) fn how_to_grant(side_effect: &SideEffect) -> String {
    let (flag, method) = match side_effect {
        SideEffect::Clock => ("--grant clock".to_owned(), "Policy::grant_clock"),
        SideEffect::Random => ("--grant random".to_owned(), "Policy::grant_random"),
        SideEffect::Fs(name) => (format!("--dir {name}=FOLDER"), "Policy::grant_directory"),
        SideEffect::FsRw(name) => (
            format!("--dir-rw {name}=FOLDER"),
            "Policy::grant_writable_directory",
        ),
        other => {
            return format!("remove `{other}` from the contract: this version does not grant it");
        }
    };
    format!("grant it with `{flag}` (in a program: `{method}`), or remove it from the contract")
}

fn quoted(effects: &[SideEffect]) -> String {
    if effects.is_empty() {
        return "nothing".into();
    }
    let quoted: Vec<_> = effects.iter().map(|it| format!("`{it}`")).collect();
    quoted.join(", ")
}

fn joined(problems: &[impl ToString]) -> String {
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    problems.join("; ")
}
