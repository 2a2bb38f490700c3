// Functions of the language's that reach outside of the sandbox.

import { Context } from "theus-guest";

@external("env", "fetch")
declare function fetch(): void;

@process()
export function reaches(ctx: Context): f64 {
  fetch();
  return <f64>Date.now() + Math.random() + performance.now();
}
