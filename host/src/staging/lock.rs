//! One run at a time writes into a directory, also where several hosts do: the directory itself is locked.
//!
//! Runs of one engine wait for one another in the engine's queue. This lock keeps other hosts apart, and the system lets go
//! of it when a host is killed.

use super::folder::handle;
use super::problem::DirectoryProblem;
use cap_std::fs::Dir;
use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

/// How often a run looks whether the other host is done. The system knows no lock with a deadline.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Locks a directory until what is returned is dropped; none where another host has it.
pub(super) fn try_lock(dir: &Dir) -> Result<Option<File>, DirectoryProblem> {
    let failed = || DirectoryProblem::system("lock it");
    // Opened anew: two handles of one opening would share the lock.
    let file = handle(dir).map_err(failed())?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed()(error)),
    }
}

/// The same, waiting until the deadline.
pub(super) fn lock(dir: &Dir, deadline: Instant) -> Result<File, DirectoryProblem> {
    loop {
        if let Some(locked) = try_lock(dir)? {
            return Ok(locked);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(DirectoryProblem::InUse);
        }
        std::thread::sleep(left.min(LOOK_EVERY));
    }
}
