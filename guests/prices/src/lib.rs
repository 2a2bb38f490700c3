//! A price list in files: one file per product, in a directory that the operator grants.

use std::fs;
use std::io::ErrorKind;
use theus_guest::prelude::*;

/// Sets the price of a product to what the price list says.
#[process(
    outputs = ["domain.prices.{product}"],
    side_effects = ["fs:prices"],
    errors = ["NoPrice", "NotAPrice"],
)]
pub fn set_price(ctx: &Context, product: String) -> Result<i64, Failure> {
    // The granted directory `prices` is there under that name, and nothing else is.
    let text = match fs::read_to_string(format!("/prices/{product}.txt")) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = format!("the price list has no `{product}`");
            return Err(Failure::new("NoPrice", message));
        }
        Err(error) => return Err(Failure::new("NoPrice", format!("{product}: {error}"))),
    };
    let price = parse(&text).map_err(|problem| Failure::new("NotAPrice", problem))?;
    ctx.set(&path!("domain.prices", product), &price)?;
    Ok(price)
}

/// A price is a whole number, on a line of its own.
fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    match text.parse() {
        Ok(price) if price >= 0 => Ok(price),
        _ => Err(format!("`{text}` is no price: expected a whole number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_a_whole_number() {
        assert_eq!(parse("500\n"), Ok(500));
        assert_eq!(parse(" 0 "), Ok(0));
        for text in ["", "forty", "-1", "1.5"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
