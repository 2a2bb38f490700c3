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
pub use self::reach::{ImpossiblePath, ImpossiblePaths};
pub use crate::source::error::{FileError as SchemaError, FileErrors as SchemaErrors};

use self::breach::{Findings, Place};
use self::declaration::{Declaration, Presence};
use self::reader::Layers;
use self::touched::Touched;
use crate::audit::Known;
use crate::contract::{Contract, Kind};
use crate::path::{Layer, Path, Segment};
use crate::pattern::{PathPattern, Step};
use crate::source::Node;
use crate::source::error::Source;
use crate::transaction::Transaction;
use crate::tree::Tree;
use std::borrow::Cow;
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

/// A place that a schema declares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeclaredPlace<'a> {
    declaration: &'a Declaration,
    source: &'a Source,
}

impl<'a> DeclaredPlace<'a> {
    pub(crate) fn kind(self) -> Kind {
        self.declaration.kind
    }

    /// What is known of the values there.
    pub(crate) fn known(self) -> Known {
        self.declaration.known()
    }

    /// File and line of the declaration.
    pub(crate) fn declared_at(self) -> String {
        format!("{}:{}", self.source.origin(), self.declaration.line)
    }

    /// Any element of a list.
    pub(crate) fn element(self) -> Option<Self> {
        let declaration = self.declaration.items.as_deref()?;
        Some(Self {
            declaration,
            ..self
        })
    }

    /// A key of the place, which messages call `text`; none where the schema does not say what is there.
    pub(crate) fn key(self, text: &str, key: &str) -> Result<Option<Self>, ImpossiblePath> {
        let step = Segment::Key(key.into());
        let path = format!("{text}{step}");
        match reach::descend(self.declaration, text, &[Step::Fixed(step)]) {
            Ok(declaration) => Ok(declaration.map(|declaration| Self {
                declaration,
                ..self
            })),
            Err(mismatch) => Err(mismatch.at(path, self.source.origin())),
        }
    }
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
        let root = Node::of_yaml(&source, text)?;
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

    /// The file's text as it was parsed; of a schema that was inferred, the text that makes it again.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self.source.text() {
            // It has been made from a context, which any text of its own could only repeat.
            "" => self.to_yaml().unwrap_or_default().into(),
            text => text.into(),
        }
    }

    /// How many places it declares, its layers among them.
    #[must_use]
    pub fn declarations(&self) -> usize {
        self.layers().map(|(_, declared)| declared.count()).sum()
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
    /// Every path at which nothing can be, what the schema declares instead, and the nearest path that it knows.
    pub fn check_contract(&self, contract: &Contract) -> Result<(), ImpossiblePaths> {
        let mut paths: Vec<ImpossiblePath> = Vec::new();
        for path in contract.inputs.iter().chain(&contract.outputs) {
            // What is read and written is told once.
            paths.extend(self.admits(path).err().filter(|it| !paths.contains(it)));
        }
        match paths {
            none if none.is_empty() => Ok(()),
            paths => Err(ImpossiblePaths { paths }),
        }
    }

    /// What is declared at a place; none where the schema says nothing of what is there.
    ///
    /// # Errors
    ///
    /// The place is one at which the schema lets nothing be.
    pub(crate) fn place(&self, place: &Path) -> Result<Option<DeclaredPlace<'_>>, ImpossiblePath> {
        let declared = self.admits(&PathPattern::from(place))?;
        Ok(declared.map(|declaration| DeclaredPlace {
            declaration,
            source: &self.source,
        }))
    }

    fn admits(&self, pattern: &PathPattern) -> Result<Option<&Declaration>, ImpossiblePath> {
        let Some(declared) = self.declared(pattern.layer()) else {
            return Ok(None);
        };
        reach::admits(declared, pattern).map_err(|mut mismatch| {
            let nearest = self.in_another_layer(pattern).or(mismatch.nearest.take());
            mismatch.nearest = nearest;
            mismatch.at(pattern.to_string(), self.origin())
        })
    }

    /// The same path in the other layer, where the schema declares it there.
    fn in_another_layer(&self, pattern: &PathPattern) -> Option<String> {
        let mut others = self
            .layers()
            .filter(|(layer, _)| *layer != pattern.layer() && !pattern.steps().is_empty());
        others.find_map(|(layer, declared)| {
            let moved = pattern.in_layer(layer);
            let found = reach::admits(declared, &moved).ok().flatten();
            found.map(|_| moved.to_string())
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
