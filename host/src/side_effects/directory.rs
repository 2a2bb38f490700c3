//! Granted directories: open, and known again under whatever name they are granted.

use cap_fs_ext::MetadataExt as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A granted directory, open.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) name: Arc<str>,
    pub(crate) dir: Arc<Dir>,
    /// Where the operator said it is, for messages.
    pub(crate) path: Arc<Path>,
    pub(crate) key: DirectoryKey,
}

/// Which directory it is, whatever its name and path: itself and all that it lies in, from the top of the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryKey(Arc<[Identity]>);

type Identity = (u64, u64);

impl Directory {
    /// Opens a directory. The path is the operator's own and may lead anywhere, through links too; the guest's paths begin
    /// below it.
    pub(crate) fn open(name: &str, path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        let own = identity(&dir.dir_metadata()?);
        let mut above = Vec::new();
        for folder in path.canonicalize()?.ancestors().skip(1) {
            let folder = Dir::open_ambient_dir(folder, ambient_authority());
            // A directory above that this user may not even look at tells nothing of what lies in it.
            if let Ok(metadata) = folder.and_then(|it| it.dir_metadata()) {
                above.push(identity(&metadata));
            }
        }
        above.reverse();
        above.push(own);
        Ok(Self {
            name: name.into(),
            dir: Arc::new(dir),
            path: PathBuf::from(path).into(),
            key: DirectoryKey(above.into()),
        })
    }
}

impl DirectoryKey {
    /// Whether the two are the same directory, or one lies in the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let lies_in = |one: &Self, other: &Self| match other.0.last() {
            Some(directory) => one.0.contains(directory),
            None => false,
        };
        lies_in(self, other) || lies_in(other, self)
    }
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_known_again_by_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a/b", "ab"] {
            std::fs::create_dir_all(folder.path().join(name)).expect(name);
        }
        let key = |path: &Path| Directory::open("x", path).expect("it is there").key;
        let [a, b, ab] = ["a", "a/b", "ab"].map(|name| key(&folder.path().join(name)));
        let detour = key(&folder.path().join("ab/../a/b/.."));
        assert_eq!(detour, a);
        for (one, other, overlap) in [
            (&a, &a, true),
            (&a, &b, true),
            (&a, &ab, false),
            (&b, &ab, false),
        ] {
            assert_eq!(one.overlaps(other), overlap);
            assert_eq!(other.overlaps(one), overlap);
        }
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink("a", &link).expect("a link");
            assert!(key(&link).overlaps(&b), "under another name");
        }
    }
}
