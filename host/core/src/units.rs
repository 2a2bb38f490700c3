//! Amounts as operators write them, in flags and in files: times, sizes, fuel.

use std::time::Duration;

/// A time such as `5s`, `200ms`, `1.5s` or `1m`.
///
/// # Errors
///
/// What was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a number and a unit: us, ms, s, m or h (for example 5s)";
    let (number, unit) = split(text);
    let seconds_per_unit = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(EXPECTED.into()),
    };
    let number: f64 = number.parse().map_err(|_| EXPECTED.to_owned())?;
    let duration = Duration::try_from_secs_f64(number * seconds_per_unit)
        .map_err(|_| "the time is too long".to_owned())?;
    if duration.is_zero() {
        return Err("the time must be more than zero".into());
    }
    Ok(duration)
}

/// A size such as `64MiB`, `64M` or `1048576`; units are powers of 1024.
///
/// # Errors
///
/// What was expected.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let bytes_per_unit: u64 = match unit {
        "" | "B" => 1,
        "K" | "k" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        _ => return Err("expected a number of bytes, or a number and KiB, MiB or GiB".into()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a whole number, for example 64MiB".to_owned())?;
    match number.checked_mul(bytes_per_unit) {
        None => Err("the size is too large".into()),
        Some(0) => Err("the size must be more than zero".into()),
        Some(bytes) => Ok(bytes),
    }
}

/// An amount of fuel; digits may be grouped with `_`.
///
/// # Errors
///
/// What was expected.
pub fn fuel(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse() {
        Ok(0) => Err("the fuel must be more than zero".into()),
        Ok(fuel) => Ok(fuel),
        Err(_) => Err("expected a whole number of fuel units, for example 1_000_000_000".into()),
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|it: char| !it.is_ascii_digit() && it != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        for (text, millis) in [
            ("5s", 5000),
            ("200ms", 200),
            ("1m", 60_000),
            ("1.5s", 1500),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "0s",
            "-1s",
            "1d",
            "1e99h",
            "5 s",
            "..s",
            "99999999999999999999h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, expected) in [
            ("1048576", 1 << 20),
            ("64MiB", 64 << 20),
            ("64M", 64 << 20),
            ("2k", 2048),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "MiB",
            "1.5M",
            "64MB",
            "-1",
            "0",
            "99999999999999999999",
            "18446744073709551615K",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fuel_is_a_whole_number() {
        assert_eq!(fuel("1_000_000"), Ok(1_000_000));
        for text in ["", "0", "1e9", "-1", "lots"] {
            assert!(fuel(text).is_err(), "{text}");
        }
    }
}
