//! Limits on the command line.

use super::failure::Failure;
use clap::Args;
use std::time::Duration;
use theus_core::code::Code;
use theus_core::config::{LimitFlag, LimitOverrides};
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
    /// Any limit, by its word of `[limits]` in a theus.toml, such as writes=20000 or value-bytes=2MiB; may be given several
    /// times
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<LimitFlag>,
}

impl LimitFlags {
    /// Limits with what the flags change.
    pub(super) fn over(&self, mut limits: Limits) -> Result<Limits, Failure> {
        self.refuse_doubles()?;
        limits.fuel = self.fuel.unwrap_or(limits.fuel);
        limits.timeout = self.timeout.unwrap_or(limits.timeout);
        limits.memory_bytes = self.max_memory.unwrap_or(limits.memory_bytes);
        limits.component_bytes = self.max_component.unwrap_or(limits.component_bytes);
        Ok(LimitOverrides::from(&self.limit[..]).applied_to(limits))
    }

    /// The flags as words of a command line.
    pub(super) fn words(&self) -> Vec<String> {
        let own = self.own().into_iter();
        let own = own.filter_map(|(word, value)| Some([format!("--{word}"), value?]));
        let others = self.limit.iter();
        let others = others.map(|flag| ["--limit".to_owned(), flag.to_string()]);
        own.chain(others).flatten().collect()
    }

    /// The limits that have a flag of their own: its name, and what is given for it.
    fn own(&self) -> [(&'static str, Option<String>); 4] {
        let micros = |it: Duration| format!("{}us", it.as_micros());
        [
            ("fuel", self.fuel.map(|it| it.to_string())),
            ("timeout", self.timeout.map(micros)),
            ("max-memory", self.max_memory.map(|it| it.to_string())),
            ("max-component", self.max_component.map(|it| it.to_string())),
        ]
    }

    /// Of two flags for one limit nobody can say which one is meant.
    fn refuse_doubles(&self) -> Result<(), Failure> {
        let own = self.own().into_iter();
        let own = own.filter_map(|(word, value)| value.map(|_| (word, format!("--{word}"))));
        let mut given: Vec<(&str, String)> = own.collect();
        for flag in &self.limit {
            let this = format!("--limit {flag}");
            if let Some((word, other)) = given.iter().find(|(word, _)| *word == flag.word()) {
                let message =
                    format!("the limit `{word}` is given twice, by `{other}` and by `{this}`");
                return Err(Failure::new(Code::CommandLine, message)
                    .help("give one of them: which of two is meant, nobody can say"));
            }
            given.push((flag.word(), this));
        }
        Ok(())
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
