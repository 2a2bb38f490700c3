//! Running the built binary.

use std::path::Path;
use std::process::Command;

pub(crate) use theus_host::testing::cases::Ran;

/// Runs the binary in a folder.
pub(crate) fn run_in(folder: &Path, args: &[impl AsRef<str>]) -> Ran {
    run_with_stdin(folder, args, "")
}

/// The same with a standard input.
pub(crate) fn run_with_stdin(folder: &Path, args: &[impl AsRef<str>], stdin: &str) -> Ran {
    let mut command = host();
    command
        .args(args.iter().map(AsRef::as_ref))
        .current_dir(folder);
    Ran::of(&mut command, stdin).expect("the binary runs, and no signal ends it")
}

/// The binary, with nothing of the caller's environment that changes what it prints.
pub(crate) fn host() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_theus-host"));
    command
        // Its cache of compiled code is the tests' own.
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        )
        .env_remove("CLICOLOR_FORCE")
        .env_remove("RUST_LOG");
    command
}
