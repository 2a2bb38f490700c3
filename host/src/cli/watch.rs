//! `watch`: a run that begins again whenever something that it is made from changes.
//!
//! Each run is a process of its own, so that ending it ends everything of it: the guest, and a compiler that is at work.

use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::run::Run;
use super::usage::verb_index;
use clap::Args;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, SystemTime};
use theus_core::code::Code;

/// The flags and words of `watch`: those of `run`.
#[derive(Args, Debug)]
#[command(
    override_usage = "theus-host watch [OPTIONS] <TARGET> [PROCESS] [NAME=VALUE | NAME:=JSON]..."
)]
pub(super) struct Watch {
    #[command(flatten)]
    run: Run,
}

/// How long nothing may change until the next run begins: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// Folders that building fills, and that no guest is built from.
const NOT_SOURCE: [&str; 4] = ["target", ".git", ".theus", "node_modules"];

/// What the loop waits for.
enum News {
    Changed(Event),
    Blind(notify::Error),
    End,
}

/// The places that are watched.
struct Watched {
    watcher: RecommendedWatcher,
    /// Folders whose every file counts.
    folders: Vec<PathBuf>,
    /// Single files, watched through the folders that they lie in: editors put new ones in their place.
    files: Vec<PathBuf>,
    /// What a run writes itself: a file, or a folder with all in it.
    written: Vec<PathBuf>,
    /// What a file was when its last change was told of: one change may come as several events, some of them late.
    stamps: HashMap<PathBuf, Option<Stamp>>,
}

/// When a file was last written, and its size; enough to tell one change from the next.
type Stamp = (SystemTime, u64);

impl Watch {
    /// Runs, and runs again, until a signal ends it.
    pub(super) fn execute(
        &self,
        words: &[OsString],
        out: Option<&Path>,
        output: &Output,
    ) -> Result<u8, Failure> {
        if self.run.reads_stdin() {
            let problem =
                "the standard input can be read only once, and a watched run begins again";
            return Err(
                Failure::new(Code::CommandLine, problem).help("put the arguments into a file")
            );
        }
        let words = words_of_run(words)?;
        let (sender, news) = mpsc::channel();
        let mut written = self.run.written()?;
        written.extend(out.map(Path::to_owned));
        let mut watched = Watched::new(&sender, &written)?;
        for place in self.run.places()? {
            watched.add(&place)?;
        }
        on_signal(sender)?;
        loop {
            let mut running = Running::start(&words)?;
            let Some(changed) = watched.next_change(&news)? else {
                return Ok(exit::OK);
            };
            running.end();
            output.note(&format!("\n{} changed, running again\n", shown(&changed)));
            if watched.wait_for_quiet(&news)?.is_none() {
                return Ok(exit::OK);
            }
        }
    }
}

/// Lets a signal end the command from its own loop: the run that is under way is a group of processes that no signal of
/// the terminal reaches.
#[cfg(unix)]
fn on_signal(sender: Sender<News>) -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            // Where nobody listens any more the end has begun.
            let _ = sender.send(News::End);
        }
    });
    Ok(())
}

/// Elsewhere the run belongs to the same console, and ends with it.
#[cfg(not(unix))]
fn on_signal(_sender: Sender<News>) -> Result<(), Failure> {
    Ok(())
}

/// The command line of one run: the same words with the other verb.
fn words_of_run(words: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let verb = verb_index(words)
        .ok_or_else(|| Failure::new(Code::CommandLine, "the command line names no verb"))?;
    let mut words = words.to_vec();
    words[verb] = "run".into();
    Ok(words.split_off(1))
}

fn shown(file: &Path) -> String {
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| file.strip_prefix(here).ok());
    super::text::escape(&short.unwrap_or(file).display().to_string()).into_owned()
}

impl Watched {
    fn new(sender: &Sender<News>, written: &[PathBuf]) -> Result<Self, Failure> {
        let sender = sender.clone();
        // What is not there yet has no links to resolve.
        let place = |path: &PathBuf| path.canonicalize().or_else(|_| std::path::absolute(path));
        let written: Result<Vec<_>, _> = written.iter().map(place).collect();
        let tell = move |event: notify::Result<Event>| {
            let _ = sender.send(event.map_or_else(News::Blind, News::Changed));
        };
        Ok(Self {
            watcher: notify::recommended_watcher(tell).map_err(|error| blind(&error))?,
            folders: Vec::new(),
            files: Vec::new(),
            stamps: HashMap::new(),
            written: written.map_err(|error| Failure::new(Code::HostFailed, error))?,
        })
    }

    /// Watches a file, or a folder with everything in it that is source.
    fn add(&mut self, place: &Path) -> Result<(), Failure> {
        // Events name what they are about by the path that is watched: links are resolved first.
        let place = place
            .canonicalize()
            .map_err(|error| Failure::file("read", place, &error))?;
        if !place.is_dir() {
            let parent = place.parent().unwrap_or(&place).to_owned();
            self.files.push(place);
            return self.watch(&parent, RecursiveMode::NonRecursive);
        }
        self.watch(&place, RecursiveMode::NonRecursive)?;
        let entries = place
            .read_dir()
            .map_err(|error| Failure::file("read", &place, &error))?;
        for entry in entries {
            let path = entry
                .map_err(|error| Failure::file("read", &place, &error))?
                .path();
            if path.is_dir() && is_source(&place, &path) {
                self.watch(&path, RecursiveMode::Recursive)?;
            }
        }
        self.folders.push(place);
        Ok(())
    }

