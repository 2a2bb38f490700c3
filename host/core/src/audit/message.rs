//! The words of a verdict.

use super::condition::{self, Condition, Objection};
use super::rule::{Finding, Rule};

/// What a message shows of a secret.
const MASK: &str = "***";

impl Rule {
    /// The rule's printed name: field, condition, limit.
    pub(super) fn print_name(&self) -> String {
        let (condition, limit) = (self.id.condition, self.limit());
        match &self.field {
            Some(field) => format!("{field} {condition} {limit}"),
            None => format!("{condition} {limit}"),
        }
    }

    /// The text of a verdict on this rule.
    pub(super) fn explain(&self, finding: &Finding) -> String {
        let plain = || self.plain_message(finding);
        let Some(template) = &self.message else {
            return plain();
        };
        let filled = self.fill(template, finding);
        match finding.objection {
            Objection::Unmet => filled,
            // The author wrote the message for the condition; that it could not be asked has to be said as well.
            Objection::Absent
            | Objection::WrongKind { .. }
            | Objection::NotANumber
            | Objection::TooLong { .. }
            | Objection::Undecided { .. } => format!("{filled}: {}", plain()),
        }
    }

    fn plain_message(&self, finding: &Finding) -> String {
        let field = self.field_text();
        let kind = finding.kind.unwrap_or("absent");
        match &finding.objection {
            Objection::Absent => format!("`{field}` is absent"),
            Objection::WrongKind { needs } => {
                format!("`{field}` is {kind}, `{}` needs {needs}", self.id.condition)
            }
            Objection::NotANumber => {
                format!("`{field}` is not a number (NaN), which no comparison lets pass")
            }
            Objection::TooLong { limit } => format!(
                "`{field}` has more than {limit} bytes, which this `{}` does not look at",
                self.id.condition
            ),
            Objection::Undecided { why } => {
                format!("`{}` cannot be decided: {why}", self.limit())
            }
            Objection::Unmet => {
                let expectation = self.condition.expectation(&self.limit());
                match &self.condition {
                    Condition::Expr(_) => expectation,
                    Condition::Type(_) => format!("`{field}` is {kind}, {expectation}"),
                    Condition::MinLen(_) | Condition::MaxLen(_) => {
                        format!("`{field}` has {}, {expectation}", self.measured(finding))
                    }
                    _ => format!("`{field}` is {}, {expectation}", self.value(finding)),
                }
            }
        }
    }

    /// Fills `{field}`, `{value}` and `{limit}` in one pass: what is filled in is never read as a template.
    fn fill(&self, template: &str, finding: &Finding) -> String {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let known: [(&str, &dyn Fn() -> String); 3] = [
                ("{field}", &|| self.field_text()),
                ("{value}", &|| self.value(finding)),
                ("{limit}", &|| self.limit()),
            ];
            match known.iter().find(|(word, _)| rest.starts_with(word)) {
                Some((word, print)) => {
                    text.push_str(&print());
                    rest = &rest[word.len()..];
                }
                None => {
                    text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        text.push_str(rest);
        text
    }

    /// What `{value}` shows: the length where the condition is about it, else the value.
    fn value(&self, finding: &Finding) -> String {
        let Some(value) = &finding.found else {
            let is_there = finding.objection != Objection::Absent;
            return if is_there { MASK } else { "absent" }.into();
        };
        let hidden = self.hidden();
        match (&self.condition, condition::len(value, hidden)) {
            (Condition::MinLen(_) | Condition::MaxLen(_), Some(len)) => len.to_string(),
            _ => condition::describe(value, hidden),
        }
    }

    fn field_text(&self) -> String {
        self.field
            .as_ref()
            .map_or_else(|| self.name.clone(), ToString::to_string)
    }

    fn measured(&self, finding: &Finding) -> String {
        let unit = match finding.kind {
            Some("a list") => "element",
            Some("a map") => "key",
            _ => "byte",
        };
        match finding
            .found
            .as_ref()
            .and_then(|value| condition::len(value, self.hidden()))
        {
            Some(len) => condition::counted(len, unit),
            None => format!("{MASK} {unit}s"),
        }
    }

    fn limit(&self) -> String {
        if !self.binding.secrets.is_empty() && self.condition.limit_tells_value() {
            MASK.into()
        } else {
            self.condition.limit()
        }
    }
}
