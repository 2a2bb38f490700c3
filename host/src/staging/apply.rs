//! Carrying a manifest out: what a commit does, and what whoever finds the manifest of a killed host does again.

use super::folder::{Folder, sync, unless_missing};
use super::manifest::{FileStep, Manifest, hex};
use super::place::Place;
use super::problem::DirectoryProblem;
use super::stamp::Stamp;
use cap_fs_ext::DirExt as _;
use cap_std::fs::{Dir, File};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};

/// Does all that a manifest lists, and ends it. What was done already is done.
///
/// # Errors
///
/// What the system refused. The manifest stays in force then.
pub(super) fn carry_out(
    root: &Dir,
    folder: &Folder,
    manifest: &Manifest,
) -> Result<(), DirectoryProblem> {
    for step in &manifest.steps {
        carry_out_step(root, folder, step).map_err(DirectoryProblem::system(format!(
            "put `{}` in place",
            step.at()
        )))?;
        tracing::debug!(at = %step.at(), "a file is in place");
    }
    let end = || {
        let parents: BTreeSet<Place> = manifest.steps.iter().map(|it| it.at().parent()).collect();
        for parent in parents {
            if let Some(dir) = walk(root, parent.names())? {
                sync(&dir)?;
            }
        }
        folder.end_manifest()
    };
    end().map_err(DirectoryProblem::system("make what was put in place last"))
}

/// One step. None of them follows a link: the directory that it is in is opened name by name.
fn carry_out_step(root: &Dir, folder: &Folder, step: &FileStep) -> io::Result<()> {
    let Some((parent, name)) = step.at().split() else {
        return Ok(());
    };
    let parent = walk(root, parent)?;
    match (step, parent) {
        (FileStep::Remove { .. } | FileStep::RemoveDirectory { .. }, None) => Ok(()),
        (FileStep::Remove { was, .. }, Some(parent)) => {
            match unless_missing(parent.symlink_metadata(name))? {
                // Another one that somebody put there is not what was to be removed.
                Some(metadata) if Stamp::of(&metadata) == *was => parent.remove_file(name),
                _ => Ok(()),
            }
        }
        (FileStep::RemoveDirectory { .. }, Some(parent)) => match parent.remove_dir(name) {
            // Somebody put something into it meanwhile, or something else in its place: that stays.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Ok(())
            }
            result => result,
        },
        (FileStep::MakeDirectory { .. }, Some(parent)) => match parent.create_dir(name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                parent.open_dir_nofollow(name).map(drop)
            }
            result => result,
        },
        (FileStep::Put { number, .. }, Some(parent)) => {
            folder.place(*number, &parent, name).map(drop)
        }
        (FileStep::Put { number, .. }, None) if folder.file(*number)?.is_none() => Ok(()),
        (FileStep::MakeDirectory { .. } | FileStep::Put { .. }, None) => Err(io::Error::new(
            ErrorKind::NotFound,
            "the directory that it belongs into is gone",
        )),
    }
}

/// Whether every staged file that is still to be put in place is whole.
pub(super) fn check_staged(folder: &Folder, manifest: &Manifest) -> Result<(), String> {
    for step in &manifest.steps {
        let FileStep::Put {
            number,
            bytes,
            sha256,
            ..
        } = step
        else {
            continue;
        };
        let file = folder
            .file(*number)
            .map_err(|error| format!("the staged file {number}: {error}"))?;
        let Some(file) = file else {
            continue;
        };
        let found = digest(&file).map_err(|error| format!("the staged file {number}: {error}"))?;
        if found != (*bytes, sha256.clone()) {
            return Err(format!(
                "the staged file {number} does not match its checksum"
            ));
        }
    }
    Ok(())
}

/// A file's size and digest.
pub(super) fn digest(mut file: &File) -> io::Result<(u64, String)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(read) => {
                hash.update(&piece[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A directory below another one, opened name by name; none where it is not there. A link on the way is an error.
pub(super) fn walk(root: &Dir, names: &[String]) -> io::Result<Option<Dir>> {
    let mut dir = root.try_clone()?;
    for name in names {
        match unless_missing(dir.symlink_metadata(name))? {
            Some(metadata) if metadata.is_dir() => {}
            Some(metadata) if metadata.is_symlink() => {
                return Err(io::Error::other(format!("`{name}` is a link")));
            }
            _ => return Ok(None),
        }
        match unless_missing(dir.open_dir_nofollow(name))? {
            Some(below) => dir = below,
            None => return Ok(None),
        }
    }
    Ok(Some(dir))
}
