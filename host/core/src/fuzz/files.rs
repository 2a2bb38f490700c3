//! What is read from files: the contract section of a guest, recipes and schemas.
//!
//! Bytes that are UTF-8 are read as they are; others choose among the words of the language, so that a fuzzer gets beyond
//! the first line without having to guess them.

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

fn damaged(mut text: String, dice: &mut Dice<'_>) -> String {
    const BITS: [&str; 16] = [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\n", "  ", "- ", "&a ", "*a", "<<", "\u{0}", "ü",
    ];
    if !dice.once_in(3) {
        return text;
    }
    for _ in 0..1 + dice.index(4) {
        let at = dice.index(text.len() + 1);
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at));
        let at = at.unwrap_or_default();
        if dice.once_in(2) && at < text.len() {
            text.remove(at);
        } else {
            text.insert_str(at, dice.pick(&BITS));
        }
    }
    text
}

fn contract_line(dice: &mut Dice<'_>) -> String {
    const PATHS: [&str; 10] = [
        "domain.items",
        "domain",
        "global.max",
        "domain.a.{who}",
        "domain.a[{at}]",
        "domain.sig_a",
        "domain._a",
        "domain.meta_a.{who}",
        "domain..a",
        "domain_ctx.items",
    ];
    const PARAMETERS: [&str; 7] = [
        r#"{"name":"who","kind":"string"}"#,
        r#"{"name":"at","kind":"int"}"#,
        r#"{"name":"who","kind":"string","optional":true}"#,
        r#"{"name":"token","kind":"string","secret":true}"#,
        r#"{"name":"x","kind":"number"}"#,
        r#"{"name":"x","kind":"any","extra":1}"#,
        r#"{"name":"args","kind":"map"}"#,
    ];
    let mut some = |among: &[&str], quoted: &str| {
        let len = dice.index(4);
        let items: Vec<String> = (0..len)
            .map(|_| format!("{quoted}{}{quoted}", dice.pick(among)))
            .collect();
        items.join(",")
    };
    let parameters = some(&PARAMETERS, "");
    let (inputs, outputs) = (some(&PATHS, "\""), some(&PATHS, "\""));
    let errors = some(&["ValueError", "Decode", "", "a b", "ValueError"], "\"");
    let effects = some(
        &["clock", "random", "fs:a", "fs-rw:a", "fs:../a", "net"],
        "\"",
    );
    let name = dice.pick(&["p", "q", "", "add_product", "p q"]);
    format!(
        r#"{{"name":"{name}","summary":"s","parameters":[{parameters}],"inputs":[{inputs}],"outputs":[{outputs}],"side_effects":[{effects}],"errors":[{errors}]}}"#
    )
}

