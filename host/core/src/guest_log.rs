//! The log of one run: what the guest wrote, cut at its limits.

use crate::limits::Limits;
use serde::Serialize;

/// How much a log line matters; the WIT's `log.level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Steps of a computation.
    Trace,
    /// What the author wants to see while developing.
    Debug,
    /// What an operator may want to know.
    Info,
    /// Something is odd.
    Warn,
    /// Something is wrong.
    Error,
}

/// One line of a guest's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The level the guest gave it.
    pub level: LogLevel,
    /// The text, as the guest wrote it.
    pub message: String,
}

/// The bounded log of one run.
#[derive(Debug, Default)]
pub struct GuestLog {
    lines: Vec<LogLine>,
    bytes: u64,
    dropped: u64,
    max_lines: u64,
    max_bytes: u64,
}

impl GuestLog {
    /// Creates an empty log with the limits of a call.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            max_lines: limits.log_lines,
            max_bytes: limits.log_bytes,
            ..Self::default()
        }
    }

    /// Adds a line, or counts it as dropped once the log is full.
    ///
    /// The first line that does not fit is cut at a character boundary; every later one is dropped, so that the log is
    /// always a prefix of what the guest wrote.
    pub fn write(&mut self, level: LogLevel, message: &str) {
        let left = self.max_bytes.saturating_sub(self.bytes);
        if self.dropped > 0 || self.lines.len() as u64 >= self.max_lines || left == 0 {
            self.dropped += 1;
            return;
        }
        let kept = message.floor_char_boundary(usize::try_from(left).unwrap_or(usize::MAX));
        if kept < message.len() {
            self.dropped += 1;
        }
        self.bytes += kept as u64;
        self.lines.push(LogLine {
            level,
            message: message[..kept].to_owned(),
        });
    }

    /// The lines that were kept, in order.
    #[must_use]
    pub fn lines(&self) -> &[LogLine] {
        &self.lines
    }

    /// Lines that were cut or dropped because the log was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of the lines that were kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the kept lines out, with a closing note where some were cut.
    #[must_use]
    pub fn into_lines(mut self) -> Vec<LogLine> {
        if self.dropped > 0 {
            self.lines.push(LogLine {
                level: LogLevel::Warn,
                message: format!(
                    "log cut: {} more lines were over the limit of {} lines or {} bytes",
                    self.dropped, self.max_lines, self.max_bytes
                ),
            });
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: u64, bytes: u64) -> GuestLog {
        GuestLog::new(&Limits {
            log_lines: lines,
            log_bytes: bytes,
            ..Limits::default()
        })
    }

    #[test]
    fn cuts_after_the_last_line_that_fits() {
        let mut log = log(2, 100);
        for text in ["a", "b", "c", "d"] {
            log.write(LogLevel::Info, text);
        }
        assert_eq!(log.dropped(), 2);
        let lines = log.into_lines();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].message.starts_with("log cut: 2 more"));
    }

    #[test]
    fn cuts_a_long_line_at_a_character() {
        let mut log = log(10, 3);
        log.write(LogLevel::Info, "aéé");
        log.write(LogLevel::Info, "b");
        assert_eq!(log.lines()[0].message, "aé");
        assert_eq!(log.lines().len(), 1);
        assert_eq!(log.dropped(), 2);
    }
}
