//! Running the built binary.

use serde_json::Value as Json;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run of the binary printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// What it printed as its results.
    pub(crate) stdout: String,
    /// What else it printed.
    pub(crate) stderr: String,
}

/// Runs the binary in a folder.
pub(crate) fn run_in(folder: &Path, args: &[impl AsRef<str>]) -> Ran {
    run_with_stdin(folder, args, "")
}

/// The same with a standard input.
pub(crate) fn run_with_stdin(folder: &Path, args: &[impl AsRef<str>], stdin: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_theus-host"))
        .args(args.iter().map(AsRef::as_ref))
        .current_dir(folder)
        // Its cache of compiled code is the tests' own, and nothing of the caller's environment changes what it prints.
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        )
        .env_remove("CLICOLOR_FORCE")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("it is piped");
    // Whoever does not read its input ends before it is written: that is no failure of the test.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Ran {
        code: output.status.code().expect("it exits, no signal ends it"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Ran {
    /// The one JSON object on the standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
