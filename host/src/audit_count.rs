//! The counters of audit rules, as an operator reads them.

use crate::engine::Engine;
use serde::Serialize;
use theus_core::audit::Gate;

/// The counter of one rule of one process; a rule without one stands at 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditCount {
    /// The process.
    pub process: String,
    /// The gate.
    pub gate: Gate,
    /// The rule, as receipts print it.
    pub rule: String,
    /// The violations since its level last acted or, unless it says otherwise, since it last passed.
    pub count: u64,
}

impl Engine {
    /// The counters of audit rules that are not at 0, by process, gate and the order of the recipe.
    ///
    /// A rule counts once per run that violates it, whether the run commits, fails or is refused. Dry runs count nothing.
    ///
    /// ```
    /// # use theus_host::build::{Build, Diagnostics};
    /// use theus_host::{Engine, Policy, Recipe, args, context_from_json};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let guest = Build::new("../guests/warehouse").diagnostics(Diagnostics::Hide).run()?;
    /// let recipe = "process_recipes: { add_product: { inputs: [{ field: price, max: 100, threshold: 3 }] } }";
    /// let engine = Engine::builder()
    ///     .context(context_from_json(r#"{"domain": {"items": [], "total_value": 0}}"#)?)
    ///     .recipe(Recipe::parse(recipe, "audit.yaml")?)
    ///     .build()?;
    /// engine.register(guest.wasm, Policy::as_declared())?;
    /// engine.run("add_product", args! { "product_name" => "TV", "price" => 500 })?;
    /// engine.run("add_product", args! { "product_name" => "TV", "price" => 500 })?;
    ///
    /// let counts = engine.audit_counts();
    /// assert_eq!((counts[0].rule.as_str(), counts[0].count), ("price max 100", 2));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn audit_counts(&self) -> Vec<AuditCount> {
        let processes = self.shared.processes.load();
        let counts = self.shared.tracker.counts().into_iter();
        counts
            .filter_map(|counted| {
                let rules = processes.get(&counted.process)?.rules.as_ref()?;
                Some(AuditCount {
                    gate: counted.rule.gate,
                    rule: rules.rule(counted.rule)?.name().to_owned(),
                    process: counted.process,
                    count: counted.count,
                })
            })
            .collect()
    }
}
