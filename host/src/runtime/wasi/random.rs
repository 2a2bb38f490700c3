//! `wasi:random`: bytes that follow from the component, the process and its arguments, or from the seed of the
//! transaction where that was granted.

use super::View;
use crate::side_effects::Seed;
use sha2::{Digest, Sha256};
use wasmtime::{Result, bail};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// The most bytes of one call.
const MAX_BYTES: u64 = 64 * 1024;
/// Fuel for one byte: a hash makes 32 of them.
const BYTE: usize = 4;

/// SHA-256 in counter mode over the seed of a call.
pub(super) struct Randomness {
    seed: [u8; 32],
    block: [u8; 32],
    used: usize,
    counter: u64,
}

impl Randomness {
    /// What a guest sees while it is instantiated, when no call is known yet.
    pub(super) fn of_component(digest: &[u8; 32]) -> Self {
        Self::of_seed(*digest)
    }

    pub(super) fn of_call(digest: &[u8; 32], process: &str, args: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(digest);
        hash.update((process.len() as u64).to_le_bytes());
        hash.update(process);
        hash.update(args);
        Self::of_seed(hash.finalize().into())
    }

    pub(super) fn of_transaction(seed: &Seed) -> Self {
        Self::of_seed(*seed.as_bytes())
    }

    fn of_seed(seed: [u8; 32]) -> Self {
        Self {
            seed,
            block: [0; 32],
            used: 32,
            counter: 0,
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                let mut hash = Sha256::new();
                hash.update(self.seed);
                hash.update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

impl View<'_> {
    fn random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        if len > MAX_BYTES {
            bail!("{len} random bytes asked at once, at most {MAX_BYTES} are given");
        }
        let mut bytes = vec![0; len as usize];
        self.spend(bytes.len() * BYTE)?;
        self.world.randomness.fill(&mut bytes);
        Ok(bytes)
    }

    fn random_u64(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.spend(bytes.len() * BYTE)?;
        self.world.randomness.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.random_u64()
    }
}

impl insecure::Host for View<'_> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        self.random_u64()
    }
}

impl insecure_seed::Host for View<'_> {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        Ok((self.random_u64()?, self.random_u64()?))
    }
}
