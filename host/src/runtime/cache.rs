//! The cache of compiled code, and the one module that loads precompiled code.
//!
//! One file per component, compiler and settings. What is in the folder is trusted only as far as it can be checked: it
//! was written by this user alone, for this very key, and is whole. Everything else is dropped and compiled again; no
//! trouble with the cache ever fails a run.

use super::bulk;
use anyhow::{Context as _, anyhow, bail, ensure};
use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use sha2::{Digest, Sha256};
use std::hash::{BuildHasher as _, Hash as _, Hasher, RandomState};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;
use wasmtime::Engine;
use wasmtime::component::Component;

/// What every entry begins with: the name of the format, and its version.
const MAGIC: &[u8; 20] = b"theus-host code v01\n";
/// The SHA-256 of what an entry is for, or of its payload.
type Sum = [u8; 32];
/// Magic, key, sum of the payload.
const HEADER: usize = MAGIC.len() + 2 * size_of::<Sum>();
/// The end of an entry's name, behind the key in hexadecimal digits.
const ENTRY: &str = ".code";
/// The end of the name of an entry that is being written.
const UNFINISHED: &str = ".new";

/// A folder of compiled components.
pub(super) struct CodeCache {
    folder: Dir,
    // Of the compiler and of every setting that changes what it generates.
    compiler: Sum,
    caps: Caps,
}

/// How large the cache may become, in bytes.
struct Caps {
    entry: u64,
    total: u64,
}

impl CodeCache {
    /// Opens the cache in a folder, which is made where there is none.
    ///
    /// # Errors
    ///
    /// Why the folder is not to be used. It must be this user's own, no symbolic link, and no other user may write there.
    ///
    /// # Security
    ///
    /// Who can write into the folder can make the host run any machine code.
    pub(super) fn open(path: &Path, engine: &Engine) -> anyhow::Result<Self> {
        Ok(Self {
            folder: open_private(path)?,
            compiler: compiler(engine),
            caps: Caps {
                entry: 128 << 20,
                total: 256 << 20,
            },
        })
    }

    /// Loads the code of the component with this digest, if it is there.
    ///
    /// An entry that cannot be read whole, or fails a check, is dropped.
    pub(super) fn load(&self, engine: &Engine, digest: &Sum) -> Option<Component> {
        let key = self.key(digest);
        let loaded = self.read(&key).and_then(|entry| match entry {
            Some(entry) => deserialize(engine, payload(&entry, &key)?).map(Some),
            None => Ok(None),
        });
        loaded.unwrap_or_else(|error| {
            let entry = entry_name(&key);
            tracing::warn!(
                entry,
                "an entry of the compiled-code cache was dropped: {error:#}"
            );
            if let Err(error) = self.folder.remove_file(&entry) {
                tracing::warn!(entry, "and could not be deleted: {error}");
            }
            None
        })
    }

    /// Keeps the code of the component with this digest, and drops the oldest entries where there are too many.
    pub(super) fn store(&self, digest: &Sum, component: &Component) {
        let stored = component
            .serialize()
            .map_err(Into::into)
            .and_then(|code| self.write(&self.key(digest), &code))
            .and_then(|()| self.evict());
        if let Err(error) = stored {
            tracing::warn!("compiled code was not cached: {error:#}");
        }
    }

    fn key(&self, digest: &Sum) -> Sum {
        Sha256::new()
            .chain_update(MAGIC)
            .chain_update(self.compiler)
            .chain_update(digest)
            .finalize()
            .into()
    }

    /// Reads an entry, once: whatever happens to the file later, what was checked is what is loaded.
    fn read(&self, key: &Sum) -> anyhow::Result<Option<Vec<u8>>> {
        let mut options = OpenOptions::new();
        // A pipe in an entry's place must not block.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = match self.folder.open_with(entry_name(key), &options) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        ensure!(metadata.is_file(), "it is no file");
        check_private(&metadata)?;
        ensure!(metadata.len() <= self.caps.entry, "it is too large");
        let mut entry = Vec::with_capacity(usize::try_from(metadata.len())?);
        (&file).take(self.caps.entry).read_to_end(&mut entry)?;
        mark_used(file);
        Ok(Some(entry))
    }

    /// Writes an entry: other processes see all of it, or nothing.
    fn write(&self, key: &Sum, code: &[u8]) -> anyhow::Result<()> {
        let size = (HEADER + code.len()) as u64;
        if size > self.caps.entry {
            return Ok(());
        }
        let entry = entry_name(key);
        let unfinished = format!("{entry}.{:016x}{UNFINISHED}", random());
        let mut file = self.folder.open_with(&unfinished, &new_private())?;
        let written = file
            .write_all(&[&MAGIC[..], key, &Sha256::digest(code)].concat())
            .and_then(|()| file.write_all(code))
            .and_then(|()| self.folder.rename(&unfinished, &self.folder, &entry));
        if written.is_err() {
            // Should this fail as well, it is evicted as the oldest some day.
            let _ = self.folder.remove_file(&unfinished);
        }
        written.with_context(|| format!("{entry} could not be written"))
    }

