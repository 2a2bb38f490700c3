//! State directories: one host at a time, whole or not there, and nothing that is missing goes unnoticed.

use super::*;
use crate::store::{Damage, create, is_state, open, salvage, verify};
use std::fs;
use tempfile::tempdir;

fn commit(store: &dyn Store, number: u128) {
    let head = store.begin(store.head().version).expect("sound");
    assert!(kept(store.commit(vec![set(number, &head, "domain.a", 1)])));
}

fn error<T>(result: Result<T, StoreError>) -> StoreError {
    match result {
        Ok(_) => panic!("it must be refused"),
        Err(error) => error,
    }
}

#[test]
fn a_state_is_there_again_when_it_is_opened_again() {
    let folder = tempdir().expect("a folder");
    let state = folder.path().join("deep/state");
    assert!(!is_state(&state));
    assert_eq!(
        error(open(&state, |_, _| {})),
        StoreError::Missing(state.clone())
    );
    let store = create(&state, tree(r#"{"a":0}"#)).expect("a new one");
    for number in 1..=3 {
        commit(&*store, number);
    }
    let head = store.head();
    store.close().expect("sealed");
    drop(store);
    let mut progress = Vec::new();
    let store = open(&state, |seq, last| progress.push((seq, last))).expect("it opens");
    assert_eq!(store.head(), head);
    assert_eq!(progress, [(1, 3), (2, 3), (3, 3)]);
    drop(store);
    assert_eq!(
        error(create(&state, Tree::default())),
        StoreError::Exists(state)
    );
}

#[test]
fn a_second_host_is_refused() {
    let folder = tempdir().expect("a folder");
    let state = folder.path().to_owned();
    let store = create(&state, Tree::default()).expect("a new one");
    let in_use = StoreError::InUse(state.clone());
    assert_eq!(error(open(&state, |_, _| {})), in_use);
    assert_eq!(error(create(&state, Tree::default())), in_use);
    assert_eq!(error(verify(&state, None)), in_use);
    drop(store);
    assert!(open(&state, |_, _| {}).is_ok());
}

#[test]
fn a_creation_that_was_cut_short_is_begun_again() {
    let folder = tempdir().expect("a folder");
    for leftover in ["", "half a journal"] {
        fs::write(folder.path().join("journal.new"), leftover).expect("write");
        assert!(!is_state(folder.path()));
    }
    let store = create(folder.path(), tree(r#"{"a":0}"#)).expect("a new one");
    commit(&*store, 1);
    drop(store);
    assert_eq!(
        open(folder.path(), |_, _| {})
            .expect("it opens")
            .head()
            .version,
        1
    );
}

#[test]
fn what_is_missing_from_a_directory_is_damage() {
    type Change = fn(&std::path::Path);
    let gone = Damage::File("its journal is gone".into());
    let cases: [(Change, Damage); 4] = [
        (
            |state| fs::remove_file(state.join("journal.redb")).expect("there"),
            gone,
        ),
        (
            |state| fs::remove_file(state.join("seal")).expect("there"),
            Damage::File("its seal is missing".into()),
        ),
        (
            |state| fs::write(state.join("seal"), "theus-seal 1 2 00000000\n").expect("there"),
            Damage::File("its seal is not as it was written".into()),
        ),
        (
            |state| {
                // A copy of the journal from before the last commit.
                fs::copy(state.join("older"), state.join("journal.redb")).expect("there");
            },
            Damage::Short { found: 1, known: 2 },
        ),
    ];
    for (change, damage) in cases {
        let folder = tempdir().expect("a folder");
        let state = folder.path();
        let store = create(state, tree(r#"{"a":0}"#)).expect("a new one");
        commit(&*store, 1);
        drop(store);
        fs::copy(state.join("journal.redb"), state.join("older")).expect("there");
        let store = open(state, |_, _| {}).expect("it opens");
        commit(&*store, 2);
        store.close().expect("sealed");
        drop(store);
        change(state);
        let damaged = StoreError::Damaged(damage);
        assert_eq!(error(open(state, |_, _| {})), damaged);
    }
}

#[test]
fn a_file_that_is_no_journal_is_damage() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("journal.redb"), "no journal").expect("write");
    let refused = error(open(folder.path(), |_, _| {}));
    assert!(
        matches!(refused, StoreError::Damaged(Damage::File(_))),
        "{refused}"
    );
}

#[test]
fn a_salvaged_state_goes_on_from_its_last_sound_record() {
    let folder = tempdir().expect("a folder");
    let (state, new) = (folder.path().join("state"), folder.path().join("new"));
    let store = create(&state, tree(r#"{"a":0}"#)).expect("a new one");
    for number in 1..=3 {
        commit(&*store, number);
    }
    let head = store.head();
    drop(store);
    let verified = verify(&state, Some(head.hash)).expect("it can be read");
    assert_eq!((verified.sound, verified.expected), (head, Some(3)));
    assert_eq!(verified.damage, None);
    let salvaged = salvage(&state, &new).expect("a new one");
    assert_eq!((salvaged.last, salvaged.damage), (head, None));
    assert_eq!(
        error(salvage(&state, &new)),
        StoreError::Exists(new.clone())
    );
    let store = open(&new, |_, _| {}).expect("it opens");
    commit(&*store, 4);
    assert_eq!(store.head().seq, 4);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look_into_a_new_directory() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempdir().expect("a folder");
    let state = folder.path().join("state");
    drop(create(&state, Tree::default()).expect("a new one"));
    let mode = fs::metadata(&state).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
