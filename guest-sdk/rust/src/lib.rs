//! Writes theus processes in Rust.
//!
//! A process is a plain function under one attribute. It sees the shared context only through [`Context`], and of it only
//! what its contract names; what it writes is committed when the call ends well, or not at all.
//!
//! ```
//! use theus_guest::prelude::*;
//!
//! /// Adds to the counter and gives its new value.
//! #[process(outputs = ["domain.counter"], errors = ["ValueError"])]
//! fn add(ctx: &Context, amount: i64) -> Result<i64, Failure> {
//!     let old: i64 = ctx.get("domain.counter")?.unwrap_or(0);
//!     let new = old
//!         .checked_add(amount)
//!         .ok_or_else(|| Failure::new("ValueError", "the counter is full"))?;
//!     ctx.set("domain.counter", &new)?;
//!     Ok(new)
//! }
//! ```
//!
//! A guest is a library crate of type `cdylib` that depends on this crate, and on serde where it derives `Serialize` or
//! `Deserialize`. `theus-host run FOLDER` builds and runs it; `cargo build --target wasm32-wasip2` makes a component too.
//!
//! # How a call ends
//!
//! - `Ok(value)`: the value, anything that implements `Serialize`, is the result.
//! - `Err(failure)`: a [`Failure`] whose code stands in the contract's `errors`. Nothing that was written remains.
//! - `?` on a call of [`Context`]: the value there is of another type than expected ([`ContextError`]).
//! - a panic: the host reports its message, file and line.
//! - a call outside the contract or over a limit: the call ends inside the host, and nothing after it runs.
//!
//! # One life, one call
//!
//! Each call runs in a fresh sandbox: statics start anew, and memory is dropped whole at the end. The default feature
//! `one-call-allocator` makes use of that: it hands out memory without ever searching for a freed piece. A process that
//! allocates and frees much more than its memory limit opts out with `default-features = false`.
//!
//! Outside a host (a native test of a function that takes a `Context`) every call of [`Context`] panics and says so.

// `#[process]` names this crate by its outside name, in its own tests too.
#[cfg(test)]
extern crate self as theus_guest;

#[cfg(all(target_arch = "wasm32", feature = "one-call-allocator"))]
mod allocator;
mod arguments;
#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(any(test, all(target_arch = "wasm32", feature = "one-call-allocator")))]
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
