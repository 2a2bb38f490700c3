//! Which records are asked for.

use clap::{Args, ValueEnum};
use theus_host::store::{Kept, Store, StoreError};
use theus_host::{Actor, Outcome};

/// Which records are asked for; all that are not ruled out.
#[derive(Args, Debug)]
pub(super) struct Filter {
    /// Only runs of this process
    #[arg(long, value_name = "PROCESS")]
    process: Option<String>,
    /// Only what was done by this one
    #[arg(long, value_name = "ACTOR", value_enum)]
    actor: Option<By>,
    /// Only what ended like this
    #[arg(long, value_name = "OUTCOME", value_enum)]
    outcome: Option<Ended>,
    /// Only what did not commit
    #[arg(long, conflicts_with = "outcome")]
    failed: bool,
}

/// The actors, as records name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// A process of a guest
    Process,
    /// The operator, by an edit
    Edit,
    /// The operator, who reset the interlock
    InterlockReset,
    /// The host, when it opened a state in which signals had values
    SignalsReset,
}

/// The outcomes, as records name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ended {
    /// It committed
    Committed,
    /// The guest was entered, and nothing remains
    RolledBack,
    /// The guest was not entered
    Refused,
}

/// Records that are read at once.
const PAGE: usize = 1_024;

impl Filter {
    /// Whether a record is asked for.
    pub(super) fn passes(&self, kept: &Kept) -> bool {
        let record = &kept.entry.record;
        let process = match &record.actor {
            Actor::Process { name, .. } => Some(&**name),
            _ => None,
        };
        self.process.as_deref().is_none_or(|it| process == Some(it))
            && self
                .actor
                .is_none_or(|it| By::of(&record.actor) == Some(it))
            && self.outcome.is_none_or(|it| it.outcome() == record.outcome)
            && !(self.failed && record.outcome == Outcome::Committed)
    }

    /// The last ones that pass, at most `most`, oldest first.
    pub(super) fn last(&self, store: &dyn Store, most: usize) -> Result<Vec<Kept>, StoreError> {
        let mut found = Vec::new();
        let mut end = store.head().seq;
        while end > 0 && found.len() < most {
            let begin = end.saturating_sub(PAGE as u64);
            let mut page = store.entries(begin, PAGE)?;
            // Where records are gone by compaction, the page is of later ones.
            page.retain(|kept| kept.entry.record.seq <= end && self.passes(kept));
            let room = most - found.len();
            found.extend(page.into_iter().rev().take(room));
            end = begin;
        }
        found.reverse();
        Ok(found)
    }

    /// The next ones behind a record that pass, at most `most`.
    pub(super) fn next(
        &self,
        store: &dyn Store,
        mut after: u64,
        most: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        let mut found = Vec::new();
        while found.len() < most {
            let page = store.entries(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.entry.record.seq;
            let room = most - found.len();
            found.extend(page.into_iter().filter(|kept| self.passes(kept)).take(room));
        }
        Ok(found)
    }
}

impl By {
    fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Process { .. } => Some(Self::Process),
            Actor::Edit => Some(Self::Edit),
            Actor::InterlockReset => Some(Self::InterlockReset),
            Actor::SignalsReset => Some(Self::SignalsReset),
            _ => None,
        }
    }
}

impl Ended {
    fn outcome(self) -> Outcome {
        match self {
            Self::Committed => Outcome::Committed,
            Self::RolledBack => Outcome::RolledBack,
            Self::Refused => Outcome::Refused,
        }
    }
}
