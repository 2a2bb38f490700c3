//! Staging: a directory that a run writes into changes as a whole, when the run commits, or not at all.
//!
//! A run writes into a folder of the host's own in that directory, and sees the directory as if it had written there
//! ([`Area`]). A commit then goes through these points, each of which a power failure may follow:
//!
//! 1. the staged files are synced, and a manifest of all that is to be done is written and synced beside them;
//! 2. **the manifest is renamed into force**. Before that nothing has happened; from then on everything will;
//! 3. files are renamed to their places, one by one, each of them at once; their directories are synced;
//! 4. the manifest is removed, and the folder with it.
//!
//! Where the context lasts in a state, the state's journal decides on the files as well, so that both happen or neither: instead
//! of 2, the manifest is renamed to where it *awaits* its commit, by the commit's id; the commit goes into the journal; once it
//! lasts there the manifest comes into force. Whoever finds one that awaits its commit asks the state what became of that.
//!
//! Whoever finds a manifest in force, the next run or the next host, first carries it out: every step can be done again. A
//! folder without one holds nothing that was decided, and is removed.

mod apply;
mod area;
mod folder;
mod lock;
mod manifest;
mod place;
mod problem;
mod stamp;
#[cfg(test)]
mod tests;

pub(crate) use self::area::{Area, Attributes, Opened, Opening};
pub(crate) use self::place::{PRIVATE, Place, is_private};
pub use self::problem::DirectoryProblem;
pub(crate) use self::problem::FileProblem;

use self::area::{Base, Node, Now, give_rights};
use self::folder::{Folder, unless_missing};
pub(crate) use self::manifest::Awaits;
use self::manifest::{FileStep, Manifest};
use self::stamp::Stamp;
use crate::side_effects::{Directory, FileChange, FileOp};
use cap_fs_ext::{AccessType, DirExt as _};
use cap_primitives::fs::AccessModes;
use cap_std::fs::Dir;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use theus_core::limits::Limits;

/// Whether a commit that files await was kept; where nobody can tell, why not.
pub(crate) type Fate<'a> = &'a dyn Fn(&Awaits) -> Result<bool, &'static str>;

/// An area that a guest's handles and the engine share.
pub(crate) type SharedArea = Arc<Mutex<Area>>;

/// The directory that one run writes into, from its lock to its end. Dropped before it is decided, it leaves nothing.
pub(crate) struct Staging {
    directory: Directory,
    area: SharedArea,
    state: State,
    recovered: Recovered,
    // Dropped last: until then no other host looks into the folder.
    _lock: std::fs::File,
}

/// How far the commit has come.
enum State {
    Open,
    Prepared(Manifest),
    /// A commit that is on its way into the journal decides.
    Awaiting(Manifest),
    Decided(Manifest),
}

/// What an operator is told of a commit that was completed.
pub(crate) fn told(directory: &str) -> String {
    format!("`{directory}`: the commit of a host that was killed is complete now")
}

/// What was found in a directory before anything is written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovered {
    /// Nothing, or what was never decided.
    Nothing,
    /// The commit of a killed host, which is complete now.
    Commit,
    /// Another host is at work there; it does the same before each of its runs.
    InUse,
}

pub(crate) fn locked(area: &SharedArea) -> MutexGuard<'_, Area> {
    // A guest's call that panicked ended the run; what it staged is dropped.
    area.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Completes what a killed host left in a directory, where no other one is at work there.
///
/// # Errors
///
/// What it left is damaged or cannot be completed.
pub(crate) fn recover(
    directory: &Directory,
    fate: Fate<'_>,
) -> Result<Recovered, DirectoryProblem> {
    match lock::try_lock(&directory.dir)? {
        None => Ok(Recovered::InUse),
        Some(_lock) => complete(&directory.dir, &directory.path, fate),
    }
}

