// The process that the benchmarks call: two arguments, two gets, three sets.

import { Context } from "theus-guest";

/** Counts a product and adds up its price. */
@process({
  inputs: ["domain.total_value", "domain.count"],
  outputs: ["domain.total_value", "domain.count", "domain.last_product"],
  errors: ["ValueError"],
})
export function reference(ctx: Context, product_name: string, price: i64): string {
  const total = ctx.get<i64>("domain.total_value", 0);
  const count = ctx.get<i64>("domain.count", 0);
  ctx.set("domain.total_value", total + price);
  ctx.set("domain.count", count + 1);
  ctx.set("domain.last_product", product_name);
  return "Added";
}
