//! Engines for tests, and the two ways in which a run ends.

use super::guests::{self, Prebuilt};
use super::root;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use theus_core::codec;
use theus_host::store::{Store, is_state};
use theus_host::{
    Call, Engine, Limits, Map, Mode, Outcome, Path, Policy, Receipt, Recipe, Schema, Tree, Value,
    context_from_json, context_from_value,
};

/// Long enough that nothing reaches it on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An engine to be: guests, the context that they expect, and what a test wants otherwise.
pub(crate) struct Setup {
    guests: Vec<&'static Prebuilt>,
    context: Tree,
    recipe: Option<Recipe>,
    schema: Option<Schema>,
    limits: Limits,
    mode: Mode,
    policy: Policy,
    kept: Kept,
}

/// Where the engine keeps its context.
enum Kept {
    InMemory,
    At(PathBuf),
    In(Arc<dyn Store>),
}

impl Setup {
    /// The probe with its own context, no recipe, the default limits but for time.
    pub(crate) fn probe() -> Self {
        Self::of(guests::probe(), "guests/probe/context.yaml")
    }

    /// The warehouse with its own context.
    pub(crate) fn warehouse() -> Self {
        Self::of(guests::warehouse(), "guests/warehouse/context.yaml")
    }

    /// A guest with the context of a file in the project.
    pub(crate) fn of(guest: &'static Prebuilt, context: &str) -> Self {
        Self {
            guests: vec![guest],
            context: context_file(context),
            recipe: None,
            schema: None,
            limits: Limits {
                timeout: PATIENCE,
                ..Limits::default()
            },
            mode: Mode::Strict,
            policy: Policy::as_declared(),
            kept: Kept::InMemory,
        }
    }

    /// Keeps the context in a directory; the setup's own is the initial one of a new state.
    pub(crate) fn state(mut self, directory: &std::path::Path) -> Self {
        self.kept = Kept::At(directory.to_owned());
        self
    }

    /// Keeps the context in a store, whose context counts.
    pub(crate) fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.kept = Kept::In(store);
        self
    }

    /// One more guest.
    pub(crate) fn and(mut self, guest: &'static Prebuilt) -> Self {
        self.guests.push(guest);
        self
    }

    /// Another context.
    pub(crate) fn context(mut self, json: &str) -> Self {
        self.context = context_from_json(json).expect(json);
        self
    }

    /// Another context, from a file in the project.
    pub(crate) fn context_file(mut self, file: &str) -> Self {
        self.context = context_file(file);
        self
    }

    /// Another context, made by the test.
    pub(crate) fn tree(mut self, tree: Tree) -> Self {
        self.context = tree;
        self
    }

    /// A recipe.
    pub(crate) fn recipe(mut self, yaml: &str) -> Self {
        let recipe = Recipe::parse(yaml, "recipe.yaml").unwrap_or_else(|error| panic!("{error}"));
        self.recipe = Some(recipe);
        self
    }

    /// A schema.
    pub(crate) fn schema(mut self, yaml: &str) -> Self {
        let schema = Schema::parse(yaml, "schema.yaml").unwrap_or_else(|error| panic!("{error}"));
        self.schema = Some(schema);
        self
    }

    /// Other limits.
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Permissive instead of strict.
    pub(crate) fn permissive(mut self) -> Self {
        self.mode = Mode::Permissive;
        self
    }

    /// A policy for the first guest; every other one gets what its contracts declare.
    pub(crate) fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The engine.
    pub(crate) fn engine(self) -> Engine {
        self.try_engine().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The engine, or why a guest is not registered.
    pub(crate) fn try_engine(self) -> Result<Engine, String> {
        // Compiling a guest takes longer than most tests.
        let mut builder = Engine::builder()
            .compiled_code_cache(guests::tmp().join("compiled"))
            .limits(self.limits)
            .mode(self.mode);
        builder = match self.kept {
            Kept::InMemory => builder.context(self.context),
            Kept::At(directory) if is_state(&directory) => builder.state(directory),
            Kept::At(directory) => builder.context(self.context).state(directory),
            Kept::In(store) => builder.store(store),
        };
        if let Some(recipe) = self.recipe {
            builder = builder.recipe(recipe);
        }
        if let Some(schema) = self.schema {
            builder = builder.schema(schema);
        }
        let engine = builder.build().expect("the engine is built");
        let others = std::iter::repeat_with(Policy::as_declared);
        let policies = std::iter::once(self.policy).chain(others);
        for (guest, policy) in self.guests.into_iter().zip(policies) {
            engine
                .register(guest.file.as_path(), policy)
                .map_err(|error| format!("{}: {error}", guest.file.display()))?;
        }
        Ok(engine)
    }
}

/// Runs a process that is to commit.
#[track_caller]
pub(crate) fn commits(engine: &Engine, process: &str, args: Map) -> Receipt {
    let receipt = engine.call(Call::new(process, args));
    if let Some(error) = &receipt.error {
        panic!("{process}: {} {error}", error.code());
    }
    assert_eq!(receipt.outcome, Outcome::Committed);
    receipt
}

/// Runs a process that is to fail with that code, and sees to it that nothing remains.
#[track_caller]
pub(crate) fn fails(engine: &Engine, process: &str, args: Map, code: &str) -> Receipt {
    let events = engine.subscribe();
    let (version, bytes) = (engine.context().version, bytes(engine));
    let receipt = engine.call(Call::new(process, args));
    match &receipt.error {
        Some(error) => assert_eq!(error.code(), code, "{process}: {error}"),
        None => panic!("{process} ended well, expected {code}: {receipt:?}"),
    }
    assert_ne!(receipt.outcome, Outcome::Committed);
    assert!(receipt.changes.is_empty() && receipt.signals.is_empty() && receipt.outbox.is_empty());
    assert_eq!(receipt.result, None);
    assert_eq!(
        (receipt.version, engine.context().version),
        (version, version)
    );
    assert!(
        self::bytes(engine) == bytes,
        "{process}: the context is another"
    );
    assert_eq!(events.try_next(), None);
    receipt
}

/// The message of a receipt's error.
#[track_caller]
pub(crate) fn message(receipt: &Receipt) -> String {
    receipt.error.as_ref().expect("an error").to_string()
}

/// The committed value at a place.
#[track_caller]
pub(crate) fn value(engine: &Engine, path: &str) -> Option<Value> {
    let path = Path::parse(path).expect(path);
    engine.context().tree.get(&path).cloned()
}

/// The whole committed context as canonical bytes.
pub(crate) fn bytes(engine: &Engine) -> Vec<u8> {
    let tree = &engine.context().tree;
    theus_host::Layer::ALL
        .into_iter()
        .flat_map(|layer| codec::encode_all(tree.layer(layer)))
        .collect()
}

/// A value from JSON.
#[track_caller]
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

/// Arguments from JSON.
#[track_caller]
pub(crate) fn arguments(text: &str) -> Map {
    json(text).as_map().expect(text).clone()
}

fn context_file(file: &str) -> Tree {
    let text = fs::read_to_string(root().join(file)).expect(file);
    let value: Value = serde_saphyr::from_str(&text).expect(file);
    context_from_value(&value).expect(file)
}
