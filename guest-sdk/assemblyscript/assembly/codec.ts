// From types to MessagePack and back. The compiler knows the type of every call, so what is generated for one is only what
// that type needs.

import { Decoder } from "./decoder";
import { Encoder, sortedKeys } from "./encoder";
import { Some } from "./some";
import { Value } from "./value";

/** Writes a value. */
export function encodeInto<T>(encoder: Encoder, value: T): void {
  if (isVoid<T>()) {
    encoder.nil();
  } else if (isNullable<T>()) {
    if (value === null) encoder.nil();
    else encodeInto<NonNullable<T>>(encoder, <NonNullable<T>>value);
  } else if (isBoolean<T>()) {
    encoder.bool(<bool>value);
  } else if (isInteger<T>()) {
    if (isSigned<T>()) encoder.int(<i64>value);
    else encoder.uint(<u64>value);
  } else if (isFloat<T>()) {
    if (sizeof<T>() == 4) encoder.float32(<f32>value);
    else encoder.float64(<f64>value);
  } else if (isString<T>()) {
    encoder.text(<string>value);
  } else if (idof<T>() == idof<Uint8Array>()) {
    encoder.bytes(changetype<Uint8Array>(value));
  } else if (idof<T>() == idof<Value>()) {
    changetype<Value>(value).encode(encoder);
  } else if (isArray<T>()) {
    const length = value.length;
    encoder.list(length);
    for (let at = 0; at < length; ++at) encodeInto<valueof<T>>(encoder, value[at]);
    encoder.end();
  } else if (value instanceof Map) {
    encodeMap(encoder, value);
  } else if (value instanceof Some) {
    encodeSome(encoder, value);
  // @ts-ignore: the compiler looks whether it is there
  } else if (isDefined(value.__theusEncode)) {
    // @ts-ignore: as above
    value.__theusEncode(encoder);
  } else {
    ERROR("this type has no encoding: write @record over the class, or use bool, a number, string, Uint8Array, Array, Map with string keys, Some or Value");
    // Another error, which names the type.
    // @ts-ignore: as above
    value.hasNoEncoding;
  }
}

/** Reads a value. */
export function decodeFrom<T>(decoder: Decoder): T {
  if (isNullable<T>()) {
    if (decoder.takeNil()) return changetype<T>(0);
    return decodeFrom<NonNullable<T>>(decoder);
  } else if (isBoolean<T>()) {
    return <T>decoder.bool("bool");
  } else if (isInteger<T>()) {
    return decodeInteger<T>(decoder);
  } else if (isFloat<T>()) {
    return <T>decoder.float(nameof<T>());
  } else if (isString<T>()) {
    return changetype<T>(decoder.text("string"));
  } else if (idof<T>() == idof<Uint8Array>()) {
    return changetype<T>(decoder.bytes("Uint8Array"));
  } else if (idof<T>() == idof<Value>()) {
    return changetype<T>(Value.decode(decoder));
  } else if (isArray<T>()) {
    const length = decoder.list(nameof<T>());
    const list = instantiate<T>();
    for (let at = 0; at < length && !decoder.isStuck; ++at) list.push(decodeFrom<valueof<T>>(decoder));
    decoder.close();
    return list;
  } else {
    // The checks below need a value of the type; it is never looked at.
    const none = changetype<T>(0);
    if (none instanceof Map) {
      return changetype<T>(decodeMap(decoder, none));
    } else if (none instanceof Some) {
      return changetype<T>(decodeSome(decoder, none));
    // @ts-ignore: the compiler looks whether it is there
    } else if (isDefined(none.__theusDecode)) {
      // The fields are set one by one, and every one that must be there is: no constructor has to run.
      const record = changetype<T>(__new(offsetof<T>(), idof<T>()));
      // @ts-ignore: as above
      record.__theusDecode(decoder);
      return record;
    } else {
      ERROR("this type has no encoding: write @record over the class, or use bool, a number, string, Uint8Array, Array, Map with string keys, Some or Value");
      // @ts-ignore: as above
      none.hasNoEncoding;
      return none;
    }
  }
}

/** Reads the only value that there is. */
export function decodeAt<T>(decoder: Decoder): T {
  const value = decodeFrom<T>(decoder);
  decoder.finish();
  return value;
}

function decodeInteger<T>(decoder: Decoder): T {
  const isLarge = decoder.isLarge();
  const whole = decoder.int(nameof<T>());
  if (sizeof<T>() == 8) {
    if (isSigned<T>() ? isLarge : whole < 0 && !isLarge) decoder.outOfRange(nameof<T>());
  } else if (isLarge || whole < <i64>minOf<T>() || whole > <i64>maxOf<T>()) {
    decoder.outOfRange(nameof<T>());
  }
  return <T>whole;
}

// @ts-ignore: decorator
@inline
function minOf<T>(): i64 {
  return isSigned<T>() ? -(<i64>1 << (8 * sizeof<T>() - 1)) : 0;
}

// @ts-ignore: decorator
@inline
function maxOf<T>(): i64 {
  return (<i64>1 << (8 * sizeof<T>() - (isSigned<T>() ? 1 : 0))) - 1;
}

function encodeMap<K, V>(encoder: Encoder, map: Map<K, V>): void {
  if (!isString<K>()) ERROR("the keys of a map are strings: write Map<string, …>");
  const keys = sortedKeys<V>(changetype<Map<string, V>>(map));
  encoder.map(keys.length);
  for (let at = 0; at < keys.length; ++at) {
    encoder.text(keys[at]);
    encodeInto<V>(encoder, changetype<Map<string, V>>(map).get(keys[at]));
  }
  encoder.end();
}

function decodeMap<K, V>(decoder: Decoder, none: Map<K, V>): Map<K, V> {
  if (!isString<K>()) ERROR("the keys of a map are strings: write Map<string, …>");
  const length = decoder.map(nameof<Map<K, V>>());
  const map = new Map<string, V>();
  for (let at = 0; at < length && !decoder.isStuck; ++at) {
    const key = decoder.key();
    if (map.has(key)) decoder.twice();
    map.set(key, decodeFrom<V>(decoder));
  }
  decoder.close();
  return changetype<Map<K, V>>(map);
}

function encodeSome<V>(encoder: Encoder, some: Some<V>): void {
  encodeInto<V>(encoder, some.value);
}

function decodeSome<V>(decoder: Decoder, none: Some<V>): Some<V> {
  return new Some<V>(decodeFrom<V>(decoder));
}
