// Makes every call that there is, under one broad contract. The paths come from the caller.

import { Context, Some, Value, log, outbox, path } from "theus-guest";

/** Adds one to a slot of the caller's choice and gives its new value. */
@process({ outputs: ["domain.slots.{slot}"] })
export function increment_at(ctx: Context, slot: string): i64 {
  const place = path("domain.slots").key(slot).text;
  const count = ctx.get<i64>(place, 0) + 1;
  ctx.set(place, count);
  return count;
}

/** Gets a value; nil where nothing is there. */
@process({ inputs: ["domain.inbox"], outputs: ["domain.data"] })
export function get_raw(ctx: Context, at: string): Value | null {
  const found = ctx.find<Value>(at);
  return found ? found.value : null;
}

/** Gets a value, or the text `nothing`. */
@process({ inputs: ["domain.inbox"], outputs: ["domain.data"] })
export function get_or(ctx: Context, at: string): string {
  return ctx.get<string>(at, "nothing");
}

/** Sets a value. */
@process({ outputs: ["domain.data", "domain.sig_done"] })
export function set_raw(ctx: Context, at: string, value: Value): void {
  ctx.set(at, value);
}

/** Sets a value from its encoding, however broken that is. */
@process({ outputs: ["domain.data"] })
export function set_encoded_raw(ctx: Context, at: string, encoded: Uint8Array): void {
  ctx.setEncoded(at, encoded);
}

/** Gets the encoding of a value; nil where nothing is there. */
@process({ inputs: ["domain.inbox"] })
export function get_encoded_raw(ctx: Context, at: string): Uint8Array | null {
  return ctx.getEncoded(at);
}

/** Removes a value and says whether there was one. */
@process({ outputs: ["domain.data"] })
export function remove_raw(ctx: Context, at: string): bool {
  return ctx.remove(at);
}

/** Pushes a value, then its encoding, and gives both new lengths. */
@process({ outputs: ["domain.data"] })
export function push_twice(ctx: Context, at: string, value: i64): u64[] {
  const first = ctx.push(at, value);
  return [first, ctx.pushEncoded(at, encodedSeven())];
}

/** Gives a length in both ways; nil where nothing is there. */
@process({ inputs: ["domain.inbox"], outputs: ["domain.data"] })
export function len_raw(ctx: Context, at: string): Map<string, Some<u64> | null> {
  const found = ctx.findLen(at);
  const lengths = new Map<string, Some<u64> | null>();
  lengths.set("len", new Some(ctx.len(at, 77)));
  lengths.set("findLen", found);
  return lengths;
}

/** Gives all keys of a map. */
@process({ inputs: ["domain.inbox"], outputs: ["domain.data"] })
export function keys_raw(ctx: Context, at: string): string[] {
  return ctx.keys(at);
}

/** Gives one page of the keys of a map. */
@process({ inputs: ["domain.inbox"], outputs: ["domain.data"] })
export function keys_page_raw(ctx: Context, at: string, after: string | null, limit: u32): string[] {
  return ctx.keysPage(at, after, limit);
}

/** Gives a piece of a bytes or string value. */
@process({ inputs: ["domain.inbox"], outputs: ["domain.data"] })
export function read_bytes_raw(ctx: Context, at: string, offset: u64, length: u32): Uint8Array {
  return ctx.readBytes(at, offset, length);
}

/** Writes so many slots and gives the number of their keys, which are more than one page. */
@process({ outputs: ["domain.slots"] })
export function many_slots(ctx: Context, count: u64): i32 {
  for (let number: u64 = 0; number < count; ++number) {
    ctx.set(path("domain.slots").key(number.toString()).text, number);
  }
  return ctx.keys("domain.slots").length;
}

/** Joins keys and an index to a path. */
@process()
export function join(ctx: Context, keys: string[], at: u64): string {
  let joined = path("domain");
  for (let each = 0; each < keys.length; ++each) joined = joined.key(keys[each]);
  return joined.index(at).toString();
}

/** Sets the signal, sends two messages, then fails if told to. */
@process({ outputs: ["domain.sig_done"], errors: ["ValueError"] })
export function tell(ctx: Context, fail: bool): void {
  ctx.set("domain.sig_done", true);
  outbox.send("bytes", Uint8Array.wrap(String.UTF8.encode("é")));
  outbox.sendText("text", "é");
  if (fail) return ctx.fail<void>("ValueError", "told to fail after the signal");
}

/** Writes one line of every level to the log, and what the language's own functions write. */
@process()
export function log_levels(ctx: Context): void {
  log.trace("a trace line");
  log.debug("a debug line");
  log.info("an info line é");
  log.warn("a warn line");
  log.error("an error line");
  console.log("from the console");
  console.error("an error from the console");
  console.assert(false, "not so");
  trace("traced", 2, 1, 2.5);
}

function encodedSeven(): Uint8Array {
  const encoded = new Uint8Array(1);
  encoded[0] = 7;
  return encoded;
}
