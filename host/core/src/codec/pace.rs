//! Whether to go on: what a long piece of work asks now and then.

use crate::limits::LimitExceeded;

/// Says whether a long piece of work may go on; an error ends it.
///
/// It is asked every few hundred microseconds of work, so it may look at a clock.
pub type Interrupt<'a> = &'a (dyn Fn() -> Result<(), LimitExceeded> + 'a);

/// Elements between two questions: each may be an insertion into a large map.
const ELEMENTS: u32 = 512;

/// Bytes that are copied or looked at in the time of one element, roughly.
const BYTES_PER_ELEMENT: usize = 1024;

/// Bytes to be copied between two questions.
pub(crate) const PIECE: usize = ELEMENTS as usize * BYTES_PER_ELEMENT;

/// Counts the work, and asks when there was enough of it.
pub(crate) struct Pace<'a> {
    interrupt: Option<Interrupt<'a>>,
    left: u32,
}

impl<'a> Pace<'a> {
    pub(crate) fn new(interrupt: Option<Interrupt<'a>>) -> Self {
        Self {
            interrupt,
            left: ELEMENTS,
        }
    }

    /// Goes on to the next element.
    #[inline]
    pub(crate) fn element(&mut self) -> Result<(), LimitExceeded> {
        self.count(1)
    }

    /// Passes over a number of elements at once.
    #[inline]
    pub(crate) fn elements(&mut self, number: usize) -> Result<(), LimitExceeded> {
        self.count(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Is about to copy bytes in one piece: a call of the C library, which nothing ends half way.
    #[inline]
    pub(crate) fn bytes(&mut self, number: usize) -> Result<(), LimitExceeded> {
        self.elements(number / BYTES_PER_ELEMENT)
    }

    #[inline]
    fn count(&mut self, elements: u32) -> Result<(), LimitExceeded> {
        match self.left.checked_sub(elements) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.ask(),
        }
    }

    #[cold]
    fn ask(&mut self) -> Result<(), LimitExceeded> {
        self.left = ELEMENTS;
        self.interrupt.map_or(Ok(()), |interrupt| interrupt())
    }
}
