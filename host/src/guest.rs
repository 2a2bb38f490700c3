//! Guests as files: what a component imports, exports and declares, read without running or compiling any of it.

mod imports;
mod nesting;
mod survey;

pub use self::imports::ImportKind;

pub(crate) use self::nesting::is_parsable;
pub(crate) use self::survey::MAX_CORE_INSTANCES;
use self::survey::{MAX_DEPTH, Survey};
use crate::component::ComponentError;
use sha2::{Digest, Sha256};
use std::fmt;
use theus_core::code::Code;
use theus_core::contract::{self, Contract, ContractError};
use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmparser::{BinaryReaderError, CanonicalFunction, CanonicalOption, Parser, Payload};

/// What one guest file holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guest {
    /// The SHA-256 of the component's bytes, as `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The component's size in bytes.
    pub size: u64,
    /// The full names of what it imports, in order.
    pub imports: Vec<String>,
    /// The full names of what it exports, in order.
    pub exports: Vec<String>,
    /// What its processes declare, in the order of the contract section.
    pub contracts: Vec<Contract>,
}

/// Why a file is refused as a guest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// It is no component and cannot be made into one.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// It is a core module, not a component.
    #[error("the file is a core module, not a component")]
    CoreModule,
    /// It is not well-formed.
    #[error("the component is malformed: {0}")]
    Malformed(#[source] BinaryReaderError),
    /// Its size, memories or tables are over a limit.
    #[error("{0}")]
    Limit(LimitExceeded),
    /// It has more of something than any guest needs, which would only cost the compiler.
    #[error("the component has too many {what}: {found}, at most {allowed} are allowed")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// How many are allowed.
        allowed: u64,
        /// How many there are; counting stops at the first that is too many.
        found: u64,
    },
    /// It has no contract section.
    #[error("the component has no `{}` section", contract::SECTION)]
    ContractMissing,
    /// More than one of its modules has a contract section.
    #[error("the component has more than one `{}` section", contract::SECTION)]
    ContractDuplicate,
    /// Its contract section is malformed.
    #[error("the component's contracts are malformed: {0}")]
    Contract(#[source] ContractError),
    /// It imports what no guest is given.
    #[error("the component imports {}, which {} not granted{}", quoted(imports), are(imports), Reason(.reason.as_deref()))]
    ImportNotGranted {
        /// The imports' full names; never empty.
        imports: Vec<String>,
        /// What does not fit, where an import of that name exists.
        reason: Option<String>,
    },
    /// It does not export its processes, or not as this host calls them.
    #[error(
        "the component does not export `{PROCESSES}0` with \
         `run: func(process: string, args: list<u8>) -> result<list<u8>, failure>`"
    )]
    ExportMissing,
    /// The compiler does not take it.
    #[error("the component cannot be compiled: {0:#}")]
    Uncompilable(anyhow::Error),
}

/// The name of the interface that guests export, up to the patch version.
pub(crate) const PROCESSES: &str = "theus:process/processes@0.1.";

impl Guest {
    /// Reads a component.
    ///
    /// # Errors
    ///
    /// What makes the file unfit to be a guest: see [`GuestError`].
    ///
    /// # Security
    ///
    /// The bytes may be hostile. Their size is checked first, the work is linear in it, and nothing is compiled or run.
    /// What passes is bounded in shape, too: no number of imports, types, instances or branches is left that could keep the
    /// compiler busy out of proportion to the file.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, GuestError> {
        LimitExceeded::check(
            Limit::ComponentBytes,
            limits.component_bytes,
            bytes.len() as u64,
        )?;
        if Parser::is_core_wasm(bytes) {
            return Err(GuestError::CoreModule);
        }
        if !Parser::is_component(bytes) {
            return Err(ComponentError::NotWasm.into());
        }
        let mut survey = Survey::new(bytes, limits);
        for payload in Parser::new(0).parse_all(bytes) {
            survey.payload(payload?)?;
        }
        let refused = |import: &&String| ImportKind::of(import).is_none();
        let imports: Vec<_> = survey.imports.iter().filter(refused).cloned().collect();
        if !imports.is_empty() {
            return Err(GuestError::ImportNotGranted {
                imports,
                reason: None,
            });
        }
        if !survey
            .exports
            .iter()
            .any(|name| name.starts_with(PROCESSES))
        {
            return Err(GuestError::ExportMissing);
        }
        let (_, section) = survey.contract.ok_or(GuestError::ContractMissing)?;
        Ok(Self {
            digest: digest(bytes),
            size: bytes.len() as u64,
            imports: survey.imports.into_iter().collect(),
            exports: survey.exports.into_iter().collect(),
            contracts: Contract::parse_section(&section).map_err(GuestError::Contract)?,
        })
    }
}

impl GuestError {
    /// The stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Component(error) => error.code(),
            Self::CoreModule | Self::Malformed(_) | Self::ExportMissing | Self::Uncompilable(_) => {
                Code::NotAGuest
            }
            Self::Limit(limit) => limit.limit.code(),
            Self::TooComplex { .. } => Code::ComponentTooLarge,
            Self::ContractMissing => Code::ContractMissing,
            Self::ContractDuplicate | Self::Contract(_) => Code::ContractMalformed,
            Self::ImportNotGranted { .. } => Code::ImportNotGranted,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Component(error) => return error.help(),
            Self::CoreModule => {
                "make it a component first: `theus-host build` or `theus-host componentize`".into()
            }
            Self::Malformed(_) => "build the guest again: the file is damaged or cut".into(),
            Self::Limit(limit) => limit.limit.remedy_sentence(),
            Self::TooComplex { .. } => "split the guest, or leave out what it does not use".into(),
            Self::ContractMissing => format!(
                "mark the guest's functions with the SDK's `process` attribute, or add a `{}` section with \
                 `theus-host componentize`",
                contract::SECTION
            ),
            Self::ContractDuplicate => {
                "keep one contract section, with one line per process".into()
            }
            Self::Contract(_) => {
                "build the guest with an SDK of this version, or correct the line".into()
            }
            Self::ImportNotGranted {
                imports,
                reason: None,
            } => imports::remedies(imports),
            Self::ImportNotGranted { .. } => imports::GRANTED.into(),
            Self::ExportMissing => "build the guest with an SDK of this version".into(),
            Self::Uncompilable(_) => {
                "build the guest for wasm32-unknown-unknown or wasm32-wasip2, without proposals that this host does \
                 not enable"
                    .into()
            }
        })
    }
}

impl From<LimitExceeded> for GuestError {
    fn from(exceeded: LimitExceeded) -> Self {
        Self::Limit(exceeded)
    }
}

impl From<BinaryReaderError> for GuestError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

/// Whether all texts that a component passes are UTF-8: another form has to be turned into it, which takes longer.
pub(crate) fn passes_utf8(component: &[u8]) -> Result<bool, GuestError> {
    for payload in Parser::new(0).parse_all(component) {
        let Payload::ComponentCanonicalSection(section) = payload? else {
            continue;
        };
        for function in section {
            let (CanonicalFunction::Lift { options, .. }
            | CanonicalFunction::Lower { options, .. }) = function?
            else {
                continue;
            };
            let other = |it: &CanonicalOption| {
                matches!(it, CanonicalOption::UTF16 | CanonicalOption::CompactUTF16)
            };
            if options.iter().any(other) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Writes a digest as it is shown and recorded.
fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let hex = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
        text.extend([hex(byte >> 4), hex(byte & 15)]);
    }
    text
}

/// Writes an import's reason behind a colon.
struct Reason<'a>(Option<&'a str>);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn are(names: &[String]) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests;
