//! Command lines that clap refuses, and what can be told of them all the same.

use super::color::When;
use super::exit;
use super::failure::Failure;
use super::output::{Format, Output};
use clap::ValueEnum as _;
use clap::error::{Error, ErrorKind};
use std::ffi::OsString;
use theus_core::code::Code;

/// How to print an error about a command line that could not be parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) format: Format,
    pub(super) color: When,
}

impl Guess {
    /// Looks for the flags that decide it, as clap would.
    pub(super) fn of(words: &[OsString]) -> Self {
        let mut guess = Self::default();
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let mut words = words.iter().map(AsRef::as_ref).skip(1);
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let Some((flag, value)) = flag(word) else {
                continue;
            };
            let value = value.or_else(|| words.next()).unwrap_or_default();
            match flag {
                "output" => guess.format = Format::from_str(value, false).unwrap_or(guess.format),
                _ => guess.color = When::from_str(value, false).unwrap_or(guess.color),
            }
        }
        guess
    }
}

/// The flag of a word that is `--output`, `--color` or `-o`, and its value where the word holds it.
fn flag(word: &str) -> Option<(&str, Option<&str>)> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long
            .split_once('=')
            .map_or((long, None), |(name, value)| (name, Some(value)));
        return matches!(name, "output" | "color").then_some((name, value));
    }
    // Short flags may be joined: `-vo json`, `-qojson`.
    let value = word
        .strip_prefix('-')?
        .trim_start_matches(['v', 'q'])
        .strip_prefix('o')?;
    let value = value.strip_prefix('=').unwrap_or(value);
    Some(("output", Some(value).filter(|value| !value.is_empty())))
}

/// Where the verb stands among the words of a command line that clap has accepted.
pub(super) fn verb_index(words: &[OsString]) -> Option<usize> {
    let mut index = 1;
    while let Some(word) = words.get(index).map(|it| it.to_string_lossy()) {
        if !word.starts_with('-') {
            return Some(index);
        }
        let takes_value = word == "--out" || matches!(flag(&word), Some((_, None)));
        index += if takes_value { 2 } else { 1 };
    }
    None
}

/// Ends a command whose command line clap refused, or that asked for help.
pub(super) fn end(error: &Error, guess: &Guess) -> u8 {
    let asked_for = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if asked_for {
        // Who closed the pipe has read enough.
        let _ = error.print();
        return exit::OK;
    }
    let failure = failure(error);
    let mut output = Output::plain(guess.format, guess.color);
    if output.is_json() {
        return output.fail(&failure);
    }
    // Clap knows best how to show its own errors.
    let _ = error.print();
    if error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let code = &failure.report.code;
        output.complain(&format!("\nexplain: theus-host explain {code}\n"));
    }
    failure.exit_code()
}

fn failure(error: &Error) -> Failure {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::new(Code::CommandLine, "the command line names no verb")
            .help("`theus-host --help` prints the verbs");
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(one_line);
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    // That a flag could be a word is true, and never what was meant.
    let tip = paragraphs.find_map(|it| {
        let tip = it.strip_prefix("tip: ")?;
        (!tip.starts_with("to pass ")).then(|| tip.to_owned())
    });
    Failure::new(Code::CommandLine, message)
        .help("`theus-host help run` prints the flags")
        .help_if(tip)
}

fn one_line(paragraph: &str) -> String {
    let lines: Vec<_> = paragraph.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::Parser as _;

    #[test]
    fn the_format_is_known_before_the_line_is_parsed() {
        for (line, expected) in [
            ("theus-host run x -o json", Format::Json),
            ("theus-host -ojson", Format::Json),
            ("theus-host -o=json", Format::Json),
            ("theus-host --output json --bogus", Format::Json),
            ("theus-host --bogus --output=json", Format::Json),
            ("theus-host -vo json", Format::Json),
            ("theus-host -qojson run", Format::Json),
            ("theus-host run x -o text", Format::Text),
            ("theus-host run x -o yaml", Format::Text),
            ("theus-host run x -- -o json", Format::Text),
            ("theus-host run x name=-o json", Format::Text),
            ("theus-host --out json", Format::Text),
            ("theus-host -o", Format::Text),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(Guess::of(&words).format, expected, "{line}");
        }
        let words = ["theus-host", "--color=always"].map(OsString::from);
        assert_eq!(Guess::of(&words).color, When::Always);
    }

    #[test]
    fn the_verb_is_found_behind_the_flags_that_every_verb_takes() {
        for (line, expected) in [
            ("theus-host watch x", Some(1)),
            ("theus-host -q watch watch", Some(2)),
            ("theus-host -o json watch x", Some(3)),
            ("theus-host -ojson --color always watch x", Some(4)),
            ("theus-host --out watch watch x", Some(3)),
            ("theus-host --output=json watch x", Some(2)),
            ("theus-host -v", None),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(verb_index(&words), expected, "{line}");
        }
    }

    #[test]
    fn a_refused_line_is_told_in_one_line() {
        let error =
            Cli::try_parse_from(["theus-host", "run", "x", "--dryrun"]).expect_err("refused");
        let failure = failure(&error);
        assert_eq!(
            failure.report.message,
            "unexpected argument '--dryrun' found"
        );
        let help = failure.report.help.expect("help");
        assert!(help.contains("'--dry-run'"), "{help}");
        assert_eq!(failure.report.code, "THEUS-U001");
    }
}
