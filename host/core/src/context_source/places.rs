//! Places of a context file: at which line a key or a value of the context stands.

use crate::path::{Layer, Path, Segment};
use crate::schema::{Breach, BreachProblem, Breaches};
use crate::source::error::{FileErrors, Place, Report, Source};
use crate::source::{Content, Key, Node};
use crate::zone;

/// A context file's text, and where its keys and values stand. YAML and JSON are read alike.
///
/// It is made only where something is wrong: reading a context needs no places. A text that is too large or too deep for
/// it, or that is no YAML, has none; what is said of it then names the file alone.
#[derive(Debug)]
pub struct ContextPlaces {
    source: Source,
    root: Option<Node>,
}

/// What stands at a path, or as far down as the file goes.
struct Found<'a> {
    key: Option<&'a Key>,
    node: &'a Node,
    /// Whether the whole path was followed.
    whole: bool,
}

impl ContextPlaces {
    /// Finds the places in a file's text; `origin` is what errors call it.
    ///
    /// # Security
    ///
    /// Depth, nodes and what aliases expand to are bounded.
    #[must_use]
    pub fn new(text: &str, origin: &str) -> Self {
        let source = Source::new(origin, text);
        let root = Node::of_yaml(&source, text).ok();
        Self { source, root }
    }

    /// Every breach of a schema at its place: at the value that does not fit, at the key that is not declared, or at the
    /// map that lacks one.
    #[must_use]
    pub fn breaches(&self, breaches: &Breaches) -> FileErrors {
        self.errors(
            breaches
                .breaches
                .iter()
                .map(|breach| (self.place_of(breach), breach.to_string(), breach.help())),
        )
    }

    /// The keys that are private to the host, each at its place; `known` is one that is told where none has a place.
    #[must_use]
    pub fn private_keys(&self, known: &Path) -> FileErrors {
        let mut found = Vec::new();
        for layer in Layer::ALL {
            let root = Path::layer_root(layer);
            if let Some(layer) = self.find(&root) {
                private_keys(&root, layer.node, &mut found);
            }
        }
        if found.is_empty() {
            found.push((Place::default(), known.clone()));
        }
        self.errors(found.into_iter().map(|(place, path)| {
            let message = format!("`{path}` is private to the host");
            let help = "a key of a context does not begin with `_`";
            (place, message, help.to_owned())
        }))
    }

    fn errors(&self, problems: impl IntoIterator<Item = (Place, String, String)>) -> FileErrors {
        let mut report = Report::new(&self.source);
        for (place, message, help) in problems {
            report.refuse(place, message, help);
        }
        match report.finish(()) {
            Err(errors) => errors,
            Ok(()) => FileErrors::of_file(self.source.origin(), "nothing is wrong".into()),
        }
    }

    fn place_of(&self, breach: &Breach) -> Place {
        let Some(found) = self.find(&breach.path) else {
            return Place::default();
        };
        match &breach.problem {
            BreachProblem::Missing | BreachProblem::Undeclared { .. } => found.key_place(),
            _ => found.value_place(),
        }
    }

    fn find(&self, path: &Path) -> Option<Found<'_>> {
        let root = self.root.as_ref()?;
        let mut found = Found {
            key: None,
            node: root,
            whole: true,
        };
        let layer = Segment::Key(path.layer().name().into());
        for step in std::iter::once(&layer).chain(path.segments()) {
            match found.below(step) {
                Some(below) => found = below,
                None => {
                    found.whole = false;
                    break;
                }
            }
        }
        // Not even the layer: the file says nothing of it.
        let is_root = std::ptr::eq(found.node, root);
        (!is_root).then_some(found)
    }
}

impl<'a> Found<'a> {
    fn below(&self, step: &Segment) -> Option<Self> {
        let (key, node) = match (&self.node.content, step) {
            (Content::Map(entries), Segment::Key(wanted)) => {
                let (key, node) = entries.iter().find(|(key, _)| key.text == *wanted)?;
                (Some(key), node)
            }
            (Content::List(items), Segment::Index(index)) => {
                (None, items.get(usize::try_from(*index).ok()?)?)
            }
            _ => return None,
        };
        Some(Self {
            key,
            node,
            whole: true,
        })
    }

    fn key_place(self) -> Place {
        self.key.map_or(self.node.place, |key| key.place)
    }

