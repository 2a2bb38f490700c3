//! Disks that fail: an acknowledged commit is there afterwards, half a commit never is, and no error is passed over.

use super::disk::Fault;
use super::*;
use crate::store::verify;
use proptest::prelude::*;
use std::sync::OnceLock;

fn pair(number: u128, head: &Snapshot) -> Commit {
    let value = i64::try_from(number).expect("small");
    // Two places in one commit: half of it would show as two that differ.
    Commit::new(entry(number, head, &["domain"], |transaction| {
        for place in ["domain.a", "domain.b"] {
            transaction
                .set(path(place), Value::Int(value))
                .expect("it fits");
        }
    }))
}

/// Commits until the disk fails, in groups; the number of commits that were acknowledged.
fn commit_until_failure(store: &dyn Store) -> u128 {
    let mut acknowledged = 0;
    for group in 0..40_u128 {
        let mut commits = Vec::new();
        let mut head = store.state().context;
        for index in 0..=group % 3 {
            let mut commit = pair(acknowledged + index + 1, &head);
            commit.entry.reads = std::sync::Arc::default();
            head.version += 1;
            commits.push(commit);
        }
        let len = commits.len() as u128;
        match store.commit(commits) {
            Ok(outcomes) => {
                assert!(kept(Ok(outcomes)));
                acknowledged += len;
            }
            Err(_) => return acknowledged,
        }
        if store.tend().is_err() {
            return acknowledged;
        }
        let head = store.head().version;
        if group % 9 == 8 && store.compact(head - 3).is_err() {
            return acknowledged;
        }
    }
    acknowledged
}

/// What must hold of a store that was opened again.
fn nothing_lost_or_torn(store: &dyn Store, acknowledged: u128) -> Result<(), TestCaseError> {
    let head = store.head();
    prop_assert!(
        u128::from(head.version) >= acknowledged,
        "{head:?} {acknowledged}"
    );
    let mut compacted = true;
    for version in 0..=head.version {
        let tree = match store.begin(version) {
            Err(StoreError::Compacted { .. }) if compacted => continue,
            other => other.expect("sound").tree,
        };
        compacted = false;
        let value = Some(&Value::Int(i64::try_from(version).expect("small")));
        prop_assert_eq!(tree.get(&path("domain.a")), value);
        prop_assert_eq!(tree.get(&path("domain.b")), value);
    }
    prop_assert!(!compacted, "the newest version is there");
    Ok(())
}

fn operations_of_a_whole_run() -> u64 {
    static ONCE: OnceLock<u64> = OnceLock::new();
    *ONCE.get_or_init(|| {
        let disk = Disk::default();
        let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
        let before = disk.operations();
        commit_until_failure(&store);
        disk.operations() - before
    })
}

/// A disk on which so many operations succeeded and then `fault` was there; and the commits that were acknowledged.
fn failed_after(operations: u64, fault: Fault) -> (Disk, u128) {
    let disk = Disk::default();
    let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
    disk.fail_after(operations, fault);
    let acknowledged = commit_until_failure(&store);
    (disk, acknowledged)
}

/// What must hold of a disk on which something failed, once it is well.
fn it_goes_on(disk: &Disk, acknowledged: u128) -> Result<(), TestCaseError> {
    let store = on_disk(disk, settings()).expect("it opens");
    nothing_lost_or_torn(&store, acknowledged)?;
    let verified = verify::verify(store.backend(), None).expect("it can be read");
    prop_assert_eq!(verified.damage, None);
    let head = store.begin(store.head().version).expect("sound");
    prop_assert!(kept(
        store.commit(vec![pair(u128::from(head.version) + 1, &head)])
    ));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(u32::try_from(rounds(64)).expect("it fits")))]

    /// The power goes at any operation; what was not synced is there or gone, sector by sector.
    #[test]
    fn an_acknowledged_commit_survives_power_loss(
        at in 0.0..1.0_f64,
        choices in prop::collection::vec(any::<bool>(), 1..200),
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
        let operations = (at * operations_of_a_whole_run() as f64) as u64;
        let (disk, acknowledged) = failed_after(operations, Fault::Everything);
        let mut choices = choices.iter().cycle();
        let after = disk.after_power_loss(|| *choices.next().expect("endless"));
        it_goes_on(&after, acknowledged)?;
    }
}

