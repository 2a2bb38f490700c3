// Functions that are no process, and parameters that are none.

import { Context, Secret, Value } from "theus-guest";

@process()
export function no_context(): void {}

@process()
export function wrong_context(price: i64): void {}

@process()
export function null_context(ctx: Context | null): void {}

@process()
export function generic<T>(ctx: Context, value: T): void {}

@process()
export function größe(ctx: Context): void {}

@process()
export function reserved(ctx: Context, args: i64, größe: i64): void {}

@process()
export function defaults(ctx: Context, price: i64 = 3, note?: string): void {}

@process()
export function rest(ctx: Context, ...prices: i64[]): void {}

@process()
export function types(
  ctx: Context,
  a: i64 | null,
  b: u8[],
  c: int,
  d: any,
  e: ArrayBuffer,
  f: () => void,
  g: Secret,
  h: Set<string>,
): Date {}

@process()
class NoFunction {}

class Shop {
  @process()
  static method(ctx: Context): void {}
}

namespace shop {
  @process()
  export function inner(ctx: Context): void {}
}

@process()
export function same(ctx: Context): void {}

@process()
function same(ctx: Context): Value {}
