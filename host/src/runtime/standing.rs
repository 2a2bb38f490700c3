//! Standing instances: fresh ones made ahead of the calls, in idle time, so that a caller need not wait for one.
//!
//! An instance does not depend on the call that it will serve: while it is made every import traps, clock and seed are
//! constants, and what it costs in fuel is counted in the call that takes it. So it may as well be made before. Each
//! serves one call, like any other, and is never used again. Taking a used one apart is left to idle time as well.
//!
//! One thread with the lowest priority does this for all guests of an engine. It looks after those that are called
//! often and lets go of what it holds for the others; while none is, it sleeps. Nothing waits for it: a caller that
//! finds no instance ready makes its own.

use super::call::{CallSettings, Fresh};
use super::program::Linked;
use super::slots::Slots;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// Over this time it is judged whether a guest is called often.
const WINDOW: Duration = Duration::from_millis(100);
/// So many calls in a window are often.
pub(super) const OFTEN: u64 = 10;
/// Every so many calls of a guest that has nothing standing, the keeper is asked to look.
const ASK: u64 = 32;
/// The pauses of the keeper while guests are called often: they grow from one to the other while nothing is to do.
const PAUSE: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(5));
/// From this pause on a caller who takes one of the last instances wakes the keeper.
const LONG_PAUSE: Duration = Duration::from_millis(1);
/// Linear memory of everything that stands ready in one engine.
const MEMORY: u64 = 64 << 20;
/// An instance that has grown beyond this is taken apart by the call that used it.
const LARGE: u64 = 1 << 20;

/// What stands ready for one guest, and what was used and is still to be taken apart.
pub(super) struct Stock {
    calls: AtomicU64,
    often: AtomicBool,
    // Making one failed: calls make their own, and report why.
    failing: AtomicBool,
    // Linear memory of an instance, as far as it is known.
    size: AtomicU64,
    ready: Mutex<Vec<Standing>>,
    spent: Mutex<Vec<Fresh>>,
    #[cfg(test)]
    taken: AtomicU64,
}

/// An instance that stands ready, and the memory that counts as taken by it.
struct Standing {
    fresh: Fresh,
    // Given back when dropped.
    _claim: Claim,
}

struct Claim {
    shared: Arc<Shared>,
    bytes: u64,
}

/// Keeps the stocks of an engine's guests.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    thread: OnceLock<Option<JoinHandle<()>>>,
}

struct Shared {
    // The most that stand ready for one guest.
    most: usize,
    // Places in the pool beyond those of the calls, so that neither takes the other's.
    places: Arc<Slots>,
    memory: AtomicU64,
    guests: Mutex<Vec<Watched>>,
    asleep: AtomicBool,
    dozing: AtomicBool,
    stop: AtomicBool,
}

/// A guest, and how often it had been called when the window began.
struct Watched {
    guest: Weak<Linked>,
    calls: u64,
    since: Instant,
}

/// What looking after one guest came to, the most pressing last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tended {
    /// It is called rarely.
    Rare,
    /// It is called often, or that is not yet known; nothing was to do.
    Watched,
    /// Something was done, and there may be more.
    Busy,
}

impl Stock {
    pub(super) fn new() -> Self {
        Self {
            calls: AtomicU64::new(0),
            often: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            size: AtomicU64::new(0),
            ready: Mutex::new(Vec::new()),
            spent: Mutex::new(Vec::new()),
            #[cfg(test)]
            taken: AtomicU64::new(0),
        }
    }
}

#[cfg(test)]
impl Stock {
    pub(super) fn ready(&self) -> usize {
        lock(&self.ready).len()
    }

    pub(super) fn spent(&self) -> usize {
        lock(&self.spent).len()
    }

    /// How many calls have found one ready.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::SeqCst)
    }
}

