//! Reads one entry of a recipe: a field, its conditions, and what follows from a violation.

use super::condition::{Condition, ConditionWord};
use super::error::{Place, nearest, quoted};
use super::expr::Expression;
use super::field::Field;
use super::number::Number;
use super::reader::{Reader, shown, with_nearest};
use super::recipe::PlacedRule;
use super::rule::{Binding, Origin, Rule, RuleId};
use super::source::{Key, Node};
use super::text_pattern::TextPattern;
use super::verdict::{Gate, Level};
use crate::contract::Kind;
use crate::path;
use crate::value::Value;
use crate::zone::Zone;

const ENTRY_WORDS: [&str; 8] = [
    "field",
    "level",
    "threshold",
    "max_threshold",
    "min_threshold",
    "reset_on_success",
    "optional",
    "message",
];

const MAX_MESSAGE_BYTES: usize = 1024;

/// The most values of `in`: each call is compared with all of them.
const MAX_ALLOWED: usize = 10_000;

/// What an entry says, before it is known to be whole.
struct Entry {
    field: Option<(Place, Field)>,
    conditions: Vec<(Place, Condition)>,
    level: Level,
    min_threshold: Option<(Place, u64)>,
    max_threshold: Option<(Place, u64)>,
    reset_on_success: bool,
    optional: Option<Place>,
    message: Option<(Place, String)>,
}

