//! Building an engine.

use crate::advice::AdviceBook;
use crate::edit::check_value;
use crate::engine::{Engine, Shared};
use crate::error::EngineBuildError;
use crate::head::Head;
use crate::interlock::InterlockState;
use crate::lock::LockTable;
use crate::opening;
use crate::receipt::Durability;
use crate::record::RecordRing;
use crate::runtime::Runtime;
use crate::store::{self, Store, StoreError};
use crate::subscription::Subscribers;
use crate::terms::SharedTerms;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use theus_core::audit::{Recipe, Tracker};
use theus_core::context_guard::Mode;
use theus_core::limits::Limits;
use theus_core::path::{Layer, Path as ContextPath};
use theus_core::schema::Schema;
use theus_core::transaction::Snapshot;
use theus_core::tree::Tree;

/// Builds an [`Engine`]. Without further settings: an empty context, no recipe, no schema, the default limits, strict mode,
/// no cache of compiled code.
#[must_use]
pub struct EngineBuilder {
    context: Option<Tree>,
    kept: Kept,
    durability: Durability,
    recipe: Option<Recipe>,
    schema: Option<Schema>,
    limits: Limits,
    mode: Mode,
    code_cache: Option<PathBuf>,
    standing_instances: u32,
}

/// Where the context is kept.
enum Kept {
    /// In memory, as long as the engine lives.
    Here,
    /// In a store that is open.
    In(Arc<dyn Store>),
    /// In a directory.
    At(PathBuf),
}

/// Instances that stand ready for a guest that is called often, unless the builder is told another number.
const STANDING_INSTANCES: u32 = 8;

impl Default for EngineBuilder {
    fn default() -> Self {
        Self {
            context: None,
            kept: Kept::Here,
            durability: Durability::Durable,
            recipe: None,
            schema: None,
            limits: Limits::default(),
            mode: Mode::default(),
            code_cache: None,
            standing_instances: STANDING_INSTANCES,
        }
    }
}

impl EngineBuilder {
    /// Sets the initial context: version 0, and no commit.
    pub fn context(mut self, context: Tree) -> Self {
        self.context = Some(context);
        self
    }

