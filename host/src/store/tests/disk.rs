//! A disk that loses power: what was not synced is there, torn, or gone; and syncs may fail.

use redb::StorageBackend;
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// A disk and what has been written to it since it was last synced.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    current: Pages,
    synced: Pages,
    unsynced: Vec<Change>,
    /// Operations that still succeed; all, where there is none.
    left: Option<u64>,
    fault: Fault,
    failed: bool,
    /// Bytes that it holds at most.
    capacity: Option<u64>,
    operations: u64,
    syncs: u64,
    /// The pages that were read.
    read: BTreeSet<usize>,
}

/// Bytes in pages that copies share.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    pages: Vec<Arc<[u8; PAGE]>>,
    len: usize,
}

const PAGE: usize = 4_096;

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Len(usize),
}

/// What fails once no operation is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fault {
    /// Everything: the power is gone.
    #[default]
    Everything,
    /// Syncs only.
    Syncs,
    /// What takes room: the disk is full.
    Space,
}

/// Where a storage's parts are told apart that a power failure may keep or lose: sectors.
const SECTOR: usize = 512;

#[derive(Debug)]
struct Storage(Disk);

impl Disk {
    pub(super) fn of(pages: Pages) -> Self {
        let disk = Self::default();
        let mut content = disk.content();
        content.synced = pages.clone();
        content.current = pages;
        drop(content);
        disk
    }

    pub(super) fn storage(&self) -> impl StorageBackend + use<> {
        Storage(self.clone())
    }

    pub(super) fn pages(&self) -> Pages {
        self.content().current.clone()
    }

    pub(super) fn operations(&self) -> u64 {
        self.content().operations
    }

    pub(super) fn syncs(&self) -> u64 {
        self.content().syncs
    }

    /// Every byte of the pages that were read, but of the empty ends of pages only one in so many: where any other one
    /// changes, nobody has looked.
    pub(super) fn read_bytes(&self, one_in: usize) -> Vec<usize> {
        let content = self.content();
        let mut places = Vec::new();
        for index in &content.read {
            let page = &content.current.pages[*index];
            let used = page.iter().rposition(|byte| *byte != 0);
            let used = used.map_or(0, |at| at + 1);
            let places_in_page = (0..used).chain((used..PAGE).step_by(one_in));
            places.extend(places_in_page.map(|at| index * PAGE + at));
        }
        places.retain(|at| *at < content.current.len);
        places
    }

    pub(super) fn fail_after(&self, operations: u64, fault: Fault) {
        let mut content = self.content();
        (content.left, content.fault) = (Some(operations), fault);
    }

    /// Whether an operation was failed.
    pub(super) fn has_failed(&self) -> bool {
        self.content().failed
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
        let mut pages = content.synced.clone();
        for change in &content.unsynced {
            match change {
                // A file's length is the file system's: it is never shorter than what a sync had made it.
                Change::Len(len) => {
                    if choose() {
                        pages.resize((*len).max(content.synced.len));
                    }
                }
                Change::Write(offset, data) => {
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        let at = offset + index * SECTOR;
                        if choose() {
                            pages.resize(pages.len.max(at + sector.len()));
                            pages.write(at, sector);
                        }
                    }
                }
            }
        }
        Self::of(pages)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().expect("no storage panics")
    }
}

impl Content {
    /// Counts an operation that a fault of this kind fails.
    fn step(&mut self, fault: Fault) -> io::Result<()> {
        self.operations += 1;
        if let Some(left) = &mut self.left
            && (self.fault == Fault::Everything || fault == self.fault)
        {
            let Some(fewer) = left.checked_sub(1) else {
                self.failed = true;
                return Err(match self.fault {
                    Fault::Space => ErrorKind::StorageFull.into(),
                    Fault::Everything | Fault::Syncs => io::Error::other("the disk is gone"),
                });
            };
            *left = fewer;
        }
        Ok(())
    }
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.content().current.len as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut content = self.0.content();
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let end = at.checked_add(out.len());
        if end.is_none_or(|end| end > content.current.len) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let pages = at / PAGE..(at + out.len()).div_ceil(PAGE);
        content.read.extend(pages);
        content.current.read(at, out);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut content = self.0.content();
        content.step(Fault::Space)?;
        if content.capacity.is_some_and(|capacity| len > capacity) {
            return Err(ErrorKind::StorageFull.into());
        }
        let len = usize::try_from(len).map_err(io::Error::other)?;
        content.current.resize(len);
        content.unsynced.push(Change::Len(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut content = self.0.content();
        content.step(Fault::Syncs)?;
        content.syncs += 1;
        content.synced = content.current.clone();
        content.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.0.content();
        content.step(Fault::Space)?;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        if at + data.len() > content.current.len {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        content.current.write(at, data);
        content.unsynced.push(Change::Write(at, data.to_vec()));
        Ok(())
    }
}

impl Pages {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The places of pages that hold anything at all: in the others there is nothing to damage.
    pub(super) fn used(&self) -> Vec<usize> {
        let used = |page: &[u8; PAGE]| page.iter().any(|byte| *byte != 0);
        let pages = self.pages.iter().enumerate();
        let used = pages.filter(|(_, page)| used(page));
        used.flat_map(|(index, _)| index * PAGE..(index + 1) * PAGE)
            .collect()
    }

    pub(super) fn flip(&mut self, at: usize, bit: usize) {
        Arc::make_mut(&mut self.pages[at / PAGE])[at % PAGE] ^= 1 << bit;
    }

    pub(super) fn resize(&mut self, len: usize) {
        self.pages.resize(len.div_ceil(PAGE), Arc::new([0; PAGE]));
        if len < self.len
            && let Some(last) = self.pages.last_mut()
            && !len.is_multiple_of(PAGE)
        {
            // What is written anew behind the end begins as zeros.
            Arc::make_mut(last)[len % PAGE..].fill(0);
        }
        self.len = len;
    }

    fn read(&self, mut at: usize, out: &mut [u8]) {
        let mut out = out;
        while !out.is_empty() {
            let part = out.len().min(PAGE - at % PAGE);
            let (now, rest) = out.split_at_mut(part);
            now.copy_from_slice(&self.pages[at / PAGE][at % PAGE..at % PAGE + part]);
            (out, at) = (rest, at + part);
        }
    }

    fn write(&mut self, mut at: usize, data: &[u8]) {
        let mut data = data;
        while !data.is_empty() {
            let part = data.len().min(PAGE - at % PAGE);
            let page = Arc::make_mut(&mut self.pages[at / PAGE]);
            page[at % PAGE..at % PAGE + part].copy_from_slice(&data[..part]);
            (data, at) = (&data[part..], at + part);
        }
    }
}
