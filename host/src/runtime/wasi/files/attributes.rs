//! What a guest learns of a file.

use super::super::{View, clocks};
use super::{Opened, follow, kind_of, metadata_at};
use crate::staging::{Attributes, Place};
use cap_fs_ext::MetadataExt as _;
use sha2::{Digest, Sha256};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Descriptor, DescriptorStat, MetadataHashValue, PathFlags,
};

impl View<'_> {
    pub(super) fn attributes(&mut self, descriptor: &Resource<Descriptor>) -> FsResult<Attributes> {
        self.spend_for_file("")?;
        let metadata = match self.opened(descriptor)? {
            Opened::Granted(dir) => dir.dir_metadata()?,
            Opened::Directory(dir) => dir.it.dir_metadata()?,
            Opened::File(file) => file.it.metadata()?,
            Opened::Staged(file) => return Ok(file.it.attributes()),
            Opened::Writable(dir) => {
                return self.in_area(&dir.area, |area| area.attributes_of(&dir.place));
            }
        };
        Ok(Attributes::Real(metadata))
    }

    pub(super) fn attributes_at(
        &mut self,
        descriptor: &Resource<Descriptor>,
        path_flags: PathFlags,
        path: &str,
    ) -> FsResult<Attributes> {
        self.spend_for_file(path)?;
        let follow = follow(path_flags);
        let opened = self.opened(descriptor)?;
        if let Opened::Writable(dir) = &opened {
            return self.in_area(&dir.area, |area| area.attributes(&dir.place, path, follow));
        }
        Ok(Attributes::Real(metadata_at(opened.dir()?, path, follow)?))
    }

    /// What a guest learns of a file. When it was last read is nothing that a guest could have read before; what the run
    /// wrote, it wrote at the run's time.
    pub(super) fn stat_of(&self, attributes: &Attributes) -> DescriptorStat {
        let (link_count, size, modified) = match attributes {
            Attributes::Real(metadata) => {
                let modified = metadata.modified().ok();
                let modified = modified.map(|time| clocks::datetime(time.into_std()));
                (metadata.nlink(), metadata.len(), modified)
            }
            Attributes::Staged(_, size) => (1, *size, Some(self.world.clock.datetime())),
            Attributes::Directory(_) => (1, 0, Some(self.world.clock.datetime())),
        };
        DescriptorStat {
            type_: kind_of(attributes),
            link_count,
            size,
            data_access_timestamp: None,
            data_modification_timestamp: modified,
            status_change_timestamp: None,
        }
    }
}

/// What tells files apart.
#[derive(PartialEq, Eq)]
pub(super) enum Identity<'a> {
    Real(u64, u64),
    Staged(usize),
    Directory(&'a Place),
}

impl<'a> Identity<'a> {
    pub(super) fn of(attributes: &'a Attributes) -> Self {
        match attributes {
            Attributes::Real(metadata) => Self::Real(metadata.dev(), metadata.ino()),
            Attributes::Staged(number, _) => Self::Staged(*number),
            Attributes::Directory(place) => Self::Directory(place),
        }
    }
}

/// A number that tells files apart.
pub(super) fn hash_of(attributes: &Attributes) -> MetadataHashValue {
    let mut hash = Sha256::new();
    match Identity::of(attributes) {
        Identity::Real(device, inode) => {
            hash.update(device.to_le_bytes());
            hash.update(inode.to_le_bytes());
        }
        Identity::Staged(number) => hash.update((number as u64).to_le_bytes()),
        Identity::Directory(place) => hash.update(place.to_string()),
    }
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
