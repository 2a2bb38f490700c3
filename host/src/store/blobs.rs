//! Blobs: what records refer to by its digest and do not hold, one file each.
//!
//! A blob is there before the record that refers to it, so a crash between the two leaves one that nothing refers to, and
//! never a record without its blob.

use super::chain::Hash;
use super::directory::{io_error, make_private, sync_folder};
use super::error::{Damage, StoreError};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Blobs, by their digests.
#[derive(Debug)]
pub(super) struct Blobs {
    place: Place,
    known: Mutex<Known>,
}

/// Where blobs are.
#[derive(Debug)]
enum Place {
    /// In a folder, each in a file under the 64 digits of its SHA-256.
    In(PathBuf),
    /// In memory, as long as the journal beside them.
    Held(Mutex<BTreeMap<[u8; 32], Arc<[u8]>>>),
}

#[derive(Debug, Default)]
struct Known {
    /// Those that are known to last: a file that is there may have been written by a host that was killed before its sync.
    lasting: HashSet<Hash>,
    /// Those that somebody was told are kept and no record is known to refer to yet, and how often: they stay.
    claimed: HashMap<Hash, u64>,
    /// The number of the next file to be written.
    next: u64,
}

const FOLDER: &str = "blobs";
/// What is being written; a crash may leave it, until the next host opens the state.
const UNFINISHED: &str = "unfinished";

impl Blobs {
    /// The blobs of a state, which its lock keeps other hosts from.
    pub(super) fn of(state: &Path) -> Self {
        Self::at(Place::In(state.join(FOLDER)))
    }

    /// None yet, in memory.
    pub(super) fn held() -> Self {
        Self::at(Place::Held(Mutex::default()))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            known: Mutex::default(),
        }
    }

    /// Keeps bytes, and returns once they last. They stay at least until what is told of them is [settled](Self::settle).
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<Hash, StoreError> {
        let digest = Hash::of_bytes(bytes);
        let number = {
            let mut known = self.known();
            // First of all: from here on nobody removes it.
            *known.claimed.entry(digest).or_default() += 1;
            if known.lasting.contains(&digest) {
                return Ok(digest);
            }
            known.next += 1;
            known.next
        };
        match self.write(digest, bytes, number) {
            Ok(()) => {
                self.known().lasting.insert(digest);
                Ok(digest)
            }
            Err(error) => {
                self.settle([digest]);
                Err(error)
            }
        }
    }

    fn write(&self, digest: Hash, bytes: &[u8], number: u64) -> Result<(), StoreError> {
        let is_there = self.read(digest)?.is_some();
        let folder = match &self.place {
            Place::In(folder) => folder,
            Place::Held(blobs) => {
                held(blobs).insert(*digest.as_bytes(), bytes.into());
                return Ok(());
            }
        };
        if is_there {
            return sync(folder, &name(digest));
        }
        // Two threads may write the same bytes at once: each into a file of its own.
        write(folder, &name(digest), number, bytes)
    }

    /// Takes back the claim on blobs that records refer to now, or that nothing will.
    pub(super) fn settle(&self, digests: impl IntoIterator<Item = Hash>) {
        let mut known = self.known();
        for digest in digests {
            if let Some(claims) = known.claimed.get_mut(&digest) {
                *claims -= 1;
                if *claims == 0 {
                    known.claimed.remove(&digest);
                }
            }
        }
    }

    /// Whether bytes were kept in this life of the store.
    pub(super) fn is_claimed(&self, digest: Hash) -> bool {
        self.known().claimed.contains_key(&digest)
    }

    /// The bytes of a digest, where they are kept.
    pub(super) fn read(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let folder = match &self.place {
            Place::In(folder) => folder,
            Place::Held(blobs) => {
                return Ok(held(blobs).get(digest.as_bytes()).map(|it| it.to_vec()));
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
        let names = match &self.place {
            Place::In(folder) => names(folder)?,
            Place::Held(blobs) => {
                return Ok(held(blobs)
                    .keys()
                    .filter_map(|it| Hash::from_slice(it))
                    .collect());
            }
        };
        let digests = names.iter().filter_map(|name| name.parse().ok());
        let mut digests: Vec<Hash> = digests.collect();
        digests.sort_unstable_by_key(|it| *it.as_bytes());
        Ok(digests)
    }

    /// Removes what nothing refers to and nobody was told is kept. How many there were.
    pub(super) fn retain(&self, is_used: impl Fn(Hash) -> bool) -> Result<u64, StoreError> {
        let mut removed = 0;
        for digest in self.all()?.into_iter().filter(|it| !is_used(*it)) {
            // Held while it is removed: whoever keeps it just now claims it before, or writes it again behind.
            let mut known = self.known();
            if known.claimed.contains_key(&digest) {
                continue;
            }
            known.lasting.remove(&digest);
            match &self.place {
                Place::In(folder) => remove(&folder.join(name(digest)))?,
                Place::Held(blobs) => drop(held(blobs).remove(digest.as_bytes())),
            }
            removed += 1;
        }
        Ok(removed)
    }

    /// Removes what hosts that were killed left unfinished. Nobody writes yet.
    pub(super) fn tidy(&self) -> Result<(), StoreError> {
        let Place::In(folder) = &self.place else {
            return Ok(());
        };
        let unfinished = names(folder)?;
        let mut unfinished = unfinished.iter().filter(|it| it.starts_with(UNFINISHED));
        unfinished.try_for_each(|name| remove(&folder.join(name)))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn held(
    blobs: &Mutex<BTreeMap<[u8; 32], Arc<[u8]>>>,
) -> MutexGuard<'_, BTreeMap<[u8; 32], Arc<[u8]>>> {
    blobs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a file whole or not at all, and returns once it lasts.
fn write(folder: &Path, name: &str, number: u64, bytes: &[u8]) -> Result<(), StoreError> {
    let file = folder.join(name);
    let unfinished = folder.join(format!("{UNFINISHED}-{name}-{number}"));
    make_private(folder)
        .and_then(|()| {
            let mut new = File::create(&unfinished)?;
            new.write_all(bytes)?;
            tracing::debug!("a blob is written");
            new.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, &file))
        .and_then(|()| sync_folder(folder))
        .and_then(|()| folder.parent().map_or(Ok(()), sync_folder))
        .map_err(|error| io_error("write", &file, &error))?;
    tracing::debug!("the blob lasts");
    Ok(())
}

/// Makes a file last that is there.
fn sync(folder: &Path, name: &str) -> Result<(), StoreError> {
    let file = folder.join(name);
    // Not every system syncs what is open for reading.
    File::options()
        .write(true)
        .open(&file)
        .and_then(|it| it.sync_all())
        .and_then(|()| sync_folder(folder))
        .and_then(|()| folder.parent().map_or(Ok(()), sync_folder))
        .map_err(|error| io_error("sync", &file, &error))
}

fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", file, &error))
        }
        _ => Ok(()),
    }
}

/// The names in a folder; none where it is not there.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let listed: io::Result<Vec<_>> = match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let listed = listed.map_err(|error| io_error("list", folder, &error))?;
    let names = listed.iter().map(fs::DirEntry::file_name);
    Ok(names.filter_map(|it| it.into_string().ok()).collect())
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
        // Whoever has not written it looks at it first.
        let next_life = Blobs::of(folder.path());
        assert_eq!(next_life.keep(b"one"), Err(damaged));
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
