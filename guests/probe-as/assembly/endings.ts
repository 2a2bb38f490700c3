// Ends in every other way than well. Tests know these lines.

import { Context } from "theus-guest";

/** Throws. */
@process({ outputs: ["domain.counter"] })
export function throw_now(ctx: Context, message: string): void {
  ctx.set("domain.counter", -1);
  throw new Error(message);
}

/** Reads behind the end of an array. */
@process()
export function out_of_bounds(ctx: Context, at: i32): i64 {
  const numbers: i64[] = [1, 2, 3];
  return numbers[at];
}

/** Asserts what is not so. */
@process()
export function assert_now(ctx: Context, number: i64): void {
  assert(number < 0, "the number must be negative");
}

/** Divides by a number of the caller's choice. */
@process()
export function divide(ctx: Context, by: i64): i64 {
  return 7 / by;
}

/** Reads a text as if it were a number. */
@process({ inputs: ["domain.inbox"] })
export function misread(ctx: Context): i64 {
  return ctx.get<i64>("domain.inbox.text", 0);
}

/** Fails twice with codes of the caller's choice, and goes on; only `ValueError` and `KeyError` are declared. */
@process({ outputs: ["domain.counter"], errors: ["ValueError", "KeyError"] })
export function fail(ctx: Context, code: string, then: string | null): i64 {
  ctx.set("domain.counter", -1);
  const failed = ctx.fail<i64>(code, "as told");
  if (then !== null) ctx.fail<i64>(then, "as told after that");
  return failed + (ctx.hasFailed ? 1 : 0);
}

/** Writes a key that it has not declared. */
@process({ outputs: ["domain.counter"] })
export function write_undeclared(ctx: Context): void {
  ctx.set("domain.hidden", "overwritten");
}

/** Allocates and forgets so many MiB. */
@process()
export function allocate(ctx: Context, mebibytes: i32): i32 {
  let sum = 0;
  for (let piece = 0; piece < mebibytes; ++piece) {
    const bytes = new Uint8Array(1 << 20);
    bytes[piece] = 1;
    sum += bytes[piece];
  }
  return sum;
}

/** Calls itself until the stack is full. */
@process()
export function recurse(ctx: Context): u64 {
  return descend(u64.MAX_VALUE, 0);
}

function descend(steps: u64, sum: u64): u64 {
  return steps == 0 ? sum : descend(steps - 1, descend(steps - 1, sum) ^ steps);
}
