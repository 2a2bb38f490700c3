// A counter.

import { Context } from "theus-guest";

/** Adds to the counter and returns the sum. */
@process({
  inputs: ["domain.counter"],
  outputs: ["domain.counter"],
  errors: ["ValueError"],
})
export function count(ctx: Context, by: i64): i64 {
  const counter = ctx.get<i64>("domain.counter", 0);
  const fits = by < 0 ? counter >= i64.MIN_VALUE - by : counter <= i64.MAX_VALUE - by;
  if (!fits) return ctx.fail<i64>("ValueError", "the counter is too large to count");
  ctx.set("domain.counter", counter + by);
  return counter + by;
}
