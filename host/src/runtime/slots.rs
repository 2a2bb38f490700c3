//! Places in the instance pool: as many calls run at once as there are places, the others wait up to their deadline.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// The free places of the pool. Taking and freeing one costs a counter while nobody waits.
pub(super) struct Slots {
    free: AtomicU32,
    // Somebody waits, or is about to: whoever frees a place has to say so.
    waiting: AtomicU32,
    turn: Mutex<()>,
    freed: Condvar,
}

/// One taken place; dropping it frees the place.
pub(super) struct Slot(Arc<Slots>);

impl Slots {
    pub(super) fn new(count: u32) -> Arc<Self> {
        Arc::new(Self {
            free: AtomicU32::new(count),
            waiting: AtomicU32::new(0),
            turn: Mutex::new(()),
            freed: Condvar::new(),
        })
    }

    /// Takes a place where one is free.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let less = |free: u32| free.checked_sub(1);
        self.free
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .ok()?;
        Some(Slot(Arc::clone(self)))
    }

    /// Takes a place, waiting for one until the deadline; `None` where none came free.
    pub(super) fn take(self: &Arc<Self>, deadline: Instant) -> Option<Slot> {
        self.try_take().or_else(|| self.wait(deadline))
    }

    /// Who waits says so before it looks for a place once more, and a place is free before its giver looks for those
    /// who wait; both sequentially consistent, so one of them always sees the other.
    #[cold]
    fn wait(self: &Arc<Self>, deadline: Instant) -> Option<Slot> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let slot = loop {
            if let Some(slot) = self.try_take() {
                break Some(slot);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break None;
            }
            (turn, _) = self
                .freed
                .wait_timeout(turn, left)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        slot
    }
}

impl Slot {
    /// Whether it is one of these places.
    pub(super) fn is_of(&self, slots: &Arc<Slots>) -> bool {
        Arc::ptr_eq(&self.0, slots)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::SeqCst);
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            // Under the lock, so that it does not fall between a look for a place and the sleep after it.
            let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_full_pool_is_waited_for() {
        let slots = Slots::new(1);
        let first = slots.take(Instant::now()).expect("a place is free");
        assert!(slots.take(Instant::now()).is_none(), "no time to wait");
        let waiting = thread::spawn({
            let slots = Arc::clone(&slots);
            move || {
                slots
                    .take(Instant::now() + Duration::from_secs(60))
                    .is_some()
            }
        });
        drop(first);
        assert!(waiting.join().expect("the waiter ends"));
    }
}
