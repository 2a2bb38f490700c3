//! What a guest can make the compiler do: one at every limit at once, at the default limits.

use super::Effort;
use super::standing::process_cpu_time;
use super::wat::at_every_limit;
use anyhow::{Context as _, Result};
use std::time::Instant;
use theus_host::{Engine, Limits, Policy};

pub(crate) fn run(effort: Effort) -> Result<()> {
    println!(
        "{:<32} {:>10} {:>10} {:>10} {:>14}",
        "a guest at every limit at once", "size, MiB", "s", "CPU, s", "peak RSS, MiB"
    );
    let largest = match effort {
        Effort::Quick => 1 << 20,
        Effort::Full => Limits::default().component_bytes,
    };
    for component_bytes in [largest / 4, largest] {
        let limits = Limits {
            component_bytes,
            ..Limits::default()
        };
        let guest = at_every_limit(&limits);
        let size = guest.len() as f64 / f64::from(1 << 20);
        let engine = Engine::builder().limits(limits).build()?;
        let (started, before) = (Instant::now(), process_cpu_time());
        engine.register(guest, Policy::as_declared())?;
        println!(
            "{:<32} {size:>10.1} {:>10.1} {:>10.1} {:>14}",
            "registered",
            started.elapsed().as_secs_f64(),
            (process_cpu_time() - before).as_secs_f64(),
            peak_rss()? >> 10
        );
    }
    Ok(())
}

/// The most memory that this process ever held, in KiB.
fn peak_rss() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("the system does not say")?.parse()?)
}
