//! Zones: what a key is for, read from its prefix.

use crate::path::{Layer, Path, Segment};
use crate::tree::Tree;
use crate::value::Value;
use serde::Serialize;

/// What a place in the context is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// Business data and configuration.
    Data,
    /// Events for subscribers (`sig_`, `cmd_`); written, never read by processes.
    Signal,
    /// Notes about a run (`meta_`); written, never read by processes.
    Meta,
    /// Large values (`heavy_`).
    Heavy,
}

/// The prefixes that put a key into a zone other than data.
pub const PREFIXES: [(&str, Zone); 4] = [
    ("cmd_", Zone::Signal),
    ("heavy_", Zone::Heavy),
    ("meta_", Zone::Meta),
    ("sig_", Zone::Signal),
];

/// The first character of a key that is private to the host.
pub const PRIVATE: char = '_';

/// Every signal in a context, with its place, in order. Costs nothing where the context holds no reserved key.
#[must_use]
pub fn signals(tree: &Tree) -> Vec<(Path, Value)> {
    let mut found = Vec::new();
    for layer in Layer::ALL {
        collect_signals(&Path::layer_root(layer), tree.layer(layer), &mut found);
    }
    found
}

fn collect_signals(at: &Path, value: &Value, found: &mut Vec<(Path, Value)>) {
    match at.zone() {
        Zone::Signal => return found.push((at.clone(), value.clone())),
        // What lies below a note or a large value is part of it.
        Zone::Meta | Zone::Heavy => return,
        Zone::Data => {}
    }
    if !value.may_hold_reserved() {
        return;
    }
    match value {
        Value::Map(map) => {
            for (key, value) in map.iter() {
                collect_signals(&at.child(Segment::Key(key.clone())), value, found);
            }
        }
        Value::List(list) => {
            for (index, value) in list.iter().enumerate() {
                collect_signals(&at.child(Segment::Index(index as u64)), value, found);
            }
        }
        _ => {}
    }
}

impl Zone {
    /// The zone that a key's prefix names; data keys name none.
    #[inline]
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        if !matches!(key.as_bytes().first(), Some(b'c' | b'h' | b'm' | b's')) {
            return None;
        }
        PREFIXES
            .iter()
            .find(|(prefix, _)| key.starts_with(prefix))
            .map(|(_, zone)| *zone)
    }

    /// The zone of a place: the first reserved prefix on its path, else data.
    pub(crate) fn of_segments(segments: &[Segment]) -> Self {
        segments
            .iter()
            .find_map(|segment| match segment {
                Segment::Key(key) => Self::of_key(key),
                Segment::Index(_) => None,
            })
            .unwrap_or(Self::Data)
    }

    /// Whether processes may read places of this zone.
    #[must_use]
    pub fn is_readable(self) -> bool {
        matches!(self, Self::Data | Self::Heavy)
    }

    /// The zone's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Signal => "signal",
            Self::Meta => "meta",
            Self::Heavy => "heavy",
        }
    }
}

/// Whether a key is private to the host.
#[inline]
#[must_use]
pub fn is_private(key: &str) -> bool {
    key.starts_with(PRIVATE)
}

/// Whether a key is private, or begins with a prefix that names a zone.
#[inline]
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    is_private(key) || Zone::of_key(key).is_some()
}

/// Which descendants a reader does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing is hidden: the host's own view.
    Nothing,
    /// Private keys.
    Private,
    /// Private keys and keys of every zone but data.
    Reserved,
}

impl Hidden {
    /// Whether a map key is hidden.
    #[inline]
    #[must_use]
    pub fn hides(self, key: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Private => is_private(key),
            Self::Reserved => is_reserved(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;

    #[test]
    fn zone_is_the_first_reserved_prefix() {
        for (path, zone) in [
            ("domain.items", Zone::Data),
            ("domain.sig_restock", Zone::Signal),
            ("domain.cmd_stop.meta_x", Zone::Signal),
            ("domain.box.meta_note", Zone::Meta),
            ("domain[\"heavy_ü\"].sig_x", Zone::Heavy),
            ("domain.sigma", Zone::Data),
            ("domain.command", Zone::Data),
        ] {
            let path = Path::parse(path).expect(path);
            assert_eq!(path.zone(), zone, "{path}");
        }
    }

    #[test]
    fn signals_are_found_wherever_they_are_and_whole() {
        let json = r#"{"a":1,"sig_b":{"x":1},"l":[{"cmd_c":2,"meta_d":{"sig_no":3}}],"heavy_e":{"sig_no":4}}"#;
        let domain: Value = serde_json::from_str(json).expect(json);
        let mut tree = Tree::default();
        tree.set(&Path::layer_root(Layer::Domain), domain)
            .expect("a map");
        let found: Vec<_> = signals(&tree)
            .into_iter()
            .map(|(path, value)| {
                (
                    path.to_string(),
                    serde_json::to_string(&value).expect("json"),
                )
            })
            .collect();
        let signal = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        let expected = [
            signal("domain.l[0].cmd_c", "2"),
            signal("domain.sig_b", r#"{"x":1}"#),
        ];
        assert_eq!(found, expected);
    }
}
