//! Comparing JSON: what is expected is a part of what is found.

use serde_json::Value as Json;

/// Everything in which `found` differs from what is expected of it; nothing where it is as expected.
///
/// An object must have the expected keys and may have others; a list must have as many elements; a string may be
/// expected as `{"$contains": "a part of it"}`.
#[must_use]
pub fn differences(expected: &Json, found: &Json) -> Vec<String> {
    let mut all = Vec::new();
    compare("$", expected, found, &mut all);
    all
}

fn compare(at: &str, expected: &Json, found: &Json, all: &mut Vec<String>) {
    match (expected, found) {
        (Json::Object(wanted), Json::String(text)) if wanted.contains_key("$contains") => {
            let part = wanted["$contains"].as_str().unwrap_or_default();
            if wanted.len() != 1 || part.is_empty() || !text.contains(part) {
                all.push(format!("{at}: expected {expected}, found {found}"));
            }
        }
        (Json::Object(wanted), Json::Object(there)) => {
            for (key, value) in wanted {
                match there.get(key) {
                    Some(found) => compare(&format!("{at}.{key}"), value, found, all),
                    None => all.push(format!("{at}.{key}: expected {value}, found nothing")),
                }
            }
        }
        (Json::Array(wanted), Json::Array(there)) if wanted.len() == there.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(there).enumerate() {
                compare(&format!("{at}[{index}]"), wanted, found, all);
            }
        }
        _ if expected == found => {}
        _ => all.push(format!("{at}: expected {expected}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_with_its_place() {
        let json = |text: &str| -> Json { serde_json::from_str(text).expect(text) };
        let found = json(r#"{"a":{"b":[1,{"c":"long text"}]},"d":null}"#);
        for fits in [
            "{}",
            r#"{"d":null}"#,
            r#"{"a":{"b":[1,{}]}}"#,
            r#"{"a":{"b":[1,{"c":{"$contains":"g t"}}]}}"#,
        ] {
            assert!(differences(&json(fits), &found).is_empty(), "{fits}");
        }
        for (differs, place) in [
            (r#"{"e":null}"#, "$.e: "),
            (r#"{"d":{}}"#, "$.d: "),
            (r#"{"a":{"b":[1]}}"#, "$.a.b: "),
            (r#"{"a":{"b":[2,{}]}}"#, "$.a.b[0]: "),
            (r#"{"a":{"b":[1,{"c":"long"}]}}"#, "$.a.b[1].c: "),
            (r#"{"a":{"b":[1,{"c":{"$contains":"y"}}]}}"#, "$.a.b[1].c: "),
            (r#"{"a":{"b":[1,{"c":{"$contains":""}}]}}"#, "$.a.b[1].c: "),
        ] {
            let all = differences(&json(differs), &found);
            assert!(all.len() == 1 && all[0].starts_with(place), "{all:?}");
        }
    }
}
