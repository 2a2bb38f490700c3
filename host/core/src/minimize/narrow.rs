//! Narrowing one declared path: the places that were touched below it, as few patterns as tell them apart.

use super::{Fate, Groups, Key, Minimum, Run};
use crate::contract::{Contract, Kind, MAX_TEXT_BYTES};
use crate::path::{Path, Segment};
use crate::pattern::{PathPattern, Step};
use crate::policy::PolicyList;
use crate::value::{Map, Value};
use crate::zone;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// The most fixed keys of one map that are proposed one by one. A map of which more were touched is touched by its data, and
/// the next run may name a key that none before it did: then the map itself is proposed.
const MAX_KEYS: usize = 8;

/// Longer arguments are no keys: with one of them in it, a path might be over its limit.
const MAX_KEY_BYTES: usize = 128;

/// One place that one run touched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access<'a> {
    /// The run, by its index.
    pub(super) run: usize,
    pub(super) path: &'a Path,
    /// Whether all that was done there is reading or `set`.
    pub(super) sets: bool,
}

/// What narrowing looks at besides the places.
pub(super) struct Narrowing<'a> {
    runs: &'a [Run],
    args: Vec<Map>,
    /// The parameters that named a key, and those that named an index, in every run.
    as_key: Vec<&'a str>,
    as_index: Vec<&'a str>,
}

