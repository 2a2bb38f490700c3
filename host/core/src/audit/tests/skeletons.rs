//! Recipes made from contracts.

use super::*;

const SECTION: &str = r#"{"name":"transfer","summary":"Moves \u001bmoney\nprocess_recipes: {}","parameters":[{"name":"from","kind":"string"},{"name":"amount","kind":"int"},{"name":"fee","kind":"float","optional":true},{"name":"to","kind":"list"},{"name":"force","kind":"bool"},{"name":"more","kind":"any"},{"name":"token","kind":"bytes","secret":true}],"outputs":["domain.accounts.{from}.balance","domain.log","domain[\"it's, odd\"]","domain.sig_moved","domain.meta_note.{from}"],"errors":["ValueError","yes"]}
{"name":"null"}"#;

fn contracts() -> Vec<Contract> {
    Contract::parse_section(SECTION.as_bytes()).expect("contracts")
}

const SKELETON: &str = r#"process_recipes:
  # Moves \u{1b}money\nprocess_recipes: {}
  transfer:
    inputs:
      # - { field: args.from, min_len: 1, level: B }
      # - { field: args.amount, min: 0, level: B }
      # - { field: args.fee, min: 0, level: B, optional: true }
      # - { field: args.to, max_len: 1000, level: B }
      # - { field: args.force, eq: true, level: B }
      # - { field: args.more, neq: null, level: B }
      # - { field: args.token, min_len: 1, level: B }
    outputs:
      # - { expr: 'domain["accounts"][args["from"]]["balance"] != null', level: B }
      # - { field: domain.log, neq: null, level: B }
      # - { field: 'domain["it''s, odd"]', neq: null, level: B }
      # - { field: domain.sig_moved, neq: null, level: B, optional: true }
    side_effects: []
    errors: [ValueError, 'yes']
  'null':
    inputs:
    outputs:
    side_effects: []
    errors: []
"#;

#[test]
fn a_skeleton_is_a_recipe_and_so_is_what_it_suggests() {
    assert_eq!(skeleton(&contracts()), SKELETON);
    for (text, rules) in [
        (SKELETON.to_owned(), 0),
        (SKELETON.replace("      # - ", "      - "), 11),
    ] {
        let recipe = Recipe::parse(&text, "r").unwrap_or_else(|error| panic!("{error}"));
        let mut bound = 0;
        for contract in contracts() {
            let of_process = recipe
                .bind(&contract)
                .unwrap_or_else(|error| panic!("{error}"));
            let of_process = of_process.expect("it is named");
            bound += of_process.rules(Gate::Input).len() + of_process.rules(Gate::Output).len();
        }
        assert_eq!(bound, rules);
    }
}

#[test]
fn merging_keeps_what_is_there_byte_for_byte() {
    let added = &SKELETON["process_recipes:\n".len()..];
    let null = &added[added.find("  'null'").expect("there")..];
    let deeper = null
        .replace("    ", "\u{1}")
        .replace("  ", "    ")
        .replace('\u{1}', "        ");
    for (before, after) in [
        (String::new(), SKELETON.to_owned()),
        ("# a note".into(), format!("# a note\n{SKELETON}")),
        ("process_recipes:\n".into(), SKELETON.to_owned()),
        ("process_recipes:".into(), SKELETON.to_owned()),
        (
            "audit: {level: B}\n".into(),
            format!("audit: {{level: B}}\n{SKELETON}"),
        ),
        (
            "process_recipes:\n  # mine\n  transfer: {}   # odd\n".into(),
            format!("process_recipes:\n  # mine\n  transfer: {{}}   # odd\n{null}"),
        ),
        (
            "process_recipes:\n  transfer: {}\n  # last\n\n# of the next\naudit:\n  level: B\n"
                .into(),
            format!(
                "process_recipes:\n  transfer: {{}}\n  # last\n{null}\n# of the next\naudit:\n  level: B\n"
            ),
        ),
        (
            "audit:\n  level: B\nprocess_recipes:\n    transfer:\n        inputs: []\n".into(),
            format!(
                "audit:\n  level: B\nprocess_recipes:\n    transfer:\n        inputs: []\n{deeper}"
            ),
        ),
        (
            "process_recipes:\r\n  transfer: {}\r\n".into(),
            format!(
                "process_recipes:\r\n  transfer: {{}}\r\n{}",
                null.replace('\n', "\r\n")
            ),
        ),
    ] {
        let merged =
            merge(&before, "r", &contracts()).unwrap_or_else(|error| panic!("{before}: {error}"));
        assert_eq!(merged.text, after, "{before}");
        let again = merge(&after, "r", &contracts()).expect("a recipe");
        assert_eq!((again.text, again.added.len()), (after, 0));
    }
}

#[test]
fn what_cannot_be_added_to_says_so() {
    for (text, expected) in [
        (
            "process_recipes: {transfer: {}}\n",
            "r: `process_recipes` is not written line by line; print the skeleton",
        ),
        (
            "process_recipes:\n  {transfer: {}}\n",
            "r: it is laid out so that nothing can be added to it; print",
        ),
        (
            "process_recipes:\n  transfer: {}\n...\n",
            "laid out so that nothing can be added",
        ),
        ("{audit: {}}\n", "laid out so that nothing can be added"),
        ("process_recipes: {}\n", "not written line by line"),
        (
            "process_recipes:\n  transfer: {inputz: []}\n",
            "unknown key `inputz`",
        ),
        ("- 1\n", "a recipe file is a list"),
    ] {
        let error = merge(text, "r", &contracts()).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    // A block scalar at the end is text, not a place for more keys.
    let text = "process_recipes:\n  transfer:\n    inputs:\n      - field: amount\n        min: 0\n        message: |\n          # no comment\n";
    let merged = merge(text, "r", &contracts()).expect("merged");
    assert!(merged.text.starts_with(text));
    assert_eq!(merged.added, ["null"]);
    // Blanks that belong to a text above are not moved below what is added.
    let text = "process_recipes:\n  transfer:\n    inputs:\n      - field: amount\n        min: 0\n        message: |+\n          kept\n\n\naudit: {}\n";
    let error = merge(text, "r", &contracts()).expect_err("it would change a message");
    assert!(
        error.contains("adding to it would change what it says"),
        "{error}"
    );
}
