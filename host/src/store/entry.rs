//! Entries: all that a store keeps of one run, edit or reset, and how they look as values.

use super::chain::Hash;
use super::error::StoreError;
use super::fields::{Fields, Malformed, list, map, text};
use super::heavy::{self, HeavyValue};
use crate::interlock::Interlock;
use crate::receipt::Outcome;
use crate::record::{Actor, Record};
use crate::side_effects::{FileChange, FileOp, Outside, Seed, nanos};
use crate::terms::Terms;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use theus_core::audit::{Action, Gate, Level, Verdict};
use theus_core::context_guard::Mode;
use theus_core::path::Path;
use theus_core::transaction::{Effect, OutboxMessage, Write};
use theus_core::value::Value;

/// All that a store keeps of one run, edit or reset.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Names the entry before it has a number: who asked for it and heard nothing can ask what became of it.
    pub id: CommitId,
    /// What happened and why. The store gives it its number and, where it commits something, its version.
    pub record: Record,
    /// What it was made under.
    pub terms: Terms,
    /// What the process returned, where it committed.
    pub result: Option<Value>,
    /// The places that it depended on, each with all below it, whether something was there or not: as they were at the
    /// version that the record says it read.
    pub reads: Arc<[Path]>,
    /// The places that it did read, at most 64: where there were more, the places that hold them.
    pub touched: Vec<Path>,
    /// What it wrote, in order.
    pub writes: Vec<Write>,
    /// Of each write, the values in it that are kept as blobs, because they are heavy and large; empty where none is.
    ///
    /// The engine gives them to the store before it commits the entry ([`Store::keep_blob`](super::Store::keep_blob)).
    pub heavy: Vec<Vec<HeavyValue>>,
    /// The messages that it sent, in order.
    pub outbox: Vec<OutboxMessage>,
    /// The audit counters that it moved.
    pub counts: Vec<CountChange>,
    /// What it did to the interlock.
    pub interlock: Option<InterlockChange>,
}

/// Names an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId([u8; 16]);

/// A counter of an audit rule that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountChange {
    /// The process.
    pub process: Arc<str>,
    /// The gate.
    pub gate: Gate,
    /// The rule, by its name.
    pub rule: String,
    /// Where the counter stands now.
    pub count: u64,
    /// Of two changes of one counter, that with the higher number came later: runs that do not conflict may reach the
    /// journal in another order than their gates.
    pub order: u64,
}

/// A change of the interlock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterlockChange {
    /// Why it was thrown; none where it was reset.
    pub cause: Option<Interlock>,
    /// Of two changes, that with the higher number came later.
    pub order: u64,
}

impl Entry {
    /// An entry that writes nothing yet.
    #[must_use]
    pub fn new(id: CommitId, record: Record) -> Self {
        Self {
            id,
            record,
            terms: Terms::default(),
            result: None,
            touched: Vec::new(),
            reads: Arc::default(),
            writes: Vec::new(),
            heavy: Vec::new(),
            outbox: Vec::new(),
            counts: Vec::new(),
            interlock: None,
        }
    }

    /// Whether it makes a version.
    #[must_use]
    pub fn commits(&self) -> bool {
        !(self.writes.is_empty() && self.outbox.is_empty())
    }

