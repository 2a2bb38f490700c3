//! The functions of descriptors and listings.

use super::super::View;
use super::super::io::Input;
use super::{Listing, Opened, metadata_at, read_piece, stat_of, type_of};
use cap_fs_ext::{FollowSymlinks, MetadataExt as _};
use cap_std::fs::Metadata;
use sha2::{Digest, Sha256};
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
        let file = self.opened(&descriptor)?.file()?.clone();
        let input = Input::File { file, at: offset };
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
        let opened = self.opened(&descriptor)?;
        let bytes = read_piece(&opened.file()?.it, len, offset)?;
        self.spend(bytes.len()).map_err(FsError::trap)?;
        let at_end = bytes.is_empty();
        Ok((bytes, at_end))
    }

    fn read_directory(
        &mut self,
        descriptor: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        self.spend_for_file("")?;
        let opened = self.opened(&descriptor)?;
        let listing = self.list(opened.dir()?)?;
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
        let changes = [OpenFlags::CREATE, OpenFlags::EXCLUSIVE, OpenFlags::TRUNCATE];
        if flags.contains(DescriptorFlags::WRITE)
            || changes.into_iter().any(|flag| open_flags.contains(flag))
        {
            return Err(ErrorCode::ReadOnly.into());
        }
        let opened = self.open(below.dir()?, &path, follow(path_flags))?;
        if open_flags.contains(OpenFlags::DIRECTORY) {
            opened.dir()?;
        }
        self.push_opened(opened)
    }

    fn stat(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        Ok(stat_of(&self.metadata(&descriptor)?))
    }

    fn stat_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        Ok(stat_of(&self.metadata_of(
            &descriptor,
            path_flags,
            &path,
        )?))
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
        Ok(type_of(self.metadata(&descriptor)?.file_type()))
    }

    fn get_flags(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.spend(0).map_err(FsError::trap)?;
        self.opened(&descriptor)?;
        Ok(DescriptorFlags::READ)
    }

    fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> Result<bool> {
        let mut identity = |descriptor: &Resource<Descriptor>| match self.metadata(descriptor) {
            Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
            // What cannot be looked at is the same as nothing; a handle that is none traps.
            Err(error) => error.downcast().map(|_: ErrorCode| None),
        };
        let (one, other) = (identity(&one)?, identity(&other)?);
        Ok(one.is_some() && one == other)
    }

    fn metadata_hash(&mut self, descriptor: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.metadata(&descriptor)?))
    }

    fn metadata_hash_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.metadata_of(
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
        _descriptor: Resource<Descriptor>,
        _bytes: Vec<u8>,
        _offset: u64,
    ) -> FsResult<u64> {
        self.read_only()
    }

    fn write_via_stream(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.read_only()
    }

    fn append_via_stream(
        &mut self,
        _descriptor: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.read_only()
    }

    fn set_size(&mut self, _descriptor: Resource<Descriptor>, _size: u64) -> FsResult<()> {
        self.read_only()
    }

    fn set_times(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _access: NewTimestamp,
        _modification: NewTimestamp,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn set_times_at(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _path_flags: PathFlags,
        _path: String,
        _access: NewTimestamp,
        _modification: NewTimestamp,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn create_directory_at(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _path: String,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn link_at(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _old_path_flags: PathFlags,
        _old_path: String,
        _new_descriptor: Resource<Descriptor>,
        _new_path: String,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn symlink_at(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _old_path: String,
        _new_path: String,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn rename_at(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _old_path: String,
        _new_descriptor: Resource<Descriptor>,
        _new_path: String,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn remove_directory_at(
        &mut self,
        _descriptor: Resource<Descriptor>,
        _path: String,
    ) -> FsResult<()> {
        self.read_only()
    }

    fn unlink_file_at(&mut self, _descriptor: Resource<Descriptor>, _path: String) -> FsResult<()> {
        self.read_only()
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
    fn metadata(&mut self, descriptor: &Resource<Descriptor>) -> FsResult<Metadata> {
        self.spend_for_file("")?;
        Ok(self.opened(descriptor)?.metadata()?)
    }

    fn metadata_of(
        &mut self,
        descriptor: &Resource<Descriptor>,
        path_flags: PathFlags,
        path: &str,
    ) -> FsResult<Metadata> {
        self.spend_for_file(path)?;
        let opened = self.opened(descriptor)?;
        Ok(metadata_at(opened.dir()?, path, follow(path_flags))?)
    }

    fn read_only<T>(&mut self) -> FsResult<T> {
        self.spend(0).map_err(FsError::trap)?;
        Err(ErrorCode::ReadOnly.into())
    }

    fn nothing_to_do(&mut self, descriptor: &Resource<Descriptor>) -> FsResult<()> {
        self.spend(0).map_err(FsError::trap)?;
        self.opened(descriptor).map(drop)
    }
}

fn follow(flags: PathFlags) -> FollowSymlinks {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) {
        FollowSymlinks::Yes
    } else {
        FollowSymlinks::No
    }
}

/// A number that tells files apart.
fn hash_of(metadata: &Metadata) -> MetadataHashValue {
    let mut hash = Sha256::new();
    hash.update(metadata.dev().to_le_bytes());
    hash.update(metadata.ino().to_le_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let half = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    MetadataHashValue {
        lower: half(0),
        upper: half(8),
    }
}
