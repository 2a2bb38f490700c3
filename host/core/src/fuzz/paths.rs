//! Paths and contract paths, against their grammar.

use super::values::{Keys, key, path, text, tree};
use super::{Broken, Dice, holds};
use crate::limits::Limits;
use crate::path::{Path, Segment};
use crate::pattern::{PathPattern, Step};
use crate::value::{Map, Value};

/// Other names of the layers, which no path is written with.
const ALIASES: [(&str, &str); 2] = [("domain_ctx", "domain"), ("global_ctx", "global")];

pub(super) fn check(data: &[u8]) -> Result<(), Broken> {
    judge_text(&String::from_utf8_lossy(data))?;
    let mut dice = Dice::new(data);
    let tree = tree(&mut dice, Keys::Any);
    let path = path(&mut dice, &tree);
    let parsed = Path::parse(&path.to_string());
    holds(parsed.as_ref() == Ok(&path), || {
        format!("{path:?} is written `{path}`, which is {parsed:?}")
    })?;
    for _ in 0..8 {
        judge_text(&damaged(path.to_string(), &mut dice))?;
    }
    judge_pattern(&pattern(&mut dice), &mut dice)
}

/// A text is a path in one spelling only, and a limit refuses exactly what is over it.
fn judge_text(text: &str) -> Result<(), Broken> {
    let Ok(path) = Path::parse(text) else {
        return holds(
            Path::parse_bounded(text, &Limits::default()).is_err(),
            || format!("`{text}` is a path under limits only"),
        );
    };
    holds(path.to_string() == plain(text), || {
        format!("`{text}` is another spelling of `{path}`")
    })?;
    let (bytes, segments) = (text.len() as u64, path.segments().len() as u64);
    for (path_bytes, path_segments, fits) in [
        (bytes, segments, true),
        (bytes - 1, segments, false),
        (bytes, segments.wrapping_sub(1), segments == 0),
    ] {
        let limits = Limits {
            path_bytes,
            path_segments,
            ..Limits::default()
        };
        let bounded = Path::parse_bounded(text, &limits);
        holds(bounded.is_ok() == fits, || {
            format!("`{text}` under {path_bytes} bytes and {path_segments} segments: {bounded:?}")
        })?;
    }
    // A path is a contract path of itself, unless it holds braces, which contract paths quote or mean.
    if !text.contains(['{', '}']) {
        let pattern = PathPattern::parse(text);
        let filled = pattern.as_ref().map(|it| it.fill(&Map::new()));
        holds(filled == Ok(Ok(path)), || {
            format!("`{text}` as a contract path is {pattern:?}")
        })?;
    }
    Ok(())
}

fn plain(text: &str) -> String {
    let alias = ALIASES.iter().find_map(|(alias, layer)| {
        let rest = text.strip_prefix(alias)?;
        Some(format!("{layer}{rest}"))
    });
    alias.unwrap_or_else(|| text.to_owned())
}

fn damaged(mut text: String, dice: &mut Dice<'_>) -> String {
    const BITS: [&str; 16] = [
        ".",
        "..",
        "[",
        "]",
        "[0]",
        "[00]",
        "[-1]",
        "[18446744073709551616]",
        "\"",
        "[\"",
        "\"]",
        "\\",
        "\u{0}",
        "*",
        "{a}",
        "domain",
    ];
    for _ in 0..1 + dice.index(3) {
        let at = dice.index(text.len() + 1);
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at));
        let at = at.unwrap_or_default();
        if dice.once_in(2) && at < text.len() {
            text.remove(at);
        } else {
            text.insert_str(at, dice.pick(&BITS));
        }
    }
    text
}

/// A contract path with parameters, as text.
fn pattern(dice: &mut Dice<'_>) -> String {
    let mut text = (dice.pick(&["domain", "global", "domain_ctx"])).to_owned();
    for _ in 0..dice.index(5) {
        text.push_str(dice.pick(&[
            ".a",
            ".{p}",
            "[{n}]",
            "[2]",
            ".sig_x",
            "[\"{p}\"]",
            "[\"a.b\"]",
        ]));
    }
    text
}

/// Whatever an argument holds becomes one key, and moves nothing into another zone.
fn judge_pattern(written: &str, dice: &mut Dice<'_>) -> Result<(), Broken> {
    let Ok(pattern) = PathPattern::parse(written) else {
        return Ok(());
    };
    let again = PathPattern::parse(&pattern.to_string());
    holds(again.as_ref() == Ok(&pattern), || {
        format!("`{written}` is written `{pattern}`, which is {again:?}")
    })?;
    let argument = if dice.once_in(2) {
        key(dice, Keys::Any)
    } else {
        text(dice)
    };
    let index = dice.below(4);
    let args: Map = [
        ("p", Value::from(argument.as_str())),
        ("n", Value::unsigned(index)),
    ]
    .into_iter()
    .collect();
    let Ok(path) = pattern.fill(&args) else {
        return Ok(());
    };
    holds(
        path.zone() == pattern.zone() && path.is_private() == pattern.is_private(),
        || format!("`{written}` with {argument:?} is `{path}`, of another zone"),
    )?;
    holds(path.segments().len() == pattern.steps().len(), || {
        format!("`{written}` with {argument:?} is `{path}`, of other segments")
    })?;
    for (step, segment) in pattern.steps().iter().zip(path.segments()) {
        let fits = match (step, segment) {
            (Step::KeyParam(_), Segment::Key(key)) => key.as_str() == argument,
            (Step::IndexParam(_), Segment::Index(found)) => *found == index,
            (Step::Fixed(expected), found) => expected == found,
            _ => false,
        };
        holds(fits, || format!("`{written}`: {step:?} became {segment:?}"))?;
    }
    Ok(())
}
