// Values of any kind.

import { stop } from "./abort";
import { decodeAt, encodeInto } from "./codec";
import { Decoder } from "./decoder";
import { Encoder, sortedKeys } from "./encoder";

/** What a value is. */
export enum Kind {
  /** Nothing. */
  Nil,
  /** Truth or falsehood. */
  Bool,
  /** An integer that fits into 64 bits with a sign. */
  Int,
  /** An integer above `i64.MAX_VALUE`. */
  UInt,
  /** A floating-point number. */
  Float,
  /** Text. */
  String,
  /** Binary data. */
  Bytes,
  /** Values in order. */
  List,
  /** Values under string keys. */
  Map,
}

/**
 * A value whose kind is known only when it is there.
 *
 * For processes that handle whatever they are given; a type of its own says more. What is read as another kind than it is
 * ends the call.
 */
@final
export class Value {
  private bits: u64 = 0;
  private text: string | null = null;
  private binary: Uint8Array | null = null;
  private elements: Value[] | null = null;
  private entries: Map<string, Value> | null = null;

  private constructor(
    /** What it is. */
    public kind: Kind,
  ) {}

  /** Nothing. */
  static nil(): Value {
    return new Value(Kind.Nil);
  }

  /** Truth or falsehood. */
  static bool(value: bool): Value {
    return Value.ofBits(Kind.Bool, value ? 1 : 0);
  }

  /** An integer with a sign. */
  static int(value: i64): Value {
    return Value.ofBits(Kind.Int, <u64>value);
  }

  /** An integer without a sign. */
  static uint(value: u64): Value {
    return Value.ofBits(<i64>value < 0 ? Kind.UInt : Kind.Int, value);
  }

  /** A floating-point number. */
  static float(value: f64): Value {
    return Value.ofBits(Kind.Float, reinterpret<u64>(value));
  }

  /** Text. */
  static string(value: string): Value {
    const made = new Value(Kind.String);
    made.text = value;
    return made;
  }

  /** Binary data. */
  static bytes(value: Uint8Array): Value {
    const made = new Value(Kind.Bytes);
    made.binary = value;
    return made;
  }

  /** Values in order. */
  static list(value: Value[]): Value {
    const made = new Value(Kind.List);
    made.elements = value;
    return made;
  }

  /** Values under string keys. */
  static map(value: Map<string, Value>): Value {
    const made = new Value(Kind.Map);
    made.entries = value;
    return made;
  }

  /** Whatever a type that can be written comes to as a value. */
  static of<T>(value: T): Value {
    const encoder = new Encoder();
    encodeInto<T>(encoder, value);
    return decodeAt<Value>(new Decoder(encoder.start, encoder.length, "", "the value"));
  }

  /** The value as a type that can be read. */
  as<T>(): T {
    const encoder = new Encoder();
    this.encode(encoder);
    return decodeAt<T>(new Decoder(encoder.start, encoder.length, "", "the value"));
  }

  /** Whether it is nothing. */
  get isNil(): bool {
    return this.kind == Kind.Nil;
  }

  /** The truth or falsehood that it is. */
  asBool(): bool {
    this.expect(Kind.Bool, "bool");
    return this.bits != 0;
  }

  /** The integer that it is. */
  asInt(): i64 {
    this.expect(Kind.Int, "i64");
    return <i64>this.bits;
  }

  /** The integer that it is, if that has no sign. */
  asUint(): u64 {
    if (this.kind != Kind.UInt && !(this.kind == Kind.Int && <i64>this.bits >= 0)) this.expect(Kind.UInt, "u64");
    return this.bits;
  }

  /** The number that it is: an integer counts as a float. */
  asFloat(): f64 {
    if (this.kind == Kind.Int) return <f64>(<i64>this.bits);
    if (this.kind == Kind.UInt) return <f64>this.bits;
    this.expect(Kind.Float, "f64");
    return reinterpret<f64>(this.bits);
  }

