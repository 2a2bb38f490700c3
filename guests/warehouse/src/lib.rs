//! A warehouse: one list of products and their total value.

use theus_guest::prelude::*;

/// Above so many products the warehouse asks to be restocked elsewhere.
const RESTOCK_ABOVE: u64 = 100;

/// One element of `domain.items`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Product {
    /// What it is called.
    pub name: String,
    /// What it costs.
    pub price: i64,
}

/// Adds one product to the warehouse and its price to the total value.
#[process(
    inputs = ["domain.items", "global.max_capacity"],
    outputs = ["domain.items", "domain.total_value", "domain.sig_restock_needed"],
    errors = ["ValueError"],
)]
pub fn add_product(ctx: &Context, product_name: String, price: i64) -> Result<String, Failure> {
    let count = ctx.len("domain.items")?.unwrap_or(0);
    let capacity = ctx.get("global.max_capacity")?;
    check_room(count, capacity)?;
    let total = ctx.get("domain.total_value")?.unwrap_or(0);
    let total = add_price(total, price)?;

    let product = Product {
        name: product_name,
        price,
    };
    let count = ctx.push("domain.items", &product)?;
    ctx.set("domain.total_value", &total)?;
    if count > RESTOCK_ABOVE {
        ctx.set("domain.sig_restock_needed", &true)?;
    }
    Ok("Added".into())
}

/// A warehouse without a capacity is never full.
fn check_room(count: u64, capacity: Option<u64>) -> Result<(), Failure> {
    match capacity {
        Some(capacity) if count >= capacity => Err(Failure::new(
            "ValueError",
            format!("the warehouse is full: it holds {count} of {capacity} products"),
        )),
        _ => Ok(()),
    }
}

fn add_price(total: i64, price: i64) -> Result<i64, Failure> {
    if price < 0 {
        return Err(Failure::new("ValueError", "price cannot be negative"));
    }
    total
        .checked_add(price)
        .ok_or_else(|| Failure::new("ValueError", "the total value is too large to count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
        outcome.expect_err("a refusal").to_string()
    }

    #[test]
    fn prices_add_up_until_they_cannot() {
        assert_eq!(add_price(500, 1000), Ok(1500));
        assert_eq!(add_price(0, 0), Ok(0));
        assert_eq!(
            refusal(add_price(0, -1)),
            "ValueError: price cannot be negative"
        );
        assert_eq!(
            refusal(add_price(1, i64::MAX)),
            "ValueError: the total value is too large to count"
        );
    }

    #[test]
    fn a_warehouse_holds_as_much_as_its_capacity() {
        assert_eq!(check_room(499, Some(500)), Ok(()));
        assert_eq!(check_room(9_999, None), Ok(()));
        assert_eq!(
            refusal(check_room(500, Some(500))),
            "ValueError: the warehouse is full: it holds 500 of 500 products"
        );
    }
}
