#![doc = include_str!("../README.md")]

// `#[process]` names this crate by its outside name, in its own tests too.
#[cfg(test)]
extern crate self as theus_guest;

// Not on WASI: there libc has a heap of its own, and frees what the host handed over through the one allocator.
#[cfg(all(
    target_arch = "wasm32",
    not(target_os = "wasi"),
    feature = "one-call-allocator"
))]
mod allocator;
mod arguments;
#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(any(
    test,
    all(
        target_arch = "wasm32",
        not(target_os = "wasi"),
        feature = "one-call-allocator"
    )
))]
mod bump;
mod bytes;
mod context;
mod failure;
mod host;
mod kind;
pub mod log;
pub mod outbox;
#[cfg(target_family = "wasm")]
mod panic;
mod path;
mod process;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod value;
mod wire;

pub use bytes::Bytes;
pub use context::{Context, ContextError};
pub use failure::Failure;
pub use process::Process;
pub use theus_guest_macros::process;
pub use value::Value;

/// All that a guest usually needs: `use theus_guest::prelude::*;`.
pub mod prelude {
    pub use crate::{Bytes, Context, Failure, Value, log, outbox, path, process};
    pub use serde::{Deserialize, Serialize};
}

/// What the expansion of `#[process]` refers to; no part of the public surface.
#[doc(hidden)]
pub mod __private {
    pub use crate::arguments::{Arguments, Parameter, Secrecy};
    pub use crate::kind::Kind;
    pub use crate::path::{push_index, push_key};
    pub use crate::process::{Outcome, Process, Registration, outcome};
}
