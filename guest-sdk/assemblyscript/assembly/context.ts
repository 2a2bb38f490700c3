// The context, as far as the process's contract grants it.

import { decodeAt, encodeInto } from "./codec";
import { Decoder } from "./decoder";
import { Encoder } from "./encoder";
import { contextGet, contextKeys, contextLen, contextPush, contextReadBytes, contextRemove, contextSet } from "./host";
import { RESULT, bytesAt, resultIsSome } from "./memory";
import { Some } from "./some";
import { lift, lower, loweredLength } from "./text";

/** Keys per host call of `Context.keys`. */
const PAGE: u32 = 256;

/**
 * The shared context: a process's first parameter.
 *
 * Reads see what the same call has written. Paths are written as in the contract: `domain.items[3].price`; a key that comes
 * from an argument goes through `path`, which quotes it where that is needed.
 *
 * A call outside the contract, a malformed path, an operation that does not fit what is there, a value that is not of the
 * type asked for, and a size over a limit end the whole call: these methods then do not return.
 */
@final
export class Context {
  private code: string | null = null;
  private message: string = "";
  private encoder: Encoder = new Encoder();

  /** The value at `path`, or `otherwise` where nothing is there. */
  get<T>(path: string, otherwise: T): T {
    if (!this.fetch(path)) return otherwise;
    return decodeAt<T>(this.fetched(path));
  }

  /** The value at `path`, or null where nothing is there. */
  find<T>(path: string): Some<T> | null {
    if (!this.fetch(path)) return null;
    return new Some<T>(decodeAt<T>(this.fetched(path)));
  }

  /**
   * Replaces the value at `path`.
   *
   * Creates the last key of a map, never its parents; a list index must exist (`push` appends).
   */
  set<T>(path: string, value: T): void {
    const encoder = this.encoder.reset();
    encodeInto<T>(encoder, value);
    const place = lower(path);
    contextSet(place, loweredLength, encoder.start, encoder.length);
  }

  /** Appends to the list at `path`, or makes a list of one. Gives the new length. */
  push<T>(path: string, value: T): u64 {
    const encoder = this.encoder.reset();
    encodeInto<T>(encoder, value);
    const place = lower(path);
    return contextPush(place, loweredLength, encoder.start, encoder.length);
  }

  /** Removes the value at `path`. True where something was there. */
  remove(path: string): bool {
    const place = lower(path);
    return contextRemove(place, loweredLength);
  }

  /** Elements of a list or map, bytes of a string or binary; `otherwise` where nothing is there. */
  len(path: string, otherwise: u64 = 0): u64 {
    const place = lower(path);
    contextLen(place, loweredLength, RESULT);
    return resultIsSome() ? load<u64>(RESULT, 8) : otherwise;
  }

  /** The same, and null where nothing is there. */
  findLen(path: string): Some<u64> | null {
    const place = lower(path);
    contextLen(place, loweredLength, RESULT);
    return resultIsSome() ? new Some<u64>(load<u64>(RESULT, 8)) : null;
  }

  /** All keys of the map at `path`, in order; none where nothing is there. */
  keys(path: string): string[] {
    const keys = this.keysPage(path, null, PAGE);
    let last = keys.length;
    while (last == <i32>PAGE) {
      const page = this.keysPage(path, keys[keys.length - 1], PAGE);
      last = page.length;
      for (let at = 0; at < last; ++at) keys.push(page[at]);
    }
    return keys;
  }

  /** At most `limit` keys of the map at `path`, in order, from the first one after `after`. */
  keysPage(path: string, after: string | null, limit: u32): string[] {
    const place = lower(path);
    const placeLength = loweredLength;
    let from: usize = 0;
    let fromLength: usize = 0;
    if (after !== null) {
      from = lower(after);
      fromLength = loweredLength;
    }
    contextKeys(place, placeLength, after !== null, from, fromLength, limit, RESULT);
    const start = load<usize>(RESULT);
    const length = load<i32>(RESULT, 4);
    const keys = new Array<string>(length);
    for (let at = 0; at < length; ++at) {
      const key = start + (<usize>at << 3);
      keys[at] = lift(load<usize>(key), load<usize>(key, 4));
    }
    return keys;
  }

  /** A piece of the bytes or string value at `path`, for what is too large to `get`. */
  readBytes(path: string, offset: u64, length: u32): Uint8Array {
    const place = lower(path);
    contextReadBytes(place, loweredLength, offset, length, RESULT);
    return bytesAt(load<usize>(RESULT), load<usize>(RESULT, 4));
  }

  /** The value at `path` as MessagePack, undecoded; null where nothing is there. */
  getEncoded(path: string): Uint8Array | null {
    return this.fetch(path) ? bytesAt(load<usize>(RESULT, 4), load<usize>(RESULT, 8)) : null;
  }

  /** `set` with a value that is MessagePack already. The host checks it. */
  setEncoded(path: string, encoded: Uint8Array): void {
    const place = lower(path);
    contextSet(place, loweredLength, encoded.dataStart, encoded.length);
  }

  /** `push` with a value that is MessagePack already. The host checks it. */
  pushEncoded(path: string, encoded: Uint8Array): u64 {
    const place = lower(path);
    return contextPush(place, loweredLength, encoded.dataStart, encoded.length);
  }

  /**
   * Fails with an error that the contract lists: `return ctx.fail<string>("ValueError", "why")`.
   *
   * What it gives is no value of that type, and only good for being returned. The run has failed from then on, whatever the
   * process still does; of several failures the first one counts.
   */
  fail<T>(code: string, message: string): T {
    if (this.code === null) {
      this.code = code;
      this.message = message;
    }
    if (isReference<T>()) return changetype<T>(0);
    else if (!isVoid<T>()) return <T>0;
  }

  /** Whether the process has failed. */
  get hasFailed(): bool {
    return this.code !== null;
  }

  /** The code of the failure, for the SDK. */
  get failureCode(): string {
    return <string>this.code;
  }

  /** The message of the failure, for the SDK. */
  get failureMessage(): string {
    return this.message;
  }

  /** Asks the host for a value; whether there is one. */
  private fetch(path: string): bool {
    const place = lower(path);
    contextGet(place, loweredLength, RESULT);
    return resultIsSome();
  }

  private fetched(path: string): Decoder {
    return new Decoder(load<usize>(RESULT, 4), load<usize>(RESULT, 8), "the value at ", path);
  }
}
