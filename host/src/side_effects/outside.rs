//! What a run found outside the context: inputs that are recorded, so that the run can be made again.

use super::{FileChange, Reach};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use theus_core::side_effect::SideEffect;

/// What a run was given from outside the context, and what it did there; only what its contract asks for and the operator
/// granted.
///
/// Its time and its seed, given to a [`Call`](crate::Call) again, make the same run: the same component, arguments, context,
/// time and seed make the same writes. The files of the directories are not part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outside {
    /// The time of the run, where it has the `clock`.
    pub time: Option<SystemTime>,
    /// Where its randomness comes from, where it has `random`.
    pub seed: Option<Seed>,
    /// The names of the directories that it could read and not write.
    pub directories: Vec<Arc<str>>,
    /// The name of the directory that it could write into, too.
    pub writable: Option<Arc<str>>,
    /// What it did to the files of that. Empty unless committed, except in a dry run.
    pub files: Vec<FileChange>,
}

/// The seed of one run's randomness.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Outside {
    /// What a run finds: what the call brings, and otherwise one reading of the clock and one new seed.
    ///
    /// # Errors
    ///
    /// The system has no randomness.
    pub(crate) fn look(reach: &Reach, given: &Self) -> Result<Self, getrandom::Error> {
        let time = reach
            .has(&SideEffect::Clock)
            .then(|| given.time.unwrap_or_else(SystemTime::now));
        let seed = match given.seed {
            _ if !reach.has(&SideEffect::Random) => None,
            Some(seed) => Some(seed),
            None => Some(Seed::new()?),
        };
        Ok(Self {
            time,
            seed,
            directories: reach.directories.iter().map(|it| it.name.clone()).collect(),
            writable: reach.writable.as_ref().map(|it| it.name.clone()),
            files: Vec::new(),
        })
    }

    /// What of this a process does not reach: it would be given in vain.
    pub(crate) fn beyond(&self, reach: Option<&Reach>) -> Option<SideEffect> {
        let clock = self.time.map(|_| SideEffect::Clock);
        let random = self.seed.map(|_| SideEffect::Random);
        let mut brought = clock.into_iter().chain(random);
        brought.find(|effect| !reach.is_some_and(|reach| reach.has(effect)))
    }
}

impl Seed {
    /// Creates a seed from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// One that nobody can foresee.
    fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({self})")
    }
}

/// Nanoseconds since 1970, as guests see a time: what lies before is its begin.
pub(crate) fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl Serialize for Outside {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut outside = serializer.serialize_struct("Outside", 5)?;
        outside.serialize_field("time_ns", &self.time.map(nanos))?;
        outside.serialize_field("seed", &self.seed.map(|seed| seed.to_string()))?;
        outside.serialize_field("directories", &self.directories)?;
        outside.serialize_field("writable", &self.writable)?;
        outside.serialize_field("files", &self.files)?;
        outside.end()
    }
}
