// Memory that the host and the guest hand to one another. None of it is an object of the collector's, so nothing has to be
// pinned; and none of it is freed, because an instance is thrown away after one call.

/** Where a host function puts a result of more than one number: at most a tag and a 64-bit number, or two words. */
export const RESULT: usize = memory.data(16, 8);

/** The canonical ABI's allocator: the host asks for the memory of what it hands in. */
export function cabi_realloc(block: usize, oldSize: usize, align: usize, newSize: usize): usize {
  // The heap aligns to 16 bytes, and no type of the world needs more than 8.
  return block == 0 ? heap.alloc(newSize) : heap.realloc(block, newSize);
}

/** Whether the option in `RESULT` holds something. */
// @ts-ignore: decorator
@inline
export function resultIsSome(): bool {
  return load<u8>(RESULT) != 0;
}

/** Copies bytes out of memory that the host filled. */
export function bytesAt(start: usize, length: usize): Uint8Array {
  const bytes = new Uint8Array(<i32>length);
  memory.copy(bytes.dataStart, start, length);
  return bytes;
}