    /// A list or a map begins at its first part, so its key says better where it is.
    fn value_place(self) -> Place {
        match &self.node.content {
            Content::Scalar(_) if self.whole && !self.node.is_nil() => self.node.place,
            _ => self.key_place(),
        }
    }
}

fn private_keys(path: &Path, node: &Node, found: &mut Vec<(Place, Path)>) {
    match &node.content {
        Content::Scalar(_) => {}
        Content::List(items) => {
            for (index, item) in (0..).zip(items) {
                private_keys(&path.child(Segment::Index(index)), item, found);
            }
        }
        Content::Map(entries) => {
            for (key, node) in entries {
                let path = path.child(Segment::Key(key.text.as_str().into()));
                if zone::is_private(&key.text) {
                    found.push((key.place, path));
                } else {
                    private_keys(&path, node, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context_source::context_from_value;
    use crate::schema::Schema;

    const SCHEMA: &str = "
context:
  domain:
    total: { type: int, max: 9, required: true }
    rows: { type: list, max_len: 2, items: { type: map, fields: { name: { type: string, required: true } } } }
";

    /// The places of the breaches, and the first line of each message.
    fn told(text: &str) -> Vec<String> {
        let source = Source::new("c.yaml", text);
        let value = Node::of_yaml(&source, text)
            .expect(text)
            .value()
            .expect(text);
        let context = context_from_value(&value).expect(text);
        let schema = Schema::parse(SCHEMA, "s.yaml").expect("schema");
        let breaches = schema.check(&context).expect_err(text);
        let errors = ContextPlaces::new(text, "c.yaml").breaches(&breaches);
        let lines = errors.errors.iter().map(ToString::to_string);
        lines
            .map(|it| it.lines().next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn breaches_stand_at_their_line_and_column() {
        assert_eq!(
            told("domain:\n  total: 10\n  rows:\n    - name: 5\n    - nmae: x\n  other: 1\n"),
            [
                "c.yaml:2:10: `domain.total` is 10, but is declared with `max` 9 (s.yaml:4)",
                "c.yaml:4:13: `domain.rows[0].name` is an int, but is declared as `string` (s.yaml:5)",
                "c.yaml:5:7: `domain.rows[1].nmae` is not declared, and the map around it is closed (s.yaml:5)",
                "c.yaml:5:7: `domain.rows[1].name` is absent, but is declared as required (s.yaml:5)",
                "c.yaml:6:3: `domain.other` is not declared, and the map around it is closed (s.yaml:3)",
            ]
        );
        assert_eq!(
            told(
                "{\n  \"domain\": {\n    \"total\": null,\n    \"rows\": [{\"name\": \"a\"}, {\"name\": \"a\"}, {\"name\": \"a\"}]\n  }\n}"
            ),
            [
                "c.yaml:3:5: `domain.total` is nil, but is declared as `int` (s.yaml:4)",
                "c.yaml:4:5: `domain.rows` has 3 elements, but is declared with `max_len` 2 (s.yaml:5)",
            ]
        );
        // What is missing with all that is above it, is missing in the file.
        assert_eq!(
            told("global: {}\n"),
            ["c.yaml: `domain.total` is absent, but is declared as required (s.yaml:4)"]
        );
        assert_eq!(
            told("domain:\n  rows: []\n"),
            ["c.yaml:1:1: `domain.total` is absent, but is declared as required (s.yaml:4)"]
        );
    }

    #[test]
    fn private_keys_are_found_however_deep() {
        let known = Path::parse("domain._x").expect("path");
        let told = |text: &str| {
            ContextPlaces::new(text, "c.yaml")
                .private_keys(&known)
                .to_string()
        };
        assert_eq!(
            told("domain:\n  a: [{ b: { _x: 1 } }]\n  _y: 2\n"),
            "\
c.yaml:2:14: `domain.a[0].b._x` is private to the host
  2 |   a: [{ b: { _x: 1 } }]
    |              ^^
  help: a key of a context does not begin with `_`
c.yaml:3:3: `domain._y` is private to the host
  3 |   _y: 2
    |   ^^
  help: a key of a context does not begin with `_`"
        );
        // A text without places: the file is named, and what is known.
        for text in ["domain: [", "", &format!("domain: {}", "[".repeat(5000))] {
            assert_eq!(
                told(text),
                "c.yaml: `domain._x` is private to the host\n  help: a key of a context does not begin with `_`",
                "{text}"
            );
        }
    }
}
