//! Inherited rules, and rules for every process.

use super::file::errors;
use super::*;

fn names(text: &str, contract: &Contract) -> Vec<String> {
    let recipe = Recipe::parse(text, "r").unwrap_or_else(|error| panic!("{error}"));
    let rules = recipe
        .bind(contract)
        .unwrap_or_else(|error| panic!("{error}"))
        .expect("the recipe holds for the process");
    let told = |rule: &Rule| format!("{} {}", rule.origin().recipe, rule.name());
    let all = rules
        .rules(Gate::Input)
        .iter()
        .chain(rules.rules(Gate::Output));
    all.map(told).collect()
}

fn refused(text: &str, contract: &Contract) -> String {
    let recipe = Recipe::parse(text, "r").unwrap_or_else(|error| panic!("{error}"));
    recipe.bind(contract).expect_err(text).to_string()
}

fn other() -> Contract {
    let line = r#"{"name":"other","parameters":[{"name":"amount","kind":"int"}]}"#;
    Contract::parse_section(line.as_bytes())
        .expect("contract")
        .remove(0)
}

const LINE: &str = "process_recipes:
  add_product:
    inherits: middle
    inputs: [{field: price, min: 3}, {field: price, min: 4}]
  middle:
    inherits: first
    inputs: [{field: price, min: 2, max: 9}]
  first:
    inputs: [{field: price, min: 1}]
    outputs: [{field: result, type: any}]
    errors: [SomethingElse]
  '*':
    inherits: common
    inputs: [{field: domain.total_value, min: 0}]
  common:
    outputs: [{expr: 'domain.total_value >= old.domain.total_value'}]
";

#[test]
fn rules_for_every_process_come_first_then_the_farthest_ancestors() {
    assert_eq!(
        names(LINE, &contract()),
        [
            "* domain.total_value min 0",
            "first price min 1",
            "middle price min 2",
            "middle price max 9",
            "add_product price min 3",
            "add_product price min 4",
            "common expr domain.total_value >= old.domain.total_value",
            "first result type any",
        ]
    );
    assert_eq!(
        names(LINE, &other()),
        [
            "* domain.total_value min 0",
            "common expr domain.total_value >= old.domain.total_value",
        ]
    );
    let recipe = Recipe::parse(LINE, "r").expect("recipe");
    let rules = recipe.bind(&contract()).expect("bound").expect("rules");
    let positions: Vec<_> = rules
        .rules(Gate::Input)
        .iter()
        .map(|it| it.id().position)
        .collect();
    assert_eq!(positions, [0, 1, 2, 2, 3, 4]);
    // What is inherited is applied, so nothing is said about it.
    assert_eq!(recipe.notes(&["add_product"]), Ok(Vec::new()));
    let processes: Vec<_> = recipe.processes().collect();
    assert_eq!(processes, ["add_product", "middle", "first", "common"]);
}

#[test]
fn a_recipe_holds_once_by_however_many_ways() {
    let text = "process_recipes:
  add_product: {inherits: common}
  '*': {inherits: common}
  common: {inputs: [{field: domain.a, min: 1}]}
";
    assert_eq!(names(text, &contract()), ["common domain.a min 1"]);
}

