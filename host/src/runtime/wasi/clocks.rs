//! `wasi:clocks`: virtual time, which stands still until the guest waits for it.

use super::View;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

/// The wall clock's reading at virtual time 0: the first second of the year 2000, UTC.
const WALL_CLOCK: u64 = 946_684_800;
const NANOS: u64 = 1_000_000_000;

/// Virtual time in nanoseconds.
#[derive(Default)]
pub(super) struct Clock {
    now: u64,
}

impl Clock {
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Lets time pass until `at`, at no time at all.
    pub(super) fn advance_to(&mut self, at: u64) {
        self.now = self.now.max(at);
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> Result<u64> {
        self.spend(0)?;
        Ok(self.world.clock.now())
    }

    fn resolution(&mut self) -> Result<u64> {
        self.spend(0)?;
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        self.spend(0)?;
        self.pollable(when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> Result<Resource<DynPollable>> {
        self.spend(0)?;
        self.pollable(self.world.clock.now().saturating_add(duration))
    }
}

impl wall_clock::Host for View<'_> {
    fn now(&mut self) -> Result<wall_clock::Datetime> {
        self.spend(0)?;
        let now = self.world.clock.now();
        Ok(wall_clock::Datetime {
            seconds: WALL_CLOCK + now / NANOS,
            nanoseconds: (now % NANOS) as u32,
        })
    }

    fn resolution(&mut self) -> Result<wall_clock::Datetime> {
        self.spend(0)?;
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1,
        })
    }
}
