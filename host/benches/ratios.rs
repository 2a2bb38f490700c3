//! The reference call as ratios against its baselines, all from one interleaved run.
//!
//! `cargo bench -p theus-host --features baseline --bench ratios [-- ROUNDS [CASE]]`
//!
//! The reference call has two arguments, two gets and three sets, one input rule, one output rule, and commits to memory,
//! in a fresh instance, with fuel, epoch and all limits on. Every round measures each case once, in turn, so that a noisy
//! machine disturbs all of them alike; the table gives the lowest decile and the median of the rounds.

#![allow(clippy::print_stdout, reason = "the table is the result")]

use anyhow::{Context as _, Result, ensure};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use theus_core::codec;
use theus_core::context_guard::ContextGuard;
use theus_core::contract::Contract;
use theus_core::refusal::Refusal;
use theus_host::build::{Build, Diagnostics};
use theus_host::{BareGuest, Engine, Limits, Map, Policy, Recipe, Value, args, component};

const RECIPE: &str = "
process_recipes:
  reference:
    inputs: [{ field: price, min: 0, level: B }]
    outputs: [{ field: domain.count, min: 0, level: B }]
";
const CONTEXT: &str = r#"{"domain": {"total_value": 0, "count": 0, "last_product": ""}}"#;
/// Calls per measurement: enough for the clock, few enough that an interruption spoils one of many.
const BATCH: u32 = 20;
const ROUNDS: usize = 1_500;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let rounds = words.next().and_then(|it| it.parse().ok());
    let only = words.next();
    let wasm = Build::new("../guests/reference")
        .diagnostics(Diagnostics::Hide)
        .run()?
        .wasm;
    let bytes = std::fs::read(&wasm)?;
    let component = component::into_component(&bytes)?.into_owned();
    let mut cases = cases(&component)?;
    if let Some(only) = &only {
        // One case alone is for a profiler: there is nothing to compare it with.
        cases.retain(|case| case.name.contains(only));
    }
    for case in &mut cases {
        for _ in 0..200 {
            (case.call)()?;
        }
    }
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        for case in &mut cases {
            let start = Instant::now();
            for _ in 0..BATCH {
                (case.call)()?;
            }
            case.micros
                .push(start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH));
        }
    }
    if only.is_none() {
        print(&mut cases, component.len());
    }
    Ok(())
}

struct Case {
    name: &'static str,
    call: Box<dyn FnMut() -> Result<()>>,
    micros: Vec<f64>,
}

fn cases(component: &[u8]) -> Result<Vec<Case>> {
    let case = |name, call| Case {
        name,
        call,
        micros: Vec::new(),
    };
    Ok(vec![
        case("native closure, same pipeline", native()?),
        case("bare instance, reused", reused(component)?),
        case("bare instance, fresh", bare(component)?),
        case("reference call", reference(component, Some(RECIPE))?),
        case("reference call without rules", reference(component, None)?),
    ])
}

fn engine(recipe: Option<&str>) -> Result<Engine> {
    let mut builder = Engine::builder()
        .context(theus_host::context_from_json(CONTEXT)?)
        .standing_instances(0);
    if let Some(recipe) = recipe {
        builder = builder.recipe(Recipe::parse(recipe, "recipe")?);
    }
    Ok(builder.build()?)
}

fn arguments() -> Map {
    args! { "product_name" => "TV", "price" => 500 }
}

fn reference(component: &[u8], recipe: Option<&str>) -> Result<Box<dyn FnMut() -> Result<()>>> {
    let engine = engine(recipe)?;
    engine.register(component.to_vec(), Policy::as_declared())?;
    let receipt = engine.run("reference", arguments())?;
    ensure!(
        receipt.changes.len() == 3,
        "the reference call changes three places"
    );
    Ok(Box::new(move || {
        engine.run("reference", arguments())?;
        Ok(())
    }))
}

