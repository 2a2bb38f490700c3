//! Limits that make no sense: that no call could keep, that contradict one another, or that no engine could hold to.

use super::words::flag_of;
use super::{KIB, Limits};
use std::time::Duration;

/// The page of a linear memory.
const PAGE: u64 = 64 * KIB;

/// A 32-bit memory holds no more.
const MOST_MEMORY: u64 = 4 * 1024 * 1024 * KIB;

/// Wasm runs on the caller's stack, and a thread of the standard library has 2 MiB.
const MOST_STACK: u64 = 1024 * KIB;

/// Tables that an instance of the pool has room for.
const MOST_TABLES: u64 = 100;

/// Each level of a value takes stack of the host's own.
const MOST_DEPTH: u64 = 128;

/// A deadline further away is none.
const MOST_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Why limits make no sense: everything at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
#[non_exhaustive]
pub struct LimitsError {
    /// The problems, in the order of [`Limits`]; never empty.
    pub problems: Vec<LimitProblem>,
}

/// One limit that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitProblem {
    /// No call could keep it.
    #[error("`{limit}` is {found}, at least {least} is needed: {why}")]
    TooSmall {
        /// The field of [`Limits`].
        limit: &'static str,
        /// What it is.
        found: String,
        /// What it would have to be.
        least: String,
        /// What could never happen.
        why: &'static str,
    },
    /// The engine cannot give so much, so the limit would not be the one that holds.
    #[error("`{limit}` is {found}, at most {most} is possible: {why}")]
    TooLarge {
        /// The field of [`Limits`].
        limit: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        most: String,
        /// What holds instead.
        why: &'static str,
    },
    /// Another limit is always reached before it.
    #[error("`{limit}` is {found}, which is more than `{other}` {allowed}: {why}")]
    OutOfReach {
        /// The field of [`Limits`].
        limit: &'static str,
        /// What it is.
        found: u64,
        /// The field that it contradicts.
        other: &'static str,
        /// What that one is.
        allowed: u64,
        /// What could never happen.
        why: &'static str,
    },
}

impl LimitsError {
    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> String {
        let mut fields = Vec::new();
        for problem in &self.problems {
            let field = problem.limit();
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let fields: Vec<_> = fields
            .into_iter()
            .map(|field| format!("`{}` (in a program: `Limits::{field}`)", flag_of(field)))
            .collect();
        format!("change {}", fields.join(", "))
    }

    fn render(&self) -> String {
        let problems: Vec<_> = self.problems.iter().map(ToString::to_string).collect();
        problems.join("; ")
    }
}

impl LimitProblem {
    /// The field of [`Limits`] that it is about.
    #[must_use]
    pub fn limit(&self) -> &'static str {
        match self {
            Self::TooSmall { limit, .. }
            | Self::TooLarge { limit, .. }
            | Self::OutOfReach { limit, .. } => limit,
        }
    }
}

impl Limits {
    /// How many limits there are.
    pub const COUNT: usize = 25;

    /// Refuses limits that make no sense together.
    ///
    /// What may be 0 is what a call can do without: tables, reads, writes, the log, the outbox, calls into the host.
    ///
    /// ```
    /// use theus_core::limits::Limits;
    ///
    /// assert!(Limits::default().check().is_ok());
    /// let none = Limits { fuel: 0, ..Limits::default() };
    /// assert_eq!(
    ///     none.check().unwrap_err().to_string(),
    ///     "`fuel` is 0, at least 1 is needed: no instruction could run"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// Every limit that no call could keep, that the engine cannot hold to, or that another one makes unreachable.
    pub fn check(&self) -> Result<(), LimitsError> {
        let mut problems = Vec::new();
        for (limit, found, least, why) in [
            (
                "component_bytes",
                self.component_bytes,
                1,
                "no guest could be registered",
            ),
            (
                "memory_bytes",
                self.memory_bytes,
                PAGE,
                "a linear memory has pages of 64 KiB",
            ),
            (
                "stack_bytes",
                self.stack_bytes,
                1,
                "no function could be called",
            ),
            ("fuel", self.fuel, 1, "no instruction could run"),
            ("path_bytes", self.path_bytes, 1, "no place could be named"),
            (
                "path_segments",
                self.path_segments,
                1,
                "only whole layers could be named",
            ),
            (
                "value_bytes",
                self.value_bytes,
                1,
                "no value could be read or written",
            ),
            (
                "value_depth",
                self.value_depth,
                1,
                "a layer is a map, which is one level",
            ),
            (
                "argument_bytes",
                self.argument_bytes,
                1,
                "no arguments take one byte as well",
            ),
            (
                "result_bytes",
                self.result_bytes,
                1,
                "no result takes one byte as well",
            ),
        ] {
            if found < least {
                let (found, least) = (found.to_string(), least.to_string());
                problems.push(LimitProblem::TooSmall {
                    limit,
                    found,
                    least,
                    why,
                });
            }
        }
        for (limit, found, most, why) in [
            (
                "memory_bytes",
                self.memory_bytes,
                MOST_MEMORY,
                "a 32-bit memory holds no more",
            ),
            (
                "tables",
                self.tables,
                MOST_TABLES,
                "an instance has room for no more",
            ),
            (
                "stack_bytes",
                self.stack_bytes,
                MOST_STACK,
                "it lies on the calling thread's own stack",
            ),
            (
                "value_depth",
                self.value_depth,
                MOST_DEPTH,
                "each level takes stack of the host's own",
            ),
        ] {
            if found > most {
                let (found, most) = (found.to_string(), most.to_string());
                problems.push(LimitProblem::TooLarge {
                    limit,
                    found,
                    most,
                    why,
                });
            }
        }
        self.check_time(&mut problems);
        self.check_reach(&mut problems);
        if problems.is_empty() {
            return Ok(());
        }
        Err(LimitsError { problems })
    }

    fn check_time(&self, problems: &mut Vec<LimitProblem>) {
        let limit = "timeout";
        if self.timeout.is_zero() {
            problems.push(LimitProblem::TooSmall {
                limit,
                found: "0 s".into(),
                least: "1 ns".into(),
                why: "every call would be late at once",
            });
        } else if self.timeout > MOST_TIME {
            problems.push(LimitProblem::TooLarge {
                limit,
                found: format!("{} s", self.timeout.as_secs()),
                most: format!("{} s (a year)", MOST_TIME.as_secs()),
                why: "a deadline further away is none",
            });
        }
    }

    fn check_reach(&self, problems: &mut Vec<LimitProblem>) {
        // A value may come from the operator and be read, or be written and never be read.
        let (moved, moved_by) = match self.read_bytes > self.write_bytes {
            true => (self.read_bytes, "read_bytes"),
            false => (self.write_bytes, "write_bytes"),
        };
        // Where nothing is read or written at all, it does not matter of what size.
        if moved > 0 && self.value_bytes > moved {
            problems.push(LimitProblem::OutOfReach {
                limit: "value_bytes",
                found: self.value_bytes,
                other: moved_by,
                allowed: moved,
                why: "no transaction could read or write such a value",
            });
        }
    }
}

#[cfg(test)]
mod tests;
