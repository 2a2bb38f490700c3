//! Every command that the README shows is run, and prints what the README shows.

use crate::harness::binary::run_in;
use crate::harness::cases::split;
use crate::harness::root;
use crate::harness::text::normalized;
use std::fs;

const HOST: &str = "cargo run --release -- ";

/// A command and what the README shows below it.
struct Shown {
    command: String,
    output: String,
}

/// The lines of fenced blocks that begin with `$ `, each with the lines up to the next one.
fn shown(readme: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut fenced = false;
    let mut open = false;
    for line in readme.lines() {
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
fn is_shown(stdout: &str, stderr: &str, shown: &str) -> bool {
    let [stdout, stderr, shown] = [stdout, stderr, shown].map(normalized);
    if stdout.is_empty() {
        !shown.is_empty() && format!("\n{stderr}").ends_with(&format!("\n{shown}"))
    } else {
        stdout == shown
    }
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let (of_the_host, others): (Vec<_>, Vec<_>) = shown(&readme)
        .into_iter()
        .partition(|shown| shown.command.starts_with(HOST));
    assert!(of_the_host.len() >= 5, "the walk-through is gone");
    let folder = tempfile::tempdir().expect("a folder");
    // The walk-through's state begins anew each time.
    let state = folder.path().join("state").display().to_string();
    for Shown { command, output } in of_the_host {
        let line = command.trim_start_matches(HOST);
        let mut words = split(line).expect("words");
        for at in 1..words.len() {
            if words[at - 1] == "--state" {
                words[at].clone_from(&state);
            }
        }
        let ran = run_in(root(), &words);
        assert!(
            is_shown(&ran.stdout, &ran.stderr, &output),
            "$ {command}\nthe README shows\n{}\nit printed\n{}\nand told\n{}",
            normalized(&output),
            normalized(&ran.stdout),
            normalized(&ran.stderr)
        );
        // A failure that is shown names the exit code that it has.
        let code = format!("exit code {})", ran.code);
        assert!(ran.code == 0 || output.contains(&code), "{command}: {code}");
    }
    // The one that runs this test; a new command of another kind needs somebody to run it.
    let others: Vec<_> = others.iter().map(|shown| shown.command.as_str()).collect();
    assert_eq!(others, ["cargo test --workspace"]);
}

/// The first command runs a guest's folder, and the walk-through has the seed's chapter in it.
#[test]
fn the_walk_through_is_the_chapters() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let commands: Vec<String> = shown(&readme)
        .into_iter()
        .map(|shown| shown.command)
        .collect();
    assert_eq!(
        commands[0],
        "cargo run --release -- run guests/warehouse add_product product_name=TV price=500 --context \
         guests/warehouse/context.yaml"
    );
    for part in [
        "product_name=Iphone price=1000",
        "price=-5",
        "--steps",
        "--audit",
        "inspect",
    ] {
        assert!(
            commands.iter().any(|command| command.contains(part)),
            "{part}"
        );
    }
    for part in [
        "Failed: price cannot be negative",
        "sig_restock_needed  false -> true",
    ] {
        assert!(readme.contains(part), "{part}");
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