fn native() -> Result<Box<dyn FnMut() -> Result<()>>> {
    let line = r#"{"name":"reference","parameters":[{"name":"product_name","kind":"string"},{"name":"price","kind":"int"}],"inputs":["domain.total_value","domain.count"],"outputs":["domain.total_value","domain.count","domain.last_product"],"errors":["ValueError"]}"#;
    let contract = Contract::parse_section(line.as_bytes())?.remove(0);
    let engine = engine(Some(RECIPE))?;
    engine.register_without_isolation(contract, native_process)?;
    Ok(Box::new(move || {
        engine.run("reference", arguments())?;
        Ok(())
    }))
}

/// The guest's work, with the same bytes in and out.
fn native_process(context: &mut ContextGuard, args: &[u8]) -> Result<Vec<u8>, Refusal> {
    let bounds = codec::Bounds {
        depth: 32,
        decoded_bytes: 1 << 20,
    };
    let read = |bytes: Option<Vec<u8>>| -> Result<i64, Refusal> {
        let value = bytes
            .map(|bytes| codec::decode(&bytes, bounds))
            .transpose()?;
        Ok(value.as_ref().and_then(Value::as_i64).unwrap_or(0))
    };
    let args = codec::decode(args, bounds)?;
    let arg = |name| {
        args.as_map()
            .and_then(|args| args.get(name))
            .cloned()
            .unwrap_or_default()
    };
    let total = read(context.get("domain.total_value")?)?;
    let count = read(context.get("domain.count")?)?;
    let price = arg("price").as_i64().unwrap_or(0);
    context.set(
        "domain.total_value",
        &codec::encode_all(&Value::from(total.wrapping_add(price))),
    )?;
    context.set(
        "domain.count",
        &codec::encode_all(&Value::from(count.wrapping_add(1))),
    )?;
    context.set(
        "domain.last_product",
        &codec::encode_all(&arg("product_name")),
    )?;
    Ok(codec::encode_all(&Value::from("Added")))
}

type Values = HashMap<String, Vec<u8>>;

fn bare_parts(component: &[u8]) -> Result<(BareGuest, Vec<u8>, Values)> {
    let guest = BareGuest::new(component, &Limits::default())?;
    let args = codec::encode_all(&Value::Map(arguments()));
    let values = ["domain.total_value", "domain.count"]
        .map(|path| (path.to_owned(), vec![0]))
        .into();
    Ok((guest, args, values))
}

fn bare(component: &[u8]) -> Result<Box<dyn FnMut() -> Result<()>>> {
    let (guest, args, values) = bare_parts(component)?;
    Ok(Box::new(move || {
        guest.call("reference", &args, &values)?;
        Ok(())
    }))
}

fn reused(component: &[u8]) -> Result<Box<dyn FnMut() -> Result<()>>> {
    let (guest, args, values) = bare_parts(component)?;
    let guest = Arc::new(guest);
    let mut instance = guest.instance(&values)?;
    let mut calls = 0;
    Ok(Box::new(move || {
        // The guest's allocator never frees: one instance does not last for ever.
        calls += 1;
        if calls % 1_000 == 0 {
            instance = guest.instance(&values)?;
        }
        instance.call("reference", &args).context("reused")?;
        Ok(())
    }))
}

fn print(cases: &mut [Case], component_bytes: usize) {
    let mut figures = Vec::new();
    for case in cases.iter_mut() {
        case.micros.sort_by(f64::total_cmp);
        let at = |part: usize| case.micros[case.micros.len() * part / 100];
        figures.push((case.name, at(10), at(50)));
    }
    let (_, native, native_median) = figures[0];
    let (_, bare, bare_median) = figures[2];
    println!("component of {component_bytes} bytes; us per call, and as ratios of the same column");
    println!(
        "{:<32} {:>9} {:>9} {:>8} {:>9} {:>8} {:>9}",
        "", "decile", "x native", "x bare", "median", "x native", "x bare"
    );
    for (name, decile, median) in figures {
        println!(
            "{name:<32} {decile:>9.2} {:>9.2} {:>8.2} {median:>9.2} {:>8.2} {:>9.2}",
            decile / native,
            decile / bare,
            median / native_median,
            median / bare_median
        );
    }
}