    /// Deletes what was not used for longest, until what remains fits.
    fn evict(&self) -> anyhow::Result<()> {
        let mut entries = Vec::new();
        for entry in self.folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // Another process may just have deleted it.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if is_ours(&name) && !metadata.is_dir() {
                entries.push((metadata.modified()?.into_std(), metadata.len(), name));
            }
        }
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        entries.sort();
        for (_, size, name) in entries {
            if total <= self.caps.total {
                break;
            }
            match self.folder.remove_file(&name) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => total -= size,
            }
        }
        Ok(())
    }
}

/// Checks that an entry is whole and for this key; what is left is the code.
fn payload<'a>(entry: &'a [u8], key: &Sum) -> anyhow::Result<&'a [u8]> {
    let (magic, rest) = entry
        .split_first_chunk()
        .ok_or_else(|| anyhow!("it is cut"))?;
    ensure!(magic == MAGIC, "it is of another format");
    let (for_key, rest) = rest
        .split_first_chunk::<32>()
        .ok_or_else(|| anyhow!("it is cut"))?;
    ensure!(
        for_key == key,
        "it is for another component, compiler or settings"
    );
    let (sum, code) = rest
        .split_first_chunk::<32>()
        .ok_or_else(|| anyhow!("it is cut"))?;
    ensure!(sum[..] == Sha256::digest(code)[..], "it is damaged");
    Ok(code)
}

fn deserialize(engine: &Engine, code: &[u8]) -> anyhow::Result<Component> {
    // SAFETY: the code must come from `Component::serialize` under a compatible engine, unchanged. It does: `read` took it
    // from a file that only this user can write, in a folder that only this user can write (`check_private`), where this
    // module writes nothing else under such names. It was read into memory once, and checked there (`payload`): its key
    // covers wasmtime's version and every setting that changes code, as wasmtime itself hashes them; its sum covers every
    // byte. Someone with the same user id could forge all that, and is out of scope (SECURITY.md): they can as well
    // replace the host.
    #[allow(unsafe_code)]
    let component = unsafe { Component::deserialize(engine, code) };
    Ok(component?)
}

/// Sums up the compiler, its version, every setting that changes the code it generates, and how guests are changed before.
pub(super) fn compiler(engine: &Engine) -> Sum {
    struct Summing(Sha256);
    impl Hasher for Summing {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            unreachable!("the whole sum is taken instead")
        }
    }
    let mut sum = Summing(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sum);
    bulk::FORM.hash(&mut sum);
    sum.0.finalize().into()
}

/// Opens a folder that nobody else can write into, or makes it.
fn open_private(path: &Path) -> anyhow::Result<Dir> {
    let name = path
        .file_name()
        .ok_or_else(|| anyhow!("{} names no folder", path.display()))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_private(path).with_context(|| format!("{} could not be made", path.display()))?;
    // Opened by its name in its parent: a slash at the end of the path would follow a symbolic link.
    let folder = Dir::open_ambient_dir(parent, ambient_authority())
        .and_then(|parent| parent.open_dir_nofollow(name))
        .with_context(|| format!("{} could not be opened", path.display()))?;
    check_private(&folder.dir_metadata()?)
        .with_context(|| format!("{} is not to be trusted", path.display()))?;
    Ok(folder)
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(unix)]
fn new_private() -> OpenOptions {
    use cap_std::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

/// Checks that a file or folder is this user's own, and that no other user may write to it.
#[cfg(unix)]
fn check_private(metadata: &Metadata) -> anyhow::Result<()> {
    use cap_std::fs::MetadataExt as _;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        bail!("it belongs to user {owner}, not to user {user}");
    }
    let mode = metadata.mode() & 0o7777;
    ensure!(mode & 0o022 == 0, "others may write to it (mode {mode:o})");
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> std::io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn new_private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Who may write where is known on Unix only; elsewhere there is no cache.
#[cfg(not(unix))]
fn check_private(_: &Metadata) -> anyhow::Result<()> {
    bail!("whether others may write to it is not known on this system")
}

/// Makes an entry the last to be evicted.
fn mark_used(file: File) {
    // Where it cannot be, it is evicted by the time it was written.
    let _ = file.into_std().set_modified(SystemTime::now());
}

/// The name of a key's entry.
fn entry_name(key: &Sum) -> String {
    let digits = key.iter().map(|byte| format!("{byte:02x}"));
    digits.chain([ENTRY.to_owned()]).collect()
}

/// Whether a file's name is one that this module gives: others are left alone.
fn is_ours(name: &str) -> bool {
    let Some((key, rest)) = name.split_at_checked(64) else {
        return false;
    };
    key.bytes().all(|it| it.is_ascii_hexdigit())
        && (rest == ENTRY || rest.starts_with(ENTRY) && rest.ends_with(UNFINISHED))
}

/// A number that no other process draws as well.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(all(test, unix))]
mod tests;
