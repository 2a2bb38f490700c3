//! Building an engine.

use crate::advice::AdviceBook;
use crate::edit::check_value;
use crate::engine::{Engine, Shared};
use crate::error::EngineBuildError;
use crate::head::Head;
use crate::interlock::InterlockState;
use crate::lock::LockTable;
use crate::record::RecordRing;
use crate::runtime::Runtime;
use crate::subscription::Subscribers;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use theus_core::audit::{Recipe, Tracker};
use theus_core::context_guard::Mode;
use theus_core::limits::Limits;
use theus_core::path::{Layer, Path};
use theus_core::schema::Schema;
use theus_core::transaction::Snapshot;
use theus_core::tree::Tree;

/// Builds an [`Engine`]. Without further settings: an empty context, no recipe, no schema, the default limits, strict mode,
/// no cache of compiled code.
#[must_use]
pub struct EngineBuilder {
    context: Tree,
    recipe: Option<Recipe>,
    schema: Option<Schema>,
    limits: Limits,
    mode: Mode,
    code_cache: Option<PathBuf>,
    standing_instances: u32,
}

/// Instances that stand ready for a guest that is called often, unless the builder is told another number.
const STANDING_INSTANCES: u32 = 8;

impl Default for EngineBuilder {
    fn default() -> Self {
        Self {
            context: Tree::default(),
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
        self.context = context;
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
    pub fn build(mut self) -> Result<Engine, EngineBuildError> {
        self.limits.check()?;
        if let Some(schema) = &self.schema {
            schema.fill_defaults(&mut self.context);
        }
        for layer in Layer::ALL {
            check_value(
                &Path::layer_root(layer),
                0,
                self.context.layer(layer),
                &self.limits,
            )?;
        }
        if let Some(schema) = &self.schema {
            schema.check(&self.context)?;
        }
        let cache = self.code_cache.as_deref();
        let runtime = Runtime::new(&self.limits, cache, self.standing_instances)
            .map_err(|error| EngineBuildError::Runtime(format!("{error:#}")))?;
        let initial = Snapshot {
            version: 0,
            tree: self.context,
        };
        Ok(Engine {
            shared: Arc::new(Shared {
                limits: Arc::new(self.limits),
                mode: self.mode,
                recipe: self.recipe,
                schema: self.schema,
                runtime,
                processes: ArcSwap::from_pointee(HashMap::new()),
                head: Head::new(initial).into(),
                locks: LockTable::default().into(),
                tracker: Tracker::default().into(),
                interlock: InterlockState::default(),
                records: RecordRing::new().into(),
                subscribers: Subscribers::default(),
                advice: AdviceBook::default(),
            }),
        })
    }
}
