//! Opening a state: what an engine takes over from the life before, and what ends with that.

use crate::committer::Committer;
use crate::engine::Shared;
use crate::error::EngineBuildError;
use crate::interlock::InterlockState;
use crate::process::Process;
use crate::receipt::{Durability, Outcome};
use crate::record::{Actor, Record};
use crate::store::{Commit, CommitId, CountKey, Entry, Outcome as Kept, State, Store, StoreError};
use crate::subscription::Subscribers;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use theus_core::audit::Tracker;
use theus_core::context_guard::Mode;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::zone;

/// What an engine takes over from a store.
pub(crate) struct Opened {
    pub(crate) committer: Committer,
    pub(crate) context: Snapshot,
    pub(crate) interlock: InterlockState,
    pub(crate) tracker: Tracker,
    pub(crate) counts: Vec<(CountKey, u64)>,
}

/// Takes over what a store holds. Signals return to their initial values: they were events, for whoever listened.
pub(crate) fn open(
    store: Arc<dyn Store>,
    durability: Durability,
    mode: Mode,
    subscribers: Arc<Subscribers>,
) -> Result<Opened, EngineBuildError> {
    let mut state = store.state();
    if let Some(entry) = signals_reset(&state, mode)? {
        let outcomes = store.commit(vec![Commit::new(entry)])?;
        if !matches!(outcomes[..], [Kept::Kept(_)]) {
            let problem = format!("the reset of its signals was not kept: {outcomes:?}");
            return Err(StoreError::Poisoned(problem).into());
        }
        state = store.state();
    }
    let tracker = Tracker::default();
    tracker.number_after(state.count_order());
    let counts = state.counts().map(|(key, count)| (key.clone(), count));
    let counts = counts.collect();
    let interlock = InterlockState::restored(state.interlock().cloned(), state.interlock_order());
    let context = state.context;
    let committer = Committer::start(store, durability, context.clone(), subscribers)?;
    Ok(Opened {
        committer,
        context,
        interlock,
        tracker,
        counts,
    })
}

/// The commit that returns signals to their initial values; none where they have them.
fn signals_reset(state: &State, mode: Mode) -> Result<Option<Entry>, EngineBuildError> {
    let context = &state.context;
    let mut transaction = Transaction::begin(context.clone());
    for (path, value) in zone::signals(&context.tree) {
        let initial = state.initial_signals().iter().find(|(at, _)| *at == path);
        let reset = match initial {
            Some((_, initial)) if *initial == value => Ok(()),
            Some((_, initial)) => transaction.set(path, initial.clone()),
            None => transaction.remove(path).map(drop),
        };
        reset.map_err(crate::error::EditError::from)?;
    }
    for (path, initial) in state.initial_signals() {
        let parent = path.split_last().map(|(parent, _)| parent);
        let has_place = parent.is_some_and(|it| context.tree.get(&it).is_some());
        if has_place && context.tree.get(path).is_none() {
            let set = transaction.set(path.clone(), initial.clone());
            set.map_err(crate::error::EditError::from)?;
        }
    }
    if transaction.is_empty() {
        return Ok(None);
    }
    let record = Record {
        read_version: Some(context.version),
        outcome: Outcome::Committed,
        ..Record::of(Actor::SignalsReset, mode, Duration::ZERO)
    };
    let mut entry = Entry::new(CommitId::random()?, record);
    entry.writes = transaction.writes().to_vec();
    Ok(Some(entry))
}

impl Shared {
    /// Puts the counters of processes that are about to be registered where they stood.
    pub(crate) fn restore_counts(&self, processes: &HashMap<String, Arc<Process>>) {
        if self.kept_counts.is_empty() {
            return;
        }
        let known = self.processes.load();
        for (name, process) in processes {
            let Some(rules) = process.rules.as_ref().filter(|_| !known.contains_key(name)) else {
                continue;
            };
            let kept = self.kept_counts.iter();
            let counts = kept.filter(|(key, _)| *key.process == **name);
            let counts = counts.filter_map(|(key, count)| {
                Some((rules.find_lasting(key.gate, &key.rule)?, *count))
            });
            self.tracker.restore(rules, counts);
        }
    }
}
