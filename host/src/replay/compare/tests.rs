use super::*;
use crate::record::Record;
use crate::store::CommitId;
use std::time::Duration;
use theus_core::context_guard::Mode;
use theus_core::limits::LimitExceeded;
use theus_core::path::Path;
use theus_core::transaction::{Effect, Snapshot};

/// Room for a little more than what `StoreLimits::check` keeps for itself.
const LIMITS: StoreLimits = StoreLimits {
    entry_bytes: 2 << 20,
    batch: 1,
};

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

fn message(topic: &str, payload: &str) -> OutboxMessage {
    OutboxMessage {
        topic: topic.into(),
        payload: payload.as_bytes().into(),
    }
}

fn transaction(writes: &[(&str, Value)]) -> Transaction {
    let mut transaction = Transaction::begin(Snapshot::default());
    for (place, value) in writes {
        let set = transaction.set(path(place), value.clone());
        set.expect("it fits");
    }
    transaction
}

/// A record, and what a run that ended so leaves.
fn entry(error: Option<&str>) -> Entry {
    let actor = Actor::Process {
        name: "p".into(),
        digest: None,
    };
    let record = Record {
        fuel: 7,
        error: error.map(str::to_owned),
        outcome: match error {
            None => Outcome::Committed,
            Some(_) => Outcome::RolledBack,
        },
        ..Record::of(actor, Mode::Strict, Duration::ZERO)
    };
    Entry::new(CommitId::from_bytes([1; 16]), record)
}

/// The record of a commit, and the same run again.
fn committed() -> (Entry, Rerun) {
    let mut transaction = transaction(&[("domain.a", 0.0.into()), ("domain.b", 2.into())]);
    transaction.send(message("t", "m"));
    let mut entry = entry(None);
    entry.writes = transaction.writes().to_vec();
    entry.outbox = transaction.outbox().to_vec();
    entry.result = Some(f64::NAN.into());
    let rerun = Rerun {
        ended: Ok(transaction),
        result: entry.result.clone(),
        fuel: 7,
        compiler: Compiler::Same,
    };
    (entry, rerun)
}

fn failed(code: &str) -> RunError {
    RunError::Failure {
        process: "p".into(),
        code: code.into(),
        message: String::new(),
    }
}

fn over(limit: Limit) -> RunError {
    RunError::Limit {
        process: "p".into(),
        exceeded: LimitExceeded {
            limit,
            allowed: 1,
            asked: None,
        },
    }
}

/// What is different, if anything is.
fn found(entry: &Entry, rerun: &Rerun) -> Result<Option<What>, Apart> {
    let promise = Promise::of(entry)?;
    if !promise.holds_for(rerun.compiler) {
        return Err(Apart::OtherCompiler);
    }
    let difference = compare(entry, promise, rerun, LIMITS)?;
    Ok(difference.map(|it| it.what))
}

#[test]
fn every_bit_of_a_commit_counts() {
    type Change = fn(&mut Entry);
    let set = |value: f64| Effect::Set(value.into());
    let (entry, rerun) = committed();
    assert_eq!(found(&entry, &rerun), Ok(None));
    assert_eq!(entry.writes[0].effect, set(0.0));
    let changes: [(Change, What); 14] = [
        (
            // What a comparison of numbers takes for equal.
            |it| it.writes[0].effect = Effect::Set((-0.0).into()),
            What::Write(1),
        ),
        (
            |it| it.writes[1].effect = Effect::Set(2.0.into()),
            What::Write(2),
        ),
        (|it| it.writes.swap(0, 1), What::Write(1)),
        (|it| it.writes[1].effect = Effect::Remove, What::Write(2)),
        (|it| it.writes[1].path = path("domain.c"), What::Write(2)),
        (|it| it.writes.truncate(1), What::Write(2)),
        (|it| it.writes.push(it.writes[0].clone()), What::Write(3)),
        (|it| it.outbox[0] = message("t", "n"), What::Message(1)),
        (|it| it.outbox[0] = message("u", "m"), What::Message(1)),
        (|it| it.outbox.clear(), What::Message(1)),
        (|it| it.result = None, What::Result),
        (|it| it.result = Some(Value::Nil), What::Result),
        (|it| it.record.error = Some("E".into()), What::Error),
        (|it| it.record.fuel += 1, What::Fuel),
    ];
    for (change, what) in changes {
        let (mut entry, rerun) = committed();
        change(&mut entry);
        assert_eq!(found(&entry, &rerun), Ok(Some(what)));
    }
    // The first of several.
    let (mut entry, rerun) = committed();
    entry.record.fuel += 1;
    entry.result = None;
    assert_eq!(found(&entry, &rerun), Ok(Some(What::Result)));
}

