//! What runs that came to nothing leave behind.

use std::thread;

/// Fuel units, or bytes: what was made with less is let go of in less than a millisecond.
const MUCH: u64 = 1_000_000;

/// Lets go of something that `work` was spent on and nobody wants any more.
///
/// Values of millions of elements take a tenth of a second, which the caller of a run that is out of time would wait for, and
/// all who wait for its locks. So such a thing has a thread of its own until it is gone. There is one at most for each run that
/// did that much work, and it needs less time than the run had.
pub(crate) fn let_go<T: Send + 'static>(leftover: T, work: u64) {
    if work < MUCH {
        return;
    }
    let thread = thread::Builder::new().name("theus-leftovers".to_owned());
    // Where the system has no thread to give, the attempt itself lets go of it.
    if let Err(error) = thread.spawn(move || drop(leftover)) {
        tracing::debug!("no thread for what a run left behind: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Sender};
    use std::thread::ThreadId;

    /// Says which thread lets go of it.
    struct Says(Sender<ThreadId>);

    impl Drop for Says {
        fn drop(&mut self) {
            let told = self.0.send(thread::current().id());
            told.expect("somebody listens");
        }
    }

    #[test]
    fn only_much_has_a_thread_of_its_own() {
        for (work, here) in [(MUCH - 1, true), (MUCH, false)] {
            let (says, gone) = mpsc::channel();
            let_go(Says(says), work);
            let thread = gone.recv().expect("it is let go of");
            assert_eq!(thread == thread::current().id(), here, "{work}");
        }
    }
}
