//! What the integration tests share.

pub(crate) mod binary;
pub(crate) mod cases;
pub(crate) mod console;
pub(crate) mod desk;
pub(crate) mod engines;
pub(crate) mod gate;
pub(crate) mod guests;
pub(crate) mod hostile;
pub(crate) mod in_flight;
pub(crate) mod output_schema;
pub(crate) mod outside;
pub(crate) mod scribe;
pub(crate) mod text;
pub(crate) mod trace;
pub(crate) mod wat;

use std::path::Path;

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().expect("the host lies in the project")
}
