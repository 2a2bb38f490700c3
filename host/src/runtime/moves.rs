//! What may be moved out of a guest's memory or into it when a call's time is nearly up.
//!
//! Texts and lists are checked and copied by functions that nothing ends half way: for 64 MiB of text that takes some 60 ms.
//! So in the last moments of a call what would outlive it is not begun. Such a call ends a little early, as one that is out
//! of time, rather than late.

use super::state::CallState;
use std::time::{Duration, Instant};
use theus_core::limits::LimitExceeded;
use wasmtime::{Error, Store, StoreContextMut};

/// How long after the deadline a move may end: what is small is moved up to the last moment. With a tick of the epoch, at which the
/// time was last looked at, and a machine that is slower than it should be, that is less than 20 ms.
const GRACE: Duration = Duration::from_millis(1);
/// What is moved in no time, so that nobody has to look at a clock.
const SMALL: usize = 1 << 20;
/// Bytes that are copied in a nanosecond.
const COPIED: u64 = 2;

/// What a component's texts have to go through; it takes longer than anything else that is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// They are UTF-8: looked at, and some are copied.
    Utf8,
    /// They are turned into UTF-8.
    Converted,
}

/// How fast a guest's data is moved, and how much at once when there is time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moves {
    texts: Texts,
    most: usize,
}

impl Texts {
    /// On a machine that is not fast.
    fn picoseconds_per_byte(self) -> u32 {
        match self {
            Self::Utf8 => 1100,
            Self::Converted => 2000,
        }
    }
}

impl Moves {
    /// `most` is the most that one call may move: not more than the guest has.
    pub(super) fn new(texts: Texts, most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { texts, most }
    }

    /// The bytes that can be moved while there is this much time.
    fn within(self, left: Duration) -> usize {
        let picoseconds = (left + GRACE).as_nanos() * 1000;
        let bytes = picoseconds / u128::from(self.texts.picoseconds_per_byte());
        usize::try_from(bytes).unwrap_or(usize::MAX).min(self.most)
    }
}

/// Bounds what the guest's next calls into the host, and its result, may move: by what can be done before the deadline.
pub(super) fn bound(store: &mut StoreContextMut<'_, CallState>, now: Instant) {
    let state = store.data();
    let left = state.deadline.saturating_duration_since(now);
    let bytes = state.moves.within(left);
    store.set_hostcall_fuel(bytes);
}

/// Whether there is time to copy bytes into the guest's memory.
pub(super) fn may_begin(state: &CallState, bytes: usize) -> Result<(), LimitExceeded> {
    if bytes <= SMALL {
        return Ok(());
    }
    let takes = Duration::from_nanos(bytes as u64 / COPIED).saturating_sub(GRACE);
    if Instant::now() + takes < state.deadline {
        return Ok(());
    }
    Err(state.time_exceeded())
}

/// What an error means: a move that was not begun for want of time is the deadline's.
pub(super) fn judged(error: Error, store: &Store<CallState>) -> Error {
    let state = store.data();
    if is_refused(&error) && store.hostcall_fuel() < state.moves.most {
        return state.time_exceeded().into();
    }
    error
}

/// Whether the engine refused to move that much; it only says so in its text.
fn is_refused(error: &Error) -> bool {
    const TEXT: &str = "fuel allocated for hostcalls has been exhausted";
    error.root_cause().to_string().ends_with(TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_late_is_not_begun() {
        let ms = Duration::from_millis;
        let most = 64 << 20;
        for (texts, left, bytes) in [
            (Texts::Utf8, ms(5000), 64 << 20),
            (Texts::Utf8, ms(73), 64 << 20),
            (Texts::Utf8, ms(54), 50_000_000),
            (Texts::Utf8, ms(0), 909_090),
            (Texts::Converted, ms(134), 64 << 20),
            (Texts::Converted, ms(0), 500_000),
        ] {
            let within = Moves::new(texts, most).within(left);
            assert_eq!(within, bytes, "{texts:?} in {left:?}");
        }
        // There may be no limits to speak of.
        let all = Moves::new(Texts::Utf8, u64::MAX).within(Duration::MAX / 2);
        assert_eq!(all, usize::MAX);
    }
}
