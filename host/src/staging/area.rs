//! The area: a directory as one run sees it, its own staged files over what is really there.
//!
//! What is really there is only read. Every place that the run touches has a node, which says what was there and what is
//! there for the run; a place without one is as it is. A file that is opened for writing is copied first.

mod budget;
mod write;

use self::budget::Budget;
use self::write::Contents;
pub(super) use self::write::give_rights;
use super::folder::{Folder, unless_missing};
use super::place::{self, Move, Place};
use super::problem::FileProblem;
use super::stamp::Stamp;
use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir, File, FileType, Metadata, OpenOptions};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::sync::Arc;
use theus_core::limits::Limits;

/// Fuel for asking the system about one name.
const LOOK: u64 = 500;
/// Entries of a directory that can be listed.
const MAX_ENTRIES: usize = 10_000;
/// Staged files that are open at a time: a guest makes more of them than the host may have open.
const MAX_HANDLES: usize = 16;

/// A directory as one run sees it.
pub(crate) struct Area {
    pub(super) root: Arc<Dir>,
    pub(super) nodes: BTreeMap<Place, Node>,
    pub(super) staged: Vec<Staged>,
    pub(super) folder: Option<Folder>,
    /// The staged files that were used last, open.
    handles: VecDeque<(usize, File)>,
    budget: Budget,
    /// Work for the guest that it has not been charged for.
    work: u64,
}

/// A place that the run touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) base: Base,
    pub(super) now: Now,
}

/// What was there when the run first touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Nothing,
    File(Stamp),
    Directory,
}

/// What is there for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Now {
    /// The staged file of this number.
    File(usize),
    Directory,
    Nothing,
}

/// A file that the run writes.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) size: u64,
    /// What it takes the place of, or was copied from: that has its rights.
    pub(super) like: Option<Metadata>,
    /// Its size and digest, once the run has ended.
    pub(super) digest: Option<(u64, String)>,
}

/// What the run sees at a place.
enum Found {
    Nothing,
    Directory,
    Staged(usize),
    Real(Metadata),
    /// A link, a FIFO, a socket, a device.
    Other(FileType),
}

/// How a file is to be opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening {
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
    pub(crate) directory: bool,
    pub(crate) write: bool,
}

/// What was opened.
pub(crate) enum Opened {
    Directory(Place),
    Staged(usize),
    /// A file that the run has not written, to be read.
    Real(File),
}

/// What is known of something in an area.
pub(crate) enum Attributes {
    /// It is as it really is.
    Real(Metadata),
    /// A file that the run wrote, of this size.
    Staged(usize, u64),
    /// A directory of the run.
    Directory(Place),
}

impl Area {
    pub(super) fn new(root: Arc<Dir>, limits: &Limits) -> Self {
        Self {
            root,
            nodes: BTreeMap::new(),
            staged: Vec::new(),
            folder: None,
            handles: VecDeque::new(),
            budget: Budget::new(limits),
            work: 0,
        }
    }

    /// The work since this was last asked, in units of fuel.
    pub(crate) fn take_work(&mut self) -> u64 {
        std::mem::take(&mut self.work)
    }

    /// Files and bytes that were staged so far.
    pub(crate) fn used(&self) -> (u64, u64) {
        self.budget.used()
    }

    /// Opens a file or a directory.
    pub(crate) fn open(
        &mut self,
        below: &Place,
        path: &str,
        how: Opening,
    ) -> Result<Opened, FileProblem> {
        let (place, must_be_directory) = self.resolve(below, path)?;
        let directory = how.directory || must_be_directory;
        let is_new = how.create && how.exclusive;
        match self.find(&place)? {
            Found::Nothing if !how.create => Err(FileProblem::NotFound),
            Found::Nothing if directory => Err(FileProblem::Invalid),
            Found::Nothing => {
                self.check_parent(&place)?;
                let number = self.stage()?;
                self.set(place, Base::Nothing, Now::File(number));
                Ok(Opened::Staged(number))
            }
            _ if is_new => Err(FileProblem::Exists),
            Found::Directory if how.write || how.truncate => Err(FileProblem::IsDirectory),
            Found::Directory => Ok(Opened::Directory(place)),
            Found::Other(kind) => Err(refused(kind)),
            _ if directory => Err(FileProblem::NotDirectory),
            Found::Staged(number) => {
                if how.truncate {
                    self.resize(number, 0)?;
                }
                Ok(Opened::Staged(number))
            }
            Found::Real(metadata) if how.write || how.truncate => {
                let contents = if how.truncate {
                    Contents::Dropped
                } else {
                    Contents::Kept
                };
                self.stage_real(&place, &metadata, contents)
                    .map(Opened::Staged)
            }
            Found::Real(_) => self.open_real(&place).map(Opened::Real),
        }
    }

