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
  return <string>tryLift(start, length);
}

/** The text of UTF-8; null where it is not well-formed. */
export function tryLift(start: usize, length: usize): string | null {
  // No letter has more units as UTF-16 than bytes as UTF-8.
  const text = __new(length << 1, idof<string>());
  const end = start + length;
  let at = start;
  let out = text;
  while (at < end) {
    const first = <u32>load<u8>(at);
    if (first < 0x80) {
      store<u16>(out, first);
      at += 1;
      out += 2;
      continue;
    }
    const size: usize = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || size > end - at) return null;
    const second = <u32>load<u8>(at, 1);
    if ((second & 0xc0) != 0x80) return null;
    let letter = first & (0x7f >> <u32>size);
    letter = (letter << 6) | (second & 0x3f);
    for (let next: usize = 2; next < size; ++next) {
      const byte = <u32>load<u8>(at + next);
      if ((byte & 0xc0) != 0x80) return null;
      letter = (letter << 6) | (byte & 0x3f);
    }
    // Longer than needed, half of a surrogate pair, or beyond the last letter.
    if (size == 3 && (letter < 0x800 || (letter & 0xf800) == 0xd800)) return null;
    if (size == 4 && (letter < 0x10000 || letter > 0x10ffff)) return null;
    if (letter < 0x10000) {
      store<u16>(out, letter);
      out += 2;
    } else {
      letter -= 0x10000;
      store<u16>(out, 0xd800 | (letter >> 10));
      store<u16>(out, 0xdc00 | (letter & 0x3ff), 2);
      out += 4;
    }
    at += size;
  }
  const used = out - text;
  return changetype<string>(used == length << 1 ? text : __renew(text, used));
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
