//! What is refused before anything runs: by `check`, which tells all of it at once, and by the library alike.

use crate::harness::binary::{Ran, run_in};
use crate::harness::engines::{Setup, commits};
use crate::harness::guests;
use crate::harness::wat::{component, contract_section, core_module};
use std::fs;
use std::time::Duration;
use theus_host::{Engine, EngineBuildError, Limits, Policy, Recipe, RegisterError, Schema, args};

fn check(guest: &[u8], flags: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("guest.wasm"), guest).expect("writable");
    let line = format!("check guest.wasm {flags} -o json");
    let line: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    run_in(folder.path(), &line)
}

/// The row of that name; there is only one.
fn row(ran: &Ran, name: &str) -> serde_json::Value {
    let report = ran.json();
    let rows = report["checks"].as_array().expect("checks").iter();
    let mut rows = rows.filter(|row| row["name"] == name);
    let row = rows
        .next()
        .cloned()
        .unwrap_or_else(|| panic!("{name}: {ran:?}"));
    assert!(rows.next().is_none(), "{name} comes twice: {ran:?}");
    row
}

#[test]
fn imports_that_are_not_given_are_named_one_and_all() {
    let contract = contract_section(r#"{"name":"work"}"#);
    let guest = component(&format!(
        r#"(import "wasi:http/types@0.2.0" (instance)) (import "theus:process/log@0.1.0" (instance))
           (import "other:service/secrets@1.0.0" (instance)) (core module {contract})"#
    ));
    let ran = check(&guest, "");
    assert_eq!(ran.code, 3);
    let row = row(&ran, "imports");
    assert_eq!(
        (&row["passed"], &row["error"]["code"]),
        (&false.into(), &"THEUS-C004".into())
    );
    let detail = row["detail"].as_str().expect("a detail");
    assert!(
        detail.contains(
            "`other:service/secrets@1.0.0`, `wasi:http/types@0.2.0`, which are not granted"
        ),
        "{detail}"
    );
    let help = row["error"]["help"].as_str().expect("help");
    assert!(
        help.contains("`wasi:http/types@0.2.0`: a guest has no network"),
        "{help}"
    );
}

#[test]
fn strict_mode_names_every_path_that_it_does_not_allow() {
    let guest = core_module(&contract_section(
        r#"{"name":"work","inputs":["domain.sig_x","domain.meta_y"],"outputs":["global.max"]}"#,
    ));
    let ran = check(&guest, "");
    assert_eq!(ran.code, 3);
    let row = row(&ran, "contract");
    let detail = row["detail"].as_str().expect("a detail");
    for path in ["`domain.sig_x`", "`domain.meta_y`", "`global.max`"] {
        assert!(detail.contains(path), "{detail}");
    }
    let report = ran.json();
    let skipped = report["not_checked"].as_array().expect("a list");
    let skipped = skipped
        .iter()
        .find(|it| it["name"] == "registration")
        .expect("registration");
    assert_eq!(skipped["reason"], "`contract` failed above, and refuses it");
    let library = Engine::builder().build().expect("an engine");
    let error = library
        .register(guest, Policy::as_declared())
        .expect_err("not strict");
    assert!(matches!(error, RegisterError::NotStrict { ref problems, .. } if problems.len() == 3));
}

#[test]
fn check_tells_the_imports_of_a_guest_on_wasi() {
    let ran = check(
        &guests::prices().bytes,
        &format!("--dir prices={}", std::env::temp_dir().display()),
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    let kinds: Vec<_> = report["imports"]
        .as_array()
        .expect("imports")
        .iter()
        .filter_map(|it| it["kind"].as_str())
        .collect();
    for kind in ["world", "virtual-wasi", "side-effect"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
}

const SCHEMA: &str = "context: { domain: { items: { type: list }, total_value: { type: int }, sig_restock_needed: { type: bool } } }";

fn registered(outputs: &str) -> Result<Vec<String>, RegisterError> {
    let text = format!("process_recipes: {{ add_product: {{ outputs: [{outputs}] }} }}");
    let engine = Engine::builder()
        .recipe(Recipe::parse(&text, "recipe.yaml").expect("a recipe"))
        .schema(Schema::parse(SCHEMA, "schema.yaml").expect("a schema"))
        .build()
        .expect("an engine");
    let guest = guests::warehouse().file.as_path();
    engine
        .register(guest, Policy::as_declared())
        .map(|it| it.notes)
}

#[test]
fn the_library_refuses_a_rule_that_the_schema_makes_senseless() {
    for (rule, expected) in [
        (
            "{ field: domain.totl_value, max: 5 }",
            "did you mean `domain.total_value`?",
        ),
        (
            "{ field: domain.total_value, min_len: 5 }",
            "`min_len` needs a list",
        ),
        (
            "{ expr: 'domain.item == null' }",
            "did you mean `domain.items`?",
        ),
    ] {
        let error = registered(rule).expect_err(rule);
        assert_eq!(error.code().as_str(), "THEUS-U004");
        assert!(error.to_string().contains(expected), "{rule}: {error}");
    }
    let notes = registered("{ field: price, type: int, level: B }").expect("a note is no error");
    assert!(
        notes.len() == 1 && notes[0].contains("can never act"),
        "{notes:?}"
    );
    assert!(
        registered("{ field: domain.total_value, max: 5 }")
            .expect("it fits")
            .is_empty()
    );
}

#[test]
fn an_engine_is_not_built_on_limits_that_make_no_sense() {
    let built = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Engine::builder().limits(limits).build().map(|_| ())
    };
    for (change, expected) in [
        ((|it| it.fuel = 0) as fn(&mut Limits), "`fuel` is 0"),
        (|it| it.timeout = Duration::ZERO, "`timeout` is 0 s"),
        (
            |it| it.timeout = Duration::MAX,
            "a deadline further away is none",
        ),
        (|it| it.memory_bytes = 0, "`memory_bytes` is 0"),
        (
            |it| it.memory_bytes = 5 << 30,
            "a 32-bit memory holds no more",
        ),
        (
            |it| it.stack_bytes = 2 << 20,
            "the calling thread's own stack",
        ),
        (
            |it| (it.write_bytes, it.read_bytes) = (1000, 1000),
            "no transaction could read or write such a value",
        ),
    ] {
        let error = built(change).expect_err(expected);
        assert!(matches!(error, EngineBuildError::Limits(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// The edge of what is refused works: the engine holds to the least of these limits.
#[test]
fn the_smallest_limits_that_make_sense_are_limits() {
    let engine = Setup::probe()
        .limits(|limits| {
            limits.outbox_messages = 0;
            limits.log_lines = 0;
            limits.write_bytes = 0;
            limits.read_bytes = limits.value_bytes;
        })
        .engine();
    commits(&engine, "echo", args! { "value" => 1 });
}