fn recipe_text(dice: &mut Dice<'_>) -> String {
    const FIELDS: [&str; 9] = [
        "price",
        "name",
        "any",
        "args.any.a[0]",
        "domain.a",
        "domain.b.c",
        "global.max",
        "result",
        "domain.sig_a",
    ];
    const CONDITIONS: [&str; 20] = [
        "min: 0",
        "max: 18446744073709551615",
        "min: -1.5",
        "eq: null",
        "neq: \"\"",
        "in: [1, a, 2.5]",
        "min_len: 1",
        "max_len: 3",
        "regex: \"^[a-z]+$\"",
        "regex: \"(a*)*b\"",
        "type: int",
        "type: any",
        "expr: \"args.price > 0\"",
        "expr: \"size(domain.a) < 5 || has(domain.b)\"",
        "expr: \"domain.a.all(x, x != args.name)\"",
        "expr: \"result == old.domain.a\"",
        "expr: \"args.any.map(x, x * 2)[0] % 3 == 1\"",
        "expr: \"'a' in domain.a ? true : 1 / 0\"",
        "expr: \"args.name.matches('a+') && args.price + 9223372036854775807 > 0\"",
        "expr: \"((((1))))\"",
    ];
    const FURTHER: [&str; 9] = [
        "level: S",
        "level: A",
        "level: B",
        "level: X",
        "max_threshold: 3",
        "min_threshold: 9",
        "optional: true",
        "reset_on_success: false",
        "message: \"{value} of {limit}\"",
    ];
    let mut text = String::from("process_recipes:\n");
    for _ in 0..1 + dice.index(2) {
        text.push_str(&format!("  {}:\n", dice.pick(&["p", "\"*\"", "q", "base"])));
        if dice.once_in(4) {
            text.push_str(&format!(
                "    inherits: {}\n",
                dice.pick(&["base", "p", "q"])
            ));
        }
        for gate in ["inputs", "outputs"] {
            text.push_str(&format!("    {gate}:\n"));
            for _ in 0..1 + dice.index(3) {
                let condition = dice.pick(&CONDITIONS);
                let mut words = vec![(*condition).to_owned()];
                if !condition.starts_with("expr") {
                    words.push(format!("field: {}", dice.pick(&FIELDS)));
                }
                words.extend((0..dice.index(3)).map(|_| (dice.pick(&FURTHER)).to_owned()));
                text.push_str(&format!("      - {{ {} }}\n", words.join(", ")));
            }
        }
    }
    text
}

fn schema_text(dice: &mut Dice<'_>) -> String {
    let mut text = String::from("context:\n");
    for layer in ["global", "domain"] {
        if dice.once_in(3) {
            continue;
        }
        let fields = fields(dice, 2);
        text.push_str(&format!("  {layer}: {fields}\n"));
    }
    text
}

fn fields(dice: &mut Dice<'_>, depth: u32) -> String {
    let keys = ["a", "b", "c", "sig_a", "heavy_a", "\"ü\"", "\"\""];
    let mut some = Vec::new();
    for key in keys {
        if dice.once_in(2) {
            some.push(format!("{key}: {}", declaration(dice, depth)));
        }
    }
    format!("{{ {} }}", some.join(", "))
}

fn declaration(dice: &mut Dice<'_>, depth: u32) -> String {
    let kinds = [
        "int", "float", "string", "bytes", "bool", "any", "list", "map",
    ];
    let kind = dice.pick(if depth == 0 { &kinds[..6] } else { &kinds[..] });
    let mut words = vec![format!("type: {kind}")];
    let mut now_and_then = |dice: &mut Dice<'_>, among: &[&str]| {
        if dice.once_in(3) {
            words.push((dice.pick(among)).to_owned());
        }
    };
    match kind {
        "int" => {
            now_and_then(
                dice,
                &[
                    "min: 0",
                    "min: -9223372036854775808",
                    "min: 9223372036854775808",
                ],
            );
            now_and_then(dice, &["max: 4", "max: 18446744073709551615", "max: -1"]);
            now_and_then(dice, &["default: 0", "default: 4", "default: a"]);
        }
        "float" => {
            now_and_then(dice, &["min: 0", "min: -0.5", "min: 1e300"]);
            now_and_then(dice, &["max: 4", "max: 0.25", "max: 9007199254740993"]);
        }
        "string" | "bytes" => now_and_then(dice, &["max_len: 3", "max_len: 0", "max_len: 33"]),
        "list" | "map" => now_and_then(dice, &["max_len: 2", "max_len: 0", "max_len: 9"]),
        _ => {}
    }
    now_and_then(dice, &["required: true", "default: null", "default: []"]);
    if kind == "list" && dice.once_in(2) {
        words.push(format!(
            "items: {}",
            declaration(dice, depth.saturating_sub(1))
        ));
    }
    if kind == "map" && dice.once_in(2) {
        words.push(format!("fields: {}", fields(dice, depth.saturating_sub(1))));
        if dice.once_in(2) {
            words.push("open: true".into());
        }
    }
    format!("{{ {} }}", words.join(", "))
}
