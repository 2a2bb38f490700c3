//! Context files: the initial context, as YAML or JSON.

use super::args::json_problem;
use super::failure::Failure;
use super::nearest::nearest;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{DefaultMessageFormatter, Location, MessageFormatter as _, Spanned};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path as File;
use theus_core::code::Code;
use theus_core::context_source::ContextPlaces;
use theus_core::limits::Limits;
use theus_core::path::{Layer, cut};
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// Reads an initial context.
pub(super) fn read(file: &File, limits: &Limits) -> Result<Tree, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::file("read", file, &error))?;
    let origin = file.display().to_string();
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .iter()
            .filter(|it| **it == b'\n')
            .count()
            + 1;
        Failure::new(
            Code::ContextFile,
            format!("{origin}:{line}: the file is not UTF-8"),
        )
    })?;
    let tree = if is_json(file) {
        from_json(text)
    } else {
        from_yaml(text, limits)
    };
    let tree = tree.map_err(|problem| problem.failure(text, &origin))?;
    check_depth(&tree, limits)
        .map_err(|message| Failure::new(Code::ContextFile, format!("{origin}: {message}")))?;
    Ok(tree)
}

/// Whether a context file of that name holds JSON; else it holds YAML.
pub(super) fn is_json(file: &File) -> bool {
    file.extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("json"))
}

/// Where the file says what, for what is found wrong in it once it is read.
///
/// The file is read again: its text is not kept for the run that nearly always follows. One that cannot be read twice, such
/// as a pipe, has no places.
pub(super) fn places(file: &File) -> ContextPlaces {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    ContextPlaces::new(&text, &file.display().to_string())
}

/// What is wrong, and where.
pub(super) struct Problem {
    line: usize,
    column: usize,
    pub(super) message: String,
}

/// A context file's two layers, as far as they are there.
struct Layers<V> {
    global: Option<V>,
    domain: Option<V>,
}

pub(super) fn from_json(text: &str) -> Result<Tree, Problem> {
    // serde_json itself refuses what nests deeper than 128.
    let layers: Layers<Value> = serde_json::from_str(text).map_err(|error| Problem {
        line: error.line(),
        column: error.column(),
        message: json_problem(&error),
    })?;
    layers.into_tree(|value| (value, 0, 0))
}

pub(super) fn from_yaml(text: &str, limits: &Limits) -> Result<Tree, Problem> {
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
    let layers: Layers<Spanned<Value>> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| {
            let (line, column) = error.location().map_or((0, 0), place);
            Problem {
                line,
                column,
                message: DefaultMessageFormatter
                    .format_message(error.without_snippet())
                    .into_owned(),
            }
        })?;
    layers.into_tree(|spanned| {
        let (line, column) = place(spanned.referenced);
        (spanned.value, line, column)
    })
}

fn place(location: Location) -> (usize, usize) {
    let number = |it| usize::try_from(it).unwrap_or(0);
    (number(location.line()), number(location.column()))
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
        let Self {
            line,
            column,
            message,
        } = self;
        let place = match (line, column) {
            (0, _) => origin.to_owned(),
            _ => format!("{origin}:{line}:{column}"),
        };
        let snippet = snippet(text, *line, *column);
        Failure::with_lines(Code::ContextFile, format!("{place}: {message}{snippet}"))
            .at(origin, (*line, *column), message)
            .help("a context file is a map with `domain` and `global`, each a map")
    }
}

/// The line, and a caret under the column.
fn snippet(text: &str, line: usize, column: usize) -> String {
    const SHOWN: usize = 120;
    let Some(source) = line
        .checked_sub(1)
        .and_then(|index| text.lines().nth(index))
    else {
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
    format!(
        "\n  {line} | {shown}\n  {} | {indent}^",
        " ".repeat(line.to_string().len())
    )
}

impl<V> Layers<V> {
    /// Judges what the layers hold, each with its place where the format keeps it.
    fn into_tree(self, split: impl Fn(V) -> (Value, usize, usize)) -> Result<Tree, Problem> {
        let map = |layer: Layer, value: Option<V>| {
            let Some((value, line, column)) = value.map(&split) else {
                return Ok(Map::new());
            };
            match value {
                Value::Map(map) => Ok(map),
                Value::Nil => Ok(Map::new()),
                other => Err(Problem {
                    line,
                    column,
                    message: format!("`{}` must be a map, it is a {}", layer.name(), other.kind()),
                }),
            }
        };
        Ok(Tree::new(
            map(Layer::Global, self.global)?,
            map(Layer::Domain, self.domain)?,
        ))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Layers<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LayersVisitor(PhantomData))
    }
}

