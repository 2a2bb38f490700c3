//! Many writers: how many commits one sync is shared by, and what readers outside wait meanwhile.

use super::rounds::figures;
use super::trace::listening_everywhere;
use super::{Effort, append, context, folder, set};
use anyhow::{Result, bail};
use std::fs::File;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use theus_host::{Durability, Engine, Path};

const COMMITS: usize = 60_000;
const READS: usize = 400_000;
const SYNCS: usize = 500;

pub(crate) fn run(effort: Effort) -> Result<()> {
    // The committer says so behind every group, each of which is one sync, but where the file grows (a test has that).
    let groups = Arc::new(AtomicU64::new(0));
    let count = groups.clone();
    listening_everywhere(move |said| {
        if said == "the group lasts" {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    println!(
        "{:<12} {:>12} {:>12} {:>18} {:>22}",
        "writers", "commits/s", "per group", "fdatasync, us", "commits per its time"
    );
    for writers in [1, 4, 16, 64] {
        let folder = folder()?;
        let engine = Engine::builder()
            .context(context()?)
            .state(folder.path().join("state"))
            .durability(Durability::Durable)
            .build()?;
        let mut file = File::create(folder.path().join("appended"))?;
        let unit = sync(&mut file)?;
        let commits = effort.of(COMMITS).min(writers * 1_000);
        let before = groups.load(Ordering::Relaxed);
        let start = Instant::now();
        write(&engine, writers, commits / writers, &AtomicBool::new(false))?;
        let seconds = start.elapsed().as_secs_f64();
        let synced = groups.load(Ordering::Relaxed) - before;
        let unit = (unit + sync(&mut file)?) / 2.0;
        let rate = commits as f64 / seconds;
        println!(
            "{writers:<12} {rate:>12.0} {:>12.1} {unit:>18.0} {:>22.1}",
            commits as f64 / synced as f64,
            rate * unit / 1e6
        );
    }
    println!("aim: 20 per group with 64 writers");
    reads(effort)
}

/// The median of some syncs, in microseconds.
fn sync(file: &mut File) -> Result<f64> {
    let mut micros = Vec::new();
    for _ in 0..SYNCS {
        let start = Instant::now();
        append(file)?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(figures(&mut micros).median)
}

/// Every writer commits so often, one after the other, or until it is told to stop.
fn write(engine: &Engine, writers: usize, each: usize, stop: &AtomicBool) -> Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn(move || -> Result<()> {
                    let key = format!("key{writer}");
                    for number in 0..each {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        set(engine, &key, i64::try_from(number)?)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(wrote) => wrote?,
                Err(_) => bail!("a thread panicked"),
            }
        }
        Ok(())
    })
}

/// What a reader outside waits while sixteen writers commit, and while nobody does.
fn reads(effort: Effort) -> Result<()> {
    let folder = folder()?;
    let engine = Engine::builder()
        .context(context()?)
        .state(folder.path().join("state"))
        .build()?;
    let path = Path::parse("domain.values.key0")?;
    let read = |reads: usize| -> Vec<f64> {
        let mut micros = Vec::with_capacity(reads);
        for _ in 0..reads {
            let start = Instant::now();
            black_box(engine.context().tree.get(&path));
            micros.push(start.elapsed().as_secs_f64() * 1e6);
        }
        micros.sort_by(f64::total_cmp);
        micros
    };
    let alone = read(effort.of(READS));
    let stop = AtomicBool::new(false);
    let meanwhile = std::thread::scope(|scope| -> Result<Vec<f64>> {
        let writers = scope.spawn(|| write(&engine, 16, usize::MAX, &stop));
        let before = engine.context().version;
        while engine.context().version < before + 100 {
            std::thread::yield_now();
        }
        let meanwhile = read(effort.of(READS));
        stop.store(true, Ordering::Relaxed);
        match writers.join() {
            Ok(wrote) => wrote?,
            Err(_) => bail!("a thread panicked"),
        }
        Ok(meanwhile)
    })?;
    println!("\na value of `engine.context()`, us       median      99%    99.9%");
    for (name, micros) in [("alone", &alone), ("while 16 writers commit", &meanwhile)] {
        let at = |share: usize| micros[micros.len() * share / 1_000];
        println!(
            "{name:<36} {:>9.2} {:>8.2} {:>8.2}",
            at(500),
            at(990),
            at(999)
        );
    }
    Ok(())
}
