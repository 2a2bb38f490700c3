//! Runs a guest's real component in one line, for the integration tests of whoever writes guests.
//!
//! `theus_guest::testing` runs a process natively, which is fast and shows panics where they happen. What this module
//! runs is the component itself: in the sandbox, with fuel and limits, through locks, gates and commit.
//!
//! ```
//! use theus_host::args;
//! use theus_host::testing::Host;
//!
//! // In a guest's own tests the folder is env!("CARGO_MANIFEST_DIR").
//! let host = Host::build("../guests/warehouse")
//!     .context(r#"{"domain": {"items": [], "total_value": 0}}"#);
//!
//! let receipt = host.commits("add_product", args! { "product_name" => "TV", "price" => 500 });
//! assert_eq!(receipt.result, Some("Added".into()));
//! assert_eq!(host.value("domain.total_value"), Some(500.into()));
//!
//! let receipt = host.run("add_product", args! { "product_name" => "TV", "price" => -5 });
//! assert_eq!(receipt.error.expect("a failure").code(), "ValueError");
//! assert_eq!(host.version(), 1); // nothing of the failed run remains
//! ```
//!
//! [`cases`] are tests as data: a command line each, and what it must print.
//!
//! As it is made for tests, everything here panics where it cannot go on, and says why.

pub mod cases;

