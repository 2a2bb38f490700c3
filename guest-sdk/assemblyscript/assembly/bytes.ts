// MessagePack as bytes of one's own, for values that are carried inside of others or sent through the outbox.

import { decodeAt, encodeInto } from "./codec";
import { Decoder } from "./decoder";
import { Encoder } from "./encoder";
import { bytesAt } from "./memory";

/** A value as MessagePack, as `Context.set` would write it. */
export function encode<T>(value: T): Uint8Array {
  const encoder = new Encoder();
  encodeInto<T>(encoder, value);
  return bytesAt(encoder.start, encoder.length);
}

/** The value that MessagePack says. Bytes that say none, or another type, end the call. */
export function decode<T>(bytes: Uint8Array): T {
  return decodeAt<T>(new Decoder(bytes.dataStart, bytes.length, "", "what is decoded"));
}
