//! Error codes: stable names for everything that can go wrong, and the kind that decides the exit code.

use crate::limits::Limit;
use serde::Serialize;
use std::fmt;

/// What sort of ending an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The host itself failed.
    Host,
    /// The command line, a file or the configuration is wrong.
    Usage,
    /// The contract was violated.
    Contract,
    /// An audit rule of level B blocked the call.
    AuditBlock,
    /// An audit rule of level A aborted.
    AuditAbort,
    /// An audit rule of level S threw the interlock, or it is still in force.
    Interlock,
    /// The process failed with an error that its contract lists.
    Failure,
    /// The guest trapped or panicked.
    Trap,
    /// A limit was reached.
    Limit,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $kind:ident;)*) => {
        /// A stable error code. Each has a page that `theus-host explain` prints.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("THEUS-", $text),)*
                }
            }

            /// The kind of ending that the code belongs to.
            #[must_use]
            pub fn kind(self) -> ErrorKind {
                match self {
                    $(Self::$name => ErrorKind::$kind,)*
                }
            }
        }
    };
}

codes! {
    /// A guest read a place that no input or readable output covers.
    ReadOutside = "C001", Contract;
    /// A guest wrote a place that no output covers.
    WriteOutside = "C002", Contract;
    /// A process failed with an error that its contract does not list.
    UndeclaredError = "C003", Contract;
    /// A guest imports something that it is not granted.
    ImportNotGranted = "C004", Contract;
    /// A guest has no contract section.
    ContractMissing = "C005", Contract;
    /// A contract section is malformed.
    ContractMalformed = "C006", Contract;
    /// Strict mode does not allow the contract.
    NotStrict = "C007", Contract;
    /// A process asks for a side effect that the operator did not grant.
    SideEffectNotGranted = "C008", Contract;
    /// A value or an argument would move data into another zone.
    ZoneMoved = "C009", Contract;
    /// A process of that name is registered already.
    RegisteredTwice = "C010", Contract;
    /// A commit would break the schema.
    SchemaBroken = "C011", Contract;
    /// A contract names a path at which the schema lets nothing be.
    PathNotInSchema = "C012", Contract;
    /// A guest sent a message to a topic that the policy does not grant.
    TopicWithheld = "C013", Contract;
    /// A rule of level B blocked the call.
    AuditBlocked = "A001", AuditBlock;
    /// A rule of level A aborted.
    AuditAborted = "A002", AuditAbort;
    /// A rule of level S threw the interlock.
    InterlockThrown = "A003", Interlock;
    /// The interlock is in force.
    InterlockInForce = "A004", Interlock;
    /// The fuel of the call ran out.
    FuelExhausted = "L001", Limit;
    /// The time of the call ran out.
    TimeExhausted = "L002", Limit;
    /// The guest asked for more linear memory than it may have.
    MemoryExhausted = "L003", Limit;
    /// The guest's stack overflowed.
    StackOverflow = "L004", Limit;
    /// A path is too long or too deep.
    PathTooLarge = "L005", Limit;
    /// A value is too large or too deep.
    ValueTooLarge = "L006", Limit;
    /// The arguments are too large.
    ArgumentsTooLarge = "L007", Limit;
    /// The result is too large.
    ResultTooLarge = "L008", Limit;
    /// A transaction holds too many or too large writes.
    TooManyWrites = "L009", Limit;
    /// A transaction made too many or too large reads.
    TooManyReads = "L010", Limit;
    /// A transaction sends too many or too large messages.
    OutboxFull = "L011", Limit;
    /// The guest called the host too often.
    TooManyHostCalls = "L012", Limit;
    /// The component file is too large.
    ComponentTooLarge = "L013", Limit;
    /// The guest has too many or too large tables.
    TooManyTables = "L014", Limit;
    /// A run writes too many or too large files.
    TooManyFiles = "L015", Limit;
    /// The guest trapped.
    Trapped = "T001", Trap;
    /// The guest panicked or aborted.
    Panicked = "T002", Trap;
    /// The guest passed a text that is no path.
    MalformedPath = "T003", Trap;
    /// The guest passed bytes that are no value.
    MalformedValue = "T004", Trap;
    /// The operation does not fit what is there.
    ShapeMismatch = "T005", Trap;
    /// The guest returned bytes that are no value.
    MalformedResult = "T006", Trap;
    /// The guest found a value of another shape than it expected.
    DecodeFailed = "T007", Trap;
    /// The command line is wrong.
    CommandLine = "U001", Usage;
    /// A file cannot be read.
    Unreadable = "U002", Usage;
    /// The context file is wrong.
    ContextFile = "U003", Usage;
    /// The recipe is wrong.
    RecipeFile = "U004", Usage;
    /// There is no such process.
    NoSuchProcess = "U005", Usage;
    /// The arguments do not fit the process.
    Arguments = "U006", Usage;
    /// The file is no guest.
    NotAGuest = "U007", Usage;
    /// The guest's folder does not build.
    BuildFailed = "U008", Usage;
    /// The schema is wrong.
    SchemaFile = "U009", Usage;
    /// A grant gives what nothing asks for, or cannot be given.
    GrantUnfit = "U010", Usage;
    /// A policy does not narrow the contract that it is for.
    PolicyUnfit = "U011", Usage;
    /// A configuration file is wrong, or says what it may not.
    ConfigFile = "U012", Usage;
    /// The limits leave no room for any call, or contradict one another.
    LimitsUnfit = "U013", Usage;
    /// A contract file is wrong, or says otherwise than the guest does.
    ContractFile = "U014", Usage;
    /// A state cannot be used as it was asked for.
    StateUnfit = "U015", Usage;
    /// Nothing is there in the context.
    NothingThere = "U016", Usage;
    /// An edit does not fit the context.
    EditUnfit = "U017", Usage;
    /// A file of operations is wrong.
    OperationsFile = "U018", Usage;
    /// The host itself failed.
    HostFailed = "H001", Host;
    /// A directory that a process writes into cannot be used.
    DirectoryUnusable = "H002", Host;
    /// A case of a guest's does not end as it must.
    CaseFailed = "H003", Host;
    /// The state cannot be read or written.
    StoreFailed = "H004", Host;
    /// The state is not as it was written.
    StateDamaged = "H005", Host;
    /// A run of a state's history is not as it was recorded.
    ReplayDiffers = "H008", Host;
}

