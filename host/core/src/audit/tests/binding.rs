//! How a recipe meets contracts and loaded processes.

use super::*;

#[test]
fn fields_meet_the_contracts_parameters() {
    let bind = |text: &str| {
        let recipe = Recipe::parse(text, "recipe.yaml").expect(text);
        recipe.bind(&contract()).expect_err(text).to_string()
    };
    assert_eq!(
        bind(
            "process_recipes:\n  add_product:\n    inputs:\n      - {field: prise, min: 0, max: 4}\n"
        ),
        "\
recipe.yaml:4:17: `add_product` has no parameter `prise`
  4 |       - {field: prise, min: 0, max: 4}
    |                 ^^^^^
  help: did you mean `price`? it takes `product_name`, `price`, `order`, `note`, `token`, `keys`"
    );
    let outputs = |field: &str| {
        bind(&format!(
            "process_recipes: {{add_product: {{outputs: [{{field: {field}, min: 0}}]}}}}"
        ))
    };
    assert!(outputs("Domain.items").contains("did you mean `domain`?"));
    assert!(outputs("args.zzz").contains("a place in the context begins with"));
}

#[test]
fn side_effects_and_errors_agree_with_the_contract() {
    let bind = |list: &str| {
        let text = format!("process_recipes: {{add_product: {{{list}}}}}");
        let recipe = Recipe::parse(&text, "recipe.yaml").expect(list);
        recipe
            .bind(&contract())
            .map(|_| ())
            .map_err(|error| error.errors[0].message.clone())
    };
    assert_eq!(bind("errors: [ValueError], side_effects: []"), Ok(()));
    assert_eq!(
        bind("errors: []"),
        Err(
            "the errors of `add_product` are none in the recipe, but `ValueError` in its contract"
                .into()
        )
    );
    assert_eq!(
        bind("side_effects: [clock]"),
        Err(
            "the side effects of `add_product` are `clock` in the recipe, but none in its contract"
                .into()
        )
    );
}

#[test]
fn processes_that_are_not_loaded_are_noted_and_near_misses_refused() {
    let recipe = Recipe::parse(
        "process_recipes:\n  add_prodcut: {}\n  other: {}\n",
        "r.yaml",
    )
    .expect("recipe");
    assert_eq!(
        recipe.processes().collect::<Vec<_>>(),
        ["add_prodcut", "other"]
    );
    assert_eq!(
        recipe.notes(&["other", "third"]).expect("notes"),
        ["r.yaml:2:3: the rules of `add_prodcut` are not applied: no such process is loaded"]
    );
    let error = recipe.notes(&["add_product"]).expect_err("a near miss");
    assert_eq!((error.errors[0].line, error.errors[0].column), (2, 3));
    assert!(
        error.to_string().contains("did you mean `add_product`?"),
        "{error}"
    );
    // Siblings with similar names are no mistake where the loaded one has rules of its own.
    let recipe =
        Recipe::parse("process_recipes:\n  step_1: {}\n  step_2: {}\n", "r.yaml").expect("recipe");
    assert_eq!(recipe.notes(&["step_1"]).map(|notes| notes.len()), Ok(1));
    assert!(recipe.bind(&contract()).expect("nothing to bind").is_none());
}
