//! The files that a run is given: its context, its recipe and its schema, by flags or by the configuration.

use super::code_cache::CacheFlag;
use super::config::{Setup, Word};
use super::context_file;
use super::failure::Failure;
use super::run::{read_recipe, recipe_notes};
use super::schema;
use super::target::Loaded;
use clap::Args;
use std::path::{Path, PathBuf};
use theus_host::store::is_state;
use theus_host::{Engine, EngineBuilder, Limits, Recipe, Schema, Tree};

/// The flags that name them.
#[derive(Args, Debug)]
pub(super) struct InputFlags {
    /// The initial context: YAML, or JSON where the name ends in .json
    #[arg(long, value_name = "FILE")]
    pub(super) context: Option<PathBuf>,
    /// The audit recipe: rules for the input gate and the output gate
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,
    /// The schema: what the context may hold
    #[arg(long, value_name = "FILE")]
    pub(super) schema: Option<PathBuf>,
}

/// What the files hold.
pub(super) struct Inputs {
    /// The file of the context.
    pub(super) context_path: Option<PathBuf>,
    context: Option<Tree>,
    recipe: Option<Recipe>,
    schema: Option<Schema>,
}

impl InputFlags {
    /// Reads the files: those of the flags, else those of the configuration.
    pub(super) fn read(
        &self,
        setup: &Setup,
        state: Option<&Path>,
        limits: &Limits,
    ) -> Result<Inputs, Failure> {
        // What a configuration says of the context is about the first run of a state; a flag is about this one.
        let is_begun = self.context.is_none() && state.is_some_and(is_state);
        let [context, recipe, schema] = self.files(setup)?;
        let context_path = context.filter(|_| !is_begun);
        let context = context_path.as_deref();
        Ok(Inputs {
            context: context
                .map(|file| context_file::read(file, limits))
                .transpose()?,
            recipe: recipe.as_deref().map(read_recipe).transpose()?,
            schema: schema.as_deref().map(schema::read).transpose()?,
            context_path,
        })
    }

    /// Context, recipe and schema: the files of the flags, else those of the configuration.
    pub(super) fn files(&self, setup: &Setup) -> Result<[Option<PathBuf>; 3], Failure> {
        Ok([
            setup.file(Word::Context, self.context.as_deref())?,
            setup.file(Word::Recipe, self.audit.as_deref())?,
            setup.file(Word::Schema, self.schema.as_deref())?,
        ])
    }
}

impl Inputs {
    /// What is odd about them and this guest, but wrong in none.
    pub(super) fn notes(&self, loaded: &Loaded) -> Result<Vec<String>, Failure> {
        let recipe = self.recipe.as_ref();
        recipe.map_or(Ok(Vec::new()), |recipe| recipe_notes(recipe, loaded))
    }

    /// Whether there is anything to make further contexts from.
    pub(super) fn vary_contexts(&self) -> bool {
        self.context.is_some() || self.schema.is_some()
    }

    /// Begins an engine with them, and with the cache of compiled code where there is to be one.
    pub(super) fn builder(self, limits: Limits, cache: &CacheFlag) -> EngineBuilder {
        let mut builder = Engine::builder().limits(limits);
        if let Some(context) = self.context {
            builder = builder.context(context);
        }
        if let Some(recipe) = self.recipe {
            builder = builder.recipe(recipe);
        }
        if let Some(schema) = self.schema {
            builder = builder.schema(schema);
        }
        match cache.folder() {
            Some(folder) => builder.compiled_code_cache(folder),
            None => builder,
        }
    }
}
