//! Guests that no SDK made: `theus-host componentize`, and the page that shows a guest in C.

use crate::harness::binary::{Ran, run_in};
use crate::harness::cases::split;
use crate::harness::console::{Shown, shown};
use crate::harness::output_schema::misfits;
use crate::harness::root;
use serde_json::Value as Json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const HOST: &str = "theus-host ";
const CONTRACT: &str = "guests/counter-c/contract.yaml";

/// A folder that looks like the project's, but takes what is built.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("target")).expect("writable");
    std::os::unix::fs::symlink(root().join("guests"), folder.path().join("guests"))
        .expect("a link");
    folder
}

fn commands() -> Vec<Shown> {
    let page = root().join("host/docs/languages.md");
    shown(&fs::read_to_string(page).expect("languages.md"))
}

/// Builds the guest as the page says.
fn clang(folder: &Path, command: &str) -> Ran {
    let words = split(command).expect("words");
    let output = Command::new(&words[0])
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "the guest in C needs clang and lld (on Debian: apt-get install clang lld): {error}"
            )
        });
    Ran {
        code: output.status.code().expect("it exits"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The folder with the guest's core module in it.
fn built() -> TempDir {
    let folder = folder();
    let ran = clang(folder.path(), &commands()[0].command);
    assert_eq!(ran.code, 0, "{ran:?}");
    folder
}

fn host(folder: &Path, line: &str) -> Ran {
    run_in(folder, &split(line).expect("words"))
}

fn json(folder: &Path, line: &str) -> (i32, Json) {
    let words = split(&format!("{line} -o json")).expect("words");
    let ran = run_in(folder, &words);
    let object = ran.json();
    assert_eq!(misfits(&words, &object), [""; 0], "{line}");
    (ran.code, object)
}

#[test]
fn the_page_about_languages_does_what_it_shows() {
    let folder = folder();
    let commands = commands();
    let words: Vec<_> = commands
        .iter()
        .map(|it| it.command.split(' ').next())
        .collect();
    assert_eq!(
        words,
        ["clang", "theus-host", "theus-host", "theus-host"].map(Some)
    );
    for shown in commands {
        match shown.command.strip_prefix(HOST) {
            Some(line) => shown.holds(folder.path(), line),
            // A compiler that is content says nothing.
            None => assert_eq!(clang(folder.path(), &shown.command).code, 0),
        }
    }
}

/// The page's contract file is the guest's.
#[test]
fn the_page_shows_the_contract_of_the_guest() {
    let page = fs::read_to_string(root().join("host/docs/languages.md")).expect("the page");
    let contract = fs::read_to_string(root().join(CONTRACT)).expect("the contract");
    assert!(
        page.contains(&format!("```yaml\n{contract}```")),
        "{contract}"
    );
}

#[test]
fn a_guest_in_c_counts() {
    let folder = built();
    let line =
        format!("componentize target/counter.core.wasm --contract {CONTRACT} --out counter.wasm");
    let (code, object) = json(folder.path(), &line);
    assert_eq!(
        (code, &object["form"], &object["processes"][0]),
        (0, &"component".into(), &"count".into())
    );
    for (counter, by, expected) in [
        ("1", "2", "3"),
        ("-1", "-32", "-33"),
        ("127", "1", "128"),
        ("4294967296", "-4294967297", "-1"),
        ("-9223372036854775808", "9223372036854775807", "-1"),
        ("null", "1", "TypeError"),
        ("18446744073709551615", "1", "TypeError"),
        ("9223372036854775807", "1", "ValueError"),
    ] {
        let context = format!(r#"{{"domain": {{"counter": {counter}}}}}"#);
        fs::write(folder.path().join("context.json"), context).expect("writable");
        let line = format!("run counter.wasm by={by} --context context.json");
        let (code, object) = json(folder.path(), &line);
        let found = match code {
            0 => object["result"].to_string(),
            _ => object["error"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        };
        assert_eq!(found, expected, "{counter} + {by}: {object}");
    }
    // Nothing to begin with is nothing to add to.
    let (code, object) = json(folder.path(), "run counter.wasm by=200");
    assert_eq!((code, object["result"].as_i64()), (0, Some(200)));
    // What the host takes for an int and the guest cannot count with ends the run, with a place in its source.
    let (code, object) = json(folder.path(), "run counter.wasm by=18446744073709551615");
    assert_eq!(
        (code, object["error"]["code"].as_str()),
        (8, Some("THEUS-T002"))
    );
    assert!(
        object["error"]["message"].to_string().contains("counter.c"),
        "{object}"
    );
}

#[test]
fn the_same_module_and_contract_make_the_same_bytes() {
    let folder = built();
    let file = |name: &str| fs::read(folder.path().join(name)).expect(name);
    let line = |from: &str, out: &str| {
        let line = format!("componentize {from} --contract {CONTRACT} --out {out}");
        let ran = host(folder.path(), &line);
        assert_eq!(ran.code, 0, "{ran:?}");
    };
    line("target/counter.core.wasm", "one.wasm");
    line("target/counter.core.wasm", "two.wasm");
    assert_eq!(file("one.wasm"), file("two.wasm"));
    // A component that has the contract already stays as it is, with the file and without; also in its own place.
    line("one.wasm", "two.wasm");
    assert_eq!(file("one.wasm"), file("two.wasm"));
    let ran = host(folder.path(), "componentize two.wasm --out two.wasm");
    assert_eq!(
        (ran.code, file("two.wasm")),
        (0, file("one.wasm")),
        "{ran:?}"
    );
}

/// What is refused leaves what was there.
#[test]
fn a_refusal_writes_nothing() {
    let folder = built();
    let there = folder.path().join("out.wasm");
    fs::write(&there, "mine").expect("writable");
    fs::write(folder.path().join("other.yaml"), "name: other").expect("writable");
    fs::write(
        folder.path().join("lax.yaml"),
        "{ name: count, outputs: [global.max] }",
    )
    .expect("writable");
    let line =
        format!("componentize target/counter.core.wasm --contract {CONTRACT} --out full.wasm");
    assert_eq!(host(folder.path(), &line).code, 0);
    for (line, expected) in [
        ("target/counter.core.wasm --out out.wasm", "THEUS-C005"),
        (
            "target/counter.core.wasm --contract lax.yaml --out out.wasm",
            "THEUS-C007",
        ),
        (
            "full.wasm --contract other.yaml --out out.wasm",
            "THEUS-U014",
        ),
        ("no.wasm --out out.wasm", "THEUS-U002"),
        ("other.yaml --out out.wasm", "THEUS-U007"),
        ("full.wasm --out no/such/folder.wasm", "THEUS-U002"),
    ] {
        let (_, object) = json(folder.path(), &format!("componentize {line}"));
        assert_eq!(object["error"]["code"], expected, "{line}: {object}");
        assert_eq!(fs::read(&there).expect("it is there"), b"mine", "{line}");
    }
    let names = fs::read_dir(folder.path()).expect("the folder");
    let strays: Vec<_> = names
        .map(|it| it.expect("an entry").file_name())
        .filter(|it| it.to_string_lossy().ends_with(".new"))
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
}