    /// The digests of all that it refers to and a store may keep.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Hash> {
        let component = match &self.record.actor {
            Actor::Process { digest, .. } => digest.as_deref().and_then(|it| it.parse().ok()),
            _ => None,
        };
        let terms = [
            component,
            self.terms.contract,
            self.terms.policy,
            self.terms.recipe,
            self.terms.schema,
            self.terms.limits,
            self.terms.settings,
        ];
        let heavy = self.heavy_values().map(|it| it.digest);
        terms.into_iter().flatten().chain(heavy)
    }

    /// The entry as a value: what stands in the journal, and what `log` prints.
    ///
    /// A value that is kept as a blob is nil there; `heavy` says what belongs in its place.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let record = &self.record;
        let (actor, process, component) = match &record.actor {
            Actor::Process { name, digest } => ("process", Some(name), digest.as_ref()),
            Actor::Edit => ("edit", None, None),
            Actor::InterlockReset => ("interlock-reset", None, None),
            Actor::SignalsReset => ("signals-reset", None, None),
        };
        map([
            ("seq", Value::unsigned(record.seq)),
            ("version", optional(record.version, Value::unsigned)),
            ("id", text(self.id.to_string())),
            ("time_ns", Value::unsigned(nanos(record.time))),
            ("actor", text(actor)),
            ("process", optional(process, text)),
            ("component", optional(component, text)),
            ("contract", digest_value(self.terms.contract)),
            ("policy", digest_value(self.terms.policy)),
            ("recipe", digest_value(self.terms.recipe)),
            ("schema", digest_value(self.terms.schema)),
            ("limits", digest_value(self.terms.limits)),
            ("settings", digest_value(self.terms.settings)),
            ("args", Value::Map(record.args.clone())),
            (
                "read_version",
                optional(record.read_version, Value::unsigned),
            ),
            (
                "reads",
                list(self.reads.iter().map(|it| text(it.to_string()))),
            ),
            (
                "touched",
                list(self.touched.iter().map(|it| text(it.to_string()))),
            ),
            ("result", optional(self.result.as_ref(), wrapped)),
            ("writes", list(self.written().map(|it| write_value(&it)))),
            ("heavy", heavy::lists(&self.heavy)),
            ("outbox", list(self.outbox.iter().map(message_value))),
            ("outcome", text(outcome_name(record.outcome))),
            ("error", optional(record.error.as_ref(), text)),
            ("audit", list(record.audit.iter().map(verdict_value))),
            ("counts", list(self.counts.iter().map(count_value))),
            ("interlock", optional(self.interlock.as_ref(), change_value)),
            ("mode", text(record.mode.name())),
            ("fuel", Value::unsigned(record.fuel)),
            ("duration_ns", Value::unsigned(whole_nanos(record.duration))),
            (
                "outside",
                optional(record.outside.as_deref(), outside_value),
            ),
        ])
    }

    /// Reads what [`Entry::to_value`] made.
    pub(super) fn from_value(value: &Value) -> Result<Self, Malformed> {
        let fields = Fields::of(value)?;
        let writes = fields.each("writes", write_of)?;
        let actor = match fields.text("actor")? {
            "process" => Actor::Process {
                name: fields.text("process")?.into(),
                digest: fields.optional_text("component")?.map(Into::into),
            },
            "edit" => Actor::Edit,
            "interlock-reset" => Actor::InterlockReset,
            "signals-reset" => Actor::SignalsReset,
            _ => return Err(Malformed("actor")),
        };
        let record = Record {
            seq: fields.number("seq")?,
            time: time_of(fields.number("time_ns")?),
            actor,
            args: fields.map("args")?.clone(),
            read_version: fields.optional_number("read_version")?,
            version: fields.optional_number("version")?,
            outcome: one_of(
                &[Outcome::Committed, Outcome::RolledBack, Outcome::Refused],
                outcome_name,
                &fields,
                "outcome",
            )?,
            error: fields.optional_text("error")?.map(str::to_owned),
            audit: fields.each("audit", verdict_of)?,
            writes: writes.len(),
            mode: one_of(
                &[Mode::Strict, Mode::Permissive],
                Mode::name,
                &fields,
                "mode",
            )?,
            fuel: fields.number("fuel")?,
            duration: Duration::from_nanos(fields.number("duration_ns")?),
            outside: fields.optional("outside", outside_of)?.map(Box::new),
        };
        Ok(Self {
            id: fields.text("id")?.parse().map_err(|()| Malformed("id"))?,
            record,
            terms: Terms {
                contract: digest_of(&fields, "contract")?,
                policy: digest_of(&fields, "policy")?,
                recipe: digest_of(&fields, "recipe")?,
                schema: digest_of(&fields, "schema")?,
                limits: digest_of(&fields, "limits")?,
                settings: digest_of(&fields, "settings")?,
            },
            result: fields.optional("result", unwrapped)?,
            touched: fields.each("touched", path_of)?,
            reads: fields.each("reads", path_of)?.into(),
            writes,
            heavy: heavy::of_lists(&fields)?,
            outbox: fields.each("outbox", message_of)?,
            counts: fields.each("counts", count_of)?,
            interlock: fields.optional("interlock", change_of)?,
        })
    }
}

