//! Why a guest was not registered.

use crate::guest::GuestError;
use std::path::PathBuf;
use theus_core::audit::RecipeErrors;
use theus_core::code::{Code, ErrorKind};
use theus_core::contract::StrictError;
use theus_core::policy::PolicyProblem;
use theus_core::schema::ImpossiblePath;

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
    #[error("{process}: {problem}")]
    NotStrict {
        /// The process.
        process: String,
        /// What is not allowed.
        problem: StrictError,
    },
    /// The schema lets nothing be at a path of a contract.
    #[error("{process}: {problem}")]
    NotInSchema {
        /// The process.
        process: String,
        /// The path, and what the schema declares instead.
        problem: ImpossiblePath,
    },
    /// A contract asks for a side effect that was not granted.
    #[error("{process}: the side effect `{side_effect}` is not granted")]
    SideEffect {
        /// The process.
        process: String,
        /// What it asks for.
        side_effect: String,
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

impl RegisterError {
    /// The error's stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::Unreadable,
            Self::Guest(error) => error.code(),
            Self::NotStrict { .. } => Code::NotStrict,
            Self::NotInSchema { .. } => Code::PathNotInSchema,
            Self::SideEffect { .. } => Code::SideEffectNotGranted,
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
            Self::NotStrict {
                problem:
                    StrictError::UnreadableInput { path, .. } | StrictError::GlobalOutput { path },
                ..
            } => Some(path.clone()),
            Self::NotInSchema { problem, .. } => Some(problem.path.clone()),
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
            Self::NotInSchema { problem, .. } => problem.help(),
            Self::SideEffect { .. } => {
                "this version grants no side effects: remove it from the contract".into()
            }
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

fn joined(problems: &[PolicyProblem]) -> String {
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    problems.join("; ")
}
