//! The guests of `guests/hostile`: each attacks the host in one way, and is held against what has to become of it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `guest.wat` | what is hostile about it, as definitions of a core module; the first line says what it attacks and what must happen |
//! | `contract.json` | its contract section; the process that attacks is `attack` |
//!
//! `imports.wat`, `results.wat` and `allocator.wat` are what they share; whoever defines a `cabi_realloc` goes without the
//! last. Where core modules are defined the definitions are those of a component, and `processes.wat` exports its `$main`.

use super::binary::run_in;
use super::cases::exit_code;
use super::engines::{PATIENCE, bytes, commits};
use super::wat::hostile;
use super::{guests, output_schema, root};
use serde_json::Value as Json;
use std::fs;
use std::path::PathBuf;
use theus_host::{
    Call, Code, Engine, ErrorReport, Limits, Policy, Receipt, args, context_from_json,
};

/// What an attack may find: keys of every zone that a context file can hold, and what the ordinary guest needs.
const CONTEXT: &str = r#"{"domain": {"items": [], "total_value": 0, "hidden": "secret", "record": {"child": 1, "sibling": 2}, "rows": [{"n": 1}, {"n": 2}],
    "data": {"plain": 1, "map": {"b": 1, "sig_deep": 2}, "sig_x": 2, "cmd_x": 3, "meta_x": 4, "heavy_x": 5}}}"#;

/// Enough to reach every other limit, and soon used up.
const FUEL: u64 = 120_000_000;

/// What has to become of an attack.
pub(crate) enum Expected {
    /// Its run ends with this code, and its message has this part.
    Ends(&'static str, &'static str),
    /// It does no harm: its run commits with this result.
    Harmless(&'static str),
    /// It does no harm, and every run of it commits with the same result.
    Repeats(),
    /// It is not even registered, with that code and that part of the message.
    Unregistered(&'static str, &'static str),
}

/// The folders of all hostile guests in text form; the one in Rust has its bugs for `fuzz` to find.
pub(crate) fn folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("guests/hostile")).expect("guests/hostile is there");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir() && !path.join("Cargo.toml").exists())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into())
        .collect()
}

/// An engine with an ordinary guest, for attacks to disturb.
pub(crate) fn engine(change: impl FnOnce(&mut Limits)) -> Engine {
    let mut limits = Limits {
        fuel: FUEL,
        timeout: PATIENCE,
        ..Limits::default()
    };
    change(&mut limits);
    let engine = Engine::builder()
        .compiled_code_cache(guests::tmp().join("compiled"))
        .context(context_from_json(CONTEXT).expect("a context"))
        .limits(limits)
        .build()
        .expect("the engine is built");
    engine
        .register(guests::warehouse().file.as_path(), Policy::as_declared())
        .expect("an ordinary guest");
    engine
}

/// The host lives on: an ordinary guest of the same engine is served as if nothing had been.
pub(crate) fn serves_others(engine: &Engine) {
    let product = args! { "product_name" => "after the attack", "price" => 1 };
    let receipt = commits(engine, "add_product", product);
    assert_eq!(receipt.changes.len(), 2, "{:?}", receipt.changes);
}

/// Lets a hostile guest attack, through the library and through the binary.
///
/// Each time the end has to be the expected one, and the same one in every respect that is promised; where it is no
/// commit, nothing of the run may remain.
pub(crate) fn check(folder: &str, expected: &Expected) {
    let module = hostile(folder);
    let engine = engine(|_| {});
    let ends = match (
        engine.register(module.clone(), Policy::as_declared()),
        expected,
    ) {
        (Err(error), Expected::Unregistered(..)) => {
            let error = serde_json::to_value(ErrorReport::from(&error)).expect("JSON");
            vec![serde_json::json!({ "outcome": "refused", "error": error })]
        }
        (Ok(_), Expected::Unregistered(..)) => panic!("{folder} is registered"),
        (Err(error), _) => panic!("{folder} is not registered: {error}"),
        // Twice, for what an instance left behind would show the second time.
        (Ok(_), _) => [(); 2]
            .map(|()| attack(&engine))
            .map(|receipt| serde_json::to_value(receipt).expect("JSON"))
            .to_vec(),
    };
    serves_others(&engine);
    let first = &ends[0];
    is_as_expected(folder, expected, first);
    let through_binary = through_binary(folder, &module);
    for other in ends[1..].iter().chain([&through_binary]) {
        is_as_expected(folder, expected, other);
        // A guest that is refused has no receipt, and the command line says which file it was.
        if !matches!(expected, Expected::Unregistered(..)) {
            is_the_same(first, other);
        }
    }
}

