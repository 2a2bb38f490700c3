//! Contract-scoped locks: a run holds the keys of its grant, and nothing else, from admission to the end of its commit.
//!
//! A lock set is presented whole and admitted whole, first come first served: when it conflicts with no run that is
//! running and with none that waits before it. Nothing is acquired piecemeal, so there is no deadlock; nobody overtakes
//! a conflicting earlier run, so there is no starvation. Equal, ancestor and descendant paths conflict unless both sides
//! only read.

use crate::side_effects::DirectoryKey;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Instant;
use theus_core::path::{Layer, Path};

/// Whether a run only reads a place or may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LockMode {
    Shared,
    Exclusive,
}

/// How often a run that is next in turn looks whether it was admitted before it goes to sleep: some twenty microseconds,
/// which is longer than most runs hold their locks, and about what going to sleep and being woken costs.
const LOOKS: u32 = 400;

/// Everything that one run locks.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockSet {
    paths: Vec<(Path, LockMode)>,
    /// Granted directories; two conflict as paths do.
    directories: Vec<(DirectoryKey, LockMode)>,
}

/// The queue of all runs of an engine.
#[derive(Default)]
pub(crate) struct LockTable {
    queue: Mutex<Queue>,
}

/// A run that was admitted. Dropping it lets the next ones in.
pub(crate) struct Admitted<'a> {
    table: &'a LockTable,
    ticket: u64,
}

/// The deadline passed before the run was admitted.
#[derive(Debug)]
pub(crate) struct TimedOut;

#[derive(Default)]
struct Queue {
    next_ticket: u64,
    running: Vec<(u64, Arc<LockSet>)>,
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    ticket: u64,
    set: Arc<LockSet>,
    thread: Thread,
    admitted: Arc<AtomicBool>,
}

impl LockSet {
    /// Adds a place; the strongest mode counts where it is there already.
    pub(crate) fn add(&mut self, path: &Path, mode: LockMode) {
        match self.paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, known)) => *known = mode.max(*known),
            None => self.paths.push((path.clone(), mode)),
        }
    }

    /// Adds a granted directory.
    pub(crate) fn add_directory(&mut self, directory: &DirectoryKey, mode: LockMode) {
        self.directories.push((directory.clone(), mode));
    }

    /// The whole context, exclusively: for edits and permissive runs.
    pub(crate) fn whole() -> Self {
        let paths = Layer::ALL.map(|layer| (Path::layer_root(layer), LockMode::Exclusive));
        Self {
            paths: paths.into(),
            directories: Vec::new(),
        }
    }

    /// The places, with all below them.
    pub(crate) fn paths(&self) -> Arc<[Path]> {
        self.paths.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Whether two runs cannot go side by side.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        conflict(&self.paths, &other.paths, Path::overlaps)
            || conflict(
                &self.directories,
                &other.directories,
                DirectoryKey::overlaps,
            )
    }
}

/// Whether two overlap that do not both only read.
fn conflict<T>(
    some: &[(T, LockMode)],
    others: &[(T, LockMode)],
    overlap: impl Fn(&T, &T) -> bool,
) -> bool {
    some.iter().any(|(place, mode)| {
        others.iter().any(|(other, other_mode)| {
            (*mode == LockMode::Exclusive || *other_mode == LockMode::Exclusive)
                && overlap(place, other)
        })
    })
}

