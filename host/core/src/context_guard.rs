//! The context as a guest sees it: the guard in front of the transaction.
//!
//! The seven context functions and the outbox live here, without any wasm: the host links them to a guest's imports,
//! tests call them directly. Every function checks in the same order: path syntax, path size, grant, value size and
//! depth, value encoding.

mod touched;
mod usage;

pub use self::usage::Usage;

use self::touched::Touched;
use crate::codec::{self, Bounds, DecodeError, Decoded, Interrupt, Pace};
use crate::guard::{Guard, Reason, Violation, WriteOp};
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::path::{Path, Segment};
use crate::refusal::Refusal;
use crate::transaction::{OutboxMessage, Transaction};
use crate::tree::ShapeError;
use crate::value::Value;
use crate::zone::{Hidden, Zone};
use serde::Serialize;
use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

/// Whether violations of the contract refuse a run or are reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Violations refuse.
    #[default]
    Strict,
    /// Contract and zone violations are allowed and reported; everything else holds.
    Permissive,
}

impl Mode {
    /// The mode's name, as it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Permissive => "permissive",
        }
    }
}

/// A transaction behind a guard.
pub struct ContextGuard {
    guard: Arc<Guard>,
    transaction: Transaction,
    limits: Arc<Limits>,
    mode: Mode,
    violations: Vec<Violation>,
    usage: Usage,
    work: u64,
    /// Where it read, where somebody wants to know.
    touched: Option<Touched>,
    interrupt: Option<Box<Stop>>,
    /// The last large value that was written, whole or what it came to: whatever becomes of it, it is let go of at the end.
    remains: Vec<Value>,
}

/// Ends long calls: see [`ContextGuard::interrupt_with`].
type Stop = dyn Fn() -> Result<(), LimitExceeded> + Send + Sync;

impl fmt::Debug for ContextGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextGuard")
            .field("guard", &self.guard)
            .field("transaction", &self.transaction)
            .field("mode", &self.mode)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

/// Reported violations are kept up to this number, one per place and operation.
const MAX_REPORTED: usize = 64;

/// Bytes of a decoded value that takes a moment to let go of.
const LARGE: u64 = 1 << 20;

/// Fuel units of host work: per call, per path segment or key that is passed over, per byte to decode and per byte of what
/// that becomes (which bounds the memory that a call can fill with what it writes: half a GB by default), per value or key to encode and per byte of those, per key listed: the guest's allocator is called for each.
const WORK_CALL: u64 = 40;
const WORK_SEGMENT: u64 = 10;
const WORK_BYTE_IN: u64 = 8;
const WORK_BYTE_DECODED: u64 = 2;
const WORK_ELEMENT_OUT: u64 = 16;
const WORK_BYTE_OUT: u64 = 1;
const WORK_KEY_OUT: u64 = 200;

impl ContextGuard {
    /// Puts a guard in front of a transaction.
    #[must_use]
    pub fn new(
        guard: impl Into<Arc<Guard>>,
        transaction: Transaction,
        limits: Arc<Limits>,
        mode: Mode,
    ) -> Self {
        Self {
            guard: guard.into(),
            transaction,
            limits,
            mode,
            violations: Vec::new(),
            usage: Usage::default(),
            work: 0,
            touched: None,
            interrupt: None,
            remains: Vec::new(),
        }
    }

    /// Notes from now on where the run reads: see [`ContextGuard::take_touched`].
    #[must_use]
    pub fn noting_reads(mut self) -> Self {
        self.touched = Some(Touched::default());
        self
    }

    /// Asks now and then during calls that take long, on large values and maps of many keys, whether they may go on. What it
    /// says otherwise becomes their refusal.
    pub fn interrupt_with(
        &mut self,
        stop: impl Fn() -> Result<(), LimitExceeded> + Send + Sync + 'static,
    ) {
        self.interrupt = Some(Box::new(stop));
    }

    /// MessagePack of the value at `path`, without what the grant hides, or none where nothing is there.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run.
    pub fn get(&mut self, path: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let (path, hidden) = self.read(path, "get")?;
        let (limit, allowed) = self.value_limit(&path);
        let Some(value) = self.transaction.view().get(&path) else {
            return Ok(None);
        };
        let encoded = codec::encode_and_count(value, hidden, allowed, self.interrupt()).map_err(
            |exceeded| match exceeded.limit {
                Limit::ValueBytes => LimitExceeded { limit, ..exceeded },
                _ => exceeded,
            },
        )?;
        // The hidden keys are what it takes to leave them out.
        self.work += WORK_ELEMENT_OUT * encoded.elements + WORK_SEGMENT * encoded.hidden;
        let size = encoded.bytes.len();
        self.usage.note_value(path.zone(), size as u64);
        self.hand_out(size)?;
        Ok(Some(encoded.bytes))
    }

