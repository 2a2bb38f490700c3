//! Stamps: by what a file is known again, and a change of it seen.

use cap_fs_ext::MetadataExt as _;
use cap_std::fs::Metadata;
use serde::{Deserialize, Serialize};

/// Which file it was, and when it was last changed.
///
/// The time of the last change of its status is the system's own: nobody sets it, and every write moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            changed: changed(metadata),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn device(&self) -> u64 {
        self.device
    }
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> (i64, i64) {
    use cap_std::fs::MetadataExt as _;
    (metadata.ctime(), metadata.ctime_nsec())
}

/// Nothing is granted for writing on other systems.
#[cfg(not(unix))]
fn changed(_: &Metadata) -> (i64, i64) {
    (0, 0)
}
