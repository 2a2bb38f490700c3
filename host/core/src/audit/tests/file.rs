use super::*;
fn errors(text: &str) -> String {
    match Recipe::parse(text, "recipe.yaml") {
        Ok(recipe) => panic!("accepted: {recipe:?}"),
        Err(error) => error.to_string(),
    }
}
#[test]
fn show() {
    let fam = std::fs::read_to_string("/work/shared/seed/family-recipe.yaml").unwrap();
    eprintln!("{}\n", errors(&fam));
    for t in [
"process_recipes:\n  add_product:\n    inputs:\n      - { field: price, mim: 0, level: b }\n      - field: price\n        max: \"10\"\n        max: 3\n        treshold: 2\n    output: []\n    outputs:\n      - {field: domain..x, min: 1}\n      - {field: result, max: 18446744073709551616}\n      - {field: domain._x, max: .nan}\n      - {field: x, type: strng}\n      - {field: x}\n      - {min: 1}\n      - 5\n      - {field: sig, in: [], min_len: -1, threshold: 0, max_threshold: 2, optional: yes, message: 'a {limt} {x}'}\n      - {field: q, eq: 1e400, min: 123456789012345678901234567890}\nprocess_recipes: {}\n\"*\": 1\n",
"process_recipes: [1, 2\n", "a: b: c\n", "- 1\n", "process_recipes:\n  a:\n    inputs:\n      - {field: result.x, min: 1}\n      - {field: domain.sig_x, min: 1}\n      - {field: args, min: 1}\n      - {field: 'args[0]', min: 1}\n      - {field: domain_ctx, min: 1}\n      - {field: old.x, min: 1}\n      - {field: '', min: 1}\n      - {field: a, min: 1, min_threshold: 3}\n    side_effects: x\n    errors: [1]\naudit: {levle: S, max_threshold: 3, threshold_max: x}",
"a: 1\n---\nb: 2\n", "\u{1}", "process_recipes: {a: &x {inputs: *x}}", "x: *nope",
    ] {
        eprintln!("{}\n-----", errors(t));
    }
    for t in ["", "# only\n", "process_recipes:\n", "process_recipes: {}\naudit:\n", "process_recipes:\n  p:\n", "process_recipes: {p: {inputs: , outputs: []}}", "---\n"] {
        Recipe::parse(t, "x").unwrap_or_else(|e| panic!("{t:?} {e}"));
    }
    let r = Recipe::parse("process_recipes:\n  add_product:\n    inputs:\n      - {field: prise, min: 0, max: 4}\n      - {field: Domain.items, min: 0}\n      - {field: zzz, min: 0}\n    side_effects: [clock]\n    errors: []\n  add_prodcut: {}\n  other: {}\n", "recipe.yaml").unwrap();
    eprintln!("{}", r.bind(&contract()).unwrap_err());
    eprintln!("{:?}", r.notes(&["add_product"]));
    eprintln!("{}", r.notes(&["add_products", "x"]).unwrap_err());
    panic!();
}
