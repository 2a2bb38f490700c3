//! Rules against what is declared: the kinds of parameters, and the schema of the context.

use super::*;
use crate::schema::Schema;

const SCHEMA: &str = "
context:
  global: { max_capacity: { type: int, min: 0, default: 500 } }
  domain:
    items: { type: list, max_len: 3, items: { type: map, fields: { name: { type: string, required: true, max_len: 8 }, price: { type: int, min: 0 } } } }
    total_value: { type: int, default: 0, min: 0, max: 1000 }
    rate: { type: float }
    note: { type: any }
    open: { type: map, fields: { a: { type: bool } }, open: true }
    sig_restock_needed: { type: bool, default: false }
";

fn bound(inputs: &str, outputs: &str) -> Result<Vec<String>, RecipeErrors> {
    let text = format!(
        "process_recipes:\n  add_product:\n    inputs: [{inputs}]\n    outputs: [{outputs}]\n"
    );
    let recipe = Recipe::parse(&text, "r.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    let schema = Schema::parse(SCHEMA, "schema.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    let rules = recipe.bind_within(&contract(), &schema)?.expect("rules");
    Ok(rules.notes().to_vec())
}

/// The only error for an entry: its message, and its help.
#[track_caller]
fn refused(inputs: &str, outputs: &str) -> String {
    let errors = match bound(inputs, outputs) {
        Ok(notes) => panic!("accepted: {inputs} {outputs}: {notes:?}"),
        Err(errors) => errors,
    };
    assert_eq!(errors.errors.len(), 1, "{errors}");
    let error = &errors.errors[0];
    format!(
        "{} | {}",
        error.message,
        error.help.clone().unwrap_or_default()
    )
}

#[test]
fn a_place_that_the_schema_cannot_have_is_refused_with_the_nearest_word() {
    for (field, expected) in [
        (
            "domain.total_valeu",
            "nothing can ever be at `domain.total_valeu`: `domain` is a closed map that does not declare `total_valeu` (schema.yaml:4) | did you mean `domain.total_value`? else declare the key in the schema (schema.yaml:4)",
        ),
        // The other layer has it.
        ("global.total_value", "did you mean `domain.total_value`?"),
        ("domain.max_capacity", "did you mean `global.max_capacity`?"),
        (
            "'domain.items[0].prise'",
            "did you mean `domain.items[0].price`?",
        ),
        (
            "domain.items.name",
            "`domain.items` is declared as `list`, which has no keys",
        ),
        (
            "domain.total_value.x",
            "`domain.total_value` is declared as `int`, which has no keys",
        ),
        ("'domain[0]'", "which has no elements"),
        ("domain.sig_restock", "closed map that does not declare"),
    ] {
        let found = refused("", &format!("{{field: {field}, type: any}}"));
        assert!(found.contains(expected), "{field}: {found}");
        // That it may be absent does not help: nothing would ever be looked at.
        let optional = format!("{{field: {field}, type: any, optional: true}}");
        assert_eq!(refused("", &optional), found);
    }
    for field in [
        "'domain.note.a[3].b'",
        "domain.open.other.x",
        "domain.open.a",
        "'domain.items[2].name'",
        "global",
    ] {
        let entry = format!("{{field: {field}, type: any}}");
        assert_eq!(bound("", &entry).expect(field), [""; 0], "{field}");
    }
}

#[test]
fn a_condition_that_no_value_meets_is_refused() {
    let output = |entry: &str| refused("", entry);
    for (entry, expected) in [
        (
            "{field: 'domain.items[0].name', min: 3}",
            "`min` needs a number, and `domain.items[0].name` is a string (schema.yaml:5): no value of it would pass | for a string there are `min_len`, `max_len`, `regex`, and",
        ),
        (
            "{field: domain.total_value, max_len: 3}",
            "`max_len` needs a list, a map, a string or bytes, and `domain.total_value` is an int (schema.yaml:6)",
        ),
        ("{field: domain.items, regex: a}", "`regex` needs a string"),
        (
            "{field: domain.total_value, eq: '5'}",
            "`eq` compares with a string, and `domain.total_value` is an int",
        ),
        (
            "{field: domain.total_value, eq: 5.5}",
            "compares with what is no whole number",
        ),
        (
            "{field: domain.total_value, neq: '5'}",
            "`neq` compares with a string",
        ),
        (
            "{field: domain.total_value, in: [a, b]}",
            "`in` compares with a string",
        ),
        (
            "{field: 'domain.items[0].name', type: int}",
            "`type` asks for the type `int`, and `domain.items[0].name` is a string",
        ),
        (
            "{field: domain.sig_restock_needed, eq: 1}",
            "`eq` compares with an int, and `domain.sig_restock_needed` is a bool",
        ),
        (
            "{field: domain.total_value, min: 1001}",
            "`min` 1001 contradicts the schema, which gives `domain.total_value` `max` 1000 (schema.yaml:6): no value of it would pass | change the rule, or the declaration in the schema",
        ),
        (
            "{field: domain.total_value, max: -1}",
            "which gives `domain.total_value` `min` 0",
        ),
        (
            "{field: domain.total_value, eq: 1001}",
            "`eq` 1001 contradicts the schema",
        ),
        (
            "{field: domain.total_value, in: [-1, 2000]}",
            "`in` [-1, 2000] contradicts",
        ),
        (
            "{field: domain.items, min_len: 4}",
            "gives `domain.items` a length of 3 at most",
        ),
        (
            "{field: 'domain.items[0]', max_len: 0}",
            "a length of 1 at least",
        ),
        (
            "{field: 'domain.items[0]', min_len: 3}",
            "a length of 2 at most",
        ),
        (
            "{field: 'domain.items[0].name', eq: much_too_long}",
            "gives `domain.items[0].name` `max_len` 8",
        ),
    ] {
        let found = output(entry);
        assert!(found.contains(expected), "{entry}: {found}");
    }
    // What a value can meet and break alike is an ordinary rule.
    for entry in [
        "{field: domain.total_value, min: 1, max: 999}",
        "{field: domain.total_value, eq: 5.0}",
        "{field: domain.total_value, neq: 5}",
        "{field: domain.total_value, in: [0, 1000]}",
        "{field: domain.rate, type: int}",
        "{field: domain.rate, eq: 5}",
        "{field: domain.items, max_len: 2, min_len: 1}",
        "{field: 'domain.items[0]', max_len: 1}",
        "{field: 'domain.items[0].name', regex: a}",
        "{field: domain.note, min: 1}",
        "{field: result, min: 1}",
    ] {
        assert_eq!(bound("", entry).expect(entry), [""; 0], "{entry}");
    }
}

#[test]
fn a_rule_that_can_never_act_is_noted() {
    for (inputs, expected) in [
        (
            "{field: global.max_capacity, min: 0, optional: true}",
            "r.yaml:3:48: the rule `global.max_capacity min 0` can never act: the schema gives `global.max_capacity` `min` 0 (schema.yaml:3)",
        ),
        (
            "{field: domain.total_value, max: 5000}",
            "acts only where nothing is there: the schema gives `domain.total_value` `max` 1000",
        ),
        (
            "{field: domain.items, max_len: 3}",
            "a length of 3 at most (schema.yaml:5)",
        ),
        (
            "{field: domain.total_value, neq: -1}",
            "the schema gives `domain.total_value` `min` 0",
        ),
        (
            "{field: price, type: int}",
            "the rule `price type int` can never act: it asks for the type `int`, and the parameter `price` of `add_product` is an int",
        ),
        ("{field: price, type: float}", "can never act"),
        ("{field: price, neq: null}", "it compares with nil"),
        (
            "{field: product_name, min_len: 0}",
            "can never act: it lets every value pass",
        ),
        (
            "{field: note, type: string}",
            "acts only where nothing is there",
        ),
        (
            "{field: price, in: [1, '2']}",
            "`in` lists \"2\", which nothing equals: the parameter `price` of `add_product` is an int",
        ),
        (
            "{field: domain.total_value, in: [1, 2000]}",
            "`in` lists 2000, which nothing equals: `domain.total_value` has `max` 1000 by the schema (schema.yaml:6)",
        ),
    ] {
        let notes = bound(inputs, "").expect(inputs);
        assert_eq!(notes.len(), 1, "{inputs}: {notes:?}");
        assert!(notes[0].contains(expected), "{inputs}: {notes:?}");
    }
    // These are about whether something is there, whatever it is.
    for inputs in [
        "{field: note, type: any}",
        "{field: note, neq: null}",
        "{field: note, eq: null, optional: true}",
        "{field: domain.total_value, type: any}",
        "{field: domain.total_value, eq: null, optional: true}",
    ] {
        assert_eq!(bound(inputs, "").expect(inputs), [""; 0], "{inputs}");
    }
    for (inputs, acts) in [
        ("{field: price, type: any}", "can never act"),
        ("{field: note, type: any, optional: true}", "can never act"),
    ] {
        let notes = bound(inputs, "").expect(inputs).concat();
        assert!(notes.contains(acts), "{inputs}: {notes}");
    }
    // At the output gate it acts, with its level, before the schema is asked: a run may have written anything.
    for outputs in [
        "{field: domain.total_value, max: 5000, level: S}",
        "{field: domain.total_value, type: int, level: S}",
    ] {
        assert_eq!(bound("", outputs).expect(outputs), [""; 0], "{outputs}");
    }
}

#[test]
fn conditions_meet_the_kinds_of_parameters_without_a_schema() {
    let refused = |inputs: &str| {
        let text = format!("process_recipes: {{add_product: {{inputs: [{inputs}]}}}}");
        let recipe = Recipe::parse(&text, "r.yaml").expect(inputs);
        let errors = recipe.bind(&contract()).expect_err(inputs);
        errors.errors[0].message.clone()
    };
    for (entry, expected) in [
        (
            "{field: product_name, min: 1}",
            "`min` needs a number, and the parameter `product_name` of `add_product` is a string: no value of it would pass",
        ),
        ("{field: price, regex: '^[0-9]'}", "`regex` needs a string"),
        ("{field: price, max_len: 3}", "`max_len` needs a list"),
        ("{field: price, eq: null}", "`eq` compares with nil"),
        ("{field: order, type: list}", "asks for the type `list`"),
        (
            "{field: price.amount, min: 1}",
            "nothing can ever be at `price.amount`: the parameter `price` of `add_product` is an int, which has no keys",
        ),
        (
            "{field: 'order[0]', min: 1}",
            "is a map, which has no elements",
        ),
        (
            "{expr: 'args.product_name.first == 1'}",
            "nothing can ever be at `product_name.first`",
        ),
    ] {
        let found = refused(entry);
        assert!(found.contains(expected), "{entry}: {found}");
    }
    let every = "process_recipes: {'*': {inputs: [{field: price, regex: a, optional: true}]}}";
    let recipe = Recipe::parse(every, "r.yaml").expect(every);
    let errors = recipe.bind(&contract()).expect_err(every);
    let help = errors.errors[0].help.clone().expect("help");
    assert!(help.contains("the entry holds for every process"), "{help}");
}

#[test]
fn expressions_name_places_that_can_be() {
    for (expression, expected) in [
        (
            "domain.totl_value > 1",
            "did you mean `domain.total_value`?",
        ),
        (
            "args.price < global.max_capactiy",
            "did you mean `global.max_capacity`?",
        ),
        (
            "has(domain.total_value.x)",
            "declared as `int`, which has no keys",
        ),
        (
            "old.domain.totl_value == domain.total_value",
            "did you mean `domain.total_value`?",
        ),
        (
            "domain.items[0].prise > 0",
            "did you mean `domain.items[0].price`?",
        ),
        ("domain.sig_restock", "closed map that does not declare"),
        // Places that only a run finds.
        (
            "domain.items.all(i, i.prise > 0)",
            "nothing can ever be at `domain.items[].prise`: `domain.items[]` is a closed map that does not declare `prise` (schema.yaml:5) | did you mean `domain.items[].price`?",
        ),
        (
            "domain.items.filter(i, i.price > 0).exists(i, has(i.prise))",
            "`domain.items[].prise`",
        ),
        (
            "domain.items[args.price].nmae == args.product_name",
            "did you mean `domain.items[].name`?",
        ),
        (
            "domain.items.map(i, i.price.x)[0] == 1",
            "`domain.items[].price` is declared as `int`",
        ),
        (
            "args.price > 0 && domain.items.all(i, i.name == 5)",
            "`==` compares `domain.items[].name`, a string (schema.yaml:5), with an int: that can never be decided | compare values of one kind",
        ),
        (
            "domain.total_value == args.product_name",
            "`==` compares `domain.total_value`, an int (schema.yaml:6), with `args.product_name`, a string",
        ),
        (
            "'TV' != args.price",
            "`!=` compares `args.price`, an int, with a string",
        ),
        (
            "true < domain.total_value",
            "`<` compares `domain.total_value`, an int (schema.yaml:6), with a bool",
        ),
    ] {
        let found = refused("", &format!("{{expr: \"{expression}\"}}"));
        assert!(found.contains(expected), "{expression}: {found}");
    }
    for expression in [
        "domain.total_value <= 10 && size(domain.items) < 3",
        "domain.items.all(i, i.price > 0)",
        "domain.note.anything[0].x == 1",
        "result.a.b == 1",
        "domain.sig_restock_needed",
        "domain.items[args.price].name == args.product_name",
        "domain.note.all(n, n.x.y == 1)",
        "domain.total_value < domain.rate && domain.total_value != 1.5",
        "args.note == null || args.note == domain.items[0].name",
        "domain.items.map(i, i.name).exists(n, n == args.product_name)",
        "domain.open.all(k, k == args.product_name)",
        "domain.open.a == domain.open.b",
    ] {
        let entry = format!("{{expr: '{expression}'}}");
        assert_eq!(bound("", &entry).expect(expression), [""; 0]);
    }
}

#[test]
fn everything_is_told_at_once_in_the_order_of_the_file() {
    let text = "\
process_recipes:
  add_product:
    inputs:
      - { field: prise, min: 0 }
      - { field: product_name, max: 3 }
    outputs:
      - { field: domain.totl, max: 3, min: 1 }
      - { expr: 'domain.item == 1' }
";
    let recipe = Recipe::parse(text, "r.yaml").expect("recipe");
    let schema = Schema::parse(SCHEMA, "schema.yaml").expect("schema");
    let errors = recipe
        .bind_within(&contract(), &schema)
        .expect_err("four")
        .errors;
    let places: Vec<_> = errors.iter().map(|it| (it.line, it.column)).collect();
    assert_eq!(places, [(4, 18), (5, 37), (7, 18), (8, 17)]);
    assert_eq!(
        errors[2].to_string(),
        "\
r.yaml:7:18: nothing can ever be at `domain.totl`: `domain` is a closed map that does not declare `totl` (schema.yaml:4)
  7 |       - { field: domain.totl, max: 3, min: 1 }
    |                  ^^^^^^^^^^^
  help: change the path, or the declaration at schema.yaml:4"
    );
}
