//! `wasi:filesystem`: the directories that were granted, to be read or to be written. Without a grant, none.
//!
//! wasmtime-wasi's own implementation takes directories as paths of the host, enters an async runtime for every call, and
//! waits for whoever writes into a FIFO. So this is one over cap-std: a directory is handed over open, a path of the guest
//! is looked up below it (links, `..` and absolute paths do not lead out), and only regular files and directories are
//! opened. In a directory that was granted to be read, every function that would change anything says that the file system
//! is read-only. In one that was granted to be written, a guest works on the run's area (`staging`).

mod attributes;
mod descriptor;
mod writable;

pub(super) use self::writable::{StagedFile, Writable};

use super::View;
use crate::staging::{Attributes, is_private};
use cap_fs_ext::{
    FileTypeExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsMaybeDirExt as _,
    OpenOptionsSyncExt as _,
};
use cap_std::fs::{Dir, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Descriptor, DescriptorType, DirectoryEntry, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

/// Files, directories and listings that a guest may have open at a time.
const MAX_OPEN: usize = 32;
/// Entries of a directory that can be listed.
const MAX_ENTRIES: usize = 10_000;
/// The longest path.
const MAX_PATH: usize = 4096;
/// The most bytes of one read.
const MAX_READ: u64 = 64 * 1024;
/// Fuel for asking the system about a file, on top of what any host call costs.
pub(super) const SYSTEM_CALL: usize = 500;
/// Fuel for one entry of a listing, on top of its name.
const ENTRY: usize = 100;
/// System calls that open a file, beside the one that every function pays for: it is looked at, opened, looked at again, and
/// closed in the end.
const TO_OPEN: usize = 3;
/// The same for a listing.
const TO_LIST: usize = 2;
/// Fuel for one granted directory that a guest is told of.
const GRANTED: usize = 100;

/// Counts what a guest has open: one clone for each.
pub(super) type OpenFiles = ();

/// A directory or file, behind a handle.
#[derive(Clone)]
pub(super) enum Opened {
    /// A granted directory itself; it is open anyway.
    Granted(Arc<Dir>),
    Directory(Arc<Counted<Dir>>),
    File(Arc<Counted<File>>),
    /// A directory that the run writes into.
    Writable(Arc<Writable>),
    /// A file that the run writes.
    Staged(Arc<Counted<StagedFile>>),
}

/// Something that counts as open for as long as it lives.
pub(super) struct Counted<T> {
    pub(super) it: T,
    _open: Arc<OpenFiles>,
}

/// What is still to be listed of a directory, behind a handle.
type Listing = Counted<std::vec::IntoIter<DirectoryEntry>>;

impl Opened {
    fn dir(&self) -> Result<&Dir, ErrorCode> {
        match self {
            Self::Granted(dir) => Ok(dir),
            Self::Directory(dir) => Ok(&dir.it),
            // Whoever asks for the real directory has seen to it that it is not the run's own.
            Self::Writable(_) => Err(ErrorCode::NotPermitted),
            Self::File(_) | Self::Staged(_) => Err(ErrorCode::NotDirectory),
        }
    }

    fn check_directory(&self) -> Result<(), ErrorCode> {
        match self {
            Self::Granted(_) | Self::Directory(_) | Self::Writable(_) => Ok(()),
            Self::File(_) | Self::Staged(_) => Err(ErrorCode::NotDirectory),
        }
    }
}

/// A piece of a file; it is shorter than asked for at the end, or where the file's reads are.
pub(super) fn read_piece(mut file: &File, len: u64, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len.min(MAX_READ) as usize];
    file.seek(SeekFrom::Start(offset))?;
    let read = loop {
        match file.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    bytes.truncate(read);
    Ok(bytes)
}

impl preopens::Host for View<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.spend(0)?;
        let granted = self.world.directories().to_vec();
        self.spend_more(granted.len() * GRANTED)?;
        let mut directories = Vec::with_capacity(granted.len());
        for directory in granted {
            let opened = self.world.table.push(Opened::Granted(directory.dir))?;
            let path = format!("/{}", directory.name);
            directories.push((Resource::new_own(opened.rep()), path));
        }
        if let Some((name, area)) = self.world.writable() {
            let opened = Opened::Writable(Arc::new(Writable::top(area)));
            let opened = self.world.table.push(opened)?;
            directories.push((Resource::new_own(opened.rep()), format!("/{name}")));
        }
        Ok(directories)
    }
}

