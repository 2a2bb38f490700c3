//! Skeletons: a recipe to begin with, made from contracts, and added to a recipe that is there.

use super::error::Source;
use super::recipe::Recipe;
use crate::contract::{Contract, Kind, Parameter};
use crate::path::{self, Layer, Segment};
use crate::pattern::{PathPattern, Step};
use crate::source::{Content, Key, Node};
use crate::zone::Zone;

/// What is written where no indentation says otherwise.
const INDENT: usize = 2;

/// Words that YAML reads as something else than text.
const YAML_WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A recipe text with what was missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The text: what was there, byte for byte, and what was added.
    pub text: String,
    /// The processes that were added.
    pub added: Vec<String>,
}

/// A recipe for these contracts: what they declare, and rules to choose from as comments.
#[must_use]
pub fn skeleton(contracts: &[Contract]) -> String {
    let mut text = String::from("process_recipes:\n");
    for contract in contracts {
        text.push_str(&process(contract, INDENT));
    }
    text
}

/// Adds the contracts that a recipe text does not name; everything that is there stays as it is.
///
/// # Errors
///
/// Why the text is no recipe, or is written in a way that nothing can be added to; in lines of their own.
pub fn merge(text: &str, origin: &str, contracts: &[Contract]) -> Result<Merged, String> {
    let before = Recipe::parse(text, origin).map_err(|errors| errors.to_string())?;
    let missing: Vec<&Contract> = contracts
        .iter()
        .filter(|contract| before.processes().all(|name| name != contract.name))
        .collect();
    let added: Vec<String> = missing.iter().map(|it| it.name.clone()).collect();
    if missing.is_empty() {
        return Ok(Merged {
            text: text.to_owned(),
            added,
        });
    }
    let cannot = |why: &str| {
        format!(
            "{origin}: {why}; print the skeleton without `--out`, and copy what is missing by hand"
        )
    };
    let source = Source::new(origin, text);
    let root = Node::of_yaml(&source, text).map_err(|errors| errors.to_string())?;
    let place = insertion(text, &root).map_err(|why| cannot(&why))?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut inserted = String::new();
    if !text[..place.at].is_empty() && !text[..place.at].ends_with('\n') {
        inserted.push('\n');
    }
    if place.needs_key {
        inserted.push_str("process_recipes:\n");
    }
    for contract in missing {
        inserted.push_str(&process(contract, place.indent));
    }
    let inserted = inserted.replace('\n', newline);
    let merged = [&text[..place.at], &inserted, &text[place.at..]].concat();
    // What was written by hand may be laid out in ways that only the reader knows: it has the last word.
    let after = Recipe::parse(&merged, origin)
        .map_err(|_| cannot("it is laid out so that nothing can be added to it"))?;
    if !after.begins_like(&before)
        || !added
            .iter()
            .all(|name| after.processes().any(|it| it == name))
    {
        return Err(cannot("adding to it would change what it says"));
    }
    Ok(Merged {
        text: merged,
        added,
    })
}

/// Where text is inserted, and how.
struct Insertion {
    at: usize,
    indent: usize,
    needs_key: bool,
}

fn insertion(text: &str, root: &Node) -> Result<Insertion, String> {
    let end_of_file = Insertion {
        at: text.len(),
        indent: INDENT,
        needs_key: true,
    };
    let entries = match &root.content {
        _ if root.is_nil() => return Ok(end_of_file),
        Content::Map(entries) => entries,
        _ => return Err("it is no map".into()),
    };
    let Some((key, recipes)) = entries
        .iter()
        .find(|(key, _)| key.text == "process_recipes")
    else {
        return Ok(end_of_file);
    };
    let indent = match &recipes.content {
        Content::Map(recipes) => match recipes.first() {
            Some((first, _)) if first.place.line > key.place.line && first.place.column > 1 => {
                first.place.column as usize - 1
            }
            _ => return Err("`process_recipes` is not written line by line".into()),
        },
        _ if recipes.is_nil() => INDENT,
        _ => return Err("`process_recipes` is no map".into()),
    };
    let next = entries
        .iter()
        .map(|(other, _)| other.place.line)
        .filter(|line| *line > key.place.line)
        .min();
    Ok(Insertion {
        at: end_of_block(text, key, next),
        indent,
        needs_key: false,
    })
}