impl CommitId {
    /// That of an entry which has yet to be named.
    pub(crate) const UNNAMED: Self = Self([0; 16]);

    /// An id from its bytes. Two entries must never have the same.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// An id that nobody else has.
    ///
    /// # Errors
    ///
    /// The system has no randomness.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(Self(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitId({self})")
    }
}

impl std::str::FromStr for CommitId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 32 || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| ())?;
        Ok(Self(number.to_be_bytes()))
    }
}

fn optional<T>(it: Option<T>, value: impl Fn(T) -> Value) -> Value {
    it.map_or(Value::Nil, value)
}

/// Tells a result that is nil from none.
fn wrapped(result: &Value) -> Value {
    list([result.clone()])
}

fn unwrapped(value: &Value) -> Result<Value, Malformed> {
    let list = value.as_list().filter(|it| it.len() == 1);
    let result = list.and_then(|it| it.iter().next());
    result.cloned().ok_or(Malformed("result"))
}

fn digest_value(digest: Option<Hash>) -> Value {
    optional(digest, |digest| text(digest.to_string()))
}

fn digest_of(fields: &Fields<'_>, name: &'static str) -> Result<Option<Hash>, Malformed> {
    let digest = fields.optional_text(name)?.map(str::parse);
    digest.transpose().map_err(|_| Malformed(name))
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Committed => "committed",
        Outcome::RolledBack => "rolled-back",
        Outcome::Refused => "refused",
    }
}

/// The one whose name stands in a field.
fn one_of<T: Copy>(
    all: &[T],
    name: impl Fn(T) -> &'static str,
    fields: &Fields<'_>,
    field: &'static str,
) -> Result<T, Malformed> {
    let text = fields.text(field)?;
    let found = all.iter().copied().find(|it| name(*it) == text);
    found.ok_or(Malformed(field))
}

