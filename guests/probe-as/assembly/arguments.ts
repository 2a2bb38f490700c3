// Takes arguments of all kinds and gives them back.

import { Context, Secret, Some, Value } from "theus-guest";

/** Gives its argument back. */
@process()
export function echo(ctx: Context, value: Value): Value {
  return value;
}

/** Gives one argument of every kind back, in order. */
@process()
export function echo_kinds(
  ctx: Context,
  truth: bool,
  whole: i64,
  real: f64,
  text: string,
  binary: Uint8Array,
  list: Value[],
  map: Map<string, Value>,
  any: Value,
): Value[] {
  return [
    Value.bool(truth),
    Value.int(whole),
    Value.float(real),
    Value.string(text),
    Value.bytes(binary),
    Value.list(list),
    Value.map(map),
    any,
  ];
}

/** Says which of its optional arguments were given. */
@process()
export function optional(ctx: Context, note: string | null, limit: Some<u64> | null): string {
  const text = note === null ? "none" : `some: ${note}`;
  return limit ? `${text}, at most ${limit.value}` : text;
}

/** Gives the length of a secret, and no more of it. */
@process()
export function secret(ctx: Context, token: Secret<string>, pin: Secret<Some<u8> | null>): u64 {
  return token.length + (pin ? 1 : 0);
}

/** Takes a small number: others do not fit. */
@process()
export function small(ctx: Context, number: u8): u8 {
  return number;
}

/** A record, for arguments. */
@record
class Line {
  name: string = "";
  count: u8 = 0;
  tags: string[] = [];
}

/** Takes what it is given, of every type that holds less than its kind. */
@process()
export function narrow(
  ctx: Context,
  as_i8: Some<i8> | null,
  as_i16: Some<i16> | null,
  as_i32: Some<i32> | null,
  as_i64: Some<i64> | null,
  as_u8: Some<u8> | null,
  as_u16: Some<u16> | null,
  as_u32: Some<u32> | null,
  as_u64: Some<u64> | null,
  flags: bool[] | null,
  numbers: u8[][] | null,
  reals: f32[] | null,
  blobs: Uint8Array[] | null,
  table: Map<string, string> | null,
  line: Line | null,
  lines: Map<string, Line[]> | null,
  last: string | null,
): string {
  return "entered";
}

let calls: u64 = 0;

/** Counts its calls in a variable of the module: every call must see the first one. */
@process()
export function stateful(ctx: Context): u64 {
  return ++calls;
}

/** Has the name of an export that every guest has. */
@process()
export function memory(ctx: Context): string {
  return "a process";
}

/** Has the name of another one. */
@process()
export function run(ctx: Context): string {
  return "a process, too";
}
