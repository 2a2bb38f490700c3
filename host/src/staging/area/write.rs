//! What changes an area: nothing of it touches what is really there.

use super::{Area, Base, Found, LOOK, Node, Now, Staged, below};
use crate::staging::folder::Folder;
use crate::staging::place::Place;
use crate::staging::problem::FileProblem;
use crate::staging::stamp::Stamp;
use cap_std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

/// What happens to the contents of a file that is opened for writing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    Kept,
    Dropped,
}

impl Area {
    /// Makes a directory.
    pub(crate) fn create_directory(
        &mut self,
        below: &Place,
        path: &str,
    ) -> Result<(), FileProblem> {
        let (place, _) = self.resolve(below, path)?;
        match self.find(&place)? {
            Found::Nothing => {}
            _ => return Err(FileProblem::Exists),
        }
        self.check_parent(&place)?;
        self.budget.file()?;
        self.set(place, Base::Nothing, Now::Directory);
        Ok(())
    }

    /// Removes a directory that is empty for the run.
    pub(crate) fn remove_directory(
        &mut self,
        below: &Place,
        path: &str,
    ) -> Result<(), FileProblem> {
        let (place, _) = self.resolve(below, path)?;
        match self.find(&place)? {
            Found::Nothing => Err(FileProblem::NotFound),
            Found::Directory => self.remove_found_directory(place),
            _ => Err(FileProblem::NotDirectory),
        }
    }

    /// Removes a file.
    pub(crate) fn remove_file(&mut self, below: &Place, path: &str) -> Result<(), FileProblem> {
        let (place, must_be_directory) = self.resolve(below, path)?;
        match self.find(&place)? {
            Found::Nothing => Err(FileProblem::NotFound),
            Found::Directory => Err(FileProblem::IsDirectory),
            _ if must_be_directory => Err(FileProblem::NotDirectory),
            Found::Other(_) => Err(FileProblem::NotPermitted),
            Found::Staged(_) => {
                self.set(place, Base::Nothing, Now::Nothing);
                Ok(())
            }
            Found::Real(metadata) => {
                self.check_parent(&place)?;
                self.budget.file()?;
                self.set(place, Base::File(Stamp::of(&metadata)), Now::Nothing);
                Ok(())
            }
        }
    }

    /// Renames a file, or a directory that the run made, over nothing or over its like.
    ///
    /// A directory that is really there is not moved: that is said to be on another file system, upon which programs copy.
    pub(crate) fn rename(
        &mut self,
        (from_below, from): (&Place, &str),
        (to_below, to): (&Place, &str),
    ) -> Result<(), FileProblem> {
        let (from, from_directory) = self.resolve(from_below, from)?;
        let (to, to_directory) = self.resolve(to_below, to)?;
        let source = self.find(&from)?;
        match source {
            Found::Nothing => return Err(FileProblem::NotFound),
            Found::Other(_) => return Err(FileProblem::NotPermitted),
            Found::Directory => return self.rename_directory(&from, &to),
            _ if from_directory || to_directory => return Err(FileProblem::NotDirectory),
            _ if from == to => return Ok(()),
            _ => {}
        }
        let base = match self.find(&to)? {
            Found::Nothing | Found::Staged(_) => Base::Nothing,
            Found::Directory => return Err(FileProblem::IsDirectory),
            Found::Other(_) => return Err(FileProblem::NotPermitted),
            Found::Real(metadata) => {
                check_writable(&metadata)?;
                Base::File(Stamp::of(&metadata))
            }
        };
        self.check_parent(&to)?;
        let number = match source {
            Found::Staged(number) => number,
            Found::Real(metadata) => self.stage_real(&from, &metadata, Contents::Kept)?,
            _ => return Err(FileProblem::NotFound),
        };
        self.budget.file()?;
        self.set(from, Base::Nothing, Now::Nothing);
        self.set(to, base, Now::File(number));
        Ok(())
    }

