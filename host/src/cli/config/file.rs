//! One configuration file: where it is, and what the paths in it lead to.

use crate::cli::failure::Failure;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::config::{CONFIG_FILE_NAME, Config, MAX_CONFIG_BYTES, Trust};

/// A configuration file that was read.
#[derive(Clone, Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    trust: Trust,
    pub(super) config: Config,
}

impl ConfigFile {
    /// The operator's file: the one that is named, which must be there; else that of the current folder.
    pub(super) fn of_operator(named: Option<&Path>) -> Result<Option<Self>, Failure> {
        match named {
            Some(path) => Self::read(path, Trust::Operator).map(Some),
            None => Self::in_folder(Path::new(""), Trust::Operator),
        }
    }

    /// The file of a folder, where there is one.
    pub(super) fn in_folder(folder: &Path, trust: Trust) -> Result<Option<Self>, Failure> {
        let path = folder.join(CONFIG_FILE_NAME);
        // What is there and cannot be looked at is an error of the reading, not an absent file.
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => Self::read(&path, trust).map(Some),
        }
    }

    fn read(path: &Path, trust: Trust) -> Result<Self, Failure> {
        let unreadable = |error| Failure::file("read", path, &error);
        let kind = std::fs::metadata(path).map_err(unreadable)?;
        if !kind.is_file() {
            // A pipe would be waited for.
            let message = format!("{} is no file", path.display());
            return Err(Failure::new(Code::Unreadable, message));
        }
        let mut text = String::new();
        File::open(path)
            .and_then(|file| {
                let bound = MAX_CONFIG_BYTES as u64 + 1;
                file.take(bound).read_to_string(&mut text)
            })
            .map_err(unreadable)?;
        let config = Config::parse(&text, &path.display().to_string(), trust)
            .map_err(|errors| Failure::with_lines(Code::ConfigFile, errors))?;
        Ok(Self {
            path: path.to_owned(),
            trust,
            config,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call the file.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The folder that its paths are relative to.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Whether it is the file of that folder.
    pub(super) fn is_in(&self, folder: &Path) -> bool {
        is_same(&self.path, &folder.join(CONFIG_FILE_NAME))
    }

    /// A path that the file gives.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        let path = path.strip_prefix("./").unwrap_or(path);
        match (self.folder().join(path), path) {
            (folder, "." | "") if folder.as_os_str().is_empty() => ".".into(),
            (_, "." | "") => self.folder().to_owned(),
            (joined, _) => joined,
        }
    }

    /// A path that the file gives; in a guest's own file it stays in the folder, wherever links lead.
    ///
    /// # Security
    ///
    /// What such a file names is read with the operator's rights and comes into the guest's reach: it must be the guest's.
    pub(super) fn inside(&self, word: &str, path: &str) -> Result<PathBuf, Failure> {
        let joined = self.beside(path);
        if self.trust == Trust::Operator {
            return Ok(joined);
        }
        let folder = match self.folder() {
            here if here.as_os_str().is_empty() => Path::new("."),
            folder => folder,
        };
        // What is not there, or not yet, leads nowhere; reading it says so.
        let (Ok(folder), Ok(found)) = (folder.canonicalize(), joined.canonicalize()) else {
            return Ok(joined);
        };
        if found.starts_with(&folder) {
            return Ok(joined);
        }
        let message = format!("`{word}` leads out of the guest's folder, through a link");
        Err(Failure::new(Code::ConfigFile, message)
            .about(self.name())
            .help("the guest's own file names what lies beside it; give another file by a flag, or in a file of your own"))
    }
}

/// Whether two paths lead to the same place.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