impl Code {
    /// Finds a code by its printed form, with or without `THEUS-`, in any case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let bare = text.strip_prefix("THEUS-").unwrap_or(&text);
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str().strip_prefix("THEUS-") == Some(bare))
    }
}

impl ErrorKind {
    /// The kind's name, as `error.kind` prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Usage => "usage",
            Self::Contract => "contract",
            Self::AuditBlock => "audit-block",
            Self::AuditAbort => "audit-abort",
            Self::Interlock => "interlock",
            Self::Failure => "failure",
            Self::Trap => "trap",
            Self::Limit => "limit",
        }
    }
}

impl Limit {
    /// The code of a run that this limit ended.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::ComponentBytes => Code::ComponentTooLarge,
            Self::MemoryBytes => Code::MemoryExhausted,
            Self::Tables | Self::TableElements => Code::TooManyTables,
            Self::StackBytes => Code::StackOverflow,
            Self::Fuel => Code::FuelExhausted,
            Self::Time => Code::TimeExhausted,
            Self::PathBytes | Self::PathSegments => Code::PathTooLarge,
            Self::ValueBytes
            | Self::HeavyValueBytes
            | Self::DecodedBytes
            | Self::HeavyDecodedBytes
            | Self::ValueDepth => Code::ValueTooLarge,
            Self::ArgumentBytes => Code::ArgumentsTooLarge,
            Self::ResultBytes | Self::ResultDecodedBytes => Code::ResultTooLarge,
            Self::Writes | Self::WriteBytes => Code::TooManyWrites,
            Self::Reads | Self::ReadBytes => Code::TooManyReads,
            Self::OutboxMessages | Self::OutboxBytes | Self::TopicBytes => Code::OutboxFull,
            Self::StagedFiles | Self::StagedBytes => Code::TooManyFiles,
            // The log is cut, never a reason to end a run; the call count is the nearest word for it.
            Self::HostCalls | Self::LogLines | Self::LogBytes => Code::TooManyHostCalls,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_found_again() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::find(code.as_str()), Some(*code));
        }
        assert_eq!(Code::find("c002"), Some(Code::WriteOutside));
        assert_eq!(Code::find("C999"), None);
    }
}