impl LockTable {
    /// Waits until the set is admitted, at most until the deadline.
    pub(crate) fn admit(
        &self,
        set: impl Into<Arc<LockSet>>,
        deadline: Instant,
    ) -> Result<Admitted<'_>, TimedOut> {
        let set = set.into();
        let mut queue = self.queue();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        if queue.admits(&set, queue.waiting.len()) {
            queue.running.push((ticket, set));
            return Ok(Admitted {
                table: self,
                ticket,
            });
        }
        let admitted = Arc::new(AtomicBool::new(false));
        let is_next = queue.waiting.is_empty();
        queue.waiting.push_back(Waiter {
            ticket,
            set,
            thread: std::thread::current(),
            admitted: admitted.clone(),
        });
        drop(queue);
        if is_next {
            look_for(&admitted);
        }
        self.wait(ticket, &admitted, deadline)
    }

    fn wait(
        &self,
        ticket: u64,
        admitted: &AtomicBool,
        deadline: Instant,
    ) -> Result<Admitted<'_>, TimedOut> {
        loop {
            if admitted.load(Ordering::Acquire) {
                return Ok(Admitted {
                    table: self,
                    ticket,
                });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::park_timeout(left);
        }
        let mut queue = self.queue();
        // The admission may have come between the last look and the lock.
        if admitted.load(Ordering::Acquire) {
            return Ok(Admitted {
                table: self,
                ticket,
            });
        }
        queue.waiting.retain(|waiter| waiter.ticket != ticket);
        // Whoever waited behind this run only because of it may go now.
        queue.admit_waiting();
        Err(TimedOut)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code that holds the mutex can leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for a while whether a run was admitted.
fn look_for(admitted: &AtomicBool) {
    for _ in 0..LOOKS {
        if admitted.load(Ordering::Acquire) {
            return;
        }
        std::hint::spin_loop();
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        let mut queue = self.table.queue();
        queue.running.retain(|(ticket, _)| *ticket != self.ticket);
        queue.admit_waiting();
    }
}

impl Queue {
    /// Whether a set conflicts with nothing that runs and nothing among the first `before` that wait.
    fn admits(&self, set: &LockSet, before: usize) -> bool {
        !self
            .running
            .iter()
            .any(|(_, running)| running.conflicts(set))
            && !self
                .waiting
                .iter()
                .take(before)
                .any(|earlier| earlier.set.conflicts(set))
    }

    fn admit_waiting(&mut self) {
        let mut index = 0;
        while index < self.waiting.len() {
            if self.admits(&self.waiting[index].set, index)
                && let Some(waiter) = self.waiting.remove(index)
            {
                self.running.push((waiter.ticket, waiter.set));
                waiter.admitted.store(true, Ordering::Release);
                waiter.thread.unpark();
            } else {
                index += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn set(reads: &[&str], writes: &[&str]) -> LockSet {
        let mut set = LockSet::default();
        for (paths, mode) in [(reads, LockMode::Shared), (writes, LockMode::Exclusive)] {
            for path in paths {
                set.add(&Path::parse(path).expect(path), mode);
            }
        }
        set
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn equal_ancestor_and_descendant_conflict_unless_both_read() {
        for (first, second, conflict) in [
            (set(&[], &["domain.a"]), set(&[], &["domain.a"]), true),
            (set(&[], &["domain.a"]), set(&["domain.a"], &[]), true),
            (set(&["domain.a"], &[]), set(&["domain.a"], &[]), false),
            (set(&[], &["domain"]), set(&["domain.a.b"], &[]), true),
            (set(&["domain"], &[]), set(&[], &["domain.a[3]"]), true),
            (set(&[], &["domain.a"]), set(&[], &["domain.ab"]), false),
            (
                set(&[], &["domain.a[1]"]),
                set(&[], &["domain.a[2]"]),
                false,
            ),
            (set(&[], &["domain"]), set(&[], &["global"]), false),
            (LockSet::whole(), set(&["global.x"], &[]), true),
        ] {
            assert_eq!(first.conflicts(&second), conflict, "{first:?} {second:?}");
            assert_eq!(second.conflicts(&first), conflict);
        }
    }

    #[test]
    fn directories_conflict_as_paths_do() {
        use crate::side_effects::Directory;
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("below");
        let beside = folder.path().join("beside");
        for path in [&below, &beside] {
            std::fs::create_dir(path).expect("it is writable");
        }
        let of = |path: &std::path::Path, mode| {
            let mut set = LockSet::default();
            let directory = Directory::open("x", path).expect("it is there");
            set.add_directory(&directory.key, mode);
            set
        };
        let (shared, exclusive) = (LockMode::Shared, LockMode::Exclusive);
        let top = folder.path();
        for (one, other, conflict) in [
            (of(top, exclusive), of(top, exclusive), true),
            (of(top, exclusive), of(top, shared), true),
            (of(top, shared), of(top, shared), false),
            (of(top, exclusive), of(&below, shared), true),
            (of(&below, exclusive), of(&beside, exclusive), false),
            (of(top, exclusive), LockSet::whole(), false),
        ] {
            assert_eq!(one.conflicts(&other), conflict, "{one:?} {other:?}");
            assert_eq!(other.conflicts(&one), conflict);
        }
    }

    #[test]
    fn the_strongest_mode_counts() {
        let both = set(&["domain.a"], &["domain.a"]);
        assert!(both.conflicts(&set(&["domain.a"], &[])));
    }

    #[test]
    fn disjoint_runs_are_admitted_side_by_side_and_equal_ones_are_not() {
        let table = LockTable::default();
        let first = table.admit(set(&[], &["domain.a"]), soon()).expect("free");
        let second = table
            .admit(set(&[], &["domain.b"]), soon())
            .expect("disjoint");
        assert!(table.admit(set(&[], &["domain.a"]), soon()).is_err());
        drop(first);
        assert!(table.admit(set(&[], &["domain.a"]), soon()).is_ok());
        drop(second);
    }

    #[test]
    fn nobody_overtakes_an_earlier_conflicting_run() {
        let table = LockTable::default();
        let order = Mutex::new(Vec::new());
        let reader = table.admit(set(&["domain.a"], &[]), soon()).expect("free");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _writer = table
                    .admit(set(&[], &["domain.a"]), later())
                    .expect("admitted");
                order.lock().expect("order").push("writer");
            });
            while table.queue().waiting.is_empty() {
                std::thread::yield_now();
            }
            scope.spawn(|| {
                let _reader = table
                    .admit(set(&["domain.a"], &[]), later())
                    .expect("admitted");
                order.lock().expect("order").push("second reader");
            });
            while table.queue().waiting.len() < 2 {
                std::thread::yield_now();
            }
            // The second reader is compatible with the first, but the writer came before it.
            assert!(order.lock().expect("order").is_empty());
            drop(reader);
        });
        assert_eq!(*order.lock().expect("order"), ["writer", "second reader"]);
    }

    #[test]
    fn a_run_that_gives_up_lets_those_behind_it_in() {
        let table = LockTable::default();
        let reader = table.admit(set(&["domain.a"], &[]), soon()).expect("free");
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| table.admit(set(&[], &["domain.a"]), soon()).is_err());
            while table.queue().waiting.is_empty() {
                std::thread::yield_now();
            }
            let _second = table
                .admit(set(&["domain.a"], &[]), later())
                .expect("admitted");
            assert!(writer.join().expect("thread"));
        });
        drop(reader);
        assert!(table.queue().running.is_empty());
        assert!(table.queue().waiting.is_empty());
    }

    #[test]
    fn random_sets_neither_deadlock_nor_starve_nor_overlap() {
        const THREADS: usize = 32;
        const ROUNDS: usize = 60;
        let table = LockTable::default();
        let paths = [
            "domain",
            "domain.a",
            "domain.a.b",
            "domain.c",
            "domain.d[1]",
            "global.x",
            "domain.e",
        ];
        let writers: Vec<AtomicUsize> = paths.iter().map(|_| AtomicUsize::new(0)).collect();
        let done: Vec<AtomicUsize> = (0..THREADS).map(|_| AtomicUsize::new(0)).collect();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (table, paths, writers, done) = (&table, &paths, &writers, &done);
                scope.spawn(move || {
                    let mut state = 0x9e37_79b9_u64.wrapping_mul(thread as u64 + 1) | 1;
                    let mut random = move |below: usize| {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        usize::try_from(state % below as u64).expect("small")
                    };
                    for _ in 0..ROUNDS {
                        let write = random(paths.len());
                        let read = random(paths.len());
                        let set = set(&[paths[read]], &[paths[write]]);
                        let admitted = table
                            .admit(set, later())
                            .expect("no deadlock, no starvation");
                        assert_eq!(
                            writers[write].fetch_add(1, Ordering::SeqCst),
                            0,
                            "two writers of one path"
                        );
                        std::thread::yield_now();
                        writers[write].fetch_sub(1, Ordering::SeqCst);
                        done[thread].fetch_add(1, Ordering::SeqCst);
                        drop(admitted);
                    }
                });
            }
        });
        assert!(
            done.iter()
                .all(|count| count.load(Ordering::SeqCst) == ROUNDS)
        );
    }
}
