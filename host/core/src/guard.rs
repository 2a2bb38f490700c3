//! The guard: may this call touch this place? Pure code over parsed paths.
//!
//! A grant covers its own place and everything below it *of its own zone*. A data grant therefore neither shows nor
//! replaces signal, meta, heavy or private keys that lie below it.

use crate::limits::{Limit, LimitExceeded, Limits};
use crate::path::{Layer, Path, Segment};
use crate::pattern::{FillError, PathPattern};
use crate::policy::PolicyList;
use crate::topic::{TopicWithheld, Topics};
use crate::value::Map;
use crate::zone::{Hidden, Zone};
use std::cmp::Ordering;
use std::fmt;

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

/// Why a call is outside the grant. Carries what was declared, so that the message can say how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The place.
    pub path: Path,
    /// What was tried: `get`, `len`, `keys`, `read-bytes`, `set`, `push` or `remove`.
    pub operation: &'static str,
    /// What the guard objects to.
    pub reason: Reason,
    /// The paths that the grant holds for this kind of access.
    pub declared: Vec<Path>,
}

/// What the guard objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No input and no readable output covers the place.
    NotReadable,
    /// No output covers the place.
    NotWritable,
    /// The contract declares the place, and the operator's policy does not grant it.
    Withheld,
    /// A key on the path begins with `_`.
    Private,
    /// A signal or meta output accepts `set` only.
    SetOnly {
        /// The zone of the place.
        zone: Zone,
    },
    /// Only an output with an index covers the place, which accepts `set` only.
    Indexed,
    /// The write would replace or remove a key of another zone that lies below the place.
    Covers {
        /// That key.
        key: String,
    },
    /// The removal of a list element would move a key of another zone to another place.
    Shifts {
        /// That key.
        key: String,
    },
    /// The written value holds a key that belongs to another zone.
    MovesZone {
        /// That key.
        key: String,
    },
}

/// What would have to hold a line for a violation to be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// A list of the contract lacks this path.
    Contract(PolicyList, Path),
    /// A list of the operator's policy withholds it.
    Policy(PolicyList, Path),
    /// No contract may say it.
    Nothing,
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

