//! One input through the pipeline, twice, and what that shows.

use super::finding::Found;
use super::input::Input;
use crate::engine::Engine;
use crate::error::RunError;
use crate::receipt::{Outcome, Receipt, Step};
use crate::run::Call;
use std::time::Duration;
use theus_core::path::Layer;
use theus_core::side_effect::SideEffect;
use theus_core::tree::Tree;

/// Runs inputs.
pub(super) struct Judge<'e> {
    engine: &'e Engine,
}

/// What a run showed.
pub(super) struct Judged {
    /// How it ended, in a word: `committed`, a declared error's name, or what refused it.
    pub(super) ending: String,
    pub(super) receipt: Receipt,
    pub(super) found: Option<Found>,
}

/// How a run ends that would commit.
pub(super) const COMMITTED: &str = "committed";

impl<'e> Judge<'e> {
    pub(super) fn new(engine: &'e Engine) -> Self {
        Self { engine }
    }

    /// Makes a context the engine's; false where an operator may not set it.
    pub(super) fn enter(&self, context: &Tree) -> bool {
        enter(self.engine, context)
    }

    /// Runs an input twice, and says what is to be said of it.
    pub(super) fn judge(&self, input: &Input) -> Judged {
        self.enter(&input.context);
        let before = self.engine.context();
        let receipt = self.call(input);
        let again = self.call(input);
        let outside = || receipt.outside.as_deref().cloned();
        let difference = difference(&receipt, &again).or_else(|| {
            let after = self.engine.context();
            (after.version != before.version || after.tree != before.tree)
                .then_some("what it left behind: a dry run changed the context")
        });
        let found = match difference {
            Some(what) => Some(Found::difference(&input.process, what, outside())),
            None if could_not_take_arguments(&receipt) => None,
            None if receipt.outcome == Outcome::Refused && receipt.stats.fuel == 0 => None,
            None => (receipt.error.as_ref()).and_then(|error| Found::of(error, outside())),
        };
        Judged {
            ending: ending(&receipt),
            receipt,
            found,
        }
    }

    fn call(&self, input: &Input) -> Receipt {
        let mut call = Call::new(input.process.as_str(), input.args.clone()).dry_run();
        let processes = self.engine.shared.processes.load();
        let reach = processes
            .get(&input.process)
            .and_then(|process| process.reach.clone());
        let reaches = |effect| reach.as_ref().is_some_and(|reach| reach.has(effect));
        if reaches(&SideEffect::Clock) {
            call = call.at(input.time);
        }
        if reaches(&SideEffect::Random) {
            call = call.seeded(input.seed);
        }
        self.engine.call(call)
    }
}

impl Judged {
    /// The time that the guest took.
    pub(super) fn execution(&self) -> Duration {
        let time = self.receipt.stats.steps.time(Step::Execution);
        time.unwrap_or_default()
    }
}

/// Makes a context an engine's; false where an operator may not set it.
pub(super) fn enter(engine: &Engine, context: &Tree) -> bool {
    if engine.context().tree == *context {
        return true;
    }
    let entered = engine.edit(|edit| {
        for layer in Layer::ALL {
            edit.set(layer.name(), context.layer(layer).clone())?;
        }
        Ok(())
    });
    if let Err(error) = &entered {
        tracing::debug!(%error, "the context is left out");
    }
    entered.is_ok()
}

/// Whether the guest could not read its arguments: contracts know kinds, guests types. It has asked the host for nothing
/// yet, so it cannot be the context that it could not read.
fn could_not_take_arguments(receipt: &Receipt) -> bool {
    matches!(receipt.error, Some(RunError::Decode { .. })) && receipt.stats.host_calls == 0
}

fn ending(receipt: &Receipt) -> String {
    let Some(error) = &receipt.error else {
        return COMMITTED.into();
    };
    match error {
        _ if could_not_take_arguments(receipt) => "arguments not taken".into(),
        RunError::Failure { code, .. } => format!("failed: {code}"),
        RunError::Schema { .. } => "refused by the schema".into(),
        RunError::Audit { .. } => format!("refused by a rule: {}", error.kind().name()),
        _ if receipt.outcome == Outcome::Refused => format!("refused: {}", error.code()),
        _ => format!("{}: {}", error.kind().name(), error.code()),
    }
}