fn complete(root: &Dir, path: &Path, fate: Fate<'_>) -> Result<Recovered, DirectoryProblem> {
    let Some(folder) = Folder::left(root, path)? else {
        return Ok(Recovered::Nothing);
    };
    let shown = folder::shown(path);
    let failed = |what: &str| DirectoryProblem::system(format!("{what} {}", shown.display()));
    let damaged = |reason| DirectoryProblem::Damaged {
        folder: shown.clone(),
        reason,
    };
    if let Some(bytes) = folder.awaiting().map_err(failed("read"))? {
        let manifest = Manifest::decode(&bytes).map_err(damaged)?;
        let awaits = manifest
            .awaits
            .ok_or_else(|| damaged("the manifest names no commit".into()))?;
        let unknown = |reason| DirectoryProblem::Awaits {
            folder: shown.clone(),
            reason,
        };
        if fate(&awaits).map_err(unknown)? {
            folder.decided_by_commit().map_err(failed("write"))?;
        }
    }
    let recovered = match folder.manifest().map_err(failed("read"))? {
        None => Recovered::Nothing,
        Some(bytes) => {
            let manifest = Manifest::decode(&bytes).map_err(damaged)?;
            apply::check_staged(&folder, &manifest).map_err(damaged)?;
            apply::carry_out(root, &folder, &manifest)?;
            tracing::warn!(directory = %path.display(), "the commit of a killed host is complete now");
            Recovered::Commit
        }
    };
    folder.remove(root).map_err(failed("remove"))?;
    Ok(recovered)
}

impl Staging {
    /// Takes the directory for one run, as soon as no other host writes into it.
    ///
    /// # Errors
    ///
    /// The deadline passed, or what a killed host left there cannot be completed.
    pub(crate) fn begin(
        directory: &Directory,
        limits: &Limits,
        deadline: Instant,
        fate: Fate<'_>,
    ) -> Result<Self, DirectoryProblem> {
        let lock = lock::lock(&directory.dir, deadline)?;
        let recovered = complete(&directory.dir, &directory.path, fate)?;
        Ok(Self {
            recovered,
            area: Arc::new(Mutex::new(Area::new(directory.dir.clone(), limits))),
            directory: directory.clone(),
            state: State::Open,
            _lock: lock,
        })
    }

