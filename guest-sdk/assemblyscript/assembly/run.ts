// The way into a process and out of it: what the code that the transform generates refers to. No part of the public surface.

import { stop } from "./abort";
import { decodeFrom, encodeInto } from "./codec";
import { Context } from "./context";
import { Decoder, Misfit } from "./decoder";
import { Encoder } from "./encoder";
import { lift, lower, loweredLength, isAscii } from "./text";

export { Context } from "./context";
export { Decoder } from "./decoder";
export { Encoder } from "./encoder";
export { enter } from "./abort";
export { cabi_realloc } from "./memory";
export { decodeFrom, encodeInto } from "./codec";

/** The code of a failure that the SDKs keep for values that do not decode. */
const DECODE: string = "Decode";

/** The arguments of one call, each still encoded: an address, or 0 where it was not given. */
@final
export class Arguments {
  private decoder: Decoder;
  private left: i32;
  private end: usize;
  private misfit: string | null = null;

  constructor(start: usize, length: usize) {
    const decoder = new Decoder(start, length, "", "the list of arguments");
    this.decoder = decoder;
    this.end = start + length;
    this.left = decoder.map("Map<string, Value>");
  }

  /** Goes on to the next argument, if there is one. */
  next(): bool {
    if (this.left == 0) {
      this.decoder.finish();
      return false;
    }
    --this.left;
    this.decoder.nextKey();
    return true;
  }

  /** Whether the argument has this name. */
  is(name: string): bool {
    return this.decoder.keyIs(name);
  }

  /** Takes the argument; `before` is what was taken for the same parameter. */
  take(before: usize): usize {
    if (before != 0) stop("argument `" + this.decoder.lastKey() + "` is given twice");
    const at = this.decoder.at;
    this.decoder.skip();
    return at;
  }

  /** Ends the call: there is no parameter of that name. */
  unknown(names: string): void {
    stop("argument `" + this.decoder.lastKey() + "` has no parameter: this process takes " + names);
  }

  /** Decodes an argument that must be there. Where `fit` says no, this is no value of the type. */
  required<T>(at: usize, name: string): T {
    if (at == 0) stop("argument `" + name + "` is missing");
    return this.decode<T>(at, name);
  }

  /** Decodes an argument that may be left out; nil counts as left out. */
  optional<T>(at: usize, name: string): T {
    return at == 0 ? changetype<T>(0) : this.decode<T>(at, name);
  }

  /** Whether every argument fits its parameter's type. Where one does not, the process has failed, and is not entered. */
  fit(context: Context): bool {
    const misfit = this.misfit;
    if (misfit === null) return true;
    context.fail<void>(DECODE, misfit);
    return false;
  }

  private decode<T>(at: usize, name: string): T {
    // Other arguments may follow: what lies behind this one is no concern.
    const decoder = new Decoder(at, this.end - at, "argument ", name, Misfit.IsKept);
    const value = decodeFrom<T>(decoder);
    if (this.misfit === null) this.misfit = decoder.misfit;
    return value;
  }
}

/** Where the result of a call lies: a tag, then two texts at most. */
const RETURNED: usize = memory.data(20, 4);

/** Whether a process is called. */
export function isCalled(name: usize, nameLength: usize, process: string): bool {
  return isAscii(name, nameLength, process);
}

/** Ends the call: the guest has no process of that name. */
export function noSuchProcess(name: usize, nameLength: usize, names: string): void {
  stop("this guest has no process `" + lift(name, nameLength) + "`: it has " + names);
}

/** Hands over what a process returned. */
export function returned<T>(context: Context, value: T): usize {
  if (context.hasFailed) return failed(context);
  const encoder = new Encoder();
  encodeInto<T>(encoder, value);
  return succeeded(encoder);
}

/** Hands over that a process has ended that returns nothing. */
export function ended(context: Context): usize {
  if (context.hasFailed) return failed(context);
  const encoder = new Encoder();
  encoder.nil();
  return succeeded(encoder);
}

function succeeded(encoder: Encoder): usize {
  store<u8>(RETURNED, 0);
  store<usize>(RETURNED, encoder.start, 4);
  store<usize>(RETURNED, encoder.length, 8);
  return RETURNED;
}

function failed(context: Context): usize {
  store<u8>(RETURNED, 1);
  store<usize>(RETURNED, lower(context.failureCode), 4);
  store<usize>(RETURNED, loweredLength, 8);
  store<usize>(RETURNED, lower(context.failureMessage), 12);
  store<usize>(RETURNED, loweredLength, 16);
  return RETURNED;
}
