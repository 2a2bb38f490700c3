//! Lines for the operator: `log::info(format_args!("{count} items"))`.
//!
//! A run's log is bounded; what goes over is cut, with a note.

use std::fmt::Display;

use crate::host::log as host;
use host::Level;

/// Writes a line of level trace.
pub fn trace(message: impl Display) {
    write(Level::Trace, &message);
}

/// Writes a line of level debug.
pub fn debug(message: impl Display) {
    write(Level::Debug, &message);
}

/// Writes a line of level info.
pub fn info(message: impl Display) {
    write(Level::Info, &message);
}

/// Writes a line of level warn.
pub fn warn(message: impl Display) {
    write(Level::Warn, &message);
}

/// Writes a line of level error.
pub fn error(message: impl Display) {
    write(Level::Error, &message);
}

fn write(level: Level, message: &dyn Display) {
    host::write(level, &message.to_string());
}
