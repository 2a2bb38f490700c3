//! Large values of the heavy zone: what a commit costs that brings one.

use super::rounds::{Case, measure};
use super::{Effort, append, context, folder};
use anyhow::Result;
use std::cell::Cell;
use std::fs::File;
use theus_host::Engine;

const ROUNDS: usize = 200;

pub(crate) fn run(effort: Effort) -> Result<()> {
    let folder = folder()?;
    let mut file = File::create(folder.path().join("appended"))?;
    let engine = Engine::builder()
        .context(context()?)
        .state(folder.path().join("state"))
        .build()?;
    let number = Cell::new(0_u64);
    let image = |bytes: usize| {
        number.set(number.get() + 1);
        let mut image = vec![7; bytes];
        image[..8].copy_from_slice(&number.get().to_le_bytes());
        image
    };
    let set = |bytes: usize| -> Result<()> {
        Ok(engine.edit(|context| context.set("domain.heavy_image", image(bytes)))?)
    };
    let same = image(16 << 20);
    engine.edit(|context| context.set("domain.heavy_same", same.clone()))?;
    let again = || Ok(engine.edit(|context| context.set("domain.heavy_same", same.clone()))?);
    let mut cases = [
        Case::new("fdatasync of 200 bytes, appended", || append(&mut file)).batch(1),
        Case::new("256 KiB, in its record", || set((256 << 10) - 5)).batch(1),
        Case::new("256 KiB and a byte, as a blob", || set((256 << 10) + 1)).batch(1),
        Case::new("1 MiB", || set(1 << 20)).batch(1),
        Case::new("4 MiB", || set(4 << 20)).batch(1),
        Case::new("16 MiB", || set(16 << 20)).batch(1),
        Case::new("16 MiB that are kept already", again).batch(1),
    ];
    let figures = measure(&mut cases, effort.of(ROUNDS))?;
    println!(
        "{:<40} {:>10} {:>10} {:>10}",
        "ms, and as a ratio of the first", "decile", "median", "x median"
    );
    for (case, it) in cases.iter().zip(&figures) {
        println!(
            "{:<40} {:>10.2} {:>10.2} {:>10.1}",
            case.name,
            it.decile / 1e3,
            it.median / 1e3,
            it.median / figures[0].median
        );
    }
    Ok(())
}
