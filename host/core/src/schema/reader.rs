//! Reads a schema's YAML into declarations; whatever is wrong is reported, and reading goes on.

use super::declaration::{Declaration, Fields, Others, Presence};
use crate::audit::Number;
use crate::contract::Kind;
use crate::path::{self, Layer, Segment};
use crate::source::error::{FileErrors, Place, Report, Source, quoted};
use crate::source::words::{Words, shown};
use crate::source::{Content, Key, Node};
use crate::value::Value;
use crate::zone::Zone;
use smol_str::SmolStr;
use std::collections::BTreeMap;

const WORDS: [&str; 9] = [
    "type", "required", "default", "min", "max", "max_len", "items", "fields", "open",
];

/// Words of other schema languages, and what they are called here.
const SYNONYMS: [(&str, &str); 13] = [
    ("kind", "type"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("max_length", "max_len"),
    ("maxLength", "max_len"),
    ("maxItems", "max_len"),
    ("max_items", "max_len"),
    ("elements", "items"),
    ("properties", "fields"),
    ("keys", "fields"),
    ("additionalProperties", "open"),
    ("optional", "required"),
    ("mandatory", "required"),
];

/// The declarations of the two layers, in the order of [`Layer::ALL`].
pub(super) type Layers = [Option<Declaration>; 2];

/// Reads a whole file.
pub(super) fn read(source: &Source, root: &Node) -> Result<Layers, FileErrors> {
    let mut reader = Reader {
        source,
        report: Report::new(source),
    };
    let layers = reader.file(root);
    reader.report.finish(layers)
}

pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) report: Report<'a>,
}

/// What a declaration is about.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) layer: Layer,
    /// The place as messages print it: a path, with `[]` for any element.
    pub(super) text: String,
    /// The zone that a key above has set.
    pub(super) zone: Option<Zone>,
    pub(super) position: Position,
    /// Whether it lies in an element of a list.
    pub(super) in_element: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Layer,
    Field,
    Element,
}

/// Where the words of a declaration stand.
#[derive(Default)]
pub(super) struct Places {
    words: Vec<(String, Place)>,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> Layers {
        let mut layers = [None, None];
        let nothing = "the schema declares nothing, so it would protect nothing";
        let example =
            "write `context:`, below it `domain:` or `global:`, and their keys below these";
        if root.is_nil() {
            self.report.refuse(root.place, nothing, example.to_owned());
            return layers;
        }
        let words = |known| Words {
            known,
            offered: known,
            synonyms: &[],
        };
        let entries = self
            .report
            .entries(root, "a schema file", &words(&["context"]));
        let Some((key, context)) = entries.first() else {
            if !matches!(root.content, Content::Map(ref entries) if !entries.is_empty()) {
                self.report.refuse(root.place, nothing, example.to_owned());
            }
            return layers;
        };
        if context.is_nil() || matches!(&context.content, Content::Map(it) if it.is_empty()) {
            self.report.refuse(key.place, nothing, example.to_owned());
            return layers;
        }
        let names = Layer::ALL.map(Layer::name);
        for (key, node) in self.report.entries(context, "`context`", &words(&names)) {
            for (layer, declared) in Layer::ALL.into_iter().zip(&mut layers) {
                if layer.name() == key.text {
                    *declared = Some(self.layer(layer, key, node));
                }
            }
        }
        layers
    }

    /// A layer: its keys or, where `type` is a word and not a key's declaration, a declaration like any other.
    fn layer(&mut self, layer: Layer, key: &Key, node: &Node) -> Declaration {
        let subject = Subject {
            layer,
            text: layer.name().to_owned(),
            zone: None,
            position: Position::Layer,
            in_element: false,
        };
        let is_type = |(key, node): &(Key, Node)| {
            key.text == "type" && matches!(node.content, Content::Scalar(_))
        };
        if let Content::Map(entries) = &node.content
            && entries.iter().any(is_type)
        {
            return self.declaration(&subject, key.place, node);
        }
        let mut declared = Declaration::of(Kind::Map, key.place.line);
        if node.is_nil() {
            let message = format!("`{}` is empty, expected its keys", layer.name());
            let help = "`{}` allows no key at all; leave the layer out to allow everything";
            self.report.refuse(key.place, message, help.to_owned());
            return declared;
        }
        declared.fields = Some(Fields {
            by_key: self.fields(&subject, node),
            others: Others::Refused,
        });
        declared
    }

