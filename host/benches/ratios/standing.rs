//! What a caller waits for where instances stand ready, and what the call costs in all.
//!
//! The calls come with pauses, as they do to a service that is not overloaded: idle time is what instances are made in.
//! The wait is the caller's own time in `Engine::run`; the cost is the CPU time of the whole process, pauses excluded.

use super::Effort;
use super::calls::{arguments, engine, native};
use super::guests;
use super::rounds::{Figures, figures};
use anyhow::{Result, ensure};
use rustix::time::ClockId;
use std::time::{Duration, Instant};
use theus_host::Policy;

const CALLS: usize = 40_000;
/// Enough for the keeper to make one instance and to take one apart.
const BETWEEN: Duration = Duration::from_micros(40);

pub(crate) fn run(effort: Effort) -> Result<()> {
    let component = guests::component("reference")?;
    let calls = effort.rounds(CALLS);
    let mut waits = Vec::new();
    let mut native = native()?;
    waits.push(("native closure, same pipeline", spaced(calls, &mut native)?));
    for (name, standing) in [
        ("instance made by the call", 0),
        ("instance standing ready", 8),
    ] {
        let engine = engine(Some(super::calls::RECIPE), standing)?;
        engine.register(component.clone(), Policy::as_declared())?;
        let args = arguments();
        let mut call = || {
            engine.run("reference", args.clone())?;
            Ok(())
        };
        waits.push((name, spaced(calls, &mut call)?));
        let made = engine.sandboxes_made();
        ensure!(made >= calls as u64, "{made} instances for {calls} calls");
    }
    let (_, (native, _)) = waits[0];
    println!("calls with pauses; us, and as ratios of the same column");
    println!(
        "{:<32} {:>12} {:>9} {:>12} {:>9} {:>10}",
        "", "wait, decile", "x native", "wait, median", "x native", "CPU in all"
    );
    for (name, (wait, cost)) in waits {
        println!(
            "{name:<32} {:>12.2} {:>9.2} {:>12.2} {:>9.2} {cost:>10.2}",
            wait.decile,
            wait.decile / native.decile,
            wait.median,
            wait.median / native.median,
        );
    }
    println!("aim: with instances standing ready, a wait of at most 4 x native");
    Ok(())
}

/// The caller's wait, and the CPU time per call of the whole process.
fn spaced(calls: usize, call: &mut dyn FnMut() -> Result<()>) -> Result<(Figures, f64)> {
    // Until the engine has seen that the guest is called often.
    let settled = Instant::now() + Duration::from_millis(300);
    while Instant::now() < settled {
        call()?;
        pause();
    }
    let mut waits = Vec::with_capacity(calls);
    let mut paused = Duration::ZERO;
    let before = process_cpu_time();
    for _ in 0..calls {
        let start = Instant::now();
        call()?;
        let end = Instant::now();
        waits.push((end - start).as_secs_f64() * 1e6);
        let begun = cpu_time(ClockId::ThreadCPUTime);
        pause();
        paused += cpu_time(ClockId::ThreadCPUTime) - begun;
    }
    // The pauses are spent spinning, on this thread.
    let spent = (process_cpu_time() - before).saturating_sub(paused);
    let cost = spent.as_secs_f64() * 1e6 / calls as f64;
    Ok((figures(&mut waits), cost))
}

fn pause() {
    let end = Instant::now() + BETWEEN;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// What all threads of this process have computed so far.
pub(crate) fn process_cpu_time() -> Duration {
    cpu_time(ClockId::ProcessCPUTime)
}

fn cpu_time(clock: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
