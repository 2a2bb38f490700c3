//! The process that the benchmarks call: two arguments, two gets, three sets.

use theus_guest::prelude::*;

/// Counts a product and adds up its price.
#[process(
    inputs = ["domain.total_value", "domain.count"],
    outputs = ["domain.total_value", "domain.count", "domain.last_product"],
    errors = ["ValueError"],
)]
pub fn reference(ctx: &Context, product_name: String, price: i64) -> Result<String, Failure> {
    let total: i64 = ctx.get("domain.total_value")?.unwrap_or(0);
    let count: i64 = ctx.get("domain.count")?.unwrap_or(0);
    ctx.set("domain.total_value", &(total.wrapping_add(price)))?;
    ctx.set("domain.count", &(count.wrapping_add(1)))?;
    ctx.set("domain.last_product", &product_name)?;
    Ok("Added".into())
}
