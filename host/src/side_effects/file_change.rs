//! What a run did to the files of a directory.

use serde::Serialize;

/// One file or directory that a run changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileChange {
    /// Where, as the guest sees it: `/reports/today.txt`.
    pub path: String,
    /// What was done.
    pub op: FileOp,
    /// The size of the file that is there now; none where none is.
    pub bytes: Option<u64>,
    /// The digest of its contents, in hexadecimal digits.
    pub sha256: Option<String>,
}

impl FileChange {
    /// Creates a change that leaves no contents; a file's are in the fields.
    #[must_use]
    pub fn new(path: impl Into<String>, op: FileOp) -> Self {
        Self {
            path: path.into(),
            op,
            bytes: None,
            sha256: None,
        }
    }
}

/// What was done to a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileOp {
    /// A file is there that was not.
    Create,
    /// Another file is in the place of one.
    Replace,
    /// A file is gone.
    Remove,
    /// A directory is there that was not.
    CreateDirectory,
    /// A directory is gone.
    RemoveDirectory,
}

impl FileOp {
    pub(crate) const ALL: [Self; 5] = [
        Self::Create,
        Self::Replace,
        Self::Remove,
        Self::CreateDirectory,
        Self::RemoveDirectory,
    ];

    /// Its name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::CreateDirectory => "create-directory",
            Self::RemoveDirectory => "remove-directory",
        }
    }
}

impl Serialize for FileOp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
