//! Running a program to its end, with everything that it prints.

use serde_json::Value as Json;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// What a program printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it printed as its results.
    pub stdout: String,
    /// What else it printed.
    pub stderr: String,
}

impl Ran {
    /// Runs a command with a standard input.
    ///
    /// # Errors
    ///
    /// It does not start, a signal ends it, or it prints what is not UTF-8.
    pub fn of(command: &mut Command, stdin: &str) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // Whoever does not read its input ends before it is written: that is no failure of ours.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        let output = child.wait_with_output()?;
        let text = |bytes| String::from_utf8(bytes).map_err(io::Error::other);
        let code = output.status.code();
        Ok(Self {
            code: code.ok_or_else(|| io::Error::other(output.status.to_string()))?,
            stdout: text(output.stdout)?,
            stderr: text(output.stderr)?,
        })
    }

    /// The one JSON object on the standard output.
    ///
    /// # Panics
    ///
    /// There is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
