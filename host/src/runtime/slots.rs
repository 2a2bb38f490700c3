//! Places in the instance pool: as many calls run at once as there are places, the others wait up to their deadline.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The free places of the pool.
pub(super) struct Slots {
    free: Mutex<u32>,
    freed: Condvar,
}

/// One taken place; dropping it frees the place.
pub(super) struct Slot(Arc<Slots>);

impl Slots {
    pub(super) fn new(count: u32) -> Arc<Self> {
        Arc::new(Self {
            free: Mutex::new(count),
            freed: Condvar::new(),
        })
    }

    /// Takes a place, waiting for one until the deadline; `None` where none came free.
    pub(super) fn take(self: &Arc<Self>, deadline: Instant) -> Option<Slot> {
        let mut free = self.lock();
        while *free == 0 {
            let left = deadline.checked_duration_since(Instant::now())?;
            if left.is_zero() {
                return None;
            }
            (free, _) = self
                .freed
                .wait_timeout(free, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        drop(free);
        Some(Slot(Arc::clone(self)))
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        // A plain number cannot be left half-changed.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        self.0.freed.notify_one();
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