    /// Writes into a staged file.
    pub(crate) fn write(
        &mut self,
        number: usize,
        bytes: &[u8],
        at: u64,
    ) -> Result<(), FileProblem> {
        self.work = self.work.saturating_add(bytes.len() as u64);
        let end = at.saturating_add(bytes.len() as u64);
        self.grow(number, end)?;
        let mut file = self.file(number)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)?;
        let size = &mut self.staged[number].size;
        *size = end.max(*size);
        Ok(())
    }

    /// Sets the size of a staged file. What it gains is zero, and counts as written.
    pub(crate) fn resize(&mut self, number: usize, size: u64) -> Result<(), FileProblem> {
        self.grow(number, size)?;
        self.file(number)?.set_len(size)?;
        self.staged[number].size = size;
        Ok(())
    }

    fn grow(&mut self, number: usize, size: u64) -> Result<(), FileProblem> {
        let growth = size.saturating_sub(self.staged[number].size);
        self.budget.bytes(growth)?;
        // Reading what it gained, to know its digest, is work as well.
        self.work = self.work.saturating_add(growth);
        Ok(())
    }

    /// Puts something at a place. What ends as it began needs no node.
    pub(super) fn set(&mut self, place: Place, base_of_new: Base, now: Now) {
        let base = self.nodes.get(&place).map_or(base_of_new, |node| node.base);
        match (base, now) {
            (Base::Nothing, Now::Nothing) | (Base::Directory, Now::Directory) => {
                self.nodes.remove(&place);
            }
            _ => drop(self.nodes.insert(place, Node { base, now })),
        }
    }

    /// Makes a staged file, and its folder with the first one.
    pub(super) fn stage(&mut self) -> Result<usize, FileProblem> {
        self.budget.file()?;
        let number = self.staged.len();
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => Folder::make(&self.root)?,
        };
        let file = folder.create(number);
        self.folder = Some(folder);
        self.keep((number, file?));
        self.staged.push(Staged::default());
        Ok(number)
    }

    /// Makes a staged file of a real one.
    pub(super) fn stage_real(
        &mut self,
        place: &Place,
        metadata: &Metadata,
        contents: Contents,
    ) -> Result<usize, FileProblem> {
        check_writable(metadata)?;
        self.check_parent(place)?;
        let stamp = Stamp::of(metadata);
        let real = match contents {
            Contents::Dropped => None,
            Contents::Kept => {
                self.budget.check_bytes(stamp.size())?;
                Some(self.open_real(place)?)
            }
        };
        let number = self.stage()?;
        self.staged[number].like = Some(metadata.clone());
        if let Some(real) = real {
            // Whoever makes it longer meanwhile is found out by its stamp.
            let mut file = self.file(number)?;
            let copied = io::copy(&mut real.take(stamp.size()), &mut file)?;
            self.grow(number, copied)?;
            self.staged[number].size = copied;
        }
        self.set(place.clone(), Base::File(stamp), Now::File(number));
        Ok(number)
    }

    fn remove_found_directory(&mut self, place: Place) -> Result<(), FileProblem> {
        if place.names().is_empty() {
            return Err(FileProblem::NotPermitted);
        }
        if !self.list(&place)?.is_empty() {
            return Err(FileProblem::NotEmpty);
        }
        self.check_parent(&place)?;
        self.budget.file()?;
        self.set(place, Base::Directory, Now::Nothing);
        Ok(())
    }

    fn rename_directory(&mut self, from: &Place, to: &Place) -> Result<(), FileProblem> {
        if from == to {
            return Ok(());
        }
        if to.is_within(from) {
            return Err(FileProblem::Invalid);
        }
        if !self.nodes.contains_key(from) {
            return Err(FileProblem::CrossDevice);
        }
        match self.find(to)? {
            Found::Nothing => self.check_parent(to)?,
            Found::Directory => self.remove_found_directory(to.clone())?,
            _ => return Err(FileProblem::NotDirectory),
        }
        self.budget.file()?;
        let moved: Vec<_> = below(&self.nodes, from)
            .map(|(place, node)| (place.clone(), node.now))
            .collect();
        self.set(from.clone(), Base::Nothing, Now::Nothing);
        self.set(to.clone(), Base::Nothing, Now::Directory);
        for (place, now) in moved {
            self.work = self.work.saturating_add(LOOK);
            let target = place.moved(from, to);
            self.set(place, Base::Nothing, Now::Nothing);
            self.set(target, Base::Nothing, now);
        }
        Ok(())
    }
}

/// A file that its owner may not write is not written by putting another one in its place.
fn check_writable(metadata: &Metadata) -> Result<(), FileProblem> {
    if metadata.permissions().readonly() {
        return Err(FileProblem::ReadOnly);
    }
    Ok(())
}

/// The rights that the file had, and none to run as somebody else. The host has to be able to read what it staged.
#[cfg(unix)]
pub(in crate::staging) fn give_rights(file: &File, of: &Metadata) -> io::Result<()> {
    use cap_std::fs::{Permissions, PermissionsExt as _};
    let mode = of.permissions().mode() & 0o777 | 0o400;
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(in crate::staging) fn give_rights(file: &File, of: &Metadata) -> io::Result<()> {
    file.set_permissions(of.permissions())
}