    /// Keeps the context in a directory, from one engine to the next: what is acknowledged survives kill -9 and power loss.
    ///
    /// The directory is made where there is none; then the engine begins with the initial context. Where it holds a state,
    /// that one's context is the one that counts, and an initial context beside it is refused. One engine at a time has a
    /// directory open. Audit counters and the interlock are kept as well. Signals are not: they return to the values that
    /// they had in the initial context.
    ///
    /// ```
    /// use theus_host::{Engine, context_from_json};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let directory = folder.path().join("state");
    /// let context = context_from_json(r#"{"domain": {"total": 0}}"#)?;
    /// let engine = Engine::builder().context(context).state(&directory).build()?;
    /// engine.edit(|context| context.set("domain.total", 500))?;
    /// drop(engine);
    ///
    /// let engine = Engine::builder().state(&directory).build()?;
    /// assert_eq!(engine.context().version, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn state(mut self, directory: impl Into<PathBuf>) -> Self {
        self.kept = Kept::At(directory.into());
        self
    }

    /// Keeps the context in a store that is open; its context is the one that counts.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.kept = Kept::In(store);
        self
    }

    /// Sets what an acknowledged commit survives where the context is kept: [`Durability::Durable`], unless set.
    ///
    /// With [`Durability::Buffered`] a run need not wait for the disk. A crash may then cost the last commits that were
    /// acknowledged, whole, at most a thousand of them. Readers outside, subscribers and the outbox see durable versions
    /// only, as ever.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets the audit recipe. Without one, the gates let everything pass.
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.recipe = Some(recipe);
        self
    }

    /// Sets the schema that every version of the context fits. Without one, a context may hold anything.
    ///
    /// Its defaults are filled into the initial context. From then on a commit or an edit that would break it is refused,
    /// also in permissive mode.
    ///
    /// ```
    /// use theus_host::{Engine, Schema};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = "context: { domain: { total: { type: int, min: 0, default: 0 } } }";
    /// let engine = Engine::builder().schema(Schema::parse(text, "schema.yaml")?).build()?;
    /// let refused = engine.edit(|context| context.set("domain.total", -1)).unwrap_err();
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "`domain.total` is -1, but is declared with `min` 0 (schema.yaml:1)"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Sets the limits of every call.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the mode.
    ///
    /// # Security
    ///
    /// [`Mode::Permissive`] lets contract and zone violations pass and reports them. It is for developing contracts.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Keeps the compiled code of guests in a folder, so that registering one again, in any process, need not compile it.
    ///
    /// The folder is made where there is none. It holds up to 256 MiB; what was not used for longest goes first. Trouble
    /// with it never fails anything: it is a warning in the trace, and guests are compiled. There is no cache on systems
    /// other than Unix.
    ///
    /// # Security
    ///
    /// The code in the folder runs outside any sandbox, so who can write there can run anything as this user. The folder
    /// is not used if it is a symbolic link, is another user's, or others may write to it; nor is an entry that does not
    /// match its checksum, the guest's digest, the compiler's version and the settings.
    pub fn compiled_code_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.code_cache = Some(folder.into());
        self
    }

    /// Sets how many fresh instances may stand ready for one guest; 8 unless set, 0 for none.
    ///
    /// They are made ahead of the calls by a thread of the lowest priority, only for guests that are called a hundred
    /// times a second or more, and let go when the calls stop. Each serves one call, as every instance does. All guests
    /// of an engine together have at most 64 of them, with at most 64 MiB of linear memory.
    pub fn standing_instances(mut self, most: u32) -> Self {
        self.standing_instances = most;
        self
    }

    /// Builds the engine.
    ///
    /// # Errors
    ///
    /// Limits that make no sense, a value of the initial context that no process could have written, a context that does
    /// not fit the schema, or a machine that wasm cannot run on.
    pub fn build(self) -> Result<Engine, EngineBuildError> {
        self.limits.check()?;
        let cache = self.code_cache.as_deref();
        let runtime = Runtime::new(&self.limits, cache, self.standing_instances)
            .map_err(|error| EngineBuildError::Runtime(format!("{error:#}")))?;
        let subscribers = Arc::new(Subscribers::default());
        let store = match &self.kept {
            Kept::Here => None,
            Kept::In(_) if self.context.is_some() => return Err(EngineBuildError::TwoContexts),
            Kept::In(store) => Some(store.clone()),
            Kept::At(directory) => Some(self.directory(directory)?),
        };
        let opened = match store {
            None => None,
            Some(store) => {
                let subscribers = subscribers.clone();
                Some(opening::open(
                    store,
                    self.durability,
                    self.mode,
                    subscribers,
                )?)
            }
        };
        let (context, committer, interlock, tracker, kept_counts) = match opened {
            Some(opened) => {
                // Nobody else writes a state; but the schema may be another one than when it was written.
                if let Some(schema) = &self.schema {
                    schema.check(&opened.context.tree)?;
                }
                (
                    opened.context,
                    Some(opened.committer),
                    opened.interlock,
                    opened.tracker,
                    opened.counts,
                )
            }
            None => {
                let tree = self.initial()?;
                let initial = Snapshot { version: 0, tree };
                let (interlock, tracker) = (InterlockState::default(), Tracker::default());
                (initial, None, interlock, tracker, Vec::new())
            }
        };
        let terms = committer.is_some().then(|| {
            let (recipe, schema) = (self.recipe.as_ref(), self.schema.as_ref());
            SharedTerms::new(recipe, schema, &self.limits, &runtime.settings())
        });
        Ok(Engine {
            shared: Arc::new(Shared {
                limits: Arc::new(self.limits),
                mode: self.mode,
                terms,
                recipe: self.recipe,
                schema: self.schema,
                runtime,
                processes: ArcSwap::from_pointee(HashMap::new()),
                head: Head::new(context).into(),
                locks: LockTable::default().into(),
                tracker: tracker.into(),
                interlock,
                records: RecordRing::new().into(),
                subscribers,
                advice: AdviceBook::default(),
                committer,
                kept_counts,
            }),
        })
    }

    /// The state in a directory: the one that is there, or a new one over the initial context.
    fn directory(&self, directory: &Path) -> Result<Arc<dyn Store>, EngineBuildError> {
        if store::is_state(directory) {
            if self.context.is_some() {
                return Err(StoreError::Exists(directory.into()).into());
            }
            return Ok(store::open(directory, |_, _| {})?);
        }
        Ok(store::create(directory, self.initial()?)?)
    }

    /// The initial context, with its schema's defaults, where a process could have written it.
    fn initial(&self) -> Result<Tree, EngineBuildError> {
        let mut context = self.context.clone().unwrap_or_default();
        if let Some(schema) = &self.schema {
            schema.fill_defaults(&mut context);
        }
        for layer in Layer::ALL {
            let root = ContextPath::layer_root(layer);
            check_value(&root, 0, context.layer(layer), &self.limits)?;
        }
        if let Some(schema) = &self.schema {
            schema.check(&context)?;
        }
        Ok(context)
    }
}
