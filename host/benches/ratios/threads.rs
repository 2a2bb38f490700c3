//! One thread and two, on disjoint and on equal keys: what locks and shared counters cost; and the same for bare
//! instances, which have none but the instance pool's.

use super::Effort;
use super::calls::bare_call;
use super::guests;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use theus_host::{Limits, Path, Value, args};

const ROUNDS: usize = 60;
/// How long every thread calls in one measurement.
const SLICE: Duration = Duration::from_millis(40);

pub(crate) fn run(effort: Effort) -> Result<()> {
    let context = r#"{"domain": {"slots": {"a": 0, "b": 0}}}"#;
    let engine = guests::probe(context, Limits::default())?;
    let run = |key: &str| {
        engine.run("increment_at", args! { "slot" => key })?;
        Ok(())
    };
    let bare = bare_call(&guests::component("reference")?)?;
    let bare = |_: &str| bare();
    let cases: [(&str, &[&str], &Call<'_>); 5] = [
        ("one thread", &["a"], &run),
        ("two threads, disjoint keys", &["a", "b"], &run),
        ("two threads, equal keys", &["a", "a"], &run),
        ("bare instances, one thread", &["a"], &bare),
        ("bare instances, two threads", &["a", "b"], &bare),
    ];
    let mut rates: [Vec<f64>; 5] = Default::default();
    let mut committed = 0;
    for _ in 0..effort.rounds(ROUNDS) {
        for (at, (_, keys, call)) in cases.iter().enumerate() {
            let (calls, rate) = slice(keys, *call)?;
            committed += if at < 3 { calls } else { 0 };
            rates[at].push(rate);
        }
    }
    let count = |key| match engine.context().tree.get(&Path::parse(key)?) {
        Some(Value::Int(count)) => Ok(u64::try_from(*count)?),
        other => anyhow::bail!("{key} is {other:?}"),
    };
    let counted = count("domain.slots.a")? + count("domain.slots.b")?;
    ensure!(counted == committed, "{counted} of {committed} calls count");
    let medians = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    println!("calls per second in all, median of slices in turn, and as a ratio of one thread");
    for (at, (name, ..)) in cases.iter().enumerate() {
        let one = medians[if at < 3 { 0 } else { 3 }];
        println!(
            "{name:<32} {:>10.0} {:>8.2}",
            medians[at],
            medians[at] / one
        );
    }
    println!("{committed} calls, {counted} counted in the context: nothing was lost");
    println!("aims: 1.7 on disjoint keys, 1.0 on equal ones, on two idle cores");
    Ok(())
}

type Call<'a> = dyn Fn(&str) -> Result<()> + Sync + 'a;

/// Calls from one thread per key for a while: how many, and how many per second.
fn slice(keys: &[&str], call: &Call<'_>) -> Result<(u64, f64)> {
    let start = Instant::now();
    let end = start + SLICE;
    let calls: Result<Vec<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = keys
            .iter()
            .map(|key| {
                scope.spawn(move || -> Result<u64> {
                    let mut calls = 0;
                    while Instant::now() < end {
                        call(key)?;
                        calls += 1;
                    }
                    Ok(calls)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("a thread panicked"))
            })
            .collect()
    });
    let calls = calls?.into_iter().sum();
    Ok((calls, calls as f64 / start.elapsed().as_secs_f64()))
}