impl Reader<'_> {
    /// One entry: a rule per condition.
    pub(super) fn entry(&mut self, gate: Gate, position: u32, node: &Node) -> Vec<PlacedRule> {
        let problems_before = self.report.len();
        let mut entry = Entry {
            field: None,
            conditions: Vec::new(),
            level: self.defaults.level,
            min_threshold: None,
            max_threshold: None,
            reset_on_success: self.defaults.reset_on_success,
            optional: None,
            message: None,
        };
        let words: Vec<&str> = ENTRY_WORDS
            .into_iter()
            .chain(ConditionWord::ALL.map(ConditionWord::name))
            .collect();
        for (key, node) in self.entries(node, "an entry", &words) {
            self.entry_word(gate, &mut entry, key, node);
        }
        if self.report.len() == problems_before {
            self.check_entry(&entry, node.place);
        }
        entry.into_rules(gate, position, self.defaults.max_threshold)
    }

    fn entry_word(&mut self, gate: Gate, entry: &mut Entry, key: &Key, node: &Node) {
        match key.text.as_str() {
            "field" => entry.field = self.field(gate, node),
            "level" => entry.level = self.level(node).unwrap_or_default(),
            "message" => entry.message = self.message(node).map(|it| (node.place, it)),
            "optional" => {
                let is_optional = self.flag(key, node).unwrap_or(false);
                entry.optional = is_optional.then_some(key.place);
            }
            "reset_on_success" => entry.reset_on_success = self.flag(key, node).unwrap_or(true),
            "min_threshold" => {
                entry.min_threshold = self.threshold(key, node, 0).map(|it| (node.place, it));
            }
            "threshold" | "max_threshold" if entry.max_threshold.is_some() => {
                let message = "`threshold` and `max_threshold` are two spellings of one thing";
                self.report
                    .refuse(key.place, message, "write one of them".to_owned());
            }
            "threshold" | "max_threshold" => {
                entry.max_threshold = self.threshold(key, node, 1).map(|it| (node.place, it));
            }
            word => {
                if let Some(word) = ConditionWord::ALL.into_iter().find(|it| it.name() == word) {
                    let condition = self.condition(gate, word, node);
                    entry
                        .conditions
                        .extend(condition.map(|it| (node.place, it)));
                }
            }
        }
    }

    /// What only the whole entry shows.
    fn check_entry(&mut self, entry: &Entry, place: Place) {
        if entry.field.is_none() {
            self.check_without_field(entry, place);
        }
        if entry.conditions.is_empty() {
            let help = format!(
                "add one of {}",
                quoted(ConditionWord::ALL.map(ConditionWord::name))
            );
            self.report.refuse(
                place,
                "the entry has no condition, so it would check nothing",
                help,
            );
        }
        self.conditions_agree(&entry.conditions);
        let max = entry
            .max_threshold
            .map_or(self.defaults.max_threshold, |(_, max)| max);
        if let Some((place, min)) = entry.min_threshold
            && min > max
        {
            let message = format!("`min_threshold` {min} is above `max_threshold` {max}");
            let help = "the level acts at `max_threshold`, so it would never warn before";
            self.report.refuse(place, message, help.to_owned());
        }
    }

    /// An expression is about no field in particular; everything else needs one.
    fn check_without_field(&mut self, entry: &Entry, place: Place) {
        let needs_one = entry
            .conditions
            .iter()
            .find(|(_, condition)| !matches!(condition, Condition::Expr(_)));
        let help = "add `field: …`, such as `field: price` or `field: domain.total_value`";
        match needs_one {
            Some((_, condition)) if entry.conditions.len() > 1 => {
                let message = format!(
                    "the entry names no field, which `{}` needs",
                    condition.word()
                );
                self.report.refuse(place, message, help.to_owned());
            }
            None if !entry.conditions.is_empty() => {}
            _ => self
                .report
                .refuse(place, "the entry names no field", help.to_owned()),
        }
        if entry.conditions.is_empty() || needs_one.is_some() {
            return;
        }
        if let Some(place) = entry.optional {
            let message = "`optional` is about an absent field, and the entry names none";
            let help = "add `field: …`, or say in the expression what may be absent: `!has(args.note) || …`";
            self.report.refuse(place, message, help.to_owned());
        }
        if let Some((place, message)) = &entry.message {
            for word in ["{field}", "{value}"] {
                if message.contains(word) {
                    let message = format!("`message` has `{word}`, and the entry names no field");
                    self.report.refuse(*place, message, help.to_owned());
                }
            }
        }
    }

    fn field(&mut self, gate: Gate, node: &Node) -> Option<(Place, Field)> {
        let text = self.text("field", node)?;
        let shown = path::cut(text);
        let field = match Field::parse(text) {
            Ok(field) => field,
            Err(problem) => {
                let help = "write an argument's name, `args.name`, or a path such as `domain.items[0].price`";
                let message = format!("`{shown}` is no field: {problem}");
                self.report.refuse(node.place, message, help.to_owned());
                return None;
            }
        };
        match (&field, gate) {
            (Field::Result { .. }, Gate::Input) => self.report.refuse(
                node.place,
                format!("`{shown}` is not there at the input gate: the process has not run"),
                "move the entry to `outputs`".to_owned(),
            ),
            (
                Field::Context {
                    zone: zone @ (Zone::Signal | Zone::Meta),
                    ..
                },
                Gate::Input,
            ) => {
                self.report.refuse(
                    node.place,
                    format!(
                        "`{shown}` is in the {} zone, which rules see only as written by this run: nothing is at the input gate",
                        zone.name()
                    ),
                    "move the entry to `outputs`".to_owned(),
                );
            }
            _ => {}
        }
        Some((node.place, field))
    }

    fn condition(&mut self, gate: Gate, word: ConditionWord, node: &Node) -> Option<Condition> {
        match parse_condition(gate, word, node) {
            Ok(condition) => Some(condition),
            Err((place, message, help)) => {
                self.report.refuse(place, message, help);
                None
            }
        }
    }

    fn message(&mut self, node: &Node) -> Option<String> {
        let text = self.text("message", node)?;
        if text.len() > MAX_MESSAGE_BYTES {
            let message = format!(
                "`message` has {} bytes, at most {MAX_MESSAGE_BYTES} are allowed",
                text.len()
            );
            self.report.refuse(node.place, message, None);
        }
        for piece in text.split('{').skip(1) {
            let Some((word, _)) = piece.split_once('}') else {
                continue;
            };
            let known = ["field", "value", "limit"];
            if known.contains(&word) {
                continue;
            }
            // Other braces are the author's own; a near miss is a mistake.
            if let Some(meant) = nearest(word, known) {
                let message = format!("`message` has no placeholder `{{{}}}`", path::cut(word));
                let help = format!(
                    "did you mean `{{{meant}}}`? known are `{{value}}`, `{{field}}` and `{{limit}}`"
                );
                self.report.refuse(node.place, message, help);
            }
        }
        Some(text.to_owned())
    }
}

