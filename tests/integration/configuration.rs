//! `theus.toml`: flags win over every key of it; its documentation, its schema and the tree's own files agree.

use crate::harness::binary::run_in;
use crate::harness::{guests, root};
use jsonschema::Validator;
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use theus_core::config::{Config, Trust};

/// Each row: a line of the file that decides how the run ends, and a flag that decides otherwise.
#[test]
fn flags_win_over_every_key() {
    let guests = root().join("guests");
    let of = |file: &str| guests.join(file).display().to_string();
    let wasm = |guest: &guests::Prebuilt| guest.file.display().to_string();
    let warehouse = [
        wasm(guests::warehouse()),
        "product_name=TV".into(),
        "price=5".into(),
    ];
    let prices = [wasm(guests::prices()), "product=tv".into()];
    let undeclared = [wasm(guests::probe()), "write_undeclared".into()];
    let (stock, stored) = (of("warehouse/context.yaml"), of("prices/context.yaml"));
    let price_list = of("prices/prices");
    let in_stock = format!("context = {stock:?}\n");
    let no_list = format!("context = {stored:?}\n[grants.directories]\nprices = \"nowhere\"");
    let rows: [(&[String], String, i32, [String; 2]); 8] = [
        (
            &warehouse,
            "context = \"nowhere.yaml\"".into(),
            2,
            ["--context".into(), stock],
        ),
        (
            &warehouse,
            format!("{in_stock}schema = \"nowhere.yaml\""),
            2,
            ["--schema".into(), of("warehouse/schema.yaml")],
        ),
        (
            &warehouse,
            format!("{in_stock}recipe = \"nowhere.yaml\""),
            2,
            ["--audit".into(), of("warehouse/audit.yaml")],
        ),
        (
            &warehouse,
            format!("{in_stock}[limits]\nfuel = 10"),
            9,
            ["--fuel".into(), "1_000_000_000".into()],
        ),
        (
            &warehouse,
            format!("{in_stock}[limits]\ntimeout = \"1us\""),
            9,
            ["--timeout".into(), "10m".into()],
        ),
        (
            &warehouse,
            format!("{in_stock}[limits]\nmax-memory = 1"),
            2,
            ["--max-memory".into(), "64MiB".into()],
        ),
        (
            &prices,
            no_list,
            2,
            ["--dir".into(), format!("prices={price_list}")],
        ),
        (
            &undeclared,
            format!(
                "context = {:?}\npermissive = false",
                of("probe/context.yaml")
            ),
            3,
            ["--permissive".into(), "-v".into()],
        ),
    ];
    for (words, file, without, flag) in rows {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("version = 1\n{file}\n");
        fs::write(folder.path().join("theus.toml"), &text).expect("it is writable");
        let run = |flags: &[String]| {
            let words: Vec<&str> = ["run"]
                .into_iter()
                .chain(words.iter().map(String::as_str))
                .chain(flags.iter().map(String::as_str))
                .collect();
            run_in(folder.path(), &words)
        };
        let ran = run(&[]);
        assert_eq!(ran.code, without, "{text}\n{ran:?}");
        let ran = run(&flag);
        assert_eq!(ran.code, 0, "{text}{flag:?}\n{ran:?}");
    }
}

#[test]
fn permissive_mode_of_a_file_is_taken_back_by_a_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("theus.toml"),
        "version = 1\npermissive = true\n",
    )
    .expect("it is writable");
    let probe = guests::probe().file.display().to_string();
    let context = root()
        .join("guests/probe/context.yaml")
        .display()
        .to_string();
    let words = [
        "run",
        &probe,
        "write_undeclared",
        "--context",
        &context,
        "-o",
        "json",
    ];
    assert_eq!(run_in(folder.path(), &words).json()["mode"], "permissive");
    let strict: Vec<&str> = words
        .iter()
        .copied()
        .chain(["--permissive=false"])
        .collect();
    let ran = run_in(folder.path(), &strict);
    assert_eq!((ran.code, &ran.json()["mode"]), (3, &Json::from("strict")));
}

fn schema() -> Validator {
    let text = fs::read_to_string(root().join("host/docs/theus.schema.json")).expect("the schema");
    let schema: Json = serde_json::from_str(&text).expect("json");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Why a file does not fit the published schema; nothing where it does.
fn misfit(schema: &Validator, text: &str) -> Option<String> {
    let file: Json = toml::from_str(text).expect("TOML");
    schema.validate(&file).err().map(|error| error.to_string())
}

/// The fenced blocks of a page: what stands behind the fence, and the text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(word) if !open => {
                blocks.push((word, String::new()));
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                if let Some((_, text)) = blocks.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            None => {}
        }
    }
    blocks
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let schema = schema();
    let (mut right, mut wrong) = (0, 0);
    for page in ["host/docs/configuration.md", "README.md"] {
        let page = fs::read_to_string(root().join(page)).expect(page);
        let mut last = None;
        for (word, text) in blocks(&page) {
            let trust = match word {
                "toml" => Trust::Operator,
                "toml guest" => Trust::Guest,
                "toml wrong" => {
                    let errors = Config::parse(&text, "theus.toml", Trust::Operator);
                    last = Some(errors.expect_err(&text).to_string());
                    assert!(misfit(&schema, &text).is_some(), "the schema takes {text}");
                    continue;
                }
                "text" => {
                    if let Some(errors) = last.take() {
                        assert_eq!(errors, text.trim_end());
                        wrong += 1;
                    }
                    continue;
                }
                _ => continue,
            };
            let parsed = Config::parse(&text, "theus.toml", trust);
            parsed.unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(misfit(&schema, &text), None, "{text}");
            right += 1;
        }
    }
    assert!(right >= 4 && wrong >= 1, "{right} {wrong}");
}

/// Every `theus.toml` below a folder, but for what builds leave.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            files_below(&path, found);
        } else if path.ends_with("theus.toml") {
            found.push(path);
        }
    }
}

#[test]
fn the_trees_own_files_fit_the_schema() {
    let schema = schema();
    let mut files = Vec::new();
    files_below(&root().join("guests"), &mut files);
    assert!(!files.is_empty(), "the example has a configuration");
    for file in &files {
        let text = fs::read_to_string(file).expect("it is readable");
        let parsed = Config::parse(&text, &file.display().to_string(), Trust::Guest);
        parsed.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(misfit(&schema, &text), None, "{}", file.display());
    }
    // The reader and the schema agree on what the cases hold, right or wrong.
    let mut cases = Vec::new();
    files_below(&root().join("tests/cases"), &mut cases);
    let mut refused = 0;
    for file in &cases {
        let text = fs::read_to_string(file).expect("it is readable");
        let Ok(parsed) = toml::from_str::<Json>(&text) else {
            continue;
        };
        let reads = Config::parse(&text, "theus.toml", Trust::Operator).is_ok();
        assert_eq!(schema.is_valid(&parsed), reads, "{}", file.display());
        refused += usize::from(!reads);
    }
    assert!(cases.len() > 5 && refused >= 3, "{} {refused}", cases.len());
}