    /// Elements of a list, visible keys of a map, bytes of a string or binary; none where nothing is there.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run; so does a value that has no length.
    pub fn len(&mut self, path: &str) -> Result<Option<u64>, Refusal> {
        let (path, hidden) = self.read(path, "len")?;
        let len = match self.transaction.view().get(&path) {
            None => return Ok(None),
            Some(Value::List(list)) => list.len(),
            Some(Value::Map(map)) => {
                let mut visible = map.len();
                let mut pace = Pace::new(self.interrupt());
                for _ in map.hidden_keys(hidden) {
                    pace.element()?;
                    visible -= 1;
                }
                self.work += WORK_SEGMENT * (map.len() - visible) as u64;
                visible
            }
            Some(Value::Str(text)) => text.len(),
            Some(Value::Bytes(bytes)) => bytes.len(),
            Some(other) => {
                let expected = "a list, map, string or bytes";
                return Err(ShapeError::wrong_kind(&path, expected, other.kind()).into());
            }
        };
        Ok(Some(len as u64))
    }

    /// Visible keys of a map in order, after `after`, at most `limit`. Nothing there: no keys.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run; so does a value that is no map.
    pub fn keys(
        &mut self,
        path: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, Refusal> {
        let (path, hidden) = self.read(path, "keys")?;
        self.work += after.map_or(0, str::len) as u64 * WORK_BYTE_OUT;
        let map = match self.transaction.view().get(&path) {
            None => return Ok(Vec::new()),
            Some(Value::Map(map)) => map,
            Some(other) => return Err(ShapeError::wrong_kind(&path, "a map", other.kind()).into()),
        };
        let (mut bytes, mut passed) = (0u64, 0u64);
        let mut keys = Vec::new();
        let mut pace = Pace::new(self.interrupt());
        for (key, _) in map.iter_after(after) {
            if keys.len() >= limit as usize {
                break;
            }
            pace.element()?;
            passed += 1;
            if hidden.hides(key) {
                continue;
            }
            // A key costs its text and the pointer the guest gets for it.
            bytes += key.len() as u64 + 8;
            LimitExceeded::check(Limit::ValueBytes, self.limits.value_bytes, bytes)?;
            keys.push(key.to_string());
        }
        self.work += WORK_SEGMENT * passed + WORK_KEY_OUT * keys.len() as u64;
        self.hand_out(usize::try_from(bytes).unwrap_or(usize::MAX))?;
        Ok(keys)
    }

    /// A piece of a string or binary: at most `len` bytes from `offset` on; fewer at the end.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run; so does a place that holds neither.
    pub fn read_bytes(&mut self, path: &str, offset: u64, len: u32) -> Result<Vec<u8>, Refusal> {
        let (path, _) = self.read(path, "read-bytes")?;
        let bytes: &[u8] = match self.transaction.view().get(&path) {
            Some(Value::Str(text)) => text.as_bytes(),
            Some(Value::Bytes(bytes)) => bytes,
            other => {
                let found = other.map_or("absent", Value::kind);
                return Err(ShapeError::wrong_kind(&path, "a string or bytes", found).into());
            }
        };
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let end = start.saturating_add(len as usize).min(bytes.len());
        LimitExceeded::check(
            Limit::ValueBytes,
            self.limits.value_bytes,
            (end - start) as u64,
        )?;
        let mut pace = Pace::new(self.interrupt());
        let mut piece = Vec::with_capacity(end - start);
        for part in bytes[start..end].chunks(codec::PIECE) {
            pace.bytes(part.len())?;
            piece.extend_from_slice(part);
        }
        self.hand_out(piece.len())?;
        Ok(piece)
    }

    /// Replaces the value at `path`.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run.
    pub fn set(&mut self, path: &str, value: &[u8]) -> Result<(), Refusal> {
        let path = self.write(path, WriteOp::Set)?;
        let value = self.accept(&path, WriteOp::Set, value)?;
        Ok(self.transaction.set(path, value)?)
    }

    /// Appends to the list at `path`. The new length.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run.
    pub fn push(&mut self, path: &str, value: &[u8]) -> Result<u64, Refusal> {
        let path = self.write(path, WriteOp::Push)?;
        let value = self.accept(&path, WriteOp::Push, value)?;
        Ok(self.transaction.push(path, value)?)
    }

    /// Removes the value at `path`. True where something was there.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run.
    pub fn remove(&mut self, path: &str) -> Result<bool, Refusal> {
        let path = self.write(path, WriteOp::Remove)?;
        Ok(self.transaction.remove(path)?)
    }

    /// Adds a message that is sent if the transaction commits.
    ///
    /// # Errors
    ///
    /// [`Refusal`] ends the run.
    pub fn send(&mut self, topic: &str, payload: &[u8]) -> Result<(), Refusal> {
        let bytes = (topic.len() + payload.len()) as u64;
        self.work += WORK_CALL + bytes * WORK_BYTE_OUT;
        let topic_bytes = topic.len() as u64;
        LimitExceeded::check(Limit::TopicBytes, Limits::TOPIC_BYTES, topic_bytes)?;
        self.usage.topic_bytes = self.usage.topic_bytes.max(topic_bytes);
        // A message leaves the host, as side effects do: permissive mode does not relax it.
        self.guard.send(topic)?;
        self.usage.outbox_messages += 1;
        self.usage.outbox_bytes += bytes;
        let Limits {
            outbox_messages,
            outbox_bytes,
            ..
        } = *self.limits;
        LimitExceeded::check(
            Limit::OutboxMessages,
            outbox_messages,
            self.usage.outbox_messages,
        )?;
        LimitExceeded::check(Limit::OutboxBytes, outbox_bytes, self.usage.outbox_bytes)?;
        self.transaction.send(OutboxMessage {
            topic: topic.to_owned(),
            payload: payload.into(),
        });
        Ok(())
    }

    /// The logical size of the host's work so far, in fuel units: it never depends on the shape of the tree.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work
    }

