//! Limits on the command line.

use super::failure::Failure;
use super::units;
use clap::Args;
use std::time::Duration;
use theus_core::code::Code;
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
    /// The limits with what the flags change.
    pub(super) fn limits(&self) -> Limits {
        let defaults = Limits::default();
        Limits {
            fuel: self.fuel.unwrap_or(defaults.fuel),
            timeout: self.timeout.unwrap_or(defaults.timeout),
            memory_bytes: self.max_memory.unwrap_or(defaults.memory_bytes),
            component_bytes: self.max_component.unwrap_or(defaults.component_bytes),
            ..defaults
        }
    }

    /// How many of them are given.
    pub(super) fn changed(&self) -> usize {
        [
            self.fuel.is_some(),
            self.timeout.is_some(),
            self.max_memory.is_some(),
            self.max_component.is_some(),
        ]
        .into_iter()
        .filter(|given| *given)
        .count()
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
