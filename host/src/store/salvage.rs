//! Salvaging: the sound part of a damaged journal, as a journal of its own.

use super::Position;
use super::backend::{Backend, Rows};
use super::error::{Damage, StoreError};
use super::journal::head_row;
use super::verify::{Checkpoints, Step, walk};

/// What was salvaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// The last record that was.
    pub last: Position,
    /// What ended it; none where everything was sound.
    pub damage: Option<Damage>,
}

/// Copies record after record as they are, so that hashes in receipts still stand.
pub(super) fn copy(from: &impl Backend, to: &impl Backend) -> Result<Salvaged, StoreError> {
    const GROUP: usize = 512;
    let lost = copy_blobs(from, to)?;
    let mut rows = Rows::default();
    let (last, damage) = walk(from, Checkpoints::Mend, |step, position| {
        rows.head = head_row(&position);
        let full = match step {
            Step::Begin(checkpoint, _) => {
                rows.checkpoint = Some(checkpoint);
                true
            }
            Step::Checkpoint(checkpoint, heavy) => {
                // One may be lost that the records before it make anew.
                for bytes in heavy {
                    to.blobs().keep(&bytes)?;
                }
                rows.checkpoint = Some(checkpoint);
                true
            }
            Step::Record(row) => {
                rows.records.push(row);
                rows.records.len() == GROUP
            }
        };
        if full {
            to.write(&std::mem::take(&mut rows))?;
        }
        Ok(())
    })?;
    rows.head = head_row(&last);
    to.write(&rows)?;
    to.seal(last.seq)?;
    let damage = damage.or(lost);
    Ok(Salvaged { last, damage })
}

/// Copies every blob that is sound; the first that is not.
fn copy_blobs(from: &impl Backend, to: &impl Backend) -> Result<Option<Damage>, StoreError> {
    let mut lost = None;
    for digest in from.blobs().all()? {
        match from.blobs().read(digest) {
            Ok(Some(bytes)) => drop(to.blobs().keep(&bytes)?),
            Ok(None) => {}
            Err(StoreError::Damaged(damage)) => lost = lost.or(Some(damage)),
            Err(error) => return Err(error),
        }
    }
    Ok(lost)
}
