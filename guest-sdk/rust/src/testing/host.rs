//! The mock host: a context in memory, and the pipeline around one native call.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use theus_core::arguments;
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::context_source::context_from_value;
use theus_core::contract::Contract;
use theus_core::guard::{self, GrantError, Guard};
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::path::{Layer, Path};
use theus_core::pattern::PathPattern;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::value::{Map, Value as CoreValue};
use theus_core::zone::Hidden;

use super::args::Args;
use super::call::{self, Call, End};
use super::error::RunError;
use super::run::Run;
use super::value;
use crate::context::{Context, DECODE};
use crate::failure::Failure;
use crate::process::{Outcome, Process};

/// A host for tests: a context in memory, and processes that run natively over it.
///
/// Committed runs change the context, so that several runs follow one another. A failed run leaves it as it was.
#[derive(Clone, Debug, Default)]
pub struct Host {
    context: Snapshot,
    limits: Arc<Limits>,
    mode: Mode,
}

impl Host {
    /// A host in strict mode with an empty context.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A host in strict mode with a context, as [`context`](Self::context) takes it.
    #[must_use]
    #[track_caller]
    pub fn with_context(text: &str) -> Self {
        Self::new().context(text)
    }

    /// Replaces the context by a text, JSON or YAML: `{"domain": {"items": []}}`. A layer that is left out is empty.
    ///
    /// A guest's own file will do: `host.context(include_str!("../context.yaml"))`. Binary data is
    /// `{"$bytes": "base64"}`.
    ///
    /// # Panics
    ///
    /// The text is no context.
    #[must_use]
    #[track_caller]
    pub fn context(self, text: &str) -> Self {
        let parsed = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|why| why.to_string())
        } else {
            serde_saphyr::from_str(text).map_err(|why| why.to_string())
        };
        match parsed {
            Ok(layers) => self.layers(&layers),
            Err(why) => panic!("the context is neither JSON nor YAML: {why}"),
        }
    }

    /// Replaces the context by a value: a map of layers.
    ///
    /// # Panics
    ///
    /// The value is no context.
    #[must_use]
    #[track_caller]
    pub fn context_value<T: Serialize + ?Sized>(self, layers: &T) -> Self {
        match value::to_core(layers) {
            Ok(layers) => self.layers(&layers),
            Err(why) => panic!("the context cannot be encoded: {why}"),
        }
    }

    /// Lets violations of contract and zones pass; [`Run::violations`] lists them. Everything else holds.
    #[must_use]
    pub fn permissive(mut self) -> Self {
        self.mode = Mode::Permissive;
        self
    }

    /// Sets a value as the context's operator: no contract is asked. Parents must be there.
    ///
    /// # Panics
    ///
    /// The path or the value does not fit.
    #[track_caller]
    pub fn set<T: Serialize + ?Sized>(&mut self, path: &str, value: &T) -> &mut Self {
        let value = match value::to_core(value) {
            Ok(value) => value,
            Err(why) => panic!("the value for `{path}` cannot be encoded: {why}"),
        };
        check_value(path, &value);
        let mut edit = Transaction::begin(self.context.clone());
        let committed = edit
            .set(parse(path), value)
            .and_then(|()| edit.commit(&self.context));
        match committed {
            Ok(context) => self.context = context,
            Err(why) => panic!("{why}"),
        }
        self
    }

    /// The value in the context, as its operator sees it: signals and notes are shown too.
    ///
    /// # Panics
    ///
    /// `path` is no path, or the value there is not a `T`.
    #[must_use]
    #[track_caller]
    pub fn value<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        read(&self.context, path)
    }

    /// The version of the context: 0 at first, raised by 1 at every commit.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.context.version
    }

    /// Runs a process: `host.run::<add_product>(args! { "product_name" => "TV", "price" => 500 })`.
    ///
    /// The type is the one that `#[process]` puts beside the function. The run's own panics are caught and reported by
    /// the [`Run`].
    ///
    /// # Panics
    ///
    /// Called by a process.
    pub fn run<P: Process>(&mut self, args: Args) -> Run {
        let mut run = Run {
            process: P::NAME,
            ended: Ok(CoreValue::Nil),
            changes: Vec::new(),
            signals: Vec::new(),
            outbox: Vec::new(),
            log: Vec::new(),
            violations: Vec::new(),
            context: self.context.clone(),
        };
        run.ended = self.pipeline::<P>(args, &mut run);
        if let Some(violation) = run.error().and_then(RunError::violation).cloned() {
            run.violations.push(violation);
        }
        run
    }

    /// The host's pipeline, without what a test has no use for: gates, locks and a sandbox.
    fn pipeline<P: Process>(&mut self, args: Args, run: &mut Run) -> Result<CoreValue, RunError> {
        let contract = self.contract::<P>()?;
        let args = arguments::check(&contract, args.0).map_err(RunError::Arguments)?;
        let encoded = arguments::encode(&args, &self.limits, None).map_err(RunError::Limit)?;
        let guard = Guard::new(
            self.fill(&contract.inputs, &args)?,
            self.fill(&contract.outputs, &args)?,
        );
        let transaction = Transaction::begin(self.context.clone());
        let guard = ContextGuard::new(guard, transaction, self.limits.clone(), self.mode);

        let call = Call::new(guard, self.limits.clone());
        let finished = call::enter(call, || P::run(&Context::new(), &encoded));
        run.log = finished.log.into_lines();
        run.violations = finished.guard.violations().to_vec();
        let result = self.result(&contract, finished.returned?)?;
        self.commit(&finished.guard.into_transaction(), run);
        Ok(result)
    }

    /// The process's contract, as far as the host would register it.
    fn contract<P: Process>(&self) -> Result<Contract, RunError> {
        let contract = Contract::parse_section(P::CONTRACT.as_bytes())
            .map_err(RunError::Contract)?
            .swap_remove(0);
        if self.mode == Mode::Strict {
            contract.check_strict().map_err(RunError::NotStrict)?;
        }
        match contract.side_effects.first() {
            Some(effect) => Err(RunError::SideEffect(effect.to_string())),
            None => Ok(contract),
        }
    }

    fn fill(&self, patterns: &[PathPattern], args: &Map) -> Result<Vec<Path>, RunError> {
        guard::fill(patterns, args, &self.limits).map_err(|error| match error {
            GrantError::Fill(problem) => RunError::Grant(problem),
            GrantError::Limit(exceeded) => RunError::Limit(exceeded),
        })
    }

    fn result(&self, contract: &Contract, returned: Outcome) -> Result<CoreValue, RunError> {
        let bytes = returned.map_err(|failure| failed(contract, failure))?;
        let size = bytes.len() as u64;
        LimitExceeded::check(Limit::ResultBytes, self.limits.result_bytes, size)
            .map_err(RunError::Limit)?;
        let decoded = arguments::decode_result(&bytes, &self.limits, None, &mut Vec::new());
        decoded
            .map(|decoded| decoded.value)
            .map_err(|problem| match problem {
                theus_core::codec::DecodeError::Limit(exceeded) => RunError::Limit(exceeded),
                malformed => RunError::MalformedResult(malformed),
            })
    }

    fn commit(&mut self, transaction: &Transaction, run: &mut Run) {
        run.changes = transaction.changes().into_iter().map(Into::into).collect();
        run.signals = transaction.signals().into_iter().map(Into::into).collect();
        run.outbox = transaction.outbox().iter().map(Into::into).collect();
        match transaction.commit(&self.context) {
            Ok(context) => self.context = context,
            Err(_) => unreachable!("nobody else has changed the context meanwhile"),
        }
        run.context = self.context.clone();
    }

    #[track_caller]
    fn layers(mut self, layers: &CoreValue) -> Self {
        let tree = match context_from_value(layers) {
            Ok(tree) => tree,
            Err(why) => panic!("{why}"),
        };
        for layer in Layer::ALL {
            check_value(layer.name(), tree.layer(layer));
        }
        self.context = Snapshot { version: 0, tree };
        self
    }
}

