//! Processes that reach outside the context, or try to. The integration tests run them.
//!
//! Each process of a kind has a twin whose contract asks for nothing: it must not see what the other one sees.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::BuildHasher as _;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use theus_guest::prelude::*;

/// The time, in nanoseconds since 1970.
#[process(outputs = ["domain.seen"], side_effects = ["clock"])]
pub fn time(ctx: &Context) -> Result<u64, Failure> {
    let now = nanos();
    ctx.set("domain.seen", &now)?;
    Ok(now)
}

/// The same without asking for the clock.
#[process]
pub fn time_unasked(_ctx: &Context) -> Result<u64, Failure> {
    Ok(nanos())
}

/// The nanoseconds that pass while it waits for an hour.
#[process(side_effects = ["clock"])]
pub fn wait(_ctx: &Context) -> Result<Vec<u64>, Failure> {
    let before = nanos();
    let again = nanos();
    thread::sleep(Duration::from_secs(3600));
    Ok(vec![again - before, nanos() - before])
}

/// Two random numbers.
#[process(outputs = ["domain.seen"], side_effects = ["random"])]
pub fn random(ctx: &Context) -> Result<Vec<u64>, Failure> {
    let numbers = numbers();
    ctx.set("domain.seen", &numbers)?;
    Ok(numbers)
}

/// The same without asking for randomness.
#[process]
pub fn random_unasked(_ctx: &Context) -> Result<Vec<u64>, Failure> {
    Ok(numbers())
}

/// The text of a file.
#[process(side_effects = ["fs:data"], errors = ["Io"])]
pub fn read(_ctx: &Context, path: String) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(failure)
}

/// The text of a file that its directory's owner changes at every read.
#[process(side_effects = ["fs:data"], errors = ["Io"])]
pub fn read_changing(_ctx: &Context) -> Result<String, Failure> {
    fs::read_to_string("/data/uuid").map_err(failure)
}

/// The same without asking for the directory.
#[process(errors = ["Io"])]
pub fn read_unasked(_ctx: &Context, path: String) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(failure)
}

/// A piece from the middle of a file.
#[process(side_effects = ["fs:data"], errors = ["Io"])]
pub fn read_piece(_ctx: &Context, path: String, from: u64, len: u64) -> Result<String, Failure> {
    let mut file = File::open(path).map_err(failure)?;
    file.seek(SeekFrom::Start(from)).map_err(failure)?;
    let mut text = String::new();
    file.take(len).read_to_string(&mut text).map_err(failure)?;
    Ok(text)
}

/// The names in a directory, as it lists them.
#[process(side_effects = ["fs:data"], errors = ["Io"])]
pub fn list(_ctx: &Context, path: String) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(path).map_err(failure)?;
    let names: io::Result<Vec<_>> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.map_err(failure)
}

/// What is known of a file: its size, and the second of its last change.
#[process(side_effects = ["fs:data"], errors = ["Io"])]
pub fn stat(_ctx: &Context, path: String) -> Result<Vec<u64>, Failure> {
    let metadata = fs::metadata(path).map_err(failure)?;
    let changed = metadata.modified().map_err(failure)?;
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(vec![metadata.len(), changed.as_secs()])
}

/// Where a link leads.
#[process(side_effects = ["fs:data"], errors = ["Io"])]
pub fn follow_link(_ctx: &Context, path: String) -> Result<String, Failure> {
    let target = fs::read_link(path).map_err(failure)?;
    Ok(target.to_string_lossy().into_owned())
}

/// Tries every way there is to change a directory; what each of them said.
#[process(side_effects = ["fs:data"])]
pub fn change(_ctx: &Context, path: String) -> Result<Vec<String>, Failure> {
    let file = format!("{path}/file");
    let new = format!("{path}/new");
    let tried = [
        fs::write(&file, "changed"),
        fs::write(&new, "made"),
        OpenOptions::new().append(true).open(&file).map(drop),
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&file)
            .map(drop),
        File::create_new(&new).map(drop),
        fs::create_dir(&new),
        fs::remove_file(&file),
        fs::remove_dir(format!("{path}/folder")),
        fs::rename(&file, &new),
        fs::hard_link(&file, &new),
        File::open(&file).and_then(|file| file.set_len(0)),
        File::open(&file).and_then(|file| file.set_modified(UNIX_EPOCH)),
    ];
    let said = tried.into_iter().map(|result| match result {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    });
    Ok(said.collect())
}

/// Opens a file again and again, and closes none; how often it could.
#[process(side_effects = ["fs:data"])]
pub fn hoard(_ctx: &Context, path: String) -> Result<u64, Failure> {
    let mut files = Vec::new();
    while let Ok(file) = File::open(&path) {
        files.push(file);
    }
    Ok(files.len() as u64)
}

/// Reads a file again and again, and never ends.
#[process(side_effects = ["fs:data"])]
pub fn flood(_ctx: &Context, path: String) -> Result<(), Failure> {
    loop {
        // What it says is of no interest.
        let _ = fs::read(&path);
    }
}

fn nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// The standard library draws its keys from the system.
fn numbers() -> Vec<u64> {
    let keys = RandomState::new();
    vec![keys.hash_one(1), keys.hash_one(2)]
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failure(error: io::Error) -> Failure {
    Failure::new("Io", format!("{:?}", error.kind()))
}