/// One call, after which the context is what the receipt says.
fn attack(engine: &Engine) -> Receipt {
    let before = (engine.context().version, bytes(engine));
    let events = engine.subscribe();
    // Not kept for the next: what it would find is a part of what is compared.
    let receipt = engine.call(Call::new("attack", args! {}).dry_run());
    let real = match &receipt.error {
        Some(_) => engine.call(Call::new("attack", args! {})),
        None => receipt.clone(),
    };
    assert_eq!((engine.context().version, bytes(engine)), before);
    assert_eq!(events.try_next(), None);
    if real.error.is_some() {
        assert!(real.changes.is_empty() && real.signals.is_empty() && real.outbox.is_empty());
        assert_eq!(real.result, None);
    }
    real
}

fn through_binary(folder: &str, module: &[u8]) -> Json {
    let tmp = guests::tmp().join("hostile").join(folder);
    fs::create_dir_all(&tmp).expect("the target directory is writable");
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let file = tmp.join(name);
        fs::write(&file, bytes).expect("the target directory is writable");
        file
    };
    write("guest.wasm", module);
    write("context.json", CONTEXT.as_bytes());
    let fuel = FUEL.to_string();
    let words = [
        "run",
        "guest.wasm",
        "attack",
        "--context",
        "context.json",
        "--fuel",
        &fuel,
        "--timeout",
        "60s",
        "--dry-run",
        "-o",
        "json",
    ];
    let ran = run_in(&tmp, &words);
    assert!(!ran.stderr.contains("panicked at"), "{}", ran.stderr);
    let printed = ran.json();
    let words = words.map(str::to_owned);
    assert_eq!(
        output_schema::misfits(&words, &printed),
        Vec::<String>::new()
    );
    let exit = printed["error"]["kind"].as_str().map_or(0, exit_code);
    assert_eq!(ran.code, exit, "{ran:?}");
    printed
}

#[track_caller]
fn is_as_expected(folder: &str, expected: &Expected, end: &Json) {
    let error = &end["error"];
    match *expected {
        Expected::Repeats() => assert!(error.is_null(), "{folder}: {error}"),
        Expected::Harmless(result) => {
            assert!(error.is_null(), "{folder}: {error}");
            let result: Json = serde_json::from_str(result).expect(result);
            assert_eq!(end["result"], result, "{folder}");
        }
        Expected::Ends(code, part) | Expected::Unregistered(code, part) => {
            assert_eq!(error["code"], code, "{folder}: {error}");
            let kind = Code::find(code).map_or("failure", |code| code.kind().name());
            assert_eq!(error["kind"], kind, "{folder}");
            let message = error["message"].as_str().expect("a message");
            assert!(
                message.contains(part) && message.len() < 100_000,
                "{folder}: {message}"
            );
        }
    }
}

/// Law 7: what is promised to be the same is the same.
///
/// Fuel is promised for runs that end in order.
#[track_caller]
pub(crate) fn is_the_same(one: &Json, other: &Json) {
    for key in [
        "outcome", "error", "result", "changes", "signals", "outbox", "log",
    ] {
        assert_eq!(one[key], other[key], "{key}");
    }
    if one["error"].is_null() || one["error"]["kind"] == "failure" {
        assert_eq!(one["stats"]["fuel"], other["stats"]["fuel"]);
    }
}
