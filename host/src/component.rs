//! Makes components of core modules: on the fly of those that an SDK built, on request of any other.

mod language;
mod module;

pub use self::language::Language;

use self::module::{COMPONENT_TYPE, Module};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use theus_core::code::Code;
use theus_core::contract::{self, Contract, ContractError};
use wasm_encoder::{CustomSection, Section as _};
use wasmparser::{BinaryReaderError, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The package that guests are written against.
const WIT: &str = include_str!("../../wit/theus.wit");

/// What the canonical ABI wants of a module of the world `guest`.
const EXPORTS: [&str; 3] = [
    "memory",
    "cabi_realloc",
    "theus:process/processes@0.1.0#run",
];

/// Why bytes cannot be made into a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// They are no WebAssembly at all.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// The core module is not well-formed.
    #[error("the core module is malformed: {0}")]
    Malformed(#[from] BinaryReaderError),
    /// The core module does not say what component it wants to be.
    #[error("the core module was not built with an SDK: it has no `{COMPONENT_TYPE}` section")]
    NoComponentType,
    /// The core module imports functions that no component interface gives it.
    #[error("the core module imports {}, which a guest is not given", .imports.join(", "))]
    ForeignImports {
        /// The imports, as `module.name`.
        imports: Vec<String>,
        /// The language that it was written in, where that can be told.
        language: Option<Language>,
    },
    /// The core module lacks what every guest exports.
    #[error("the core module does not export {}", quoted(.exports))]
    MissingExports {
        /// The names of the exports.
        exports: Vec<&'static str>,
    },
    /// What runs before the first call calls the host.
    #[error(
        "the core module's start function calls `{import}`, which is not there yet when it runs"
    )]
    StartCallsImport {
        /// The import, as `module.name`.
        import: String,
    },
    /// The guest's own contract section is malformed.
    #[error("the guest's contracts are malformed: {0}")]
    Contract(#[from] ContractError),
    /// The guest has contracts already, and they are others than those to be added.
    #[error("the guest declares its contracts already, and otherwise than the file does: {}", quoted(.processes))]
    OtherContracts {
        /// The processes that only one of them declares, or that they declare differently.
        processes: Vec<String>,
    },
    /// The core module does not fit the component that it wants to be.
    #[error("the core module does not make a component: {0:#}")]
    Unfit(anyhow::Error),
}

/// Makes a component of a guest's bytes; a component stays as it is.
///
/// The contract section stays where it is, in the core module inside the component.
///
/// # Errors
///
/// Why the bytes are no guest: see [`ComponentError`].
///
/// # Security
///
/// The bytes may be hostile: nothing of them is run. Check their size before; the work is linear in it.
pub fn into_component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ComponentError> {
    if Parser::is_component(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    if !Parser::is_core_wasm(bytes) {
        return Err(ComponentError::NotWasm);
    }
    let module = Module::read(bytes)?;
    check_imports(&module)?;
    if !module.typed {
        return Err(ComponentError::NoComponentType);
    }
    check_type(&module)?;
    encode(bytes).map(Cow::Owned)
}

/// Makes a component of a core module that any compiler may have made, and adds contracts to it.
///
/// Where the module does not say what component it wants to be, it becomes one of the host's own world, `theus:process`.
/// Contracts are added to a component as well; without any, what is there has to do. The same bytes and contracts make the
/// same component.
///
/// # Errors
///
/// What about the module has to change: see [`ComponentError`].
///
/// # Security
///
/// The bytes may be hostile: nothing of them is run. Check their size before; the work is linear in it.
pub fn componentize(bytes: &[u8], contracts: &[Contract]) -> Result<Vec<u8>, ComponentError> {
    let is_component = Parser::is_component(bytes);
    if !is_component && !Parser::is_core_wasm(bytes) {
        return Err(ComponentError::NotWasm);
    }
    let whole = with_contracts(bytes, contracts)?;
    if is_component {
        return Ok(whole.into_owned());
    }
    let module = Module::read(&whole)?;
    check_imports(&module)?;
    if let Some(import) = module.import_that_start_calls()? {
        return Err(ComponentError::StartCallsImport { import });
    }
    if module.typed {
        check_type(&module)?;
        return encode(&whole);
    }
    check_exports(&module)?;
    encode(&typed(&whole).map_err(ComponentError::Unfit)?)
}

fn check_imports(module: &Module<'_>) -> Result<(), ComponentError> {
    if module.foreign.is_empty() {
        return Ok(());
    }
    Err(ComponentError::ForeignImports {
        imports: module.foreign.iter().cloned().collect(),
        language: module.language(),
    })
}

/// The encoder's parser ends the host where it runs out of stack.
fn check_type(module: &Module<'_>) -> Result<(), ComponentError> {
    if module.parsable {
        return Ok(());
    }
    let problem = "its component type has too many types inside one another";
    Err(ComponentError::Unfit(anyhow::anyhow!(problem)))
}

impl ComponentError {
    /// The stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::ForeignImports { .. } => Code::ImportNotGranted,
            Self::Contract(_) => Code::ContractMalformed,
            Self::OtherContracts { .. } => Code::ContractFile,
            Self::NotWasm
            | Self::Malformed(_)
            | Self::NoComponentType
            | Self::MissingExports { .. }
            | Self::StartCallsImport { .. }
            | Self::Unfit(_) => Code::NotAGuest,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotWasm | Self::Malformed(_) => {
                "give a component (.wasm), a core module built with an SDK, or a guest's folder".into()
            }
            Self::NoComponentType => {
                "build the guest with an SDK of this version, or make a component of it with \
                 `theus-host componentize`"
                    .into()
            }
            Self::Unfit(_) => {
                "build the guest with an SDK of this version, for example from its folder".into()
            }
            Self::ForeignImports { imports, language } => language::remedy(imports, *language),
            Self::MissingExports { .. } => {
                "host/docs/languages.md says what a guest in any language exports, and how its linker is told".into()
            }
            Self::StartCallsImport { .. } => {
                "call the host from processes only; AssemblyScript needs `\"exportStart\": \"_initialize\"` in its \
                 asconfig.json as well"
                    .into()
            }
            Self::Contract(_) => {
                "build the guest with an SDK of this version, or leave the section out".into()
            }
            Self::OtherContracts { .. } => {
                "leave --contract out, or let it say what the guest says (`theus-host inspect`)".into()
            }
        })
    }
}

