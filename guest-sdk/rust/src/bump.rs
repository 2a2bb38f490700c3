//! The arithmetic of the one-call allocator: addresses in, addresses out, no memory touched.

use core::cell::Cell;

/// A page of WebAssembly memory.
pub(crate) const PAGE: usize = 64 * 1024;
/// Pages to grow by where a request does not need more.
const GROWTH: usize = 4;

/// The chunk of free addresses from which blocks are cut.
#[derive(Debug)]
pub(crate) struct Bump {
    /// The first free address.
    next: Cell<usize>,
    /// The end of the chunk; 0 before there is one.
    end: Cell<usize>,
}

impl Bump {
    pub(crate) const fn new() -> Self {
        Self {
            next: Cell::new(0),
            end: Cell::new(0),
        }
    }

    pub(crate) fn has_chunk(&self) -> bool {
        self.end.get() != 0
    }

    /// Goes on in new memory: in the same chunk where it adjoins that, else in a chunk of its own.
    pub(crate) fn add_chunk(&self, start: usize, size: usize) {
        if start != self.end.get() {
            self.next.set(start);
        }
        // A memory of 4 GiB ends at 2^32, which no address can say: its last byte stays unused.
        self.end.set(start.saturating_add(size));
    }

    /// Cuts `size` bytes at a multiple of `align`, a power of two. `grow` gives the address of so many new pages, or
    /// none where memory has run out; then this gives none too.
    pub(crate) fn take(
        &self,
        size: usize,
        align: usize,
        grow: impl FnOnce(usize) -> Option<usize>,
    ) -> Option<usize> {
        if let Some(start) = self.fit(size, align) {
            return Some(start);
        }
        self.grow(size.checked_add(align)?, grow)?;
        self.fit(size, align)
    }

    /// Whether the block is the one cut last, behind which everything is free.
    pub(crate) fn is_last(&self, start: usize, size: usize) -> bool {
        start.wrapping_add(size) == self.next.get()
    }

    /// Takes a block back, if it is the one cut last.
    pub(crate) fn give_back(&self, start: usize, size: usize) {
        if self.is_last(start, size) {
            self.next.set(start);
        }
    }

    /// Resizes a block where it stands, if it is the one cut last and the memory behind it is, or becomes, free.
    pub(crate) fn resize(
        &self,
        start: usize,
        old: usize,
        new: usize,
        grow: impl FnOnce(usize) -> Option<usize>,
    ) -> bool {
        if !self.is_last(start, old) {
            return false;
        }
        let Some(next) = start.checked_add(new) else {
            return false;
        };
        if next > self.end.get() {
            // Asks for the whole size, so that the block finds room for a copy where the pages do not adjoin it.
            let grown = new
                .checked_add(PAGE)
                .and_then(|needed| self.grow(needed, grow));
            if grown.is_none() || !self.is_last(start, old) || next > self.end.get() {
                return false;
            }
        }
        self.next.set(next);
        true
    }

    fn fit(&self, size: usize, align: usize) -> Option<usize> {
        let start = self.next.get().checked_add(align - 1)? & !(align - 1);
        let next = start.checked_add(size)?;
        if next > self.end.get() {
            return None;
        }
        self.next.set(next);
        Some(start)
    }

    #[cold]
    fn grow(&self, needed: usize, grow: impl FnOnce(usize) -> Option<usize>) -> Option<()> {
        let pages = needed.div_ceil(PAGE).max(GROWTH);
        let start = grow(pages)?;
        self.add_chunk(start, pages.saturating_mul(PAGE));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory whose pages adjoin, as WebAssembly's do unless somebody else grows it too.
    struct Memory {
        end: Cell<usize>,
        limit: usize,
    }

    impl Memory {
        fn new() -> Self {
            Self {
                end: Cell::new(10 * PAGE),
                limit: 1000 * PAGE,
            }
        }

        fn grow(&self, pages: usize) -> Option<usize> {
            let start = self.end.get();
            let end = start + pages * PAGE;
            (end <= self.limit).then(|| {
                self.end.set(end);
                start
            })
        }
    }

    fn with_arena() -> Bump {
        let bump = Bump::new();
        assert!(!bump.has_chunk());
        bump.add_chunk(4096, 16 * 1024);
        bump
    }

    fn none(_: usize) -> Option<usize> {
        panic!("there is room")
    }

    #[test]
    fn blocks_are_aligned_and_apart() {
        let (bump, memory) = (with_arena(), Memory::new());
        let mut end = 0;
        for turn in 0..2_000_usize {
            let (size, align) = (1 + turn * 37 % 900, 1 << (turn % 5));
            let start = bump
                .take(size, align, |pages| memory.grow(pages))
                .expect("memory");
            assert_eq!(start % align, 0);
            assert!(start >= end, "block {turn} overlaps the one before");
            end = start + size;
            assert!(end <= memory.end.get());
        }
    }

    #[test]
    fn only_the_last_block_comes_back() {
        let bump = with_arena();
        let first = bump.take(100, 4, none).expect("room");
        let second = bump.take(100, 4, none).expect("room");
        bump.give_back(first, 100);
        assert_eq!(bump.take(8, 4, none), Some(second + 100));
        bump.give_back(second + 100, 8);
        bump.give_back(second, 100);
        assert_eq!(bump.take(8, 4, none), Some(second));
    }

    #[test]
    fn the_last_block_grows_where_it_stands_and_across_pages() {
        let (bump, memory) = (with_arena(), Memory::new());
        let start = bump
            .take(PAGE, 16, |pages| memory.grow(pages))
            .expect("memory");
        assert!(bump.resize(start, PAGE, 3 * PAGE, none));
        assert!(bump.resize(start, 3 * PAGE, 50 * PAGE, |pages| memory.grow(pages)));
        assert!(start + 50 * PAGE <= memory.end.get());
        assert!(bump.resize(start, 50 * PAGE, 10, none), "it shrinks too");
        assert_eq!(bump.take(1, 1, none), Some(start + 10));
    }

    #[test]
    fn a_block_does_not_grow_into_memory_of_others() {
        let (bump, memory) = (with_arena(), Memory::new());
        // The arena does not adjoin the pages.
        let start = bump.take(16 * 1024, 16, none).expect("room");
        let grow = |pages| memory.grow(pages);
        assert!(!bump.resize(start, 16 * 1024, 32 * 1024, grow));
        assert_eq!(
            bump.take(32 * 1024, 16, none),
            Some(10 * PAGE),
            "room for the copy"
        );
        // A block with another behind it.
        let _ = bump.take(1, 1, none);
        assert!(!bump.resize(10 * PAGE, 32 * 1024, 33 * 1024, none));
    }

    #[test]
    fn exhausted_memory_is_no_block() {
        let bump = with_arena();
        let start = bump.take(8, 8, none).expect("room");
        assert_eq!(bump.take(PAGE, 8, |_| None), None);
        assert!(!bump.resize(start, 8, PAGE, |_| None));
        assert_eq!(bump.take(usize::MAX, 8, none), None);
        assert_eq!(
            bump.take(8, 8, none),
            Some(start + 8),
            "what was there is still there"
        );
    }
}
