//! Files in the words of their languages: mostly right, so that something comes of them, and now and then damaged.

use crate::fuzz::Dice;

pub(super) fn damaged(mut text: String, dice: &mut Dice<'_>) -> String {
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

pub(super) fn contract_line(dice: &mut Dice<'_>) -> String {
    const PATHS: [&str; 7] = [
        "domain.items",
        "domain",
        "global.max",
        "domain.a.{who}",
        "domain.a[{at}]",
        "domain.sig_a",
        "domain.meta_a.{who}",
    ];
    const WRONG_PATHS: [&str; 4] = [
        "domain._a",
        "domain..a",
        "domain.{nobody}",
        "domain.{token}",
    ];
    const PARAMETERS: [&str; 4] = [
        r#"{"name":"who","kind":"string"}"#,
        r#"{"name":"at","kind":"int"}"#,
        r#"{"name":"token","kind":"string","secret":true}"#,
        r#"{"name":"note","kind":"any","optional":true}"#,
    ];
    const WRONG_PARAMETERS: [&str; 4] = [
        r#"{"name":"who","kind":"string","optional":true}"#,
        r#"{"name":"x","kind":"number"}"#,
        r#"{"name":"x","kind":"any","extra":1}"#,
        r#"{"name":"args","kind":"map"}"#,
    ];
    // Each of them once at most; now and then one that is wrong.
    let mut some = |right: &[&str], wrong: &[&str], quote: &str| {
        let mut chosen: Vec<&str> = Vec::new();
        for word in right {
            // Two parameters stand in paths: they are mostly there.
            if !dice.once_in(if quote.is_empty() { 12 } else { 2 }) {
                chosen.push(word);
            }
        }
        if dice.once_in(20) {
            chosen.push(dice.pick(wrong));
        }
        let words: Vec<_> = chosen
            .iter()
            .map(|it| format!("{quote}{it}{quote}"))
            .collect();
        words.join(",")
    };
    let parameters = some(&PARAMETERS, &WRONG_PARAMETERS, "");
    let inputs = some(&PATHS, &WRONG_PATHS, "\"");
    let outputs = some(&PATHS, &WRONG_PATHS, "\"");
    let errors = some(&["ValueError", "Full"], &["Decode", "", "a b"], "\"");
    let effects = some(&["clock", "random", "fs:a"], &["fs:../a", "net"], "\"");
    let name = dice.pick(&["p", "q", "add_product", "p", "p q"]);
    format!(
        r#"{{"name":"{name}","summary":"s","parameters":[{parameters}],"inputs":[{inputs}],"outputs":[{outputs}],"side_effects":[{effects}],"errors":[{errors}]}}"#
    )
}

pub(super) fn recipe_text(dice: &mut Dice<'_>) -> String {
    const FIELDS: [&str; 6] = [
        "price",
        "name",
        "any",
        "domain.a",
        "domain.b.c",
        "global.max",
    ];
    const CONDITIONS: [&str; 16] = [
        "min: 0",
        "max: 18446744073709551615",
        "min: -1.5",
        "eq: 1",
        "neq: \"\"",
        "in: [1, a, 2.5]",
        "min_len: 1",
        "max_len: 3",
        "regex: \"^[a-z]+$\"",
        "regex: \"(a*)*b\"",
        "expr: \"args.price > 0\"",
        "expr: \"size(domain.a) < 5 || has(domain.b)\"",
        "expr: \"domain.a.all(x, x != args.name)\"",
        "expr: \"args.any.map(x, x * 2)[0] % 3 == 1\"",
        "expr: \"args.name.matches('a+') && args.price + 9223372036854775807 > 0\"",
        "expr: \"args.price / 0 == domain.a[args.price]\"",
    ];
    const FURTHER: [&[&str]; 4] = [
        &["level: S", "level: A", "level: B", "level: I"],
        &["max_threshold: 3", "max_threshold: 18446744073709551615"],
        &["reset_on_success: false"],
        &["message: \"{value} of {limit}\""],
    ];
    // Now and then a word that is wrong here; most files are right, so that something comes of them.
    const WRONG: [&str; 8] = [
        "level: X",
        "min_threshold: 9",
        "optional: maybe",
        "max: a",
        "regex: \"(\"",
        "field: result",
        "expr: \"((((1))))\"",
        "expr: \"result == old.domain.a\"",
    ];
    let mut text = String::from("process_recipes:\n");
    for name in &["p", "\"*\"", "base"][..1 + dice.index(3)] {
        text.push_str(&format!("  {name}:\n"));
        if dice.once_in(30) {
            text.push_str("    inherits: q\n");
        }
        for gate in ["inputs", "outputs"] {
            text.push_str(&format!("    {gate}:\n"));
            for _ in 0..1 + dice.index(3) {
                let condition = dice.pick(&CONDITIONS);
                let mut words = vec![condition.to_owned()];
                if !condition.starts_with("expr") {
                    words.push(format!("field: {}", dice.pick(&FIELDS)));
                }
                let further = FURTHER.iter().filter(|_| dice.once_in(3));
                let further: Vec<_> = further.collect();
                words.extend(further.into_iter().map(|it| dice.pick(it).to_owned()));
                if dice.once_in(40) {
                    words.push(dice.pick(&WRONG).to_owned());
                }
                text.push_str(&format!("      - {{ {} }}\n", words.join(", ")));
            }
        }
    }
    text
}

pub(super) fn schema_text(dice: &mut Dice<'_>) -> String {
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
        if dice.once_in(2) {
            words.push(dice.pick(among).to_owned());
        }
    };
    match kind {
        "int" => {
            now_and_then(dice, &["min: 0", "min: -9223372036854775808", "min: 3"]);
            now_and_then(dice, &["max: 4", "max: 18446744073709551615", "max: 9"]);
        }
        "float" => {
            now_and_then(dice, &["min: 0", "min: -0.5", "min: 0.1"]);
            now_and_then(dice, &["max: 4", "max: 0.25", "max: 9007199254740993"]);
        }
        "string" | "bytes" => now_and_then(dice, &["max_len: 3", "max_len: 0", "max_len: 33"]),
        "list" | "map" => now_and_then(dice, &["max_len: 2", "max_len: 7", "max_len: 9"]),
        _ => {}
    }
    // Most files are right, so that something comes of them.
    if dice.once_in(30) {
        now_and_then(
            dice,
            &[
                "required: true",
                "default: null",
                "default: 4",
                "min: 9",
                "max: -1",
                "max_len: 0",
            ],
        );
    }
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
