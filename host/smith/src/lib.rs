//! The third fuzzer of the host: guests that nobody wrote, and what must hold whatever they do.
//!
//! `wasm-smith` makes a valid core module of random bytes. Alone it would hardly ever say anything to the host: what a host
//! call wants are pointers at a path, and random numbers are none. So calls that make sense ([`theus_core::fuzz`] makes
//! them up) become functions of the module itself, which its random code calls where it likes ([`RandomGuest`]). The module
//! then goes the way of any guest: into a component, into an engine with low limits, through the pipeline ([`check`]).
//!
//! A crate of its own, so that nobody who uses the host builds a generator of modules with it.
//!
//! ```
//! let seen = theus_smith::check(&theus_core::fuzz::bytes(1, 2048))?;
//! println!("{seen:?}");
//! # Ok::<(), theus_core::fuzz::Broken>(())
//! ```

mod acts;
mod foretold;
mod graft;
mod guest;
mod oracle;

pub use self::guest::{Case, RandomGuest};
pub use self::oracle::{Seen, check};
