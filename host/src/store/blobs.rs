//! Blobs: what records refer to by its digest and do not hold, one file each.
//!
//! A blob is there before the record that refers to it, so a crash between the two leaves one that nothing refers to, and
//! never a record without its blob.

use super::chain::Hash;
use super::directory::{io_error, make_private, sync_folder};
use super::error::{Damage, StoreError};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where blobs are.
#[derive(Debug)]
pub(super) enum Blobs {
    /// In a folder, each in a file under the 64 digits of its SHA-256.
    In(PathBuf),
    /// In memory, as long as the journal beside them.
    Held(Mutex<BTreeMap<[u8; 32], Arc<[u8]>>>),
}

const FOLDER: &str = "blobs";
/// What is being written; a crash may leave it, and the next blob replaces it.
const UNFINISHED: &str = "unfinished";

impl Blobs {
    /// The blobs of a state, which its lock keeps other hosts from.
    pub(super) fn of(state: &Path) -> Self {
        Self::In(state.join(FOLDER))
    }

    /// Keeps bytes, and returns once they last.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        let digest = Hash::of_bytes(bytes);
        if self.read(digest)?.is_some() {
            return Ok(digest);
        }
        match self {
            Self::In(folder) => {
                write(folder, &name(digest), bytes)?;
            }
            Self::Held(blobs) => {
                let mut blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                blobs.insert(*digest.as_bytes(), bytes.into());
            }
        }
        Ok(digest)
    }

    /// The bytes of a digest, where they are kept.
    pub(super) fn read(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let folder = match self {
            Self::In(folder) => folder,
            Self::Held(blobs) => {
                let blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(blobs.get(digest.as_bytes()).map(|it| it.to_vec()));
            }
        };
        let file = folder.join(name(digest));
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &file, &error)),
        };
        if Hash::of_bytes(&bytes) == digest {
            Ok(Some(bytes))
        } else {
            Err(StoreError::Damaged(Damage::Blob(digest)))
        }
    }

    /// The digests of all that is kept, in order.
    pub(super) fn all(&self) -> Result<Vec<Hash>, StoreError> {
        let folder = match self {
            Self::In(folder) => folder,
            Self::Held(blobs) => {
                let blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(blobs.keys().filter_map(|it| Hash::from_slice(it)).collect());
            }
        };
        let names = match fs::read_dir(folder) {
            Ok(entries) => entries
                .map(|entry| entry.map(|it| it.file_name()))
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let names: Vec<_> = names.map_err(|error| io_error("list", folder, &error))?;
        let digests = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        let mut digests: Vec<Hash> = digests.collect();
        digests.sort_unstable_by_key(|it| *it.as_bytes());
        Ok(digests)
    }

    /// None yet, in memory.
    pub(super) fn held() -> Self {
        Self::Held(Mutex::default())
    }
}

/// Writes a file whole or not at all, and returns once it lasts.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let file = folder.join(name);
    let unfinished = folder.join(format!("{UNFINISHED}-{name}"));
    make_private(folder)
        .and_then(|()| {
            let mut new = File::create(&unfinished)?;
            new.write_all(bytes)?;
            new.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, &file))
        .and_then(|()| sync_folder(folder))
        .and_then(|()| folder.parent().map_or(Ok(()), sync_folder))
        .map_err(|error| io_error("write", &file, &error))
}

fn name(digest: Hash) -> String {
    let text = digest.to_string();
    text.trim_start_matches("sha256:").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Blobs, name};
    use crate::store::{Damage, Hash, StoreError};
    use std::fs;

    #[test]
    fn blobs_are_found_by_their_digest_and_kept_once() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::of(folder.path());
        assert_eq!(blobs.all(), Ok(vec![]));
        let digest = blobs.keep(b"one").expect("kept");
        assert_eq!(blobs.keep(b"one"), Ok(digest));
        assert_eq!(blobs.read(digest), Ok(Some(b"one".to_vec())));
        assert_eq!(blobs.read(Hash::of_bytes(b"two")), Ok(None));
        assert_eq!(blobs.all(), Ok(vec![digest]));
    }

    #[test]
    fn a_blob_that_is_not_as_it_was_written_is_damage_and_is_left_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::of(folder.path());
        let digest = blobs.keep(b"one").expect("kept");
        let file = folder.path().join("blobs").join(name(digest));
        fs::write(&file, b"two").expect("written");
        let damaged = StoreError::Damaged(Damage::Blob(digest));
        assert_eq!(blobs.read(digest), Err(damaged.clone()));
        assert_eq!(blobs.keep(b"one"), Err(damaged));
        assert_eq!(fs::read(&file).expect("there"), b"two");
    }

    #[test]
    fn what_a_crash_left_unfinished_is_no_blob() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::of(folder.path());
        let digest = Hash::of_bytes(b"one");
        fs::create_dir(folder.path().join("blobs")).expect("made");
        let unfinished = folder
            .path()
            .join("blobs")
            .join(format!("unfinished-{}", name(digest)));
        fs::write(unfinished, b"o").expect("written");
        assert_eq!((blobs.all(), blobs.read(digest)), (Ok(vec![]), Ok(None)));
        assert_eq!(blobs.keep(b"one"), Ok(digest));
        assert_eq!(blobs.all(), Ok(vec![digest]));
    }
}
