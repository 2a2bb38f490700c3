//! What is read from files: the contract section of a guest, recipes and schemas.
//!
//! Bytes that are UTF-8 are read as they are; others choose among the words of the language, so that a fuzzer gets beyond
//! the first line without having to guess them.

mod words;

use self::words::{contract_line, damaged, recipe_text, schema_text};
use super::values::{Keys, argument, tree, value};
use super::{Broken, Dice, holds};
use crate::audit::{Facts, Gate, Recipe};
use crate::contract::{Contract, MAX_SECTION_BYTES};
use crate::pattern::PathPattern;
use crate::schema::Schema;
use crate::transaction::{Snapshot, Transaction};
use crate::tree::Tree;
use crate::value::Map;
use std::collections::HashSet;
use std::fmt::Debug;

pub(super) fn contracts(data: &[u8]) -> Result<(), Broken> {
    judge_section(data)?;
    let mut dice = Dice::new(data);
    let mut lines = String::new();
    for _ in 0..1 + dice.index(3) {
        lines.push_str(&contract_line(&mut dice));
        lines.push('\n');
    }
    judge_section(damaged(lines, &mut dice).as_bytes())
}

pub(super) fn recipes(data: &[u8]) -> Result<(), Broken> {
    let mut dice = Dice::new(data);
    match std::str::from_utf8(data) {
        Ok(text) => judge_recipe(text, &mut dice),
        Err(_) => {
            let text = recipe_text(&mut dice);
            judge_recipe(&damaged(text, &mut dice), &mut dice)
        }
    }
}

pub(super) fn schemas(data: &[u8]) -> Result<(), Broken> {
    let mut dice = Dice::new(data);
    judge_inferred(&tree(&mut dice, Keys::NotPrivate))?;
    match std::str::from_utf8(data) {
        Ok(text) => judge_schema(text, &mut dice),
        Err(_) => {
            let text = schema_text(&mut dice);
            judge_schema(&damaged(text, &mut dice), &mut dice)
        }
    }
}

/// A section that is let in is bounded, names nothing twice, and says the same every time.
fn judge_section(bytes: &[u8]) -> Result<(), Broken> {
    let parsed = Contract::parse_section(bytes);
    same(&parsed, &Contract::parse_section(bytes))?;
    let Ok(contracts) = parsed else { return Ok(()) };
    holds(bytes.len() <= MAX_SECTION_BYTES, || {
        "a section over its limit".into()
    })?;
    let names: HashSet<_> = contracts.iter().map(|it| &it.name).collect();
    holds(names.len() == contracts.len(), || {
        format!("a name that comes twice: {names:?}")
    })?;
    for contract in &contracts {
        for pattern in contract.inputs.iter().chain(&contract.outputs) {
            judge_contract_path(contract, pattern)?;
        }
        // Whatever it says: it is strict, or told why not.
        let _ = contract.check_strict();
    }
    Ok(())
}

/// Paths of a contract have one spelling, name nothing private, and take parameters that every call has.
fn judge_contract_path(contract: &Contract, pattern: &PathPattern) -> Result<(), Broken> {
    let again = PathPattern::parse(&pattern.to_string());
    holds(again.as_ref() == Ok(pattern), || {
        format!("`{pattern}` is read as {again:?}")
    })?;
    holds(!pattern.is_private(), || format!("`{pattern}` is private"))?;
    for (name, _) in pattern.params() {
        let parameter = contract.parameter(name);
        let fits = parameter.is_some_and(|it| !it.optional && !it.secret);
        holds(fits, || format!("`{pattern}` takes {parameter:?}"))?;
    }
    Ok(())
}