    /// How much of the limits was used.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The violations that permissive mode let pass, one per place and operation.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The places that the run read, at most 64: where there were more, the places that hold them. None unless it was
    /// asked to note them.
    #[must_use]
    pub fn take_touched(&mut self) -> Vec<Path> {
        self.touched.take().unwrap_or_default().into_places()
    }

    /// The transaction, for the output gate's rules.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Takes the guard away: the guest is done.
    #[must_use]
    pub fn into_transaction(self) -> Transaction {
        self.transaction
    }

    fn read(&mut self, text: &str, operation: &'static str) -> Result<(Path, Hidden), Refusal> {
        let path = self.parse(text)?;
        let hidden = match self.guard.read(&path, operation) {
            Ok(hidden) => hidden,
            Err(violation) => {
                self.tolerate(violation)?;
                Hidden::Private
            }
        };
        self.usage.reads += 1;
        LimitExceeded::check(Limit::Reads, self.limits.reads, self.usage.reads)?;
        if let Some(touched) = &mut self.touched {
            touched.note(&path);
        }
        Ok((path, hidden))
    }

    fn write(&mut self, text: &str, op: WriteOp) -> Result<Path, Refusal> {
        let path = self.parse(text)?;
        let hidden = match self.guard.write(&path, op) {
            Ok(hidden) => hidden,
            Err(violation) => {
                self.tolerate(violation)?;
                Hidden::Private
            }
        };
        let view = self.transaction.view();
        // Most layers hold reserved keys somewhere, most written values do not: only the latter are looked at.
        if op != WriteOp::Push
            && view.layer(path.layer()).may_hold_reserved()
            && let Some(key) = view
                .get(&path)
                .and_then(|old| gravest_key(|it| old.hidden_key(it), hidden))
        {
            let reason = Reason::Covers {
                key: crate::path::cut(key),
            };
            self.tolerate(self.guard.refuse_value(&path, op, reason))?;
        }
        if op == WriteOp::Remove
            && let Some(key) = self.shifted(&path, hidden)
        {
            self.tolerate(self.guard.refuse_value(&path, op, Reason::Shifts { key }))?;
        }
        self.usage.writes += 1;
        LimitExceeded::check(Limit::Writes, self.limits.writes, self.usage.writes)?;
        Ok(path)
    }

    /// A hidden key that would lie elsewhere if a list element were removed: in an element that moves up.
    fn shifted(&mut self, path: &Path, hidden: Hidden) -> Option<String> {
        let view = self.transaction.view();
        if !view.layer(path.layer()).may_hold_reserved() {
            return None;
        }
        let (parent, Segment::Index(index)) = path.split_last()? else {
            return None;
        };
        let list = view.get(&parent)?.as_list()?;
        if !list.may_hold_reserved() {
            return None;
        }
        let behind = usize::try_from(*index).ok()?.checked_add(1)?;
        self.work += list.len().saturating_sub(behind) as u64;
        let moves = |hidden| {
            let mut elements = list.iter().skip(behind);
            elements.find_map(|element| element.hidden_key(hidden))
        };
        gravest_key(moves, hidden).map(|key| crate::path::cut(key))
    }

