//! `theus-host watch`: runs again on change, and ends the run before it first. Nothing here waits by the clock alone.

use crate::harness::binary::host;
use crate::harness::guests::{self, alone};
use crate::harness::root;
use crate::harness::wat::{
    contract_section, core_module, core_module_that_returns, core_module_with,
};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Long enough that nothing reaches it on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A watcher and everything that it and its runs print, line by line.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(folder: &Path, line: &str) -> Self {
        Self::of(host().current_dir(folder), line)
    }

    fn of(host: &mut Command, line: &str) -> Self {
        // One pipe for both streams: lines come in the order in which they were written.
        let (pipe, both) = std::io::pipe().expect("a pipe");
        let child = host
            .arg("watch")
            .args(line.split(' '))
            .stdin(Stdio::null())
            .stdout(both.try_clone().expect("a pipe has copies"))
            .stderr(both)
            .spawn()
            .expect("the binary starts");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line that begins like this.
    #[track_caller]
    fn prints(&self, beginning: &str) {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.starts_with(beginning) => return,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{error}: no line `{beginning}`, but {seen:#?}"),
            }
        }
    }

    /// The same, where no other change may be told of before.
    #[track_caller]
    fn prints_next(&self, beginning: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.starts_with(beginning) => return,
                Ok(line) if line.ends_with("running again") => panic!("{line}"),
                Ok(_) => {}
                Err(error) => panic!("{error}: no line `{beginning}`"),
            }
        }
    }

    /// The processes that it has started and that are still there.
    fn runs(&self) -> Vec<String> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.expect("the watcher is there");
        children.split_whitespace().map(str::to_owned).collect()
    }

    /// Ends it as an operator does.
    fn terminate(mut self) -> i32 {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it is there");
        let code = self.child.wait().expect("it ends").code();
        code.expect("it exits, no signal ends it")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Where a test has failed it is still there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn work() -> String {
    contract_section(r#"{"name":"work","inputs":["domain.a"]}"#)
}

/// A guest that runs until its time is up.
fn endless() -> Vec<u8> {
    core_module_with("(loop $again (br $again)) (i32.const 1024)", &work())
}

/// Puts a file in its place as editors do.
fn put(file: &Path, bytes: &[u8]) {
    let beside = file.with_extension("new");
    fs::write(&beside, bytes).expect("writable");
    fs::rename(&beside, file).expect("writable");
}

#[test]
fn a_change_of_the_guest_or_of_a_file_runs_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let guest = folder.path().join("guest.wasm");
    fs::write(&guest, core_module(&work())).expect("writable");
    fs::write(folder.path().join("context.yaml"), "domain: {}").expect("writable");
    let watching = Watching::start(folder.path(), "guest.wasm --context context.yaml");
    watching.prints("result: null");
    // A file in its place, written over, is one change; a new file with its name is another; and so is what it reads.
    fs::write(&guest, core_module_that_returns(0x05, &work())).expect("writable");
    watching.prints("guest.wasm changed, running again");
    watching.prints("result: 5");
    put(&guest, &core_module_that_returns(0x06, &work()));
    watching.prints("result: 6");
    put(&folder.path().join("context.yaml"), b"domain: { a: [ }");
    watching.prints("context.yaml changed, running again");
    watching.prints("Failed: ");
    // What a run does not read is no change: the next one is told of first.
    fs::write(folder.path().join("other.yaml"), "x").expect("writable");
    put(&folder.path().join("context.yaml"), b"domain: {}");
    watching.prints("context.yaml changed, running again");
    watching.prints("result: 6");
    assert_eq!(watching.terminate(), 0);
}

#[test]
fn the_run_before_is_ended_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let guest = folder.path().join("guest.wasm");
    fs::write(&guest, endless()).expect("writable");
    let watching = Watching::start(
        folder.path(),
        "guest.wasm --timeout 60m --fuel 10000000000000000",
    );
    watching.prints("contract of work, accepted as declared");
    let before = watching.runs();
    assert_eq!(before.len(), 1, "{before:?}");
    put(&guest, &core_module_that_returns(0x05, &work()));
    watching.prints("result: 5");
    assert!(
        !watching.runs().contains(&before[0]),
        "the run is still there"
    );
    // The end of the watcher is the end of its run as well.
    put(&guest, &endless());
    watching.prints("contract of work, accepted as declared");
    let last = watching.runs();
    assert_eq!(last.len(), 1, "{last:?}");
    assert_eq!(watching.terminate(), 0);
    assert!(
        !Path::new("/proc").join(&last[0]).exists(),
        "the run outlives the watcher"
    );
}

/// A guest's folder is built again, and what building writes there is no change of it.
#[test]
fn a_folder_is_built_again() {
    let _alone = alone("init");
    let folder = tempfile::tempdir().expect("a folder");
    let sdk = root().join("guest-sdk/rust").display().to_string();
    let mut init = host();
    init.args(["init", "watched", "--sdk", &sdk])
        .current_dir(folder.path());
    assert!(init.output().expect("it runs").status.success());
    let project = folder.path().join("watched");
    let mut host = host();
    host.current_dir(&project)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", guests::tmp().join("init"));
    let watching = Watching::of(&mut host, ". by=2 --out result.txt --state kept");
    let source = project.join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("the source");
    // The state lies in the folder as well: the run's own commit is no change.
    watching.prints("journal: record 1,");
    fs::write(&source, text.replace("Ok(sum)", "Ok(sum")).expect("writable");
    watching.prints_next("src/lib.rs changed, running again");
    watching.prints("Failed: cargo did not build the package `watched`");
    fs::write(&source, text.replace("Ok(sum)", "Ok(sum + 1)")).expect("writable");
    // The result's own file lies in the folder, and is no change either: the next thing told is the change of the source.
    watching.prints_next("src/lib.rs changed, running again");
    watching.prints("contract of count, accepted as declared");
    fs::create_dir(project.join("more")).expect("writable");
    watching.prints("more changed, running again");
    watching.prints("contract of count, accepted as declared");
    fs::write(project.join("more/data.txt"), "x").expect("writable");
    watching.prints("more/data.txt changed, running again");
    assert_eq!(watching.terminate(), 0);
}