/// A step that some of the accesses have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Choice<'a> {
    // Before a fixed key: where both say the same of every run, the argument is the reason.
    Param(&'a str),
    Index(&'a str),
    Key(&'a SmolStr),
}

/// The arguments that may stand in a path.
pub(super) fn keys(contract: &Contract, args: &Map) -> BTreeMap<String, Key> {
    let may = |kind| matches!(kind, Kind::Int | Kind::String);
    let parameters = contract.parameters.iter();
    let parameters = parameters.filter(|it| !it.optional && !it.secret && may(it.kind));
    let key = |name: &str| match args.get(name)? {
        Value::Str(text) => Some((text.to_string(), None)),
        Value::Int(number) => Some((number.to_string(), u64::try_from(*number).ok())),
        Value::UInt(number) => Some((number.to_string(), Some(*number))),
        _ => None,
    };
    parameters
        .filter_map(|it| {
            let (text, index) = key(&it.name)?;
            Some((it.name.clone(), Key { text, index }))
        })
        .collect()
}

/// The declared place that covers an access; of several the deepest.
pub(super) fn covering(filled: &[Option<Path>], access: &Access<'_>) -> Option<usize> {
    let zone = access.path.zone();
    let is_index = |it: &Segment| matches!(it, Segment::Index(_));
    let covers = |place: &&Path| {
        place.zone() == zone
            && access.path.is_at_or_below(place)
            && (access.sets || zone.is_readable() && !place.segments().iter().any(is_index))
    };
    let places = filled.iter().enumerate();
    places
        .filter_map(|(at, place)| Some((at, place.as_ref().filter(covers)?)))
        .max_by_key(|(_, place)| place.segments().len())
        .map(|(at, _)| at)
}

/// The place from which on everything below a place is of its zone; a key below the layer at least.
pub(super) fn base(path: &Path) -> PathPattern {
    let segments = path.segments();
    let to = |len: usize| Path::new(path.layer(), segments[..len].to_vec());
    let held = (1..segments.len()).map(to);
    let above = held.into_iter().find(|it| it.zone() == path.zone());
    PathPattern::from(above.as_ref().unwrap_or(path))
}

impl<'a> Narrowing<'a> {
    pub(super) fn new(contract: &'a Contract, runs: &'a [Run]) -> Self {
        let in_all = |fits: fn(&Key) -> bool| {
            let names = contract.parameters.iter().map(|it| it.name.as_str());
            names
                .filter(|name| runs.iter().all(|run| run.keys.get(*name).is_some_and(fits)))
                .collect()
        };
        let is_key = |key: &Key| !zone::is_reserved(&key.text) && key.text.len() <= MAX_KEY_BYTES;
        Self {
            runs,
            args: runs.iter().map(Run::args).collect(),
            as_key: in_all(is_key),
            as_index: in_all(|key| key.index.is_some()),
        }
    }

    /// The places that patterns name in a run; none for one that its arguments do not fit.
    pub(super) fn filled(&self, patterns: &[PathPattern], run: usize) -> Vec<Option<Path>> {
        let args = &self.args[run];
        patterns.iter().map(|it| it.fill(args).ok()).collect()
    }

    /// What becomes of each declared path.
    pub(super) fn fates(&self, declared: &[PathPattern], groups: Groups<'a>) -> Vec<Fate> {
        let fate = |(declared, group): (&PathPattern, super::Group<'a>)| Fate {
            declared: declared.clone(),
            proposed: match (group.unsure, group.accesses.is_empty()) {
                (true, _) => vec![declared.clone()],
                (false, true) => Vec::new(),
                (false, false) => self.narrowed(declared, &group.accesses),
            },
            unsure: group.unsure,
        };
        declared.iter().zip(groups).map(fate).collect()
    }

    /// What would have to be declared for accesses that nothing covers.
    pub(super) fn beyond(&self, accesses: &[Access<'a>]) -> Vec<PathPattern> {
        let mut by_base: Vec<(PathPattern, Vec<Access<'a>>)> = Vec::new();
        for access in accesses {
            let base = base(access.path);
            match by_base.iter_mut().find(|(known, _)| *known == base) {
                Some((_, group)) => group.push(*access),
                None => by_base.push((base, vec![*access])),
            }
        }
        by_base
            .iter()
            .flat_map(|(base, group)| self.narrowed(base, group))
            .collect()
    }

    /// The parameters that proposed paths depend on where the declared ones do not, and that had one value in all runs.
    pub(super) fn constants(&self, minimum: &Minimum) -> Vec<String> {
        let contract = &minimum.contract;
        let declared = contract.inputs.iter().chain(&contract.outputs);
        let known: BTreeSet<&SmolStr> = params(declared).collect();
        let lists = [PolicyList::Inputs, PolicyList::Outputs].map(|list| minimum.list(list));
        let proposed: BTreeSet<&SmolStr> = params(lists.iter().flatten()).collect();
        let is_constant = |name: &&&SmolStr| {
            let values = self.runs.iter().map(|run| run.keys.get(name.as_str()));
            values.collect::<BTreeSet<_>>().len() == 1
        };
        let new = proposed.difference(&known);
        new.filter(is_constant).map(ToString::to_string).collect()
    }

    fn narrowed(&self, from: &PathPattern, accesses: &[Access<'a>]) -> Vec<PathPattern> {
        let mut found = Vec::new();
        self.descend(from.clone(), accesses, &mut found);
        found
    }

    fn descend(&self, at: PathPattern, accesses: &[Access<'a>], found: &mut Vec<PathPattern>) {
        let depth = at.steps().len();
        let ends_here = |it: &Access<'_>| it.path.segments().len() == depth;
        let choices = match accesses.iter().any(ends_here) {
            true => None,
            false => self.choices(depth, accesses),
        };
        let below: Option<Vec<_>> = choices.and_then(|choices| {
            let below = choices
                .into_iter()
                .map(|(choice, accesses)| (at.child(choice.step()), accesses));
            let below: Vec<_> = below.collect();
            let fits = |it: &PathPattern| it.to_string().len() <= MAX_TEXT_BYTES;
            below.iter().all(|(it, _)| fits(it)).then_some(below)
        });
        match below {
            None => found.push(at),
            Some(below) => {
                for (at, accesses) in below {
                    self.descend(at, &accesses, found);
                }
            }
        }
    }

    /// The fewest steps that all accesses go on with, each with those that do; none where they are too many, or where a
    /// list would have to be told apart by indices that no argument names.
    fn choices(
        &self,
        depth: usize,
        accesses: &[Access<'a>],
    ) -> Option<Vec<(Choice<'a>, Vec<Access<'a>>)>> {
        let mut by_choice: BTreeMap<Choice<'a>, BTreeSet<usize>> = BTreeMap::new();
        for (at, access) in accesses.iter().enumerate() {
            for choice in self.choices_of(access, &access.path.segments()[depth]) {
                by_choice.entry(choice).or_default().insert(at);
            }
        }
        let mut left: BTreeSet<usize> = (0..accesses.len()).collect();
        let (mut chosen, mut keys) = (Vec::new(), 0);
        while !left.is_empty() {
            // Of equals the first: an argument before a key.
            let best = by_choice
                .iter()
                .map(|(choice, of)| (of.intersection(&left).count(), choice))
                .rev()
                .max_by_key(|(count, _)| *count)
                .filter(|(count, _)| *count > 0);
            let choice = best?.1.clone();
            keys += usize::from(matches!(choice, Choice::Key(_)));
            if keys > MAX_KEYS {
                return None;
            }
            let of = by_choice.remove(&choice)?;
            let taken: Vec<usize> = of.intersection(&left).copied().collect();
            left = left.difference(&of).copied().collect();
            chosen.push((choice, taken.iter().map(|at| accesses[*at]).collect()));
        }
        Some(chosen)
    }

    fn choices_of(&self, access: &Access<'a>, segment: &'a Segment) -> Vec<Choice<'a>> {
        let keys = &self.runs[access.run].keys;
        let named = |names: &[&'a str], is: &dyn Fn(&Key) -> bool| -> Vec<&'a str> {
            let names = names.iter().copied();
            names
                .filter(|name| keys.get(*name).is_some_and(is))
                .collect()
        };
        match segment {
            Segment::Key(key) => {
                let names = named(&self.as_key, &|it| it.text == key.as_str());
                let by_argument = names.into_iter().map(Choice::Param);
                by_argument.chain([Choice::Key(key)]).collect()
            }
            // An element named by its index may be set, and nothing else.
            Segment::Index(index) if access.sets => {
                let names = named(&self.as_index, &|it| it.index == Some(*index));
                names.into_iter().map(Choice::Index).collect()
            }
            Segment::Index(_) => Vec::new(),
        }
    }
}

impl Choice<'_> {
    fn step(&self) -> Step {
        match self {
            Self::Param(name) => Step::KeyParam(SmolStr::new(name)),
            Self::Index(name) => Step::IndexParam(SmolStr::new(name)),
            Self::Key(key) => Step::Fixed(Segment::Key((*key).clone())),
        }
    }
}

impl Run {
    /// The arguments that paths may depend on.
    fn args(&self) -> Map {
        let value = |key: &Key| match key.index {
            Some(index) => Value::unsigned(index),
            None => Value::from(key.text.as_str()),
        };
        let args = self.keys.iter();
        args.map(|(name, key)| (name.as_str(), value(key)))
            .collect()
    }
}

fn params<'p>(
    patterns: impl Iterator<Item = &'p PathPattern>,
) -> impl Iterator<Item = &'p SmolStr> {
    patterns.flat_map(|it| it.params().map(|(name, _)| name))
}
