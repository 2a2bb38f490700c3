//! Conditions of one entry against one another.

use super::*;

#[test]
fn conditions_of_one_entry_that_contradict_one_another_are_refused() {
    for (entry, expected) in [
        (
            "{field: price, min: 5, max: 4}",
            "`min` 5 and `max` 4 contradict each other: no value would pass both",
        ),
        (
            "{field: price, max: 4, min: 4.5}",
            "`min` 4.5 and `max` 4 contradict",
        ),
        (
            "{field: note, min_len: 3, max_len: 2}",
            "`min_len` 3 and `max_len` 2 contradict",
        ),
        ("{field: price, eq: 5, max: 4}", "`eq` 5 and `max` 4"),
        (
            "{field: price, in: [1, 2], min: 3}",
            "`in` [1, 2] and `min` 3",
        ),
        ("{field: price, eq: 1, in: [2, 3]}", "contradict each other"),
        ("{field: price, eq: 1, neq: 1}", "`eq` 1 and `neq` 1"),
        (
            "{field: price, type: string, min: 3}",
            "`type` string and `min` 3 contradict",
        ),
        (
            "{field: note, regex: a, min: 3}",
            "`regex` and `min` are about values of different kinds",
        ),
        (
            "{field: note, max_len: 3, max: 3}",
            "about values of different kinds",
        ),
    ] {
        let text = format!("process_recipes: {{add_product: {{inputs: [{entry}]}}}}");
        let errors = Recipe::parse(&text, "r.yaml").expect_err(entry).errors;
        assert_eq!(errors.len(), 1, "{entry}: {errors:?}");
        assert!(errors[0].message.contains(expected), "{entry}: {errors:?}");
    }
    for entry in [
        "{field: price, min: 5, max: 5, type: int, neq: 6}",
        "{field: note, min_len: 2, max_len: 2, regex: a, in: [aa, bb]}",
        "{field: price, in: [1, 9], min: 3, expr: 'args.price > 2'}",
        "{field: price, type: float, eq: 5}",
    ] {
        let text = format!("process_recipes: {{add_product: {{inputs: [{entry}]}}}}");
        assert!(Recipe::parse(&text, "r.yaml").is_ok(), "{entry}");
    }
}
