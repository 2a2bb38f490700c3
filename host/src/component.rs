//! Makes components of core modules that were built with an SDK.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use theus_core::code::Code;
use wasmparser::{BinaryReaderError, Parser, Payload};
use wit_component::ComponentEncoder;

/// The name that custom sections with a module's component type begin with.
const COMPONENT_TYPE: &str = "component-type";

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
    check(bytes)?;
    // The encoder is written for toolchains, which do not feed it hostile modules: it may panic where it should refuse.
    catch_unwind(|| {
        ComponentEncoder::default()
            .validate(true)
            .module(bytes)?
            .encode()
    })
    .unwrap_or_else(|_| Err(anyhow::anyhow!("the component encoder failed on it")))
    .map(Cow::Owned)
    .map_err(ComponentError::Unfit)
}

impl ComponentError {
    /// The stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::ForeignImports { .. } => Code::ImportNotGranted,
            Self::NotWasm | Self::Malformed(_) | Self::NoComponentType | Self::Unfit(_) => {
                Code::NotAGuest
            }
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotWasm | Self::Malformed(_) => {
                "give a component (.wasm), a core module built with an SDK, or a guest's folder".into()
            }
            Self::NoComponentType | Self::Unfit(_) => {
                "build the guest with an SDK of this version, for example from its folder".into()
            }
            Self::ForeignImports { imports } if imports.iter().any(|it| it.starts_with("wasi_")) => {
                "build the guest for wasm32-wasip2 or wasm32-unknown-unknown instead".into()
            }
            Self::ForeignImports { .. } => {
                "leave out the code that needs them: a guest is given theus:process and a virtual WASI 0.2 only".into()
            }
        })
    }
}

/// Finds what makes a core module hopeless, before the encoder says it in its own words.
fn check(module: &[u8]) -> Result<(), ComponentError> {
    let mut typed = false;
    let mut foreign = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::CustomSection(section) => typed |= section.name().starts_with(COMPONENT_TYPE),
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if !is_component_import(import.module) {
                        foreign.insert(format!("{}.{}", import.module, import.name));
                    }
                }
            }
            _ => {}
        }
    }
    if !foreign.is_empty() {
        return Err(ComponentError::ForeignImports {
            imports: foreign.into_iter().collect(),
        });
    }
    if !typed {
        return Err(ComponentError::NoComponentType);
    }
    Ok(())
}

/// Whether a core import's module name is the name of a component interface: a package, a slash, an interface.
fn is_component_import(module: &str) -> bool {
    let name = module
        .strip_prefix("[export]")
        .or_else(|| module.strip_prefix("cm32p2|"))
        .unwrap_or(module);
    name.contains(':') && name.contains('/')
}

#[cfg(test)]
mod tests;