    fn declaration(&mut self, subject: &Subject, at: Place, node: &Node) -> Declaration {
        let mut declared = Declaration::of(Kind::Any, at.line);
        let what = format!("`{}`", subject.text);
        let Content::Map(keys) = &node.content else {
            let kind = node_text(node).filter(|text| Kind::find(text).is_some());
            let message = format!("{what} is {}, expected a declaration", shown(node));
            let help = format!("write {what} as `{{ type: {} }}`", kind.unwrap_or("…"));
            self.report.refuse(node.place, message, help);
            return declared;
        };
        let problems_before = self.report.len();
        let words = Words {
            known: &WORDS,
            offered: &WORDS,
            synonyms: &SYNONYMS,
        };
        let mut places = Places::default();
        let mut declared_kind = None;
        let mut open = None;
        for (key, node) in self.report.entries(node, &what, &words) {
            places.words.push((key.text.clone(), key.place));
            match key.text.as_str() {
                "type" => declared_kind = self.report.kind("type", node),
                "required" => {
                    if self.report.flag("required", node) == Some(true) {
                        declared.presence = Presence::Required;
                    }
                }
                "default" => declared.default = self.default(node),
                "min" => declared.min = self.limit("min", node),
                "max" => declared.max = self.limit("max", node),
                "max_len" => declared.max_len = self.len(node),
                "items" => {
                    let items = self.declaration(&subject.element(), key.place, node);
                    declared.items = Some(Box::new(items));
                }
                "fields" => {
                    declared.fields = Some(Fields {
                        by_key: self.fields(subject, node),
                        others: Others::Refused,
                    });
                }
                _ => open = self.report.flag("open", node),
            }
        }
        if let (Some(fields), Some(true)) = (&mut declared.fields, open) {
            fields.others = Others::Allowed;
        }
        // A slip of the pen in `type` is told once.
        let meant_type = |(key, _): &(Key, Node)| {
            !WORDS.contains(&key.text.as_str()) && words.meant(&key.text) == Some("type")
        };
        if places.of("type").is_none() && !keys.iter().any(meant_type) {
            let help = format!(
                "add `type`, one of {}; the keys of a map stand below its `fields`",
                quoted(Kind::ALL.map(Kind::name))
            );
            self.report
                .refuse(at, format!("{what} has no `type`"), help);
        }
        if let Some(kind) = declared_kind {
            declared.kind = kind;
            self.fits_kind(&what, &declared, &places);
        }
        self.fits_position(subject, &declared, &places);
        self.agrees(&what, &declared, &places);
        if self.report.len() == problems_before {
            self.default_fits(subject, &declared, &places);
        }
        declared
    }

    fn fields(&mut self, subject: &Subject, node: &Node) -> BTreeMap<SmolStr, Declaration> {
        let what = match subject.position {
            Position::Layer => format!("`{}`", subject.text),
            _ => format!("`fields` of `{}`", subject.text),
        };
        let mut fields = BTreeMap::new();
        for (key, node) in self.report.map(node, &what) {
            let field = subject.field(&key.text);
            self.key_can_be(subject, &field, key);
            let declared = self.declaration(&field, key.place, node);
            if declared.presence == Presence::Required {
                self.can_be_required(&field, key);
            }
            fields.insert(key.text.as_str().into(), declared);
        }
        fields
    }

    fn default(&mut self, node: &Node) -> Option<Value> {
        match node.value() {
            Ok(value) => Some(value),
            Err((place, problem)) => {
                self.report.refuse(place, problem, None);
                None
            }
        }
    }

    fn limit(&mut self, word: &str, node: &Node) -> Option<Number> {
        let number = match &node.content {
            Content::Scalar(value) => Number::of(value),
            _ => None,
        };
        let number = number.filter(|number| match number {
            Number::Float(number) => number.is_finite(),
            Number::Whole(_) => true,
        });
        if number.is_none() {
            self.report.unfit(word, node, "a finite number");
        }
        number
    }

    fn len(&mut self, node: &Node) -> Option<u64> {
        let len = match &node.content {
            Content::Scalar(Value::Int(len)) => u64::try_from(*len).ok(),
            Content::Scalar(Value::UInt(len)) => Some(*len),
            _ => None,
        };
        if len.is_none() {
            let expected = "a whole number that is not negative";
            self.report.unfit("max_len", node, expected);
        }
        len
    }
}

impl Subject {
    fn field(&self, key: &str) -> Self {
        Self {
            text: format!("{}{}", self.text, Segment::Key(path::cut(key).into())),
            zone: self.zone.or_else(|| Zone::of_key(key)),
            position: Position::Field,
            ..self.clone()
        }
    }

    fn element(&self) -> Self {
        Self {
            text: format!("{}[]", self.text),
            position: Position::Element,
            in_element: true,
            ..self.clone()
        }
    }
}

impl Places {
    pub(super) fn of(&self, word: &str) -> Option<Place> {
        let found = self.words.iter().find(|(known, _)| known == word);
        found.map(|(_, place)| *place)
    }
}

fn node_text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar(value) => value.as_str(),
        _ => None,
    }
}
