//! Context files: the initial context, as YAML or JSON.

use super::args::json_problem;
use super::failure::Failure;
use super::nearest::nearest;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use std::fmt;
use std::path::Path as File;
use theus_core::code::Code;
use theus_core::limits::Limits;
use theus_core::path::{Layer, cut};
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// Reads an initial context.
pub(super) fn read(file: &File, limits: &Limits) -> Result<Tree, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::file("read", file, &error))?;
    let origin = file.display().to_string();
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|it| **it == b'\n').count() + 1;
        Failure::new(Code::ContextFile, format!("{origin}:{line}: the file is not UTF-8"))
    })?;
    let is_json = file.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    let tree = if is_json { from_json(text) } else { from_yaml(text, limits) };
    let tree = tree.map_err(|problem| problem.failure(text, &origin))?;
    check_depth(&tree, limits).map_err(|message| Failure::new(Code::ContextFile, format!("{origin}: {message}")))?;
    Ok(tree)
}

/// What is wrong, and where.
struct Problem {
    line: usize,
    column: usize,
    message: String,
}

/// A context file's two layers.
struct Layers(Tree);

fn from_json(text: &str) -> Result<Tree, Problem> {
    // serde_json itself refuses what nests deeper than 128.
    serde_json::from_str(text).map(|Layers(tree)| tree).map_err(|error| Problem {
        line: error.line(),
        column: error.column(),
        message: json_problem(&error),
    })
}

fn from_yaml(text: &str, limits: &Limits) -> Result<Tree, Problem> {
    // Sizes are the operator's own business here; depth and aliases are what breaks a reader.
    let budget = serde_saphyr::budget! {
        max_depth: usize::try_from(limits.value_depth).unwrap_or(usize::MAX).saturating_add(2),
        max_events: 200_000_000,
        max_nodes: 100_000_000,
        max_total_scalar_bytes: 1 << 30,
        max_documents: 1,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map(|Layers(tree)| tree)
        .map_err(|error| {
            let place = error.location();
            let number = |it: Option<u64>| it.and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
            Problem {
                line: number(place.as_ref().map(|it| it.line())),
                column: number(place.as_ref().map(|it| it.column())),
                message: yaml_problem(&error.to_string()),
            }
        })
}

/// What is wrong about a YAML text, without the place that the parser puts around it.
fn yaml_problem(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let text = match text.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, problem)) => problem,
        None => text,
    };
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

fn check_depth(tree: &Tree, limits: &Limits) -> Result<(), String> {
    for layer in Layer::ALL {
        let depth = tree.layer(layer).nesting();
        if depth > limits.value_depth {
            return Err(format!(
                "`{}` nests {depth} levels deep, at most {} are allowed",
                layer.name(),
                limits.value_depth
            ));
        }
    }
    Ok(())
}

impl Problem {
    fn failure(&self, text: &str, origin: &str) -> Failure {
        let Self { line, column, message } = self;
        let place = match (line, column) {
            (0, _) => origin.to_owned(),
            _ => format!("{origin}:{line}:{column}"),
        };
        let snippet = snippet(text, *line, *column);
        Failure::with_lines(Code::ContextFile, format!("{place}: {message}{snippet}"))
            .help("a context file is a map with `domain` and `global`, each a map")
    }
}

/// The line, and a caret under the column.
fn snippet(text: &str, line: usize, column: usize) -> String {
    const SHOWN: usize = 120;
    let Some(source) = line.checked_sub(1).and_then(|index| text.lines().nth(index)) else {
        return String::new();
    };
    if column == 0 || column > SHOWN {
        return String::new();
    }
    let shown: String = source.chars().take(SHOWN).collect();
    // Tabs stay tabs, so that the caret stands where the terminal puts the column.
    let indent: String = source
        .chars()
        .take(column - 1)
        .map(|it| if it == '\t' { '\t' } else { ' ' })
        .collect();
    format!("\n  {line} | {shown}\n  {} | {indent}^", " ".repeat(line.to_string().len()))
}

impl<'de> serde::Deserialize<'de> for Layers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LayersVisitor)
    }
}

struct LayersVisitor;

impl<'de> Visitor<'de> for LayersVisitor {
    type Value = Layers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with `domain` and `global`")
    }

    fn visit_unit<E>(self) -> Result<Layers, E> {
        Ok(Layers(Tree::default()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Layers, A::Error> {
        let (mut global, mut domain) = (None, None);
        while let Some(layer) = entries.next_key_seed(LayerName)? {
            let place = match layer {
                Layer::Global => &mut global,
                Layer::Domain => &mut domain,
            };
            if place.is_some() {
                entries.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format!("the layer `{}` comes twice", layer.name())));
            }
            *place = Some(entries.next_value_seed(LayerMap)?);
        }
        Ok(Layers(Tree::new(global.unwrap_or_default(), domain.unwrap_or_default())))
    }
}

