//! The guide of the AssemblyScript SDK: its guest is made as it says, its commands are run, its examples compile.

use crate::harness::binary::{Ran, run_in};
use crate::harness::cases::split;
use crate::harness::console::{Shown, is_shown, shown};
use crate::harness::root;
use crate::readme::HOST;
use std::fs;
use std::path::Path;
use std::process::Command;
use theus_host::build::{Build, BuildError, Diagnostics};

fn guide() -> String {
    fs::read_to_string(root().join("guest-sdk/assemblyscript/README.md")).expect("the guide")
}

/// The fenced blocks of a language.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    guide
        .split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// The guide's guest, without what npm makes of it.
fn write_guest(folder: &Path, guide: &str) {
    let [manifest, config] = blocks(guide, "json").try_into().expect("two files in JSON");
    let [context] = blocks(guide, "yaml").try_into().expect("one context");
    let sdk = root().join("guest-sdk/assemblyscript");
    let linked = manifest.replace(
        "../theus-host/guest-sdk/assemblyscript",
        &sdk.display().to_string(),
    );
    assert_ne!(linked, manifest, "the guide names the SDK otherwise");
    fs::create_dir(folder.join("assembly")).expect("it is writable");
    for (file, text) in [
        ("package.json", linked),
        ("asconfig.json", config),
        ("context.yaml", context),
        ("assembly/index.ts", blocks(guide, "ts").remove(0)),
    ] {
        fs::write(folder.join(file), text).expect("it is writable");
    }
}

/// A command of Node's.
fn run_tool(folder: &Path, words: &[String]) -> Ran {
    let output = Command::new(&words[0])
        .args(&words[1..])
        // What npm has fetched for the guests is enough for this one.
        .env("npm_config_prefer_offline", "true")
        .env("npm_config_ignore_scripts", "true")
        .current_dir(folder)
        .output()
        .expect("it starts: the AssemblyScript parts need Node >= 20");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Ran {
        code: output.status.code().expect("it exits"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn the_guide_s_guest_is_made_and_run_as_it_says() {
    let guide = guide();
    let folder = tempfile::tempdir().expect("a folder");
    write_guest(folder.path(), &guide);
    let commands = shown(&guide);
    assert!(commands.len() >= 5, "the commands are gone");
    for Shown { command, output } in commands {
        let words = split(&command).expect("words");
        let ran = if let Some(line) = command.strip_prefix(HOST) {
            run_in(root(), &split(line).expect("words"))
        } else if words[0] == "theus-host" {
            run_in(folder.path(), &words[1..])
        } else {
            run_tool(folder.path(), &words)
        };
        let fits = if output.is_empty() {
            ran.code == 0
        } else {
            is_shown(&ran.stdout, &ran.stderr, &output)
        };
        assert!(
            fits,
            "$ {command}\nthe guide shows\n{output}\nthis ran\n{ran:?}"
        );
    }
    every_example_compiles(folder.path(), &guide);
    mistakes_come_through(folder.path());
}

/// All examples as one module: no two of them may have a process of the same name.
fn every_example_compiles(folder: &Path, guide: &str) {
    let examples = blocks(guide, "ts");
    assert!(examples.len() >= 3, "the examples are gone");
    let mut words = vec!["npx".to_owned(), "asc".to_owned(), "--noEmit".to_owned()];
    for (number, example) in examples.iter().enumerate().skip(1) {
        let file = format!("assembly/example{number}.ts");
        fs::write(folder.join(&file), example).expect("it is writable");
        words.push(file);
    }
    let ran = run_tool(folder, &words);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A mistake in the source is in the error of a build that shows nothing, with its place.
fn mistakes_come_through(folder: &Path) {
    let file = folder.join("assembly/index.ts");
    let text = fs::read_to_string(&file).expect("the source");
    fs::write(&file, text.replace("[\"domain.items\"]", "[\"items\"]")).expect("it is writable");
    let error = Build::new(folder)
        .diagnostics(Diagnostics::Hide)
        .run()
        .expect_err("a mistake");
    assert!(matches!(error, BuildError::NotCompiled { .. }), "{error}");
    let told = error.to_string();
    for part in [
        "`shop`",
        "`items` is not a contract path",
        "in assembly/index.ts(14,12)",
    ] {
        assert!(told.contains(part), "{told} lacks {part}");
    }
    // What stands in the guide is what the compiler prints.
    let guide = guide();
    let [printed] = blocks(&guide, "text").try_into().expect("one diagnostic");
    assert!(told.contains(printed.trim()), "{told}");
}
