// MessagePack, written: https://github.com/msgpack/msgpack/blob/master/spec.md.
//
// Every value has the shortest form that there is for it, as the host and the Rust SDK write it: equal values have equal
// bytes in every language.

import { stop } from "./abort";
import { compare, utf8Length, writeUtf8 } from "./text";

/** Containers nested in one another. The host's own limit, 32 unless it was raised, comes first; this one ends cycles. */
export const MAX_DEPTH: i32 = 128;

/** Writes values one after the other into memory of its own. */
@final
export class Encoder {
  /** Where what was written begins. */
  start: usize = heap.alloc(256);
  /** How many bytes were written. */
  length: usize = 0;
  private room: usize = 256;
  private depth: i32 = 0;

  /** Forgets what was written. */
  reset(): this {
    this.length = 0;
    this.depth = 0;
    return this;
  }

  nil(): void {
    this.byte(0xc0);
  }

  bool(value: bool): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  int(value: i64): void {
    if (value >= 0) return this.uint(<u64>value);
    if (value >= -32) return this.byte(<u8>value);
    if (value >= i8.MIN_VALUE) return this.number8(0xd0, <u8>value);
    if (value >= i16.MIN_VALUE) return this.number16(0xd1, <u16>value);
    if (value >= i32.MIN_VALUE) return this.number32(0xd2, <u32>value);
    this.number64(0xd3, <u64>value);
  }

  uint(value: u64): void {
    if (value < 0x80) return this.byte(<u8>value);
    if (value <= u8.MAX_VALUE) return this.number8(0xcc, <u8>value);
    if (value <= u16.MAX_VALUE) return this.number16(0xcd, <u16>value);
    if (value <= u32.MAX_VALUE) return this.number32(0xce, <u32>value);
    this.number64(0xcf, value);
  }

  float32(value: f32): void {
    this.number32(0xca, reinterpret<u32>(value));
  }

  float64(value: f64): void {
    this.number64(0xcb, reinterpret<u64>(value));
  }

  text(value: string): void {
    const size = utf8Length(value);
    if (size < 32) this.byte(0xa0 | <u8>size);
    else if (size <= u8.MAX_VALUE) this.number8(0xd9, <u8>size);
    else if (size <= u16.MAX_VALUE) this.number16(0xda, <u16>size);
    else this.number32(0xdb, <u32>size);
    writeUtf8(value, size, this.reserve(size));
  }

  bytes(value: Uint8Array): void {
    const size = <usize>value.length;
    if (size <= u8.MAX_VALUE) this.number8(0xc4, <u8>size);
    else if (size <= u16.MAX_VALUE) this.number16(0xc5, <u16>size);
    else this.number32(0xc6, <u32>size);
    memory.copy(this.reserve(size), value.dataStart, size);
  }

  /** Begins a list: so many values follow, then `end`. */
  list(length: u32): void {
    if (length < 16) this.byte(0x90 | <u8>length);
    else if (length <= u16.MAX_VALUE) this.number16(0xdc, <u16>length);
    else this.number32(0xdd, length);
    this.descend();
  }

  /** Begins a map: so many keys, which are texts, follow with a value each, then `end`. */
  map(length: u32): void {
    if (length < 16) this.byte(0x80 | <u8>length);
    else if (length <= u16.MAX_VALUE) this.number16(0xde, <u16>length);
    else this.number32(0xdf, length);
    this.descend();
  }

  /** Ends a list or map. */
  end(): void {
    --this.depth;
  }

  private descend(): void {
    if (++this.depth > MAX_DEPTH) stop(`a value is nested in more than ${MAX_DEPTH} lists and maps`);
  }

  private byte(value: u8): void {
    store<u8>(this.reserve(1), value);
  }

  private number8(marker: u8, value: u8): void {
    const at = this.reserve(2);
    store<u8>(at, marker);
    store<u8>(at, value, 1);
  }

  private number16(marker: u8, value: u16): void {
    const at = this.reserve(3);
    store<u8>(at, marker);
    store<u16>(at, bswap(value), 1);
  }

  private number32(marker: u8, value: u32): void {
    const at = this.reserve(5);
    store<u8>(at, marker);
    store<u32>(at, bswap(value), 1);
  }

  private number64(marker: u8, value: u64): void {
    const at = this.reserve(9);
    store<u8>(at, marker);
    store<u64>(at, bswap(value), 1);
  }

  /** The address of so many further bytes. */
  private reserve(size: usize): usize {
    const length = this.length;
    const needed = length + size;
    if (needed > this.room) {
      this.room = max(needed, this.room << 1);
      this.start = heap.realloc(this.start, this.room);
    }
    this.length = needed;
    return this.start + length;
  }
}

/** The keys of a map in the order in which they are written. */
export function sortedKeys<V>(map: Map<string, V>): string[] {
  const keys = map.keys();
  if (keys.length > 1) keys.sort(compare);
  return keys;
}
