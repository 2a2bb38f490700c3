//! The host's own folder in a directory that is written into: staged files by number, and the manifest.

use super::place::PRIVATE;
use super::problem::DirectoryProblem;
use cap_fs_ext::{
    DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsMaybeDirExt as _,
};
use cap_std::fs::{Dir, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The list of what is decided and not yet done.
const MANIFEST: &str = "manifest";
/// The same, where a commit that lasts in a state decides on it.
const AWAITING: &str = "manifest.awaits";
/// The same on its way there.
const NEXT_MANIFEST: &str = "manifest.next";
/// More than a manifest of as many files as a run may stage can have.
const MAX_MANIFEST: u64 = 256 * 1024 * 1024;

/// The folder, open.
pub(super) struct Folder {
    dir: Dir,
}

/// A handle that can be locked, synced and listed: what `Dir` holds may be good for looking up names only.
pub(super) fn handle(dir: &Dir) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.read(true).maybe_dir(true);
    Ok(dir.open_with(".", &options)?.into_std())
}

/// Makes what was done in a directory survive a loss of power.
pub(super) fn sync(dir: &Dir) -> io::Result<()> {
    handle(dir)?.sync_all()
}

/// True, or that it was not there.
pub(super) fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Folder {
    /// Makes the folder in a directory where it is not there.
    pub(super) fn make(root: &Dir) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        keep_others_out(&mut builder);
        root.create_dir_with(PRIVATE, &builder)?;
        let dir = root.open_dir_nofollow(PRIVATE)?;
        Ok(Self { dir })
    }

    /// The folder that another run left.
    ///
    /// # Security
    ///
    /// Who can write into it could have a manifest carried out. So it is used only if it is this user's and open to nobody
    /// else.
    pub(super) fn left(root: &Dir, shown: &Path) -> Result<Option<Self>, DirectoryProblem> {
        let folder = shown.join(PRIVATE);
        let not_ours = |reason| DirectoryProblem::NotOurs {
            folder: folder.clone(),
            reason,
        };
        let failed = DirectoryProblem::system(format!("look at {}", folder.display()));
        let look = || -> io::Result<_> {
            let Some(metadata) = unless_missing(root.symlink_metadata(PRIVATE))? else {
                return Ok(None);
            };
            if !metadata.is_dir() {
                return Ok(Some((metadata, None)));
            }
            let dir = root.open_dir_nofollow(PRIVATE)?;
            Ok(Some((dir.dir_metadata()?, Some(dir))))
        };
        match look().map_err(failed)? {
            None => Ok(None),
            Some((_, None)) => Err(not_ours("is no directory")),
            Some((metadata, Some(dir))) => {
                check_owner(&metadata).map_err(not_ours)?;
                Ok(Some(Self { dir }))
            }
        }
    }

    /// Makes the staged file of a number.
    pub(super) fn create(&self, number: usize) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        self.dir.open_with(number.to_string(), &options)
    }

    /// The staged file of a number, to go on with.
    pub(super) fn reopen(&self, number: usize) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).follow(FollowSymlinks::No);
        self.dir.open_with(number.to_string(), &options)
    }

    /// The staged file of a number; none where it is in place already.
    pub(super) fn file(&self, number: usize) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        unless_missing(self.dir.open_with(number.to_string(), &options))
    }

    /// Moves a staged file to its place, at once. False where it is there already.
    pub(super) fn place(&self, number: usize, parent: &Dir, name: &str) -> io::Result<bool> {
        let number = number.to_string();
        match self.dir.symlink_metadata(&number) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
            Ok(_) => self.dir.rename(&number, parent, name).map(|()| true),
        }
    }

    /// Writes a manifest beside where it will be, so that it survives a loss of power once it is there.
    pub(super) fn write_manifest(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.dir.create(NEXT_MANIFEST)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // The names of the staged files, too.
        sync(&self.dir)
    }

    /// Lets the manifest wait for its commit: from here on, who finds it has to ask what became of that.
    pub(super) fn await_commit(&self) -> io::Result<()> {
        self.dir.rename(NEXT_MANIFEST, &self.dir, AWAITING)?;
        sync(&self.dir)
    }

    /// Puts the manifest in force whose commit has come to last. To be done again by whoever finds it, if it fails.
    pub(super) fn decided_by_commit(&self) -> io::Result<()> {
        self.dir.rename(AWAITING, &self.dir, MANIFEST)?;
        sync(&self.dir)
    }

    /// Puts the manifest in force: from here on, what it lists will be done.
    pub(super) fn decide(&self) -> io::Result<()> {
        self.dir.rename(NEXT_MANIFEST, &self.dir, MANIFEST)?;
        let Err(error) = sync(&self.dir) else {
            return Ok(());
        };
        match self.dir.remove_file(MANIFEST) {
            Ok(()) => Err(error),
            // It is there, and whoever finds it carries it out: that is what being decided means.
            Err(_) => Ok(()),
        }
    }

    /// The manifest in force.
    pub(super) fn manifest(&self) -> io::Result<Option<Vec<u8>>> {
        self.read(MANIFEST)
    }

    /// The manifest that waits for its commit.
    pub(super) fn awaiting(&self) -> io::Result<Option<Vec<u8>>> {
        self.read(AWAITING)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = unless_missing(self.dir.open(name))? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(MAX_MANIFEST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Ends a manifest whose work is done. It must not come back: what it removes might be there anew by then.
    pub(super) fn end_manifest(&self) -> io::Result<()> {
        sync(&self.dir)?;
        self.dir.remove_file(MANIFEST)?;
        sync(&self.dir)
    }

    /// Removes the folder and all that is in it. There must be no manifest in force.
    pub(super) fn remove(self, root: &Dir) -> io::Result<()> {
        for entry in self.dir.entries()? {
            self.dir.remove_file(entry?.file_name())?;
        }
        root.remove_dir(PRIVATE)
    }
}

/// Where the folder of a directory is, for messages.
pub(super) fn shown(directory: &Path) -> PathBuf {
    directory.join(PRIVATE)
}

#[cfg(unix)]
fn keep_others_out(builder: &mut DirBuilder) {
    use cap_std::fs::DirBuilderExt as _;
    builder.mode(0o700);
}

#[cfg(unix)]
fn check_owner(metadata: &Metadata) -> Result<(), &'static str> {
    use cap_std::fs::MetadataExt as _;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        Err("belongs to another user")
    } else if metadata.mode() & 0o077 != 0 {
        Err("is open to other users")
    } else {
        Ok(())
    }
}

/// Nothing is granted for writing on other systems.
#[cfg(not(unix))]
fn keep_others_out(_: &mut DirBuilder) {}

#[cfg(not(unix))]
fn check_owner(_: &Metadata) -> Result<(), &'static str> {
    Err("has an owner that this system does not tell")
}
