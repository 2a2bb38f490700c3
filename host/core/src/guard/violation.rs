//! Violations: what the guard refused, why, and how to mend it.

use crate::path::{Layer, Path, Segment};
use crate::policy::PolicyList;
use crate::zone::Zone;
use std::fmt;

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