impl View<'_> {
    fn opened(&self, descriptor: &Resource<Descriptor>) -> FsResult<Opened> {
        let opened = Resource::<Opened>::new_borrow(descriptor.rep());
        Ok(self.world.table.get(&opened)?.clone())
    }

    /// Pays for a system call, and for a path that it is given.
    fn spend_for_file(&mut self, path: &str) -> FsResult<()> {
        self.spend(SYSTEM_CALL + path.len())
            .map_err(FsError::trap)?;
        if path.len() > MAX_PATH {
            return Err(ErrorCode::NameTooLong.into());
        }
        // What other runs stage there is theirs until they commit.
        if path.split('/').any(is_private) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    fn counted<T>(&self, it: T) -> FsResult<Counted<T>> {
        Ok(Counted {
            it,
            _open: self.one_more_open()?,
        })
    }

    fn one_more_open(&self) -> FsResult<Arc<OpenFiles>> {
        // One of them is the world's own.
        if Arc::strong_count(&self.world.open_files) > MAX_OPEN {
            return Err(ErrorCode::Quota.into());
        }
        Ok(Arc::clone(&self.world.open_files))
    }

    fn push_opened(&mut self, opened: Opened) -> FsResult<Resource<Descriptor>> {
        let opened = self.world.table.push(opened)?;
        Ok(Resource::new_own(opened.rep()))
    }

    fn open(&mut self, dir: &Dir, path: &str, follow: FollowSymlinks) -> FsResult<Opened> {
        self.spend_more(TO_OPEN * SYSTEM_CALL)
            .map_err(FsError::trap)?;
        // Opening a device may do something already, so it is looked at first; and again once it is open, since
        // somebody may have put something else there.
        check_plain(&metadata_at(dir, path, follow)?)?;
        let mut options = OpenOptions::new();
        options.read(true).maybe_dir(true).follow(follow);
        // A FIFO is not waited for.
        options.nonblock(true);
        let file = dir.open_with(path, &options)?;
        let metadata = file.metadata()?;
        check_plain(&metadata)?;
        if metadata.is_dir() {
            let dir = Dir::from_std_file(file.into_std());
            return Ok(Opened::Directory(Arc::new(self.counted(dir)?)));
        }
        Ok(Opened::File(Arc::new(self.counted(file)?)))
    }

    /// Lists a directory in the order of its names, so that the same directory is the same listing.
    fn list(&mut self, dir: &Dir) -> FsResult<Listing> {
        self.spend_more(TO_LIST * SYSTEM_CALL)
            .map_err(FsError::trap)?;
        let mut entries = Vec::new();
        for entry in dir.entries()? {
            let entry = entry?;
            if entries.len() == MAX_ENTRIES {
                return Err(ErrorCode::Overflow.into());
            }
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| ErrorCode::IllegalByteSequence)?;
            self.spend_more(ENTRY + name.len()).map_err(FsError::trap)?;
            if is_private(&name) {
                continue;
            }
            let type_ = type_of(entry.file_type()?);
            entries.push(DirectoryEntry { type_, name });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        self.counted(entries.into_iter())
    }
}

fn metadata_at(dir: &Dir, path: &str, follow: FollowSymlinks) -> io::Result<Metadata> {
    match follow {
        FollowSymlinks::Yes => dir.metadata(path),
        FollowSymlinks::No => dir.symlink_metadata(path),
    }
}

/// Refuses whatever is neither a regular file nor a directory.
fn check_plain(metadata: &Metadata) -> Result<(), ErrorCode> {
    let file_type = metadata.file_type();
    if file_type.is_file() || file_type.is_dir() {
        Ok(())
    } else if file_type.is_symlink() {
        Err(ErrorCode::Loop)
    } else {
        Err(ErrorCode::NotPermitted)
    }
}

fn type_of(file_type: FileType) -> DescriptorType {
    if file_type.is_file() {
        DescriptorType::RegularFile
    } else if file_type.is_dir() {
        DescriptorType::Directory
    } else if file_type.is_symlink() {
        DescriptorType::SymbolicLink
    } else if file_type.is_fifo() {
        DescriptorType::Fifo
    } else if file_type.is_socket() {
        DescriptorType::Socket
    } else if file_type.is_block_device() {
        DescriptorType::BlockDevice
    } else if file_type.is_char_device() {
        DescriptorType::CharacterDevice
    } else {
        DescriptorType::Unknown
    }
}

fn follow(flags: PathFlags) -> FollowSymlinks {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) {
        FollowSymlinks::Yes
    } else {
        FollowSymlinks::No
    }
}

/// What kind of thing it is that something is known of.
fn kind_of(attributes: &Attributes) -> DescriptorType {
    match attributes {
        Attributes::Real(metadata) => type_of(metadata.file_type()),
        Attributes::Staged(..) => DescriptorType::RegularFile,
        Attributes::Directory(_) => DescriptorType::Directory,
    }
}