/// The contract sections of a guest, as one text; none where there is nothing in them.
fn contract_section(bytes: &[u8]) -> Result<Option<Vec<u8>>, BinaryReaderError> {
    let mut text = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == contract::SECTION
        {
            text.extend_from_slice(section.data());
            text.push(b'\n');
        }
    }
    let is_blank = text.iter().all(u8::is_ascii_whitespace);
    Ok(Some(text).filter(|_| !is_blank))
}

/// Adds contracts to a guest that has none; one that has the same ones already stays as it is.
fn with_contracts<'a>(
    bytes: &'a [u8],
    contracts: &[Contract],
) -> Result<Cow<'a, [u8]>, ComponentError> {
    if contracts.is_empty() {
        return Ok(Cow::Borrowed(bytes));
    }
    if let Some(section) = contract_section(bytes)? {
        let there = Contract::parse_section(&section)?;
        let known = |contract: &Contract, others: &[Contract]| others.contains(contract);
        let missing = contracts.iter().filter(|it| !known(it, &there));
        let strange = there.iter().filter(|it| !known(it, contracts));
        let names: BTreeSet<String> = missing.chain(strange).map(|it| it.name.clone()).collect();
        if names.is_empty() {
            return Ok(Cow::Borrowed(bytes));
        }
        return Err(ComponentError::OtherContracts {
            processes: names.into_iter().collect(),
        });
    }
    let section = CustomSection {
        name: contract::SECTION.into(),
        data: Contract::section(contracts)?.into_bytes().into(),
    };
    let mut with = bytes.to_vec();
    section.append_to(&mut with);
    Ok(Cow::Owned(with))
}

/// Gives a core module the component type of a guest.
fn typed(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("theus.wit", WIT)?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

/// What the encoder needs of a module whose component type is the host's.
fn check_exports(module: &Module<'_>) -> Result<(), ComponentError> {
    let missing: Vec<_> = EXPORTS
        .into_iter()
        .filter(|name| !module.exports.contains(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ComponentError::MissingExports { exports: missing })
}

fn encode(module: &[u8]) -> Result<Vec<u8>, ComponentError> {
    // The encoder is written for toolchains, which do not feed it hostile modules: it may panic where it should refuse.
    catch_unwind(|| {
        ComponentEncoder::default()
            .validate(true)
            .module(module)?
            .encode()
    })
    .unwrap_or_else(|_| Err(anyhow::anyhow!("the component encoder failed on it")))
    .map_err(ComponentError::Unfit)
}

fn quoted(names: &[impl std::fmt::Display]) -> String {
    let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
