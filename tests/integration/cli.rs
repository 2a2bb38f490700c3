//! The binary, where a test has to make the files first. Everything else is data in `tests/cases`.

use crate::harness::binary::{Ran, run_in, run_with_stdin};
use crate::harness::cases::exit_code;
use crate::harness::guests;
use crate::harness::output_schema::misfits;
use crate::harness::wat::{contract_section, core_module, core_module_that_returns};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;
use theus_host::Code;

/// Makes the bytes of a file.
type Generate = fn() -> Vec<u8>;

/// Guests that end in their code.
pub(crate) const GENERATED: [(&str, Generate); 9] = [
    ("THEUS-C004", || {
        let contract = contract_section(r#"{"name":"work"}"#);
        core_module(&format!(r#"(import "env" "system" (func)) {contract}"#))
    }),
    ("THEUS-C005", || core_module("")),
    ("THEUS-C006", || core_module(&contract_section("{"))),
    ("THEUS-C007", || {
        core_module(&contract_section(
            r#"{"name":"work","outputs":["global.max"]}"#,
        ))
    }),
    ("THEUS-C008", || {
        core_module(&contract_section(
            r#"{"name":"work","side_effects":["fs:data"]}"#,
        ))
    }),
    ("THEUS-L007", || {
        core_module(&contract_section(
            r#"{"name":"work","parameters":[{"name":"text","kind":"string"}]}"#,
        ))
    }),
    ("THEUS-L013", || vec![0; (16 << 20) + 1]),
    ("THEUS-L014", || {
        let contract = contract_section(r#"{"name":"work"}"#);
        core_module(&format!("{} {contract}", "(table 1 funcref)".repeat(5)))
    }),
    ("THEUS-T006", || {
        core_module_that_returns(0xc1, &contract_section(r#"{"name":"work"}"#))
    }),
];

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Asserts how a run ended: as JSON with every key, and as text with the same exit code.
fn ends(folder: &Path, command: &str, stdin: &str, code: &str) {
    let mut line = words(command);
    let as_text = run_with_stdin(folder, &line, stdin);
    assert!(as_text.stdout.is_empty(), "{as_text:?}");
    assert!(
        as_text.stderr.contains(&format!("code:    {code} (")),
        "{as_text:?}"
    );
    line.extend(words("-o json"));
    let ran = run_with_stdin(folder, &line, stdin);
    let object = ran.json();
    assert_eq!(object["error"]["code"], code, "{object}");
    let kind = object["error"]["kind"].as_str().expect("a kind");
    assert_eq!([ran.code, as_text.code], [exit_code(kind); 2], "{object}");
    assert_eq!(misfits(&line, &object), [""; 0], "{code}");
}

#[test]
fn guests_that_are_not_as_they_should_be_end_in_their_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = serde_json::json!({ "text": "x".repeat(4 << 20) }).to_string();
    for (code, guest) in GENERATED {
        fs::write(folder.path().join("guest.wasm"), guest()).expect("writable");
        let (arguments, stdin) = match code {
            "THEUS-L007" => ("--args -", large.as_str()),
            _ => ("", ""),
        };
        ends(
            folder.path(),
            &format!("run guest.wasm {arguments}"),
            stdin,
            code,
        );
    }
}

#[test]
fn a_folder_that_does_not_build_says_what_cargo_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = "[package]\nname = \"broken\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("writable");
    fs::create_dir(folder.path().join("src")).expect("writable");
    fs::write(folder.path().join("src/lib.rs"), "fn oh(: no").expect("writable");
    let ran = run_in(folder.path(), &words("run . -o json -q"));
    let object = ran.json();
    assert_eq!(
        (ran.code, object["error"]["code"].as_str()),
        (2, Some("THEUS-U008"))
    );
    let message = object["error"]["message"].as_str().expect("a message");
    assert!(
        message.contains("`broken`") && message.contains("src/lib.rs"),
        "{message}"
    );
}

#[test]
fn a_file_takes_the_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let (guest, file) = (
        guests::warehouse().file.display(),
        folder.path().join("result.json"),
    );
    let run = |price: i64| -> Ran {
        let line = format!("run {guest} product_name=TV price={price} -o json --out result.json");
        run_in(folder.path(), &words(&line))
    };
    let object = || -> Json {
        let text = fs::read_to_string(&file).expect("the file");
        serde_json::from_str(&text).expect("one object")
    };
    let ran = run(5);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert_eq!(object()["outcome"], "committed");
    // Whatever the ending, the file holds that of the last run and nothing of one before.
    let ran = run(-5);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, ""));
    assert_eq!(object()["error"]["code"], "ValueError");
    // Nothing is run whose result could not be written.
    let line = format!("run {guest} product_name=TV price=1 --out no/such/folder");
    let ran = run_in(folder.path(), &words(&line));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("THEUS-U002") && ran.stdout.is_empty(),
        "{ran:?}"
    );
}

