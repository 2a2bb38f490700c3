//! Contracts in a file of their own, for guests whose toolchain writes no contract section.

use super::raw::{RawContract, RawParameter, check_error, check_name, check_parameter, parse_path};
use super::{Contract, ContractFileErrors, MAX_SECTION_BYTES, Parameter};
use crate::path;
use crate::side_effect::SideEffect;
use crate::source::error::{Place, Report, Source};
use crate::source::words::Words;
use crate::source::{Content, Node};
use std::collections::HashMap;

const CONTRACT: Words<'_> = words(
    &[
        "name",
        "summary",
        "parameters",
        "inputs",
        "outputs",
        "side_effects",
        "errors",
    ],
    &[
        ("process", "name"),
        ("description", "summary"),
        ("args", "parameters"),
        ("arguments", "parameters"),
        ("params", "parameters"),
        ("reads", "inputs"),
        ("writes", "outputs"),
        ("effects", "side_effects"),
    ],
);

const PARAMETER: Words<'_> = words(
    &["name", "kind", "optional", "secret"],
    &[("type", "kind"), ("required", "optional")],
);

impl Contract {
    /// Parses a contract file: one contract, or a list of them, with the words of a contract section.
    ///
    /// ```
    /// use theus_core::contract::Contract;
    ///
    /// let contracts = Contract::parse_file(
    ///     "{ name: count, parameters: [{ name: by, kind: int }], outputs: [domain.counter] }",
    ///     "contract.yaml",
    /// )?;
    /// assert_eq!(contracts[0].name, "count");
    /// # Ok::<(), theus_core::contract::ContractFileErrors>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every problem of the file at once, each with line, column and the nearest valid word.
    ///
    /// # Security
    ///
    /// The text is bounded to [`MAX_SECTION_BYTES`], and so is what it can expand to.
    pub fn parse_file(text: &str, origin: &str) -> Result<Vec<Self>, ContractFileErrors> {
        if text.len() > MAX_SECTION_BYTES {
            let message = format!(
                "the file has {} bytes, at most {MAX_SECTION_BYTES} are allowed",
                text.len()
            );
            return Err(ContractFileErrors::of_file(origin, message));
        }
        let source = Source::new(origin, text);
        let root = Node::of_yaml(&source, text)?;
        let mut reader = Reader {
            report: Report::new(&source),
        };
        let contracts = reader.file(&root);
        let contracts = reader.report.finish(contracts)?;
        // What no single place is to blame for: more in all than a section may hold.
        Self::section(&contracts)
            .map_err(|error| ContractFileErrors::of_file(origin, error.problem))?;
        Ok(contracts)
    }
}

const fn words<'a>(known: &'a [&'a str], synonyms: &'a [(&'a str, &'a str)]) -> Words<'a> {
    Words {
        known,
        offered: known,
        synonyms,
    }
}

struct Reader<'a> {
    report: Report<'a>,
}

