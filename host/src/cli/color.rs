//! Colour: only where a person looks, and only to repeat what the words say.

use clap::ValueEnum;
use std::fmt::Display;
use std::io::IsTerminal;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// What went well, what was added.
    Good,
    /// What went wrong, what was removed.
    Bad,
    /// What to look at, what was changed.
    Notice,
    /// Names that structure the text.
    Heading,
    /// What may be skipped.
    Faint,
}

/// Whether a stream takes colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    colored: bool,
}

impl When {
    /// The style of a stream.
    pub(super) fn style(self, stream: &impl IsTerminal) -> Style {
        let colored = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stream.is_terminal() && !is_set("NO_COLOR") && !is_dumb(),
        };
        Style { colored }
    }
}

impl From<When> for clap::ColorChoice {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

impl Style {
    /// No colour at all.
    pub(super) const PLAIN: Self = Self { colored: false };

    /// The text in the colour of its role.
    pub(super) fn paint(self, role: Role, text: impl Display) -> String {
        if !self.colored {
            return text.to_string();
        }
        let code = match role {
            Role::Good => "32",
            Role::Bad => "31",
            Role::Notice => "33",
            Role::Heading => "1",
            Role::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_wraps_and_plain_leaves_alone() {
        assert_eq!(Style::PLAIN.paint(Role::Bad, "x"), "x");
        let style = When::Always.style(&std::io::stderr());
        assert_eq!(style.paint(Role::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
        let never = When::Never.style(&std::io::stderr());
        assert_eq!(never.paint(Role::Good, 1), "1");
    }
}