    fn parse(&mut self, text: &str) -> Result<Path, Refusal> {
        self.work += WORK_CALL + text.len() as u64;
        let known = self.guard.parsed(text).filter(|path| {
            text.len() as u64 <= self.limits.path_bytes
                && path.segments().len() as u64 <= self.limits.path_segments
        });
        let path = match known {
            Some(path) => path.clone(),
            None => Path::parse_bounded(text, &self.limits)?,
        };
        let segments = path.segments().len() as u64;
        self.work += WORK_SEGMENT * segments;
        self.usage.path_bytes = self.usage.path_bytes.max(text.len() as u64);
        self.usage.path_segments = self.usage.path_segments.max(segments);
        Ok(path)
    }

    /// Decodes a written value and judges what it holds.
    fn accept(&mut self, path: &Path, op: WriteOp, bytes: &[u8]) -> Result<Value, Refusal> {
        let size = bytes.len() as u64;
        self.work += size * WORK_BYTE_IN;
        let (limit, allowed) = self.value_limit(path);
        LimitExceeded::check(limit, allowed, size)?;
        self.usage.note_value(path.zone(), size);
        // Heavy values have a limit of their own, which alone may be over the one for all other writes.
        if path.zone() != Zone::Heavy {
            self.usage.write_bytes += size;
            LimitExceeded::check(
                Limit::WriteBytes,
                self.limits.write_bytes,
                self.usage.write_bytes,
            )?;
        }
        let above = path.segments().len() as u64 + u64::from(op == WriteOp::Push);
        let bounds = Bounds {
            depth: self.limits.value_depth.saturating_sub(above),
            decoded_bytes: Limits::decoded_bytes(allowed),
        };
        let mut remains = Vec::new();
        let decoded = codec::decode_and_measure(bytes, bounds, self.interrupt(), &mut remains);
        self.remains = remains;
        let Decoded {
            value,
            depth,
            bytes,
        } = decoded.map_err(|error| match error {
            // The limit is counted from the layer: the levels above the value are no news to the guest.
            DecodeError::Limit(exceeded) if exceeded.limit == Limit::ValueDepth => {
                DecodeError::Limit(LimitExceeded {
                    allowed: self.limits.value_depth,
                    ..exceeded
                })
            }
            other if path.zone() == Zone::Heavy => other.of_limit(Limit::HeavyDecodedBytes),
            other => other,
        })?;
        self.usage.value_depth = self.usage.value_depth.max(above + depth);
        self.usage.note_decoded(path.zone(), bytes);
        self.work += bytes * WORK_BYTE_DECODED;
        if bytes > LARGE {
            self.remains.push(value.clone());
        }
        if let Some(key) = gravest_key(|it| value.hidden_key(it), Hidden::Reserved) {
            let reason = Reason::MovesZone {
                key: crate::path::cut(key),
            };
            self.tolerate(self.guard.refuse_value(path, op, reason))?;
        }
        Ok(value)
    }

    fn value_limit(&self, path: &Path) -> (Limit, u64) {
        match path.zone() {
            Zone::Heavy => (Limit::HeavyValueBytes, self.limits.heavy_value_bytes),
            _ => (Limit::ValueBytes, self.limits.value_bytes),
        }
    }

    fn interrupt(&self) -> Option<Interrupt<'_>> {
        self.interrupt.as_deref().map(|it| it as Interrupt<'_>)
    }

    fn hand_out(&mut self, bytes: usize) -> Result<(), LimitExceeded> {
        let bytes = bytes as u64;
        self.work += bytes * WORK_BYTE_OUT;
        self.usage.read_bytes += bytes;
        LimitExceeded::check(
            Limit::ReadBytes,
            self.limits.read_bytes,
            self.usage.read_bytes,
        )
    }

    /// Refuses in strict mode; reports and goes on in permissive mode.
    #[cold]
    fn tolerate(&mut self, violation: Box<Violation>) -> Result<(), Refusal> {
        if self.mode == Mode::Strict || !violation.is_mendable() {
            return Err(violation.into());
        }
        let known =
            |it: &Violation| it.path == violation.path && it.operation == violation.operation;
        if self.violations.len() < MAX_REPORTED && !self.violations.iter().any(known) {
            self.violations.push(*violation);
        }
        Ok(())
    }
}

/// The hidden key that a violation names. A private one outweighs one of another zone: permissive mode must not let it through
/// behind the other.
fn gravest_key<'v>(
    first: impl Fn(Hidden) -> Option<&'v SmolStr>,
    hidden: Hidden,
) -> Option<&'v SmolStr> {
    let found = first(hidden)?;
    Some(first(Hidden::Private).unwrap_or(found))
}

#[cfg(test)]
mod tests;
