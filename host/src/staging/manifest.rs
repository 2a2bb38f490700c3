//! The manifest: what a run that is committed does to a directory, so that whoever finds it can complete it.

use super::place::Place;
use super::stamp::Stamp;
use crate::store::{CommitId, Hash};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The first line of every manifest.
const HEAD: &str = "theus-staging 1";

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The steps, in this order; all of them can be done again.
    pub(super) steps: Vec<FileStep>,
    /// The commit that decides on it, where that lasts in a state.
    pub(super) awaits: Option<Awaits>,
}

/// A commit of a state, which decides on files as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Awaits {
    /// The state's id.
    pub(crate) state: Hash,
    /// The commit's id.
    pub(crate) commit: CommitId,
    /// A record that the state held before: the commit's has a higher number.
    pub(crate) behind: u64,
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum FileStep {
    /// Removes a file, if it is still this one.
    Remove { at: Place, was: Stamp },
    /// Removes a directory, if it is empty.
    RemoveDirectory { at: Place },
    /// Makes a directory.
    MakeDirectory { at: Place },
    /// Puts the staged file of this number in place.
    Put {
        at: Place,
        number: usize,
        bytes: u64,
        sha256: String,
    },
}

impl FileStep {
    pub(super) fn at(&self) -> &Place {
        match self {
            Self::Remove { at, .. }
            | Self::RemoveDirectory { at }
            | Self::MakeDirectory { at }
            | Self::Put { at, .. } => at,
        }
    }
}

impl Manifest {
    /// Three lines: what it is, what is to be done, and the checksum of both.
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let steps = serde_json::to_string(&self.steps).map_err(|error| error.to_string())?;
        let awaits = self.awaits.map(|it| format!(" awaits {it}"));
        let body = format!("{HEAD}{}\n{steps}\n", awaits.unwrap_or_default());
        Ok(format!("{body}{}\n", hex(&Sha256::digest(&body))).into_bytes())
    }

    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// What is damaged about it. A manifest comes into force whole, so nothing of it may be missing.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "the manifest is no text")?;
        let whole = text.strip_suffix('\n').unwrap_or(text);
        let (body, sum) = whole.rsplit_once('\n').ok_or("the manifest is cut off")?;
        if hex(&Sha256::digest(format!("{body}\n"))) != sum {
            return Err("the manifest does not match its checksum".into());
        }
        let (head, steps) = body.split_once('\n').ok_or("the manifest is cut off")?;
        let unknown = || format!("the manifest is no `{HEAD}`");
        let awaits = match head.strip_prefix(HEAD).ok_or_else(unknown)? {
            "" => None,
            more => {
                let awaits = more.strip_prefix(" awaits ").and_then(Awaits::parse);
                Some(awaits.ok_or_else(unknown)?)
            }
        };
        let steps =
            serde_json::from_str(steps).map_err(|error| format!("the manifest: {error}"))?;
        let manifest = Self { steps, awaits };
        match manifest.steps.iter().find(|step| !step.at().is_sound()) {
            Some(step) => Err(format!("the manifest names `{}`", step.at())),
            None => Ok(manifest),
        }
    }
}

impl Awaits {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let awaits = Self {
            state: words.next()?.parse().ok()?,
            commit: words.next()?.parse().ok()?,
            behind: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(awaits)
    }
}

impl fmt::Display for Awaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.state, self.commit, self.behind)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let at = |name: &str| Place::default().child(name).expect(name);
        Manifest {
            steps: vec![
                FileStep::RemoveDirectory { at: at("old") },
                FileStep::MakeDirectory { at: at("new") },
                FileStep::Put {
                    at: at("a\nb"),
                    number: 0,
                    bytes: 3,
                    sha256: "ab".into(),
                },
            ],
            awaits: None,
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let awaits = Awaits {
            state: Hash::of_bytes(b"state"),
            commit: CommitId::from_bytes([7; 16]),
            behind: 42,
        };
        for awaits in [None, Some(awaits)] {
            let manifest = Manifest {
                awaits,
                ..manifest()
            };
            let bytes = manifest.encode().expect("encoded");
            assert_eq!(Manifest::decode(&bytes), Ok(manifest));
        }
    }

    #[test]
    fn every_change_of_a_byte_and_every_cut_is_seen() {
        let bytes = manifest().encode().expect("encoded");
        for index in 0..bytes.len() - 1 {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(Manifest::decode(&changed).is_err(), "byte {index}");
            assert!(Manifest::decode(&bytes[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn a_manifest_leads_nowhere_else() {
        for place in [
            r#"["..","etc"]"#,
            r#"["a/../../b"]"#,
            "[]",
            r#"[".theus-staging"]"#,
        ] {
            let body = format!("{HEAD}\n[{{\"make-directory\":{{\"at\":{place}}}}}]\n");
            let text = format!("{body}{}\n", hex(&Sha256::digest(&body)));
            let error = Manifest::decode(text.as_bytes()).expect_err(place);
            assert!(error.contains("the manifest names"), "{place}: {error}");
        }
    }
}
