//! The processes of a guest: how they are found, and how one runs.

use std::sync::{OnceLock, PoisonError, RwLock};

use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;

/// What a process gives back: its result as MessagePack.
pub type Outcome = Result<Vec<u8>, Failure>;

/// A process as a type. `#[process]` makes one beside the function, of the same name.
pub trait Process {
    /// The name under which the host calls it.
    const NAME: &'static str;

    /// The contract: one line of JSON with its line end, as it stands in the section `theus:contract`.
    const CONTRACT: &'static str;

    /// Runs the process on arguments that are a MessagePack map.
    ///
    /// # Panics
    ///
    /// The arguments are not of the parameters' kinds, which the host has checked.
    ///
    /// # Errors
    ///
    /// What the process returns.
    fn run(context: &Context, arguments: &[u8]) -> Outcome;
}

/// What the function under `#[process]` may return.
#[diagnostic::on_unimplemented(
    message = "a process returns a result, not `{Self}`",
    label = "write `Result<.., Failure>`"
)]
pub trait Returned {
    /// What the process gives back.
    type Value: Serialize;

    /// Turns the error into a failure.
    fn into_result(self) -> Result<Self::Value, Failure>;
}

impl<T: Serialize, E: Into<Failure>> Returned for Result<T, E> {
    type Value = T;

    #[inline]
    fn into_result(self) -> Result<T, Failure> {
        self.map_err(Into::into)
    }
}

/// Encodes what the function returned.
#[track_caller]
pub fn outcome<R: Returned>(returned: R) -> Outcome {
    let value = returned.into_result()?;
    match rmp_serde::to_vec_named(&value) {
        Ok(encoded) => Ok(encoded),
        Err(why) => panic!("the result cannot be encoded: {why}"),
    }
}

/// An entry in the list of this guest's processes.
///
/// Each `#[process]` has one in a static, and a constructor that links it in. That keeps the list free of any central
/// place: the constructors run at the start of a call (wit-bindgen's export calls `__wasm_call_ctors`, and by that
/// keeps the linker from wrapping every export in it).
pub struct Registration {
    name: &'static str,
    run: fn(&Context, &[u8]) -> Outcome,
    next: OnceLock<Option<&'static Registration>>,
}

/// The entry linked in last.
static PROCESSES: RwLock<Option<&'static Registration>> = RwLock::new(None);

impl Registration {
    /// The entry of a process, not yet in the list.
    #[must_use]
    pub const fn of<P: Process>() -> Self {
        Self {
            name: P::NAME,
            run: P::run,
            next: OnceLock::new(),
        }
    }

    /// Puts the entry into the list. A second time does nothing: under WASI the constructors run twice.
    pub fn register(&'static self) {
        let mut first = PROCESSES.write().unwrap_or_else(PoisonError::into_inner);
        if self.next.set(*first).is_ok() {
            *first = Some(self);
        }
    }

    fn all() -> impl Iterator<Item = &'static Registration> {
        let first = *PROCESSES.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::successors(first, |entry| entry.next.get().copied().flatten())
    }
}

/// Runs the process called `name`. Panics where this guest has none of that name.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
pub(crate) fn run(name: &str, arguments: &[u8]) -> Outcome {
    #[cfg(target_family = "wasm")]
    crate::panic::report_to_host();
    match Registration::all().find(|entry| entry.name == name) {
        Some(entry) => (entry.run)(&Context::new(), arguments),
        None => no_such_process(name),
    }
}

#[cold]
fn no_such_process(name: &str) -> ! {
    let mut names: Vec<&str> = Registration::all().map(|entry| entry.name).collect();
    names.sort_unstable();
    panic!(
        "this guest has no process `{name}`: it has {}",
        names.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    /// Adds one to `number`.
    ///
    /// More about it.
    #[process(errors = ["Full"])]
    fn successor(_ctx: &Context, number: i64, name: Option<String>) -> Result<String, Failure> {
        let next = number
            .checked_add(1)
            .ok_or_else(|| Failure::new("Full", "no successor"))?;
        Ok(format!("{next} {}", name.unwrap_or_default()))
    }

    #[process]
    fn context_and_arguments(
        _ctx: &Context,
        context: i64,
        arguments: i64,
        #[secret] name: i64,
    ) -> Result<(i64, i64, i64), Failure> {
        Ok((context, arguments, name))
    }

    #[test]
    fn the_contract_stands_beside_the_function() {
        assert_eq!(successor::NAME, "successor");
        assert_eq!(
            successor::CONTRACT,
            concat!(
                r#"{"name":"successor","summary":"Adds one to `number`.","parameters":["#,
                r#"{"name":"number","kind":"int","optional":false,"secret":false},"#,
                r#"{"name":"name","kind":"string","optional":true,"secret":false}],"#,
                r#""inputs":[],"outputs":[],"side_effects":[],"errors":["Full"]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_process_decodes_its_arguments_and_encodes_its_result() {
        let ctx = Context::new();
        let result = successor::run(&ctx, b"\x82\xa4name\xa1x\xa6number\x29");
        assert_eq!(result, Ok(b"\xa442 x".to_vec()));
        let full = [&b"\x81\xa6number\xd3"[..], &i64::MAX.to_be_bytes()].concat();
        let failure = successor::run(&ctx, &full).expect_err("a failure");
        assert_eq!(failure.to_string(), "Full: no successor");
    }

    #[test]
    fn no_parameter_name_collides_with_the_expansion() {
        let arguments = b"\x83\xa7context\x01\xa9arguments\x02\xa4name\x03";
        let result = context_and_arguments::run(&Context::new(), arguments);
        assert_eq!(result, Ok(b"\x93\x01\x02\x03".to_vec()));
    }

    #[test]
    fn processes_are_found_by_name_however_often_they_register() {
        static FIRST: Registration = Registration::of::<successor>();
        static SECOND: Registration = Registration::of::<context_and_arguments>();
        for entry in [&FIRST, &SECOND, &FIRST, &SECOND] {
            entry.register();
        }
        assert_eq!(Registration::all().count(), 2);
        assert!(run("successor", b"\x81\xa6number\x01").is_ok());
        let missing = std::panic::catch_unwind(|| run("succesor", b"\x80"));
        let message = missing.expect_err("a panic");
        assert_eq!(
            message.downcast_ref::<String>().map(String::as_str),
            Some("this guest has no process `succesor`: it has context_and_arguments, successor")
        );
    }

    #[test]
    #[should_panic(
        expected = "outside a host: `get` works only in a process that theus-host or theus_guest::testing runs"
    )]
    fn natively_the_context_says_that_there_is_no_host() {
        let _ = Context::new().get::<i64>("domain.counter");
    }
}
