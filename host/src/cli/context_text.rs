//! Contexts as text that reads back as the same context.

use super::text::{escape_lines, escape_yaml};
use serde::{Serialize, Serializer};
use theus_host::{Layer, Tree};

/// A context as context files have it.
pub(super) struct Context<'a>(pub(super) &'a Tree);

impl Serialize for Context<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Layer::ALL.map(|layer| (layer.name(), self.0.layer(layer))))
    }
}

/// A context as a YAML file.
///
/// # Security
///
/// It may go to a terminal. Where guests have chosen what that would obey, it is written in YAML's other style, in which all of
/// it is escaped.
pub(super) fn to_yaml(tree: &Tree) -> Result<String, String> {
    let yaml = serde_saphyr::to_string(&Context(tree)).map_err(|error| error.to_string())?;
    if escape_lines(&yaml) == yaml {
        return Ok(yaml);
    }
    let json = serde_json::to_string_pretty(&Context(tree)).map_err(|error| error.to_string())?;
    Ok(escape_yaml(&json).into_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::context_file::{from_json, from_yaml};
    use super::*;
    use proptest::prelude::*;
    use theus_host::{Limits, List, Map, Value};

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{0,8}",
            any::<String>(),
            "[-?:,\\[\\]{}#&*!|>'\"%@` \n\t~.=<]{0,6}",
            // What YAML takes for something else, where it is bare.
            prop::sample::select(vec![
                "null",
                "~",
                "yes",
                "no",
                "on",
                "y",
                "true",
                "False",
                ".nan",
                "-.inf",
                "1",
                "-1",
                "0x1f",
                "0o7",
                "1e3",
                "1_000",
                "1.5",
                "12:30:00",
                "2026-11-25",
                "<<",
                "=",
                "---",
                "...",
                "$bytes",
                "$float",
                "$map",
                "a: b",
                "- a",
                "# a",
                " a",
                "a ",
                "a\n",
                "\na",
                "a\n\nb\n\n",
                "a\r\nb",
                "\u{85}",
                "\u{2028}",
                "\u{feff}",
                "\u{1b}[31m",
            ])
            .prop_map(str::to_owned),
            Just("x".repeat(2_000)),
        ]
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<u64>().prop_map(Value::unsigned),
            any::<f64>().prop_map(Value::float),
            prop::sample::select(vec![
                0.0,
                -0.0,
                1.0,
                1e300,
                5e-324,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY
            ])
            .prop_map(Value::float),
            any_text().prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..8).prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| Value::List(items.into_iter().collect::<List>())),
                prop::collection::btree_map(any_text(), inner, 0..4)
                    .prop_map(|entries| Value::Map(entries.into_iter().collect::<Map>())),
            ]
        })
    }

    fn any_map() -> impl Strategy<Value = Map> {
        prop::collection::btree_map(any_text(), any_value(), 0..4)
            .prop_map(|entries| entries.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_is_exported_reads_back(global in any_map(), domain in any_map()) {
            let tree = Tree::new(global, domain);
            let yaml = to_yaml(&tree).expect("yaml");
            let read = from_yaml(&yaml, &Limits::default());
            prop_assert_eq!(format!("{:?}", read.map_err(|it| it.message)), format!("{:?}", Ok::<_, String>(&tree)), "{}", yaml);
            prop_assert_eq!(escape_lines(&yaml), yaml.as_str());
            let json = serde_json::to_string_pretty(&Context(&tree)).expect("json");
            let read = from_json(&json);
            prop_assert_eq!(format!("{:?}", read.map_err(|it| it.message)), format!("{:?}", Ok::<_, String>(&tree)), "{}", json);
        }
    }
}
