//! The context schema: what a context may hold, as its operator declares it.
//!
//! A [`Schema`] is parsed from its file once. It holds for every version of a context: the initial one is checked as a
//! whole, after the defaults are filled in; a commit is checked where it changed something, so that a check costs what the
//! change costs. The language is described in `host/docs/schema.md`.
//!
//! ```
//! use theus_core::schema::Schema;
//!
//! let schema = Schema::parse(
//!     "context: { domain: { total: { type: int, min: 0, default: 0 } } }",
//!     "schema.yaml",
//! )?;
//! assert!(Schema::parse("context: { domain: { total: { type: itn } } }", "schema.yaml").is_err());
//! # Ok::<(), theus_core::schema::SchemaErrors>(())
//! ```
//!
//! # Why a check of the change is enough
//!
//! Before the transaction the context fits its schema. A constraint on a place can then break only where the place itself
//! was written, where a key or an element was added to it (`max_len`, a key that a closed map does not declare), or where a
//! key was taken from it (`required`). All of that is known from the writes. A property test holds the check of the change
//! against the check of the whole.
//!
//! # What a write concerns beside its own place
//!
//! A key that is added counts for the `max_len` of its map, which other runs may add keys to as well. So the lock set of a
//! run whose output is a key of such a map contains the map, shared ([`Schema::counted_map`]). That suffices although both
//! runs only read the map: each of them holds its own key exclusively, which conflicts with the other's shared lock on the
//! map above it. Everything else that a schema says concerns places that the grant locks exclusively already.

mod breach;
mod check;
mod declaration;
mod defaults;
mod infer;
mod json_schema;
mod print;
mod reach;
mod reader;
mod sample;
mod sense;
mod touched;

pub use self::breach::{Breach, BreachProblem, Breaches};
pub use self::reach::ImpossiblePath;
pub use crate::yaml::error::{FileError as SchemaError, FileErrors as SchemaErrors};

use self::breach::{Findings, Place};
use self::declaration::{Declaration, Presence};
use self::reader::Layers;
use self::touched::Touched;
use crate::contract::Contract;
use crate::path::{Layer, Path};
use crate::pattern::PathPattern;
use crate::transaction::Transaction;
use crate::tree::Tree;
use crate::yaml::Node;
use crate::yaml::error::Source;
use std::sync::Arc;

/// The most bytes that a schema file may have.
pub const MAX_SCHEMA_BYTES: usize = 1024 * 1024;

/// The most breaches that are told of one context.
const MAX_BREACHES: usize = 100;

/// What a context may hold. A copy costs no more than counting it.
#[derive(Clone, Debug)]
pub struct Schema {
    source: Arc<Source>,
    layers: Arc<Layers>,
}

