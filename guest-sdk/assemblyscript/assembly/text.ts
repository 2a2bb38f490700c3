// Text between AssemblyScript, where it is UTF-16, and the host, where it is UTF-8. Most of it is ASCII, which is why that
// has loops of its own.

/** The length in bytes of the text that `lower` wrote last. */
export let loweredLength: usize = 0;

/** Writes text as UTF-8 into memory of its own; the length is in `loweredLength`. */
export function lower(text: string): usize {
  const size = utf8Length(text);
  const out = heap.alloc(size);
  writeUtf8(text, size, out);
  loweredLength = size;
  return out;
}

/** How many bytes a text has as UTF-8. Half of a surrogate pair, which is no text, has the three of U+FFFD. */
export function utf8Length(text: string): usize {
  const start = changetype<usize>(text);
  const end = start + (<usize>text.length << 1);
  let size = <usize>text.length;
  for (let at = start; at < end; at += 2) {
    const unit = <u32>load<u16>(at);
    if (unit < 0x80) continue;
    size += unit < 0x800 ? 1 : 2;
    if (isPair(unit, at, end)) {
      // Two units make four bytes: one of each unit is counted already.
      at += 2;
    }
  }
  return size;
}

/** Writes a text of which `utf8Length` is known. */
export function writeUtf8(text: string, size: usize, out: usize): void {
  const start = changetype<usize>(text);
  const length = <usize>text.length;
  if (size == length) {
    for (let at: usize = 0; at < length; ++at) store<u8>(out + at, load<u8>(start + (at << 1)));
    return;
  }
  const end = start + (length << 1);
  for (let at = start; at < end; at += 2) {
    let unit = <u32>load<u16>(at);
    if (unit < 0x80) {
      store<u8>(out, unit);
      out += 1;
    } else if (unit < 0x800) {
      store<u8>(out, 0xc0 | (unit >> 6));
      store<u8>(out, 0x80 | (unit & 0x3f), 1);
      out += 2;
    } else if (isPair(unit, at, end)) {
      at += 2;
      const letter = 0x10000 + ((unit & 0x3ff) << 10) + (<u32>load<u16>(at) & 0x3ff);
      store<u8>(out, 0xf0 | (letter >> 18));
      store<u8>(out, 0x80 | ((letter >> 12) & 0x3f), 1);
      store<u8>(out, 0x80 | ((letter >> 6) & 0x3f), 2);
      store<u8>(out, 0x80 | (letter & 0x3f), 3);
      out += 4;
    } else {
      if ((unit & 0xf800) == 0xd800) unit = 0xfffd;
      store<u8>(out, 0xe0 | (unit >> 12));
      store<u8>(out, 0x80 | ((unit >> 6) & 0x3f), 1);
      store<u8>(out, 0x80 | (unit & 0x3f), 2);
      out += 3;
    }
  }
}

/** The text of UTF-8 that the host made, and that is well-formed for that reason. */
export function lift(start: usize, length: usize): string {
  const text = changetype<string>(__new(length << 1, idof<string>()));
  const out = changetype<usize>(text);
  for (let at: usize = 0; at < length; ++at) {
    const byte = load<u8>(start + at);
    if (byte >= 0x80) return String.UTF8.decodeUnsafe(start, length);
    store<u16>(out + (at << 1), byte);
  }
  return text;
}

/** Whether UTF-8 says the same as a text of ASCII letters. */
export function isAscii(start: usize, length: usize, text: string): bool {
  if (length != <usize>text.length) return false;
  const other = changetype<usize>(text);
  for (let at: usize = 0; at < length; ++at) {
    if (<u16>load<u8>(start + at) != load<u16>(other + (at << 1))) return false;
  }
  return true;
}

/** Compares texts by the order of their letters, which is the order of their bytes as UTF-8 and that of the host's maps. */
export function compare(left: string, right: string): i32 {
  const shorter = min(left.length, right.length);
  for (let at = 0; at < shorter; ++at) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a == b) continue;
    // Letters beyond U+FFFF come last, but are written with units from the middle.
    return rank(a) - rank(b);
  }
  return left.length - right.length;
}

// @ts-ignore: decorator
@inline
function rank(unit: i32): i32 {
  return (unit & 0xf800) == 0xd800 ? unit + 0x10000 : unit;
}

// @ts-ignore: decorator
@inline
function isPair(unit: u32, at: usize, end: usize): bool {
  return (unit & 0xfc00) == 0xd800 && at + 2 < end && (<u32>load<u16>(at, 2) & 0xfc00) == 0xdc00;
}
