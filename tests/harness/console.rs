//! Commands in pages, and whether they print what the page shows.

use super::binary::run_in;
use super::cases::split;
use super::text::normalized;
use std::path::Path;

/// A command and what a page shows below it.
pub(crate) struct Shown {
    pub(crate) command: String,
    pub(crate) output: String,
}

impl Shown {
    /// The command prints what the page shows, and a failure names its exit code; `line` is the command without the name
    /// of the binary.
    #[track_caller]
    pub(crate) fn holds(&self, folder: &Path, line: &str) {
        let exit = self.prints(folder, line);
        let code = format!("exit code {exit})");
        assert!(
            exit == 0 || self.output.contains(&code),
            "{}: {code}",
            self.command
        );
    }

    /// The command prints what the page shows; its exit code.
    #[track_caller]
    pub(crate) fn prints(&self, folder: &Path, line: &str) -> i32 {
        let Self { command, output } = self;
        let ran = run_in(folder, &split(line).expect("words"));
        assert!(
            is_shown(&ran.stdout, &ran.stderr, output),
            "$ {command}\nthe page shows\n{}\nit printed\n{}\nand told\n{}",
            normalized(output),
            normalized(&ran.stdout),
            normalized(&ran.stderr)
        );
        ran.code
    }
}

/// The lines of fenced blocks that begin with `$ `, each with the lines up to the next one.
pub(crate) fn shown(page: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut fenced = false;
    let mut open = false;
    for line in page.lines() {
        if line.starts_with("```") {
            (fenced, open) = (!fenced, false);
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| fenced) {
            open = true;
            all.push(Shown {
                command: command.to_owned(),
                output: String::new(),
            });
        } else if let Some(last) = all.last_mut().filter(|_| open) {
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    all
}

/// What a command printed is what is shown: all of its results or, where it has none, the end of what it told.
///
/// What stands before the end on the standard error is cargo's, and the contract that was accepted.
pub(crate) fn is_shown(stdout: &str, stderr: &str, shown: &str) -> bool {
    let [stdout, stderr, shown] = [stdout, stderr, shown].map(normalized);
    if stdout.is_empty() {
        !shown.is_empty() && format!("\n{stderr}").ends_with(&format!("\n{shown}"))
    } else {
        stdout == shown
    }
}

#[test]
fn commands_are_found_in_fences_only() {
    let found =
        shown("$ no\n```console\n$ a b\none\n\ntwo\n$ c\n```\nthree\n```rust\nlet x;\n```\n");
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.command.as_str(), it.output.as_str()))
        .collect();
    assert_eq!(found, [("a b", "one\n\ntwo\n"), ("c", "")]);
    assert!(is_shown("a\nb\n", "x\n", "a\nb\n") && !is_shown("a\nb\n", "", "b\n"));
    assert!(is_shown("", "x\na\n", "a\n") && !is_shown("", "xa\n", "a\n"));
    assert!(!is_shown("", "a\n", ""));
}
