//! The guests that are measured.

use anyhow::Result;
use theus_host::build::{Build, Diagnostics};
use theus_host::{Engine, Limits, Policy, component, context_from_json};

/// The component of a guest's folder, built if need be.
pub(crate) fn component(name: &str) -> Result<Vec<u8>> {
    let built = Build::new(format!("../guests/{name}"))
        .diagnostics(Diagnostics::Hide)
        .run()?;
    let bytes = std::fs::read(built.wasm)?;
    Ok(component::into_component(&bytes)?.into_owned())
}

/// An engine with the guest `probe`, which makes every instance when it is asked for.
pub(crate) fn probe(context: &str, limits: Limits) -> Result<Engine> {
    let engine = Engine::builder()
        .context(context_from_json(context)?)
        .limits(limits)
        .standing_instances(0)
        .build()?;
    engine.register(component("probe")?, Policy::as_declared())?;
    Ok(engine)
}
