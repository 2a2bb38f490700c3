//! The functions of descriptors and listings.

use super::super::View;
use super::super::io::{Input, Output};
use super::attributes::{Identity, hash_of};
use super::{Listing, Opened, follow, kind_of, read_piece};
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::bindings::sync::io::streams;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<types::ErrorCode> {
        Ok(error.downcast()?.into())
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<streams::Error>,
    ) -> Result<Option<types::ErrorCode>> {
        self.spend(0)?;
        let error = self.world.table.get(&error)?;
        let error = error.downcast_ref::<std::io::Error>();
        Ok(error.map(|error| ErrorCode::from(error).into()))
    }
}

impl types::HostDescriptor for View<'_> {
    fn read_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        self.spend(0).map_err(FsError::trap)?;
        let input = match self.opened(&descriptor)? {
            Opened::File(file) => Input::File { file, at: offset },
            Opened::Staged(file) => {
                file.it.check(DescriptorFlags::READ)?;
                Input::Staged { file, at: offset }
            }
            _ => return Err(ErrorCode::IsDirectory.into()),
        };
        let input = self.world.table.push(input)?;
        Ok(Resource::new_own(input.rep()))
    }

    fn read(
        &mut self,
        descriptor: Resource<Descriptor>,
        len: u64,
        offset: u64,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.spend_for_file("")?;
        let bytes = match self.opened(&descriptor)? {
            Opened::File(file) => read_piece(&file.it, len, offset)?,
            Opened::Staged(file) => {
                file.it.check(DescriptorFlags::READ)?;
                file.it.read(len, offset)?
            }
            _ => return Err(ErrorCode::IsDirectory.into()),
        };
        self.spend_more(bytes.len()).map_err(FsError::trap)?;
        let at_end = bytes.is_empty();
        Ok((bytes, at_end))
    }

    fn read_directory(
        &mut self,
        descriptor: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        self.spend_for_file("")?;
        let opened = self.opened(&descriptor)?;
        let listing = match &opened {
            Opened::Writable(dir) => self.list_area(dir)?,
            _ => self.list(opened.dir()?)?,
        };
        let listing = self.world.table.push(listing)?;
        Ok(Resource::new_own(listing.rep()))
    }

    fn open_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        self.spend_for_file(&path)?;
        let below = self.opened(&descriptor)?;
        if let Opened::Writable(dir) = &below {
            let opened = self.open_in_area(dir, &path, open_flags, flags)?;
            return self.push_opened(opened);
        }
        let changes = [OpenFlags::CREATE, OpenFlags::EXCLUSIVE, OpenFlags::TRUNCATE];
        if flags.contains(DescriptorFlags::WRITE)
            || changes.into_iter().any(|flag| open_flags.contains(flag))
        {
            return Err(ErrorCode::ReadOnly.into());
        }
        let opened = self.open(below.dir()?, &path, follow(path_flags))?;
        if open_flags.contains(OpenFlags::DIRECTORY) {
            opened.check_directory()?;
        }
        self.push_opened(opened)
    }

    fn stat(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        let attributes = self.attributes(&descriptor)?;
        Ok(self.stat_of(&attributes))
    }

    fn stat_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let attributes = self.attributes_at(&descriptor, path_flags, &path)?;
        Ok(self.stat_of(&attributes))
    }

    fn readlink_at(&mut self, descriptor: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.spend_for_file(&path)?;
        let opened = self.opened(&descriptor)?;
        let target = opened.dir()?.read_link(&path)?.into_os_string();
        Ok(target
            .into_string()
            .map_err(|_| ErrorCode::IllegalByteSequence)?)
    }

    fn get_type(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorType> {
        Ok(kind_of(&self.attributes(&descriptor)?))
    }

    fn get_flags(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.spend(0).map_err(FsError::trap)?;
        Ok(match self.opened(&descriptor)? {
            Opened::Writable(_) => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
            Opened::Staged(file) => file.it.flags,
            _ => DescriptorFlags::READ,
        })
    }

    fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> Result<bool> {
        let mut look = |descriptor: &Resource<Descriptor>| match self.attributes(descriptor) {
            Ok(attributes) => Ok(Some(attributes)),
            // What cannot be looked at is the same as nothing; a handle that is none traps.
            Err(error) => error.downcast().map(|_: ErrorCode| None),
        };
        Ok(match (look(&one)?, look(&other)?) {
            (Some(one), Some(other)) => Identity::of(&one) == Identity::of(&other),
            _ => false,
        })
    }

    fn metadata_hash(&mut self, descriptor: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.attributes(&descriptor)?))
    }

    fn metadata_hash_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.attributes_at(
            &descriptor,
            path_flags,
            &path,
        )?))
    }

    /// Advice changes nothing that a guest could see.
    fn advise(
        &mut self,
        descriptor: Resource<Descriptor>,
        _offset: u64,
        _len: u64,
        _advice: Advice,
    ) -> FsResult<()> {
        self.nothing_to_do(&descriptor)
    }

    fn sync_data(&mut self, descriptor: Resource<Descriptor>) -> FsResult<()> {
        self.nothing_to_do(&descriptor)
    }

    fn sync(&mut self, descriptor: Resource<Descriptor>) -> FsResult<()> {
        self.nothing_to_do(&descriptor)
    }

    fn write(
        &mut self,
        descriptor: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: u64,
    ) -> FsResult<u64> {
        self.spend_for_file("")?;
        // They have been copied out of the guest, whatever becomes of them.
        self.spend_more(bytes.len()).map_err(FsError::trap)?;
        let file = self.written(&descriptor)?;
        self.in_area(&file.it.area, |area| {
            area.write(file.it.number, &bytes, offset)
        })?;
        Ok(bytes.len() as u64)
    }

    fn write_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.spend(0).map_err(FsError::trap)?;
        let file = self.written(&descriptor)?;
        let output = self.world.table.push(Output::File { file, at: offset })?;
        Ok(Resource::new_own(output.rep()))
    }

    fn append_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.spend(0).map_err(FsError::trap)?;
        let file = self.written(&descriptor)?;
        let output = self.world.table.push(Output::Append { file })?;
        Ok(Resource::new_own(output.rep()))
    }

    fn set_size(&mut self, descriptor: Resource<Descriptor>, size: u64) -> FsResult<()> {
        self.spend_for_file("")?;
        let file = self.written(&descriptor)?;
        self.in_area(&file.it.area, |area| area.resize(file.it.number, size))
    }

    /// The times of files are the host's, or they would tell what the clock does not.
    fn set_times(
        &mut self,
        descriptor: Resource<Descriptor>,
        _access: NewTimestamp,
        _modification: NewTimestamp,
    ) -> FsResult<()> {
        self.not_in_any_way(&descriptor, &[])
    }

    fn set_times_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        _path_flags: PathFlags,
        path: String,
        _access: NewTimestamp,
        _modification: NewTimestamp,
    ) -> FsResult<()> {
        self.not_in_any_way(&descriptor, &[&path])
    }

    fn create_directory_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.spend_for_file(&path)?;
        let dir = self.written_directory(&descriptor)?;
        self.in_area(&dir.area, |area| area.create_directory(&dir.place, &path))
    }

    fn link_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        _old_path_flags: PathFlags,
        old_path: String,
        _new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        self.not_in_any_way(&descriptor, &[&old_path, &new_path])
    }

    fn symlink_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        old_path: String,
        new_path: String,
    ) -> FsResult<()> {
        self.not_in_any_way(&descriptor, &[&old_path, &new_path])
    }

    fn rename_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        self.spend_for_file(&old_path)?;
        self.spend_for_file(&new_path)?;
        let from = self.written_directory(&descriptor)?;
        // There is one directory to write into at most, so this is the same one.
        let to = self.written_directory(&new_descriptor)?;
        self.in_area(&from.area, |area| {
            area.rename((&from.place, &old_path), (&to.place, &new_path))
        })
    }

    fn remove_directory_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.spend_for_file(&path)?;
        let dir = self.written_directory(&descriptor)?;
        self.in_area(&dir.area, |area| area.remove_directory(&dir.place, &path))
    }

    fn unlink_file_at(&mut self, descriptor: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.spend_for_file(&path)?;
        let dir = self.written_directory(&descriptor)?;
        self.in_area(&dir.area, |area| area.remove_file(&dir.place, &path))
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> Result<()> {
        self.world
            .table
            .delete(Resource::<Opened>::new_own(descriptor.rep()))?;
        Ok(())
    }
}

impl types::HostDirectoryEntryStream for View<'_> {
    fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.spend(0).map_err(FsError::trap)?;
        let listing = Resource::<Listing>::new_borrow(stream.rep());
        Ok(self.world.table.get_mut(&listing)?.it.next())
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> Result<()> {
        self.world
            .table
            .delete(Resource::<Listing>::new_own(stream.rep()))?;
        Ok(())
    }
}

impl View<'_> {
    fn nothing_to_do(&mut self, descriptor: &Resource<Descriptor>) -> FsResult<()> {
        self.spend(0).map_err(FsError::trap)?;
        self.opened(descriptor).map(drop)
    }
}