impl Keeper {
    /// A keeper of at most `most` instances per guest, in places of the pool that are its own.
    pub(super) fn new(most: u32, places: Arc<Slots>) -> Self {
        Self {
            shared: Arc::new(Shared {
                most: most as usize,
                places,
                memory: AtomicU64::new(0),
                guests: Mutex::new(Vec::new()),
                asleep: AtomicBool::new(true),
                dozing: AtomicBool::new(false),
                stop: AtomicBool::new(false),
            }),
            thread: OnceLock::new(),
        }
    }

    /// Has an eye on a guest from now on.
    pub(super) fn watch(&self, guest: &Arc<Linked>) {
        if self.shared.most > 0 {
            self.shared.guests().push(Watched {
                guest: Arc::downgrade(guest),
                calls: 0,
                since: Instant::now(),
            });
        }
    }

    /// Counts a call, and gives it an instance where one stands ready.
    #[inline]
    pub(super) fn take(&self, stock: &Stock, call: &CallSettings) -> Option<Fresh> {
        if self.shared.most == 0 {
            return None;
        }
        let calls = stock.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if !stock.often.load(Ordering::Relaxed) {
            if calls.is_multiple_of(ASK) && self.shared.asleep.load(Ordering::SeqCst) {
                self.wake();
            }
            return None;
        }
        let mut ready = match stock.ready.try_lock() {
            Ok(ready) => ready,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // The keeper is putting one there; making one takes no longer than waiting might.
            Err(TryLockError::WouldBlock) => return None,
        };
        let standing = ready.pop_if(|standing| standing.fresh.fuel() == call.fuel);
        let left = ready.len();
        drop(ready);
        if left <= self.shared.most / 2 && self.shared.dozing.load(Ordering::Relaxed) {
            self.wake();
        }
        #[cfg(test)]
        stock
            .taken
            .fetch_add(u64::from(standing.is_some()), Ordering::SeqCst);
        standing.map(|standing| standing.fresh)
    }

    /// Takes a used instance apart, or leaves that to idle time.
    pub(super) fn retire(&self, stock: &Stock, used: Fresh) {
        // Only what had a place of the keeper's own: calls wait for theirs.
        if !used.has_place_in(&self.shared.places) || used.memory() > LARGE {
            return;
        }
        if let Ok(mut spent) = stock.spent.try_lock()
            && spent.len() < self.shared.most
        {
            spent.push(used);
        }
    }

    #[cold]
    fn wake(&self) {
        let thread = self.thread.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            thread::Builder::new()
                .name("theus-standing".to_owned())
                .spawn(move || keep(&shared))
                .inspect_err(|error| tracing::warn!("no instances are made ahead: {error}"))
                .ok()
        });
        if let Some(thread) = thread {
            thread.thread().unpark();
        }
    }

    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        self.shared.asleep.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> u64 {
        self.shared.memory.load(Ordering::SeqCst)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(Some(handle)) = self.thread.take() {
            let thread: &Thread = handle.thread();
            thread.unpark();
            // The last owner of an engine may be the keeper itself, which holds a guest while it looks after it.
            if thread.id() != thread::current().id() {
                // Nothing could be done here if it had panicked.
                let _ = handle.join();
            }
        }
    }
}

fn keep(shared: &Arc<Shared>) {
    yield_to_everybody();
    let mut pause = PAUSE.0;
    shared.awake();
    while !shared.stop.load(Ordering::SeqCst) {
        match shared.tend_all() {
            Tended::Busy => pause = PAUSE.0,
            Tended::Watched => {
                shared.dozing.store(pause >= LONG_PAUSE, Ordering::Relaxed);
                thread::park_timeout(pause);
                shared.dozing.store(false, Ordering::Relaxed);
                pause = (pause * 2).min(PAUSE.1);
            }
            Tended::Rare => {
                shared.asleep.store(true, Ordering::SeqCst);
                thread::park();
                shared.awake();
                pause = PAUSE.0;
            }
        }
    }
}

