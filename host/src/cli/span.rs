//! `--from SEQ` and `--to SEQ` of the verbs that look at a history.

use super::failure::Failure;
use clap::Args;
use std::ops::RangeInclusive;
use theus_core::code::Code;

/// Records by their numbers, both ends included.
#[derive(Args, Debug)]
pub(super) struct Span {
    /// The first record to look at, by its number in `log`
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// The last one
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
}

impl Span {
    /// Whether less than all is meant.
    pub(super) fn is_given(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    /// The numbers that are meant, of a state whose last record is this one. A range that holds none is a mistake: what is asked
    /// of it would be answered without having looked at anything.
    pub(super) fn range(&self, last: u64) -> Result<RangeInclusive<u64>, Failure> {
        let (from, to) = (self.from.unwrap_or(1), self.to.unwrap_or(u64::MAX));
        if from > to {
            let message = format!("--from {from} lies behind --to {to}");
            let help = "give the first record with --from and the last one with --to";
            return Err(Failure::new(Code::CommandLine, message).help(help));
        }
        if self.from.is_some_and(|from| from > last) {
            let message = format!("there is no record {from}; the last one is {last}");
            let help = "`theus-host log --state DIR` prints the numbers of the records";
            return Err(Failure::new(Code::CommandLine, message).help(help));
        }
        Ok(from..=to)
    }
}
