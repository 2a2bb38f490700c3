//! The `theus-host` command.

mod cli;

fn main() -> std::process::ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    cli::main(&words).into()
}
