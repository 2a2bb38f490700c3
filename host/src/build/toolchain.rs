//! The Rust toolchain of a folder: cargo, and the wasm target that may have to be added first.

use super::{BuildError, Target, command_line};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The programs that a build starts.
pub(super) struct Tools {
    pub(super) cargo: OsString,
    pub(super) rustc: OsString,
    pub(super) rustup: OsString,
}

/// Settings of an outer cargo or shell that would replace the build's own.
const OVERRIDING: [&str; 6] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
];
const OVERRIDING_PREFIX: &str = "CARGO_PROFILE_RELEASE_";

impl Default for Tools {
    fn default() -> Self {
        // The proxies on the PATH honour the folder's toolchain file; `RUSTC`, where set, is what cargo will use too.
        Self {
            cargo: "cargo".into(),
            rustc: std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
            rustup: "rustup".into(),
        }
    }
}

impl Tools {
    /// A cargo command in the folder, free of settings that would replace the build's own.
    pub(super) fn cargo(&self, folder: &Path) -> Command {
        let mut cargo = command(&self.cargo, folder);
        for name in OVERRIDING {
            cargo.env_remove(name);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(OVERRIDING_PREFIX) {
                cargo.env_remove(name);
            }
        }
        cargo
    }

    /// Whether the folder's toolchain holds the standard library of a target.
    pub(super) fn has_target(&self, folder: &Path, target: Target) -> Result<bool, BuildError> {
        let mut rustc = command(&self.rustc, folder);
        rustc.args(["--print", "target-libdir", "--target", target.name()]);
        let output = checked_output(&mut rustc)?;
        let libdir = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let Ok(entries) = libdir.read_dir() else {
            return Ok(false);
        };
        Ok(entries.filter_map(Result::ok).any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        }))
    }

    /// Asks rustup for a target, for the folder's toolchain.
    pub(super) fn add_target(&self, folder: &Path, target: Target) -> Result<(), BuildError> {
        let missing = |detail: String| BuildError::TargetMissing { target, detail };
        let mut rustup = command(&self.rustup, folder);
        rustup.args(["target", "add", target.name()]);
        let output = rustup
            .output()
            .map_err(|error| missing(format!("`rustup` cannot be started: {error}")))?;
        if !output.status.success() {
            return Err(missing(last_words(&output)));
        }
        if !self.has_target(folder, target)? {
            return Err(missing(
                "it reported success, but `rustc` is of another toolchain".into(),
            ));
        }
        Ok(())
    }
}

fn command(program: &OsStr, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command and takes what it prints; only a program that cannot be started is an error.
pub(super) fn output(command: &mut Command) -> Result<Output, BuildError> {
    command.output().map_err(|source| BuildError::ToolMissing {
        tool: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

/// The same, and a command that fails is an error too.
pub(super) fn checked_output(command: &mut Command) -> Result<Output, BuildError> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(output);
    }
    Err(BuildError::ToolFailed {
        command: command_line(command),
        detail: last_words(&output),
    })
}

/// What a failed program printed, cut to the part that says why.
pub(super) fn last_words(output: &Output) -> String {
    const KEPT: usize = 4 * 1024;
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    if text.is_empty() {
        return output.status.to_string();
    }
    let start = text.floor_char_boundary(text.len().saturating_sub(KEPT));
    text[start..].to_owned()
}
