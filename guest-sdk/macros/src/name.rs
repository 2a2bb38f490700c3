//! Names in a contract: processes, parameters, errors and directories. The host has the same rule.

const MAX_BYTES: usize = 128;

/// What a name may be, for messages.
pub(crate) const RULE: &str =
    "ASCII letters, digits, `_` and `-`, not a digit first, at most 128 bytes";

/// Whether the host takes the name.
pub(crate) fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let inner = |byte: u8| letter(byte) || byte.is_ascii_digit() || byte == b'-';
    text.len() <= MAX_BYTES && text.bytes().next().is_some_and(letter) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_host_takes() {
        for name in ["a", "_a", "ValueError", "disk-2", &"x".repeat(128)] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "2nd",
            "-a",
            "a b",
            "a.b",
            "größe",
            "a\n",
            &"x".repeat(129),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
