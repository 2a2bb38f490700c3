//! The clock that stops guests: raises the engine's epoch while a call runs, and sleeps while none does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;
use wasmtime::{Engine, EngineWeak};

/// How often a running guest is made to look at its deadline.
const TICK: Duration = Duration::from_millis(5);
/// Ticks without a call before the thread goes to sleep: waking it costs a system call, so it stays up between the
/// calls of a busy service.
const IDLE_TICKS: u32 = 20;

/// The epoch thread of one engine.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

/// Keeps the epoch going for as long as it lives.
pub(super) struct Running<'a>(&'a Shared);

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let handle = thread::Builder::new()
            .name("theus-ticker".to_owned())
            .stack_size(64 * 1024)
            .spawn({
                let shared = Arc::clone(&shared);
                let engine = engine.weak();
                move || tick(&shared, &engine)
            })?;
        Ok(Self {
            shared,
            thread: handle.thread().clone(),
            handle: Some(handle),
        })
    }

    /// Marks a call as running.
    ///
    /// A call announces itself before it looks whether the thread sleeps, and the thread says that it sleeps before it
    /// looks for calls; both sequentially consistent, so one of them always sees the other.
    pub(super) fn running(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.shared)
    }

    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        self.shared.asleep.load(Ordering::SeqCst)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            // The thread cannot panic, and nothing could be done here if it had.
            let _ = handle.join();
        }
    }
}

fn tick(shared: &Shared, engine: &EngineWeak) {
    let mut idle = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        if shared.running.load(Ordering::SeqCst) > 0 {
            idle = 0;
        } else {
            idle += 1;
        }
        if idle > IDLE_TICKS {
            shared.asleep.store(true, Ordering::SeqCst);
            while shared.running.load(Ordering::SeqCst) == 0 && !shared.stop.load(Ordering::SeqCst)
            {
                thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
        // An early tick does no harm: guests compare their deadline with the clock.
        thread::park_timeout(TICK);
        let Some(engine) = engine.upgrade() else {
            return;
        };
        engine.increment_epoch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn sleeps_without_calls_and_wakes_for_one() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).expect("a thread starts");
        let patience = Instant::now() + Duration::from_secs(60);
        while !ticker.is_asleep() {
            assert!(Instant::now() < patience, "the ticker never sleeps");
            thread::yield_now();
        }
        let running = ticker.running();
        while ticker.is_asleep() {
            assert!(Instant::now() < patience, "the ticker never wakes");
            thread::yield_now();
        }
        drop(running);
    }
}
