//! Minimizing: the tightest contract that still allows what a process was seen to do.
//!
//! A contract is what an author asked for; a history is what the process needed. Of every declared path only what was touched
//! below it remains, with a key that always was an argument of its run as `{param}`. What comes out is *sufficient*: every
//! access that was observed is within it. Whether it is enough for what was not observed, no history can tell.

mod minimum;
mod narrow;

#[cfg(test)]
mod tests;

pub use self::minimum::{Fate, Minimum};
use self::narrow::{Access, Narrowing};
use crate::context_guard::Mode;
use crate::contract::Contract;
use crate::path::{Layer, Path};
use crate::pattern::PathPattern;
use crate::transaction::{Effect, Write};
use crate::value::Map;
use crate::zone::Zone;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Collects what a process did, run by run.
#[derive(Debug)]
pub struct Minimizer {
    contract: Contract,
    runs: Vec<Run>,
    known: HashSet<Run>,
    errors: BTreeSet<String>,
    count: u64,
}

/// What one run did.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The arguments, as they were checked against the contract; secret ones may be masked.
    pub args: &'a Map,
    /// The places that it read, or places that hold them.
    pub reads: &'a [Path],
    /// What it wrote.
    pub writes: &'a [Write],
    /// The declared error that it ended with, where it did.
    pub error: Option<&'a str>,
    /// Whether the contract held it.
    pub mode: Mode,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Run {
    /// Those that may stand in a path.
    keys: BTreeMap<String, Key>,
    reads: BTreeSet<Path>,
    writes: BTreeSet<(Path, Op)>,
    permissive: bool,
}

/// An argument that could name a key or an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    text: String,
    index: Option<u64>,
}

/// A write operation, in an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Op {
    Set,
    Other,
}

impl Minimizer {
    /// Creates one for a process that was not seen to do anything yet.
    #[must_use]
    pub fn new(contract: Contract) -> Self {
        Self {
            contract,
            runs: Vec::new(),
            known: HashSet::new(),
            errors: BTreeSet::new(),
            count: 0,
        }
    }