  /** The text that it is. */
  asString(): string {
    this.expect(Kind.String, "string");
    return <string>this.text;
  }

  /** The binary data that it is. */
  asBytes(): Uint8Array {
    this.expect(Kind.Bytes, "Uint8Array");
    return <Uint8Array>this.binary;
  }

  /** The list that it is. */
  asList(): Value[] {
    this.expect(Kind.List, "Array");
    return <Value[]>this.elements;
  }

  /** The map that it is. */
  asMap(): Map<string, Value> {
    this.expect(Kind.Map, "Map");
    return <Map<string, Value>>this.entries;
  }

  /** Writes the value. */
  encode(encoder: Encoder): void {
    switch (this.kind) {
      case Kind.Nil: return encoder.nil();
      case Kind.Bool: return encoder.bool(this.bits != 0);
      case Kind.Int: return encoder.int(<i64>this.bits);
      case Kind.UInt: return encoder.uint(this.bits);
      case Kind.Float: return encoder.float64(reinterpret<f64>(this.bits));
      case Kind.String: return encoder.text(<string>this.text);
      case Kind.Bytes: return encoder.bytes(<Uint8Array>this.binary);
      case Kind.List: {
        const elements = <Value[]>this.elements;
        encoder.list(elements.length);
        for (let at = 0; at < elements.length; ++at) elements[at].encode(encoder);
        return encoder.end();
      }
      case Kind.Map: {
        const entries = <Map<string, Value>>this.entries;
        const keys = sortedKeys(entries);
        encoder.map(keys.length);
        for (let at = 0; at < keys.length; ++at) {
          encoder.text(keys[at]);
          entries.get(keys[at]).encode(encoder);
        }
        encoder.end();
      }
    }
  }

  /** Reads a value of any kind. */
  static decode(decoder: Decoder): Value {
    const marker = decoder.peek();
    if (decoder.takeNil()) return Value.nil();
    if (marker == 0xc2 || marker == 0xc3) return Value.bool(decoder.bool(""));
    if (marker == 0xca || marker == 0xcb) return Value.float(decoder.float(""));
    if ((marker & 0xe0) == 0xa0 || (marker >= 0xd9 && marker <= 0xdb)) return Value.string(decoder.text(""));
    if (marker >= 0xc4 && marker <= 0xc6) return Value.bytes(decoder.bytes(""));
    if ((marker & 0xf0) == 0x90 || marker == 0xdc || marker == 0xdd) {
      const length = decoder.list("");
      const elements = new Array<Value>();
      for (let at = 0; at < length && !decoder.isStuck; ++at) elements.push(Value.decode(decoder));
      decoder.close();
      return Value.list(elements);
    }
    if ((marker & 0xf0) == 0x80 || marker == 0xde || marker == 0xdf) {
      const length = decoder.map("");
      const entries = new Map<string, Value>();
      for (let at = 0; at < length && !decoder.isStuck; ++at) {
        const key = decoder.key();
        if (entries.has(key)) decoder.twice();
        entries.set(key, Value.decode(decoder));
      }
      decoder.close();
      return Value.map(entries);
    }
    const isLarge = decoder.isLarge();
    const whole = decoder.int("Value");
    return isLarge ? Value.uint(<u64>whole) : Value.int(whole);
  }

  private static ofBits(kind: Kind, bits: u64): Value {
    const made = new Value(kind);
    made.bits = bits;
    return made;
  }

  private expect(kind: Kind, wanted: string): void {
    if (this.kind != kind) stop(`a value is of kind ${kindName(this.kind)}, and the process reads it as \`${wanted}\``);
  }
}

/** A kind, as a contract spells it. */
function kindName(kind: Kind): string {
  switch (kind) {
    case Kind.Nil: return "nil";
    case Kind.Bool: return "bool";
    case Kind.Int:
    case Kind.UInt: return "int";
    case Kind.Float: return "float";
    case Kind.String: return "string";
    case Kind.Bytes: return "bytes";
    case Kind.List: return "list";
  }
  return "map";
}
