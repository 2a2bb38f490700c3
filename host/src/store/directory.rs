//! State directories: a journal, the lock that keeps a second host out, and the seal.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `journal.redb` | the records, the checkpoints, and the row that names the last record |
//! | `blobs/` | what records refer to by its digest: components, and what runs were made under |
//! | `seal` | how far the journal had come when it was last left in order: one that ends earlier is damaged |
//! | `lock` | nothing; the host that has the state open holds it |

use super::Store;
use super::blobs::Blobs;
use super::chain::Hash;
use super::error::{Damage, StoreError};
use super::journal::{Journal, Settings};
use super::redb::RedbBackend;
use super::salvage::{self, Salvaged};
use super::state::State;
use super::verify::{self, Verified};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use theus_core::tree::Tree;

const JOURNAL: &str = "journal.redb";
/// The journal until its first checkpoint is durable: what has the other name is whole.
const UNFINISHED: &str = "journal.new";
const SEAL: &str = "seal";
const LOCK: &str = "lock";

/// Where a journal notes how far it had come, apart from its own file.
#[derive(Debug)]
pub(super) enum Seal {
    /// In a directory, which stays locked as long as this lives.
    In(Directory),
    /// For tests: what it says does not change.
    #[cfg(test)]
    Fixed(u64),
}

/// A directory that no other host has open.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    lock: File,
}

/// Whether a directory holds a state.
#[must_use]
pub fn is_state(directory: &Path) -> bool {
    directory.join(JOURNAL).exists()
}

/// Creates a state in a directory, which is made where there is none, over an initial context.
///
/// # Errors
///
/// [`StoreError::Exists`] where it holds one already, [`StoreError::InUse`], or what keeps it from being written.
pub fn create(directory: &Path, context: Tree) -> Result<Arc<dyn Store>, StoreError> {
    let (backend, path) = begin(directory)?;
    let journal = Journal::create(backend, State::initial(context)?, Settings::default())?;
    finish(&path)?;
    Ok(Arc::new(journal))
}

/// Opens the state in a directory. `progress` is told the record that was read last, and the last one there is.
///
/// # Errors
///
/// [`StoreError::Missing`], [`StoreError::InUse`], [`StoreError::Format`]; [`StoreError::Damaged`] where anything is not as
/// it was written.
///
/// # Security
///
/// A checksum finds accidents. Who may write the directory may also write a journal that fits itself: only a hash that was
/// handed out before tells, see [`verify`].
pub fn open(
    directory: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Arc<dyn Store>, StoreError> {
    let backend = backend(directory)?;
    let journal = Journal::open(backend, Settings::default(), &mut progress)?;
    Ok(Arc::new(journal))
}

/// Opens the state in a directory, for what is asked of a journal only.
pub(super) fn journal(directory: &Path) -> Result<Journal<RedbBackend>, StoreError> {
    Journal::open(backend(directory)?, Settings::default(), &mut |_, _| {})
}

/// The size of a state's journal while nobody has it open: its file grows and shrinks meanwhile. Where there is none, opening
/// it says what that means.
pub(super) fn journal_bytes(directory: &Path) -> u64 {
    fs::metadata(directory.join(JOURNAL)).map_or(0, |file| file.len())
}

/// Reads every record of a state from the oldest one on, and says how far it is sound.
///
/// With `expect`, the hash of a receipt, it finds rewriting and truncation as well, which checksums and chain alone cannot.
///
/// # Errors
///
/// What keeps it from being read at all, and [`StoreError::Rewritten`] where no record has the hash.
pub fn verify(directory: &Path, expect: Option<Hash>) -> Result<Verified, StoreError> {
    verify::verify(&backend(directory)?, expect)
}

/// Copies the sound part of a state, up to the first damage, into a new one. The records stay as they are, hashes too.
///
/// # Errors
///
/// As [`create`] for the new state, and where not even the begin of the old one can be read.
pub fn salvage(directory: &Path, to: &Path) -> Result<Salvaged, StoreError> {
    let from = backend(directory)?;
    let (backend, path) = begin(to)?;
    let salvaged = salvage::copy(&from, &backend)?;
    finish(&path)?;
    Ok(salvaged)
}

/// Copies a state into a new directory, with the same records, checkpoints and hashes, and verifies the copy.
///
/// The state is open meanwhile, so no host is between two of its commits.
///
/// # Errors
///
/// As [`create`] for the copy, and [`StoreError::Damaged`] where the state is not sound as a whole: then there is no copy.
pub fn backup(directory: &Path, to: &Path) -> Result<Verified, StoreError> {
    if is_state(to) {
        return Err(StoreError::Exists(to.into()));
    }
    let from = backend(directory)?;
    let (backend, path) = begin(to)?;
    let Salvaged { last, damage } = salvage::copy(&from, &backend)?;
    if let Some(damage) = damage {
        return Err(StoreError::Damaged(damage));
    }
    // Read back from where it will be read back from, not from what was about to be written.
    drop(backend);
    finish(&path)?;
    let verified = verify(to, Some(last.hash))?;
    match verified.damage {
        Some(damage) => Err(StoreError::Damaged(damage)),
        None => Ok(verified),
    }
}

/// How a state was left, as far as it can be told without opening it: any host that has had it open changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    journal: (SystemTime, u64),
    seal: Vec<u8>,
}

/// How a state stands; none where that cannot be told.
pub(super) fn stamp(directory: &Path) -> Option<Stamp> {
    let journal = fs::metadata(directory.join(JOURNAL)).ok()?;
    Some(Stamp {
        journal: (journal.modified().ok()?, journal.len()),
        seal: fs::read(directory.join(SEAL)).ok()?,
    })
}

