//! An allocator for memory that lives for one call.
//!
//! A sandbox is thrown away after its call, so looking for freed memory is wasted work. This allocator hands out the
//! next free bytes of a chunk: first of a static arena, which needs no growth of the memory, then of pages that
//! `memory.grow` gives. It takes back only the block handed out last, and grows that one in place, which is what a
//! vector that is being filled needs. [`Bump`] has the arithmetic.

// SAFETY: the argument stands at `GlobalAlloc` below.
#![allow(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

use crate::bump::Bump;

const ARENA: usize = 16 * 1024;

#[global_allocator]
static ALLOCATOR: OneCallAllocator = OneCallAllocator {
    arena: UnsafeCell::new([0; ARENA]),
    bump: Bump::new(),
};

#[repr(C, align(16))]
struct OneCallAllocator {
    arena: UnsafeCell<[u8; ARENA]>,
    bump: Bump,
}

#[cfg(target_feature = "atomics")]
compile_error!(
    "the feature `one-call-allocator` is for guests without threads: use `default-features = false`"
);

// SAFETY: a guest has one thread (checked above), so no two threads ever see this value.
unsafe impl Sync for OneCallAllocator {}

impl OneCallAllocator {
    /// Null where memory has run out.
    fn take(&self, size: usize, align: usize) -> *mut u8 {
        if !self.bump.has_chunk() {
            self.bump.add_chunk(self.arena.get() as usize, ARENA);
        }
        self.bump
            .take(size, align, grow)
            .map_or(ptr::null_mut(), |start| start as *mut u8)
    }
}

/// The address of so many new pages.
fn grow(pages: usize) -> Option<usize> {
    match core::arch::wasm32::memory_grow(0, pages) {
        usize::MAX => None,
        before => Some(before * crate::bump::PAGE),
    }
}

// SAFETY:
// - Blocks do not overlap: the bump's `next` only moves forward past what is handed out, except when the block handed
//   out last is given back or resized; then it moves to that block's start, or to its new end.
// - Blocks lie in memory that belongs to nobody else: the arena is reached only through this type, and pages from
//   `memory.grow` are new. There is no other allocator: on WASI, where libc has one, this one is left out.
// - Sizes and alignments are those asked for: `Bump` aligns upwards with checked arithmetic and stays below its end.
unsafe impl GlobalAlloc for OneCallAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size(), layout.align())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // Memory that was handed out before may be handed out again, so it is not known to be zero.
        let block = self.take(layout.size(), layout.align());
        if !block.is_null() {
            // SAFETY: `block` was just handed out with that size.
            unsafe { ptr::write_bytes(block, 0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.bump.give_back(block as usize, layout.size());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (start, old) = (block as usize, layout.size());
        let is_last = self.bump.is_last(start, old);
        if (size <= old && !is_last) || self.bump.resize(start, old, size, grow) {
            return block;
        }
        let new = self.take(size, layout.align());
        if !new.is_null() {
            // SAFETY: both blocks have at least that many bytes; the new one was just handed out, so they are apart.
            unsafe { ptr::copy_nonoverlapping(block, new, old.min(size)) };
        }
        new
    }
}
