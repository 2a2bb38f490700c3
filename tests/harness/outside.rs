//! What the tests of side effects share: a granted directory, and the guest that reaches outside the context.

use super::engines::{PATIENCE, fails};
use super::guests;
use std::fs;
use std::path::Path as File;
use theus_host::{Call, Engine, Limits, Outcome, Policy, Receipt, Value, args, context_from_json};

/// A folder with a directory `data`, and beside it what nobody was granted.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("folder")).expect("it is writable");
    fs::write(folder.path().join("secret"), "secret").expect("it is writable");
    fs::write(data.join("file"), "some text").expect("it is writable");
    fs::write(data.join("folder/inner"), "deeper").expect("it is writable");
    folder
}

/// An engine that grants the guest `outside` all that it asks for.
pub(crate) fn engine_with(folder: &File, limits: Limits) -> Engine {
    let context = context_from_json(r#"{"domain": {"seen": null}}"#).expect("a context");
    let engine = Engine::builder()
        .compiled_code_cache(guests::tmp().join("compiled"))
        .context(context)
        .limits(limits)
        .build()
        .expect("the engine is built");
    let policy = Policy::as_declared()
        .grant_clock()
        .grant_random()
        .grant_directory("data", folder.join("data"));
    engine
        .register(guests::outside().file.as_path(), policy)
        .unwrap_or_else(|error| panic!("{error}"));
    engine
}

/// The same with the default limits but for time.
pub(crate) fn engine(folder: &File) -> Engine {
    let limits = Limits {
        timeout: PATIENCE,
        ..Limits::default()
    };
    engine_with(folder, limits)
}

/// What a run returned.
pub(crate) fn result(receipt: &Receipt) -> Value {
    receipt.result.clone().expect("a result")
}

/// Makes a call and asserts that it commits.
pub(crate) fn called(engine: &Engine, call: Call<'_>) -> Receipt {
    let receipt = engine.call(call);
    assert_eq!(receipt.outcome, Outcome::Committed, "{:?}", receipt.error);
    receipt
}

/// Asserts that a file operation fails, and how.
pub(crate) fn refused(engine: &Engine, process: &str, path: &str, kind: &str) {
    let receipt = fails(engine, process, args! { "path" => path }, "Io");
    let error = receipt.error.expect("an error").to_string();
    assert_eq!(error, kind, "{process} of {path}");
}