/// What an operator wrote stays byte for byte, whatever the ending.
#[test]
fn a_generated_recipe_is_added_to_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let guest = guests::warehouse().file.display();
    let file = folder.path().join("audit.yaml");
    let run = |flags: &str| -> Ran {
        let line = format!("audit gen-spec {guest} --out audit.yaml {flags}");
        run_in(folder.path(), &words(&line))
    };
    let ran = run("");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stderr.contains("added add_product"), "{ran:?}");
    let generated = fs::read_to_string(&file).expect("the file");
    let checked = run_in(
        folder.path(),
        &words(&format!("check {guest} --audit audit.yaml")),
    );
    assert_eq!(checked.code, 0, "{checked:?}");

    let mine = "# mine\nprocess_recipes:\n  other: {inputs: []}  # and this\n";
    fs::write(&file, mine).expect("writable");
    let object = run("-o json").json();
    assert_eq!(object["added"], serde_json::json!(["add_product"]));
    let added = generated.replacen("process_recipes:\n", "", 1);
    let merged = fs::read_to_string(&file).expect("the file");
    assert_eq!(merged, format!("{mine}{added}"));
    assert_eq!(object["recipe"], merged);
    assert!(run("").stderr.contains("added nothing"));
    assert_eq!(fs::read_to_string(&file).expect("the file"), merged);

    // A file that cannot be added to is told of in both formats, and stays.
    for wrong in ["process_recipes: {other: {}}\n", "process_recipes: [\n"] {
        fs::write(&file, wrong).expect("writable");
        let object = run("-o json").json();
        assert_eq!(object["error"]["code"], "THEUS-U004", "{object}");
        assert_eq!(run("").code, 2);
        assert_eq!(fs::read_to_string(&file).expect("the file"), wrong);
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn every_code_is_explained() {
    let here = tempfile::tempdir().expect("a folder");
    let list = run_in(here.path(), &["explain"]);
    assert_eq!(list.code, 0);
    for code in Code::ALL {
        assert!(
            list.stdout.contains(code.as_str()),
            "{code} is not in the list"
        );
        let page = run_in(here.path(), &["explain", code.as_str()]);
        assert_eq!(page.code, 0, "{page:?}");
        assert!(page.stdout.starts_with(&format!("# {code}: ")), "{page:?}");
        let exit = format!(
            "Kind `{0}`, exit code {1}.",
            code.kind(),
            exit_code(code.kind().name())
        );
        assert!(page.stdout.contains(&exit), "{code} does not say: {exit}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let here = tempfile::tempdir().expect("a folder");
    let help = run_in(here.path(), &["--help"]);
    assert_eq!(help.code, 0);
    for verb in [
        "run",
        "init",
        "build",
        "watch",
        "componentize",
        "test",
        "inspect",
        "check",
        "audit",
        "explain",
    ] {
        assert!(
            help.stdout.contains(&format!("\n  {verb} ")),
            "{}",
            help.stdout
        );
    }
    let flags = run_in(here.path(), &["run", "--help"]);
    for flag in [
        "--args",
        "--context",
        "--audit",
        "--permissive",
        "--dry-run",
        "--steps",
        "--fuel",
        "--timeout",
        "--max-memory",
        "--out",
        "--output",
        "--verbose",
        "--quiet",
        "--color",
    ] {
        assert!(flags.stdout.contains(flag), "{flag}");
    }
    let version = run_in(here.path(), &["--version"]);
    assert_eq!(
        version.stdout,
        format!("theus-host {}\n", env!("CARGO_PKG_VERSION"))
    );
    let nothing: [&str; 0] = [];
    assert_eq!(run_in(here.path(), &nothing).code, 2);
}

/// The same guest as a component on WASI; it prints what the other one prints.
#[test]
fn a_wasip2_component_runs_as_it_is() {
    let here = tempfile::tempdir().expect("a folder");
    let outputs = [guests::warehouse(), guests::warehouse_on_wasi()].map(|guest| {
        let line = format!("run {} product_name=TV price=500 -q", guest.file.display());
        let ran = run_in(here.path(), &words(&line));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    });
    assert_eq!(outputs[0], outputs[1]);
    let line = format!(
        "inspect {} -o json",
        guests::warehouse_on_wasi().file.display()
    );
    let object = run_in(here.path(), &words(&line)).json();
    assert_eq!(object["form"], "component");
    assert_eq!(object["processes"][0]["name"], "add_product");
}