    /// What is known of what is at a path. Links are not followed: of a link itself, unless it is to be followed.
    pub(crate) fn attributes(
        &mut self,
        below: &Place,
        path: &str,
        follow: FollowSymlinks,
    ) -> Result<Attributes, FileProblem> {
        let (place, must_be_directory) = self.resolve(below, path)?;
        match self.find(&place)? {
            Found::Nothing => Err(FileProblem::NotFound),
            Found::Directory => self.attributes_of(&place),
            _ if must_be_directory => Err(FileProblem::NotDirectory),
            Found::Staged(number) => Ok(Attributes::Staged(number, self.size(number))),
            Found::Real(metadata) => Ok(Attributes::Real(metadata)),
            Found::Other(kind) if kind.is_symlink() && follow == FollowSymlinks::Yes => {
                Err(FileProblem::Link)
            }
            Found::Other(_) => {
                let (parent, name) = place.split().ok_or(FileProblem::NotFound)?;
                let parent = self.real(parent)?.ok_or(FileProblem::NotFound)?;
                Ok(Attributes::Real(parent.symlink_metadata(name)?))
            }
        }
    }

    /// What is known of a directory.
    pub(crate) fn attributes_of(&mut self, directory: &Place) -> Result<Attributes, FileProblem> {
        match self.real(directory.names())? {
            Some(dir) => Ok(Attributes::Real(dir.dir_metadata()?)),
            None => Ok(Attributes::Directory(directory.clone())),
        }
    }

    /// The entries of a directory, in order of their names.
    pub(crate) fn list(
        &mut self,
        directory: &Place,
    ) -> Result<Vec<(String, FileType)>, FileProblem> {
        let mut entries = BTreeMap::new();
        if let Some(dir) = self.real(directory.names())? {
            // The handle may be good for looking up names only.
            for entry in dir.read_dir(".")? {
                let entry = entry?;
                let name = entry.file_name().into_string();
                let name = name.map_err(|_| FileProblem::Invalid)?;
                self.work = self.work.saturating_add(100 + name.len() as u64);
                if place::is_private(&name) {
                    continue;
                }
                if entries.len() == MAX_ENTRIES {
                    return Err(FileProblem::TooManyEntries);
                }
                entries.insert(name, entry.file_type()?);
            }
        }
        for (child, node) in below(&self.nodes, directory) {
            let Some((parent, name)) = child.split() else {
                continue;
            };
            if parent != directory.names() {
                continue;
            }
            self.work = self.work.saturating_add(100 + name.len() as u64);
            match node.now {
                Now::Nothing => drop(entries.remove(name)),
                Now::File(_) => drop(entries.insert(name.to_owned(), FileType::file())),
                Now::Directory => drop(entries.insert(name.to_owned(), FileType::dir())),
            }
        }
        Ok(entries.into_iter().collect())
    }

    /// A staged file, open.
    pub(crate) fn file(&mut self, number: usize) -> io::Result<&File> {
        let at = self.handles.iter().position(|(it, _)| *it == number);
        let handle = match at.and_then(|at| self.handles.remove(at)) {
            Some(handle) => handle,
            None => {
                let folder = self.folder.as_ref().ok_or(ErrorKind::NotFound)?;
                (number, folder.reopen(number)?)
            }
        };
        self.keep(handle);
        let last = self.handles.back().map(|(_, file)| file);
        Ok(last.ok_or(ErrorKind::NotFound)?)
    }

    fn keep(&mut self, handle: (usize, File)) {
        if self.handles.len() == MAX_HANDLES {
            self.handles.pop_front();
        }
        self.handles.push_back(handle);
    }

    /// The staged files that are somewhere.
    pub(super) fn numbers(&self) -> Vec<usize> {
        let number = |node: &Node| match node.now {
            Now::File(number) => Some(number),
            _ => None,
        };
        self.nodes.values().filter_map(number).collect()
    }

    /// The size of a staged file.
    pub(crate) fn size(&self, number: usize) -> u64 {
        self.staged[number].size
    }

    /// Takes a path of the guest's to the place that it names. `..` leads up to the handle's directory at most.
    fn resolve(&mut self, below: &Place, path: &str) -> Result<(Place, bool), FileProblem> {
        let (moves, must_be_directory) = place::moves(path)?;
        let mut place = below.clone();
        for step in moves {
            match step {
                Move::Into(name) => place = place.child(name)?,
                Move::Up if place == *below => return Err(FileProblem::NotPermitted),
                Move::Up => {
                    self.check_directory(&place)?;
                    place = place.parent();
                }
            }
        }
        Ok((place, must_be_directory))
    }