use crate::build::{Build, Diagnostics};
use crate::{Call, Engine, GuestSource, Policy, Receipt};
use std::collections::HashMap;
use std::path::{Path as File, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use theus_core::audit::Recipe;
use theus_core::context_guard::Mode;
use theus_core::context_source::context_from_value;
use theus_core::limits::Limits;
use theus_core::path::Path;
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// A host for tests: an engine in memory, with the guests that a test builds or brings.
///
/// Its settings are those of a new engine, but for time: a test is given a minute, since a machine that tests is busy.
/// The engine starts with the first run; changing a setting later starts another one, with the context that was set.
#[must_use]
pub struct Host {
    guests: Vec<(String, GuestSource)>,
    context: Tree,
    recipe: Option<Recipe>,
    limits: Limits,
    mode: Mode,
    policy: Policy,
    engine: OnceLock<Engine>,
}

/// Long enough that only a run that does not end reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

impl Host {
    /// A host with the guest of a source folder, which is built as `theus-host run FOLDER` builds it.
    ///
    /// A folder is built once per test process. Cargo keeps what it compiled, so the next process starts at once.
    ///
    /// # Panics
    ///
    /// The folder does not build.
    ///
    /// # Security
    ///
    /// Runs the folder's build scripts: see [`build`](crate::build).
    #[track_caller]
    pub fn build(folder: impl AsRef<File>) -> Self {
        Self::empty().and_build(folder)
    }

    /// A host with a guest that is there already: a `.wasm` file or its bytes.
    pub fn with_guest(guest: impl Into<GuestSource>) -> Self {
        Self::empty().and_guest(guest)
    }

    /// Adds the guest of another source folder.
    ///
    /// # Panics
    ///
    /// The folder does not build.
    #[track_caller]
    pub fn and_build(self, folder: impl AsRef<File>) -> Self {
        let folder = folder.as_ref();
        match built(folder) {
            Ok(bytes) => self.add(folder.display().to_string(), bytes.to_vec().into()),
            Err(why) => panic!("{} does not build: {why}", folder.display()),
        }
    }

    /// Adds another guest that is there already.
    pub fn and_guest(self, guest: impl Into<GuestSource>) -> Self {
        let guest = guest.into();
        let name = match &guest {
            GuestSource::File(file) => file.display().to_string(),
            GuestSource::Bytes(_) => "the guest".to_owned(),
        };
        self.add(name, guest)
    }

    /// Replaces the context by a text, JSON or YAML: `{"domain": {"items": []}}`. A layer that is left out is empty.
    ///
    /// A guest's own file will do: `host.context(include_str!("../context.yaml"))`. Binary data is
    /// `{"$bytes": "base64"}`.
    ///
    /// # Panics
    ///
    /// The text is no context.
    #[track_caller]
    pub fn context(self, text: &str) -> Self {
        let parsed: Result<Value, String> = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|why| why.to_string())
        } else {
            serde_saphyr::from_str(text).map_err(|why| why.to_string())
        };
        match parsed {
            Ok(layers) => self.context_value(&layers),
            Err(why) => panic!("the context is neither JSON nor YAML: {why}"),
        }
    }

    /// Replaces the context by a value: a map of layers.
    ///
    /// # Panics
    ///
    /// The value is no context.
    #[track_caller]
    pub fn context_value(mut self, layers: &Value) -> Self {
        match context_from_value(layers) {
            Ok(tree) => self.context = tree,
            Err(why) => panic!("{why}"),
        }
        self.restarted()
    }

    /// Sets the audit recipe: `host.recipe(include_str!("../audit.yaml"))`.
    ///
    /// # Panics
    ///
    /// The text is no recipe; the message shows every place.
    #[track_caller]
    pub fn recipe(mut self, yaml: &str) -> Self {
        match Recipe::parse(yaml, "the recipe") {
            Ok(recipe) => self.recipe = Some(recipe),
            Err(why) => panic!("{why}"),
        }
        self.restarted()
    }

    /// Changes limits: `host.limits(|limits| limits.fuel = 10_000)`.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self.restarted()
    }

    /// Sets what every guest is granted: `host.policy(Policy::as_declared().grant_directory("prices", "tests/prices"))`.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self.restarted()
    }

    /// Lets violations of contract and zones pass; [`Receipt::violations`] lists them. Everything else holds.
    pub fn permissive(mut self) -> Self {
        self.mode = Mode::Permissive;
        self.restarted()
    }

    /// Runs a process; the receipt says how it ended, whatever happened.
    ///
    /// # Panics
    ///
    /// The engine does not start: a guest, a contract or a rule is wrong.
    #[must_use = "a run that failed says so here"]
    #[track_caller]
    pub fn run(&self, process: &str, args: Map) -> Receipt {
        self.engine().call(Call::new(process, args))
    }

    /// Runs a process that is to commit.
    ///
    /// # Panics
    ///
    /// It does not commit; the message says why, and how to mend it. Or as [`run`](Self::run).
    #[track_caller]
    pub fn commits(&self, process: &str, args: Map) -> Receipt {
        let receipt = self.run(process, args);
        if let Some(error) = &receipt.error {
            let help = error
                .help()
                .map_or(String::new(), |help| format!("; {help}"));
            panic!("{process} failed with {}: {error}{help}", error.code());
        }
        receipt
    }

    /// Sets a value as the context's operator: no contract is asked. Parents must be there.
    ///
    /// # Panics
    ///
    /// The path or the value does not fit. Or as [`run`](Self::run).
    #[track_caller]
    pub fn set(&self, path: &str, value: impl Into<Value>) -> &Self {
        if let Err(why) = self.engine().edit(|context| context.set(path, value)) {
            panic!("`{path}` cannot be set: {why}");
        }
        self
    }

    /// The value in the context, as its operator sees it: signals and notes are shown too.
    ///
    /// # Panics
    ///
    /// `path` is no path. Or as [`run`](Self::run).
    #[must_use]
    #[track_caller]
    pub fn value(&self, path: &str) -> Option<Value> {
        match Path::parse(path) {
            Ok(path) => self.engine().context().tree.get(&path).cloned(),
            Err(why) => panic!("{why}"),
        }
    }

    /// The version of the context: 0 at first, raised by 1 at every commit.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    #[must_use]
    #[track_caller]
    pub fn version(&self) -> u64 {
        self.engine().context().version
    }

    /// The engine, for all that this host has no word for.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn engine(&self) -> &Engine {
        // Not `get_or_init`: a panic would not carry the test's own line through it.
        if self.engine.get().is_none() {
            let engine = self.start();
            // Where another thread was faster, its engine is everybody's.
            let _ = self.engine.set(engine);
        }
        match self.engine.get() {
            Some(engine) => engine,
            None => unreachable!("it has just been set"),
        }
    }

    #[track_caller]
    fn start(&self) -> Engine {
        let mut builder = Engine::builder()
            .context(self.context.clone())
            .limits(self.limits.clone())
            .mode(self.mode);
        if let Some(recipe) = &self.recipe {
            builder = builder.recipe(recipe.clone());
        }
        let engine = match builder.build() {
            Ok(engine) => engine,
            Err(why) => panic!("the engine does not start: {why}"),
        };
        for (name, guest) in &self.guests {
            if let Err(why) = engine.register(guest.clone(), self.policy.clone()) {
                let help = why.help().map_or(String::new(), |help| format!("; {help}"));
                panic!("{name} is not registered: {} {why}{help}", why.code());
            }
        }
        engine
    }

    fn empty() -> Self {
        Self {
            guests: Vec::new(),
            context: Tree::default(),
            recipe: None,
            limits: Limits {
                timeout: PATIENCE,
                ..Limits::default()
            },
            mode: Mode::Strict,
            policy: Policy::as_declared(),
            engine: OnceLock::new(),
        }
    }

    fn add(mut self, name: String, guest: GuestSource) -> Self {
        self.guests.push((name, guest));
        self.restarted()
    }

    fn restarted(mut self) -> Self {
        self.engine = OnceLock::new();
        self
    }
}

/// The bytes of a folder's guest, built once per process.
fn built(folder: &File) -> Result<Arc<[u8]>, String> {
    static BUILT: Mutex<Option<HashMap<PathBuf, Arc<[u8]>>>> = Mutex::new(None);
    let key = folder
        .canonicalize()
        .map_err(|error| format!("there is no such folder: {error}"))?;
    // Held while cargo builds: who wants the same folder meanwhile waits for it.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(bytes) = built.get(&key) {
        return Ok(bytes.clone());
    }
    let made = Build::new(folder)
        .diagnostics(Diagnostics::Hide)
        .run()
        .map_err(|why| match why.help() {
            Some(help) => format!("{why}; {help}"),
            None => why.to_string(),
        })?;
    let bytes: Arc<[u8]> = std::fs::read(&made.wasm)
        .map_err(|error| format!("{}: {error}", made.wasm.display()))?
        .into();
    built.insert(key, bytes.clone());
    Ok(bytes)
}
