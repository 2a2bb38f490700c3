//! Subscriptions: committed signals, in commit order, for whoever listens.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use theus_core::transaction::Signal;

/// What a subscriber receives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A signal was committed.
    Signal {
        /// The version that the commit made.
        version: u64,
        /// The place and its value.
        signal: Signal,
    },
    /// The subscriber was too slow: signals are missing from this version on.
    Gap {
        /// The version of the first signal that was dropped.
        version: u64,
    },
}

/// A bounded queue of committed signals. Commits never wait for it.
#[derive(Debug)]
pub struct Subscription {
    queue: Arc<EventQueue>,
}

/// The subscribers of an engine.
#[derive(Default)]
pub(crate) struct Subscribers {
    queues: Mutex<Vec<Weak<EventQueue>>>,
}

#[derive(Debug)]
struct EventQueue {
    events: Mutex<VecDeque<Event>>,
    arrived: Condvar,
    capacity: usize,
}

/// Events that a subscription holds before it drops what comes.
pub(crate) const CAPACITY: usize = 1_024;

impl Subscription {
    /// Takes the next event, if one is there.
    #[must_use]
    pub fn try_next(&self) -> Option<Event> {
        self.queue.events().pop_front()
    }

    /// Waits for the next event, at most `timeout`.
    #[must_use]
    pub fn next_timeout(&self, timeout: Duration) -> Option<Event> {
        let deadline = Instant::now().checked_add(timeout);
        let mut events = self.queue.events();
        loop {
            if let Some(event) = events.pop_front() {
                return Some(event);
            }
            let left = deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return None;
            }
            events = self
                .queue
                .arrived
                .wait_timeout(events, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Subscribers {
    pub(crate) fn subscribe(&self, capacity: usize) -> Subscription {
        let queue = Arc::new(EventQueue {
            events: Mutex::new(VecDeque::new()),
            arrived: Condvar::new(),
            capacity,
        });
        self.queues().push(Arc::downgrade(&queue));
        Subscription { queue }
    }

    /// Hands the signals of one commit to everybody. Called in commit order.
    pub(crate) fn publish(&self, version: u64, signals: &[Signal]) {
        if signals.is_empty() {
            return;
        }
        self.queues().retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.publish(version, signals);
                true
            }
            None => false,
        });
    }

    fn queues(&self) -> MutexGuard<'_, Vec<Weak<EventQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventQueue {
    fn publish(&self, version: u64, signals: &[Signal]) {
        let mut events = self.events();
        for signal in signals {
            if events.len() < self.capacity {
                events.push_back(Event::Signal {
                    version,
                    signal: signal.clone(),
                });
            } else if !matches!(events.back(), Some(Event::Gap { .. })) {
                // The gap takes the one place over the capacity, so it is never lost itself.
                events.push_back(Event::Gap { version });
            }
        }
        drop(events);
        self.arrived.notify_all();
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use theus_core::path::Path;
    use theus_core::value::Value;

    fn signals(count: i64) -> Vec<Signal> {
        (0..count)
            .map(|number| Signal {
                path: Path::parse("domain.sig_x").expect("path"),
                value: Value::Int(number),
            })
            .collect()
    }

    #[test]
    fn a_slow_subscriber_sees_a_gap_and_commits_do_not_wait() {
        let subscribers = Subscribers::default();
        let slow = subscribers.subscribe(2);
        subscribers.publish(1, &signals(1));
        subscribers.publish(2, &signals(3));
        subscribers.publish(3, &signals(1));
        assert!(matches!(
            slow.try_next(),
            Some(Event::Signal { version: 1, .. })
        ));
        assert!(matches!(
            slow.try_next(),
            Some(Event::Signal { version: 2, .. })
        ));
        assert_eq!(slow.try_next(), Some(Event::Gap { version: 2 }));
        assert_eq!(slow.try_next(), None);
        subscribers.publish(4, &signals(1));
        assert!(matches!(
            slow.try_next(),
            Some(Event::Signal { version: 4, .. })
        ));
    }

    #[test]
    fn a_dropped_subscription_is_forgotten() {
        let subscribers = Subscribers::default();
        drop(subscribers.subscribe(2));
        subscribers.publish(1, &signals(1));
        assert!(subscribers.queues().is_empty());
    }

    #[test]
    fn waiting_ends_with_an_event_or_the_timeout() {
        let subscribers = Subscribers::default();
        let subscription = subscribers.subscribe(2);
        assert_eq!(subscription.next_timeout(Duration::from_millis(1)), None);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| subscription.next_timeout(Duration::from_secs(60)));
            subscribers.publish(7, &signals(1));
            assert!(matches!(
                waiter.join().expect("thread"),
                Some(Event::Signal { version: 7, .. })
            ));
        });
    }
}
