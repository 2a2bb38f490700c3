//! Who waits for a sync, and who does not: over a disk whose syncs end when the test says so.

use super::*;
use crate::store::directory::Seal;
use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Condvar, Mutex};

/// Where syncs wait.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<Shut>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Shut {
    is_shut: bool,
    waiting: usize,
}

#[derive(Debug)]
struct Slow<S>(S, Arc<Gate>);

impl Gate {
    fn shut(&self, is_shut: bool) {
        self.state.lock().expect("no panic").is_shut = is_shut;
        self.changed.notify_all();
    }

    fn until_somebody_syncs(&self) {
        let mut state = self.state.lock().expect("no panic");
        while state.waiting == 0 {
            state = self.changed.wait(state).expect("no panic");
        }
    }

    fn pass(&self) {
        let mut state = self.state.lock().expect("no panic");
        state.waiting += 1;
        self.changed.notify_all();
        while state.is_shut {
            state = self.changed.wait(state).expect("no panic");
        }
        state.waiting -= 1;
    }
}

/// Opens a gate when the test ends, whatever its end.
struct OpensAtTheEnd<'a>(&'a Gate);

impl Drop for OpensAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.shut(false);
    }
}

impl<S: StorageBackend> StorageBackend for Slow<S> {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1.pass();
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn no_read_waits_for_a_sync() {
    let gate = Arc::new(Gate::default());
    let storage = Slow(Disk::default().storage(), gate.clone());
    let backend = RedbBackend::on_storage(storage, Seal::Fixed(0)).expect("an empty disk");
    let initial = State::initial(tree(r#"{"a":0}"#)).expect("random");
    let store = Journal::create(backend, initial, without_checkpoints()).expect("an empty disk");
    for number in 1..=3 {
        let head = store.begin(store.head().version).expect("sound");
        assert!(kept(store.commit(vec![set(number, &head, "domain.a", 1)])));
    }
    let blob = store.keep_blob(b"one").expect("memory");
    let next = set(4, &store.begin(3).expect("sound"), "domain.a", 2);
    gate.shut(true);
    std::thread::scope(|scope| {
        let _opens = OpensAtTheEnd(&gate);
        let committed = scope.spawn(|| store.commit(vec![next]));
        gate.until_somebody_syncs();
        // The sync has begun, and will not end before all of this is read.
        assert_eq!(store.head().version, 3);
        assert_eq!(store.begin(2).expect("sound").version, 2);
        assert_eq!(store.entries(0, 9).expect("sound").len(), 3);
        assert_eq!(store.status(id(4)), Ok(crate::store::Status::Absent));
        assert_eq!(store.watch(1, Duration::ZERO).expect("sound").len(), 2);
        assert_eq!(store.keep_blob(b"two").map(drop), Ok(()));
        assert_eq!(store.blob(blob), Ok(Some(b"one".to_vec())));
        assert!(!committed.is_finished());
        gate.shut(false);
        assert!(kept(committed.join().expect("no panic")));
    });
    assert_eq!(store.head().version, 4);
}