    fn check_directory(&mut self, place: &Place) -> Result<(), FileProblem> {
        match self.find(place)? {
            Found::Nothing => Err(FileProblem::NotFound),
            Found::Directory => Ok(()),
            Found::Other(kind) if kind.is_symlink() => Err(FileProblem::Link),
            _ => Err(FileProblem::NotDirectory),
        }
    }

    /// What the run sees at a place: looked for name by name, so that no link is followed.
    fn find(&mut self, place: &Place) -> Result<Found, FileProblem> {
        let names = place.names();
        let mut real = Some(Arc::clone(&self.root));
        let mut found = Found::Directory;
        for depth in 1..=names.len() {
            match found {
                Found::Directory => {}
                Found::Nothing => return Err(FileProblem::NotFound),
                Found::Other(kind) if kind.is_symlink() => return Err(FileProblem::Link),
                _ => return Err(FileProblem::NotDirectory),
            }
            found = match self.nodes.get(&names[..depth]).map(|node| node.now) {
                Some(Now::Nothing) => Found::Nothing,
                Some(Now::File(number)) => Found::Staged(number),
                Some(Now::Directory) => {
                    // What the run made has nothing real in it.
                    real = None;
                    Found::Directory
                }
                None => {
                    self.work = self.work.saturating_add(LOOK);
                    match &real {
                        None => Found::Nothing,
                        Some(dir) => {
                            let (found, below) = look(dir, &names[depth - 1])?;
                            real = below.map(Arc::new);
                            found
                        }
                    }
                }
            };
        }
        Ok(found)
    }

    /// The real directory at a place, as far as the run sees it.
    fn real(&mut self, names: &[String]) -> Result<Option<Arc<Dir>>, FileProblem> {
        let mut dir = Arc::clone(&self.root);
        for depth in 1..=names.len() {
            if self.nodes.contains_key(&names[..depth]) {
                return Ok(None);
            }
            self.work = self.work.saturating_add(LOOK);
            match look(&dir, &names[depth - 1])? {
                (Found::Directory, Some(below)) => dir = Arc::new(below),
                _ => return Ok(None),
            }
        }
        Ok(Some(dir))
    }

    /// What is to be changed lies in a directory, and on the file system that staged files are moved within.
    fn check_parent(&mut self, place: &Place) -> Result<(), FileProblem> {
        let parent = place.parent();
        self.check_directory(&parent)?;
        if let Some(dir) = self.real(parent.names())?
            && device(&dir)? != device(&self.root)?
        {
            return Err(FileProblem::CrossDevice);
        }
        Ok(())
    }

    /// Opens a real file to read it: a regular one, and no link that somebody put there a moment ago.
    fn open_real(&mut self, place: &Place) -> Result<File, FileProblem> {
        let (parent, name) = place.split().ok_or(FileProblem::IsDirectory)?;
        let parent = self.real(parent)?.ok_or(FileProblem::NotFound)?;
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = parent.open_with(name, &options)?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(FileProblem::NotPermitted)
        }
    }
}

/// The nodes below a place, in order.
fn below<'a>(
    nodes: &'a BTreeMap<Place, Node>,
    place: &'a Place,
) -> impl Iterator<Item = (&'a Place, &'a Node)> {
    nodes
        .range::<Place, _>((Bound::Excluded(place), Bound::Unbounded))
        .take_while(move |(child, _)| child.is_within(place))
}

/// What is really there under a name of a directory, and the directory itself where it is one.
fn look(dir: &Dir, name: &str) -> Result<(Found, Option<Dir>), FileProblem> {
    let Some(metadata) = unless_missing(dir.symlink_metadata(name))? else {
        return Ok((Found::Nothing, None));
    };
    if metadata.is_dir() {
        return match unless_missing(dir.open_dir_nofollow(name))? {
            Some(below) => Ok((Found::Directory, Some(below))),
            None => Ok((Found::Nothing, None)),
        };
    }
    let found = if metadata.is_file() {
        Found::Real(metadata)
    } else {
        Found::Other(metadata.file_type())
    };
    Ok((found, None))
}

fn refused(kind: FileType) -> FileProblem {
    if kind.is_symlink() {
        FileProblem::Link
    } else {
        FileProblem::NotPermitted
    }
}

pub(super) fn device(dir: &Dir) -> io::Result<u64> {
    Ok(Stamp::of(&dir.dir_metadata()?).device())
}
