//! `theus-host init`: what it makes builds, passes its own cases, and overwrites nothing.

use crate::harness::binary::{Ran, host};
use crate::harness::console::shown;
use crate::harness::guests::alone;
use crate::harness::output_schema::misfits;
use crate::harness::{guests, root};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs the binary as somebody with no network, and with no checkout but what `init` wrote. npm may fetch its packages once.
fn run(folder: &Path, line: &str) -> Ran {
    let mut command = host();
    command
        .args(line.split(' '))
        .current_dir(folder)
        .env("CARGO_NET_OFFLINE", "true")
        .env("npm_config_prefer_offline", "true")
        .env("CARGO_TARGET_DIR", guests::tmp().join("init"));
    Ran::of(&mut command, "").expect("the binary runs")
}

#[test]
fn a_new_project_builds_and_passes_its_own_cases() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path().join("my-counter");
    let _alone = alone("init");
    // What an earlier run of this test has built is not there for a newcomer.
    let _ =
        fs::remove_file(guests::tmp().join("init/wasm32-unknown-unknown/release/my_counter.wasm"));
    makes_a_project(
        folder.path(),
        "rust",
        "this runs the build scripts of its author",
    );
    let fmt = Command::new("cargo")
        .args(["fmt", "--check"])
        .current_dir(&project)
        .output()
        .expect("cargo starts");
    assert!(
        fmt.status.success(),
        "{}",
        String::from_utf8_lossy(&fmt.stdout)
    );
}

#[test]
fn so_does_one_in_assemblyscript() {
    let folder = tempfile::tempdir().expect("a folder");
    makes_a_project(
        folder.path(),
        "assemblyscript",
        "this runs the compiler transforms of its author",
    );
}

/// Makes a project and types all that a newcomer is told to; `warning` is said by the first build and by no other.
fn makes_a_project(folder: &Path, lang: &str, warning: &str) {
    let made = run(folder, &format!("init my-counter --lang {lang}"));
    assert_eq!(made.code, 0, "{made:?}");
    let project = folder.join("my-counter");
    let mut first = true;
    // The README's commands and those that are printed are what a newcomer types.
    let readme = fs::read_to_string(project.join("README.md")).expect("README.md");
    let commands: Vec<_> = shown(&readme).into_iter().map(|it| it.command).collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    for command in commands {
        let line = command
            .strip_prefix("theus-host ")
            .expect("a command of the host");
        if line.starts_with("watch ") {
            // It ends when its operator ends it; its words are those of the `run` above.
            assert!(
                readme.contains(&line.replacen("watch", "$ theus-host run", 1)),
                "{line}"
            );
            continue;
        }
        let ran = run(&project, line);
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
        let told = ran.stderr.contains(warning);
        assert_eq!(told, std::mem::take(&mut first), "{command}: {ran:?}");
        if line.starts_with("test ") {
            assert!(ran.stdout.ends_with("2 passed, 0 failed\n"), "{ran:?}");
        } else if line.starts_with("run ") {
            assert!(made.stdout.contains(&command), "{made:?}");
            assert!(ran.stdout.contains("domain.counter  0 -> 2"), "{ran:?}");
        }
    }
    for line in page_commands() {
        let ran = run(&project, &line);
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
    }
    assert!(project.join("my-counter.wasm").is_file());
}

/// What the page about languages types in a new project, and ends by itself.
fn page_commands() -> Vec<String> {
    let page = fs::read_to_string(root().join("host/docs/languages.md")).expect("languages.md");
    let commands: Vec<String> = page
        .lines()
        .skip_while(|line| *line != "cd my-counter")
        .take_while(|line| !line.starts_with("```"))
        .filter_map(|line| line.strip_prefix("theus-host "))
        .filter(|line| !line.starts_with("watch "))
        .map(str::to_owned)
        .collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    commands
}

/// `--sdk` takes the SDK of a checkout, and writes none.
#[test]
fn an_sdk_that_is_there_already_is_used() {
    let _alone = alone("init");
    let folder = tempfile::tempdir().expect("a folder");
    let sdk = root().join("guest-sdk/rust");
    let line = format!("init counter --sdk {} -o json", sdk.display());
    let made = run(folder.path(), &line);
    let object = made.json();
    let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
    assert_eq!(misfits(&words, &object), [""; 0]);
    assert_eq!((made.code, object["sdk"].as_str()), (0, sdk.to_str()));
    assert!(!folder.path().join("counter/.theus").exists());
    let ran = run(folder.path(), "test counter");
    assert!(ran.stdout.ends_with("2 passed, 0 failed\n"), "{ran:?}");
    let sdk = root().join("guest-sdk/assemblyscript");
    let line = format!("init script --lang assemblyscript --sdk {}", sdk.display());
    assert_eq!(run(folder.path(), &line).code, 0);
    let ran = run(folder.path(), "test script");
    assert!(ran.stdout.ends_with("2 passed, 0 failed\n"), "{ran:?}");
    // A folder that is no SDK is told of before anything is made.
    for (line, code) in [
        ("init other --sdk /", "THEUS-U002"),
        (
            &*format!(
                "init other --sdk {} --lang assemblyscript",
                root().join("guests/warehouse-as").display()
            ),
            "THEUS-U001",
        ),
        (
            &*format!("init other --sdk {}", root().join("host").display()),
            "THEUS-U001",
        ),
    ] {
        let ran = run(folder.path(), &format!("{line} -o json"));
        assert_eq!(ran.json()["error"]["code"], code, "{line}");
    }
    assert!(!folder.path().join("other").exists());
}

#[test]
fn nothing_is_overwritten_and_nothing_lies_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("inside");
    fs::create_dir_all(inside.join("folder")).expect("writable");
    fs::write(inside.join("file"), "mine").expect("writable");
    std::os::unix::fs::symlink("../elsewhere", inside.join("link")).expect("writable");
    for (name, code) in [
        ("folder", "THEUS-U002"),
        ("file", "THEUS-U002"),
        ("link", "THEUS-U002"),
        ("..", "THEUS-U001"),
        ("../elsewhere", "THEUS-U001"),
        ("a/b", "THEUS-U001"),
        ("test", "THEUS-U001"),
        ("theus-guest", "THEUS-U001"),
    ] {
        let ran = run(&inside, &format!("init {name} -o json"));
        assert_eq!(
            (ran.code, &ran.json()["error"]["code"]),
            (2, &code.into()),
            "{name}"
        );
    }
    assert_eq!(fs::read(inside.join("file")).expect("it is there"), b"mine");
    let count = |folder: &Path| fs::read_dir(folder).expect("a folder").count();
    assert_eq!(
        (
            count(&inside),
            count(&inside.join("folder")),
            count(folder.path())
        ),
        (3, 0, 1)
    );
}
