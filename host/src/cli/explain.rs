//! `explain`: the page of an error code.

use super::exit;
use super::failure::Failure;
use super::nearest::nearest;
use super::output::Output;
use super::text::list;
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use theus_core::code::Code;
use theus_core::path::cut;

/// The words of `explain`.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The code, with or without `THEUS-`; without one, all codes are listed
    code: Option<String>,
}

/// What is printed about one code.
#[derive(Serialize)]
struct Page {
    code: &'static str,
    kind: &'static str,
    exit_code: u8,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
}

macro_rules! pages {
    ($($code:literal)*) => {
        /// Every page by its code.
        const PAGES: &[(&str, &str)] = &[$((
            concat!("THEUS-", $code),
            include_str!(concat!("../../docs/codes/THEUS-", $code, ".md")),
        ),)*];
    };
}

pages! {
    "C001" "C002" "C003" "C004" "C005" "C006" "C007" "C008" "C009" "C010" "C011" "C012" "C013"
    "A001" "A002" "A003" "A004"
    "L001" "L002" "L003" "L004" "L005" "L006" "L007" "L008" "L009" "L010" "L011" "L012" "L013" "L014" "L015"
    "T001" "T002" "T003" "T004" "T005" "T006" "T007"
    "U001" "U002" "U003" "U004" "U005" "U006" "U007" "U008" "U009" "U010" "U011" "U012" "U013" "U014" "U015" "U016" "U017" "U018"
    "H001" "H002" "H003" "H004" "H005" "H008"
}

impl Explain {
    /// Prints the page, or the list of all codes.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let Some(wanted) = &self.code else {
            let pages: Vec<_> = Code::ALL
                .iter()
                .map(|code| Page::of(*code, Shown::Title))
                .collect();
            if output.is_json() {
                output.json(&pages)?;
            } else {
                output.data(&listed(&pages))?;
            }
            return Ok(exit::OK);
        };
        let code = Code::find(wanted).ok_or_else(|| unknown(wanted))?;
        if output.is_json() {
            output.json(&Page::of(code, Shown::Whole))?;
        } else {
            output.data(page(code))?;
        }
        Ok(exit::OK)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Title,
    Whole,
}

impl Page {
    fn of(code: Code, shown: Shown) -> Self {
        let text = page(code);
        let first = text.lines().next().unwrap_or_default();
        Self {
            code: code.as_str(),
            kind: code.kind().name(),
            exit_code: exit::code(code.kind()),
            title: first.split_once(": ").map_or(first, |(_, title)| title),
            page: (shown == Shown::Whole).then_some(text),
        }
    }
}

fn page(code: Code) -> &'static str {
    PAGES
        .iter()
        .find(|(name, _)| *name == code.as_str())
        .map_or("", |(_, text)| *text)
}

fn listed(pages: &[Page]) -> String {
    let mut text = String::new();
    for page in pages {
        let _ = writeln!(text, "{}  {:<11}  {}", page.code, page.kind, page.title);
    }
    text.push_str("\n`theus-host explain CODE` prints a page.\n");
    text
}

fn unknown(wanted: &str) -> Failure {
    let wanted = wanted.to_ascii_uppercase();
    let bare = wanted.strip_prefix("THEUS-").unwrap_or(&wanted);
    let names: Vec<&str> = Code::ALL
        .iter()
        .filter_map(|it| it.as_str().strip_prefix("THEUS-"))
        .collect();
    let family: Vec<_> = names
        .iter()
        .filter(|name| {
            bare.chars()
                .next()
                .is_some_and(|letter| name.starts_with(letter))
        })
        .map(|name| format!("THEUS-{name}"))
        .collect();
    let help = if let Some(name) = with_zeros(bare).or_else(|| nearest(bare, names)) {
        format!("did you mean `THEUS-{name}`?")
    } else if family.is_empty() {
        "`theus-host explain` lists all codes".into()
    } else {
        format!("codes of that letter: {}", list(&family, "none"))
    };
    Failure::new(
        Code::CommandLine,
        format!("there is no code `{}`", cut(&wanted)),
    )
    .help(help)
}

/// `C2` as `C002`, where there is such a code.
fn with_zeros(bare: &str) -> Option<&'static str> {
    let (letter, number) = bare.split_at_checked(1)?;
    let number: u16 = number.parse().ok()?;
    Code::find(&format!("{letter}{number:03}"))?
        .as_str()
        .strip_prefix("THEUS-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        for code in Code::ALL {
            let text = page(*code);
            assert!(
                text.starts_with(&format!("# {code}: ")),
                "{code} has no page"
            );
            for heading in [
                "\n## What happened\n",
                "\n## Example\n",
                "\n## How to mend it\n",
            ] {
                assert!(text.contains(heading), "{code} lacks {heading:?}");
            }
            let kind = format!(
                "Kind `{}`, exit code {}.",
                code.kind(),
                exit::code(code.kind())
            );
            assert!(text.contains(&kind), "{code} does not say: {kind}");
        }
        assert_eq!(PAGES.len(), Code::ALL.len());
        for (name, _) in PAGES {
            assert!(Code::find(name).is_some(), "{name} is no code");
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes");
        let files = std::fs::read_dir(folder).expect(folder).count();
        assert_eq!(files, PAGES.len(), "a file in {folder} is no page");
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        let help = |wanted| unknown(wanted).report.help.expect("help");
        assert_eq!(help("t2"), "did you mean `THEUS-T002`?");
        assert_eq!(help("theus-x002"), "did you mean `THEUS-A002`?");
        assert!(help("C999").contains("THEUS-C001, THEUS-C002"));
        assert_eq!(help("what"), "`theus-host explain` lists all codes");
    }

    #[test]
    fn the_list_has_one_line_per_code() {
        let pages: Vec<_> = Code::ALL
            .iter()
            .map(|code| Page::of(*code, Shown::Title))
            .collect();
        let text = listed(&pages);
        assert!(text.starts_with("THEUS-C001  contract     "), "{text}");
        assert_eq!(text.lines().count(), Code::ALL.len() + 2);
    }
}
