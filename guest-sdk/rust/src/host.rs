//! The host's functions, the same to the rest of the SDK in a sandbox and outside of one.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::{context, log, outbox};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::imports::{context, log, outbox};
