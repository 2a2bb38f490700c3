//! Does to the files of a directory what it is told, and says what came of it. The integration tests run it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::time::UNIX_EPOCH;
use theus_guest::prelude::*;

/// Takes the steps one by one, in a directory that was granted for writing.
#[process(
    inputs = ["domain.told"],
    outputs = ["domain.told", "domain.sig_told"],
    side_effects = ["fs-rw:data"],
    errors = ["Stop"],
)]
pub fn work(ctx: &Context, steps: Vec<Vec<String>>) -> Result<Vec<String>, Failure> {
    let told: u64 = ctx.get("domain.told")?.unwrap_or(0);
    ctx.set("domain.told", &(told + 1))?;
    ctx.set("domain.sig_told", &true)?;
    take(&steps)
}

/// The same, but writes nothing into the context.
#[process(side_effects = ["fs-rw:data"], errors = ["Stop"])]
pub fn work_on_files(_ctx: &Context, steps: Vec<Vec<String>>) -> Result<Vec<String>, Failure> {
    take(&steps)
}

/// The same, where the directory was asked for to be read.
#[process(side_effects = ["fs:data"], errors = ["Stop"])]
pub fn look(_ctx: &Context, steps: Vec<Vec<String>>) -> Result<Vec<String>, Failure> {
    take(&steps)
}

/// The same, where no directory was asked for.
#[process(errors = ["Stop"])]
pub fn work_unasked(_ctx: &Context, steps: Vec<Vec<String>>) -> Result<Vec<String>, Failure> {
    take(&steps)
}

/// Makes files without end.
#[process(side_effects = ["fs-rw:data"])]
pub fn flood(_ctx: &Context) -> Result<(), Failure> {
    for number in 0_u64.. {
        // What it says is of no interest.
        let _ = fs::write(format!("/data/flood-{number}"), "x");
    }
    Ok(())
}

/// Makes a file as long as it may become.
#[process(side_effects = ["fs-rw:data"])]
pub fn fill(_ctx: &Context) -> Result<(), Failure> {
    let Ok(mut file) = File::create("/data/filled") else {
        return Ok(());
    };
    while file.write_all(&[b'x'; 16 * 1024]).is_ok() {}
    Ok(())
}

fn take(steps: &[Vec<String>]) -> Result<Vec<String>, Failure> {
    let mut said = Vec::with_capacity(steps.len());
    for step in steps {
        let step: Vec<&str> = step.iter().map(String::as_str).collect();
        said.push(match step[..] {
            ["fail"] => return Err(Failure::new("Stop", "told to")),
            ["panic"] => panic!("told to"),
            ["spin"] => loop {
                std::hint::spin_loop();
            },
            _ => match take_one(&step) {
                Ok(text) => text,
                Err(error) => format!("{:?}", error.kind()),
            },
        });
    }
    Ok(said)
}

fn take_one(step: &[&str]) -> io::Result<String> {
    let number = |text: &str| text.parse::<u64>().map_err(io::Error::other);
    match *step {
        ["write", path, text] => fs::write(path, text)?,
        ["new", path, text] => File::create_new(path)?.write_all(text.as_bytes())?,
        ["append", path, text] => {
            let mut file = OpenOptions::new().append(true).create(true).open(path)?;
            file.write_all(text.as_bytes())?;
        }
        ["patch", path, at, text] => {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.seek(SeekFrom::Start(number(at)?))?;
            file.write_all(text.as_bytes())?;
        }
        ["size", path, size] => {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            file.set_len(number(size)?)?;
        }
        ["read", path] => return fs::read_to_string(path),
        ["list", path] => {
            let mut names = Vec::new();
            for entry in fs::read_dir(path)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            return Ok(names.join(" "));
        }
        ["stat", path] => {
            let metadata = fs::symlink_metadata(path)?;
            let kind = if metadata.is_dir() {
                "directory"
            } else {
                "file"
            };
            let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
            let changed = changed.unwrap_or_default().as_secs();
            return Ok(format!("{kind} {} {changed}", metadata.len()));
        }
        ["remove", path] => fs::remove_file(path)?,
        ["make", path] => fs::create_dir(path)?,
        ["unmake", path] => fs::remove_dir(path)?,
        ["rename", from, to] => fs::rename(from, to)?,
        ["link", from, to] => fs::hard_link(from, to)?,
        ["touch", path] => OpenOptions::new()
            .write(true)
            .open(path)?
            .set_modified(UNIX_EPOCH)?,
        ["read-and-write", path, text] => {
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            let mut before = String::new();
            file.read_to_string(&mut before)?;
            file.write_all(text.as_bytes())?;
            file.seek(SeekFrom::Start(0))?;
            let mut after = String::new();
            file.read_to_string(&mut after)?;
            return Ok(after);
        }
        ["write-only", path] => {
            let mut text = String::new();
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.read_to_string(&mut text)?;
        }
        ["read-only", path] => File::open(path)?.write_all(b"x")?,
        _ => return Err(io::Error::other(format!("no such step: {step:?}"))),
    }
    Ok("done".to_owned())
}
