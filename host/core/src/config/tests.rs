use super::*;
use crate::contract::Contract;
use crate::limits::Limits;
use serde_json::Value as Json;
use std::time::Duration;

const CONTRACT: &str = r#"{"name":"add_product","inputs":["domain.items","global.max_capacity"],"outputs":["domain.items","domain.total_value"]}"#;

fn contracts() -> Vec<Contract> {
    Contract::parse_section(CONTRACT.as_bytes()).expect("contract")
}

fn config(text: &str) -> Config {
    Config::parse(text, "theus.toml", Trust::Operator).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(text: &str, trust: Trust) -> String {
    let text = format!("{text}\n");
    Config::parse(&text, "theus.toml", trust)
        .expect_err(&text)
        .to_string()
}

const WHOLE: &str = r#"
version = 1
context = "context.yaml"
schema = "schema.yaml"
recipe = "recipe.yaml"
permissive = true

[components]
scan = "guests"

[components.warehouse]
path = "out/warehouse.wasm"
build = "make out/warehouse.wasm"
context = "a.yaml"
schema = "b.yaml"
recipe = "c.yaml"

[components.prices]
path = "guests/prices"

[policy.add_product]
inputs = []
outputs = ["domain.items"]

[grants]
clock = true
random = false
directories = { prices = "./prices" }

[limits]
fuel = 1_000
timeout = "200ms"
max-memory = "2MiB"
log-lines = 0
"#;

#[test]
fn a_file_says_everything() {
    let config = config(WHOLE);
    assert_eq!(config.origin(), "theus.toml");
    assert_eq!(config.context.as_deref(), Some("context.yaml"));
    assert_eq!(config.schema.as_deref(), Some("schema.yaml"));
    assert_eq!(config.recipe.as_deref(), Some("recipe.yaml"));
    assert_eq!(config.permissive, Some(true));
    assert_eq!(config.components.scan.as_deref(), Some("guests"));
    let warehouse = &config.components.by_name["warehouse"];
    assert_eq!(warehouse.path, "out/warehouse.wasm");
    assert_eq!(
        warehouse.build.as_deref(),
        Some(&["make".to_owned(), "out/warehouse.wasm".to_owned()][..])
    );
    assert_eq!(warehouse.context.as_deref(), Some("a.yaml"));
    assert_eq!(warehouse.schema.as_deref(), Some("b.yaml"));
    assert_eq!(warehouse.recipe.as_deref(), Some("c.yaml"));
    assert_eq!(config.components.by_name["prices"].path, "guests/prices");
    assert_eq!(config.grants.clock, Some(true));
    assert_eq!(config.grants.random, Some(false));
    assert_eq!(config.grants.directories["prices"], "./prices");
    let limits = config.limits.applied_to(Limits::default());
    assert_eq!(
        limits,
        Limits {
            fuel: 1_000,
            timeout: Duration::from_millis(200),
            memory_bytes: 2 << 20,
            log_lines: 0,
            ..Limits::default()
        }
    );
}

/// Every field is named here: one that is added to the table and not to the file does not compile.
#[test]
fn every_limit_has_a_row() {
    let text = "version = 1\n[limits]\nmax-component = 1\nmax-memory = 2\ntables = 3\ntable-elements = 4\n\
                stack-bytes = 5\nfuel = 6\ntimeout = \"7s\"\npath-bytes = 8\npath-segments = 9\nvalue-bytes = 10\n\
                heavy-value-bytes = 11\nvalue-depth = 12\nargument-bytes = 13\nresult-bytes = 14\nwrites = 15\n\
                write-bytes = 16\nreads = 17\nread-bytes = 18\nlog-lines = 19\nlog-bytes = 20\noutbox-messages = 21\n\
                outbox-bytes = 22\nhost-calls = 23\n\
                staged-files = 24\nstaged-bytes = 25\n";
    let expected = Limits {
        component_bytes: 1,
        memory_bytes: 2,
        tables: 3,
        table_elements: 4,
        stack_bytes: 5,
        fuel: 6,
        timeout: Duration::from_secs(7),
        path_bytes: 8,
        path_segments: 9,
        value_bytes: 10,
        heavy_value_bytes: 11,
        value_depth: 12,
        argument_bytes: 13,
        result_bytes: 14,
        writes: 15,
        write_bytes: 16,
        reads: 17,
        read_bytes: 18,
        log_lines: 19,
        log_bytes: 20,
        outbox_messages: 21,
        outbox_bytes: 22,
        host_calls: 23,
        staged_files: 24,
        staged_bytes: 25,
    };
    assert_eq!(config(text).limits.applied_to(Limits::default()), expected);
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_nearest_word() {
    for (text, expected) in [
        (
            "version = 1\ncontxt = \"a\"",
            "theus.toml:2:1: unknown key `contxt` in a configuration\n  2 | contxt = \"a\"\n    | ^^^^^^\n  help: did you mean `context`?",
        ),
        ("version = 1\naudit = \"a\"", "did you mean `recipe`?"),
        (
            "context = \"a\"",
            "the configuration has no `version`\n  help: begin the file with `version = 1`",
        ),
        (
            "version = 2\nfuture = 1",
            "theus.toml:1:11: version 2 of the format is not known to this host",
        ),
        ("version = \"1\"", "theus.toml:1:11: `version` is \"1\"\n"),
        (
            "version = 1\ncontext = 5",
            "theus.toml:2:11: `context` is 5\n  2 | context = 5\n    |           ^\n  help: expected a string",
        ),
        (
            "version = 1\ncontext = \"\"",
            "`context` is empty, expected a path",
        ),
        (
            "version = 1\npermissive = \"yes\"",
            "expected `true` or `false`",
        ),
        (
            "version = 1\nstate = \"\"",
            "`state` is empty, expected a path",
        ),
        (
            "version = 1\nstate = { buffered = true }",
            "theus.toml:2:1: `state` has no `directory`",
        ),
        (
            "version = 1\n[state]\ndirectory = \"s\"\ndurable = true",
            "theus.toml:4:1: unknown key `durable`",
        ),
        (
            "version = 1\n[state]\ndirectory = \"s\"\nbuffered = 1",
            "expected `true` or `false`",
        ),
        (
            "version = 1\ncontext = 2000-01-01",
            "theus.toml:2:11: a date is no value here",
        ),
        (
            "version = 99999999999999999999",
            "the number does not fit 64 bits",
        ),
        ("version = 1\ncontext =", "theus.toml:2:10: not TOML: "),
        ("version = 1\nversion = 1", "not TOML: duplicate key"),
        (
            "version = 1\ncomponents = 1",
            "`components` is an int, expected a map",
        ),
        (
            "version = 1\n[components.a]\nbuild = \"make\"",
            "theus.toml:2:13: the component `a` has no `path`",
        ),
        (
            "version = 1\n[components.a]\npath = \"a\"\nbiuld = \"x\"",
            "did you mean `build`?",
        ),
        (
            "version = 1\n[components.a]\npath = \"a\"\nbuild = \"make\"",
            "`build` of the component `a` does not say which file it makes",
        ),
        (
            "version = 1\n[components.a]\npath = \"a.wasm\"\nbuild = \"make && rm\"",
            "`build` has `&`, and no shell would read it",
        ),
        (
            "version = 1\n[components.a]\npath = \"a.wasm\"\nbuild = []",
            "`build` names no program",
        ),
        (
            "version = 1\n[components.a]\npath = \"a.wasm\"\nbuild = [\"a\", 1]",
            "`build` is 1",
        ),
        (
            "version = 1\n[components.\"a/b\"]\npath = \"a.wasm\"",
            "`a/b` is no name of a component",
        ),
        (
            "version = 1\n[policy.p]",
            "theus.toml:2:9: the policy of `p` gives neither inputs nor outputs nor topics",
        ),
        (
            "version = 1\n[policy.p]\ninput = []",
            "did you mean `inputs`?",
        ),
        (
            "version = 1\n[policy.p]\ninputs = \"domain.a\"",
            "`inputs` of the policy of `p` is a string, expected a list",
        ),
        (
            "version = 1\n[grants]\nclok = true",
            "did you mean `clock`?",
        ),
        (
            "version = 1\n[grants.directories]\n\"../a\" = \"b\"",
            "the directory name `../a` is not allowed",
        ),
        (
            "version = 1\n[limits]\nmax-memry = 1",
            "did you mean `max-memory`?",
        ),
        (
            "version = 1\n[limits]\nmemory-bytes = 1",
            "did you mean `max-memory`?",
        ),
        ("version = 1\n[limits]\nfuel = 0", "`fuel` is 0\n"),
        (
            "version = 1\n[limits]\nfuel = \"lots\"",
            "expected a whole number",
        ),
        (
            "version = 1\n[limits]\ntimeout = 5",
            "expected a time with a unit",
        ),
        (
            "version = 1\n[limits]\nmax-memory = \"64MB\"",
            "expected a size",
        ),
        (
            "version = 1\n[limits]\nwrites = -1",
            "expected a whole number that is not negative",
        ),
    ] {
        let found = errors(text, Trust::Operator);
        assert!(found.contains(expected), "{text}\n{found}");
        assert!(
            found
                .lines()
                .next()
                .unwrap_or_default()
                .starts_with("theus.toml"),
            "{found}"
        );
    }
    let unknown_version = errors("version = 2\nfuture = 1", Trust::Operator);
    assert!(!unknown_version.contains("future`"), "{unknown_version}");
}

#[test]
fn every_problem_is_told_at_once() {
    let found = errors(
        "version = 1\nschema = 1\nrecipe = 2\n[limits]\nfeul = 3",
        Trust::Operator,
    );
    for expected in ["theus.toml:2:10", "theus.toml:3:10", "theus.toml:5:1"] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
    let found = errors("version = = 1\ncontext = [", Trust::Operator);
    assert!(found.matches("not TOML").count() >= 2, "{found}");
}

#[test]
fn a_guests_own_file_says_where_things_are_and_grants_nothing() {
    let own = "version = 1\ncontext = \"c.yaml\"\nschema = \"s.yaml\"\nrecipe = \"r.yaml\"\n\
               [components.g]\npath = \"./out/g.wasm\"\nbuild = [\"make\"]\n";
    let parsed = Config::parse(own, "theus.toml", Trust::Guest);
    assert!(parsed.is_ok(), "{parsed:?}");
    for (text, expected) in [
        (
            "permissive = true",
            "theus.toml:2:1: `permissive` stands in the guest's own file, which cannot give it",
        ),
        (
            "[grants]\nclock = true",
            "theus.toml:2:2: `grants` stands in the guest's own file",
        ),
        (
            "[policy.p]\ninputs = []",
            "`policy` stands in the guest's own file",
        ),
        (
            "[limits]\nfuel = 5",
            "`limits` stands in the guest's own file",
        ),
        ("state = \"x\"", "`state` stands in the guest's own file"),
        (
            "components.scan = \"x\"",
            "`scan` stands in the guest's own file",
        ),
        (
            "context = \"../secret.yaml\"",
            "`context` leads out of the guest's folder",
        ),
        (
            "schema = \"/etc/passwd\"",
            "`schema` leads out of the guest's folder",
        ),
        (
            "[components.a]\npath = \"a/../../b.wasm\"",
            "`path` leads out of the guest's folder",
        ),
    ] {
        let found = errors(&format!("version = 1\n{text}"), Trust::Guest);
        assert!(found.contains(expected), "{text}\n{found}");
        let operators = format!("version = 1\n{text}\n");
        let allowed = Config::parse(&operators, "theus.toml", Trust::Operator);
        assert!(allowed.is_ok(), "{text}");
    }
}

#[test]
fn a_file_has_a_size() {
    let text = format!("version = 1\n# {}", "x".repeat(MAX_CONFIG_BYTES));
    let error = Config::parse(&text, "theus.toml", Trust::Operator).expect_err("too large");
    assert!(error.to_string().contains("more than the 65536"), "{error}");
    let deep = format!("version = 1\ncontext = {}", "[".repeat(60_000));
    assert!(Config::parse(&deep, "theus.toml", Trust::Operator).is_err());
}

#[test]
fn policies_meet_the_contracts() {
    let narrowing = config(
        "version = 1\n[policy.add_product]\noutputs = [\"domain.items\"]\n[policy.other]\ninputs = []\n",
    );
    let FittingPolicies { policies, notes } =
        narrowing.policies_for(&contracts()).expect("it narrows");
    assert_eq!(policies[0].0, "add_product");
    assert_eq!(policies.len(), 1);
    assert_eq!(
        notes,
        ["theus.toml:4:9: the policy of `other` is not applied: no such process is loaded"]
    );
    let wrong = config(
        "version = 1\n[policy.add_product]\ninputs = [\"domain\"]\noutputs = [\"domain.items\", \"domain.totl_value\"]\n",
    );
    let misfit = wrong.policies_for(&contracts()).expect_err("it widens");
    assert_eq!(misfit.process.as_deref(), Some("add_product"));
    let text = misfit.errors.to_string();
    assert!(
        text.contains("theus.toml:3:11: add_product: the policy grants `domain` among its inputs"),
        "{text}"
    );
    assert!(
        text.contains("theus.toml:4:28: add_product: the policy grants `domain.totl_value`"),
        "{text}"
    );
    assert!(
        text.contains("did you mean `domain.total_value`?"),
        "{text}"
    );
    let slip = config("version = 1\n[policy.add_prodcut]\ninputs = []\n");
    let misfit = slip.policies_for(&contracts()).expect_err("a slip");
    let text = misfit.errors.to_string();
    assert!(
        text.contains("theus.toml:2:9: no process `add_prodcut` is loaded"),
        "{text}"
    );
    assert!(text.contains("did you mean `add_product`?"), "{text}");
}

/// The published schema is that of the types. `THEUS_BLESS=1 cargo test` writes it.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<Config>();
    let mut schema = serde_json::to_value(schema).expect("json");
    without_null(&mut schema);
    let generated = format!("{}\n", serde_json::to_string_pretty(&schema).expect("json"));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/theus.schema.json");
    let published = std::fs::read_to_string(file).unwrap_or_default();
    if generated != published && std::env::var_os("THEUS_BLESS").is_some() {
        std::fs::write(file, &generated).expect("the folder is writable");
    }
    assert_eq!(published, generated, "THEUS_BLESS=1 writes {file}");
    // The reader and the types know the same words.
    let properties = |schema: &Json| -> Vec<String> {
        let properties = schema["properties"].as_object().expect("properties");
        properties.keys().cloned().collect()
    };
    for word in properties(&schema) {
        let text = format!("version = 1\n{word} = 2000-01-01\n");
        assert!(
            !errors(&text, Trust::Operator).contains("unknown key"),
            "{word}"
        );
    }
    assert_eq!(properties(&schema).len(), 10);
}

/// TOML has no null: what may be left out is left out.
fn without_null(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(without_null),
        Json::Object(entries) => {
            if let Some(Json::Array(kinds)) = entries.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    entries.insert("type".into(), only);
                }
            }
            if let Some(Json::Array(forms)) = entries.get_mut("anyOf") {
                forms.retain(|form| form["type"] != "null");
                if let [Json::Object(only)] = forms.as_slice() {
                    let only = only.clone();
                    entries.remove("anyOf");
                    entries.extend(only);
                }
            }
            entries.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
