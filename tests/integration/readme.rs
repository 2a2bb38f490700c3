//! Every command that the README shows is run, and prints what the README shows.

use crate::harness::console::{Shown, shown};
use crate::harness::root;
use std::fs;

pub(crate) const HOST: &str = "cargo run --release -- ";

#[test]
fn every_command_prints_what_the_readme_shows() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let (of_the_host, others): (Vec<_>, Vec<_>) = shown(&readme)
        .into_iter()
        .partition(|shown| shown.command.starts_with(HOST));
    assert!(of_the_host.len() >= 5, "the walk-through is gone");
    let folder = tempfile::tempdir().expect("a folder");
    // The walk-through's state begins anew each time.
    let state = format!("--state {}", folder.path().join("state").display());
    for shown in of_the_host {
        let line = shown.command.trim_start_matches(HOST);
        shown.holds(root(), &line.replace("--state state", &state));
    }
    // The one that runs this test; a new command of another kind needs somebody to run it.
    let others: Vec<_> = others.iter().map(|shown| shown.command.as_str()).collect();
    assert_eq!(others, ["cargo test --workspace"]);
}

#[test]
fn every_command_prints_what_the_page_about_check_shows() {
    let page = fs::read_to_string(root().join("host/docs/check.md")).expect("check.md");
    let prints = |it: &Shown| it.prints(root(), it.command.trim_start_matches(HOST));
    let exits: Vec<i32> = shown(&page).iter().map(prints).collect();
    assert_eq!(exits, [0, 2]);
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
        "cargo run --release -- run guests/warehouse product_name=TV price=500"
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