/// Each kind of fault, spread over all operations of a run with its groups, checkpoints and compactions.
#[test]
fn an_acknowledged_commit_survives_any_fault_at_any_operation() {
    let all = operations_of_a_whole_run();
    let step = (all / rounds(40) as u64).max(1);
    let mut failed = [0; 3];
    for (kind, fault) in [Fault::Everything, Fault::Syncs, Fault::Space]
        .into_iter()
        .enumerate()
    {
        for operations in (0..all).step_by(usize::try_from(step).expect("small")) {
            let (disk, acknowledged) = failed_after(operations, fault);
            failed[kind] += usize::from(disk.has_failed());
            disk.mend();
            let whole = it_goes_on(&disk, acknowledged);
            assert!(whole.is_ok(), "{fault:?} after {operations}: {whole:?}");
        }
    }
    assert!(failed.iter().all(|it| *it > 0), "{failed:?}");
}

/// Behind a fault nothing more is taken, whatever the fault and whatever was under way.
#[test]
fn nothing_is_taken_behind_a_fault() {
    for fault in [Fault::Everything, Fault::Syncs, Fault::Space] {
        let disk = Disk::default();
        let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
        for number in 1..=20 {
            let head = store.begin(number - 1).expect("sound");
            assert!(kept(store.commit(vec![pair(number.into(), &head)])));
        }
        disk.fail_after(0, fault);
        let head = store.begin(20).expect("sound");
        let next = || vec![pair(21, &head)];
        let failed = store.compact(20).expect_err("it is written");
        assert!(matches!(failed, StoreError::Io(_)), "{fault:?}: {failed}");
        disk.mend();
        let poisoned = |it: Option<StoreError>| matches!(it, Some(StoreError::Poisoned(_)));
        assert!(poisoned(store.commit(next()).err()), "{fault:?}");
        assert!(poisoned(store.compact(20).err()), "{fault:?}");
        drop(store);
        assert!(it_goes_on(&disk, 20).is_ok(), "{fault:?}");
    }
}

/// What makes commits of many threads cheap: a group of any size is one sync, but where the file grows.
#[test]
fn a_group_costs_one_sync() {
    let disk = Disk::default();
    let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), without_checkpoints());
    let mut syncs = Vec::new();
    for group in 0..20_u128 {
        let before = disk.syncs();
        let mut head = store.state().context;
        let commits = (1..=64).map(|number| {
            let mut commit = pair(group * 64 + number, &head);
            commit.entry.reads = std::sync::Arc::default();
            head.version += 1;
            commit
        });
        assert!(kept(store.commit(commits.collect())));
        syncs.push(disk.syncs() - before);
    }
    assert!(
        syncs.iter().filter(|it| **it == 1).count() > 15,
        "{syncs:?}"
    );
    assert!(syncs.iter().all(|it| *it <= 2), "{syncs:?}");
}

#[test]
fn a_failing_sync_poisons_the_store_until_it_is_opened_anew() {
    let disk = Disk::default();
    let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
    let head = store.begin(0).expect("sound");
    assert!(kept(store.commit(vec![pair(1, &head)])));
    disk.fail_after(0, Fault::Syncs);
    let head = store.begin(1).expect("sound");
    let failed = store.commit(vec![pair(2, &head)]).expect_err("no sync");
    assert!(matches!(failed, StoreError::Io(_)), "{failed}");
    // The disk is well again, and still nothing is taken: what lies on it is open.
    disk.mend();
    let refused = store.commit(vec![pair(3, &head)]).expect_err("poisoned");
    let text = refused.to_string();
    assert!(matches!(refused, StoreError::Poisoned(_)), "{text}");
    assert!(text.contains("the disk is gone"), "{text}");
    assert_eq!(store.head().version, 1, "what was not synced is not shown");
    drop(store);
    let store = on_disk(&disk, settings()).expect("it opens");
    assert!(nothing_lost_or_torn(&store, 1).is_ok());
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let disk = Disk::default();
    let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
    let head = store.begin(0).expect("sound");
    assert!(kept(store.commit(vec![pair(1, &head)])));
    disk.hold_at_most(disk.pages().len() as u64);
    let mut acknowledged = 1;
    let error = loop {
        let head = store.begin(acknowledged).expect("sound");
        let mut commit = pair(u128::from(acknowledged) + 1, &head);
        commit.entry.record.error = Some("x".repeat(300_000));
        match store.commit(vec![commit]) {
            Ok(outcomes) => {
                assert!(kept(Ok(outcomes)));
                acknowledged += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Io(_)), "{error}");
    assert!(
        store
            .commit(Vec::new())
            .is_err_and(|it| matches!(it, StoreError::Poisoned(_)))
    );
    disk.mend();
    drop(store);
    let store = on_disk(&disk, settings()).expect("it opens");
    assert!(nothing_lost_or_torn(&store, acknowledged.into()).is_ok());
}
