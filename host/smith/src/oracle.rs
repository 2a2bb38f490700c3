//! What must hold of any guest, whatever it does.

use crate::foretold::Foretold;
use crate::guest::{CANARY, Case, PROCESS, RandomGuest, Tables};
use theus_core::codec::encode_all;
use theus_core::fuzz::{Broken, uncovered};
use theus_core::path::{Layer, Path};
use theus_core::value::{Map, Value};
use theus_host::fuzz::difference;
use theus_host::{Call, Engine, ErrorKind, Mode, Outcome, Policy, Receipt, RunError};

/// How far a guest came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The host made no component of it: the code of the refusal.
    NoComponent(String),
    /// It was not registered: the code of the refusal.
    NotRegistered(String),
    /// It was run.
    Ran {
        /// The calls that it made into the host.
        host_calls: u64,
        /// How it ended; none where it committed.
        code: Option<String>,
        /// Whether it changed the context.
        changed: bool,
    },
}

/// Makes a guest up and runs it: dry, dry again, and in earnest.
///
/// # Errors
///
/// What does not hold:
///
/// - the two dry runs and the third agree, and the dry ones leave no trace;
/// - a run that fails leaves the context as it was, and reports nothing as done;
/// - a commit changes nothing that an output does not cover;
/// - what no input covers does not come to the guest: what it was handed is its result;
/// - no limit is passed;
/// - calls that no random code comes before end as they do on the model of the context;
/// - the host itself does not fail.
pub fn check(data: &[u8]) -> Result<Seen, Broken> {
    let case = Case::generate(data);
    let told = |what: String| Broken(format!("{what}\n{case:?}"));
    let guest = match RandomGuest::generate(&case)? {
        Ok(guest) => guest,
        Err(refused) => return Ok(Seen::NoComponent(refused.code().to_string())),
    };
    let engine = Engine::builder()
        .limits(case.script.limits.clone())
        .mode(case.script.mode)
        .context(case.script.base.clone())
        .build()
        .map_err(|error| told(format!("there is no engine for it: {error}")))?;
    if let Err(refused) = engine.register(guest.component, Policy::as_declared()) {
        return if refused.kind() == ErrorKind::Host {
            Err(told(format!("registering it failed: {refused}")))
        } else {
            Ok(Seen::NotRegistered(refused.code().to_string()))
        };
    }
    let allowed = case.script.limits.tables;
    if guest.tables.count > allowed {
        return Err(told(format!("{} of {allowed} tables", guest.tables.count)));
    }
    let foretold = Foretold::of(&case)?;
    run(&engine, &case, guest.tables, foretold.as_ref()).map_err(told)
}

fn run(
    engine: &Engine,
    case: &Case,
    tables: Tables,
    foretold: Option<&Foretold>,
) -> Result<Seen, String> {
    let call = || Call::new(PROCESS, Map::default());
    let before = engine.context();
    let dry = engine.call(call().dry_run());
    let again = engine.call(call().dry_run());
    if let Some(what) = difference(&dry, &again) {
        return Err(format!("two runs differ in {what}:\n{dry:?}\n{again:?}"));
    }
    let between = engine.context();
    if between.version != before.version || between.tree != before.tree {
        return Err(format!("a dry run changed the context: {between:?}"));
    }
    let receipt = engine.call(call());
    let mut as_dry = receipt.clone();
    if receipt.outcome == Outcome::Committed {
        as_dry.outcome = dry.outcome;
    }
    if let Some(what) = difference(&dry, &as_dry) {
        return Err(format!("in earnest differs {what}:\n{dry:?}\n{receipt:?}"));
    }
    let after = engine.context();
    let told = |what: &str| format!("{what}: {receipt:?}");
    let error = receipt.error.as_ref();
    if error.is_some_and(|error| error.kind() == ErrorKind::Host) {
        return Err(told("the host failed"));
    }
    if error.is_some() {
        if after.version != before.version || after.tree != before.tree {
            return Err(told("something remains of a run that failed"));
        }
        if receipt.outcome == Outcome::Committed || reports_something(&receipt) {
            return Err(told("a run that failed reports something as done"));
        }
    } else if receipt.outcome != Outcome::Committed {
        return Err(told("a run without an error is not committed"));
    }
    let outputs = &case.script.outputs;
    if let Some(place) = uncovered(&before.tree, &after.tree, outputs)
        && (case.script.mode == Mode::Strict || place.is_private())
    {
        return Err(told(&format!("it changed {place}")));
    }
    if is_hidden(case) && shows(&receipt) {
        return Err(told("it was shown what no input covers"));
    }
    within_limits(&receipt, case, tables).map_err(|what| told(&what))?;
    if let Some(foretold) = foretold {
        (foretold.judge(&receipt, &after.tree))
            .map_err(|what| told(&format!("{what}, {foretold:?}")))?;
    }
    Ok(Seen::Ran {
        host_calls: receipt.stats.host_calls,
        code: error.map(RunError::code),
        changed: after.tree != before.tree,
    })
}

