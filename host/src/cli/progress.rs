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
    let (working, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || watch(output, what, told, finished));
        // Dropped when the work ends, also where it panics: that is what the watcher waits for.
        let _working = working;
        work()
    })
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "a receiver belongs to one thread"
)]
fn watch(output: &Output, what: &str, told: &AtomicBool, finished: Receiver<()>) {
    let takes_long = finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
    if !takes_long || told.load(Ordering::Relaxed) {
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

#[cfg(test)]
mod tests {
    use super::super::color::When;
    use super::super::output::Format;
    use super::*;

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