/// Judges a failure by the contract's errors.
fn failed(contract: &Contract, failure: Failure) -> RunError {
    let code = failure.code();
    if contract.errors.iter().any(|error| error == code) {
        RunError::Failure(failure)
    } else if code == DECODE {
        RunError::Decode {
            message: failure.message().to_owned(),
        }
    } else {
        RunError::UndeclaredError(failure)
    }
}

impl From<End> for RunError {
    fn from(end: End) -> Self {
        match end {
            End::Refused(refusal) => refusal.into(),
            End::Panicked {
                message,
                file,
                line,
                column,
            } => Self::Panicked {
                message,
                file,
                line,
                column,
            },
        }
    }
}

#[track_caller]
pub(super) fn read<T: DeserializeOwned>(context: &Snapshot, path: &str) -> Option<T> {
    let value = context.tree.get(&parse(path))?;
    Some(value::read(value, &format!("the value at `{path}`")))
}

#[track_caller]
fn parse(path: &str) -> Path {
    match Path::parse(path) {
        Ok(path) => path,
        Err(why) => panic!("{why}"),
    }
}

#[track_caller]
fn check_value(place: &str, value: &CoreValue) {
    if let Some(key) = value.hidden_key(Hidden::Private) {
        panic!("the key `{key}` at `{place}` is private to the host");
    }
}
