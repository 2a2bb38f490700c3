//! The limits of one call: one table, every row overridable by the operator.

mod unfit;
mod words;

pub use self::unfit::{LimitProblem, LimitsError};

use std::fmt;
use std::time::Duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The limits that hold for every call of an engine.
///
/// Sizes are bytes, unless a field says otherwise. `Limits::default()` is the table that the documentation prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of the component file.
    pub component_bytes: u64,
    /// Linear memory, summed over all core instances of a component.
    pub memory_bytes: u64,
    /// Tables, summed over all core instances.
    pub tables: u64,
    /// Table elements, summed over all tables.
    pub table_elements: u64,
    /// Stack of the wasm code.
    pub stack_bytes: u64,
    /// Fuel units per call: about one per instruction, plus the logical size of the host's work.
    pub fuel: u64,
    /// Wall time per call, from the moment it is accepted; waiting for the lock counts.
    pub timeout: Duration,
    /// Length of a path as text.
    pub path_bytes: u64,
    /// Segments of a path below its layer.
    pub path_segments: u64,
    /// Encoded size of one value.
    pub value_bytes: u64,
    /// Encoded size of one value in the heavy zone.
    pub heavy_value_bytes: u64,
    /// Nesting of a stored value, counted from its layer.
    pub value_depth: u64,
    /// Encoded size of the arguments.
    pub argument_bytes: u64,
    /// Encoded size of the result.
    pub result_bytes: u64,
    /// Writes (set, push, remove) per transaction.
    pub writes: u64,
    /// Encoded bytes written per transaction.
    pub write_bytes: u64,
    /// Reads (get, len, keys, read-bytes) per transaction.
    pub reads: u64,
    /// Bytes handed to the guest per transaction.
    pub read_bytes: u64,
    /// Lines of the guest's log that are kept.
    pub log_lines: u64,
    /// Bytes of the guest's log that are kept.
    pub log_bytes: u64,
    /// Outbox messages per transaction.
    pub outbox_messages: u64,
    /// Outbox bytes (topics and payloads) per transaction.
    pub outbox_bytes: u64,
    /// Calls from the guest into the host, per call.
    pub host_calls: u64,
    /// Files and directories that a run writes, makes or removes in a granted directory.
    pub staged_files: u64,
    /// Bytes that a run writes into the files of a granted directory, those it copies to change them included.
    pub staged_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 16 * MIB,
            memory_bytes: 64 * MIB,
            tables: 4,
            table_elements: 20_000,
            stack_bytes: 512 * KIB,
            fuel: 1_000_000_000,
            timeout: Duration::from_secs(5),
            path_bytes: KIB,
            path_segments: 16,
            value_bytes: MIB,
            heavy_value_bytes: 64 * MIB,
            value_depth: 32,
            argument_bytes: 4 * MIB,
            result_bytes: 4 * MIB,
            writes: 16_000,
            write_bytes: 16 * MIB,
            reads: 32_000,
            read_bytes: 64 * MIB,
            log_lines: 256,
            log_bytes: 64 * KIB,
            outbox_messages: 1_000,
            outbox_bytes: 4 * MIB,
            host_calls: 1_000_000,
            staged_files: 1_000,
            staged_bytes: 64 * MIB,
        }
    }
}

impl Limits {
    /// The bytes that the topic of an outbox message may have, for everybody.
    pub const TOPIC_BYTES: u64 = 256;

    /// The bytes of decoded memory that one encoded value may turn into.
    ///
    /// A one-byte element takes a slot of a few words once decoded, so this is a small multiple of the encoded limit. What
    /// may be as long as a heavy value is bytes or text, as a rule, which take no more room decoded than encoded: there the
    /// multiple ends.
    #[must_use]
    pub fn decoded_bytes(encoded: u64) -> u64 {
        let multiple = encoded.saturating_mul(40);
        multiple.min(encoded.saturating_add(128 * MIB))
    }
}

/// A row of the limits table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::component_bytes`].
    ComponentBytes,
    /// [`Limits::memory_bytes`].
    MemoryBytes,
    /// [`Limits::tables`].
    Tables,
    /// [`Limits::table_elements`].
    TableElements,
    /// [`Limits::stack_bytes`].
    StackBytes,
    /// [`Limits::fuel`].
    Fuel,
    /// [`Limits::timeout`], in milliseconds.
    Time,
    /// [`Limits::path_bytes`].
    PathBytes,
    /// [`Limits::path_segments`].
    PathSegments,
    /// [`Limits::value_bytes`].
    ValueBytes,
    /// [`Limits::heavy_value_bytes`], for a place in the heavy zone.
    HeavyValueBytes,
    /// [`Limits::decoded_bytes`] of the value limit.
    DecodedBytes,
    /// [`Limits::decoded_bytes`] of the limit of heavy values.
    HeavyDecodedBytes,
    /// [`Limits::decoded_bytes`] of the result limit.
    ResultDecodedBytes,
    /// [`Limits::value_depth`].
    ValueDepth,
    /// [`Limits::argument_bytes`].
    ArgumentBytes,
    /// [`Limits::result_bytes`].
    ResultBytes,
    /// [`Limits::writes`].
    Writes,
    /// [`Limits::write_bytes`].
    WriteBytes,
    /// [`Limits::reads`].
    Reads,
    /// [`Limits::read_bytes`].
    ReadBytes,
    /// [`Limits::log_lines`]: the log is cut, the run goes on.
    LogLines,
    /// [`Limits::log_bytes`]: the log is cut, the run goes on.
    LogBytes,
    /// [`Limits::outbox_messages`].
    OutboxMessages,
    /// [`Limits::outbox_bytes`].
    OutboxBytes,
    /// The 256 bytes of an outbox topic.
    TopicBytes,
    /// [`Limits::host_calls`].
    HostCalls,
    /// [`Limits::staged_files`].
    StagedFiles,
    /// [`Limits::staged_bytes`].
    StagedBytes,
}

