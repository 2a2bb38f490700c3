//! What a recipe file may say, and how it is refused.

use super::*;

/// The interface document's example.
pub(super) const SEED: &str = r#"
process_recipes:
  add_product:
    inputs:
      - { field: price, min: 0, level: B }
    outputs:
      - { field: domain.total_value, max: 1000000000, level: S, message: "warehouse value overflow" }
      - { field: domain.items, max_len: 1000, level: A, min_threshold: 1, max_threshold: 3, reset_on_success: true }
"#;

pub(super) fn errors(text: &str) -> String {
    match Recipe::parse(text, "recipe.yaml") {
        Ok(_) => panic!("accepted: {text}"),
        Err(errors) => errors.to_string(),
    }
}

/// The only error's message and help for one entry of the input gate.
fn entry_error(entry: &str) -> String {
    let text = format!("process_recipes: {{add_product: {{inputs: [{entry}]}}}}");
    let errors = Recipe::parse(&text, "recipe.yaml").expect_err(entry).errors;
    assert_eq!(errors.len(), 1, "{entry}: {errors:?}");
    let help = errors[0].help.clone().unwrap_or_default();
    format!("{} | {help}", errors[0].message)
}

#[test]
fn the_interface_documents_example_loads_as_it_means() {
    let recipe = Recipe::parse(SEED, "recipe.yaml").expect("recipe");
    let rules = recipe.bind(&contract()).expect("bound").expect("named");
    let [price] = rules.rules(Gate::Input) else {
        panic!("one input rule");
    };
    assert_eq!(price.name(), "price min 0");
    assert_eq!((price.level(), price.max_threshold()), (Level::B, 1));
    let [total, items] = rules.rules(Gate::Output) else {
        panic!("two output rules");
    };
    assert_eq!(total.name(), "domain.total_value max 1000000000");
    assert_eq!(items.name(), "domain.items max_len 1000");
    assert_eq!((items.min_threshold(), items.max_threshold()), (1, 3));
    assert_eq!(
        rules.context_paths(),
        [path("domain.items"), path("domain.total_value")]
    );
}

#[test]
fn all_errors_of_a_file_come_at_once_with_their_places() {
    let text = "process_recipes:
  add_product:
    inputs:
      - { field: price, mim: 0, level: b }
      - field: price
        max: \"10\"
        max: 3
    output: []
";
    assert_eq!(
        errors(text),
        "\
recipe.yaml:4:25: unknown key `mim` in an entry
  4 |       - { field: price, mim: 0, level: b }
    |                         ^^^
  help: did you mean `min`? an entry knows `field`, `level`, `threshold`, `max_threshold`, `min_threshold`, `reset_on_success`, `optional`, `message`, `min`, `max`, `eq`, `neq`, `in`, `min_len`, `max_len`, `regex`, `type`, `expr`
recipe.yaml:4:40: unknown level `b`
  4 |       - { field: price, mim: 0, level: b }
    |                                        ^
  help: did you mean `B`? expected `S` (interlock), `A` (abort), `B` (block), `C` (warn) or `I` (record)
recipe.yaml:6:14: `max` is \"10\"
  6 |         max: \"10\"
    |              ^^^^
  help: expected a number
recipe.yaml:7:9: the key `max` comes twice in an entry
  7 |         max: 3
    |         ^^^
  help: it was first given at line 6
recipe.yaml:8:5: unknown key `output` in the recipe of `add_product`
  8 |     output: []
    |     ^^^^^^
  help: did you mean `outputs`? the recipe of `add_product` knows `inputs`, `outputs`, `inherits`, `side_effects`, `errors`"
    );
}

