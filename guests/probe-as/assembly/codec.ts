// Reads and writes values of all types, for the vectors that all SDKs are held against.

import { Context, Some, Value, decode, encode } from "theus-guest";

/** A record with a record, a list and an optional field in it. */
@record
class Order {
  id: u64 = 0;
  product: Product = new Product("", 0);
  notes: string[] = [];
  discount: Some<f64> | null = null;
}

@record
class Product {
  constructor(public name: string, public price: i64) {}
}

/** Reads bytes as a type and writes what it has read. */
@process({ errors: ["ValueError"] })
export function recode(ctx: Context, type: string, encoded: Uint8Array): Uint8Array {
  if (type == "value") return encode(decode<Value>(encoded));
  if (type == "bool") return encode(decode<bool>(encoded));
  if (type == "i8") return encode(decode<i8>(encoded));
  if (type == "i16") return encode(decode<i16>(encoded));
  if (type == "i32") return encode(decode<i32>(encoded));
  if (type == "i64") return encode(decode<i64>(encoded));
  if (type == "u8") return encode(decode<u8>(encoded));
  if (type == "u16") return encode(decode<u16>(encoded));
  if (type == "u32") return encode(decode<u32>(encoded));
  if (type == "u64") return encode(decode<u64>(encoded));
  if (type == "f32") return encode(decode<f32>(encoded));
  if (type == "f64") return encode(decode<f64>(encoded));
  if (type == "string") return encode(decode<string>(encoded));
  if (type == "bytes") return encode(decode<Uint8Array>(encoded));
  if (type == "list of i64") return encode(decode<i64[]>(encoded));
  if (type == "list of lists of string") return encode(decode<string[][]>(encoded));
  if (type == "map of i64") return encode(decode<Map<string, i64>>(encoded));
  if (type == "optional i64") return encode(decode<Some<i64> | null>(encoded));
  if (type == "optional string") return encode(decode<string | null>(encoded));
  if (type == "order") return encode(decode<Order>(encoded));
  return ctx.fail<Uint8Array>("ValueError", `there is no type ${type}`);
}

/** Writes values of all types that were never read. */
@process()
export function make(ctx: Context): Uint8Array[] {
  const map = new Map<string, i64>();
  map.set("b", 2);
  map.set("a", -1);
  const order = new Order();
  order.id = u64.MAX_VALUE;
  order.product = new Product("TV", 500);
  order.notes = ["é", ""];
  const discounted = new Order();
  discounted.discount = new Some(0.25);
  const values = new Map<string, Value>();
  values.set("list", Value.list([Value.nil(), Value.bool(true), Value.uint(u64.MAX_VALUE), Value.float(1)]));
  values.set("bytes", Value.bytes(encode<string>("x")));
  return [
    encode<bool>(true),
    encode<i8>(-1),
    encode<i64>(i64.MIN_VALUE),
    encode<u64>(u64.MAX_VALUE),
    encode<f32>(0.5),
    encode<f64>(0.1),
    encode<string>("TV \u{1f4fa}"),
    encode<Uint8Array>(new Uint8Array(2)),
    encode<i64[]>([1, 1000, -1000]),
    encode(map),
    encode<Some<i64> | null>(null),
    encode<Some<i64> | null>(new Some<i64>(300)),
    encode(order),
    encode(discounted),
    encode(Value.map(values)),
    encode(Value.of(order)),
  ];
}

/** Reads a value as numbers of every width and gives their sum. */
@process()
export function sum_as(ctx: Context, value: Value): f64 {
  return <f64>value.as<i64>() + <f64>value.as<u8>() + value.as<f64>() + value.asFloat() + <f64>value.asInt() + <f64>value.asUint();
}

/** Writes a list that holds itself. */
@process()
export function nest_for_ever(ctx: Context): Value {
  const elements: Value[] = [];
  elements.push(Value.list(elements));
  return Value.list(elements);
}
