//! Rules from their text to their verdicts.

mod agree;
mod binding;
mod counters;
mod declared;
mod documentation;
mod expression_rules;
mod expressions;
mod family;
mod file;
mod gates;
mod hostile;
mod inheritance;
mod messages;
mod refused_expressions;
mod skeletons;

use super::*;
use crate::contract::Contract;
use crate::path::Path;
use crate::tree::Tree;
use crate::value::{Map, Value};
use std::sync::Arc;

/// A contract with every sort of parameter that rules know.
pub(super) fn contract() -> Contract {
    let line = r#"{"name":"add_product","parameters":[
        {"name":"product_name","kind":"string"},{"name":"price","kind":"int"},{"name":"order","kind":"map"},
        {"name":"note","kind":"string","optional":true},{"name":"token","kind":"string","secret":true},
        {"name":"keys","kind":"list","secret":true}],
        "inputs":["domain.items"],"outputs":["domain.items","domain.total_value","domain.sig_restock_needed"],
        "errors":["ValueError"]}"#;
    let line = line.replace('\n', " ");
    Contract::parse_section(line.as_bytes())
        .expect("a contract")
        .remove(0)
}

/// Rules for `add_product` from the entries of its gates.
pub(super) fn rules(inputs: &[&str], outputs: &[&str]) -> Arc<ProcessRules> {
    rules_with("", inputs, outputs)
}

pub(super) fn rules_with(audit: &str, inputs: &[&str], outputs: &[&str]) -> Arc<ProcessRules> {
    let text = format!(
        "{audit}\nprocess_recipes:\n  add_product:\n    inputs: [{}]\n    outputs: [{}]\n",
        inputs.join(", "),
        outputs.join(", ")
    );
    let recipe = Recipe::parse(&text, "recipe.yaml").unwrap_or_else(|error| panic!("{error}"));
    recipe
        .bind(&contract())
        .unwrap_or_else(|error| panic!("{error}"))
        .expect("the recipe names the process")
}

pub(super) fn map(json: &str) -> Map {
    match serde_json::from_str(json).expect(json) {
        Value::Map(map) => map,
        other => panic!("{other:?} is no map"),
    }
}

pub(super) fn tree(domain: &str) -> Tree {
    Tree::new(map(r#"{"max_capacity":500}"#), map(domain))
}

pub(super) fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

/// What the input gate finds for these arguments, as first-time messages.
pub(super) fn messages(rules: &ProcessRules, args: &Map) -> Vec<String> {
    let findings = rules.evaluate(
        Gate::Input,
        &Facts {
            args,
            tree: &tree("{}"),
            result: None,
            written: None,
        },
    );
    Tracker::new()
        .judge(rules, Gate::Input, &findings, Tick::Record)
        .verdicts
        .into_iter()
        .map(|verdict| verdict.message)
        .collect()
}
