//! Text that others chose, made fit for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes what a terminal would obey or hide instead of showing: control, bidirectional and invisible characters.
///
/// # Security
///
/// Everything a guest chooses goes through here before it is printed.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    escape_except(text, "")
}

/// The same for text of several lines that the host itself put together.
pub(super) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_except(text, "\n\t")
}

/// Escapes the same characters in a JSON text, as JSON does; it stays the same JSON.
pub(super) fn escape_json(json: &str) -> Cow<'_, str> {
    escape_quoted(json, |character, escaped| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}

/// The same for a JSON text that is to be read as YAML, which knows no surrogates.
pub(super) fn escape_yaml(json: &str) -> Cow<'_, str> {
    escape_quoted(json, |character, escaped| {
        let _ = write!(escaped, "\\U{:08x}", u32::from(character));
    })
}

fn escape_quoted(json: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !json.chars().any(|it| is_harmful(it) && it != '\n') {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        // Outside of strings JSON holds nothing harmful but the line breaks of its layout; inside they are escaped.
        if is_harmful(character) && character != '\n' {
            escape(character, &mut escaped);
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

fn escape_except<'a>(text: &'a str, kept: &str) -> Cow<'a, str> {
    let escapes = |it: char| is_harmful(it) && !kept.contains(it);
    if !text.chars().any(escapes) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            it if !escapes(it) => escaped.push(it),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            it => escaped.extend(it.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}

fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A size in the largest unit that leaves a number above one.
#[allow(clippy::cast_precision_loss, reason = "one decimal is printed")]
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS.iter().find(|(unit, _)| bytes >= *unit).map_or_else(
        || format!("{bytes} bytes"),
        |(unit, name)| format!("{:.1} {name}", bytes as f64 / *unit as f64),
    )
}

/// Names in a row, or a word for there being none.
pub(super) fn list<T: ToString>(names: &[T], none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    let names: Vec<_> = names.iter().map(T::to_string).collect();
    names.join(", ")
}

/// `1 check`, `2 checks`.
pub(super) fn counted(count: usize, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {one}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        for (text, expected) in [
            ("Grüße, 世界 👍🏽", "Grüße, 世界 👍🏽"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("user\u{202e}cod.exe", "user\\u{202e}cod.exe"),
            ("\u{0}\u{7f}", "\\u{0}\\u{7f}"),
        ] {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(escape_lines("a\n\u{1b}b"), "a\n\\u{1b}b");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = "a\u{9b}\u{202e}\u{e0041}\n\u{1b}";
        let json = serde_json::to_string_pretty(&[value]).expect("json");
        let escaped = escape_json(&json);
        assert!(
            escaped.contains("\\u009b\\u202e\\udb40\\udc41"),
            "{escaped}"
        );
        let back: Vec<String> = serde_json::from_str(&escaped).expect("json");
        assert_eq!(back, [value]);
    }

    #[test]
    fn numbers_are_readable() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
        for (bytes, expected) in [
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (64 << 20, "64.0 MiB"),
            (3 << 30, "3.0 GiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