fn whole_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn time_of(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

pub(super) fn path_of(value: &Value) -> Result<Path, Malformed> {
    let text = value.as_str().ok_or(Malformed("path"))?;
    Path::parse(text).map_err(|_| Malformed("path"))
}

pub(crate) fn write_value(write: &Write) -> Value {
    let path = ("path", text(write.path.to_string()));
    match &write.effect {
        Effect::Set(value) => map([path, ("op", text("set")), ("value", value.clone())]),
        Effect::Push { value, index } => map([
            path,
            ("op", text("push")),
            ("value", value.clone()),
            ("index", Value::unsigned(*index)),
        ]),
        Effect::Remove => map([path, ("op", text("remove"))]),
    }
}

fn write_of(value: &Value) -> Result<Write, Malformed> {
    let fields = Fields::of(value)?;
    Ok(Write {
        path: path_of(fields.value("path")?)?,
        effect: match fields.text("op")? {
            "set" => Effect::Set(fields.value("value")?.clone()),
            "push" => Effect::Push {
                value: fields.value("value")?.clone(),
                index: fields.number("index")?,
            },
            "remove" => Effect::Remove,
            _ => return Err(Malformed("op")),
        },
    })
}

pub(crate) fn message_value(message: &OutboxMessage) -> Value {
    map([
        ("topic", text(&message.topic)),
        ("payload", Value::Bytes(message.payload.clone())),
    ])
}

fn message_of(value: &Value) -> Result<OutboxMessage, Malformed> {
    let fields = Fields::of(value)?;
    let Value::Bytes(payload) = fields.value("payload")? else {
        return Err(Malformed("payload"));
    };
    Ok(OutboxMessage {
        topic: fields.text("topic")?.to_owned(),
        payload: payload.clone(),
    })
}

fn verdict_value(verdict: &Verdict) -> Value {
    map([
        ("gate", text(verdict.gate.name())),
        ("rule", text(&verdict.rule)),
        ("level", text(verdict.level.name())),
        ("count", Value::unsigned(verdict.count)),
        ("action", text(verdict.action.name())),
        ("message", text(&verdict.message)),
    ])
}

fn verdict_of(value: &Value) -> Result<Verdict, Malformed> {
    let fields = Fields::of(value)?;
    Ok(Verdict {
        gate: gate_of(&fields)?,
        rule: fields.text("rule")?.to_owned(),
        level: one_of(&Level::ALL, Level::name, &fields, "level")?,
        count: fields.number("count")?,
        action: one_of(&Action::ALL, Action::name, &fields, "action")?,
        message: fields.text("message")?.to_owned(),
    })
}

fn gate_of(fields: &Fields<'_>) -> Result<Gate, Malformed> {
    one_of(&[Gate::Input, Gate::Output], Gate::name, fields, "gate")
}

pub(super) fn count_value(change: &CountChange) -> Value {
    map([
        ("process", text(&change.process)),
        ("gate", text(change.gate.name())),
        ("rule", text(&change.rule)),
        ("count", Value::unsigned(change.count)),
        ("order", Value::unsigned(change.order)),
    ])
}

pub(super) fn count_of(value: &Value) -> Result<CountChange, Malformed> {
    let fields = Fields::of(value)?;
    Ok(CountChange {
        process: fields.text("process")?.into(),
        gate: gate_of(&fields)?,
        rule: fields.text("rule")?.to_owned(),
        count: fields.number("count")?,
        order: fields.number("order")?,
    })
}

pub(super) fn change_value(change: &InterlockChange) -> Value {
    let cause = change.cause.as_ref().map(|cause| {
        map([
            ("process", text(&cause.process)),
            ("rule", text(&cause.rule)),
            ("message", text(&cause.message)),
        ])
    });
    map([
        ("cause", cause.unwrap_or_default()),
        ("order", Value::unsigned(change.order)),
    ])
}

pub(super) fn change_of(value: &Value) -> Result<InterlockChange, Malformed> {
    let fields = Fields::of(value)?;
    let cause = fields.optional("cause", |cause| {
        let cause = Fields::of(cause)?;
        Ok(Interlock {
            process: cause.text("process")?.to_owned(),
            rule: cause.text("rule")?.to_owned(),
            message: cause.text("message")?.to_owned(),
        })
    })?;
    Ok(InterlockChange {
        cause,
        order: fields.number("order")?,
    })
}

fn outside_value(outside: &Outside) -> Value {
    map([
        (
            "time_ns",
            optional(outside.time, |time| Value::unsigned(nanos(time))),
        ),
        (
            "seed",
            optional(outside.seed, |seed| Value::from(seed.as_bytes().to_vec())),
        ),
        ("directories", list(outside.directories.iter().map(text))),
        ("writable", optional(outside.writable.as_ref(), text)),
        ("files", list(outside.files.iter().map(file_value))),
    ])
}

fn outside_of(value: &Value) -> Result<Outside, Malformed> {
    let fields = Fields::of(value)?;
    let seed = fields.optional("seed", |seed| match seed {
        Value::Bytes(bytes) => bytes[..].try_into().map_err(|_| Malformed("seed")),
        _ => Err(Malformed("seed")),
    })?;
    Ok(Outside {
        time: fields.optional_number("time_ns")?.map(time_of),
        seed: seed.map(Seed::from_bytes),
        directories: fields.each("directories", |name| {
            Ok(name.as_str().ok_or(Malformed("directories"))?.into())
        })?,
        writable: fields.optional_text("writable")?.map(Into::into),
        files: fields.each("files", file_of)?,
    })
}

fn file_value(change: &FileChange) -> Value {
    map([
        ("path", text(&change.path)),
        ("op", text(change.op.name())),
        ("bytes", optional(change.bytes, Value::unsigned)),
        ("sha256", optional(change.sha256.as_ref(), text)),
    ])
}

fn file_of(value: &Value) -> Result<FileChange, Malformed> {
    let fields = Fields::of(value)?;
    let op = one_of(&FileOp::ALL, FileOp::name, &fields, "op")?;
    Ok(FileChange {
        bytes: fields.optional_number("bytes")?,
        sha256: fields.optional_text("sha256")?.map(str::to_owned),
        ..FileChange::new(fields.text("path")?, op)
    })
}