/// A recipe that is let in can be bound or says why not, and its rules judge anything the same way twice.
fn judge_recipe(text: &str, dice: &mut Dice<'_>) -> Result<(), Broken> {
    let parsed = Recipe::parse(text, "recipe");
    let again = Recipe::parse(text, "recipe");
    let told = |it: &Result<Recipe, _>| match it {
        Ok(recipe) => recipe.processes().map(str::to_owned).collect::<Vec<_>>(),
        Err(errors) => vec![format!("{errors}")],
    };
    same(&told(&parsed), &told(&again))?;
    let Ok(recipe) = parsed else { return Ok(()) };
    let section = br#"{"name":"p","parameters":[{"name":"price","kind":"int"},{"name":"name","kind":"string"},{"name":"any","kind":"any","optional":true},{"name":"token","kind":"string","secret":true}],"inputs":["domain"],"outputs":["domain.a","domain.sig_a"],"errors":["ValueError"]}"#;
    let contract = match Contract::parse_section(section) {
        Ok(mut contracts) => contracts.remove(0),
        Err(why) => return Err(Broken(why.to_string())),
    };
    let Ok(Some(rules)) = recipe.bind(&contract) else {
        return Ok(());
    };
    let args: Map = (contract.parameters.iter())
        .map(|it| (it.name.as_str(), argument(it.kind, dice)))
        .collect();
    let tree = tree(dice, Keys::NotPrivate);
    let result = value(dice, 2, Keys::NotPrivate);
    let snapshot = Snapshot { version: 1, tree };
    let transaction = Transaction::begin(snapshot.clone());
    for (gate, written) in [(Gate::Input, None), (Gate::Output, Some(&transaction))] {
        let facts = Facts {
            args: &args,
            tree: &snapshot.tree,
            result: written.map(|_| &result),
            written,
        };
        same(&rules.evaluate(gate, &facts), &rules.evaluate(gate, &facts))?;
    }
    Ok(())
}

/// A schema that is let in can be written down again, and holds of what it says a context may be.
fn judge_schema(text: &str, dice: &mut Dice<'_>) -> Result<(), Broken> {
    let parsed = Schema::parse(text, "schema");
    let told = |it: &Result<Schema, _>| match it {
        Ok(schema) => schema.to_yaml(),
        Err(errors) => Ok(format!("{errors}")),
    };
    same(&told(&parsed), &told(&Schema::parse(text, "schema")))?;
    let Ok(schema) = parsed else { return Ok(()) };
    judge_written(&schema)?;
    let mut context = schema.sample(dice);
    schema.check(&context).map_err(|why| {
        Broken(format!(
            "{text}\na context made for it does not fit: {context:?}\n{why}"
        ))
    })?;
    schema.fill_defaults(&mut context);
    let filled = context.clone();
    schema.fill_defaults(&mut context);
    holds(context == filled, || {
        format!("{text}\ndefaults fill {filled:?} twice")
    })
}

fn judge_inferred(context: &Tree) -> Result<(), Broken> {
    let schema = Schema::infer(context);
    schema.check(context).map_err(|why| {
        Broken(format!(
            "{context:?} does not fit what was inferred from it: {why}"
        ))
    })?;
    Ok(())
}

/// Written down and read again it is the same.
fn judge_written(schema: &Schema) -> Result<(), Broken> {
    let yaml = schema.to_yaml().map_err(Broken)?;
    // An editor's schema can be made of every schema.
    let _ = schema.to_json_schema();
    let again = Schema::parse(&yaml, "schema").map_err(|why| {
        Broken(format!(
            "{yaml}\nis what was written, and cannot be read: {why}"
        ))
    })?;
    same(&again.to_yaml(), &Ok(yaml))
}

fn same<T: Debug>(one: &T, other: &T) -> Result<(), Broken> {
    let [one, other] = [one, other].map(|it| format!("{it:?}"));
    holds(one == other, || format!("first {one}, then {other}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::bytes;

    /// What is made up is mostly right: else the oracles would only ever see the parsers' errors.
    #[test]
    fn most_files_that_are_made_up_can_be_read() {
        let right = |is_right: &dyn Fn(&mut Dice<'_>) -> bool| {
            let data = (0..300).map(|seed| bytes(seed, 2000));
            data.filter(|data| is_right(&mut Dice::new(data))).count()
        };
        let schemas = right(&|dice| Schema::parse(&schema_text(dice), "schema").is_ok());
        let recipes = right(&|dice| Recipe::parse(&recipe_text(dice), "recipe").is_ok());
        let contracts =
            right(&|dice| Contract::parse_section(contract_line(dice).as_bytes()).is_ok());
        assert!(schemas > 100, "{schemas} of 300 schemas");
        assert!(recipes > 60, "{recipes} of 300 recipes");
        assert!(contracts > 100, "{contracts} of 300 contracts");
    }
}