struct LayersVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for LayersVisitor<V> {
    type Value = Layers<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with `domain` and `global`")
    }

    fn visit_unit<E>(self) -> Result<Layers<V>, E> {
        Ok(Layers {
            global: None,
            domain: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Layers<V>, A::Error> {
        let (mut global, mut domain) = (None, None);
        while let Some(layer) = entries.next_key_seed(LayerName)? {
            let place = match layer {
                Layer::Global => &mut global,
                Layer::Domain => &mut domain,
            };
            if place.is_some() {
                return Err(A::Error::custom(format!(
                    "the layer `{}` comes twice",
                    layer.name()
                )));
            }
            *place = Some(entries.next_value()?);
        }
        Ok(Layers { global, domain })
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
        Layer::ALL
            .into_iter()
            .find(|it| it.name() == name)
            .ok_or_else(|| {
                let near = nearest(name, names).map(|it| format!("; did you mean `{it}`?"));
                E::custom(format!(
                    "unknown layer `{}`, expected `domain` or `global`{}",
                    cut(name),
                    near.unwrap_or_default()
                ))
            })
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
        let layers =
            Layer::ALL.map(|layer| serde_json::to_string(tree.layer(layer)).expect("json"));
        layers.join(" ")
    }

    #[test]
    fn both_formats_hold_the_same() {
        let from_yaml = yaml(
            "global: {max_capacity: 500}\ndomain:\n  items: []\n  7: no\n  big: 18446744073709551615\n  nan: .nan\n",
        );
        let expected = r#"{"max_capacity":500} {"7":"no","big":18446744073709551615,"items":[],"nan":{"$float":"nan"}}"#;
        assert_eq!(printed(&from_yaml.expect("yaml")), expected);
        let from_json = json(
            r#"{"global":{"max_capacity":500},"domain":{"items":[],"7":"no","big":18446744073709551615,"nan":{"$float":"nan"}}}"#,
        );
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
            (
                "domain: 5\n",
                "context.yaml:1:9: `domain` must be a map, it is a int",
            ),
            (
                "domain:\n  - 1\n",
                "context.yaml:2:3: `domain` must be a map, it is a list",
            ),
            (
                "- a\n",
                "context.yaml: invalid type: sequence, expected a map with",
            ),
            ("domain:\n  a: 1\n  a: 2\n", "context.yaml:3:3: "),
            ("domain: {}\ndomain: {}\n", "context.yaml:2:1: "),
            ("domain: [\n", "context.yaml:"),
            ("domain: {}\n---\nglobal: {}\n", "context.yaml:"),
        ] {
            let message = yaml(text).expect_err(text).report.message;
            assert!(message.contains(expected), "{text:?}: {message}");
        }
        let message = json("{\n  \"domain\": [1]\n}")
            .expect_err("a list")
            .report
            .message;
        assert!(
            message.starts_with("context.json: `domain` must be a map"),
            "{message}"
        );
        let message = json("{\n  \"domian\": {}\n}")
            .expect_err("a slip")
            .report
            .message;
        assert!(
            message.starts_with("context.json:2:10: unknown layer"),
            "{message}"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let limits = Limits::default();
        let deep = |levels: usize| {
            format!(
                "domain: {{a: {}{}}}\n",
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        assert!(check_depth(&yaml(&deep(31)).expect("fits"), &limits).is_ok());
        for levels in [32, 60, 5_000, 100_000] {
            let refused = match yaml(&deep(levels)) {
                Ok(tree) => check_depth(&tree, &limits).is_err(),
                Err(_) => true,
            };
            assert!(refused, "{levels}");
            let json_text = deep(levels)
                .replacen("domain", "{\"domain\"", 1)
                .replacen("{a", "{\"a\"", 1)
                + "}";
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