impl Entry {
    fn into_rules(self, gate: Gate, position: u32, max_threshold: u64) -> Vec<PlacedRule> {
        let (place, field) = match self.field {
            Some((place, field)) => (Some(place), Some(field)),
            None => (None, None),
        };
        let rule = |(condition_place, condition): (Place, Condition)| {
            let mut rule = Rule {
                id: RuleId {
                    gate,
                    position,
                    condition: condition.word(),
                },
                name: String::new(),
                field: field.clone(),
                condition,
                level: self.level,
                min_threshold: self.min_threshold.map_or(0, |(_, min)| min),
                max_threshold: self.max_threshold.map_or(max_threshold, |(_, max)| max),
                reset_on_success: self.reset_on_success,
                optional: self.optional.is_some(),
                message: self.message.as_ref().map(|(_, message)| message.clone()),
                binding: Binding::default(),
                origin: Origin::default(),
            };
            rule.name = rule.print_name();
            PlacedRule {
                rule,
                place: place.unwrap_or(condition_place),
                condition_place,
            }
        };
        self.conditions.into_iter().map(rule).collect()
    }
}

type Problem = (Place, String, Option<String>);

fn parse_condition(gate: Gate, word: ConditionWord, node: &Node) -> Result<Condition, Problem> {
    let value = node
        .value()
        .map_err(|(place, problem)| (place, problem, None))?;
    if word != ConditionWord::Expr && !is_finite(&value) {
        let message =
            format!("`{word}` has a limit that is not finite, which could never decide anything");
        return Err((node.place, message, Some("expected a finite number".into())));
    }
    let unfit = |expected: &str| {
        let message = format!("`{word}` is {}", shown(node));
        Err((node.place, message, Some(format!("expected {expected}"))))
    };
    let length = || match value {
        Value::Int(len) => u64::try_from(len).ok(),
        Value::UInt(len) => Some(len),
        _ => None,
    };
    match word {
        ConditionWord::Min | ConditionWord::Max => match Number::of(&value) {
            Some(limit) if word == ConditionWord::Min => Ok(Condition::Min(limit)),
            Some(limit) => Ok(Condition::Max(limit)),
            None => unfit("a number"),
        },
        ConditionWord::MinLen | ConditionWord::MaxLen => match length() {
            Some(limit) if word == ConditionWord::MinLen => Ok(Condition::MinLen(limit)),
            Some(limit) => Ok(Condition::MaxLen(limit)),
            None => unfit("a whole number that is not negative"),
        },
        ConditionWord::Eq => Ok(Condition::Eq(value)),
        ConditionWord::Neq => Ok(Condition::Neq(value)),
        ConditionWord::In => match value {
            Value::List(values) if values.len() > MAX_ALLOWED => {
                let message = format!(
                    "`in` has {} values, at most {MAX_ALLOWED} are allowed",
                    values.len()
                );
                let help = "keep long lists in the context: `expr: args.x in global.allowed`";
                Err((node.place, message, Some(help.into())))
            }
            Value::List(values) if !values.is_empty() => {
                Ok(Condition::In(values.iter().cloned().collect()))
            }
            Value::List(_) => unfit("at least one value: an empty list allows nothing"),
            _ => unfit("a list of values, such as `[1, 2]`"),
        },
        ConditionWord::Regex => match value.as_str() {
            Some(text) => TextPattern::parse(text)
                .map(Condition::Regex)
                .map_err(|problem| (node.place, format!("`regex` {problem}"), None)),
            None => unfit("a regular expression, such as `'^[a-z]+$'`"),
        },
        ConditionWord::Expr => match value.as_str() {
            Some(text) => Expression::compile(text, gate)
                .map(Condition::Expr)
                .map_err(|problem| {
                    let message = format!("`expr` is refused: {}", problem.message);
                    (node.place, message, problem.help)
                }),
            None => unfit("an expression, such as `args.price <= global.max_price`"),
        },
        ConditionWord::Type => {
            let name = value.as_str().unwrap_or_default();
            match Kind::ALL.into_iter().find(|kind| kind.name() == name) {
                Some(kind) => Ok(Condition::Type(kind)),
                None => {
                    let kinds = Kind::ALL.map(Kind::name);
                    let message = format!("`type` is {}", shown(node));
                    let help = with_nearest(
                        nearest(name, kinds),
                        &format!("expected one of {}", quoted(kinds)),
                    );
                    Err((node.place, message, Some(help)))
                }
            }
        }
    }
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.value().is_finite(),
        Value::List(list) => list.iter().all(is_finite),
        Value::Map(map) => map.iter().all(|(_, value)| is_finite(value)),
        _ => true,
    }
}
