//! Files that a command writes: whole, or not at all.

use super::failure::Failure;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Writes beside the file and renames: whatever happens, what was there or the new file is there, and whole.
pub(super) fn replace(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replaced(file, bytes).map_err(|error| Failure::file("write", file, &error))
}

fn replaced(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = fs::canonicalize(file).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(file.to_owned()),
        _ => Err(error),
    })?;
    let name = file
        .file_name()
        .ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    let beside = file.with_file_name(format!(
        ".{}.{}.new",
        name.to_string_lossy(),
        std::process::id()
    ));
    let mut new = File::create_new(&beside)?;
    let written = new
        .write_all(bytes)
        .and_then(|()| match fs::metadata(&file) {
            Ok(old) => new.set_permissions(old.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| new.sync_all())
        .and_then(|()| fs::rename(&beside, &file));
    if written.is_err() {
        // The first error is the one to tell of.
        let _ = fs::remove_file(&beside);
    }
    written
}
