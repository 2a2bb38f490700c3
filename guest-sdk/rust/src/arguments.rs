//! A call's arguments: a MessagePack map, one entry per parameter that was given.
//!
//! The host has checked them against the contract: that one has another kind here means that contract and guest disagree, and
//! ends the call. Within a kind the guest's own type may be narrower, which the reserved code `Decode` reports.

use serde::de::DeserializeOwned;

use crate::context::DECODE;
use crate::failure::Failure;
use crate::kind::Kind;
use crate::wire::Walk;

/// What the expansion knows about one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name under which the argument comes.
    pub name: &'static str,
    /// The kind that the contract states.
    pub kind: Kind,
    /// Whether messages may show the argument.
    pub secrecy: Secrecy,
}

/// Whether messages may show an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// They may.
    Open,
    /// They may not: the parameter is marked `#[secret]`.
    Secret,
}

/// The arguments of one call, each still encoded.
pub struct Arguments<'a, const N: usize> {
    parameters: &'static [Parameter; N],
    given: [Option<&'a [u8]>; N],
}

impl<'a, const N: usize> Arguments<'a, N> {
    /// Sorts the arguments by parameter. Panics on an unknown or doubled one, and on what is no map.
    #[must_use]
    #[track_caller]
    pub fn read(parameters: &'static [Parameter; N], encoded: &'a [u8]) -> Self {
        let mut arguments = Self {
            parameters,
            given: [None; N],
        };
        let mut walk = Walk::new(encoded);
        let entries = walk.map();
        for _ in 0..entries.unwrap_or(0) {
            let (Some(name), Some(value)) = (walk.string(), walk.value()) else {
                malformed();
            };
            arguments.put(name, value);
        }
        if entries.is_none() || !walk.is_at_end() {
            malformed();
        }
        arguments
    }

    /// Decodes an argument that must be there. An argument of the parameter's kind may still be none of its type, such as a
    /// number that is too large: that is the caller's mistake, and no panic of the guest's.
    #[track_caller]
    pub fn required<T: DeserializeOwned>(&mut self, index: usize) -> Result<T, Failure> {
        match self.given[index] {
            Some(encoded) => decode(&self.parameters[index], encoded),
            None => panic!("argument `{}` is missing", self.parameters[index].name),
        }
    }

    /// Decodes an argument that may be left out; nil counts as left out.
    #[track_caller]
    pub fn optional<T: DeserializeOwned>(&mut self, index: usize) -> Result<Option<T>, Failure> {
        self.given[index]
            .filter(|encoded| Kind::of(encoded) != Some(Kind::Nil))
            .map(|encoded| decode(&self.parameters[index], encoded))
            .transpose()
    }

    #[track_caller]
    fn put(&mut self, name: &str, value: &'a [u8]) {
        let Some(index) = self
            .parameters
            .iter()
            .position(|parameter| parameter.name == name)
        else {
            panic!(
                "argument `{name}` has no parameter: this process takes {}",
                self.names()
            );
        };
        assert!(
            self.given[index].replace(value).is_none(),
            "argument `{name}` is given twice"
        );
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self
            .parameters
            .iter()
            .map(|parameter| parameter.name)
            .collect();
        if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        }
    }
}

#[track_caller]
fn malformed() -> ! {
    panic!("the arguments are not a MessagePack map with string keys")
}

#[track_caller]
fn decode<T: DeserializeOwned>(parameter: &Parameter, encoded: &[u8]) -> Result<T, Failure> {
    let Parameter {
        name,
        kind,
        secrecy,
    } = *parameter;
    let given = Kind::of(encoded);
    if !given.is_some_and(|given| kind.takes(given)) {
        let given = given.map_or("an extension type", Kind::word);
        panic!("argument `{name}` must be {}, not {given}", kind.word());
    }
    rmp_serde::from_slice(encoded).map_err(|error| {
        let mut message = format!("the argument `{name}` does not fit its parameter");
        // serde's message quotes the value.
        if secrecy == Secrecy::Open {
            message = format!("{message}: {error}");
        }
        Failure::new(DECODE, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: [Parameter; 3] = [
        Parameter {
            name: "name",
            kind: Kind::String,
            secrecy: Secrecy::Open,
        },
        Parameter {
            name: "count",
            kind: Kind::Int,
            secrecy: Secrecy::Open,
        },
        Parameter {
            name: "pin",
            kind: Kind::Int,
            secrecy: Secrecy::Secret,
        },
    ];

    fn panic_of(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let payload = std::panic::catch_unwind(work).expect_err("a panic");
        payload.downcast_ref::<String>().map_or_else(
            || (*payload.downcast_ref::<&str>().expect("a message")).to_owned(),
            Clone::clone,
        )
    }

    #[test]
    fn arguments_are_found_by_name() {
        let mut arguments =
            Arguments::read(&PARAMETERS, b"\x82\xa5count\xcd\x01\x00\xa4name\xa2TV");
        assert_eq!(arguments.required::<String>(0), Ok("TV".into()));
        assert_eq!(arguments.required::<i64>(1), Ok(256));
        assert_eq!(arguments.optional::<i64>(2), Ok(None));
    }

    #[test]
    fn nil_counts_as_left_out() {
        let mut arguments = Arguments::read(&PARAMETERS, b"\x81\xa5count\xc0");
        assert_eq!(arguments.optional::<i64>(1), Ok(None));
    }

    #[test]
    fn arguments_that_do_not_fit_end_the_call() {
        for (encoded, message) in [
            (&b"\x90"[..], "not a MessagePack map"),
            (b"", "not a MessagePack map"),
            (b"\x80\x80", "not a MessagePack map"),
            (b"\x81\x01\x01", "not a MessagePack map"),
            (
                b"\x81\xa1x\x01",
                "argument `x` has no parameter: this process takes name, count, pin",
            ),
            (b"\x82\xa4name\xa1a\xa4name\xa1b", "given twice"),
            (b"\x80", "`name` is missing"),
            (b"\x81\xa4name\x01", "`name` must be string, not int"),
            (b"\x81\xa4name\xc4\x01a", "`name` must be string, not bytes"),
        ] {
            let seen = panic_of(|| {
                let _ = Arguments::read(&PARAMETERS, encoded).required::<String>(0);
            });
            assert!(seen.contains(message), "{encoded:x?}: {seen}");
        }
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let refused = |name: &'static [u8], index| {
            let encoded = [b"\x81", name, b"\xcd\x03\xe7"].concat();
            let read = Arguments::read(&PARAMETERS, &encoded).required::<u8>(index);
            let failure = read.expect_err("999 is no u8");
            assert_eq!(failure.code(), DECODE);
            failure.message().to_owned()
        };
        assert!(refused(b"\xa5count", 1).contains("999"));
        assert!(!refused(b"\xa3pin", 2).contains("999"));
    }
}
