//! Verdicts: what a gate says about a run, and how much that weighs.

use super::tracker::Moved;
use serde::Serialize;
use std::fmt;

/// Where a rule stands in the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Before the guest runs: arguments and the last committed version.
    Input,
    /// After it ran: arguments, result and the transaction's view.
    Output,
}

/// How much a rule matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Level {
    /// Refuses the call and throws the interlock: every later call is refused until an operator resets it.
    S,
    /// Refuses the call and tells the caller to stop what it is doing.
    A,
    /// Refuses the call.
    B,
    /// Warns.
    #[default]
    C,
    /// Records.
    I,
}

/// What follows from a violated rule; a later one outweighs an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing yet: the rule's counter is below both thresholds.
    #[default]
    Pass,
    /// It is recorded.
    Record,
    /// The caller is warned.
    Warn,
    /// The call is refused.
    Block,
    /// The call is refused and the caller is to stop.
    Abort,
    /// The call is refused and so is every later one.
    Interlock,
}

/// What a gate says about one violated rule; exactly one entry of the receipt's `audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The gate.
    pub gate: Gate,
    /// The rule, such as `price min 0`.
    pub rule: String,
    /// The rule's level.
    pub level: Level,
    /// The rule's counter at this verdict; where the level acted, before it returned to 0.
    pub count: u64,
    /// What follows.
    pub action: Action,
    /// Why, for a person.
    pub message: String,
}

/// What a gate says about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Judgement {
    /// How many rules were judged: all of the gate, unless a level S rule acted.
    pub judged: usize,
    /// One verdict per violated rule, in the order of the recipe.
    pub verdicts: Vec<Verdict>,
    /// The weightiest action among them.
    pub action: Action,
    /// The counters that it moved; none in a preview.
    pub moved: Vec<Moved>,
}

impl Gate {
    /// The gate's name, as receipts spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

impl Level {
    /// Every level, the weightiest first.
    pub const ALL: [Self; 5] = [Self::S, Self::A, Self::B, Self::C, Self::I];

    /// The level's letter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::I => "I",
        }
    }

    /// What the level does when it acts.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::S => Action::Interlock,
            Self::A => Action::Abort,
            Self::B => Action::Block,
            Self::C => Action::Warn,
            Self::I => Action::Record,
        }
    }
}

impl Action {
    /// Every action, the lightest first.
    pub const ALL: [Self; 6] = [
        Self::Pass,
        Self::Record,
        Self::Warn,
        Self::Block,
        Self::Abort,
        Self::Interlock,
    ];

    /// Whether the call is refused.
    #[must_use]
    pub fn refuses(self) -> bool {
        self >= Self::Block
    }

    /// The action's name, as receipts spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Record => "record",
            Self::Warn => "warn",
            Self::Block => "block",
            Self::Abort => "abort",
            Self::Interlock => "interlock",
        }
    }
}

impl Judgement {
    /// Whether the call is refused.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.action.refuses()
    }

    /// The first of the weightiest verdicts; none where every rule passed.
    #[must_use]
    pub fn decisive(&self) -> Option<&Verdict> {
        self.verdicts
            .iter()
            .find(|verdict| verdict.action == self.action)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_prints_as_the_receipts_audit_entry() {
        let verdict = Verdict {
            gate: Gate::Input,
            rule: "price min 0".into(),
            level: Level::B,
            count: 1,
            action: Action::Block,
            message: "`price` is -5, expected at least 0".into(),
        };
        assert_eq!(
            serde_json::to_string(&verdict).expect("json"),
            r#"{"gate":"input","rule":"price min 0","level":"B","count":1,"action":"block","message":"`price` is -5, expected at least 0"}"#
        );
    }

    #[test]
    fn printed_names_are_the_serialized_ones() {
        for action in [
            Action::Pass,
            Action::Record,
            Action::Warn,
            Action::Block,
            Action::Abort,
            Action::Interlock,
        ] {
            let json = serde_json::to_value(action).expect("json");
            assert_eq!(json, action.name());
        }
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).expect("json"), level.name());
        }
    }
}
