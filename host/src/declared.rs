//! What the processes of a history declared: the contracts of the components that a store keeps.

use crate::guest::Guest;
use crate::store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use theus_core::contract::Contract;
use theus_core::limits::Limits;

/// The contracts of components, by their digests.
pub(crate) struct Contracts<'s> {
    store: &'s dyn Store,
    known: HashMap<Arc<str>, Vec<Contract>>,
}

impl<'s> Contracts<'s> {
    pub(crate) fn of(store: &'s dyn Store) -> Self {
        Self {
            store,
            known: HashMap::new(),
        }
    }

    /// The contract that a process had in a component; none where the component is not kept.
    pub(crate) fn find(
        &mut self,
        process: &str,
        digest: &Arc<str>,
    ) -> Result<Option<Contract>, StoreError> {
        if !self.known.contains_key(digest) {
            let contracts = self.read(digest)?;
            self.known.insert(digest.clone(), contracts);
        }
        let known = self.known.get(digest);
        let contract = known.and_then(|all| all.iter().find(|it| it.name == process));
        Ok(contract.cloned())
    }

    fn read(&self, digest: &str) -> Result<Vec<Contract>, StoreError> {
        // An engine's own closure has a digest of another form, and no component.
        let Ok(digest) = digest.parse() else {
            return Ok(Vec::new());
        };
        let Some(bytes) = self.store.blob(digest)? else {
            return Ok(Vec::new());
        };
        // It was registered under limits of its own; only what it declares is looked at here.
        let limits = Limits {
            component_bytes: u64::MAX,
            memory_bytes: u64::MAX,
            table_elements: u64::MAX,
            ..Limits::default()
        };
        Ok(Guest::read(&bytes, &limits).map_or_else(|_| Vec::new(), |guest| guest.contracts))
    }
}