/// The name of a layer, refused where it stands.
struct LayerName;

impl<'de> DeserializeSeed<'de> for LayerName {
    type Value = Layer;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Layer, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for LayerName {
    type Value = Layer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`domain` or `global`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Layer, E> {
        let names = Layer::ALL.map(Layer::name);
        Layer::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            let near = nearest(name, names).map(|it| format!("; did you mean `{it}`?"));
            E::custom(format!(
                "unknown layer `{}`, expected `domain` or `global`{}",
                cut(name),
                near.unwrap_or_default()
            ))
        })
    }
}

/// The map of a layer; nothing at all is an empty one.
struct LayerMap;

impl<'de> DeserializeSeed<'de> for LayerMap {
    type Value = Map;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Map, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LayerMap {
    type Value = Map;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map: a layer holds keys")
    }

    fn visit_unit<E>(self) -> Result<Map, E> {
        Ok(Map::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Map, A::Error> {
        let whole = serde::de::value::MapAccessDeserializer::new(entries);
        match <Value as serde::Deserialize>::deserialize(whole)? {
            Value::Map(map) => Ok(map),
            other => Err(A::Error::custom(format!("a layer must be a map, it is a {}", other.kind()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Result<Tree, Failure> {
        from_yaml(text, &Limits::default()).map_err(|it| it.failure(text, "context.yaml"))
    }

    fn json(text: &str) -> Result<Tree, Failure> {
        from_json(text).map_err(|it| it.failure(text, "context.json"))
    }

    fn printed(tree: &Tree) -> String {
        let layers = Layer::ALL.map(|layer| serde_json::to_string(tree.layer(layer)).expect("json"));
        layers.join(" ")
    }

    #[test]
    fn both_formats_hold_the_same() {
        let from_yaml = yaml("global: {max_capacity: 500}\ndomain:\n  items: []\n  7: no\n  big: 18446744073709551615\n  nan: .nan\n");
        let expected = r#"{"max_capacity":500} {"7":"no","big":18446744073709551615,"items":[],"nan":{"$float":"nan"}}"#;
        assert_eq!(printed(&from_yaml.expect("yaml")), expected);
        let from_json = json(r#"{"global":{"max_capacity":500},"domain":{"items":[],"7":"no","big":18446744073709551615,"nan":{"$float":"nan"}}}"#);
        assert_eq!(printed(&from_json.expect("json")), expected);
        for empty in ["", "# nothing\n", "domain:\n", "{}"] {
            assert_eq!(printed(&yaml(empty).expect(empty)), "{} {}", "{empty:?}");
        }
    }

    #[test]
    fn a_wrong_file_says_where() {
        for (text, expected) in [
            (
                "global: {}\ndomian:\n  a: 1\n",
                "context.yaml:2:1: unknown layer `domian`, expected `domain` or `global`; did you mean `domain`?\n  2 | domian:\n    | ^",
            ),
            ("domain: 5\n", "context.yaml:1:9: "),
            ("domain: [1]\n", "a map: a layer holds keys"),
            ("- a\n", "context.yaml:1:1: "),
            ("domain:\n  a: 1\n  a: 2\n", "context.yaml:3:3: "),
            ("domain: {}\ndomain: {}\n", "context.yaml:2:1: "),
            ("domain: [\n", "context.yaml:"),
            ("domain: {}\n---\nglobal: {}\n", "context.yaml:"),
            ("domain: {a: 99999999999999999999999999}\n", "context.yaml:1:13: "),
        ] {
            let message = yaml(text).expect_err(text).report.message;
            assert!(message.contains(expected), "{text:?}: {message}");
        }
        let message = json("{\n  \"domain\": [1]\n}").expect_err("a list").report.message;
        assert!(message.starts_with("context.json:2:"), "{message}");
    }

    #[test]
    fn depth_is_bounded() {
        let limits = Limits::default();
        let deep = |levels: usize| format!("domain: {{a: {}{}}}\n", "[".repeat(levels), "]".repeat(levels));
        assert!(check_depth(&yaml(&deep(31)).expect("fits"), &limits).is_ok());
        for levels in [32, 60, 5_000, 100_000] {
            let refused = match yaml(&deep(levels)) {
                Ok(tree) => check_depth(&tree, &limits).is_err(),
                Err(_) => true,
            };
            assert!(refused, "{levels}");
            let json_text = deep(levels).replacen("domain", "{\"domain\"", 1).replacen("{a", "{\"a\"", 1) + "}";
            let refused = match json(&json_text) {
                Ok(tree) => check_depth(&tree, &limits).is_err(),
                Err(_) => true,
            };
            assert!(refused, "{levels}");
        }
    }

    #[test]
    fn aliases_do_not_explode() {
        let mut text = String::from("domain:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let list = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("  a{level}: &a{level} [{list}]\n"));
        }
        assert!(yaml(&text).is_err());
    }
}
