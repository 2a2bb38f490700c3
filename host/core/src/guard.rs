//! The guard: may this call touch this place? Pure code over parsed paths.
//!
//! A grant covers its own place and everything below it *of its own zone*. A data grant therefore neither shows nor
//! replaces signal, meta, heavy or private keys that lie below it.

mod violation;

pub use self::violation::{Lacking, Reason, Violation};

use crate::limits::{Limit, LimitExceeded, Limits};
use crate::path::{Path, Segment};
use crate::pattern::{FillError, PathPattern};
use crate::topic::{TopicWithheld, Topics};
use crate::value::Map;
use crate::zone::{Hidden, Zone};
use std::cmp::Ordering;

/// What one call may touch: the contract's paths with the arguments filled in.
#[derive(Clone, Debug)]
pub struct Guard {
    inputs: Vec<Granted>,
    outputs: Vec<Granted>,
    // The grant's own paths by their text: what a guest most often names need not be parsed again. Sorted by length, then
    // by text: a look-up compares few texts in full.
    interned: Vec<(Box<str>, Path)>,
    // The contract's own guard, where a policy narrows it: asked only where this one has refused, to say which of the two did.
    contract: Option<Box<Guard>>,
    // The topics that the policy leaves; none where it leaves all.
    topics: Option<Topics>,
}

#[derive(Clone, Debug)]
struct Granted {
    path: Path,
    zone: Zone,
    // An index names an element only as long as its siblings stay: such a grant allows `set` and nothing else.
    indexed: bool,
}

/// An operation that changes the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOp {
    /// Replaces a value.
    Set,
    /// Appends to a list.
    Push,
    /// Removes a value.
    Remove,
}

impl Guard {
    /// Creates a guard from a call's filled-in inputs and outputs.
    #[must_use]
    pub fn new(inputs: Vec<Path>, outputs: Vec<Path>) -> Self {
        let granted = |paths: Vec<Path>| paths.into_iter().map(Granted::new).collect();
        Self {
            inputs: granted(inputs),
            outputs: granted(outputs),
            interned: Vec::new(),
            contract: None,
            topics: None,
        }
    }

    /// Grants these topics and no others; none: every topic.
    #[must_use]
    pub fn sending_to(mut self, topics: Option<Topics>) -> Self {
        self.topics = topics;
        self
    }

    /// Decides whether a message may go to a topic.
    ///
    /// # Errors
    ///
    /// [`TopicWithheld`] where the policy does not grant it.
    pub fn send(&self, topic: &str) -> Result<(), Box<TopicWithheld>> {
        let topics = self.topics.as_ref();
        topics.map_or(Ok(()), |topics| topics.allow(topic))
    }

    /// Says that a policy has narrowed the contract, whose own guard this is: a refusal then tells which of them refuses.
    #[must_use]
    pub fn within(mut self, contract: Self) -> Self {
        self.contract = Some(Box::new(contract));
        self
    }

    /// Remembers the text of every granted path: worth it for a guard that serves more than one call.
    #[must_use]
    pub fn interned(mut self) -> Self {
        let paths = self.inputs.iter().chain(&self.outputs);
        self.interned = paths
            .map(|granted| (granted.path.to_string().into(), granted.path.clone()))
            .collect();
        self.interned
            .sort_by(|(one, _), (other, _)| by_length(one, other));
        self.interned.dedup();
        self
    }

    /// The parsed form of a text, where it is the canonical text of a granted path.
    #[inline]
    pub(crate) fn parsed(&self, text: &str) -> Option<&Path> {
        let found = self
            .interned
            .binary_search_by(|(known, _)| by_length(known, text));
        found.ok().map(|at| &self.interned[at].1)
    }

    /// Decides whether a place may be read, and what stays hidden below it.
    ///
    /// # Errors
    ///
    /// [`Violation`] where no readable grant covers the place.
    #[inline]
    pub fn read(&self, path: &Path, operation: &'static str) -> Result<Hidden, Box<Violation>> {
        let zone = path.zone();
        let covered = || {
            self.inputs
                .iter()
                .chain(&self.outputs)
                .any(|granted| granted.covers(path, zone))
        };
        if path.is_private() || !zone.is_readable() || !covered() {
            return Err(self.refuse_read(path, operation));
        }
        Ok(hidden_below(zone))
    }

