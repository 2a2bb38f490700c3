// A warehouse: one list of products and their total value.

import { Context } from "theus-guest";

/** Above so many products the warehouse asks to be restocked elsewhere. */
const RESTOCK_ABOVE: u64 = 100;

/** One element of `domain.items`. */
@record
class Product {
  constructor(
    /** What it is called. */
    public name: string,
    /** What it costs. */
    public price: i64,
  ) {}
}

/** Adds one product to the warehouse and its price to the total value. */
@process({
  inputs: ["domain.items", "global.max_capacity"],
  outputs: ["domain.items", "domain.total_value", "domain.sig_restock_needed"],
  errors: ["ValueError"],
})
export function add_product(ctx: Context, product_name: string, price: i64): string {
  const held = ctx.len("domain.items");
  const capacity = ctx.find<u64>("global.max_capacity");
  // A warehouse without a capacity is never full.
  if (capacity && held >= capacity.value) {
    return ctx.fail<string>("ValueError", `the warehouse is full: it holds ${held} of ${capacity.value} products`);
  }
  const total = ctx.get<i64>("domain.total_value", 0);
  if (price < 0) return ctx.fail<string>("ValueError", "price cannot be negative");
  if (total > i64.MAX_VALUE - price) return ctx.fail<string>("ValueError", "the total value is too large to count");

  const count = ctx.push("domain.items", new Product(product_name, price));
  ctx.set("domain.total_value", total + price);
  if (count > RESTOCK_ABOVE) ctx.set("domain.sig_restock_needed", true);
  return "Added";
}
