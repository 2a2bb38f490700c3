//! `--at-time` and `--seed`: what an earlier run found outside its context, brought again.

use clap::Args;
use std::time::SystemTime;
use theus_host::{Call, Seed};

/// The flags that bring a time and a seed, as a receipt or a record shows them.
#[derive(Args, Debug, Default)]
pub(super) struct Brought {
    /// Runs at this time instead of now, such as 2026-11-25T12:00:00Z: for a process that is granted the clock
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    at_time: Option<SystemTime>,
    /// Draws randomness from this seed, 64 hexadecimal digits as a receipt shows them: for a process that is granted random
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<Seed>,
}

impl Brought {
    /// The call with what was brought. Whether the process may have it, the engine says.
    pub(super) fn to<'a>(&self, mut call: Call<'a>) -> Call<'a> {
        if let Some(time) = self.at_time {
            call = call.at(time);
        }
        if let Some(seed) = self.seed {
            call = call.seeded(seed);
        }
        call
    }
}

fn time(text: &str) -> Result<SystemTime, String> {
    humantime::parse_rfc3339(text)
        .map_err(|error| format!("{error}; write it as 2026-11-25T12:00:00.123456789Z, in UTC"))
}

fn seed(text: &str) -> Result<Seed, String> {
    let wrong = || "expected 64 hexadecimal digits".to_owned();
    if text.len() != 64 || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(Seed::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn times_and_seeds_are_read_as_receipts_show_them() {
        let moment = UNIX_EPOCH + Duration::new(1_795_608_000, 123_456_789);
        assert_eq!(time("2026-11-25T12:00:00.123456789Z"), Ok(moment));
        for wrong in [
            "",
            "12:00",
            "2026-11-25",
            "2026-13-25T12:00:00Z",
            "1795608000",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        let mut bytes = [7; 32];
        bytes[31] = 0xff;
        let shown = Seed::from_bytes(bytes).to_string();
        assert_eq!(seed(&shown), Ok(Seed::from_bytes(bytes)));
        assert_eq!(seed(&shown.to_uppercase()), Ok(Seed::from_bytes(bytes)));
        for wrong in ["", "07", &shown[1..], &format!("{shown}0"), &"é".repeat(32)] {
            assert!(seed(wrong).is_err(), "{wrong}");
        }
    }
}
