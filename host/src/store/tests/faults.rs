//! Disks that fail: an acknowledged commit is there afterwards, half a commit never is, and no error is passed over.

use super::disk::Fault;
use super::*;
use proptest::prelude::*;

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
    for version in 0..=head.version {
        let tree = store.begin(version).expect("sound").tree;
        let value = Some(&Value::Int(i64::try_from(version).expect("small")));
        prop_assert_eq!(tree.get(&path("domain.a")), value);
        prop_assert_eq!(tree.get(&path("domain.b")), value);
    }
    Ok(())
}

fn operations_of_a_whole_run() -> u64 {
    let disk = Disk::default();
    let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
    let before = disk.operations();
    commit_until_failure(&store);
    disk.operations() - before
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The power goes at any operation; what was not synced is there or gone, sector by sector.
    #[test]
    fn an_acknowledged_commit_survives_power_loss(
        at in 0.0..1.0_f64,
        choices in prop::collection::vec(any::<bool>(), 1..200),
    ) {
        let disk = Disk::default();
        let store = created_on(&disk, tree(r#"{"a":0,"b":0}"#), settings());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
        let operations = (at * operations_of_a_whole_run() as f64) as u64;
        disk.fail_after(operations, Fault::Everything);
        let acknowledged = commit_until_failure(&store);
        let mut choices = choices.iter().cycle();
        let after = disk.after_power_loss(|| *choices.next().expect("endless"));
        drop(store);
        let store = on_disk(&after, settings()).expect("it opens");
        nothing_lost_or_torn(&store, acknowledged)?;
        // And it goes on from there.
        let head = store.begin(store.head().version).expect("sound");
        prop_assert!(kept(store.commit(vec![pair(u128::from(head.version) + 1, &head)])));
    }
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
