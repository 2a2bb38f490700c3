// MessagePack, read: every width of the format. What the context has no value for is refused, as the host refuses it:
// extension types, keys that are not text, keys that come twice, bytes behind the value.
//
// AssemblyScript cannot catch what is thrown, so what does not fit ends the call, but for arguments: there the decoder keeps
// what does not fit, and gives nothing but values without content from then on, which nobody gets to see. Messages hold no
// value, which may be secret: they name the place, the kind that is there, and the type that was asked for.

import { stop } from "./abort";
import { MAX_DEPTH } from "./encoder";
import { bytesAt } from "./memory";
import { isAscii, tryLift } from "./text";

/** What becomes of a value that is not of the type asked for. */
export enum Misfit {
  /** It ends the call. */
  Ends,
  /** The decoder keeps it as its `misfit`. */
  IsKept,
}

/** Where a decoder goes on once it has kept what does not fit: there is the marker that no value has, and nothing to take. */
const NOWHERE: usize = memory.data<u8>([0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1]);

/** Reads values one after the other from memory. */
@final
export class Decoder {
  /** The next byte. */
  at: usize;
  /** What does not fit, where that is kept. */
  misfit: string | null = null;
  private end: usize;
  private depth: i32 = 0;

  constructor(
    start: usize,
    length: usize,
    /** What is read, for messages: "the value at `domain.total`", made only when it is needed. */
    private before: string,
    private subject: string,
    private policy: Misfit = Misfit.Ends,
  ) {
    this.at = start;
    this.end = start + length;
  }

  /** Ends the call unless everything was read. */
  finish(): void {
    if (this.at != this.end) this.malformed("more bytes after the value");
  }

  /** The marker of the next value, which is not taken. */
  peek(): u8 {
    if (this.at >= this.end) this.cutShort();
    return load<u8>(this.at);
  }

  /** Takes nil, if that is what comes next. */
  takeNil(): bool {
    if (this.peek() != 0xc0) return false;
    this.at += 1;
    return true;
  }

  bool(wanted: string): bool {
    const marker = this.peek();
    if (marker != 0xc2 && marker != 0xc3) {
      this.mismatch(wanted);
      return false;
    }
    this.at += 1;
    return marker == 0xc3;
  }

  /** Whether an integer comes next that is above `i64.MAX_VALUE`. */
  isLarge(): bool {
    return this.peek() == 0xcf && this.left() >= 9 && <i64>bswap(load<u64>(this.at, 1)) < 0;
  }

  /** An integer as 64 bits; where it is above `i64.MAX_VALUE`, as `isLarge` tells, these are a `u64`'s. */
  int(wanted: string): i64 {
    const marker = this.peek();
    if (marker < 0x80 || marker >= 0xe0) {
      this.at += 1;
      return <i64>(<i8>marker);
    }
    switch (marker) {
      case 0xcc: return <i64>load<u8>(this.take(2), 1);
      case 0xcd: return <i64>bswap(load<u16>(this.take(3), 1));
      case 0xce: return <i64>bswap(load<u32>(this.take(5), 1));
      case 0xcf:
      case 0xd3: return bswap(load<i64>(this.take(9), 1));
      case 0xd0: return <i64>load<i8>(this.take(2), 1);
      case 0xd1: return <i64>bswap(load<i16>(this.take(3), 1));
      case 0xd2: return <i64>bswap(load<i32>(this.take(5), 1));
    }
    this.mismatch(wanted);
    return 0;
  }

  /** A number as a float: an integer counts as one. */
  float(wanted: string): f64 {
    const marker = this.peek();
    if (marker == 0xcb) return reinterpret<f64>(bswap(load<u64>(this.take(9), 1)));
    if (marker == 0xca) return <f64>reinterpret<f32>(bswap(load<u32>(this.take(5), 1)));
    const large = this.isLarge();
    const whole = this.int(wanted);
    return large ? <f64>(<u64>whole) : <f64>whole;
  }

  text(wanted: string): string {
    const length = this.textLength(wanted);
    return this.letters(this.take(length), length);
  }

