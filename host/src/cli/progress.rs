//! Progress: said only of what takes longer than a second.

use super::output::{Output, Verbosity};
use super::text::escape;
use indicatif::ProgressBar;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);
const FRAME: Duration = Duration::from_millis(100);

/// Does `work`; says what it is where it takes long: a spinner on a terminal, else one line.
pub(super) fn during<R>(output: &Output, what: &str, work: impl FnOnce() -> R) -> R {
    during_unless(output, what, &AtomicBool::new(false), work)
}

/// The same, unless the work itself turns out to say what it does.
pub(super) fn during_unless<R>(
    output: &Output,
    what: &str,
    told: &AtomicBool,
    work: impl FnOnce() -> R,
) -> R {
    if output.verbosity == Verbosity::Quiet {
        return work();
    }
    watched(|finished| watch(output, what, told, finished), work)
}

/// Does `work` while `watch` waits for its end on another thread.
fn watched<R>(watch: impl FnOnce(&Receiver<()>) + Send, work: impl FnOnce() -> R) -> R {
    let (working, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || watch(&finished));
        // Dropped when the work ends, also where it panics: that is what the watcher waits for.
        let _working = working;
        work()
    })
}

fn watch(output: &Output, what: &str, told: &AtomicBool, finished: &Receiver<()>) {
    if !takes_longer(PATIENCE, told, finished) {
        return;
    }
    let what = escape(what);
    if std::io::stderr().is_terminal() {
        let spinner = ProgressBar::new_spinner().with_message(format!("{what} ..."));
        spinner.enable_steady_tick(FRAME);
        let _ = finished.recv();
        spinner.finish_and_clear();
    } else {
        output.note(&format!("{what} ...\n"));
    }
}

/// Whether the work is still going on after that time, and does not say so itself.
fn takes_longer(patience: Duration, told: &AtomicBool, finished: &Receiver<()>) -> bool {
    let goes_on = finished.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
    goes_on && !told.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::super::color::When;
    use super::super::output::Format;
    use super::*;

    /// What the watcher found, of work that lasts as long as it looks, or ends at once.
    fn found(told: bool, lasts: bool) -> bool {
        let (told, (tell, heard)) = (AtomicBool::new(told), mpsc::channel());
        let patience = if lasts { Duration::ZERO } else { Duration::MAX };
        let watch = |finished: &Receiver<()>| {
            tell.send(takes_longer(patience, &told, finished))
                .expect("somebody listens");
        };
        let work = || lasts.then(|| heard.recv().expect("the watcher found something"));
        let seen = watched(watch, work);
        seen.unwrap_or_else(|| heard.recv().expect("the watcher found something"))
    }

    #[test]
    fn only_what_takes_long_is_told_unless_it_tells_itself() {
        assert!(found(false, true));
        assert!(!found(true, true));
        assert!(!found(false, false));
    }

    #[test]
    fn work_is_done_and_its_panic_is_passed_on() {
        let output = Output::plain(Format::Text, When::Never);
        assert_eq!(during(&output, "counting", || 42), 42);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            during(&output, "failing", || panic!("as expected"));
        }));
        assert!(panicked.is_err());
    }
}
