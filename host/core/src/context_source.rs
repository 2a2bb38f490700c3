//! Initial contexts from values and JSON text.

mod places;

pub use self::places::ContextPlaces;

use crate::path::{self, Layer, Path};
use crate::tree::Tree;
use crate::value::Value;

/// Why a value is no context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextSourceError {
    /// The text is no JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// The value is no map.
    #[error("a context is a map of layers, this is a {0}")]
    NotAMap(&'static str),
    /// A top-level key is no layer.
    #[error("unknown layer `{0}`, expected `global` or `domain`")]
    UnknownLayer(String),
    /// A layer is no map.
    #[error("the layer `{layer}` must be a map, it is a {found}")]
    LayerNotAMap {
        /// The layer.
        layer: &'static str,
        /// What is there.
        found: &'static str,
    },
}

/// Makes a context from a map of layers; a layer that is absent is empty.
///
/// # Errors
///
/// What is no layer, or no map.
pub fn context_from_value(value: &Value) -> Result<Tree, ContextSourceError> {
    let Value::Map(layers) = value else {
        return Err(ContextSourceError::NotAMap(value.kind()));
    };
    let mut tree = Tree::default();
    for (name, value) in layers.iter() {
        let Some(layer) = Layer::ALL
            .into_iter()
            .find(|layer| layer.name() == name.as_str())
        else {
            return Err(ContextSourceError::UnknownLayer(path::cut(name)));
        };
        tree.set(&Path::layer_root(layer), value.clone())
            .map_err(|_| ContextSourceError::LayerNotAMap {
                layer: layer.name(),
                found: value.kind(),
            })?;
    }
    Ok(tree)
}

/// Makes a context from JSON text, with bytes and non-finite floats as [`crate::json`] writes them.
///
/// # Errors
///
/// Where the text is no JSON, or no map of layers.
pub fn context_from_json(text: &str) -> Result<Tree, ContextSourceError> {
    let value =
        serde_json::from_str(text).map_err(|error| ContextSourceError::Json(error.to_string()))?;
    context_from_value(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_a_map_of_layers() {
        let tree = context_from_json(r#"{"domain":{"a":1}}"#).expect("context");
        assert_eq!(
            tree.get(&Path::parse("domain.a").expect("path")),
            Some(&Value::Int(1))
        );
        for (text, expected) in [
            ("[]", "this is a list"),
            (r#"{"local":{}}"#, "unknown layer `local`"),
            (r#"{"domain":[]}"#, "`domain` must be a map, it is a list"),
            ("{", "not JSON"),
        ] {
            let message = context_from_json(text).expect_err(text).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
