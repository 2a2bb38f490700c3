//! Reads a file's words; whatever is wrong is reported, and reading goes on.

use super::{
    CONFIG_VERSION, Component, Components, Config, ConfigErrors, Grants, LimitOverrides,
    PolicyGrant, StateConfig, Trust, stays_within,
};
use crate::path;
use crate::side_effect::directory_name;
use crate::source::error::{Report, Source};
use crate::source::words::Words;
use crate::source::{Content, Key, Node};
use crate::value::Value;
use std::collections::BTreeMap;

const FILE: [&str; 10] = [
    "version",
    "context",
    "schema",
    "recipe",
    "permissive",
    "components",
    "policy",
    "grants",
    "limits",
    "state",
];

/// What a guest's own file may say.
const GUESTS_OWN: [&str; 5] = ["version", "context", "schema", "recipe", "components"];

/// Words that flags and other tools have, and what they are called here.
const SYNONYMS: [(&str, &str); 8] = [
    ("audit", "recipe"),
    ("policies", "policy"),
    ("grant", "grants"),
    ("dir", "grants"),
    ("component", "components"),
    ("guests", "components"),
    ("limit", "limits"),
    ("dirs", "directories"),
];

/// What a command given as one text cannot mean, since there is no shell.
const SHELL: &str = "\"'\\$`|&;<>()*?~#";

/// Reads a whole file.
pub(super) fn read(source: &Source, root: &Node, trust: Trust) -> Result<Config, ConfigErrors> {
    let mut reader = Reader {
        report: Report::new(source),
        trust,
    };
    let config = reader.file(root);
    reader.report.finish(config)
}

