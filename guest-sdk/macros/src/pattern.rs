//! Contract paths, as far as a compiler can judge them. The host parses them again and has the last word.

use crate::kind::Kind;
use crate::signature::Parameter;

const LAYERS: [&str; 4] = ["domain", "global", "domain_ctx", "global_ctx"];

/// Says what is wrong with a contract path, or nothing.
pub(crate) fn check(path: &str, parameters: &[Parameter]) -> Result<(), String> {
    let layer_end = path.find(['.', '[']).unwrap_or(path.len());
    let (layer, mut rest) = path.split_at(layer_end);
    if !LAYERS.contains(&layer) {
        return Err("it must begin with `domain` or `global`, as in `domain.items`".into());
    }
    while !rest.is_empty() {
        rest = segment(rest, parameters)?;
    }
    Ok(())
}

/// Checks one segment and gives what follows it.
fn segment<'a>(rest: &'a str, parameters: &[Parameter]) -> Result<&'a str, String> {
    if let Some(after) = rest.strip_prefix(".{") {
        let (name, after) = until_brace(after)?;
        parameter_for(name, parameters, Place::Key)?;
        return Ok(after);
    }
    if let Some(after) = rest.strip_prefix("[{") {
        let (name, after) = until_brace(after)?;
        parameter_for(name, parameters, Place::Index)?;
        return after
            .strip_prefix(']')
            .ok_or_else(|| format!("write `[{{{name}}}]` for a list index"));
    }
    if let Some(after) = rest.strip_prefix("[\"") {
        return quoted(after);
    }
    if let Some(after) = rest.strip_prefix('[') {
        return index(after);
    }
    match rest.strip_prefix('.') {
        Some(after) => bare(after),
        None => Err(format!(
            "a `.` or `[` must stand before `{rest}`: a `{{param}}` is one whole key"
        )),
    }
}

fn until_brace(text: &str) -> Result<(&str, &str), String> {
    text.split_once('}')
        .ok_or_else(|| "a `{` has no `}`: write `{param}`".to_owned())
}

enum Place {
    Key,
    Index,
}

fn parameter_for(name: &str, parameters: &[Parameter], place: Place) -> Result<(), String> {
    let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
        let names: Vec<&str> = parameters.iter().map(|it| it.name.as_str()).collect();
        return Err(format!(
            "`{{{name}}}` names no parameter of this process: it has {}",
            if names.is_empty() {
                "none".into()
            } else {
                names.join(", ")
            }
        ));
    };
    if parameter.optional {
        return Err(format!(
            "`{name}` is optional, and a parameter in a path must always be given: write its type without `Option`"
        ));
    }
    if parameter.secret {
        return Err(format!(
            "`{name}` is secret, and paths are written to records: take the key from another parameter"
        ));
    }
    match (place, parameter.kind) {
        (_, Kind::Int) | (Place::Key, Kind::String) => Ok(()),
        (Place::Key, kind) => Err(format!(
            "`{name}` is of kind {}: a key is taken from a string or an integer",
            kind.word()
        )),
        (Place::Index, kind) => Err(format!(
            "`{name}` is of kind {}: a list index is taken from an integer",
            kind.word()
        )),
    }
}

fn quoted(text: &str) -> Result<&str, String> {
    let mut letters = text.char_indices();
    let mut key = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                private(&key)?;
                if !key.is_empty() && key.chars().all(is_bare) {
                    return Err(format!("write `.{key}`: this key needs no quotes"));
                }
                return text[at + 1..]
                    .strip_prefix(']')
                    .ok_or_else(|| "a `]` is missing: a quoted key ends with `\"]`".to_owned());
            }
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => key.push(escaped),
                _ => return Err("in quotes only `\\\"` and `\\\\` are escapes".into()),
            },
            letter => key.push(letter),
        }
    }
    Err("a quoted key has no end: write `\"]` behind it".into())
}

fn index(text: &str) -> Result<&str, String> {
    let Some((digits, after)) = text.split_once(']') else {
        return Err("a `[` has no `]`: write `[3]` for a list index".into());
    };
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !plain || (digits.len() > 1 && digits.starts_with('0')) || digits.parse::<u64>().is_err() {
        return Err(format!(
            "`[{digits}]` is no index: write plain decimal digits, or [\"…\"] for a key"
        ));
    }
    Ok(after)
}

fn bare(text: &str) -> Result<&str, String> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    if name.is_empty() {
        return Err(
            "a key is empty: write `domain.items`, or `domain[\"\"]` if it is meant to be".into(),
        );
    }
    if name.contains(['{', '}']) {
        return Err(format!(
            "`{name}`: a `{{param}}` is one whole key, it cannot be a part of one"
        ));
    }
    if !name.chars().all(is_bare) {
        return Err(format!(
            "write `[\"{name}\"]`: a key with other letters than A-Z a-z 0-9 _ - is quoted"
        ));
    }
    private(name)?;
    Ok(after)
}

fn private(key: &str) -> Result<(), String> {
    if key.starts_with('_') {
        return Err(format!(
            "`{key}` is private to the host: write a key that does not begin with `_`"
        ));
    }
    Ok(())
}

fn is_bare(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Vec<Parameter> {
        let parameter = |name: &str, kind, optional, secret| Parameter {
            name: name.into(),
            kind,
            optional,
            secret,
        };
        vec![
            parameter("user", Kind::String, false, false),
            parameter("row", Kind::Int, false, false),
            parameter("note", Kind::String, true, false),
            parameter("token", Kind::String, false, true),
            parameter("rate", Kind::Float, false, false),
        ]
    }

    #[test]
    fn contract_paths_are_accepted() {
        for path in [
            "domain",
            "global.max_capacity",
            "domain.items[3].price",
            "domain_ctx.items",
            "domain.accounts.{user}.balance",
            "domain.slots.{row}",
            "domain.rows[{row}]",
            "domain.accounts[\"a@b.org\"]",
            "domain[\"a \\\"quoted\\\" key\"].x",
            "domain[\"\"]",
            "domain.sig_restock_needed",
        ] {
            assert_eq!(check(path, &parameters()), Ok(()), "{path}");
        }
    }

    #[test]
    fn plainly_wrong_paths_say_why() {
        for (path, hint) in [
            ("", "must begin with"),
            ("items", "must begin with"),
            ("local.x", "must begin with"),
            ("domain..items", "empty"),
            ("domain.items.", "empty"),
            ("domain.items[-1]", "no index"),
            ("domain.items[01]", "no index"),
            ("domain.items[]", "no index"),
            ("domain.items[18446744073709551616]", "no index"),
            ("domain.items[3", "has no `]`"),
            ("domain.items[3]x", "must stand before"),
            ("domain.*", "quoted"),
            ("domain.a b", "quoted"),
            ("domain[\"items\"]", "needs no quotes"),
            ("domain[\"a.b\"", "a `]` is missing"),
            ("domain[\"a.b", "no end"),
            ("domain[\"a\\n\"]", "escapes"),
            ("domain._meta", "private"),
            ("domain.slot_{user}", "whole key"),
            ("domain.{user}x", "whole key"),
            ("domain.{user", "has no `}`"),
            ("domain.{nobody}", "names no parameter"),
            ("domain.{note}", "optional"),
            ("domain.{token}", "secret"),
            ("domain.{rate}", "float"),
            ("domain.rows[{user}]", "list index"),
            ("domain.rows[{row}", "write `[{row}]`"),
        ] {
            let message = check(path, &parameters()).expect_err(path);
            assert!(message.contains(hint), "{path}: {message}");
        }
    }
}
