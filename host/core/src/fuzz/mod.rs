//! Generators and oracles: what a fuzzer feeds the core with, and what must hold whatever it is fed.
//!
//! A string of bytes decides everything: a libFuzzer target hands over its own, a test makes one from a seed
//! ([`bytes`]), and [`Dice`] turns either into structured input. So a finding of the one is a regression test of the
//! other, and every target is run for a bounded number of seeds wherever the tests are run.
//!
//! ```
//! use theus_core::fuzz::{TARGETS, bytes};
//!
//! for target in TARGETS {
//!     (target.check)(&bytes(1, 256))?;
//! }
//! # Ok::<(), theus_core::fuzz::Broken>(())
//! ```
//!
//! An oracle never trusts the code that it judges: [`Script`] holds the guard and the transaction against a model made of
//! `BTreeMap`s, which knows nothing of persistent trees, interned paths or `reserved` marks.

mod calls;
mod dice;
mod files;
mod message_pack;
mod model;
mod paths;
mod script;
mod values;

pub use self::calls::{Answer, HostCall};
pub use self::dice::{Dice, bytes};
pub use self::script::{Ended, Script, uncovered};
pub use self::values::{Keys, argument, key, path, text, tree, value};
pub(crate) use self::values::{real, whole};

/// Something that must hold does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// A fuzz target: an oracle over a string of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the libFuzzer target as well.
    pub name: &'static str,
    /// Judges what the code makes of the bytes.
    pub check: fn(&[u8]) -> Result<(), Broken>,
}

/// Every target that needs no engine.
pub const TARGETS: [Target; 6] = [
    Target {
        name: "paths",
        check: paths::check,
    },
    Target {
        name: "messagepack",
        check: message_pack::check,
    },
    Target {
        name: "contracts",
        check: files::contracts,
    },
    Target {
        name: "recipes",
        check: files::recipes,
    },
    Target {
        name: "schemas",
        check: files::schemas,
    },
    Target {
        name: "context_calls",
        check: script::check,
    },
];

/// Says what broke, unless it holds.
pub(crate) fn holds(holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(what())) }
}
