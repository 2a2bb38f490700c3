//! Runs processes natively, in a plain `#[test]`, against a mock context.
//!
//! The guard, the codec, the transaction, the checks of arguments and contracts and the limits are the host's own: they
//! are `theus-core`'s. So a process that reads or writes outside its contract fails here as it would in a sandbox.
//!
//! ```
//! use theus_guest::prelude::*;
//! use theus_guest::testing::{Change, Host, args};
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
//!
//! let mut host = Host::new().context(r#"{"domain": {"counter": 40}}"#);
//! let run = host.run::<add>(args! { "amount" => 2 });
//! assert_eq!(run.result(), Ok(42));
//! assert_eq!(run.changes(), [Change::set("domain.counter", 40, 42)]);
//!
//! let run = host.run::<add>(args! { "amount" => i64::MAX });
//! assert_eq!(run.failure(), Some(&Failure::new("ValueError", "the counter is full")));
//! assert_eq!(host.value("domain.counter"), Some(42)); // nothing of the failed run remains
//! ```
//!
//! # What differs from a sandbox
//!
//! - Fuel, time, memory and stack are not limited; every other limit is `theus-core`'s default.
//! - Statics keep their values from run to run. In a sandbox they start anew.
//! - There are no audit rules: they belong to the operator, and run in the host.
//! - A trap without a panic (`unreachable`, a full stack) ends the test's process.

mod args;
mod call;
mod change;
mod error;
mod host;
pub(crate) mod imports;
mod run;
mod value;

pub use self::args::Args;
pub use self::change::{Change, OutboxMessage, Signal};
pub use self::error::RunError;
pub use self::host::Host;
pub use self::run::Run;
#[doc(inline)]
pub use crate::__args as args;
pub use theus_core::arguments::ArgumentProblem;
pub use theus_core::changes::ChangeOp;
pub use theus_core::code::ErrorKind;
pub use theus_core::codec::DecodeError;
pub use theus_core::contract::{ContractError, StrictError};
pub use theus_core::guard::{Reason, Violation};
pub use theus_core::guest_log::{LogLevel, LogLine};
pub use theus_core::limits::{Limit, LimitExceeded};
pub use theus_core::pattern::FillError;
pub use theus_core::refusal::Refusal;
pub use theus_core::tree::ShapeError;

#[cfg(test)]
mod tests;