    fn watch(&mut self, place: &Path, mode: RecursiveMode) -> Result<(), Failure> {
        self.watcher
            .watch(place, mode)
            .map_err(|error| blind(&error))
    }

    /// The next file that changed and that a run is made from; none once a signal ends the command.
    fn next_change(&mut self, news: &Receiver<News>) -> Result<Option<PathBuf>, Failure> {
        loop {
            match news.recv() {
                Ok(News::Changed(event)) => {
                    if let Some(changed) = self.concerns(&event)? {
                        return Ok(Some(changed));
                    }
                }
                Ok(News::Blind(error)) => return Err(blind(&error)),
                Ok(News::End) | Err(_) => return Ok(None),
            }
        }
    }

    /// Waits until nothing has changed for a while; none once a signal ends the command.
    fn wait_for_quiet(&mut self, news: &Receiver<News>) -> Result<Option<()>, Failure> {
        while let Ok(next) = news.recv_timeout(QUIET) {
            match next {
                News::Changed(event) => drop(self.concerns(&event)?),
                News::Blind(error) => return Err(blind(&error)),
                News::End => return Ok(None),
            }
        }
        Ok(Some(()))
    }

    /// The file of an event that a run is made from. A new folder of sources is watched from here on.
    fn concerns(&mut self, event: &Event) -> Result<Option<PathBuf>, Failure> {
        if event.need_rescan() {
            // The system has lost count of what changed: anything may have.
            return Ok(self.folders.iter().chain(&self.files).next().cloned());
        }
        if !is_change(event.kind) {
            return Ok(None);
        }
        let mut concerned = None;
        for path in &event.paths {
            let folder = self.folders.iter().find(|folder| is_source(folder, path));
            if let Some(folder) = folder
                && path.parent() == Some(folder)
                && path.is_dir()
            {
                self.watcher
                    .watch(path, RecursiveMode::Recursive)
                    .map_err(|error| blind(&error))?;
            }
            let is_written = self.written.iter().any(|it| path.starts_with(it));
            let is_ours = !is_written && (folder.is_some() || self.files.contains(path));
            if is_ours && self.is_new(path) {
                concerned.get_or_insert_with(|| path.clone());
            }
        }
        Ok(concerned)
    }

    /// Whether a file is another one than when it was last told of.
    fn is_new(&mut self, file: &Path) -> bool {
        let now = stamp(file);
        let before = self.stamps.insert(file.to_owned(), now);
        before != Some(now)
    }
}

/// What a file is now; none where there is none.
fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = std::fs::symlink_metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Whether the content of something may be another one now; that a build reads a file is no change of it.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(what) => !matches!(what, ModifyKind::Metadata(_)),
        _ => false,
    }
}

/// Whether a path lies in a folder as source, and not as what a build writes there. Cargo writes its lock file itself.
fn is_source(folder: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(folder) else {
        return false;
    };
    let first = inside.iter().next();
    first.is_some_and(|first| {
        !NOT_SOURCE.iter().any(|it| first == *it) && inside != Path::new("Cargo.lock")
    })
}

fn blind(error: &notify::Error) -> Failure {
    Failure::new(
        Code::HostFailed,
        format!("cannot watch for changes: {error}"),
    )
}

/// A run that is under way or has ended.
struct Running {
    child: Child,
}

impl Running {
    fn start(words: &[OsString]) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::new(Code::HostFailed, format!("cannot start a run: {error}"))
        };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(words).stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(Self {
            child: command.spawn().map_err(failed)?,
        })
    }

    /// Ends it, with the compilers that it has started, and waits until it is gone.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        // Where the group is gone already so is the run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, CreateKind, DataChange, MetadataKind, RemoveKind, RenameMode};

    #[test]
    fn what_a_build_writes_is_no_source() {
        let folder = Path::new("/guest");
        for (path, expected) in [
            ("/guest/src/lib.rs", true),
            ("/guest/Cargo.toml", true),
            ("/guest/src/target/mod.rs", true),
            ("/guest/tests/cases/a/cmd", true),
            ("/guest/Cargo.lock", false),
            ("/guest/target/release/guest.wasm", false),
            ("/guest/.theus/sdk", false),
            ("/guest/.git/index", false),
            ("/guest", false),
            ("/guests/src/lib.rs", false),
        ] {
            assert_eq!(is_source(folder, Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn reading_is_no_change() {
        for (kind, expected) in [
            (EventKind::Create(CreateKind::File), true),
            (EventKind::Remove(RemoveKind::File), true),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), true),
            (EventKind::Modify(ModifyKind::Name(RenameMode::To)), true),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)),
                false,
            ),
            (EventKind::Access(AccessKind::Read), false),
            (EventKind::Other, false),
        ] {
            assert_eq!(is_change(kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_run_has_the_same_words() {
        let words = ["theus-host", "-o", "json", "watch", "x", "watch"].map(OsString::from);
        let run = words_of_run(&words).expect("a verb");
        assert_eq!(run, ["-o", "json", "run", "x", "watch"]);
    }
}
