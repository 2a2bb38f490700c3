//! A disk that loses power: what was not synced is there, torn, or gone; and syncs may fail.

use redb::StorageBackend;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// A disk and what has been written to it since it was last synced.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    current: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
    /// Operations that still succeed; all, where there is none.
    left: Option<u64>,
    fault: Fault,
    /// Bytes that it holds at most.
    capacity: Option<u64>,
    operations: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Len(u64),
}

/// What fails once no operation is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fault {
    /// Everything: the power is gone.
    #[default]
    Everything,
    /// Syncs only.
    Syncs,
}

/// Where a storage's parts are told apart that a power failure may keep or lose: sectors.
const SECTOR: usize = 512;

#[derive(Debug)]
struct Storage(Disk);

impl Disk {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        let mut content = disk.content();
        content.synced.clone_from(&bytes);
        content.current = bytes;
        drop(content);
        disk
    }

    pub(super) fn storage(&self) -> impl StorageBackend + use<> {
        Storage(self.clone())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.content().current.clone()
    }

    pub(super) fn operations(&self) -> u64 {
        self.content().operations
    }

    pub(super) fn fail_after(&self, operations: u64, fault: Fault) {
        let mut content = self.content();
        (content.left, content.fault) = (Some(operations), fault);
    }

    pub(super) fn hold_at_most(&self, bytes: u64) {
        self.content().capacity = Some(bytes);
    }

    pub(super) fn mend(&self) {
        let mut content = self.content();
        (content.left, content.capacity) = (None, None);
    }

    /// The disk as it may be after the power was gone: `choose` says of every sector that was written and not synced whether
    /// it reached the disk.
    pub(super) fn after_power_loss(&self, mut choose: impl FnMut() -> bool) -> Self {
        let content = self.content();
        let mut bytes = content.synced.clone();
        for change in &content.unsynced {
            match change {
                Change::Len(len) => {
                    if choose() {
                        bytes.resize(usize::try_from(*len).expect("small"), 0);
                    }
                }
                Change::Write(offset, data) => {
                    let offset = usize::try_from(*offset).expect("small");
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        let at = offset + index * SECTOR;
                        if choose() {
                            let end = at + sector.len();
                            if bytes.len() < end {
                                bytes.resize(end, 0);
                            }
                            bytes[at..end].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        // A file's length is the file system's: it is never shorter than what a sync had made it.
        let len = bytes.len().max(content.synced.len());
        bytes.resize(len, 0);
        Self::of(bytes)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().expect("no storage panics")
    }
}

impl Content {
    fn step(&mut self, fault: Fault) -> io::Result<()> {
        self.operations += 1;
        if let Some(left) = &mut self.left
            && (self.fault == Fault::Everything || fault == self.fault)
        {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("the disk is gone"))?;
        }
        Ok(())
    }
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.content().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let content = self.0.content();
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let end = at
            .checked_add(out.len())
            .filter(|it| *it <= content.current.len());
        let end = end.ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(&content.current[at..end]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut content = self.0.content();
        content.step(Fault::Everything)?;
        if content.capacity.is_some_and(|capacity| len > capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        content
            .current
            .resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        content.unsynced.push(Change::Len(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut content = self.0.content();
        content.step(Fault::Syncs)?;
        content.synced = content.current.clone();
        content.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.0.content();
        content.step(Fault::Everything)?;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let end = at + data.len();
        if content.current.len() < end {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        content.current[at..end].copy_from_slice(data);
        content.unsynced.push(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}
