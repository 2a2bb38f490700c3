//! What reading and writing costs through the whole engine: host calls, growing lists, large subtrees.

use super::Effort;
use super::guests;
use super::rounds::{Case, measure};
use anyhow::Result;
use theus_host::{Limits, Map, Value, args};

const ROUNDS: usize = 300;
/// Host calls of one run, so that the run itself weighs little.
const CALLS: u64 = 10_000;

pub(crate) fn run(effort: Effort) -> Result<()> {
    host_calls(effort)?;
    by_size(
        effort,
        "push, by the list's length",
        &[100, 10_000, 1_000_000],
        list_of,
        |path| ("push_raw", args! { "path" => path, "value" => 7 }),
    )?;
    by_size(
        effort,
        "get, by the subtree's nodes",
        &[1, 1_000, 100_000],
        map_of,
        |path| ("touch", args! { "path" => path }),
    )
}

/// Gets and sets of a granted path, with what the guest needs to make them.
fn host_calls(effort: Effort) -> Result<()> {
    let limits = Limits {
        writes: u64::MAX,
        reads: u64::MAX,
        write_bytes: u64::MAX,
        ..Limits::default()
    };
    let context = r#"{"domain": {"counter": 0, "slots": {}}}"#;
    let engine = guests::probe(context, limits)?;
    let of = |process: &'static str, count: u64| {
        let (engine, args) = (engine.clone(), args! { "count" => count });
        Case::new(process, move || {
            engine.run(process, args.clone())?;
            Ok(())
        })
        .batch(1)
    };
    let mut cases = [
        of("many_reads", 0),
        of("many_reads", CALLS),
        of("rewrite", 0),
        of("rewrite", CALLS),
    ];
    let figures = measure(&mut cases, effort.rounds(ROUNDS))?;
    println!("one host call of a guest in its sandbox, ns, decile and median of runs of {CALLS}");
    for (name, at) in [("get by path", 0), ("set by path", 2)] {
        let nanos = |with: f64, without: f64| (with - without) * 1e3 / CALLS as f64;
        println!(
            "{name:<32} {:>8.0} {:>8.0}",
            nanos(figures[at + 1].decile, figures[at].decile),
            nanos(figures[at + 1].median, figures[at].median),
        );
    }
    println!("aims: 300 and 220");
    Ok(())
}

fn by_size(
    effort: Effort,
    heading: &str,
    sizes: &[i64],
    value: fn(i64) -> Value,
    call: fn(&'static str) -> (&'static str, Map),
) -> Result<()> {
    const PATH: &str = "domain.data.value";
    let limits = Limits {
        value_bytes: 64 << 20,
        read_bytes: u64::MAX,
        result_bytes: 64 << 20,
        fuel: u64::MAX / 2,
        ..Limits::default()
    };
    println!("a whole run with one {heading}: us, decile and median, and as a ratio of the first");
    let mut first = None;
    for size in sizes {
        let engine = guests::probe(r#"{"domain": {"data": {}}}"#, limits.clone())?;
        engine.edit(|context| context.set(PATH, value(*size)))?;
        let (process, args) = call(PATH);
        let run = move || {
            engine.run(process, args.clone())?;
            Ok(())
        };
        // Not in turn: after the largest one the smallest would find cold caches and a heap given back.
        let figures = measure(&mut [Case::new("", run).batch(1)], effort.rounds(ROUNDS))?;
        let first = *first.get_or_insert(figures[0].decile);
        println!(
            "{size:<32} {:>10.1} {:>10.1} {:>8.2}",
            figures[0].decile,
            figures[0].median,
            figures[0].decile / first
        );
    }
    Ok(())
}

fn list_of(len: i64) -> Value {
    Value::List((0..len).map(Value::Int).collect())
}

fn map_of(nodes: i64) -> Value {
    let entries = (0..nodes).map(|it| (format!("key{it}"), Value::Int(it)));
    Value::Map(entries.collect())
}
