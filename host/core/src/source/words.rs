//! Words of a language written in YAML or TOML: what a reader expects at a node, and what it says where that is not there.

use super::error::{Report, nearest, quoted};
use super::{Content, Key, Node};
use crate::audit::describe;
use crate::contract::Kind;
use crate::path;
use crate::value::Value;
use crate::zone::Hidden;
use std::collections::HashMap;

/// Kinds of values in other languages, and what they are called here.
const OTHER_KINDS: [(&str, &str); 15] = [
    ("boolean", "bool"),
    ("integer", "int"),
    ("number", "float"),
    ("double", "float"),
    ("str", "string"),
    ("text", "string"),
    ("binary", "bytes"),
    ("array", "list"),
    ("sequence", "list"),
    ("seq", "list"),
    ("object", "map"),
    ("dict", "map"),
    ("mapping", "map"),
    ("null", "any"),
    ("nil", "any"),
];

/// The keys that a map of the language may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    /// Every one that is read.
    pub(crate) known: &'a [&'a str],
    /// Those that a message lists.
    pub(crate) offered: &'a [&'a str],
    /// Words of other languages, and what they are called here.
    pub(crate) synonyms: &'a [(&'a str, &'a str)],
}

impl Report<'_> {
    /// `true` or `false`.
    pub(crate) fn flag(&mut self, word: &str, node: &Node) -> Option<bool> {
        if let Content::Scalar(Value::Bool(flag)) = &node.content {
            return Some(*flag);
        }
        self.unfit(word, node, "`true` or `false`");
        None
    }

    /// A string.
    pub(crate) fn text<'n>(&mut self, word: &str, node: &'n Node) -> Option<&'n str> {
        if let Content::Scalar(Value::Str(text)) = &node.content {
            return Some(text);
        }
        self.unfit(word, node, "a string");
        None
    }

    /// A kind of values, called by this word.
    pub(crate) fn kind(&mut self, word: &str, node: &Node) -> Option<Kind> {
        let text = self.text(word, node)?;
        let found = Kind::find(text);
        if found.is_none() {
            let names = Kind::ALL.map(Kind::name);
            let meant = OTHER_KINDS
                .iter()
                .find(|(other, _)| *other == text)
                .map(|(_, here)| *here)
                .or_else(|| nearest(text, names));
            self.refuse(
                node.place,
                format!("unknown {word} `{}`", path::cut(text)),
                with_nearest(meant, &format!("the {word}s are {}", quoted(names))),
            );
        }
        found
    }

    /// A list.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        if let Content::List(items) = &node.content {
            return Some(items);
        }
        let message = format!("{what} is {}, expected a list", node.kind());
        let help = "`[]` is an empty list".to_owned();
        self.refuse(node.place, message, help);
        None
    }

    /// The entries of a map, without those whose key came before.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n Key, &'n Node)> {
        let Content::Map(entries) = &node.content else {
            let message = format!("{what} is {}, expected a map", node.kind());
            self.refuse(node.place, message, None);
            return Vec::new();
        };
        let mut first_places = HashMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            match first_places.insert(key.text.as_str(), key.place) {
                None => kept.push((key, node)),
                Some(first) => self.refuse(
                    key.place,
                    format!("the key `{}` comes twice in {what}", path::cut(&key.text)),
                    format!("it was first given at line {}", first.line),
                ),
            }
        }
        kept
    }

    /// The entries of a map whose keys are words of the language.
    pub(crate) fn entries<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        words: &Words<'_>,
    ) -> Vec<(&'n Key, &'n Node)> {
        let mut entries = self.map(node, what);
        entries.retain(|(key, _)| {
            let known = words.known.contains(&key.text.as_str());
            if !known {
                let message = format!("unknown key `{}` in {what}", path::cut(&key.text));
                let help = with_nearest(
                    words.meant(&key.text),
                    &format!("{what} knows {}", quoted(words.offered.iter().copied())),
                );
                self.refuse(key.place, message, help);
            }
            known
        });
        entries
    }

    /// Refuses what stands at a word.
    pub(crate) fn unfit(&mut self, word: &str, node: &Node, expected: &str) {
        let message = format!("`{word}` is {}", shown(node));
        self.refuse(node.place, message, format!("expected {expected}"));
    }
}

impl<'a> Words<'a> {
    /// The word that was most likely meant.
    pub(crate) fn meant(&self, word: &str) -> Option<&'a str> {
        let synonym = self
            .synonyms
            .iter()
            .filter(|(other, _)| *other == word)
            .find_map(|(_, here)| self.known.iter().copied().find(|known| known == here));
        synonym.or_else(|| nearest(word, self.known.iter().copied()))
    }
}

/// What stands at a node, as messages print it.
pub(crate) fn shown(node: &Node) -> String {
    match &node.content {
        Content::Scalar(Value::Nil) => "empty".into(),
        Content::Scalar(value) => describe(value, Hidden::Nothing),
        _ => node.kind().into(),
    }
}

/// What was expected, behind the word that was most likely meant.
pub(crate) fn with_nearest(meant: Option<&str>, expected: &str) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`? {expected}"),
        None => expected.to_owned(),
    }
}