    /// Adds a run. What is the same as an earlier one takes no more room.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        self.count += 1;
        self.errors.extend(observed.error.map(str::to_owned));
        let run = Run {
            keys: narrow::keys(&self.contract, observed.args),
            reads: observed.reads.iter().cloned().collect(),
            writes: observed.writes.iter().map(written).collect(),
            permissive: observed.mode == Mode::Permissive,
        };
        if self.known.insert(run.clone()) {
            self.runs.push(run);
        }
    }

    /// The contract that all observed runs fit into, as tight as they let it be.
    #[must_use]
    pub fn minimum(&self) -> Minimum {
        let narrowing = Narrowing::new(&self.contract, &self.runs);
        let outputs = self.outputs(&narrowing);
        let inputs = self.inputs(&narrowing, &outputs.declared);
        let mut minimum = Minimum {
            contract: self.contract.clone(),
            runs: self.count,
            inputs: inputs.declared,
            outputs: outputs.declared,
            added_inputs: inputs.added,
            beyond_inputs: inputs.beyond,
            beyond_outputs: outputs.beyond,
            never_granted: inputs.never.union(&outputs.never).cloned().collect(),
            unseen_errors: self.unseen_errors(),
            constant_parameters: Vec::new(),
            folded_runs: inputs.folded,
        };
        minimum.bound();
        minimum.constant_parameters = narrowing.constants(&minimum);
        minimum
    }

    fn unseen_errors(&self) -> Vec<String> {
        let declared = self.contract.errors.iter();
        let unseen = declared.filter(|it| !self.errors.contains(*it));
        unseen.cloned().collect()
    }

    fn outputs(&self, narrowing: &Narrowing<'_>) -> Found {
        let declared = &self.contract.outputs;
        let mut groups: Groups<'_> = declared.iter().map(|_| Group::default()).collect();
        let mut beyond = Vec::new();
        let mut never = BTreeSet::new();
        for (run, observed) in self.runs.iter().enumerate() {
            let filled = narrowing.filled(declared, run);
            for (path, op) in &observed.writes {
                let access = Access {
                    run,
                    path,
                    sets: *op == Op::Set,
                };
                match narrow::covering(&filled, &access) {
                    Some(at) => groups[at].accesses.push(access),
                    None if may_be_output(path, *op) => beyond.push(access),
                    None => drop(never.insert(path.clone())),
                }
            }
        }
        Found {
            declared: narrowing.fates(declared, groups),
            beyond: narrowing.beyond(&beyond),
            added: Vec::new(),
            never,
            folded: 0,
        }
    }

    fn inputs(&self, narrowing: &Narrowing<'_>, outputs: &[Fate]) -> Found {
        let declared = &self.contract.inputs;
        let readable: Vec<PathPattern> = self
            .contract
            .outputs
            .iter()
            .filter(|it| it.zone().is_readable())
            .cloned()
            .collect();
        let still_written: Vec<PathPattern> = outputs
            .iter()
            .flat_map(|fate| fate.proposed.iter().cloned())
            .collect();
        let mut groups: Groups<'_> = declared.iter().map(|_| Group::default()).collect();
        let mut of_outputs: Groups<'_> = readable.iter().map(|_| Group::default()).collect();
        let (mut beyond, mut never) = (Vec::new(), BTreeSet::new());
        let mut folded = 0;
        for (run, observed) in self.runs.iter().enumerate() {
            let filled = narrowing.filled(declared, run);
            let filled_outputs = narrowing.filled(&readable, run);
            let filled_written = narrowing.filled(&still_written, run);
            let mut was_folded = false;
            for path in &observed.reads {
                let access = Access {
                    run,
                    path,
                    sets: true,
                };
                let by_input = narrow::covering(&filled, &access);
                let by_output = narrow::covering(&filled_outputs, &access);
                // A place in a record may stand for places below it: for those of other zones always, and for all of them
                // where nothing grants the place itself.
                let told = by_input.or(by_output).map(|_| path.zone());
                mark_below(&mut groups, &filled, path, told);
                mark_below(&mut of_outputs, &filled_outputs, path, told);
                if let Some(at) = by_input {
                    groups[at].accesses.push(access);
                } else if let Some(at) = by_output {
                    if narrow::covering(&filled_written, &access).is_none() {
                        of_outputs[at].accesses.push(access);
                    }
                } else if !observed.permissive {
                    // Strict mode lets nobody read it: it stands for places below.
                    was_folded = true;
                } else if path.zone().is_readable() && !path.is_private() {
                    beyond.push(access);
                } else {
                    never.insert(path.clone());
                }
            }
            folded += u64::from(was_folded);
        }
        let mut added = Vec::new();
        for fate in narrowing.fates(&readable, of_outputs) {
            let written = |it: &PathPattern| still_written.iter().any(|out| out.holds(it));
            added.extend(fate.proposed.into_iter().filter(|it| !written(it)));
        }
        Found {
            declared: narrowing.fates(declared, groups),
            beyond: narrowing.beyond(&beyond),
            added,
            never,
            folded,
        }
    }
}

/// What was found about one of the two lists.
struct Found {
    declared: Vec<Fate>,
    added: Vec<PathPattern>,
    beyond: Vec<PathPattern>,
    never: BTreeSet<Path>,
    folded: u64,
}

type Groups<'a> = Vec<Group<'a>>;

/// What was touched at or below one declared path.
#[derive(Default)]
struct Group<'a> {
    accesses: Vec<Access<'a>>,
    unsure: bool,
}

/// Notes for every declared path below a place that was read that it may have been read as well, unless the place itself
/// tells of its zone.
fn mark_below(groups: &mut Groups<'_>, filled: &[Option<Path>], place: &Path, told: Option<Zone>) {
    for (group, declared) in groups.iter_mut().zip(filled) {
        group.unsure |= declared.as_ref().is_some_and(|declared| {
            declared != place && declared.is_at_or_below(place) && told != Some(declared.zone())
        });
    }
}

fn written(write: &Write) -> (Path, Op) {
    let op = match write.effect {
        Effect::Set(_) => Op::Set,
        Effect::Push { .. } | Effect::Remove => Op::Other,
    };
    (write.path.clone(), op)
}

/// Whether a contract may declare the place as an output that allows the operation.
fn may_be_output(path: &Path, op: Op) -> bool {
    let op_fits = op == Op::Set || path.zone().is_readable() && !narrow::base(path).is_indexed();
    op_fits && path.layer() != Layer::Global && !path.is_private()
}
