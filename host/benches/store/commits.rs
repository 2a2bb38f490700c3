//! One writer: what one commit costs that lasts.

use super::rounds::{Case, measure};
use super::{Effort, append, context, folder, set};
use anyhow::Result;
use std::cell::Cell;
use std::fs::File;
use theus_host::{Durability, Engine};

const ROUNDS: usize = 2_000;

pub(crate) fn run(effort: Effort) -> Result<()> {
    let folder = folder()?;
    let mut file = File::create(folder.path().join("appended"))?;
    let state = |name: &str, durability| -> Result<Engine> {
        Ok(Engine::builder()
            .context(context()?)
            .state(folder.path().join(name))
            .durability(durability)
            .build()?)
    };
    let durable = state("durable", Durability::Durable)?;
    let buffered = state("buffered", Durability::Buffered)?;
    let memory = Engine::builder().context(context()?).build()?;
    let number = Cell::new(0);
    let edit = |engine: &Engine| {
        number.set(number.get() + 1);
        set(engine, "key", number.get())
    };
    let mut cases = [
        Case::new("fdatasync of 200 bytes, appended", || append(&mut file)).batch(1),
        Case::new("a commit that lasts", || edit(&durable)).batch(1),
        Case::new("a commit that lasts soon (buffered)", || edit(&buffered)).batch(1),
        Case::new("a commit in memory", || edit(&memory)).batch(1),
    ];
    let figures = measure(&mut cases, effort.of(ROUNDS))?;
    let unit = figures[0];
    println!(
        "{:<40} {:>10} {:>10} {:>10}",
        "us, and as a ratio of the first", "decile", "median", "x median"
    );
    for (case, figures) in cases.iter().zip(&figures) {
        println!(
            "{:<40} {:>10.1} {:>10.1} {:>10.3}",
            case.name,
            figures.decile,
            figures.median,
            figures.median / unit.median
        );
    }
    println!("aim: 3 for one that lasts");
    Ok(())
}