/// A text and where it stands.
type Text = (Place, String);

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> Vec<Contract> {
        let nodes = match &root.content {
            Content::List(items) if !items.is_empty() => items.as_slice(),
            Content::Map(entries) if !entries.is_empty() => std::slice::from_ref(root),
            _ => {
                let help = "write `name:`, and below it `parameters:`, `inputs:` and `outputs:`; a list of such maps declares several processes";
                let message = "the file declares no process";
                self.report.refuse(root.place, message, help.to_owned());
                return Vec::new();
            }
        };
        let mut first_places = HashMap::new();
        let mut contracts = Vec::new();
        for node in nodes {
            let Some((place, contract)) = self.contract(node) else {
                continue;
            };
            match first_places.insert(contract.name.clone(), place.line) {
                None => contracts.push(contract),
                Some(line) => self.report.refuse(
                    place,
                    format!("the process `{}` is declared twice", contract.name),
                    format!("it was first declared at line {line}"),
                ),
            }
        }
        contracts
    }

    /// One contract, and where its name stands; none where something about it is wrong.
    fn contract(&mut self, node: &Node) -> Option<(Place, Contract)> {
        let problems_before = self.report.len();
        let mut raw = RawContract::default();
        let mut name_place = None;
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let mut parameters_known = true;
        for (key, node) in self.report.entries(node, "a contract", &CONTRACT) {
            match key.text.as_str() {
                "name" => {
                    name_place = Some(node.place);
                    raw.name = self.checked("name", node, |it| check_name("process", it));
                }
                "summary" => raw.summary = self.checked("summary", node, |_| Ok(())),
                "parameters" => {
                    let before = self.report.len();
                    raw.parameters = self.parameters(node);
                    parameters_known = self.report.len() == before;
                }
                "inputs" => inputs = self.texts("inputs", node, |_| Ok(())),
                "outputs" => outputs = self.texts("outputs", node, |_| Ok(())),
                "side_effects" => {
                    let effects = self.texts("side_effects", node, |it| {
                        let parsed = SideEffect::parse(it);
                        parsed.map(drop).map_err(|error| error.to_string())
                    });
                    raw.side_effects = strings(effects);
                }
                _ => raw.errors = strings(self.texts("errors", node, check_error)),
            }
        }
        // A path may name a parameter: where those are not known, neither is what it means.
        if parameters_known {
            let parameters: Vec<_> = raw.parameters.iter().map(RawParameter::as_it_is).collect();
            self.paths("input", &inputs, &parameters);
            self.paths("output", &outputs, &parameters);
        }
        let Some(place) = name_place else {
            // A slip of the pen in `name` is told once.
            if self.report.len() == problems_before {
                let help = "add `name`, the process's name".to_owned();
                self.report
                    .refuse(node.place, "a contract has no `name`", help);
            }
            return None;
        };
        (raw.inputs, raw.outputs) = (strings(inputs), strings(outputs));
        if self.report.len() > problems_before {
            return None;
        }
        match raw.parse() {
            Ok(contract) => Some((place, contract)),
            Err(problem) => {
                self.report.refuse(place, problem, None);
                None
            }
        }
    }

    fn parameters(&mut self, node: &Node) -> Vec<RawParameter> {
        let items = self.report.list(node, "`parameters`").unwrap_or_default();
        items.iter().filter_map(|it| self.parameter(it)).collect()
    }

    fn parameter(&mut self, node: &Node) -> Option<RawParameter> {
        let problems_before = self.report.len();
        let (mut name, mut kind, mut optional, mut secret) = (None, None, false, false);
        for (key, node) in self.report.entries(node, "a parameter", &PARAMETER) {
            match key.text.as_str() {
                "name" => name = Some(self.checked("name", node, check_parameter)),
                "kind" => kind = self.report.kind("kind", node),
                "optional" => optional = self.report.flag("optional", node) == Some(true),
                _ => secret = self.report.flag("secret", node) == Some(true),
            }
        }
        match (name, kind) {
            (Some(name), Some(kind)) => {
                return Some(RawParameter {
                    name,
                    kind,
                    optional,
                    secret,
                });
            }
            _ if self.report.len() > problems_before => {}
            _ => self.report.refuse(
                node.place,
                "a parameter lacks its `name` or its `kind`",
                "write it as `{ name: price, kind: int }`".to_owned(),
            ),
        }
        None
    }

    /// A string that passes a check.
    fn checked(
        &mut self,
        word: &str,
        node: &Node,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> String {
        let Some(text) = self.report.text(word, node) else {
            return String::new();
        };
        if let Err(problem) = check(text) {
            self.report.refuse(node.place, problem, None);
        }
        text.to_owned()
    }

    /// A list of strings that pass a check, each once.
    fn texts(
        &mut self,
        word: &str,
        node: &Node,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<Text> {
        let mut texts: Vec<Text> = Vec::new();
        let items = self.report.list(node, &format!("`{word}`"));
        for node in items.unwrap_or_default() {
            let text = self.checked(word, node, &check);
            if texts.iter().any(|(_, other)| *other == text) {
                let message = format!("`{}` stands in `{word}` twice", path::cut(&text));
                self.report.refuse(node.place, message, None);
            } else {
                texts.push((node.place, text));
            }
        }
        texts
    }

    fn paths(&mut self, what: &str, texts: &[Text], parameters: &[Parameter]) {
        for (place, text) in texts {
            if let Err(problem) = parse_path(what, text, parameters) {
                self.report.refuse(*place, problem, None);
            }
        }
    }
}

impl RawParameter {
    /// The parameter, for paths that name it.
    fn as_it_is(&self) -> Parameter {
        Parameter {
            name: self.name.clone(),
            kind: self.kind,
            optional: self.optional,
            secret: self.secret,
        }
    }
}

fn strings(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "
- name: count
  summary: Counts
  parameters:
    - { name: by, kind: int }
    - { name: note, kind: string, optional: true, secret: true }
  inputs: [domain.step]
  outputs: ['domain.counters[{by}]', domain.sig_done]
  side_effects: [clock]
  errors: [ValueError]
- { name: other }
";

    #[test]
    fn what_a_file_declares_is_what_its_section_declares() {
        let contracts = Contract::parse_file(WHOLE, "contract.yaml").expect("contracts");
        assert_eq!(contracts.len(), 2);
        assert!(contracts[0].parameters[1].secret && !contracts[0].parameters[0].optional);
        let section = Contract::section(&contracts).expect("it fits");
        let again = Contract::parse_section(section.as_bytes()).expect("a section");
        assert_eq!(contracts, again);
        assert_eq!(Contract::section(&again).as_deref(), Ok(section.as_str()));
        let one = Contract::parse_file("name: other", "contract.yaml").expect("one");
        assert_eq!(one, contracts[1..]);
    }

    fn refusal(text: &str) -> String {
        match Contract::parse_file(text, "contract.yaml") {
            Ok(_) => panic!("accepted: {text}"),
            Err(errors) => errors.to_string(),
        }
    }

    #[test]
    fn whatever_is_wrong_is_told_with_its_place_and_the_nearest_word() {
        for (text, expected) in [
            ("", "the file declares no process"),
            ("[]", "the file declares no process"),
            ("text", "the file declares no process"),
            (
                "name: count\nname: other",
                ":2:1: the key `name` comes twice",
            ),
            (
                "name: count\ninptus: []",
                ":2:1: unknown key `inptus` in a contract",
            ),
            ("name: count\ninptus: []", "did you mean `inputs`?"),
            ("name: count\nreads: []", "did you mean `inputs`?"),
            ("nmae: count", "did you mean `name`?"),
            ("inputs: []", "a contract has no `name`"),
            ("name: a b", ":1:7: the process name `a b` is not allowed"),
            ("name: 5", "`name` is"),
            ("name: a\ninputs: domain.x", ":2:9: `inputs` is"),
            (
                "name: a\ninputs: [domain.x, domain..y]",
                ":2:20: the input `domain..y`",
            ),
            (
                "name: a\noutputs: ['domain.{p}']",
                "there is no parameter `p`",
            ),
            ("name: a\noutputs: [domain._x]", "private to the host"),
            (
                "name: a\ninputs: [domain.x, domain.x]",
                ":2:20: `domain.x` stands in `inputs` twice",
            ),
            (
                "name: a\nparameters: [{ name: p, kind: integer }]",
                "did you mean `int`?",
            ),
            (
                "name: a\nparameters: [{ name: p, type: int }]",
                "did you mean `kind`?",
            ),
            (
                "name: a\nparameters: [{ name: p }]",
                "lacks its `name` or its `kind`",
            ),
            (
                "name: a\nparameters: [{ name: old, kind: int }]",
                "may not be called `old`",
            ),
            ("name: a\nparameters: [p]", "a parameter is"),
            (
                "name: a\nparameters: [{ name: p, kind: int }, { name: p, kind: int }]",
                "the parameter `p` is declared twice",
            ),
            (
                "name: a\nside_effects: [clokc]",
                ":2:16: unknown side effect `clokc`",
            ),
            (
                "name: a\nerrors: [Decode]",
                ":2:10: the error name `Decode` is reserved",
            ),
            (
                "- name: a\n- name: a",
                ":2:9: the process `a` is declared twice",
            ),
            ("name: [", "not YAML"),
        ] {
            let message = refusal(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
        let large = format!("name: a\nsummary: {}", "x".repeat(MAX_SECTION_BYTES));
        assert!(refusal(&large).contains("bytes, at most"));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let message = refusal("name: a b\nerrors: [Decode]\nparameters: [{ kind: itn }]");
        for place in [":1:7:", ":2:10:", ":3:22:"] {
            assert!(message.contains(place), "{place}: {message}");
        }
    }
}