#[test]
fn what_inherits_from_nothing_or_itself_is_refused() {
    let text = "process_recipes:
  one: {inherits: two}
  two: {inherits: three}
  three: {inherits: one}
  itself: {inherits: itself}
  near: {inherits: tow}
  far: {inherits: nothing_like_it}
  star: {inherits: '*'}
  wrong: {inherits: [one]}
  into: {inherits: one}
";
    assert_eq!(
        errors(text),
        "\
recipe.yaml:2:19: `one` inherits from itself: one <- two <- three <- one
  2 |   one: {inherits: two}
    |                   ^^^
  help: take one of these `inherits` out
recipe.yaml:3:19: `two` inherits from itself: two <- three <- one <- two
  3 |   two: {inherits: three}
    |                   ^^^^^
  help: take one of these `inherits` out
recipe.yaml:4:21: `three` inherits from itself: three <- one <- two <- three
  4 |   three: {inherits: one}
    |                     ^^^
  help: take one of these `inherits` out
recipe.yaml:5:22: `itself` inherits from itself: itself <- itself
  5 |   itself: {inherits: itself}
    |                      ^^^^^^
  help: take one of these `inherits` out
recipe.yaml:6:20: there is no recipe `tow` to inherit
  6 |   near: {inherits: tow}
    |                    ^^^
  help: did you mean `two`? there are `one`, `two`, `three`, `itself`, `far`, `star`, `wrong`, `into`
recipe.yaml:7:19: there is no recipe `nothing_like_it` to inherit
  7 |   far: {inherits: nothing_like_it}
    |                   ^^^^^^^^^^^^^^^
  help: there are `one`, `two`, `three`, `itself`, `near`, `star`, `wrong`, `into`
recipe.yaml:8:20: `*` holds for every process without being inherited
  8 |   star: {inherits: '*'}
    |                    ^^^
  help: leave this out
recipe.yaml:9:21: `inherits` is a list
  9 |   wrong: {inherits: [one]}
    |                     ^
  help: expected a string
recipe.yaml:10:20: `into` inherits through more than 16 recipes, or from ones that inherit in a circle
  10 |   into: {inherits: one}
     |                    ^^^
  help: inherit from one nearer to the first"
    );
    let found =
        errors("process_recipes:\n  '*': {inherits: '*'}\n  p: {inherit: q}\n  q: {extends: p}\n");
    assert!(
        found.contains("`*` holds for every process without being inherited"),
        "{found}"
    );
    assert_eq!(
        found.matches("did you mean `inherits`?").count(),
        2,
        "{found}"
    );
}

#[test]
fn a_line_of_ancestors_is_bounded() {
    let line = |len: usize| {
        let recipes: Vec<String> = (0..len)
            .map(|at| format!("  p{at}: {{inherits: p{}}}\n", at + 1))
            .collect();
        format!("process_recipes:\n{}  p{len}: {{}}\n", recipes.concat())
    };
    assert!(Recipe::parse(&line(16), "r").is_ok());
    let error = Recipe::parse(&line(17), "r").expect_err("too long");
    assert_eq!(error.errors.len(), 1);
    assert!(
        error.to_string().contains("through more than 16 recipes"),
        "{error}"
    );
}

#[test]
fn inherited_fields_must_be_there() {
    let text = "process_recipes:
  add_product: {inherits: base}
  base:
    inputs:
      - {field: amount, min: 0, optional: true}
";
    assert_eq!(
        refused(text, &contract()),
        "\
r:5:17: `add_product` has no parameter `amount`, which it inherits from `base`
  5 |       - {field: amount, min: 0, optional: true}
    |                 ^^^^^^
  help: it takes `product_name`, `price`, `order`, `note`, `token`, `keys`; a place in the context begins with `domain` or `global`"
    );
}

#[test]
fn a_rule_for_every_process_may_leave_some_out_only_where_it_says_so() {
    let star = |entry: &str| format!("process_recipes:\n  '*':\n    inputs:\n      - {entry}\n");
    assert_eq!(
        refused(&star("{field: amount, min: 0}"), &contract()),
        "\
r:4:17: `add_product` has no parameter `amount`, and the entry holds for every process
  4 |       - {field: amount, min: 0}
    |                 ^^^^^^
  help: it takes `product_name`, `price`, `order`, `note`, `token`, `keys`; a place in the context begins with `domain` or `global`; `optional: true` leaves out the processes that do not have the parameter"
    );
    let entry = star("{field: amount, min: 0, optional: true}");
    assert_eq!(names(&entry, &contract()), [""; 0]);
    assert_eq!(names(&entry, &other()), ["* amount min 0"]);
    // A slip of the pen would leave the rule out of every process.
    let found = refused(&star("{field: prise, min: 0, optional: true}"), &contract());
    assert!(found.contains("did you mean `price`?"), "{found}");
    let expression = star("{field: amount, expr: 'args.amount < 5', optional: true}");
    assert_eq!(names(&expression, &contract()), [""; 0]);
    let found = refused(&star("{expr: 'args.amount < 5'}"), &contract());
    assert!(found.contains("no parameter `amount`"), "{found}");
}

#[test]
fn lists_for_every_process_agree_with_every_contract() {
    let text = "process_recipes:\n  '*': {side_effects: [], errors: []}\n";
    assert_eq!(names(text, &other()), [""; 0]);
    let found = refused(text, &contract());
    assert!(
        found.contains(
            "the errors of `add_product` are none in the recipe, but `ValueError` in its contract"
        ),
        "{found}"
    );
}
