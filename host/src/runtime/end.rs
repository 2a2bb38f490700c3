//! How a call ended, and what wasmtime's errors mean.

use super::bulk::Places;
use super::symbol::{beginning_of, demangled};
use std::any::Any;
use std::fmt;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::refusal::Refusal;
use wasmtime::{Error, FrameInfo, Trap, WasmBacktrace};

/// The longest function name that is reported; names come from the guest.
const MAX_NAME: usize = 200;
/// What is kept of a reason.
const MAX_REASON: usize = 64 * 1024;
/// How the text of a backtrace begins.
const BACKTRACE: &str = "error while executing at wasm backtrace";

/// How a call ended.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum End {
    /// The process returned; its result is MessagePack, not yet checked.
    Returned(Vec<u8>),
    /// The process failed; whether its contract declares the code is not yet checked.
    Failed {
        /// One of the contract's errors, if the guest keeps to it.
        code: String,
        /// What went wrong, for a person.
        message: String,
    },
    /// The guard refused a host call.
    Refused(Refusal),
    /// A limit of the call was reached.
    Limit(LimitExceeded),
    /// The guest ended itself: a panic, or AssemblyScript's abort.
    Aborted {
        /// What the guest says went wrong.
        message: String,
        /// The source file that the guest names.
        file: String,
        /// Line, from 1; 0 where unknown.
        line: u32,
        /// Column, from 1; 0 where unknown.
        column: u32,
        /// The guest's function, where a name is known.
        function: Option<String>,
    },
    /// The guest trapped, or broke the rules of the component model.
    Trapped {
        /// What it did.
        reason: String,
        /// The guest's function, where a name is known.
        function: Option<String>,
        /// Where in the guest's code.
        place: Option<String>,
    },
    /// The host failed; the guest is not to blame.
    Host(anyhow::Error),
}

/// An [`End`] on its way through wasmtime, from a host function to whoever called the guest.
#[derive(Debug)]
pub(super) struct Stop(pub(super) End);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host ended the run")
    }
}

impl std::error::Error for Stop {}

impl End {
    /// What an error that came out of a guest means.
    pub(super) fn of_error(error: Error, places: &Places, limits: &Limits, fuel: u64) -> Self {
        let (function, place) = error
            .downcast_ref::<WasmBacktrace>()
            .map_or((None, None), |it| locate(it, places));
        let error = match error.downcast::<Stop>() {
            Ok(Stop(Self::Aborted {
                message,
                file,
                line,
                column,
                ..
            })) => {
                return Self::Aborted {
                    message,
                    file,
                    line,
                    column,
                    function,
                };
            }
            Ok(Stop(end)) => return end,
            Err(error) => error,
        };
        let error = match error.downcast::<LimitExceeded>() {
            Ok(exceeded) => return Self::Limit(exceeded),
            Err(error) => error,
        };
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Self::limit(Limit::StackBytes, limits.stack_bytes),
            Some(Trap::OutOfFuel) => Self::limit(Limit::Fuel, fuel),
            None if is_host_failure(&error) => Self::Host(error.into()),
            _ => Self::Trapped {
                reason: reason(&error),
                function,
                place,
            },
        }
    }

    /// A panic of the host itself, stopped at the call's edge.
    pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Self::Host(anyhow::anyhow!("the host panicked: {message}"))
    }

    fn limit(limit: Limit, allowed: u64) -> Self {
        Self::Limit(LimitExceeded {
            limit,
            allowed,
            asked: None,
        })
    }
}

/// Errors that no guest can cause: the machine is out of something.
fn is_host_failure(error: &Error) -> bool {
    error.is::<std::io::Error>()
        || error.is::<wasmtime::OutOfMemory>()
        || error.is::<wasmtime::PoolConcurrencyLimitError>()
}

fn reason(error: &Error) -> String {
    let mut reason = String::new();
    for cause in error.chain() {
        // It names functions, which `locate` does in bounds: no more of it is written than tells what it is.
        if beginning_of(cause, BACKTRACE.len()) == BACKTRACE {
            continue;
        }
        let text = beginning_of(cause, MAX_REASON);
        if !reason.is_empty() {
            reason.push_str(": ");
        }
        reason.push_str(text.strip_prefix("wasm trap: ").unwrap_or(&text));
    }
    reason
}

/// The innermost function that is not part of a language's panic machinery, and the place in it.
fn locate(backtrace: &WasmBacktrace, places: &Places) -> (Option<String>, Option<String>) {
    let place_of = |frame: &FrameInfo| Some(places.original(frame.module_offset()?));
    let frames = backtrace.frames().iter();
    // What the host has put into the guest is not what the guest's author looks for.
    let frames: Vec<_> = frames.filter(|it| place_of(it) != Some(None)).collect();
    let name_of = |frame: &FrameInfo| {
        let name = frame.func_name()?;
        Some(printable(&without_hash(&demangled(name))))
    };
    let is_guests = |frame: &&&FrameInfo| name_of(frame).is_some_and(|name| !is_machinery(&name));
    let Some(frame) = frames.iter().find(is_guests).or(frames.first()) else {
        return (None, None);
    };
    let place = place_of(frame)
        .flatten()
        .map(|offset| format!("wasm offset {offset:#x}"));
    (name_of(frame), place)
}

/// Whether every panic of the guest's language passes through this function.
fn is_machinery(name: &str) -> bool {
    const PREFIXES: [&str; 12] = [
        "core::",
        "std::",
        "alloc::",
        "<core::",
        "<std::",
        "<alloc::",
        "rust_",
        "__rust",
        "theus_guest::",
        "theus:process/",
        "~lib/",
        "<wasm function",
    ];
    name == "abort" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Cuts out the hashes of Rust's two manglings: `::h…` at the end of a name, `[…]` behind the name of a crate.
fn without_hash(name: &str) -> String {
    let is_hex = |text: &str| text.bytes().all(|it| it.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && is_hex(hash) => name,
        _ => name,
    };
    let mut parts = name.split('[');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            // Written without leading zeros; what is this long is no index.
            Some((hash, rest)) if (10..=16).contains(&hash.len()) && is_hex(hash) => {
                kept.push_str(rest);
            }
            _ => kept.extend(["[", part]),
        }
    }
    kept
}

/// A name from the guest, made fit to be printed.
fn printable(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect()
}