#[test]
fn an_ending_counts_as_far_as_it_is_promised() {
    use Compiler::{Other, Same};
    let declared = || Some(failed("ValueError"));
    let limit = |limit| Some(over(limit));
    let (same, error, fuel) = (Ok(None), Ok(Some(What::Error)), Ok(Some(What::Fuel)));
    let other_compiler = Err(Apart::OtherCompiler);
    let cases = [
        ("ValueError", declared(), 7, Same, same),
        ("ValueError", declared(), 8, Same, fuel),
        ("OtherError", declared(), 7, Same, error),
        ("OtherError", None, 7, Same, error),
        ("THEUS-L001", limit(Limit::Fuel), 8, Same, same),
        ("THEUS-L001", None, 7, Same, error),
        ("THEUS-L003", limit(Limit::Fuel), 7, Same, error),
        ("THEUS-C002", None, 7, Same, error),
        // Refused behind a guest that had ended in order.
        ("THEUS-A001", None, 7, Same, same),
        ("THEUS-A001", None, 8, Same, fuel),
        ("THEUS-A001", declared(), 7, Same, error),
        ("THEUS-A003", None, 8, Same, fuel),
        ("THEUS-A004", None, 8, Same, fuel),
        ("THEUS-C011", None, 8, Same, fuel),
        // Nothing is promised of time, neither then nor now.
        ("THEUS-L002", None, 7, Same, Err(Apart::OutOfTime)),
        (
            "ValueError",
            limit(Limit::Time),
            7,
            Same,
            Err(Apart::TooSlow),
        ),
        ("THEUS-H001", None, 7, Same, Err(Apart::HostFailed)),
        // Another compiler makes code that costs otherwise, and does the same.
        ("OtherError", declared(), 7, Other, error),
        ("THEUS-T001", None, 7, Other, error),
        ("ValueError", limit(Limit::Fuel), 7, Other, other_compiler),
        ("THEUS-L001", limit(Limit::Fuel), 7, Other, other_compiler),
        ("THEUS-L004", None, 7, Other, other_compiler),
        ("THEUS-A001", None, 7, Other, other_compiler),
    ];
    for (recorded, ended, fuel, compiler, expected) in cases {
        let described = format!("{recorded} {ended:?} {fuel} {compiler:?}");
        let rerun = Rerun {
            ended: ended.map_or_else(|| Ok(transaction(&[])), Err),
            result: None,
            fuel,
            compiler,
        };
        assert_eq!(
            found(&entry(Some(recorded)), &rerun),
            expected,
            "{described}"
        );
    }
}

/// The store's own refusal has the code of a guest that writes too much; a guest that did not is not to pass for one.
#[test]
fn what_was_too_large_for_the_store_was_no_ending_of_the_guest() {
    let entry = entry(Some("THEUS-L009"));
    let rerun = |bytes: usize, fuel| Rerun {
        ended: Ok(transaction(&[(
            "domain.a",
            "a".repeat(bytes).as_str().into(),
        )])),
        result: None,
        fuel,
        compiler: Compiler::Same,
    };
    assert_eq!(found(&entry, &rerun(1, 7)), Ok(Some(What::Error)));
    assert_eq!(found(&entry, &rerun(2 << 20, 7)), Ok(None));
    assert_eq!(found(&entry, &rerun(2 << 20, 8)), Ok(Some(What::Fuel)));
}

/// What would be applied without having been compared with anything.
#[test]
fn nothing_remains_of_what_failed() {
    let (whole, _) = committed();
    let effects = |entry: &mut Entry, kept: [bool; 3]| {
        let [writes, messages, result] = kept;
        if writes {
            entry.writes.clone_from(&whole.writes);
        }
        if messages {
            entry.outbox.clone_from(&whole.outbox);
        }
        if result {
            entry.result.clone_from(&whole.result);
        }
    };
    let what = |entry: &Entry| contradiction(entry).map(|it| (it.what, it.found));
    for outcome in [Outcome::RolledBack, Outcome::Refused] {
        for (kept, expected) in [
            ([false, false, false], None),
            ([true, false, false], Some(What::Write(1))),
            ([false, true, false], Some(What::Message(1))),
            ([false, false, true], Some(What::Result)),
        ] {
            for error in ["ValueError", "THEUS-L002", "THEUS-A001"] {
                let mut entry = entry(Some(error));
                entry.record.outcome = outcome;
                effects(&mut entry, kept);
                assert_eq!(what(&entry), expected.map(|it| (it, None)), "{entry:?}");
                entry.record.actor = Actor::Edit;
                assert_eq!(what(&entry), expected.map(|it| (it, None)), "{entry:?}");
            }
        }
    }
    let mut entry = entry(None);
    effects(&mut entry, [true; 3]);
    assert_eq!(what(&entry), None);
    entry.record.error = Some("ValueError".into());
    assert_eq!(what(&entry), Some((What::Error, None)));
    (entry.record.error, entry.record.outcome) = (None, Outcome::RolledBack);
    assert_eq!(what(&entry), Some((What::Error, None)));
}

#[test]
fn a_reset_writes_what_it_resets_and_nothing_else() {
    let mut entry = entry(None);
    let what = |entry: &Entry| contradiction(entry).map(|it| it.what);
    let writes = |places: &[&str]| {
        let writes: Vec<_> = places.iter().map(|it| (*it, 1.into())).collect();
        let transaction = transaction(&writes);
        transaction.writes().to_vec()
    };
    for (actor, places, expected) in [
        (Actor::Edit, ["domain.a"].as_slice(), None),
        (Actor::SignalsReset, &["domain.sig_a", "domain.cmd_b"], None),
        (
            Actor::SignalsReset,
            &["domain.sig_a", "domain.a"],
            Some(What::Write(2)),
        ),
        (Actor::InterlockReset, &[], None),
        (Actor::InterlockReset, &["domain.a"], Some(What::Write(1))),
    ] {
        entry.record.actor = actor;
        entry.writes = writes(places);
        assert_eq!(what(&entry), expected, "{entry:?}");
    }
}
