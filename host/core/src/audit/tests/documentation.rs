//! The examples of `host/docs/recipe.md` are recipes, and what it says is refused is.

use super::*;

const PAGE: &str = include_str!("../../../../docs/recipe.md");

/// The fenced blocks of a language, as it stands behind the fence.
fn blocks(language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in PAGE.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => open = Some((fence == language, String::new())),
            (Some(_), Some(_)) => {
                let closed = open.take().expect("open");
                found.extend(closed.0.then_some(closed.1));
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is left open");
    found
}

fn load(text: &str) -> Result<Vec<String>, RecipeErrors> {
    let rules = Recipe::parse(text, "recipe.md")?.bind(&contract())?;
    let rules = rules.expect("every example is about add_product");
    let all = rules
        .rules(Gate::Input)
        .iter()
        .chain(rules.rules(Gate::Output));
    Ok(all.map(|rule| rule.name().to_owned()).collect())
}

#[test]
fn every_example_loads_and_binds() {
    let examples = blocks("yaml");
    assert!(examples.len() >= 8, "{}", examples.len());
    let mut words = Vec::new();
    for example in &examples {
        let rules = load(example).unwrap_or_else(|error| panic!("{example}\n{error}"));
        words.extend(rules);
    }
    // What the page is about is in its examples.
    for word in [" regex ", "expr ", " min ", " max_len ", " type ", " eq "] {
        assert!(words.iter().any(|rule| rule.contains(word)), "{word}");
    }
}

#[test]
fn every_refused_example_is_refused() {
    let examples = blocks("yaml refused");
    assert!(examples.len() >= 5, "{}", examples.len());
    for example in &examples {
        assert!(load(example).is_err(), "{example}");
    }
}

/// The page gives numbers; the code has the last word.
#[test]
fn the_limits_are_the_ones_of_the_code() {
    let grouped = |number: u64| {
        let text = number.to_string();
        match text.len() {
            0..=3 => text,
            len => format!("{},{}", &text[..len - 3], &text[len - 3..]),
        }
    };
    for (number, unit) in [
        (MAX_EXPRESSION_BYTES as u64, "bytes of text"),
        (MAX_ELEMENTS as u64, "elements for a macro"),
        (MAX_WORK, "units of work"),
        (MAX_PATTERN_BYTES as u64, "bytes, and 1 MiB once compiled"),
        (MAX_TEXT_BYTES as u64, "bytes violates"),
        (MAX_TEXT_BYTES_OF_LARGE as u64, "bytes violates"),
    ] {
        let said = format!("{} {unit}", grouped(number));
        assert!(PAGE.replace('\n', " ").contains(&said), "{said}");
    }
}