impl Violation {
    /// Whether the place was read; else it was written.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !matches!(self.operation, "set" | "push" | "remove")
    }

    /// Whether permissive mode may let it pass: private keys are out of reach in every mode.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        match &self.reason {
            Reason::Private => false,
            Reason::Covers { key } | Reason::Shifts { key } | Reason::MovesZone { key } => {
                !crate::zone::is_private(key)
            }
            _ => true,
        }
    }

    /// The line that would allow it, where strict mode allows such a line.
    #[must_use]
    pub fn lacking(&self) -> Lacking {
        let list = if self.is_read() {
            PolicyList::Inputs
        } else {
            PolicyList::Outputs
        };
        match &self.reason {
            Reason::NotReadable if self.path.zone().is_readable() => {
                Lacking::Contract(list, self.path.clone())
            }
            Reason::NotWritable if self.path.layer() != Layer::Global => {
                Lacking::Contract(list, self.path.clone())
            }
            Reason::Withheld => Lacking::Policy(list, self.path.clone()),
            Reason::Indexed => {
                let is_index = |it: &Segment| matches!(it, Segment::Index(_));
                let segments = self.path.segments();
                let above = segments.iter().position(is_index).unwrap_or(segments.len());
                let list_path = Path::new(self.path.layer(), segments[..above].to_vec());
                Lacking::Contract(list, list_path)
            }
            _ => Lacking::Nothing,
        }
    }

    /// What to add to the contract or to change in the guest.
    #[must_use]
    pub fn remedy(&self) -> String {
        match &self.reason {
            Reason::NotReadable => {
                let zone = self.path.zone();
                if zone.is_readable() {
                    format!("add \"{}\" to the process's inputs", self.path)
                } else {
                    format!(
                        "processes do not read the {} zone: keep the value under a data key",
                        zone.name()
                    )
                }
            }
            Reason::NotWritable if self.path.layer() == Layer::Global => {
                "processes do not write `global`: keep the value under `domain`, or let the operator edit it".into()
            }
            Reason::NotWritable => format!("add \"{}\" to the process's outputs", self.path),
            Reason::Withheld => {
                let list = if self.is_read() { "inputs" } else { "outputs" };
                format!(
                    "the contract declares it, the policy does not grant it: add \"{}\" to the policy's {list}",
                    self.path
                )
            }
            Reason::Private => "use a key that does not begin with `_`".into(),
            Reason::SetOnly { zone } => format!("a {} output accepts `set` only", zone.name()),
            Reason::Indexed => "declare the whole list as an output".into(),
            Reason::Covers { .. } => "write the keys below one by one".into(),
            Reason::Shifts { .. } => {
                "set the element to nil instead: the ones behind it then stay where they are".into()
            }
            Reason::MovesZone { .. } => {
                "rename the key, or declare it as an output and set it by its own path".into()
            }
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.operation, self.path)?;
        match &self.reason {
            Reason::NotReadable => f.write_str(" reads outside the contract")?,
            Reason::NotWritable => f.write_str(" writes outside the contract")?,
            Reason::Withheld if self.is_read() => f.write_str(" reads outside the policy")?,
            Reason::Withheld => f.write_str(" writes outside the policy")?,
            Reason::Private => return f.write_str(" touches a key that is private to the host"),
            Reason::SetOnly { zone } => {
                return write!(
                    f,
                    ": an output of the {} zone accepts `set` only",
                    zone.name()
                );
            }
            Reason::Indexed => {
                f.write_str(": an output with an index accepts `set` only")?;
            }
            Reason::Covers { key } => {
                return write!(f, " would replace `{key}`, which lies in another zone");
            }
            Reason::Shifts { key } => {
                return write!(
                    f,
                    " would move `{key}`, which lies in another zone, to another place"
                );
            }
            Reason::MovesZone { key } => {
                return write!(
                    f,
                    ": the value holds the key `{key}`, which belongs to another zone"
                );
            }
        }
        let kind = if self.is_read() {
            "readable"
        } else {
            "writable"
        };
        let given = match self.reason {
            Reason::Withheld => "granted",
            _ => "declared",
        };
        if self.declared.is_empty() {
            return write!(f, "; nothing is {given} as {kind}");
        }
        write!(f, "; {given} as {kind}: ")?;
        for (index, path) in self.declared.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{path}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

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
mod tests {
    use super::*;

    fn paths(texts: &[&str]) -> Vec<Path> {
        texts
            .iter()
            .map(|text| Path::parse(text).expect(text))
            .collect()
    }

    fn guard(inputs: &[&str], outputs: &[&str]) -> Guard {
        Guard::new(paths(inputs), paths(outputs))
    }

    #[test]
    fn reads_are_covered_by_inputs_and_readable_outputs() {
        let guard = guard(
            &["global.max", "domain.items"],
            &["domain.total", "domain.sig_done", "domain.heavy_image"],
        );
        for (path, allowed) in [
            ("global.max", true),
            ("domain.items[3].price", true),
            ("domain.total", true),
            ("domain.heavy_image", true),
            ("domain.heavy_image.sig_x", true),
            ("domain", false),
            ("global", false),
            ("domain.item", false),
            ("domain.itemsx", false),
            ("domain.sig_done", false),
            ("domain.items[0].sig_x", false),
            ("domain.items[0].heavy_x", false),
            ("domain.items[0]._x", false),
            ("domain.heavy_image._x", false),
        ] {
            let path = Path::parse(path).expect(path);
            assert_eq!(guard.read(&path, "get").is_ok(), allowed, "{path}");
        }
    }

    #[test]
    fn writes_are_covered_by_outputs() {
        use WriteOp::{Push, Remove, Set};
        let guard = guard(
            &["domain.read_only"],
            &[
                "domain.record.child",
                "domain.sig_done",
                "domain.meta_note",
                "domain.rows[3]",
                "domain.list",
            ],
        );
        for (path, op, allowed) in [
            ("domain.record.child", Set, true),
            ("domain.record.child.x", Remove, true),
            ("domain.record", Set, false),
            ("domain", Set, false),
            ("domain.read_only", Set, false),
            ("domain.sig_done", Set, true),
            ("domain.sig_done", Push, false),
            ("domain.sig_done", Remove, false),
            ("domain.meta_note.x", Set, true),
            ("domain.rows[3]", Set, true),
            ("domain.rows[3].x", Set, true),
            ("domain.rows[3]", Remove, false),
            ("domain.rows[3].x", Push, false),
            ("domain.rows[2]", Set, false),
            ("domain.list[2]", Remove, true),
            ("domain.list", Push, true),
            ("domain.list[2].sig_x", Set, false),
            ("domain.list._x", Set, false),
        ] {
            let path = Path::parse(path).expect(path);
            assert_eq!(guard.write(&path, op).is_ok(), allowed, "{op:?} {path}");
        }
    }

    #[test]
    fn a_violation_says_what_is_declared_and_how_to_mend_it() {
        let guard = guard(&["domain.a"], &["domain.b"]);
        let path = Path::parse("domain.c").expect("path");
        let write = guard.write(&path, WriteOp::Set).expect_err("refused");
        assert_eq!(
            write.to_string(),
            "`set` of `domain.c` writes outside the contract; declared as writable: domain.b"
        );
        assert_eq!(write.remedy(), "add \"domain.c\" to the process's outputs");
        let read = guard.read(&path, "get").expect_err("refused");
        assert_eq!(
            read.to_string(),
            "`get` of `domain.c` reads outside the contract; declared as readable: domain.a, domain.b"
        );
    }
}