impl Schema {
    /// Parses a schema file; `origin` is what errors call it.
    ///
    /// # Errors
    ///
    /// Every problem of the file at once, each with line, column and the nearest valid word.
    ///
    /// # Security
    ///
    /// The text is bounded to [`MAX_SCHEMA_BYTES`], and so is what it can expand to.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SchemaErrors> {
        if text.len() > MAX_SCHEMA_BYTES {
            let message = format!(
                "the schema has {} bytes, at most {MAX_SCHEMA_BYTES} are allowed",
                text.len()
            );
            return Err(SchemaErrors::of_file(origin, message));
        }
        let source = Source::new(origin, text);
        let root = Node::parse(&source, text)?;
        let layers = reader::read(&source, &root)?;
        Ok(Self {
            source: Arc::new(source),
            layers: Arc::new(layers),
        })
    }

    /// Infers a schema from a context: the kinds of its values, and as required what is always there.
    ///
    /// A starting point to edit: it knows no limits and no defaults, and takes every map for a record with fixed keys.
    #[must_use]
    pub fn infer(context: &Tree) -> Self {
        let layers = Layer::ALL.map(|layer| Some(infer::layer(context.layer(layer))));
        Self {
            source: Arc::new(Source::new("inferred schema", "")),
            layers: Arc::new(layers),
        }
    }

    /// The file that the schema was read from, as the caller named it.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.source.origin()
    }

    /// The schema as the text of a schema file.
    ///
    /// # Errors
    ///
    /// A failure of the YAML writer.
    pub fn to_yaml(&self) -> Result<String, String> {
        serde_saphyr::to_string(self).map_err(|error| error.to_string())
    }

    /// The schema as a JSON Schema (draft 2020-12) of context files, for editors.
    #[must_use]
    pub fn to_json_schema(&self) -> serde_json::Value {
        json_schema::export(&self.layers)
    }

    /// Fills in defaults: every absent key that has one gets it, in every map that is present.
    ///
    /// Only for a new context; what a process removes later stays removed.
    pub fn fill_defaults(&self, context: &mut Tree) {
        for (layer, declared) in self.layers() {
            defaults::fill(declared, context.layer_mut(layer));
        }
    }

    /// Checks a whole context.
    ///
    /// # Errors
    ///
    /// Every breach, up to a hundred.
    pub fn check(&self, context: &Tree) -> Result<(), Breaches> {
        let mut findings = Findings::new(&self.source, MAX_BREACHES);
        for (layer, declared) in self.layers() {
            let value = context.layer(layer);
            check::whole(declared, value, Place::Layer(layer), &mut findings);
        }
        match findings.breaches {
            none if none.is_empty() => Ok(()),
            breaches => Err(Breaches { breaches }),
        }
    }

    /// Checks what a transaction would leave, given that its base fits. Costs what was written, not what is there.
    ///
    /// # Errors
    ///
    /// The first breach, in the order of the context.
    pub fn check_transaction(&self, transaction: &Transaction) -> Result<(), Box<Breach>> {
        let mut findings = Findings::new(&self.source, 1);
        for (layer, declared) in self.layers() {
            let touched = Touched::of(layer, transaction.writes());
            let value = transaction.view().layer(layer);
            check::changed(
                declared,
                value,
                &touched,
                Place::Layer(layer),
                &mut findings,
            );
        }
        match findings.breaches.pop() {
            None => Ok(()),
            Some(breach) => Err(Box::new(breach)),
        }
    }

    /// Checks the paths of a contract: whether something can be there.
    ///
    /// # Errors
    ///
    /// The first path at which nothing can be, what the schema declares instead, and the nearest path that it knows.
    pub fn check_contract(&self, contract: &Contract) -> Result<(), ImpossiblePath> {
        let mut paths = contract.inputs.iter().chain(&contract.outputs);
        paths.try_for_each(|path| self.admits(path))
    }

    fn admits(&self, pattern: &PathPattern) -> Result<(), ImpossiblePath> {
        let Some(declared) = self.declared(pattern.layer()) else {
            return Ok(());
        };
        reach::admits(declared, pattern).map_err(|mismatch| ImpossiblePath {
            path: pattern.to_string(),
            problem: mismatch.problem,
            nearest: mismatch.nearest,
            declared_at: format!("{}:{}", self.origin(), mismatch.line),
        })
    }

    /// The map whose `max_len` a write at `place` concerns, where there is one: the lock set needs it, shared.
    #[must_use]
    pub fn counted_map(&self, place: &Path) -> Option<Path> {
        reach::counted_map(self.declared(place.layer())?, place)
    }

    fn layers(&self) -> impl Iterator<Item = (Layer, &Declaration)> {
        Layer::ALL
            .into_iter()
            .zip(&*self.layers)
            .filter_map(|(layer, declared)| Some((layer, declared.as_ref()?)))
    }

    fn declared(&self, layer: Layer) -> Option<&Declaration> {
        self.layers()
            .find_map(|(known, declared)| (known == layer).then_some(declared))
    }
}

#[cfg(test)]
mod tests;
