//! Metrics: what a recorder is told about runs.

use metrics_util::CompositeKey;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use std::collections::BTreeMap;
use theus_host::testing::Host;
use theus_host::{Outcome, args};

const RECIPE: &str = "
process_recipes:
  echo_name:
    inputs:
      - { field: name, neq: blocked, level: B }
      - { field: name, neq: odd, level: C }
";

/// The metrics by name and labels; of a histogram, all that was recorded.
struct Recorded(BTreeMap<String, DebugValue>);

impl Recorded {
    fn take(snapshotter: &Snapshotter) -> Self {
        let metrics = snapshotter.snapshot().into_vec();
        let named = metrics
            .into_iter()
            .map(|(key, _, _, value)| (name(&key), value));
        Self(named.collect())
    }

    #[track_caller]
    fn counter(&self, name: &str) -> u64 {
        match self.0.get(name) {
            Some(DebugValue::Counter(count)) => *count,
            other => panic!("{name} is {other:?}; there are {:?}", self.0.keys()),
        }
    }

    #[track_caller]
    fn histogram(&self, name: &str) -> Vec<f64> {
        match self.0.get(name) {
            Some(DebugValue::Histogram(values)) => values.iter().map(|it| it.0).collect(),
            other => panic!("{name} is {other:?}; there are {:?}", self.0.keys()),
        }
    }
}

/// `theus_runs_total process=increment outcome=committed`
fn name(key: &CompositeKey) -> String {
    let labels = key.key().labels();
    let labels = labels.map(|label| format!(" {}={}", label.key(), label.value()));
    format!("{}{}", key.key().name(), labels.collect::<String>())
}

#[test]
fn runs_verdicts_fuel_and_times_are_counted_by_process() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let host = Host::build("../guests/probe")
        .context(include_str!("../../guests/probe/context.yaml"))
        .recipe(RECIPE);
    // The handles are made when the guest is registered, which is when the engine starts.
    metrics::with_local_recorder(&recorder, || {
        let _ = host.engine();
    });

    let echo = |name: &str| host.run("echo_name", args! { "name" => name });
    let ended = [echo("odd"), echo("blocked"), echo("blocked"), echo("even")];
    assert_eq!(ended[1].outcome, Outcome::Refused);
    let counted = host.commits("increment", args! {});
    assert_eq!(
        host.run("unreachable", args! {}).outcome,
        Outcome::RolledBack
    );
    assert!(host.run("no_such_process", args! {}).error.is_some());

    let recorded = Recorded::take(&snapshotter);
    for (name, count) in [
        ("theus_runs_total process=echo_name outcome=committed", 2),
        ("theus_runs_total process=echo_name outcome=refused", 2),
        ("theus_runs_total process=echo_name outcome=rolled-back", 0),
        ("theus_runs_total process=increment outcome=committed", 1),
        (
            "theus_runs_total process=unreachable outcome=rolled-back",
            1,
        ),
        ("theus_verdicts_total process=echo_name action=block", 2),
        ("theus_verdicts_total process=echo_name action=warn", 1),
        ("theus_verdicts_total process=increment action=block", 0),
        ("theus_fuel_total process=increment", counted.stats.fuel),
    ] {
        assert_eq!(recorded.counter(name), count, "{name}");
    }
    let fuel: u64 = ended.iter().map(|it| it.stats.fuel).sum();
    assert_eq!(recorded.counter("theus_fuel_total process=echo_name"), fuel);

    // Whoever is refused at the input gate has taken time, and has waited for nobody.
    let calls = recorded.histogram("theus_call_seconds process=echo_name");
    let waits = recorded.histogram("theus_lock_wait_seconds process=echo_name");
    assert_eq!((calls.len(), waits.len()), (4, 2));
    assert!(
        calls
            .iter()
            .chain(&waits)
            .all(|seconds| (0.0..60.0).contains(seconds))
    );
}

#[test]
fn violations_that_were_let_pass_are_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let host = Host::build("../guests/probe")
        .context(include_str!("../../guests/probe/context.yaml"))
        .permissive();
    metrics::with_local_recorder(&recorder, || {
        let _ = host.engine();
    });
    host.commits("write_undeclared", args! {});
    host.commits("write_undeclared", args! {});
    host.commits("increment", args! {});
    let recorded = Recorded::take(&snapshotter);
    let violations =
        |process| recorded.counter(&format!("theus_violations_total process={process}"));
    assert_eq!(
        (violations("write_undeclared"), violations("increment")),
        (2, 0)
    );
}