    /// The directory's name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.directory.name
    }

    /// What was found before the run began.
    pub(crate) fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// What the guest's handles work on.
    pub(crate) fn area(&self) -> &SharedArea {
        &self.area
    }

    /// Files and bytes that the run staged.
    pub(crate) fn used(&self) -> (u64, u64) {
        locked(&self.area).used()
    }

    /// What the run does to the directory. Nothing is done yet.
    ///
    /// # Errors
    ///
    /// Somebody else changed a place that the run changed, or this user may not.
    pub(crate) fn changes(&self) -> Result<Vec<FileChange>, DirectoryProblem> {
        let mut area = locked(&self.area);
        check_unchanged(&area)?;
        let mut changes = Vec::new();
        let nodes: Vec<_> = area
            .nodes
            .iter()
            .map(|(at, node)| (at.clone(), *node))
            .collect();
        for (at, Node { base, now }) in nodes {
            let mut note = |op, contents: Option<&(u64, String)>| {
                let path = format!("/{}/{at}", self.directory.name);
                let mut change = FileChange::new(path, op);
                change.bytes = contents.map(|(bytes, _)| *bytes);
                change.sha256 = contents.map(|(_, sha256)| sha256.clone());
                changes.push(change);
            };
            match (base, now) {
                (Base::Directory, _) => note(FileOp::RemoveDirectory, None),
                (Base::File(_), Now::Nothing | Now::Directory) => note(FileOp::Remove, None),
                _ => {}
            }
            match (base, now) {
                (_, Now::Nothing) => {}
                (_, Now::Directory) => note(FileOp::CreateDirectory, None),
                (base, Now::File(number)) => {
                    let digest = area
                        .file(number)
                        .and_then(apply::digest)
                        .map_err(DirectoryProblem::system(format!("read `{at}`")))?;
                    let op = match base {
                        Base::File(_) => FileOp::Replace,
                        _ => FileOp::Create,
                    };
                    note(op, Some(&digest));
                    area.staged[number].digest = Some(digest);
                }
            }
        }
        Ok(changes)
    }

    /// Makes everything ready for the decision: after it, only one rename is missing, or the commit that it awaits. Goes by the
    /// digests of [`Staging::changes`].
    ///
    /// # Errors
    ///
    /// The system refused. Nothing has happened.
    pub(crate) fn prepare(&mut self, awaits: Option<Awaits>) -> Result<(), DirectoryProblem> {
        let mut area = locked(&self.area);
        if area.nodes.is_empty() {
            return Ok(());
        }
        let mut manifest = manifest_of(&area)?;
        manifest.awaits = awaits;
        let ready = |area: &mut Area| {
            if area.folder.is_none() {
                // It only removes, or makes directories.
                area.folder = Some(Folder::make(&area.root)?);
            }
            for number in area.numbers() {
                let like = area.staged[number].like.take();
                let file = area.file(number)?;
                if let Some(like) = like {
                    give_rights(file, &like)?;
                }
                file.sync_all()?;
            }
            let bytes = manifest.encode().map_err(std::io::Error::other)?;
            match &area.folder {
                Some(folder) => {
                    folder.write_manifest(&bytes)?;
                    if manifest.awaits.is_some() {
                        folder.await_commit()?;
                    }
                }
                None => return Err(std::io::ErrorKind::NotFound.into()),
            }
            // The folder's own name.
            folder::sync(&area.root)
        };
        ready(&mut area).map_err(DirectoryProblem::system("keep the staged files"))?;
        drop(area);
        tracing::debug!("the files are staged");
        self.state = State::Prepared(manifest);
        Ok(())
    }

    /// Decides that what was prepared will be done, whatever happens from here on.
    ///
    /// # Errors
    ///
    /// The system refused. Nothing has happened.
    pub(crate) fn decide(&mut self) -> Result<(), DirectoryProblem> {
        let manifest = match std::mem::replace(&mut self.state, State::Open) {
            State::Prepared(manifest) => manifest,
            other => {
                self.state = other;
                return Ok(());
            }
        };
        if let Some(folder) = &locked(&self.area).folder {
            folder
                .decide()
                .map_err(DirectoryProblem::system("put the manifest in force"))?;
        }
        self.state = State::Decided(manifest);
        tracing::debug!("the files are decided");
        Ok(())
    }

    /// Leaves the decision to the commit that was named to [`Staging::prepare`]: it is about to go into the journal. False where
    /// none was named, or there is nothing to decide.
    pub(crate) fn leave_to_commit(&mut self) -> bool {
        let awaits = matches!(&self.state, State::Prepared(manifest) if manifest.awaits.is_some());
        if awaits && let State::Prepared(manifest) = std::mem::replace(&mut self.state, State::Open)
        {
            self.state = State::Awaiting(manifest);
            tracing::debug!("the files await their commit");
        }
        awaits
    }

    /// Whether a commit decides, which has yet to last.
    pub(crate) fn is_awaiting(&self) -> bool {
        matches!(self.state, State::Awaiting(_))
    }

    /// Does what was decided; where a commit decides, it lasts by now.
    ///
    /// # Errors
    ///
    /// What the system refused. The manifest stays in force: the next run or the next host does the rest.
    pub(crate) fn finish(&mut self) -> Result<(), DirectoryProblem> {
        if let State::Awaiting(manifest) = &self.state {
            tracing::debug!("the commit of the files lasts");
            if let Some(folder) = &locked(&self.area).folder {
                folder
                    .decided_by_commit()
                    .map_err(DirectoryProblem::system("put the manifest in force"))?;
            }
            self.state = State::Decided(manifest.clone());
            tracing::debug!("the files are decided");
        }
        let State::Decided(manifest) = &self.state else {
            return Ok(());
        };
        let mut area = locked(&self.area);
        if let Some(folder) = &area.folder {
            apply::carry_out(&area.root, folder, manifest)?;
        }
        area.nodes.clear();
        drop(area);
        self.state = State::Open;
        tracing::debug!("the files are in place");
        Ok(())
    }
}

