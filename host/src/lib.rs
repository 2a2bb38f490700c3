//! A host that runs processes nobody has to trust, over state nobody may corrupt.
//!
//! Processes are functions compiled to WebAssembly components. They see a shared *context* only through imports that
//! their *contract* grants, write into a *transaction*, and are judged by *audit rules* before and after. An [`Engine`]
//! takes every run through the same seven steps, and commits all of it or nothing.
//!
//! ```
//! use theus_host::build::{Build, Diagnostics};
//! use theus_host::{Engine, Policy, args, context_from_json};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A prebuilt `.wasm` file does as well: `engine.register("warehouse.wasm", …)`.
//! let guest = Build::new("../guests/warehouse").diagnostics(Diagnostics::Hide).run()?;
//!
//! let context = context_from_json(r#"{"domain": {"items": [], "total_value": 0}}"#)?;
//! let engine = Engine::builder().context(context).build()?;
//! engine.register(guest.wasm, Policy::as_declared())?;
//!
//! let receipt = engine.run("add_product", args! { "product_name" => "TV", "price" => 500 })?;
//! assert_eq!(receipt.version, 1);
//! assert_eq!(receipt.changes[1].path.to_string(), "domain.total_value");
//!
//! match engine.run("add_product", args! { "product_name" => "TV", "price" => -5 }) {
//!     Ok(receipt) => println!("Success! {:?}", receipt.changes),
//!     Err(error) => assert_eq!(error.to_string(), "price cannot be negative"),
//! }
//! assert_eq!(engine.context().version, 1); // nothing of the failed run remains
//! # Ok(())
//! # }
//! ```
//!
//! The engine is blocking, `Send + Sync`, and cheap to clone. It holds the context in memory, and what it acknowledges does
//! not outlive it, unless the builder is given a directory to keep it in: [`EngineBuilder::state`].
//!
//! `host/examples/service` is an engine behind HTTP: it keeps the blocking calls off its reactor. Whoever writes guests
//! tests them with [`testing`].

mod advice;
mod arguments;
mod audit_count;
pub mod backtest;
mod body;
pub mod build;
mod builder;
mod committer;
pub mod component;
mod declared;
mod edit;
mod engine;
mod error;
pub mod fuzz;
mod grant;
pub mod guest;
mod head;
mod held;
mod history;
mod interlock;
mod lasting;
mod leftovers;
mod lock;
pub mod minimize;
mod observe;
mod opening;
mod policy;
mod process;
mod receipt;
mod record;
pub mod replay;
mod run;
mod runtime;
mod side_effects;
mod staging;
pub mod store;
mod subscription;
mod terms;
pub mod testing;

pub use crate::audit_count::AuditCount;
#[cfg(feature = "baseline")]
pub use crate::body::NativeProcess;
pub use crate::builder::EngineBuilder;
pub use crate::edit::Edit;
pub use crate::engine::Engine;
pub use crate::error::{
    ArgumentProblem, EditError, EngineBuildError, GrantProblem, RegisterError, RunError,
};
pub use crate::interlock::Interlock;
pub use crate::policy::Policy;
pub use crate::process::{GuestSource, Registered};
pub use crate::receipt::{
    Durability, ErrorReport, GateCount, Gates, Outcome, Receipt, Stats, Step, StepTime, Steps,
};
pub use crate::record::{Actor, Record};
pub use crate::run::Call;
#[cfg(feature = "baseline")]
pub use crate::runtime::{BareGuest, PlainGuest, ReusedInstance};
pub use crate::side_effects::{FileChange, FileOp, Outside, Seed};
pub use crate::staging::DirectoryProblem;
pub use crate::subscription::{Event, Subscription};
pub use crate::terms::Terms;
pub use theus_core::advice::Advice;
pub use theus_core::arguments::MASK;
pub use theus_core::audit::{Action, Gate, Level, Recipe, RecipeErrors, Verdict};
pub use theus_core::changes::{Change, ChangeOp, Changes};
pub use theus_core::code::{Code, ErrorKind};
pub use theus_core::context_guard::Mode;
pub use theus_core::context_source::{
    ContextPlaces, ContextSourceError, context_from_json, context_from_value,
};
pub use theus_core::guest_log::{LogLevel, LogLine};
pub use theus_core::limits::{Limit, LimitExceeded, LimitProblem, Limits, LimitsError};
pub use theus_core::path::{Layer, Path};
pub use theus_core::policy::{PolicyList, PolicyProblem, ProcessPolicy};
pub use theus_core::schema::{
    Breach, BreachProblem, Breaches, ImpossiblePath, ImpossiblePaths, Schema, SchemaErrors,
};
pub use theus_core::side_effect::{SideEffect, SideEffectError};
pub use theus_core::topic::{TopicPattern, TopicWithheld, Topics};
pub use theus_core::transaction::{OutboxMessage, Signal, Snapshot};
pub use theus_core::tree::Tree;
pub use theus_core::value::{List, Map, Value};

// The README's Rust is compiled like every other example.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

// So is that of the page about schemas.
#[cfg(doctest)]
#[doc = include_str!("../docs/schema.md")]
struct SchemaPage;

// That of the page about states.
#[cfg(doctest)]
#[doc = include_str!("../docs/state.md")]
struct StatePage;

// That of the page about limits.
#[cfg(doctest)]
#[doc = include_str!("../docs/limits.md")]
struct LimitsPage;

// And that of the page about side effects.
#[cfg(doctest)]
#[doc = include_str!("../docs/side-effects.md")]
struct SideEffectsPage;