struct Reader<'a> {
    report: Report<'a>,
    trust: Trust,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> Config {
        let mut config = Config::default();
        // What another version of the format means by its words is not known: nothing else is said then.
        if !self.has_version(root) {
            return config;
        }
        let offered = match self.trust {
            Trust::Operator => FILE.as_slice(),
            Trust::Guest => &GUESTS_OWN,
        };
        let words = Words {
            known: &FILE,
            offered,
            synonyms: &SYNONYMS,
        };
        for (key, node) in self.report.entries(root, "a configuration", &words) {
            if self.is_for_operators(key) {
                continue;
            }
            match key.text.as_str() {
                "context" => config.context = self.path("context", node),
                "schema" => config.schema = self.path("schema", node),
                "recipe" => config.recipe = self.path("recipe", node),
                "permissive" => config.permissive = self.report.flag("permissive", node),
                "components" => config.components = self.components(node),
                "policy" => config.policy = self.policy(node),
                "grants" => config.grants = self.grants(node),
                "limits" => config.limits = LimitOverrides::read(&mut self.report, node),
                "state" => config.state = self.state(node),
                _ => {}
            }
        }
        config.version = 1;
        config
    }

    fn has_version(&mut self, root: &Node) -> bool {
        let Content::Map(entries) = &root.content else {
            return true;
        };
        let found = entries.iter().find(|(key, _)| key.text == "version");
        let Some((_, node)) = found else {
            let help = format!("begin the file with `version = {CONFIG_VERSION}`");
            self.report
                .refuse(root.place, "the configuration has no `version`", help);
            return true;
        };
        match &node.content {
            Content::Scalar(Value::Int(CONFIG_VERSION)) => true,
            Content::Scalar(Value::Int(other)) => {
                let message = format!("version {other} of the format is not known to this host");
                let help = format!("this host reads `version = {CONFIG_VERSION}`");
                self.report.refuse(node.place, message, help);
                false
            }
            _ => {
                let expected = format!("the number {CONFIG_VERSION}");
                self.report.unfit("version", node, &expected);
                true
            }
        }
    }

    /// Refuses a word that a guest's own file may not have.
    fn is_for_operators(&mut self, key: &Key) -> bool {
        let own = GUESTS_OWN.contains(&key.text.as_str());
        if self.trust == Trust::Operator || own {
            return false;
        }
        let message = format!(
            "`{}` stands in the guest's own file, which cannot give it",
            path::cut(&key.text)
        );
        let help = "who runs the guest decides that: remove it here, and write it into a theus.toml of the folder that \
                    you run in, or into a file for `--config`";
        self.report.refuse(key.place, message, help.to_owned());
        true
    }

    fn components(&mut self, node: &Node) -> Components {
        let mut components = Components::default();
        for (key, node) in self.report.map(node, "`components`") {
            if key.text == "scan" {
                if self.trust == Trust::Guest {
                    self.is_for_operators(key);
                    continue;
                }
                components.scan = self.path("scan", node);
                continue;
            }
            if key.text.is_empty() || key.text.contains(['/', '\\']) || key.text.ends_with(".wasm")
            {
                let message = format!("`{}` is no name of a component", path::cut(&key.text));
                let help = "a name is what TARGET says in the place of a path: no slash, no .wasm at its end";
                self.report.refuse(key.place, message, help.to_owned());
            }
            let component = self.component(key, node);
            components.by_name.insert(key.text.clone(), component);
        }
        components
    }

    fn component(&mut self, key: &Key, node: &Node) -> Component {
        const WORDS: [&str; 5] = ["path", "build", "context", "schema", "recipe"];
        let what = format!("the component `{}`", path::cut(&key.text));
        let words = Words {
            known: &WORDS,
            offered: &WORDS,
            synonyms: &[("audit", "recipe"), ("file", "path"), ("command", "build")],
        };
        let mut component = Component::default();
        let mut build = None;
        let entries = self.report.entries(node, &what, &words);
        for (key, node) in &entries {
            match key.text.as_str() {
                "path" => component.path = self.path("path", node).unwrap_or_default(),
                "build" => {
                    build = Some(key.place);
                    component.build = self.command(node);
                }
                "context" => component.context = self.path("context", node),
                "schema" => component.schema = self.path("schema", node),
                _ => component.recipe = self.path("recipe", node),
            }
        }
        let is_map = matches!(node.content, Content::Map(_));
        let has_path = entries.iter().any(|(key, _)| key.text == "path");
        if is_map && !has_path {
            let help = "`path` is a .wasm file or a guest's source folder".to_owned();
            self.report
                .refuse(key.place, format!("{what} has no `path`"), help);
        }
        if let Some(place) = build
            && has_path
            && !component.path.ends_with(".wasm")
        {
            let message = format!("`build` of {what} does not say which file it makes");
            let help = "let `path` be the .wasm file that the command makes; a guest's folder is built without a command";
            self.report.refuse(place, message, help.to_owned());
        }
        component
    }

    fn command(&mut self, node: &Node) -> Option<Vec<String>> {
        let words: Vec<String> = match &node.content {
            Content::Scalar(Value::Str(text)) => {
                if let Some(sign) = text.chars().find(|it| SHELL.contains(*it)) {
                    let message = format!("`build` has `{sign}`, and no shell would read it");
                    let help =
                        "write the command as a list of words, such as [\"make\", \"guest.wasm\"]";
                    self.report.refuse(node.place, message, help.to_owned());
                    return None;
                }
                text.split_whitespace().map(str::to_owned).collect()
            }
            Content::List(items) => {
                let texts = items.iter().map(|item| self.report.text("build", item));
                let texts: Option<Vec<&str>> = texts.collect();
                texts?.into_iter().map(str::to_owned).collect()
            }
            _ => {
                let expected = "a command: a text, or a list of its words";
                self.report.unfit("build", node, expected);
                return None;
            }
        };
        if words.first().is_none_or(String::is_empty) {
            self.report
                .refuse(node.place, "`build` names no program", None);
            return None;
        }
        Some(words)
    }

    fn policy(&mut self, node: &Node) -> BTreeMap<String, PolicyGrant> {
        const WORDS: [&str; 3] = ["inputs", "outputs", "topics"];
        let words = Words {
            known: &WORDS,
            offered: &WORDS,
            synonyms: &[
                ("reads", "inputs"),
                ("writes", "outputs"),
                ("outbox", "topics"),
            ],
        };
        let mut policies = BTreeMap::new();
        for (key, node) in self.report.map(node, "`policy`") {
            let what = format!("the policy of `{}`", path::cut(&key.text));
            let mut grant = PolicyGrant {
                place: key.place,
                ..PolicyGrant::default()
            };
            let mut said = !matches!(node.content, Content::Map(_));
            for (key, node) in self.report.entries(node, &what, &words) {
                said = true;
                let list = self.report.list(node, &format!("`{}` of {what}", key.text));
                let paths = list.map(|items| {
                    let texts = items.iter().filter_map(|item| {
                        let word = match key.text.as_str() {
                            "topics" => "a topic",
                            _ => "a path",
                        };
                        let text = self.report.text(word, item)?;
                        Some((item.place, text.to_owned()))
                    });
                    texts.collect()
                });
                match key.text.as_str() {
                    "inputs" => grant.inputs = paths,
                    "topics" => grant.topics = paths,
                    _ => grant.outputs = paths,
                }
            }
            let is_empty = matches!(&node.content, Content::Map(entries) if entries.is_empty());
            if !said && is_empty {
                let message = format!(
                    "{what} gives neither inputs nor outputs nor topics, so it would narrow nothing"
                );
                let help = "list the inputs, outputs or topics that the process may have, or leave the process out";
                self.report.refuse(key.place, message, help.to_owned());
            }
            policies.insert(key.text.clone(), grant);
        }
        policies
    }

    fn grants(&mut self, node: &Node) -> Grants {
        const WORDS: [&str; 4] = ["clock", "random", "directories", "writable_directories"];
        let words = Words {
            known: &WORDS,
            offered: &WORDS,
            synonyms: &SYNONYMS,
        };
        let mut grants = Grants::default();
        for (key, node) in self.report.entries(node, "`grants`", &words) {
            match key.text.as_str() {
                "clock" => grants.clock = self.report.flag("clock", node),
                "random" => grants.random = self.report.flag("random", node),
                "directories" => grants.directories = self.directories("`directories`", node),
                _ => {
                    grants.writable_directories = self.directories("`writable_directories`", node);
                }
            }
        }
        grants
    }

    /// Folders by the names that contracts ask for.
    fn directories(&mut self, what: &str, node: &Node) -> BTreeMap<String, String> {
        let mut directories = BTreeMap::new();
        for (key, node) in self.report.map(node, what) {
            if let Err(error) = directory_name(&key.text) {
                self.report.refuse(key.place, error.to_string(), None);
            }
            let path = self.path(&path::cut(&key.text), node);
            directories.insert(key.text.clone(), path.unwrap_or_default());
        }
        directories
    }

    fn state(&mut self, node: &Node) -> Option<StateConfig> {
        const WORDS: [&str; 2] = ["directory", "buffered"];
        let words = Words {
            known: &WORDS,
            offered: &WORDS,
            synonyms: &[("dir", "directory"), ("path", "directory")],
        };
        let mut state = StateConfig::default();
        if !matches!(node.content, Content::Map(_)) {
            state.directory = self.path("state", node)?;
            return Some(state);
        }
        let mut directory = None;
        for (key, node) in self.report.entries(node, "`state`", &words) {
            match key.text.as_str() {
                "directory" => directory = Some(self.path("directory", node).unwrap_or_default()),
                _ => state.buffered = self.report.flag("buffered", node),
            }
        }
        if directory.is_none() {
            let help = "name the directory in which the context is to last: directory = \"state\"";
            self.report
                .refuse(node.place, "`state` has no `directory`", help.to_owned());
        }
        state.directory = directory?;
        Some(state)
    }

    fn path(&mut self, word: &str, node: &Node) -> Option<String> {
        let text = self.report.text(word, node)?;
        if text.is_empty() {
            let message = format!("`{word}` is empty, expected a path");
            self.report.refuse(node.place, message, None);
        }
        if self.trust == Trust::Guest && !stays_within(text) {
            let message = format!("`{word}` leads out of the guest's folder");
            let help =
                "the guest's own file names what lies beside it: a relative path without `..`";
            self.report.refuse(node.place, message, help.to_owned());
        }
        Some(text.to_owned())
    }
}