/// In what two runs with the same input differ. Runs that trap or reach a limit are only promised to end alike.
#[must_use]
pub fn difference(one: &Receipt, other: &Receipt) -> Option<&'static str> {
    let ending = |it: &Receipt| it.error.as_ref().map(|error| (error.code(), error.kind()));
    if ending(one) != ending(other) || one.outcome != other.outcome {
        return Some("how they end");
    }
    let ends_in_order = matches!(one.error, None | Some(RunError::Failure { .. }));
    if !ends_in_order {
        return None;
    }
    if one.error != other.error {
        return Some("what they fail with");
    }
    if one.result != other.result {
        return Some("their result");
    }
    if *one.changes != *other.changes {
        return Some("what they change");
    }
    if one.signals != other.signals || one.outbox != other.outbox {
        return Some("what they send");
    }
    if one.log != other.log {
        return Some("what they log");
    }
    if one.stats.host_calls != other.stats.host_calls {
        return Some("how often they call the host");
    }
    if one.stats.memory_bytes != other.stats.memory_bytes {
        return Some("the memory that they hold");
    }
    (one.stats.fuel != other.stats.fuel).then_some("the fuel that they use")
}

#[cfg(test)]
mod tests {
    use super::*;
    use theus_core::guest_log::{LogLevel, LogLine};
    use theus_core::transaction::{OutboxMessage, Signal};
    use theus_core::value::Value;

    fn receipt(change: impl FnOnce(&mut Receipt)) -> Receipt {
        let mut receipt = Receipt::refused(None);
        receipt.outcome = Outcome::RolledBack;
        change(&mut receipt);
        receipt
    }

    fn failure(message: &str) -> Option<RunError> {
        Some(RunError::Failure {
            process: "p".into(),
            code: "ValueError".into(),
            message: message.into(),
        })
    }

    fn trap(reason: &str) -> Option<RunError> {
        Some(RunError::Trapped {
            process: "p".into(),
            reason: reason.into(),
            function: None,
            place: None,
        })
    }

    #[test]
    fn runs_that_end_in_order_agree_in_all_that_can_be_seen() {
        let path = theus_core::path::Path::parse("domain.sig_x").expect("a path");
        let signal = Signal {
            path,
            value: Value::Nil,
        };
        let message = OutboxMessage {
            topic: "t".into(),
            payload: [].into(),
        };
        let line = LogLine {
            level: LogLevel::Info,
            message: "m".into(),
        };
        for (other, expected) in [
            (receipt(|_| ()), None),
            (
                receipt(|it| it.stats.fuel = 1),
                Some("the fuel that they use"),
            ),
            (
                receipt(|it| it.stats.host_calls = 1),
                Some("how often they call the host"),
            ),
            (
                receipt(|it| it.stats.memory_bytes = 1),
                Some("the memory that they hold"),
            ),
            (receipt(|it| it.log.push(line)), Some("what they log")),
            (
                receipt(|it| it.result = Some(1.into())),
                Some("their result"),
            ),
            (
                receipt(|it| it.signals.push(signal)),
                Some("what they send"),
            ),
            (
                receipt(|it| it.outbox.push(message)),
                Some("what they send"),
            ),
            (receipt(|it| it.error = trap("a")), Some("how they end")),
            (
                receipt(|it| it.outcome = Outcome::Refused),
                Some("how they end"),
            ),
        ] {
            assert_eq!(difference(&receipt(|_| ()), &other), expected);
        }
        let failed = |message| receipt(|it| it.error = failure(message));
        assert_eq!(
            difference(&failed("a"), &failed("b")),
            Some("what they fail with")
        );
    }

    #[test]
    fn runs_that_trap_only_end_alike() {
        let one = receipt(|it| it.error = trap("a"));
        let other = receipt(|it| {
            it.error = trap("b");
            it.stats.fuel = 5;
        });
        assert_eq!(difference(&one, &other), None);
    }
}
