//! Choices made from a string of bytes.

use arbitrary::Unstructured;

/// Makes choices from a string of bytes. Where they have run out every choice is the first one, so all that is made
/// with it comes to an end.
#[derive(Debug)]
pub struct Dice<'a>(Unstructured<'a>);

/// The bytes that a seed stands for. (SplitMix64; Steele, Lea and Flood 2014.)
#[must_use]
pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let words = std::iter::repeat_with(|| next().to_le_bytes());
    words.take(len.div_ceil(8)).flatten().take(len).collect()
}

impl<'a> Dice<'a> {
    /// Dice that fall as the bytes say.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// A number below `end`, which is more than 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0
            .int_in_range(0..=end.saturating_sub(1))
            .unwrap_or_default()
    }

    /// The same, for what is counted in memory.
    pub fn index(&mut self, end: usize) -> usize {
        self.0
            .int_in_range(0..=end.saturating_sub(1))
            .unwrap_or_default()
    }

    /// False but once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) + 1 == times
    }

    /// One of several.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.index(among.len())]
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        // Zeros where there are none left; it does not fail.
        let _ = self.0.fill_buffer(&mut bytes);
        bytes
    }

    /// Whether there is nothing left to choose with.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_stands_for_its_bytes() {
        assert_eq!(bytes(7, 20), bytes(7, 20));
        assert_ne!(bytes(7, 20), bytes(8, 20));
        assert_eq!(bytes(7, 20)[..13], bytes(7, 13));
    }

    #[test]
    fn dice_reach_every_side_and_stop_at_the_first() {
        let bytes = bytes(1, 4000);
        let mut dice = Dice::new(&bytes);
        let fallen: std::collections::BTreeSet<u64> = (0..1000).map(|_| dice.below(6)).collect();
        assert_eq!(fallen.len(), 6);
        let mut spent = Dice::new(&[]);
        assert!(spent.is_spent());
        assert_eq!((spent.below(6), spent.number()), (0, 0));
        assert_eq!((spent.pick(&["a", "b"]), spent.once_in(2)), ("a", false));
        assert_eq!(spent.bytes(2), [0, 0]);
    }
}