/// Reads something of a state that is not opened as a whole, and says how it was left.
pub(super) fn look_into<T>(
    directory: &Path,
    read: impl FnOnce(&RedbBackend) -> Result<T, StoreError>,
) -> Result<(T, Option<Stamp>), StoreError> {
    let (backend, still_locked) = backend_and_lock(directory)?;
    let read = read(&backend)?;
    // Closing writes, too. No other host gets in before it is seen how that left the state.
    drop(backend);
    let stamp = stamp(directory);
    drop(still_locked);
    Ok((read, stamp))
}

fn backend(directory: &Path) -> Result<RedbBackend, StoreError> {
    backend_and_lock(directory).map(|(backend, _)| backend)
}

/// A state's journal, and a second hold of its lock, which may be kept for longer.
fn backend_and_lock(directory: &Path) -> Result<(RedbBackend, File), StoreError> {
    if !is_state(directory) {
        return Err(match Seal::read(directory) {
            Ok(Some(_)) if !directory.join(UNFINISHED).exists() => {
                StoreError::Damaged(Damage::File("its journal is gone".into()))
            }
            _ => StoreError::Missing(directory.into()),
        });
    }
    let locked = Directory::lock(directory)?;
    let lock = locked.lock.try_clone();
    let lock = lock.map_err(|error| io_error("lock", directory, &error))?;
    let blobs = Blobs::of(directory);
    let backend = RedbBackend::on_file(&directory.join(JOURNAL), Seal::In(locked), blobs)?;
    Ok((backend, lock))
}

/// An empty journal, which counts once it is finished.
fn begin(directory: &Path) -> Result<(RedbBackend, PathBuf), StoreError> {
    make_private(directory).map_err(|error| io_error("make", directory, &error))?;
    let locked = Directory::lock(directory)?;
    if is_state(directory) {
        return Err(StoreError::Exists(directory.into()));
    }
    if Seal::read(directory)?.is_some_and(|seq| seq > 0) {
        return Err(StoreError::Damaged(Damage::File(
            "its journal is gone".into(),
        )));
    }
    let unfinished = directory.join(UNFINISHED);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("remove", &unfinished, &error));
        }
        _ => {}
    }
    let blobs = Blobs::of(directory);
    let backend = RedbBackend::on_file(&unfinished, Seal::In(locked), blobs)?;
    Ok((backend, directory.into()))
}

fn finish(directory: &Path) -> Result<(), StoreError> {
    let journal = directory.join(JOURNAL);
    fs::rename(directory.join(UNFINISHED), &journal)
        .and_then(|()| sync_folder(directory))
        .map_err(|error| io_error("make", &journal, &error))
}

impl Directory {
    pub(super) fn lock(path: &Path) -> Result<Self, StoreError> {
        let name = path.join(LOCK);
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let file = options
            .open(&name)
            .map_err(|error| io_error("open", &name, &error))?;
        patiently(|| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.into())),
            Err(TryLockError::Error(error)) => Err(io_error("lock", &name, &error)),
        })?;
        Ok(Self {
            path: path.into(),
            lock: file,
        })
    }
}

impl Seal {
    /// The record that the journal is known to have held.
    pub(super) fn seq(&self) -> Result<u64, StoreError> {
        match self {
            Self::In(directory) => Self::read(&directory.path)?.ok_or_else(|| broken("is missing")),
            #[cfg(test)]
            Self::Fixed(seq) => Ok(*seq),
        }
    }

    /// Replaces it, whole or not at all.
    pub(super) fn set(&self, seq: u64) -> Result<(), StoreError> {
        match self {
            Self::In(Directory { path, .. }) => {
                let (seal, new) = (path.join(SEAL), path.join("seal.new"));
                let written = File::create(&new).and_then(|mut file| {
                    file.write_all(line(seq).as_bytes())?;
                    file.sync_all()
                });
                written
                    .and_then(|()| fs::rename(&new, &seal))
                    .and_then(|()| sync_folder(path))
                    .map_err(|error| io_error("write", &seal, &error))
            }
            #[cfg(test)]
            Self::Fixed(_) => Ok(()),
        }
    }

    fn read(directory: &Path) -> Result<Option<u64>, StoreError> {
        let seal = directory.join(SEAL);
        let text = match fs::read(&seal) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &seal, &error)),
        };
        let text = String::from_utf8(text).map_err(|_| broken("is not as it was written"))?;
        let seq = text.split(' ').nth(2).and_then(|seq| seq.parse().ok());
        match seq {
            Some(seq) if line(seq) == text => Ok(Some(seq)),
            _ => Err(broken("is not as it was written")),
        }
    }
}

/// The seal's one line, with its checksum.
fn line(seq: u64) -> String {
    let content = format!("theus-seal 1 {seq}");
    let crc = crc32fast::hash(content.as_bytes());
    format!("{content} {crc:08x}\n")
}

fn broken(problem: &str) -> StoreError {
    StoreError::Damaged(Damage::File(format!("its seal {problem}")))
}

/// Tries again for a moment where something is in use: a host that has just ended may have a child of its own that holds a
/// copy of its files between its fork and its exec, and a follower has a state open for the moment that a look takes.
pub(super) fn patiently<T>(open: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(5);
    for _ in 1..TRIES {
        match open() {
            Err(StoreError::InUse(_)) => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
    open()
}

/// Makes a directory that its owner alone can look into.
pub(super) fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes a rename durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        // Elsewhere a directory cannot be opened as a file; the file system orders the rename itself.
        Ok(())
    }
}

pub(super) fn io_error(verb: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io(format!("cannot {verb} {}: {error}", path.display()))
}
