//! Spans: what a subscriber of `tracing` is told about a run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use theus_host::testing::Host;
use theus_host::{Map, Step, args};
use tracing::dispatcher::Dispatch;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down which spans are entered and left.
#[derive(Clone, Default)]
struct Listener {
    spans: Arc<Mutex<Vec<String>>>,
    entered: Arc<Mutex<Vec<String>>>,
    last_id: Arc<AtomicU64>,
}

/// Finds the field `process`, and `mode` where that is not strict.
#[derive(Default)]
struct Process(Option<String>, String);

impl Visit for Process {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "mode" && value != "strict" {
            self.1 = format!(" {value}");
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "process" {
            self.0 = Some(format!("{value:?}"));
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("theus_host")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut process = Process::default();
        span.record(&mut process);
        let name = span.metadata().name();
        let name = process
            .0
            .map_or_else(|| name.to_owned(), |it| format!("{name} {it}{}", process.1));
        self.spans.lock().expect("unbroken").push(name);
        Id::from_u64(self.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn enter(&self, id: &Id) {
        let name = self.name(id);
        self.entered.lock().expect("unbroken").push(name);
    }

    fn exit(&self, id: &Id) {
        let name = format!("/{}", self.name(id));
        self.entered.lock().expect("unbroken").push(name);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
}

/// Hears nothing. While it is there, `tracing` asks all subscribers who wants to hear of a place in the code when that is
/// first passed. Where there is only one subscriber it asks that of the passing thread: another test's, which has none.
static DEAF: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Deaf));

struct Deaf;

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

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Listener {
    fn name(&self, id: &Id) -> String {
        let index = usize::try_from(id.into_u64() - 1).expect("small");
        self.spans.lock().expect("unbroken")[index].clone()
    }
}

/// The spans of one run, in the order in which they are entered and left.
fn spans(host: &Host, process: &str, args: Map) -> Vec<String> {
    LazyLock::force(&DEAF);
    // Starting the engine is not a part of the run.
    host.engine();
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), || host.run(process, args));
    let entered = listener.entered.lock().expect("unbroken");
    entered.clone()
}

fn probe() -> Host {
    Host::build("../guests/probe").context(include_str!("../../guests/probe/context.yaml"))
}

#[test]
fn a_run_is_a_span_and_its_seven_steps_are_spans_in_it() {
    let spans = spans(&probe(), "increment", args! {});
    assert_eq!(spans.first().map(String::as_str), Some("run increment"));
    assert_eq!(spans.last().map(String::as_str), Some("/run increment"));
    // No step lies in another one: each is left before the next is entered.
    let steps: Vec<&str> = spans[1..spans.len() - 1]
        .chunks(2)
        .map(|step| {
            assert_eq!(step[1], format!("/{}", step[0]));
            step[0].as_str()
        })
        .collect();
    let mut in_order = steps.clone();
    // The sandbox is made ahead of the lock; its time, and so its span, is the execution's.
    assert_eq!(in_order.remove(1), "execution", "{steps:?}");
    assert_eq!(in_order, Step::ALL.map(Step::name), "{steps:?}");
}

#[test]
fn a_run_that_ends_early_has_no_later_spans() {
    let spans = spans(&probe(), "read_undeclared", args! {});
    assert!(spans.contains(&"execution".to_owned()), "{spans:?}");
    assert!(!spans.contains(&"output-gate".to_owned()), "{spans:?}");
    assert_eq!(
        spans.last().map(String::as_str),
        Some("/run read_undeclared")
    );
}

#[test]
fn a_permissive_run_is_marked() {
    let spans = spans(&probe().permissive(), "read_undeclared", args! {});
    assert_eq!(spans[0], "run read_undeclared permissive");
}