  bytes(wanted: string): Uint8Array {
    let length: usize = 0;
    switch (this.peek()) {
      case 0xc4: {
        length = load<u8>(this.take(2), 1);
        break;
      }
      case 0xc5: {
        length = bswap(load<u16>(this.take(3), 1));
        break;
      }
      case 0xc6: {
        length = bswap(load<u32>(this.take(5), 1));
        break;
      }
      default: this.mismatch(wanted);
    }
    return bytesAt(this.take(length), length);
  }

  /** Begins a list: so many values follow, then `close`. */
  list(wanted: string): i32 {
    let length: usize = 0;
    const marker = this.peek();
    if ((marker & 0xf0) == 0x90) {
      this.at += 1;
      length = marker & 0x0f;
    } else if (marker == 0xdc) {
      length = bswap(load<u16>(this.take(3), 1));
    } else if (marker == 0xdd) {
      length = bswap(load<u32>(this.take(5), 1));
    } else {
      this.mismatch(wanted);
    }
    // Each takes a byte at least: compared before anything is allocated for them.
    if (length > this.left()) this.malformed("a list that announces more elements than bytes follow");
    this.descend();
    return <i32>length;
  }

  /** Begins a map: so many keys follow with a value each, then `close`. */
  map(wanted: string): i32 {
    let length: usize = 0;
    const marker = this.peek();
    if ((marker & 0xf0) == 0x80) {
      this.at += 1;
      length = marker & 0x0f;
    } else if (marker == 0xde) {
      length = bswap(load<u16>(this.take(3), 1));
    } else if (marker == 0xdf) {
      length = bswap(load<u32>(this.take(5), 1));
    } else {
      this.mismatch(wanted);
    }
    if (length > this.left() >> 1) this.malformed("a map that announces more entries than bytes follow");
    this.descend();
    return <i32>length;
  }

  /** Ends a list or map. */
  close(): void {
    --this.depth;
  }

  /** A key of a map. */
  key(): string {
    const length = this.keyLength();
    return this.letters(this.take(length), length);
  }

  /** Takes a key of a map, for `keyIs`. */
  nextKey(): void {
    this.keySize = this.keyLength();
    this.keyStart = this.take(this.keySize);
  }

  /** Whether the key that was taken last is this one, which is ASCII. */
  keyIs(name: string): bool {
    return isAscii(this.keyStart, this.keySize, name);
  }

  /** The key that was taken last. */
  lastKey(): string {
    return this.letters(this.keyStart, this.keySize);
  }

  private keyStart: usize = 0;
  private keySize: usize = 0;

  /** Passes over one value. */
  skip(): void {
    const marker = this.peek();
    if (marker < 0x80 || marker >= 0xe0 || marker == 0xc0 || marker == 0xc2 || marker == 0xc3) {
      this.at += 1;
    } else if ((marker & 0xe0) == 0xa0 || (marker >= 0xd9 && marker <= 0xdb)) {
      this.take(this.textLength(""));
    } else if ((marker & 0xf0) == 0x90 || marker == 0xdc || marker == 0xdd) {
      for (let left = this.list(""); left > 0; --left) this.skip();
      this.close();
    } else if ((marker & 0xf0) == 0x80 || marker == 0xde || marker == 0xdf) {
      for (let left = this.map(""); left > 0; --left) {
        this.take(this.keyLength());
        this.skip();
      }
      this.close();
    } else if (marker == 0xcc || marker == 0xd0) {
      this.take(2);
    } else if (marker == 0xcd || marker == 0xd1) {
      this.take(3);
    } else if (marker == 0xce || marker == 0xd2 || marker == 0xca) {
      this.take(5);
    } else if (marker == 0xcf || marker == 0xd3 || marker == 0xcb) {
      this.take(9);
    } else if (marker == 0xc4) {
      const size = <usize>load<u8>(this.take(2), 1);
      this.take(size);
    } else if (marker == 0xc5) {
      const size = <usize>bswap(load<u16>(this.take(3), 1));
      this.take(size);
    } else if (marker == 0xc6) {
      const size = <usize>bswap(load<u32>(this.take(5), 1));
      this.take(size);
    } else {
      this.unknown(marker);
    }
  }