/// The byte behind the block of a key: before the next key, and before the comments and blanks that lead to it.
fn end_of_block(text: &str, key: &Key, next: Option<u32>) -> usize {
    let Some(next) = next else {
        return text.len();
    };
    let mut lines: Vec<&str> = text.split_inclusive('\n').take(next as usize - 1).collect();
    while lines.len() > key.place.line as usize {
        let is_lead = lines
            .last()
            .is_some_and(|line| line.trim().is_empty() || line.starts_with('#'));
        if !is_lead {
            break;
        }
        lines.pop();
    }
    lines.iter().map(|line| line.len()).sum()
}

/// What is written about one process.
fn process(contract: &Contract, indent: usize) -> String {
    let outer = " ".repeat(indent);
    let inner = " ".repeat(indent * 2);
    let entry = " ".repeat(indent * 3);
    let mut text = String::new();
    if !contract.summary.is_empty() {
        // A guest wrote it: one line, whatever it holds.
        text.push_str(&format!("{outer}# {}\n", path::cut(&contract.summary)));
    }
    text.push_str(&format!("{outer}{}:\n", name(&contract.name)));
    let inputs: Vec<String> = contract.parameters.iter().map(of_parameter).collect();
    let outputs: Vec<String> = contract.outputs.iter().filter_map(of_output).collect();
    for (gate, rules) in [("inputs", inputs), ("outputs", outputs)] {
        text.push_str(&format!("{inner}{gate}:\n"));
        for rule in rules {
            text.push_str(&format!("{entry}# - {rule}\n"));
        }
    }
    let side_effects = contract.side_effects.iter().map(ToString::to_string);
    for (what, names) in [
        ("side_effects", &side_effects.collect()),
        ("errors", &contract.errors),
    ] {
        let names: Vec<String> = names.iter().map(|it| flow(it)).collect();
        text.push_str(&format!("{inner}{what}: [{}]\n", names.join(", ")));
    }
    text
}

fn of_parameter(parameter: &Parameter) -> String {
    let condition = match parameter.kind {
        Kind::Bool => "eq: true",
        Kind::Int | Kind::Float => "min: 0",
        Kind::String | Kind::Bytes => "min_len: 1",
        Kind::List | Kind::Map => "max_len: 1000",
        Kind::Any => "neq: null",
    };
    let optional = if parameter.optional {
        ", optional: true"
    } else {
        ""
    };
    let field = flow(&format!("args.{}", parameter.name));
    format!("{{ field: {field}, {condition}, level: B{optional} }}")
}

/// A rule about an output; where an argument stands in its path, as an expression.
fn of_output(output: &PathPattern) -> Option<String> {
    if output.is_private() || output.steps().is_empty() {
        return None;
    }
    // A signal or a note need not be written by every run.
    let optional = if output.zone().is_readable() {
        ""
    } else {
        ", optional: true"
    };
    if output.params().next().is_none() {
        let field = flow(&output.to_string());
        return Some(format!(
            "{{ field: {field}, neq: null, level: B{optional} }}"
        ));
    }
    // What an argument names is data, or it would not be found.
    if output.zone() != Zone::Data {
        return None;
    }
    let mut place = match output.layer() {
        Layer::Domain => "domain",
        Layer::Global => "global",
    }
    .to_owned();
    for step in output.steps() {
        match step {
            Step::Fixed(Segment::Key(key)) => {
                let key = serde_json::to_string(key.as_str()).ok()?;
                place.push_str(&format!("[{key}]"));
            }
            Step::Fixed(Segment::Index(at)) => place.push_str(&format!("[{at}]")),
            Step::KeyParam(name) | Step::IndexParam(name) => {
                place.push_str(&format!("[args[\"{name}\"]]"));
            }
        }
    }
    let expression = format!("{place} != null").replace('\'', "''");
    Some(format!("{{ expr: '{expression}', level: B }}"))
}

/// A name as a key of a map.
fn name(name: &str) -> String {
    let is_word = YAML_WORDS.contains(&name.to_lowercase().as_str());
    if is_word || name.starts_with('-') {
        format!("'{name}'")
    } else {
        name.to_owned()
    }
}

/// A text inside `{ … }` or `[ … ]`.
fn flow(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "_.-".contains(it);
    let is_word = YAML_WORDS.contains(&text.to_lowercase().as_str());
    if text.chars().all(is_plain) && !is_word && !text.starts_with('-') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

impl Recipe {
    /// Whether the recipe says all that `other` says, in the same order, before it says more.
    fn begins_like(&self, other: &Self) -> bool {
        let said = |recipe: &Self| -> Vec<String> {
            recipe.all().iter().map(|it| format!("{it:?}")).collect()
        };
        said(self).starts_with(&said(other))
    }
}
