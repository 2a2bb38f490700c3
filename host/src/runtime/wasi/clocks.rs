//! `wasi:clocks`: virtual time, which stands still until the guest waits for it. The wall clock begins at the time of the
//! transaction, where that was granted.

use super::View;
use crate::side_effects::nanos;
use std::time::SystemTime;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

const NANOS: u64 = 1_000_000_000;
/// The wall clock's reading at virtual time 0, unless it is granted: the first second of the year 2000, UTC.
const WALL_CLOCK: u64 = 946_684_800 * NANOS;

/// Virtual time in nanoseconds.
pub(super) struct Clock {
    now: u64,
    // What the wall clock says at virtual time 0, in nanoseconds since 1970.
    wall: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            now: 0,
            wall: WALL_CLOCK,
        }
    }
}

impl Clock {
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Sets the wall clock.
    pub(super) fn set(&mut self, time: SystemTime) {
        self.wall = nanos(time).saturating_sub(self.now);
    }

    fn wall(&self) -> u64 {
        self.wall.saturating_add(self.now)
    }

    /// What the wall clock says.
    pub(super) fn datetime(&self) -> wall_clock::Datetime {
        datetime_of(self.wall())
    }

    /// Lets time pass until `at`, at no time at all.
    pub(super) fn advance_to(&mut self, at: u64) {
        self.now = self.now.max(at);
    }
}

/// A time as guests see it.
pub(super) fn datetime(time: SystemTime) -> wall_clock::Datetime {
    datetime_of(nanos(time))
}

fn datetime_of(nanos: u64) -> wall_clock::Datetime {
    wall_clock::Datetime {
        seconds: nanos / NANOS,
        nanoseconds: (nanos % NANOS) as u32,
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
        Ok(self.world.clock.datetime())
    }

    fn resolution(&mut self) -> Result<wall_clock::Datetime> {
        self.spend(0)?;
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1,
        })
    }
}
