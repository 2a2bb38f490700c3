//! Reads a recipe's YAML into rules; whatever is wrong is reported, and reading goes on.

use super::error::{RecipeErrors, Report, Source, nearest};
use super::inheritance::{self, EVERY_PROCESS};
use super::recipe::{Declared, PlacedRule, ProcessRecipe};
use super::source::{Content, Key, Node};
use super::verdict::{Gate, Level};
use crate::path;
use crate::source::words::Words;
use crate::value::Value;

pub(super) use crate::source::words::{shown, with_nearest};

/// Words of other places and other rule languages, and what they are called here.
const SYNONYMS: [(&str, &str); 23] = [
    ("max_threshold", "threshold_max"),
    ("threshold", "threshold_max"),
    ("threshold_max", "max_threshold"),
    ("threshold_min", "min_threshold"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("equals", "eq"),
    ("not_eq", "neq"),
    ("ne", "neq"),
    ("one_of", "in"),
    ("min_length", "min_len"),
    ("max_length", "max_len"),
    ("severity", "level"),
    ("name", "field"),
    ("path", "field"),
    ("kind", "type"),
    ("pattern", "regex"),
    ("matches", "regex"),
    ("expression", "expr"),
    ("cel", "expr"),
    ("condition", "expr"),
    ("extends", "inherits"),
    ("inherit", "inherits"),
];

/// Reads a whole file.
pub(super) fn read(source: &Source, root: &Node) -> Result<Vec<ProcessRecipe>, RecipeErrors> {
    let mut reader = Reader {
        report: Report::new(source),
        defaults: Defaults::default(),
    };
    let processes = reader.file(root);
    inheritance::check(&mut reader.report, &processes);
    reader.report.finish(processes)
}

/// Reads a file and collects what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) report: Report<'a>,
    pub(super) defaults: Defaults,
}

/// What an entry has where it does not say otherwise.
pub(super) struct Defaults {
    pub(super) level: Level,
    pub(super) max_threshold: u64,
    pub(super) reset_on_success: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            level: Level::C,
            max_threshold: 1,
            reset_on_success: true,
        }
    }
}

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> Vec<ProcessRecipe> {
        if root.is_nil() {
            return Vec::new();
        }
        let entries = self.entries(root, "a recipe file", &["process_recipes", "audit"]);
        // The defaults hold for the whole file, wherever it gives them.
        for (key, node) in &entries {
            if key.text == "audit" {
                self.audit(node);
            }
        }
        let mut processes = Vec::new();
        for (key, node) in entries {
            if key.text == "process_recipes" && !node.is_nil() {
                for (name, body) in self.map(node, "`process_recipes`") {
                    processes.push(self.process(name, body));
                }
            }
        }
        processes
    }

    fn audit(&mut self, node: &Node) {
        if node.is_nil() {
            return;
        }
        let words = ["level", "threshold_max", "reset_on_success"];
        for (key, node) in self.entries(node, "the `audit` block", &words) {
            match key.text.as_str() {
                "level" => self.defaults.level = self.level(node).unwrap_or_default(),
                "threshold_max" => {
                    self.defaults.max_threshold = self.threshold(key, node, 1).unwrap_or(u64::MAX);
                }
                _ => self.defaults.reset_on_success = self.flag(key, node).unwrap_or(true),
            }
        }
    }

    fn process(&mut self, name: &Key, body: &Node) -> ProcessRecipe {
        let mut process = ProcessRecipe {
            name: name.text.clone(),
            place: name.place,
            inputs: Vec::new(),
            outputs: Vec::new(),
            input_entries: 0,
            output_entries: 0,
            side_effects: None,
            errors: None,
            inherits: None,
        };
        if body.is_nil() {
            return process;
        }
        let what = if name.text == EVERY_PROCESS {
            "the recipe for every process".to_owned()
        } else {
            format!("the recipe of `{}`", path::cut(&name.text))
        };
        let words = ["inputs", "outputs", "inherits", "side_effects", "errors"];
        for (key, node) in self.entries(body, &what, &words) {
            match key.text.as_str() {
                "inputs" => {
                    (process.inputs, process.input_entries) = self.rules(Gate::Input, node);
                }
                "outputs" => {
                    (process.outputs, process.output_entries) = self.rules(Gate::Output, node);
                }
                "side_effects" => process.side_effects = self.names(key, node),
                "errors" => process.errors = self.names(key, node),
                _ => {
                    let parent = self.text("inherits", node).map(str::to_owned);
                    process.inherits = parent.map(|parent| (node.place, parent));
                }
            }
        }
        process
    }

    fn names(&mut self, key: &Key, node: &Node) -> Option<Declared> {
        let items = self.list(node, &format!("`{}`", key.text))?;
        let names = items
            .iter()
            .filter_map(|item| self.text(&key.text, item).map(str::to_owned))
            .collect();
        Some(Declared {
            place: key.place,
            names,
        })
    }

    /// The rules of a gate, and how many entries they come from.
    fn rules(&mut self, gate: Gate, node: &Node) -> (Vec<PlacedRule>, u32) {
        let mut rules = Vec::new();
        let mut entries = 0;
        if node.is_nil() {
            return (rules, entries);
        }
        for item in self.list(node, &format!("`{gate}s`")).unwrap_or_default() {
            rules.extend(self.entry(gate, entries, item));
            entries += 1;
        }
        (rules, entries)
    }

    pub(super) fn level(&mut self, node: &Node) -> Option<Level> {
        let text = self.text("level", node)?;
        let level = Level::ALL.into_iter().find(|level| level.name() == text);
        if level.is_none() {
            let levels = "`S` (interlock), `A` (abort), `B` (block), `C` (warn) or `I` (record)";
            let meant = nearest(text, Level::ALL.map(Level::name));
            self.report.refuse(
                node.place,
                format!("unknown level `{}`", path::cut(text)),
                with_nearest(meant, &format!("expected {levels}")),
            );
        }
        level
    }

    pub(super) fn threshold(&mut self, key: &Key, node: &Node, least: u64) -> Option<u64> {
        let number = match &node.content {
            Content::Scalar(Value::Int(number)) => u64::try_from(*number).ok(),
            Content::Scalar(Value::UInt(number)) => Some(*number),
            _ => None,
        };
        let number = number.filter(|number| *number >= least);
        if number.is_none() {
            self.unfit(&key.text, node, &format!("a whole number from {least} on"));
        }
        number
    }

    pub(super) fn flag(&mut self, key: &Key, node: &Node) -> Option<bool> {
        self.report.flag(&key.text, node)
    }

    pub(super) fn text<'n>(&mut self, word: &str, node: &'n Node) -> Option<&'n str> {
        self.report.text(word, node)
    }

    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        self.report.list(node, what)
    }

    /// The entries of a map, without those whose key came before.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n Key, &'n Node)> {
        self.report.map(node, what)
    }

    /// The entries of a map whose keys are words of the language.
    pub(super) fn entries<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        words: &[&str],
    ) -> Vec<(&'n Key, &'n Node)> {
        let words = Words {
            known: words,
            offered: words,
            synonyms: &SYNONYMS,
        };
        self.report.entries(node, what, &words)
    }

    pub(super) fn unfit(&mut self, word: &str, node: &Node, expected: &str) {
        self.report.unfit(word, node, expected);
    }
}