impl Drop for Staging {
    /// Leaves nothing, unless the system failed in the midst of what was decided.
    fn drop(&mut self) {
        if matches!(self.state, State::Awaiting(_) | State::Decided(_)) {
            return;
        }
        let mut area = locked(&self.area);
        if let Some(folder) = area.folder.take()
            && let Err(error) = folder.remove(&area.root)
        {
            // The next run removes it before it begins.
            let directory = self.directory.path.display();
            tracing::warn!(%directory, "the folder {PRIVATE} stays: {error}");
        }
    }
}

/// Whether every place that the run changed is as the run found it, and may be changed.
fn check_unchanged(area: &Area) -> Result<(), DirectoryProblem> {
    for (at, node) in &area.nodes {
        let changed = || DirectoryProblem::Changed {
            file: at.to_string(),
        };
        let failed = || DirectoryProblem::system(format!("look at `{at}`"));
        let Some((parent, name)) = at.split() else {
            continue;
        };
        // A link on the way is something that somebody else put there.
        let dir = apply::walk(&area.root, parent).map_err(|_| changed())?;
        let there = match &dir {
            None => None,
            Some(dir) => unless_missing(dir.symlink_metadata(name)).map_err(failed())?,
        };
        let as_found = match (node.base, there) {
            (Base::Nothing, None) => true,
            (Base::File(stamp), Some(there)) => Stamp::of(&there) == stamp,
            (Base::Directory, Some(there)) => there.is_dir(),
            _ => false,
        };
        let is_made = area.nodes.contains_key(parent);
        if !as_found || (dir.is_none() && !is_made) {
            return Err(changed());
        }
        if let Some(dir) = dir {
            check_writable(&dir, parent)?;
        }
    }
    Ok(())
}

/// What this user may not do is found out before it is decided.
fn check_writable(dir: &Dir, names: &[String]) -> Result<(), DirectoryProblem> {
    let modes = AccessModes {
        readable: false,
        writable: true,
        executable: true,
    };
    dir.access(".", AccessType::Access(modes))
        .map_err(DirectoryProblem::system(format!(
            "write into `{}`",
            names.join("/")
        )))
}

/// What there is to do, in an order in which every step finds what it needs: first what goes, the lowest first, then what
/// comes, the highest first.
fn manifest_of(area: &Area) -> Result<Manifest, DirectoryProblem> {
    let mut steps = Vec::new();
    for (at, node) in &area.nodes {
        if let (Base::File(was), Now::Nothing | Now::Directory) = (node.base, node.now) {
            steps.push(FileStep::Remove {
                at: at.clone(),
                was,
            });
        }
    }
    for (at, node) in area.nodes.iter().rev() {
        if node.base == Base::Directory {
            steps.push(FileStep::RemoveDirectory { at: at.clone() });
        }
    }
    for (at, node) in &area.nodes {
        match node.now {
            Now::Nothing => {}
            Now::Directory => steps.push(FileStep::MakeDirectory { at: at.clone() }),
            Now::File(number) => {
                let digest = area.staged[number].digest.clone();
                let (bytes, sha256) = digest.ok_or_else(|| DirectoryProblem::System {
                    doing: format!("stage `{at}`"),
                    message: "its digest is not known".into(),
                })?;
                steps.push(FileStep::Put {
                    at: at.clone(),
                    number,
                    bytes,
                    sha256,
                });
            }
        }
    }
    Ok(Manifest {
        steps,
        awaits: None,
    })
}