impl Limit {
    /// Every limit, in the order of the table.
    pub const ALL: [Self; 29] = [
        Self::ComponentBytes,
        Self::MemoryBytes,
        Self::Tables,
        Self::TableElements,
        Self::StackBytes,
        Self::Fuel,
        Self::Time,
        Self::PathBytes,
        Self::PathSegments,
        Self::ValueBytes,
        Self::HeavyValueBytes,
        Self::DecodedBytes,
        Self::HeavyDecodedBytes,
        Self::ResultDecodedBytes,
        Self::ValueDepth,
        Self::ArgumentBytes,
        Self::ResultBytes,
        Self::Writes,
        Self::WriteBytes,
        Self::Reads,
        Self::ReadBytes,
        Self::LogLines,
        Self::LogBytes,
        Self::OutboxMessages,
        Self::OutboxBytes,
        Self::TopicBytes,
        Self::HostCalls,
        Self::StagedFiles,
        Self::StagedBytes,
    ];

    /// The limit's name as messages and the documentation print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ComponentBytes => "component size",
            Self::MemoryBytes => "linear memory",
            Self::Tables => "tables",
            Self::TableElements => "table elements",
            Self::StackBytes => "wasm stack",
            Self::Fuel => "fuel",
            Self::Time => "wall time",
            Self::PathBytes => "path size",
            Self::PathSegments => "path segments",
            Self::ValueBytes => "value size",
            Self::HeavyValueBytes => "heavy value size",
            Self::DecodedBytes => "decoded value size",
            Self::HeavyDecodedBytes => "decoded heavy value size",
            Self::ResultDecodedBytes => "decoded result size",
            Self::ValueDepth => "value depth",
            Self::ArgumentBytes => "arguments size",
            Self::ResultBytes => "result size",
            Self::Writes => "writes per transaction",
            Self::WriteBytes => "written bytes per transaction",
            Self::Reads => "reads per transaction",
            Self::ReadBytes => "read bytes per transaction",
            Self::LogLines => "log lines",
            Self::LogBytes => "log size",
            Self::OutboxMessages => "outbox messages",
            Self::OutboxBytes => "outbox bytes",
            Self::TopicBytes => "outbox topic size",
            Self::HostCalls => "host calls",
            Self::StagedFiles => "staged files",
            Self::StagedBytes => "staged bytes",
        }
    }

    /// The unit that the limit's value is counted in.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::ComponentBytes
            | Self::MemoryBytes
            | Self::StackBytes
            | Self::PathBytes
            | Self::ValueBytes
            | Self::HeavyValueBytes
            | Self::DecodedBytes
            | Self::HeavyDecodedBytes
            | Self::ResultDecodedBytes
            | Self::ArgumentBytes
            | Self::ResultBytes
            | Self::WriteBytes
            | Self::ReadBytes
            | Self::LogBytes
            | Self::OutboxBytes
            | Self::TopicBytes
            | Self::StagedBytes => "bytes",
            Self::Time => "ms",
            Self::Fuel => "units",
            Self::PathSegments => "segments",
            Self::ValueDepth => "levels",
            Self::Tables => "tables",
            Self::TableElements => "elements",
            Self::Writes => "writes",
            Self::Reads => "reads",
            Self::LogLines => "lines",
            Self::OutboxMessages => "messages",
            Self::HostCalls => "calls",
            Self::StagedFiles => "files",
        }
    }
}

/// A limit was reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LimitExceeded {
    /// Which one.
    pub limit: Limit,
    /// Its value for this call, in [`Limit::unit`]s.
    pub allowed: u64,
    /// What was asked for, where that is known.
    pub asked: Option<u64>,
}

impl LimitExceeded {
    /// Refuses where `asked` is over `allowed`.
    ///
    /// # Errors
    ///
    /// The limit, its value and what was asked.
    #[inline]
    pub fn check(limit: Limit, allowed: u64, asked: u64) -> Result<(), Self> {
        if asked > allowed {
            return Err(Self {
                limit,
                allowed,
                asked: Some(asked),
            });
        }
        Ok(())
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the {} limit of {} {} was reached",
            self.limit.name(),
            self.allowed,
            self.limit.unit()
        )?;
        match self.asked {
            Some(asked) if asked > self.allowed => write!(f, " ({asked} asked)"),
            _ => Ok(()),
        }
    }
}
