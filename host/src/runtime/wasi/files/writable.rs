//! Directories that were granted to be written: every function works on the run's area, and is charged for what it did.

use super::super::View;
use super::{Counted, Listing, OpenFiles, Opened, read_piece, type_of};
use crate::staging::{self, Area, Attributes, FileProblem, Opening, Place, SharedArea};
use std::io;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Descriptor, DescriptorFlags, DirectoryEntry, OpenFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

/// A directory of an area, behind a handle.
pub(in super::super) struct Writable {
    pub(super) area: SharedArea,
    pub(super) place: Place,
    // The granted directory itself is open anyway.
    _open: Option<Arc<OpenFiles>>,
}

/// A file that the run writes, behind a handle.
pub(in super::super) struct StagedFile {
    pub(in super::super) area: SharedArea,
    pub(in super::super) number: usize,
    /// What the handle is good for.
    pub(super) flags: DescriptorFlags,
}

impl Writable {
    /// The granted directory itself.
    pub(super) fn top(area: SharedArea) -> Self {
        Self {
            area,
            place: Place::default(),
            _open: None,
        }
    }
}

impl StagedFile {
    /// Whether the handle was opened for this.
    pub(super) fn check(&self, flags: DescriptorFlags) -> Result<(), ErrorCode> {
        if self.flags.contains(flags) {
            Ok(())
        } else {
            Err(ErrorCode::BadDescriptor)
        }
    }

    /// A piece of the file.
    pub(in super::super) fn read(&self, len: u64, offset: u64) -> io::Result<Vec<u8>> {
        let mut area = staging::locked(&self.area);
        read_piece(area.file(self.number)?, len, offset)
    }

    pub(super) fn attributes(&self) -> Attributes {
        let size = staging::locked(&self.area).size(self.number);
        Attributes::Staged(self.number, size)
    }
}

impl View<'_> {
    /// Does something in an area, and charges for it.
    pub(super) fn in_area<T>(
        &mut self,
        area: &SharedArea,
        act: impl FnOnce(&mut Area) -> Result<T, FileProblem>,
    ) -> FsResult<T> {
        let result = self.in_area_or(area, act).map_err(FsError::trap)?;
        result.map_err(fs_error)
    }

    /// The same; what the guest is told of is left to the caller, what ends the run is not.
    pub(in super::super) fn in_area_or<T>(
        &mut self,
        area: &SharedArea,
        act: impl FnOnce(&mut Area) -> Result<T, FileProblem>,
    ) -> wasmtime::Result<Result<T, FileProblem>> {
        let mut area = staging::locked(area);
        let result = act(&mut area);
        let work = usize::try_from(area.take_work()).unwrap_or(usize::MAX);
        drop(area);
        if let Err(FileProblem::Limit(exceeded)) = result {
            return Err(exceeded.into());
        }
        self.spend_more(work)?;
        Ok(result)
    }

    pub(super) fn open_in_area(
        &mut self,
        dir: &Writable,
        path: &str,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Opened> {
        let how = Opening {
            create: open_flags.contains(OpenFlags::CREATE),
            exclusive: open_flags.contains(OpenFlags::EXCLUSIVE),
            truncate: open_flags.contains(OpenFlags::TRUNCATE),
            directory: open_flags.contains(OpenFlags::DIRECTORY),
            write: flags.contains(DescriptorFlags::WRITE),
        };
        let opened = self.in_area(&dir.area, |area| area.open(&dir.place, path, how))?;
        Ok(match opened {
            staging::Opened::Directory(place) => Opened::Writable(Arc::new(Writable {
                area: dir.area.clone(),
                place,
                _open: Some(self.one_more_open()?),
            })),
            staging::Opened::Real(file) => Opened::File(Arc::new(self.counted(file)?)),
            staging::Opened::Staged(number) => {
                let file = StagedFile {
                    area: dir.area.clone(),
                    number,
                    flags: flags & (DescriptorFlags::READ | DescriptorFlags::WRITE),
                };
                Opened::Staged(Arc::new(self.counted(file)?))
            }
        })
    }

    pub(super) fn list_area(&mut self, dir: &Writable) -> FsResult<Listing> {
        let entries = self.in_area(&dir.area, |area| area.list(&dir.place))?;
        let entry = |(name, kind)| DirectoryEntry {
            type_: type_of(kind),
            name,
        };
        let entries: Vec<_> = entries.into_iter().map(entry).collect();
        self.counted(entries.into_iter())
    }

    /// The file behind a handle that is good for writing.
    pub(super) fn written(
        &self,
        descriptor: &Resource<Descriptor>,
    ) -> FsResult<Arc<Counted<StagedFile>>> {
        match self.opened(descriptor)? {
            Opened::Staged(file) => {
                file.it.check(DescriptorFlags::WRITE)?;
                Ok(file)
            }
            Opened::Writable(_) => Err(ErrorCode::IsDirectory.into()),
            _ => Err(ErrorCode::ReadOnly.into()),
        }
    }

    /// The directory behind a handle, where it is one to write into.
    pub(super) fn written_directory(
        &self,
        descriptor: &Resource<Descriptor>,
    ) -> FsResult<Arc<Writable>> {
        match self.opened(descriptor)? {
            Opened::Writable(dir) => Ok(dir),
            Opened::Staged(_) => Err(ErrorCode::NotDirectory.into()),
            _ => Err(ErrorCode::ReadOnly.into()),
        }
    }

    /// What no grant allows: links, and times that the guest sets. Their paths are not looked at, but have been copied out of
    /// the guest.
    pub(super) fn not_in_any_way<T>(
        &mut self,
        descriptor: &Resource<Descriptor>,
        paths: &[&str],
    ) -> FsResult<T> {
        let bytes = paths.iter().map(|path| path.len()).sum();
        self.spend(bytes).map_err(FsError::trap)?;
        match self.opened(descriptor)? {
            Opened::Writable(_) | Opened::Staged(_) => Err(ErrorCode::NotPermitted.into()),
            _ => Err(ErrorCode::ReadOnly.into()),
        }
    }
}

/// What a guest is told.
fn fs_error(problem: FileProblem) -> FsError {
    match problem {
        FileProblem::NotFound => ErrorCode::NoEntry,
        FileProblem::Exists => ErrorCode::Exist,
        FileProblem::NotDirectory => ErrorCode::NotDirectory,
        FileProblem::IsDirectory => ErrorCode::IsDirectory,
        FileProblem::NotEmpty => ErrorCode::NotEmpty,
        FileProblem::NotPermitted => ErrorCode::NotPermitted,
        FileProblem::ReadOnly => ErrorCode::Access,
        FileProblem::Link => ErrorCode::Loop,
        FileProblem::NameTooLong => ErrorCode::NameTooLong,
        FileProblem::Invalid => ErrorCode::Invalid,
        FileProblem::CrossDevice => ErrorCode::CrossDevice,
        FileProblem::TooManyEntries => ErrorCode::Overflow,
        FileProblem::Limit(exceeded) => return FsError::trap(exceeded),
        FileProblem::System(error) => return error.into(),
    }
    .into()
}
