//! What limits are called where their operator raises them: the field, the word of a configuration, the flag.

use super::Limit;

/// The fields that have a flag of their own, and its name, which is their word in a configuration as well.
const OWN_FLAGS: [(&str, &str); 4] = [
    ("component_bytes", "max-component"),
    ("memory_bytes", "max-memory"),
    ("fuel", "fuel"),
    ("timeout", "timeout"),
];

impl Limit {
    /// The field of [`Limits`](super::Limits) that holds it; none where it is the same for everybody.
    #[must_use]
    pub fn field(self) -> Option<&'static str> {
        Some(match self {
            Self::ComponentBytes => "component_bytes",
            Self::MemoryBytes => "memory_bytes",
            Self::Tables => "tables",
            Self::TableElements => "table_elements",
            Self::StackBytes => "stack_bytes",
            Self::Fuel => "fuel",
            Self::Time => "timeout",
            Self::PathBytes => "path_bytes",
            Self::PathSegments => "path_segments",
            Self::ValueBytes | Self::DecodedBytes => "value_bytes",
            Self::HeavyValueBytes | Self::HeavyDecodedBytes => "heavy_value_bytes",
            Self::ValueDepth => "value_depth",
            Self::ArgumentBytes => "argument_bytes",
            Self::ResultBytes | Self::ResultDecodedBytes => "result_bytes",
            Self::Writes => "writes",
            Self::WriteBytes => "write_bytes",
            Self::Reads => "reads",
            Self::ReadBytes => "read_bytes",
            Self::LogLines => "log_lines",
            Self::LogBytes => "log_bytes",
            Self::OutboxMessages => "outbox_messages",
            Self::OutboxBytes => "outbox_bytes",
            Self::TopicBytes => return None,
            Self::HostCalls => "host_calls",
            Self::StagedFiles => "staged_files",
            Self::StagedBytes => "staged_bytes",
        })
    }

    /// Its word: under `[limits]` of a `theus.toml`, and as the NAME of `--limit NAME=VALUE`.
    ///
    /// ```
    /// use theus_core::limits::Limit;
    ///
    /// assert_eq!(Limit::Writes.word().as_deref(), Some("writes"));
    /// assert_eq!(Limit::MemoryBytes.word().as_deref(), Some("max-memory"));
    /// assert_eq!(Limit::TopicBytes.word(), None);
    /// ```
    #[must_use]
    pub fn word(self) -> Option<String> {
        self.field().map(word_of)
    }

    /// How the operator raises the limit: a flag of the command line, in few words.
    #[must_use]
    pub fn remedy(self) -> String {
        match self.field() {
            Some(field) => flag_of(field),
            None => "a shorter topic".into(),
        }
    }

    /// The same as a sentence, with the word of a configuration and the field of a program.
    #[must_use]
    pub fn remedy_sentence(self) -> String {
        match self.field() {
            Some(field) => format!(
                "raise it with {} if the process is right to need more",
                ways_of(field)
            ),
            None => format!("use {}", self.remedy()),
        }
    }
}

/// The word of a field.
pub(super) fn word_of(field: &str) -> String {
    let own = OWN_FLAGS.iter().find(|(known, _)| *known == field);
    own.map_or_else(|| field.replace('_', "-"), |(_, word)| (*word).to_owned())
}

/// The flag that sets a field.
pub(super) fn flag_of(field: &str) -> String {
    let word = word_of(field);
    if OWN_FLAGS.iter().any(|(known, _)| *known == field) {
        return format!("--{word}");
    }
    let amount = if field.ends_with("_bytes") {
        "SIZE"
    } else {
        "N"
    };
    format!("--limit {word}={amount}")
}

fn ways_of(field: &str) -> String {
    let (flag, word) = (flag_of(field), word_of(field));
    format!(
        "`{flag}`, or `{word}` under `[limits]` of a theus.toml (in a program: `Limits::{field}`)"
    )
}
