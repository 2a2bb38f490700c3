// MessagePack as theus-host speaks it: nil, booleans, numbers, strings, bytes, lists, and maps with string keys.
//
// Integers are numbers as long as they are safe, and BigInt beyond; a number that is no integer is a float, and
// `float(2)` is one that happens to be whole.

/** A float, whatever its value: `2` alone would be an integer. */
export class Float {
  constructor(value) {
    this.value = Number(value);
  }
}

export const float = (value) => new Float(value);

const MAX_DEPTH = 64;
const text = { encoder: new TextEncoder(), decoder: new TextDecoder("utf-8", { fatal: true }) };

/** The bytes of a value. */
export function encode(value) {
  const out = new Writer();
  write(out, value, 0);
  return out.bytes();
}

/** The value of some bytes. */
export function decode(bytes) {
  const input = new Reader(bytes);
  const value = read(input, 0);
  if (input.at !== bytes.length) throw new RangeError("bytes follow the value");
  return value;
}

class Writer {
  buffer = new Uint8Array(256);
  length = 0;

  room(size) {
    const needed = this.length + size;
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.buffer.length));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    const view = new DataView(this.buffer.buffer, this.length, size);
    this.length = needed;
    return view;
  }

  byte(byte) {
    this.room(1).setUint8(0, byte);
  }

  raw(bytes) {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length - bytes.length);
  }

  bytes() {
    return this.buffer.slice(0, this.length);
  }
}

function write(out, value, depth) {
  if (depth > MAX_DEPTH) throw new RangeError("the value is nested too deeply");
  switch (typeof value) {
    case "undefined":
      return out.byte(0xc0);
    case "boolean":
      return out.byte(value ? 0xc3 : 0xc2);
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? writeInteger(out, BigInt(value))
        : writeFloat(out, value);
    case "bigint":
      return writeInteger(out, value);
    case "string": {
      const bytes = text.encoder.encode(value);
      head(out, bytes.length, [0xa0, 31], [0xd9, 0xda, 0xdb]);
      return out.raw(bytes);
    }
    case "object":
      return writeObject(out, value, depth);
    default:
      throw new TypeError(`a ${typeof value} is no value of the context`);
  }
}

function writeObject(out, value, depth) {
  if (value === null) return out.byte(0xc0);
  if (value instanceof Float) return writeFloat(out, value.value);
  if (value instanceof Uint8Array) {
    head(out, value.length, null, [0xc4, 0xc5, 0xc6]);
    return out.raw(value);
  }
  if (Array.isArray(value)) {
    head(out, value.length, [0x90, 15], [null, 0xdc, 0xdd]);
    for (const element of value) write(out, element, depth + 1);
    return;
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  head(out, entries.length, [0x80, 15], [null, 0xde, 0xdf]);
  for (const [key, element] of entries) {
    if (typeof key !== "string") throw new TypeError("the keys of a map are strings");
    write(out, key, depth + 1);
    write(out, element, depth + 1);
  }
}

/** The first bytes of what has a length: within one byte where that fits, else behind the widths' markers. */
function head(out, length, fix, [one, two, four]) {
  if (fix && length <= fix[1]) return out.byte(fix[0] | length);
  if (one !== null && length < 0x100) {
    out.byte(one);
    return out.byte(length);
  }
  if (length < 0x10000) {
    out.byte(two);
    return out.room(2).setUint16(0, length);
  }
  out.byte(four);
  out.room(4).setUint32(0, length);
}

function writeInteger(out, value) {
  if (value >= 0n) {
    if (value < 0x80n) return out.byte(Number(value));
    if (value < 0x100n) return marked(out, 0xcc, 1, "setUint8", Number(value));
    if (value < 0x10000n) return marked(out, 0xcd, 2, "setUint16", Number(value));
    if (value < 0x100000000n) return marked(out, 0xce, 4, "setUint32", Number(value));
    if (value < 1n << 64n) return marked(out, 0xcf, 8, "setBigUint64", value);
  } else {
    if (value >= -0x20n) return out.byte(Number(value) & 0xff);
    if (value >= -0x80n) return marked(out, 0xd0, 1, "setInt8", Number(value));
    if (value >= -0x8000n) return marked(out, 0xd1, 2, "setInt16", Number(value));
    if (value >= -0x80000000n) return marked(out, 0xd2, 4, "setInt32", Number(value));
    if (value >= -(1n << 63n)) return marked(out, 0xd3, 8, "setBigInt64", value);
  }
  throw new RangeError(`${value} has more than 64 bits`);
}

function writeFloat(out, value) {
  marked(out, 0xcb, 8, "setFloat64", value);
}

function marked(out, marker, size, setter, value) {
  out.byte(marker);
  out.room(size)[setter](0, value);
}

class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(size) {
    const at = this.at;
    if (at + size > this.bytes.length) throw new RangeError("the value ends too early");
    this.at += size;
    return at;
  }

  number(size, getter) {
    return this.view[getter](this.take(size));
  }

  raw(size) {
    const at = this.take(size);
    return this.bytes.slice(at, at + size);
  }
}

/** An integer as a number where that is exact. */
function integer(value) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const LENGTHS = { 1: "getUint8", 2: "getUint16", 4: "getUint32" };

function read(input, depth) {
  if (depth > MAX_DEPTH) throw new RangeError("the value is nested too deeply");
  const marker = input.number(1, "getUint8");
  if (marker < 0x80) return marker;
  if (marker < 0x90) return readMap(input, marker & 15, depth);
  if (marker < 0xa0) return readList(input, marker & 15, depth);
  if (marker < 0xc0) return readString(input, marker & 31);
  if (marker >= 0xe0) return marker - 0x100;
  const length = (size) => input.number(size, LENGTHS[size]);
  switch (marker) {
    case 0xc0: return null;
    case 0xc2: return false;
    case 0xc3: return true;
    case 0xc4: return input.raw(length(1));
    case 0xc5: return input.raw(length(2));
    case 0xc6: return input.raw(length(4));
    case 0xca: return input.number(4, "getFloat32");
    case 0xcb: return input.number(8, "getFloat64");
    case 0xcc: return input.number(1, "getUint8");
    case 0xcd: return input.number(2, "getUint16");
    case 0xce: return input.number(4, "getUint32");
    case 0xcf: return integer(input.number(8, "getBigUint64"));
    case 0xd0: return input.number(1, "getInt8");
    case 0xd1: return input.number(2, "getInt16");
    case 0xd2: return input.number(4, "getInt32");
    case 0xd3: return integer(input.number(8, "getBigInt64"));
    case 0xd9: return readString(input, length(1));
    case 0xda: return readString(input, length(2));
    case 0xdb: return readString(input, length(4));
    case 0xdc: return readList(input, length(2), depth);
    case 0xdd: return readList(input, length(4), depth);
    case 0xde: return readMap(input, length(2), depth);
    case 0xdf: return readMap(input, length(4), depth);
    default: throw new RangeError(`0x${marker.toString(16)} begins no value of the context`);
  }
}

function readString(input, length) {
  return text.decoder.decode(input.raw(length));
}

function readList(input, length, depth) {
  const list = [];
  for (let index = 0; index < length; index++) list.push(read(input, depth + 1));
  return list;
}

function readMap(input, length, depth) {
  // Without a prototype, so that no key means anything to JavaScript.
  const map = Object.create(null);
  for (let index = 0; index < length; index++) {
    const key = read(input, depth + 1);
    if (typeof key !== "string") throw new TypeError("the keys of a map are strings");
    map[key] = read(input, depth + 1);
  }
  return map;
}
