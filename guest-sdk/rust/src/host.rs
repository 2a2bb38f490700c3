//! The host's functions, the same to the rest of the SDK in a sandbox and outside of one.

#[cfg(not(target_family = "wasm"))]
pub(crate) use outside::{context, log, outbox};

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::{context, log, outbox};

/// Natively there is no host to ask: every function says so.
#[cfg(not(target_family = "wasm"))]
mod outside {
    pub(crate) mod context {
        use super::absent;

        pub(crate) fn get(_: &str) -> Option<Vec<u8>> {
            absent("get")
        }

        pub(crate) fn set(_: &str, _: &[u8]) {
            absent("set")
        }

        pub(crate) fn remove(_: &str) -> bool {
            absent("remove")
        }

        pub(crate) fn push(_: &str, _: &[u8]) -> u64 {
            absent("push")
        }

        pub(crate) fn len(_: &str) -> Option<u64> {
            absent("len")
        }

        pub(crate) fn keys(_: &str, _: Option<&str>, _: u32) -> Vec<String> {
            absent("keys")
        }

        pub(crate) fn read_bytes(_: &str, _: u64, _: u32) -> Vec<u8> {
            absent("read_bytes")
        }
    }

    pub(crate) mod log {
        use super::absent;

        pub(crate) enum Level {
            Trace,
            Debug,
            Info,
            Warn,
            Error,
        }

        pub(crate) fn write(_: Level, _: &str) {
            absent("log")
        }
    }

    pub(crate) mod outbox {
        pub(crate) fn send(_: &str, _: &[u8]) {
            super::absent("send")
        }
    }

    fn absent(call: &str) -> ! {
        panic!("outside a host: `{call}` works only in a process that theus-host runs")
    }
}
