//! Frames and the chain: how a record's bytes stand in a journal, and how each follows from the one before.
//!
//! A frame is a CRC-32, the record's hash, and the record. The hash is the SHA-256 of the hash before it and the record:
//! who changes, removes or inserts one has to make every later hash anew, and can then be told by any hash that was handed
//! out before. A checkpoint is a link of the chain as well: the record behind it follows from its bytes.

use super::error::Damage;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The hash of a record and of everything before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// A text that is no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `sha256:` and 64 hexadecimal digits")]
pub struct NoHash;

const CRC: usize = 4;
const HASH: usize = 32;

impl Hash {
    /// The hash's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn of_record(before: &Self, record: &[u8]) -> Self {
        Self::of(b"theus-record-1", before, record)
    }

    pub(super) fn of_checkpoint(before: &Self, checkpoint: &[u8]) -> Self {
        Self::of(b"theus-checkpoint-1", before, checkpoint)
    }

    /// The digest of something that stands by itself.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn of(what: &[u8], before: &Self, bytes: &[u8]) -> Self {
        let sum = Sha256::new()
            .chain_update(what)
            .chain_update(before.0)
            .chain_update(bytes);
        Self(sum.finalize().into())
    }
}

/// A record's frame.
pub(super) fn frame(hash: &Hash, record: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CRC + HASH + record.len());
    bytes.extend([0; CRC]);
    bytes.extend(hash.0);
    bytes.extend(record);
    seal(bytes)
}

/// The frame of something that is no link by itself.
pub(super) fn plain_frame(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; CRC];
    bytes.extend(content);
    seal(bytes)
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&bytes[CRC..]);
    bytes[..CRC].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What stands in a plain frame, where its checksum fits.
pub(super) fn open_plain(frame: &[u8]) -> Option<&[u8]> {
    let (crc, content) = frame.split_first_chunk::<CRC>()?;
    (u32::from_le_bytes(*crc) == crc32fast::hash(content)).then_some(content)
}

/// The hash and the record of a frame, where its checksum fits.
pub(super) fn open(seq: u64, frame: &[u8]) -> Result<(Hash, &[u8]), Damage> {
    let content = open_plain(frame).ok_or(Damage::Checksum(seq))?;
    let (hash, record) = content
        .split_first_chunk::<HASH>()
        .ok_or(Damage::Checksum(seq))?;
    Ok((Hash(*hash), record))
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if hex.len() != 2 * HASH || !hex.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(NoHash);
        }
        let mut bytes = [0; HASH];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| NoHash)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_in_a_frame_is_seen() {
        let hash = Hash::of_record(&Hash::default(), b"what happened");
        let sound = frame(&hash, b"what happened");
        assert_eq!(open(7, &sound), Ok((hash, &b"what happened"[..])));
        for at in 0..sound.len() {
            for bit in 0..8 {
                let mut damaged = sound.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(open(7, &damaged), Err(Damage::Checksum(7)), "byte {at}");
            }
        }
        for len in 0..sound.len() {
            assert_eq!(open(7, &sound[..len]), Err(Damage::Checksum(7)), "{len}");
        }
    }

    #[test]
    fn a_hash_reads_as_it_prints() {
        let hash = Hash::of_bytes(b"x");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string()[7..].parse(), Ok(hash));
        for wrong in ["", "sha256:", "sha256:é", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Hash>(), Err(NoHash), "{wrong}");
        }
    }

    #[test]
    fn a_record_and_a_checkpoint_of_the_same_bytes_are_two_links() {
        let before = Hash::default();
        assert_ne!(
            Hash::of_record(&before, b"x"),
            Hash::of_checkpoint(&before, b"x")
        );
    }
}