    /// Decides whether a place may be written, and what the write must not cover.
    ///
    /// # Errors
    ///
    /// [`Violation`] where no output covers the place, or none that covers it allows the operation.
    #[inline]
    pub fn write(&self, path: &Path, op: WriteOp) -> Result<Hidden, Box<Violation>> {
        let zone = path.zone();
        let allowed = |granted: &Granted| {
            granted.covers(path, zone)
                && (op == WriteOp::Set || (zone.is_readable() && !granted.indexed))
        };
        if path.is_private() || !self.outputs.iter().any(allowed) {
            return Err(self.refuse_write(path, op, zone));
        }
        Ok(hidden_below(zone))
    }

    /// The places that the call may read, as declared.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.inputs.iter().map(|granted| &granted.path)
    }

    /// The places that the call may write, as declared.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> {
        self.outputs.iter().map(|granted| &granted.path)
    }

    /// A violation that only a look at the values could find.
    #[cold]
    pub(crate) fn refuse_value(&self, path: &Path, op: WriteOp, reason: Reason) -> Box<Violation> {
        Box::new(Violation {
            path: path.clone(),
            operation: op.name(),
            reason,
            declared: self.outputs().cloned().collect(),
        })
    }

    #[cold]
    fn refuse_read(&self, path: &Path, operation: &'static str) -> Box<Violation> {
        let withheld = match self.contract.as_deref().map(|it| it.read(path, operation)) {
            Some(Err(by_contract)) => return by_contract,
            withheld => withheld.is_some(),
        };
        let readable_outputs = self
            .outputs
            .iter()
            .filter(|granted| granted.zone.is_readable());
        let mut declared: Vec<Path> = self.inputs().cloned().collect();
        declared.extend(
            readable_outputs
                .map(|granted| &granted.path)
                .filter(|path| !self.inputs().any(|input| input == *path))
                .cloned(),
        );
        let reason = if path.is_private() {
            Reason::Private
        } else if withheld {
            Reason::Withheld
        } else {
            Reason::NotReadable
        };
        Box::new(Violation {
            path: path.clone(),
            operation,
            reason,
            declared,
        })
    }

    #[cold]
    fn refuse_write(&self, path: &Path, op: WriteOp, zone: Zone) -> Box<Violation> {
        match self.contract.as_deref().map(|it| it.write(path, op)) {
            Some(Err(by_contract)) => return by_contract,
            Some(Ok(_)) => return self.refuse_value(path, op, Reason::Withheld),
            None => {}
        }
        let covered = self
            .outputs
            .iter()
            .any(|granted| granted.covers(path, zone));
        let reason = if path.is_private() {
            Reason::Private
        } else if !covered {
            Reason::NotWritable
        } else if zone.is_readable() {
            Reason::Indexed
        } else {
            Reason::SetOnly { zone }
        };
        self.refuse_value(path, op, reason)
    }
}

impl Granted {
    fn new(path: Path) -> Self {
        Self {
            zone: path.zone(),
            indexed: path
                .segments()
                .iter()
                .any(|it| matches!(it, Segment::Index(_))),
            path,
        }
    }

    #[inline]
    fn covers(&self, path: &Path, zone: Zone) -> bool {
        self.zone == zone && path.is_at_or_below(&self.path)
    }
}

#[inline]
fn by_length(one: &str, other: &str) -> Ordering {
    (one.len().cmp(&other.len())).then_with(|| one.cmp(other))
}

#[inline]
fn hidden_below(zone: Zone) -> Hidden {
    match zone {
        Zone::Data => Hidden::Reserved,
        // Below a key of another zone everything is of that zone; only private keys are not.
        Zone::Signal | Zone::Meta | Zone::Heavy => Hidden::Private,
    }
}

impl WriteOp {
    /// The name of the host call.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Push => "push",
            Self::Remove => "remove",
        }
    }
}

/// Why the contract's paths do not come to a grant for this call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// An argument does not fit a path.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// A path is too long with the argument in it.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

/// Fills a list of contract paths with the arguments of a call.
///
/// # Errors
///
/// The first path that an argument does not fit, or makes too long.
pub fn fill(
    patterns: &[PathPattern],
    args: &Map,
    limits: &Limits,
) -> Result<Vec<Path>, GrantError> {
    let fill = |pattern: &PathPattern| {
        let path = pattern.fill(args)?;
        let bytes = path.to_string().len() as u64;
        LimitExceeded::check(Limit::PathBytes, limits.path_bytes, bytes)?;
        Ok(path)
    };
    patterns.iter().map(fill).collect()
}

#[cfg(test)]
mod tests;