impl Shared {
    /// Begins to look, without regard to what was before.
    fn awake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
        for watched in self.guests().iter_mut() {
            watched.restart();
        }
    }

    fn tend_all(self: &Arc<Self>) -> Tended {
        // Looked at one by one, not under the lock: making an instance may take as long as its start function does.
        let mut tended = Tended::Rare;
        let mut index = 0;
        loop {
            let mut guests = self.guests();
            guests.retain(|watched| watched.guest.strong_count() > 0);
            let Some(watched) = guests.get_mut(index) else {
                return tended;
            };
            let Some(guest) = watched.guest.upgrade() else {
                continue;
            };
            let rate = watched.look(&guest.stock);
            drop(guests);
            tended = tended.max(match rate {
                Rate::Rare => guest.stock.clear(),
                Rate::Unknown => Tended::Watched,
                Rate::Often => self.stock_up(&guest),
            });
            index += 1;
        }
    }

    /// Makes one instance where one is missing, and takes apart what was used.
    fn stock_up(self: &Arc<Self>, guest: &Linked) -> Tended {
        let stock = &guest.stock;
        let spent = std::mem::take(&mut *lock(&stock.spent));
        let mut tended = match spent.len() {
            0 => Tended::Watched,
            _ => Tended::Busy,
        };
        if lock(&stock.ready).len() < self.most && !stock.failing.load(Ordering::Relaxed) {
            tended = tended.max(self.make(guest));
        }
        drop(spent);
        tended
    }

    fn make(self: &Arc<Self>, guest: &Linked) -> Tended {
        let stock = &guest.stock;
        let taken = self.memory.load(Ordering::SeqCst);
        if taken + stock.size.load(Ordering::Relaxed) > MEMORY {
            return Tended::Watched;
        }
        let Some(place) = self.places.try_take() else {
            return Tended::Watched;
        };
        let Ok(fresh) = guest.make(&guest.standing_settings(), place) else {
            stock.failing.store(true, Ordering::Relaxed);
            return Tended::Watched;
        };
        let bytes = fresh.memory();
        stock.size.store(bytes, Ordering::Relaxed);
        if taken + bytes > MEMORY {
            return Tended::Watched;
        }
        // Only this thread claims memory, so nobody has claimed more of it meanwhile.
        self.memory.fetch_add(bytes, Ordering::SeqCst);
        lock(&stock.ready).push(Standing {
            fresh,
            _claim: Claim {
                shared: Arc::clone(self),
                bytes,
            },
        });
        Tended::Busy
    }

    fn guests(&self) -> MutexGuard<'_, Vec<Watched>> {
        lock(&self.guests)
    }
}

/// How often a guest is called.
enum Rate {
    Unknown,
    Rare,
    Often,
}

impl Watched {
    /// Judges the window that has passed, and otherwise what the one before it has shown.
    fn look(&mut self, stock: &Stock) -> Rate {
        let often = stock.often.load(Ordering::Relaxed);
        if self.since.elapsed() < WINDOW {
            return if often { Rate::Often } else { Rate::Unknown };
        }
        let calls = stock.calls.load(Ordering::Relaxed);
        let often = calls - self.calls >= OFTEN;
        stock.often.store(often, Ordering::Relaxed);
        self.calls = calls;
        self.since = Instant::now();
        if often { Rate::Often } else { Rate::Rare }
    }

    fn restart(&mut self) {
        if let Some(guest) = self.guest.upgrade() {
            self.calls = guest.stock.calls.load(Ordering::Relaxed);
            self.since = Instant::now();
        }
    }
}

impl Stock {
    /// Lets go of everything; whoever calls the guest again makes an instance for itself.
    fn clear(&self) -> Tended {
        drop(std::mem::take(&mut *lock(&self.ready)));
        drop(std::mem::take(&mut *lock(&self.spent)));
        Tended::Rare
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shared.memory.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

/// Gives this thread what no other one wants of the machine, where the system can do that for one thread.
fn yield_to_everybody() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        tracing::debug!("instances are made ahead at ordinary priority: {error}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A list is whole whenever its lock is free.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