  /** Whether it has kept something that does not fit: no need to go on. */
  get isStuck(): bool {
    return this.misfit !== null;
  }

  /** What comes next is not of the type asked for. */
  mismatch(wanted: string): void {
    if (this.isStuck) return;
    const marker = this.peek();
    const found = kindOf(marker);
    if (found.length == 0) this.unknown(marker);
    this.unfit(`${this.about()} is of kind ${found}, and the process reads it as \`${wanted}\``);
  }

  /** An integer is outside of what the type holds. */
  outOfRange(wanted: string): void {
    if (this.isStuck) return;
    this.unfit(`${this.about()} is of kind int, and does not fit \`${wanted}\``);
  }

  /** A record lacks a field. */
  missing(field: string, wanted: string): void {
    if (this.isStuck) return;
    this.unfit(`${this.about()} has no \`${field}\`, and the process reads it as \`${wanted}\``);
  }

  /** Ends the call: the key that was taken last has come before. */
  twice(): void {
    this.malformed("a map key that comes twice");
  }

  private unknown(marker: u8): void {
    this.malformed(marker == 0xc1 ? "the reserved marker 0xc1" : "an extension type, which no value has");
  }

  private unfit(problem: string): void {
    if (this.policy == Misfit.Ends) stop(problem);
    this.misfit = problem;
    this.at = NOWHERE;
    this.end = NOWHERE;
  }

  private malformed(problem: string): void {
    if (this.isStuck) return;
    stop(`${this.about()} is malformed: ${problem}`);
  }

  private cutShort(): void {
    this.malformed("the bytes end in the middle of a value");
  }

  private about(): string {
    return this.before.length == 0 ? this.subject : this.before + "`" + this.subject + "`";
  }

  private letters(start: usize, length: usize): string {
    const text = tryLift(start, length);
    if (text === null) this.malformed("a string that is not UTF-8");
    return <string>text;
  }

  private keyLength(): usize {
    const marker = this.peek();
    const isText = (marker & 0xe0) == 0xa0 || (marker >= 0xd9 && marker <= 0xdb);
    if (!isText) this.malformed("a map key that is not a string");
    return this.textLength("");
  }

  private textLength(wanted: string): usize {
    const marker = this.peek();
    if ((marker & 0xe0) == 0xa0) {
      this.at += 1;
      return marker & 0x1f;
    }
    switch (marker) {
      case 0xd9: return load<u8>(this.take(2), 1);
      case 0xda: return bswap(load<u16>(this.take(3), 1));
      case 0xdb: return bswap(load<u32>(this.take(5), 1));
    }
    this.mismatch(wanted);
    return 0;
  }

  private descend(): void {
    if (++this.depth > MAX_DEPTH) this.malformed(`nested in more than ${MAX_DEPTH} lists and maps`);
  }

  private left(): usize {
    return this.end - this.at;
  }

  /** The address of so many bytes, which are taken. */
  private take(size: usize): usize {
    const at = this.at;
    if (size > this.end - at) this.cutShort();
    this.at = at + size;
    return at;
  }
}

/** The kind of a value, as a contract spells it; nothing for what is no value. */
function kindOf(marker: u8): string {
  if (marker < 0x80 || marker >= 0xe0 || (marker >= 0xcc && marker <= 0xd3)) return "int";
  if (marker < 0x90 || marker == 0xde || marker == 0xdf) return "map";
  if (marker < 0xa0 || marker == 0xdc || marker == 0xdd) return "list";
  if (marker < 0xc0 || (marker >= 0xd9 && marker <= 0xdb)) return "string";
  if (marker == 0xc0) return "nil";
  if (marker == 0xc2 || marker == 0xc3) return "bool";
  if (marker >= 0xc4 && marker <= 0xc6) return "bytes";
  if (marker == 0xca || marker == 0xcb) return "float";
  return "";
}
