//! Expectations that are written anew from what was printed.

use super::json::differences;
use serde_json::{Map, Value as Json};

/// The parts of a receipt that say how a run ended; what else it holds is of the host, or of the machine.
const OF_A_RUN: [&str; 9] = [
    "outcome", "process", "result", "version", "changes", "signals", "outbox", "audit", "error",
];

/// The expectation with the values that were found. It stays as large a part of the object as it was.
pub(super) fn blessed(expected: &Json, found: &Json) -> Json {
    match (expected, found) {
        _ if differences(expected, found).is_empty() => expected.clone(),
        (Json::Object(wanted), Json::Object(there)) => wanted
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), blessed(value, there.get(key)?))))
            .collect::<Map<_, _>>()
            .into(),
        (Json::Array(wanted), Json::Array(there)) => there
            .iter()
            .enumerate()
            .map(|(index, found)| {
                wanted
                    .get(index)
                    .map_or_else(|| found.clone(), |it| blessed(it, found))
            })
            .collect(),
        _ => found.clone(),
    }
}

/// What to expect of an object that nothing was expected of yet.
pub(super) fn first_expectation(found: &Json) -> Json {
    match found.as_object() {
        Some(object) if object.contains_key("outcome") => object
            .iter()
            .filter(|(key, _)| OF_A_RUN.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<_, _>>()
            .into(),
        _ => found.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_blessed_expectation_is_met_and_no_larger() {
        let found = json!({"a": {"b": [1, {"c": "long text", "d": 1}]}, "e": null, "f": 2});
        for (expected, blest) in [
            (json!({"e": null}), json!({"e": null})),
            (
                json!({"a": {"b": [1, {"c": {"$contains": "long"}}]}}),
                json!({"a": {"b": [1, {"c": {"$contains": "long"}}]}}),
            ),
            (
                json!({"a": {"b": [1, {"c": {"$contains": "short"}}]}}),
                json!({"a": {"b": [1, {"c": "long text"}]}}),
            ),
            (
                json!({"a": {"b": [2]}, "g": 1}),
                json!({"a": {"b": [1, {"c": "long text", "d": 1}]}}),
            ),
            (
                json!({"a": {"b": [1, {"d": 2}]}}),
                json!({"a": {"b": [1, {"d": 1}]}}),
            ),
            (json!({"f": {}}), json!({"f": 2})),
        ] {
            let found_blest = blessed(&expected, &found);
            assert_eq!(found_blest, blest, "{expected}");
            assert!(differences(&found_blest, &found).is_empty());
        }
    }

    #[test]
    fn of_a_receipt_only_the_run_is_expected() {
        let found =
            json!({"outcome": "committed", "result": 1, "stats": {"fuel": 5}, "error": null});
        let expected = json!({"outcome": "committed", "result": 1, "error": null});
        assert_eq!(first_expectation(&found), expected);
        let other = json!({"checks": []});
        assert_eq!(first_expectation(&other), other);
    }
}
