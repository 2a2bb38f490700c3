//! The reference call against its baselines.
//!
//! It has two arguments, two gets and three sets, one input rule, one output rule, and commits to memory, in a fresh
//! instance, with fuel, epoch and all limits on. What is measured is `Engine::run`, with its arguments at hand.

use super::Effort;
use super::guests;
use super::rounds::{Case, Figures, measure};
use anyhow::{Context as _, Result, ensure};
use std::collections::HashMap;
use std::sync::Arc;
use theus_core::codec;
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::contract::Contract;
use theus_core::guard::Guard;
use theus_core::path::Path;
use theus_core::refusal::Refusal;
use theus_core::transaction::Transaction;
use theus_host::{
    BareGuest, Engine, Limits, Map, PlainGuest, Policy, Recipe, Snapshot, Value, args,
};

pub(crate) const RECIPE: &str = "
process_recipes:
  reference:
    inputs: [{ field: price, min: 0, level: B }]
    outputs: [{ field: domain.count, min: 0, level: B }]
";
/// Ten rules of each gate.
const TEN_RULES: &str = "
process_recipes:
  reference:
    inputs:
      - { field: price, min: 0, max: 1000000, type: int, neq: 13, level: B }
      - { field: product_name, min_len: 1, max_len: 100, type: string, level: B }
      - { field: domain.count, min: 0, type: int }
      - { field: domain.total_value, min: 0 }
    outputs:
      - { field: domain.count, min: 0, type: int, level: B }
      - { field: domain.total_value, min: 0, type: int, level: B }
      - { field: domain.last_product, min_len: 1, max_len: 100, type: string, level: B }
      - { field: result, type: string, min_len: 1, eq: Added, level: B }
";
const CONTEXT: &str = r#"{"domain": {"total_value": 0, "count": 0, "last_product": ""}}"#;
const ROUNDS: usize = 1_500;

const NATIVE: &str = "native closure, same pipeline";
const REUSED: &str = "bare instance, reused";
const PLAIN: &str = "bare instance, fresh, plain get and set";
const BARE: &str = "bare instance, fresh, same host functions";
const REFERENCE: &str = "the reference call";
const WITHOUT_RULES: &str = "the reference call without rules";
const MANY_RULES: &str = "the reference call, ten rules of each gate";
const SCRIPT: &str = "the reference call in AssemblyScript";

pub(crate) fn run(effort: Effort) -> Result<()> {
    let component = guests::component("reference")?;
    let script = guests::component("reference-as")?;
    let mut cases = cases(&component, &script)?;
    let figures = measure(&mut cases, effort.rounds(ROUNDS))?;
    print(&cases, &figures, component.len(), script.len())
}

/// Calls one case for as long as a profiler may want to look.
pub(crate) fn profile(name: &str) -> Result<()> {
    let component = guests::component("reference")?;
    let script = guests::component("reference-as")?;
    let mut cases = cases(&component, &script)?;
    cases.retain(|case| case.name.contains(name));
    ensure!(
        cases.len() == 1,
        "`{name}` is not in exactly one case's name"
    );
    measure(&mut cases, 40 * ROUNDS)?;
    Ok(())
}

fn cases(component: &[u8], script: &[u8]) -> Result<Vec<Case<'static>>> {
    Ok(vec![
        Case::new(NATIVE, native()?),
        Case::new(REUSED, reused(component)?),
        Case::new(PLAIN, plain(component)?),
        Case::new(BARE, bare_call(component)?),
        Case::new(REFERENCE, reference(component, Some(RECIPE))?),
        Case::new(WITHOUT_RULES, reference(component, None)?),
        Case::new(MANY_RULES, reference(component, Some(TEN_RULES))?),
        Case::new(SCRIPT, reference(script, Some(RECIPE))?),
    ])
}

type Call = Box<dyn FnMut() -> Result<()>>;

/// An engine for the reference call, of which so many instances may stand ready.
pub(crate) fn engine(recipe: Option<&str>, standing: u32) -> Result<Engine> {
    let mut builder = Engine::builder()
        .context(theus_host::context_from_json(CONTEXT)?)
        .standing_instances(standing);
    if let Some(recipe) = recipe {
        builder = builder.recipe(Recipe::parse(recipe, "recipe")?);
    }
    Ok(builder.build()?)
}

pub(crate) fn arguments() -> Map {
    args! { "product_name" => "TV", "price" => 500 }
}

fn reference(component: &[u8], recipe: Option<&str>) -> Result<Call> {
    let engine = engine(recipe, 0)?;
    engine.register(component.to_vec(), Policy::as_declared())?;
    let args = arguments();
    let receipt = engine.run("reference", args.clone())?;
    ensure!(
        receipt.changes.len() == 3,
        "the reference call changes three places"
    );
    Ok(Box::new(move || {
        engine.run("reference", args.clone())?;
        Ok(())
    }))
}