fn reports_something(receipt: &Receipt) -> bool {
    receipt.result.is_some()
        || !receipt.changes.is_empty()
        || !receipt.signals.is_empty()
        || !receipt.outbox.is_empty()
}

/// Whether no input covers the canary, which is a key of its layer.
fn is_hidden(case: &Case) -> bool {
    let script = &case.script;
    let grants = || script.inputs.iter().chain(&script.outputs);
    script.mode == Mode::Strict
        && !grants().any(|grant| grant.layer() == Layer::Global && grant.segments().len() <= 1)
}

/// Whether the canary stands anywhere in what the guest said.
fn shows(receipt: &Receipt) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(CANARY.len()).any(|it| it == CANARY);
    let value = |value: &Value| holds(&encode_all(value));
    receipt.result.as_ref().is_some_and(value)
        || receipt.changes.iter().any(|it| value(&it.new))
        || receipt.outbox.iter().any(|it| holds(&it.payload))
        || receipt.log.iter().any(|it| holds(it.message.as_bytes()))
}

fn within_limits(receipt: &Receipt, case: &Case, tables: Tables) -> Result<(), String> {
    let limits = &case.script.limits;
    let sum = |lengths: &mut dyn Iterator<Item = usize>| lengths.sum::<usize>() as u64;
    let result = receipt.result.as_ref();
    // Where lines were left out, the last one is the host's own and says so.
    let cut = receipt.warnings.iter().any(|it| it.contains("log was cut"));
    let log = &receipt.log[..receipt.log.len() - usize::from(cut)];
    // The call that a limit refuses is counted as well.
    let refused = matches!(&receipt.error, Some(error) if error.kind() == ErrorKind::Limit);
    let host_calls = receipt.stats.host_calls - u64::from(refused && receipt.stats.host_calls > 0);
    // Tables are as large as they are declared before any code runs.
    let elements = match receipt.error.as_ref().and_then(RunError::limit) {
        Some(_) => 0,
        None => tables.elements,
    };
    let length = |path: &Path| path.to_string().len() as u64;
    let places = (receipt.changes.iter().map(|it| &it.path))
        .chain(receipt.signals.iter().map(|it| &it.path));
    // Other values may have been put together of several writes; a signal is one.
    let signals = || (receipt.signals.iter()).map(|it| encode_all(&it.value).len() as u64);
    let rows = [
        ("fuel", receipt.stats.fuel, limits.fuel),
        ("memory", receipt.stats.memory_bytes, limits.memory_bytes),
        ("table elements", elements, limits.table_elements),
        ("host calls", host_calls, limits.host_calls),
        (
            "a path's bytes",
            places.map(length).max().unwrap_or(0),
            limits.path_bytes,
        ),
        (
            "a value's bytes",
            signals().max().unwrap_or(0),
            limits.value_bytes,
        ),
        ("the written bytes", signals().sum(), limits.write_bytes),
        (
            "the result's bytes",
            result.map_or(0, |it| encode_all(it).len() as u64),
            limits.result_bytes,
        ),
        ("changes", receipt.changes.len() as u64, limits.writes),
        ("signals", receipt.signals.len() as u64, limits.writes),
        ("log lines", log.len() as u64, limits.log_lines),
        (
            "the log's bytes",
            sum(&mut log.iter().map(|it| it.message.len())),
            limits.log_bytes,
        ),
        (
            "messages",
            receipt.outbox.len() as u64,
            limits.outbox_messages,
        ),
        (
            "the messages' bytes",
            sum(&mut (receipt.outbox.iter()).map(|it| it.topic.len() + it.payload.len())),
            limits.outbox_bytes,
        ),
    ];
    match rows.into_iter().find(|(_, used, allowed)| used > allowed) {
        None => Ok(()),
        Some((what, used, allowed)) => Err(format!("{used} of {allowed} {what}")),
    }
}
