//! What can go wrong with a directory that is written into: for the guest, and for the operator.

use std::io;
use std::path::PathBuf;
use theus_core::limits::LimitExceeded;

/// Why a guest's request for a file failed. The guest learns of it, but for limits, which end the run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileProblem {
    #[error("there is nothing of that name")]
    NotFound,
    #[error("there is something of that name")]
    Exists,
    #[error("it is no directory")]
    NotDirectory,
    #[error("it is a directory")]
    IsDirectory,
    #[error("the directory is not empty")]
    NotEmpty,
    #[error("it is not permitted")]
    NotPermitted,
    #[error("the file is read-only")]
    ReadOnly,
    #[error("links are not followed")]
    Link,
    #[error("the path is too long or too deep")]
    NameTooLong,
    #[error("it makes no sense")]
    Invalid,
    #[error("it lies on another file system")]
    CrossDevice,
    #[error("the directory has too many entries")]
    TooManyEntries,
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Why a directory cannot be written into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryProblem {
    /// Another host writes into it, and the run's time passed while it waited.
    #[error("another host writes into it, and did not end in time")]
    InUse,
    /// Somebody else changed what the run changed as well.
    #[error("`{file}` was changed by somebody else while the run was at work")]
    Changed {
        /// The file or directory, from the granted directory.
        file: String,
    },
    /// A host was killed while it put files in place, and what it left cannot be completed.
    #[error("what a killed host left in {} is damaged: {reason}", folder.display())]
    Damaged {
        /// The host's own folder in the directory.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A host was killed in the midst of a commit that lasts in a state, and this host cannot ask that what became of it.
    #[error("what a killed host left in {} waits for a commit of a state, which {reason}", folder.display())]
    Awaits {
        /// The host's own folder in the directory.
        folder: PathBuf,
        /// Why the state does not tell.
        reason: &'static str,
    },
    /// The host's own folder is not the host's.
    #[error("{} {reason}", folder.display())]
    NotOurs {
        /// The host's own folder in the directory.
        folder: PathBuf,
        /// What is wrong about it.
        reason: &'static str,
    },
    /// The system refused.
    #[error("cannot {doing}: {message}")]
    System {
        /// What was being done.
        doing: String,
        /// What the system says.
        message: String,
    },
}

impl DirectoryProblem {
    pub(super) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System {
            doing: doing.into(),
            message: error.to_string(),
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::InUse => "run it again, or give it more time with --timeout".into(),
            Self::Changed { .. } => {
                "run it again: it will see the change; let nobody else write where processes do"
                    .into()
            }
            Self::Damaged { folder, .. } => format!(
                "nothing is lost: look into {}, put in place by hand what you want to keep, then remove that folder",
                folder.display()
            ),
            Self::Awaits { folder, .. } => format!(
                "run a process of this directory once with the --state that the commit went to; or remove {} to give up what was staged",
                folder.display()
            ),
            Self::NotOurs { folder, .. } => format!(
                "remove {}: that name is the host's own, and nobody else may write there",
                folder.display()
            ),
            Self::System { .. } => {
                "let this user write into the directory, and see that its disk is not full".into()
            }
        }
    }
}
