//! Limits on the command line.

use super::failure::Failure;
use clap::Args;
use std::time::Duration;
use theus_core::code::Code;
use theus_core::units;
use theus_host::{Limits, LimitsError};

/// The flags that change limits; every other one has its default.
#[derive(Args, Debug, Default)]
pub(super) struct LimitFlags {
    /// The fuel that a call may use
    #[arg(long, value_name = "N", value_parser = units::fuel)]
    fuel: Option<u64>,
    /// The time that a call may take, such as 5s, 200ms or 1m
    #[arg(long, value_name = "DUR", value_parser = units::duration)]
    timeout: Option<Duration>,
    /// The linear memory that the guest may have, such as 64MiB
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    max_memory: Option<u64>,
    /// The size that the component may have: guests with an interpreter in them are large
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    max_component: Option<u64>,
}

impl LimitFlags {
    /// Limits with what the flags change.
    pub(super) fn over(&self, mut limits: Limits) -> Limits {
        limits.fuel = self.fuel.unwrap_or(limits.fuel);
        limits.timeout = self.timeout.unwrap_or(limits.timeout);
        limits.memory_bytes = self.max_memory.unwrap_or(limits.memory_bytes);
        limits.component_bytes = self.max_component.unwrap_or(limits.component_bytes);
        limits
    }

    /// The flags as words of a command line.
    pub(super) fn words(&self) -> Vec<String> {
        let flags = [
            ("--fuel", self.fuel.map(|it| it.to_string())),
            (
                "--timeout",
                self.timeout.map(|it| format!("{}us", it.as_micros())),
            ),
            ("--max-memory", self.max_memory.map(|it| it.to_string())),
            (
                "--max-component",
                self.max_component.map(|it| it.to_string()),
            ),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        given.flatten().collect()
    }
}

/// Refuses limits that make no sense.
pub(super) fn check(limits: &Limits) -> Result<(), Failure> {
    limits.check().map_err(|error| unfit(&error))
}

/// What a command says of limits that make no sense.
pub(super) fn unfit(error: &LimitsError) -> Failure {
    Failure::new(Code::LimitsUnfit, error).help(error.help())
}
