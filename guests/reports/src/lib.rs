//! Reports of a warehouse: one file per day, and an index of them, in a directory that the operator grants for writing.
//!
//! Both files and the context change together, when the run commits, or none of them does.

use serde::Deserialize;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use theus_guest::prelude::*;

/// One product of the warehouse.
#[derive(Deserialize)]
struct Item {
    name: String,
    price: i64,
}

/// Writes the report of a day, and a line about it into the index.
#[process(
    inputs = ["domain.items"],
    outputs = ["domain.last_report"],
    side_effects = ["fs-rw:reports"],
    errors = ["NotADay", "Unwritten"],
)]
pub fn write_report(ctx: &Context, day: String) -> Result<String, Failure> {
    if !is_day(&day) {
        let message = format!("`{day}` is no day: expected one such as 2026-11-25");
        return Err(Failure::new("NotADay", message));
    }
    let items: Vec<Item> = ctx.get("domain.items")?.unwrap_or_default();
    let line = write_files(&day, &items)
        .map_err(|error| Failure::new("Unwritten", format!("{day}: {error}")))?;
    ctx.set("domain.last_report", &day)?;
    Ok(line)
}

/// The granted directory `reports` is there under that name, and nothing else is.
fn write_files(day: &str, items: &[Item]) -> io::Result<String> {
    fs::write(format!("/reports/{day}.txt"), report(day, items))?;
    let line = format!("{day}: {} products", items.len());
    let mut index = OpenOptions::new()
        .create(true)
        .append(true)
        .open("/reports/index.txt")?;
    writeln!(index, "{line}")?;
    Ok(line)
}

fn report(day: &str, items: &[Item]) -> String {
    let mut text = format!("Stock of {day}\n\n");
    for Item { name, price } in items {
        let _ = writeln!(text, "{name:<20} {price:>8}");
    }
    let total: i64 = items.iter().map(|it| it.price).sum();
    let _ = writeln!(text, "{:<20} {total:>8}", "total");
    text
}

/// A day as it is written in the name of a file: four, two and two digits.
fn is_day(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let digits = |part: &&str| part.bytes().all(|it| it.is_ascii_digit());
    parts.iter().map(|it| it.len()).eq([4, 2, 2]) && parts.iter().all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lists_the_stock() {
        let item = |name: &str, price| Item {
            name: name.into(),
            price,
        };
        let expected = "\
Stock of 2026-11-25

TV                        500
Radio                      40
total                     540
";
        let items = [item("TV", 500), item("Radio", 40)];
        assert_eq!(report("2026-11-25", &items), expected);
    }

    #[test]
    fn a_day_is_no_path() {
        assert!(is_day("2026-11-25"));
        for text in [
            "",
            "2026-11",
            "../x",
            "2026-11-2/",
            "2026-1-125",
            "20a6-11-25",
        ] {
            assert!(!is_day(text), "{text}");
        }
    }
}
