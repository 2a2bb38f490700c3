//! Doing something at a moment of a run that the host's trace tells of.

use std::sync::LazyLock;
use tracing::dispatcher::Dispatch;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Calls `at` with every message of the host's trace and with the name of every span that is made, while `run` runs on this
/// thread.
pub(crate) fn listening<R>(
    at: impl Fn(&str) + Send + Sync + 'static,
    run: impl FnOnce() -> R,
) -> R {
    LazyLock::force(&DEAF);
    tracing::subscriber::with_default(Listener(at), run)
}

/// Calls `at` with the same of every thread, for as long as the process lives: for one that is made to be killed.
pub(crate) fn listening_everywhere(at: impl Fn(&str) + Send + Sync + 'static) {
    tracing::subscriber::set_global_default(Listener(at)).expect("nobody else listens to all");
}

/// Hears nothing. With a second one there, `tracing` asks both who wants to hear of a place in the code, and not only the one
/// of the thread that happens to pass there first: another test's, which has none.
static DEAF: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Deaf));

struct Listener<F>(F);

struct Deaf;

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<F: Fn(&str) + Send + Sync + 'static> Subscriber for Listener<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("theus_host")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        (self.0)(span.metadata().name());
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        (self.0)(&message.0);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Subscriber for Deaf {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn event(&self, _: &Event<'_>) {}
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