pub(crate) fn native() -> Result<Call> {
    let line = r#"{"name":"reference","parameters":[{"name":"product_name","kind":"string"},{"name":"price","kind":"int"}],"inputs":["domain.total_value","domain.count"],"outputs":["domain.total_value","domain.count","domain.last_product"],"errors":["ValueError"]}"#;
    let contract = Contract::parse_section(line.as_bytes())?.remove(0);
    let engine = engine(Some(RECIPE), 0)?;
    engine.register_without_isolation(contract, native_process)?;
    let args = arguments();
    Ok(Box::new(move || {
        engine.run("reference", args.clone())?;
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

fn plain_parts(component: &[u8]) -> Result<(PlainGuest, Vec<u8>, Values)> {
    let guest = PlainGuest::new(component, &Limits::default())?;
    let values = ["domain.total_value", "domain.count"]
        .map(|path| (path.to_owned(), vec![0]))
        .into();
    Ok((guest, codec::encode_all(&Value::Map(arguments())), values))
}

fn plain(component: &[u8]) -> Result<Call> {
    let (guest, args, values) = plain_parts(component)?;
    Ok(Box::new(move || {
        guest.call("reference", &args, values.clone())?;
        Ok(())
    }))
}

/// The engine's own host functions over a transaction that nobody commits.
pub(crate) fn bare_call(component: &[u8]) -> Result<impl Fn() -> Result<()> + Sync + use<>> {
    let limits = Arc::new(Limits::default());
    let guest = BareGuest::new(component, &limits)?;
    let args = codec::encode_all(&Value::Map(arguments()));
    let base = Snapshot {
        version: 0,
        tree: theus_host::context_from_json(CONTEXT)?,
    };
    let places = ["domain.total_value", "domain.count", "domain.last_product"];
    let places = || places.map(|text| Path::parse(text).expect(text)).to_vec();
    let guard = Arc::new(Guard::new(places(), places()).interned());
    Ok(move || {
        let transaction = Transaction::begin(base.clone());
        let guard = ContextGuard::new(guard.clone(), transaction, limits.clone(), Mode::Strict);
        guest.call("reference", &args, Box::new(guard))?;
        Ok(())
    })
}

fn reused(component: &[u8]) -> Result<Call> {
    let (guest, args, values) = plain_parts(component)?;
    let mut instance = guest.instance(values.clone())?;
    let mut calls = 0;
    Ok(Box::new(move || {
        // The guest's allocator never frees: one instance does not last for ever.
        calls += 1;
        if calls % 1_000 == 0 {
            instance = guest.instance(values.clone())?;
        }
        instance.call("reference", &args).context("reused")?;
        Ok(())
    }))
}

fn print(
    cases: &[Case<'_>],
    figures: &[Figures],
    component_bytes: usize,
    script_bytes: usize,
) -> Result<()> {
    let of = |name| {
        let at = cases.iter().position(|case| case.name == name);
        at.map(|at| figures[at]).context("a case of that name")
    };
    let (native, plain, bare) = (of(NATIVE)?, of(PLAIN)?, of(BARE)?);
    println!(
        "component of {component_bytes} bytes, from AssemblyScript {script_bytes}; us per call, and as ratios of the same column"
    );
    println!(
        "{:<42} {:>7} {:>9} {:>8} {:>7}   {:>7} {:>9} {:>8} {:>7}",
        "", "decile", "x native", "x plain", "x bare", "median", "x native", "x plain", "x bare"
    );
    for (case, it) in cases.iter().zip(figures) {
        println!(
            "{:<42} {:>7.2} {:>9.2} {:>8.2} {:>7.2}   {:>7.2} {:>9.2} {:>8.2} {:>7.2}",
            case.name,
            it.decile,
            it.decile / native.decile,
            it.decile / plain.decile,
            it.decile / bare.decile,
            it.median,
            it.median / native.median,
            it.median / plain.median,
            it.median / bare.median,
        );
    }
    let (without, many) = (of(WITHOUT_RULES)?, of(MANY_RULES)?);
    println!(
        "ten rules of each gate add {:.1}% (decile), {:.1}% (median)",
        (many.decile / without.decile - 1.0) * 100.0,
        (many.median / without.median - 1.0) * 100.0,
    );
    let (rust, script) = (of(REFERENCE)?, of(SCRIPT)?);
    println!(
        "in AssemblyScript it costs {:.2} (decile), {:.2} (median) times what it costs in Rust",
        script.decile / rust.decile,
        script.median / rust.median,
    );
    println!(
        "aims: the reference call at most 11 x native and 1.3 x bare; ten rules at most 15%; AssemblyScript at most 1.5 x Rust"
    );
    Ok(())
}
