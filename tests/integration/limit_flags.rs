//! The limits as their operator meets them: the page that lists them, and the flags that change them.

use crate::harness::binary::run_in;
use crate::harness::console::shown;
use crate::harness::{guests, root};
use crate::readme::HOST;
use std::collections::BTreeMap;
use std::fs;
use theus_core::config::amounts;
use theus_host::{Limit, Limits};

/// The rows of the tables of a page: the words of their cells.
fn table(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    });
    let is_data = |row: &Vec<String>| row[0] != "limit" && !row[0].starts_with("---");
    cells.filter(is_data).collect()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A default as the page prints it.
fn printed(limit: Limit, amount: u64) -> String {
    match limit.unit() {
        "ms" => format!("{} s", amount / 1_000_000_000),
        "bytes" if amount.is_multiple_of(1 << 20) => format!("{} MiB", amount >> 20),
        "bytes" => format!("{} KiB", amount >> 10),
        _ => grouped(amount),
    }
}

/// The rows of `Limits` by word, each with the limit that is named for it.
fn rows() -> Vec<(String, Limit)> {
    let derived = [
        Limit::DecodedBytes,
        Limit::HeavyDecodedBytes,
        Limit::ResultDecodedBytes,
    ];
    let named = Limit::ALL.into_iter().filter(|it| !derived.contains(it));
    named.filter_map(|it| Some((it.word()?, it))).collect()
}

#[test]
fn the_page_has_every_limit_as_the_code_has_it() {
    let page = fs::read_to_string(root().join("host/docs/limits.md")).expect("limits.md");
    let shown = table(&page);
    let defaults: BTreeMap<_, _> = amounts(&Limits::default()).into_iter().collect();
    let rows = rows();
    assert_eq!(rows.len(), Limits::COUNT);
    for (at, (word, limit)) in rows.iter().enumerate() {
        let over = match limit {
            Limit::LogLines | Limit::LogBytes => "cut, with a note".to_owned(),
            Limit::ComponentBytes => format!("refused, {}", limit.code()),
            _ => format!("exit 9, {}", limit.code()),
        };
        let row = &shown[at];
        let expected = [
            limit.name().to_owned(),
            printed(*limit, defaults[word.as_str()]),
            row[2].clone(),
            format!("`{}`", limit.remedy()),
            over,
        ];
        assert_eq!(row[..], expected);
        assert!(row[2].len() > 5, "{word} counts nothing");
    }
    let others: Vec<_> = Limit::ALL
        .into_iter()
        .filter(|limit| !rows.iter().any(|(_, row)| row == limit))
        .map(|limit| (limit.name().to_owned(), format!("exit 9, {}", limit.code())))
        .collect();
    let beside: Vec<_> = shown[rows.len()..]
        .iter()
        .map(|row| (row[0].clone(), row[2].clone()))
        .collect();
    assert_eq!(beside, others);
}

#[test]
fn the_page_s_command_prints_what_it_shows() {
    let page = fs::read_to_string(root().join("host/docs/limits.md")).expect("limits.md");
    let all = shown(&page);
    for shown in &all {
        shown.holds(root(), shown.command.trim_start_matches(HOST));
    }
    assert_eq!(all.len(), 1);
}

/// Twice the default of each, through the binary.
#[test]
fn every_limit_has_a_flag() {
    let defaults = amounts(&Limits::default());
    let flags: Vec<String> = defaults
        .iter()
        .map(|(word, amount)| match *word {
            "timeout" => "timeout=10s".to_owned(),
            _ => format!("{word}={}", amount * 2),
        })
        .collect();
    let guest = guests::warehouse().file.display().to_string();
    let mut words = vec!["check", &guest];
    for flag in &flags {
        words.extend(["--limit", flag]);
    }
    let ran = run_in(root(), &words);
    assert_eq!(ran.code, 0, "{ran:?}");
    let words: Vec<_> = defaults.iter().map(|(word, _)| *word).collect();
    let said = format!("25 limits, not as by default: {}", words.join(", "));
    assert!(ran.stdout.contains(&said), "{} lacks {said}", ran.stdout);
}

/// Where `inspect` refuses a component for its size it names a flag, which it has.
#[test]
fn inspect_takes_the_flag_that_its_refusal_names() {
    let guest = guests::warehouse().file.display().to_string();
    let inspect = |size| run_in(root(), &["inspect", &guest, "--max-component", size]);
    let refused = inspect("1KiB");
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.stderr.contains("`--max-component`"), "{refused:?}");
    assert_eq!(inspect("32MiB").code, 0);
}