#[test]
fn every_mistake_in_an_entry_says_what_was_expected() {
    for (entry, expected) in [
        (
            "{field: price, min: 1, treshold: 2}",
            "did you mean `threshold`?",
        ),
        (
            "{field: price, min: 1, threshold_max: 2}",
            "did you mean `max_threshold`?",
        ),
        ("{field: price, minimum: 1}", "did you mean `min`?"),
        (
            "{field: price, min: 1, level: X}",
            "unknown level `X` | expected `S`",
        ),
        (
            "{field: price, min: 1, level: 5}",
            "`level` is 5 | expected a string",
        ),
        (
            "{field: price, min: abc}",
            "`min` is \"abc\" | expected a number",
        ),
        (
            "{field: price, min: }",
            "`min` is empty | expected a number",
        ),
        (
            "{field: price, max: .nan}",
            "`max` has a limit that is not finite",
        ),
        (
            "{field: price, max: 1e400}",
            "`max` has a limit that is not finite",
        ),
        (
            "{field: price, in: [1, [.inf]]}",
            "`in` has a limit that is not finite",
        ),
        (
            "{field: price, in: []}",
            "`in` is an empty list | expected at least one value",
        ),
        (
            "{field: price, in: 5}",
            "`in` is 5 | expected a list of values",
        ),
        (
            "{field: price, min_len: -1}",
            "`min_len` is -1 | expected a whole number",
        ),
        (
            "{field: price, max_len: 1.5}",
            "`max_len` is 1.5 | expected a whole number",
        ),
        ("{field: price, type: strng}", "did you mean `string`?"),
        (
            "{field: price, type: [int]}",
            "`type` is a list | expected one of `bool`",
        ),
        (
            "{field: price, eq: {a: 1, a: 2}}",
            "the key `a` comes twice",
        ),
        (
            "{field: price}",
            "the entry has no condition, so it would check nothing",
        ),
        ("{min: 1}", "the entry names no field"),
        ("5", "an entry is an int, expected a map"),
        ("[]", "an entry is an empty list, expected a map"),
        ("{field: 5, min: 1}", "`field` is 5 | expected a string"),
        ("{field: '', min: 1}", "expected an argument's name"),
        (
            "{field: domain..x, min: 1}",
            "expected a name of letters, digits, `_` or `-` at byte 7",
        ),
        (
            "{field: a..x, min: 1}",
            "expected a name of letters, digits, `_` or `-` at byte 2",
        ),
        (
            "{field: args..x, min: 1}",
            "expected a name of letters, digits, `_` or `-` at byte 5",
        ),
        ("{field: 'a[01]', min: 1}", "`a[01]` is no field"),
        (
            "{field: args, min: 1}",
            "expected an argument's name behind `args`",
        ),
        ("{field: 'args[0]', min: 1}", "arguments have names"),
        ("{field: old.x, min: 1}", "`old` is for `expr` only"),
        ("{field: domain._x, min: 1}", "private to the host"),
        (
            "{field: result, min: 1}",
            "the process has not run | move the entry to `outputs`",
        ),
        ("{field: domain.sig_x, eq: true}", "in the signal zone"),
        ("{field: domain.box.meta_x, eq: 1}", "in the meta zone"),
        (
            "{field: price, min: 1, threshold: 0}",
            "`threshold` is 0 | expected a whole number from 1 on",
        ),
        (
            "{field: price, min: 1, min_threshold: -1}",
            "expected a whole number from 0 on",
        ),
        (
            "{field: price, min: 1, threshold: 2, max_threshold: 2}",
            "two spellings of one thing",
        ),
        (
            "{field: price, min: 1, min_threshold: 3}",
            "`min_threshold` 3 is above `max_threshold` 1",
        ),
        (
            "{field: price, min: 1, optional: yes}",
            "`optional` is \"yes\" | expected `true` or `false`",
        ),
        (
            "{field: price, min: 1, reset_on_success: 1}",
            "expected `true` or `false`",
        ),
        (
            "{field: price, min: 1, message: 5}",
            "`message` is 5 | expected a string",
        ),
        (
            "{field: price, min: 1, message: 'over {limt}'}",
            "did you mean `{limit}`?",
        ),
    ] {
        let found = entry_error(entry);
        assert!(found.contains(expected), "{entry}: {found}");
    }
}

#[test]
fn every_mistake_around_the_entries_is_refused() {
    for (text, expected) in [
        (
            "process_recipe: {}",
            "recipe.yaml:1:1: unknown key `process_recipe` in a recipe file",
        ),
        ("- 1", "a recipe file is a list, expected a map"),
        (
            "process_recipes: 5",
            "`process_recipes` is an int, expected a map",
        ),
        (
            "process_recipes: {a: {}, a: {}}",
            "the key `a` comes twice in `process_recipes`",
        ),
        (
            "process_recipes: {a: []}",
            "the recipe of `a` is an empty list, expected a map",
        ),
        (
            "process_recipes: {a: {input: []}}",
            "did you mean `inputs`?",
        ),
        (
            "process_recipes: {a: {inputs: {}}}",
            "`inputs` is a map, expected a list",
        ),
        (
            "process_recipes: {a: {errors: }}",
            "`errors` is nil, expected a list",
        ),
        ("process_recipes: {a: {errors: [1]}}", "`errors` is 1"),
        ("audit: {levle: S}", "did you mean `level`?"),
        ("audit: {level: s}", "did you mean `S`?"),
        ("audit: {max_threshold: 3}", "did you mean `threshold_max`?"),
        (
            "audit: {threshold_max: x}",
            "expected a whole number from 1 on",
        ),
        (
            "audit: {reset_on_success: no}",
            "expected `true` or `false`",
        ),
        ("process_recipes: [1, 2", "recipe.yaml:1:18: not YAML:"),
        ("a: b: c", "recipe.yaml:1:5: not YAML:"),
        (
            "{field: a[0].x, min: 1}",
            "needs quotes, such as `'items[0].price'`",
        ),
        ("x: *nope", "not YAML:"),
        ("process_recipes: {}\n---\nb: 2", "not YAML:"),
        ("\u{1}", "not YAML:"),
    ] {
        let found = errors(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn empty_and_placeholder_recipes_are_fine() {
    for text in [
        "",
        "# nothing yet\n",
        "process_recipes:\n",
        "process_recipes: {}\naudit:\n",
        "process_recipes:\n  add_product:\n",
        "process_recipes: {add_product: {inputs: , outputs: []}}",
    ] {
        let recipe = Recipe::parse(text, "recipe.yaml").expect(text);
        if let Some(rules) = recipe.bind(&contract()).expect(text) {
            assert!(rules.rules(Gate::Input).is_empty());
        }
    }
}
