//! The head: the last committed version of the context. Reading it never waits; changing it happens in one order.

use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};
use theus_core::transaction::Snapshot;

pub(crate) struct Head {
    current: ArcSwap<Snapshot>,
    // Held while a commit is ordered, and by whatever must lie between two commits.
    order: Mutex<()>,
}

impl Head {
    pub(crate) fn new(initial: Snapshot) -> Self {
        Self {
            current: ArcSwap::from_pointee(initial),
            order: Mutex::new(()),
        }
    }

    pub(crate) fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Replaces the head by what `apply` makes of it; `publish` runs once readers see it, before the next commit.
    ///
    /// Returns the version of the head afterwards. An `apply` that changes nothing leaves the version as it is.
    pub(crate) fn commit<E>(
        &self,
        apply: impl FnOnce(&Snapshot) -> Result<Snapshot, E>,
        publish: impl FnOnce(&Arc<Snapshot>),
    ) -> Result<u64, E> {
        self.exclusively(|| {
            let head = self.current.load();
            let next = apply(&head)?;
            let version = next.version;
            if version != head.version {
                let next = Arc::new(next);
                self.current.store(next.clone());
                publish(&next);
            }
            Ok(version)
        })
    }

    /// Runs something that no commit may overlap.
    pub(crate) fn exclusively<R>(&self, action: impl FnOnce() -> R) -> R {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        action()
    }
}
