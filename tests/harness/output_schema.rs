//! The published schema of what the command line prints as JSON.

use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../host/docs/output.schema.json");

static DEFINITIONS: LazyLock<HashMap<String, jsonschema::Validator>> = LazyLock::new(|| {
    let schema: Json = serde_json::from_str(TEXT).expect("the schema is JSON");
    let definitions = schema["$defs"].as_object().expect("it has definitions");
    definitions
        .keys()
        .map(|name| {
            // One definition at a time: a choice among all of them would say of an object only that it is none of them.
            let one = serde_json::json!({
                "$schema": schema["$schema"],
                "$ref": format!("#/$defs/{name}"),
                "$defs": definitions,
            });
            let validator = jsonschema::validator_for(&one).expect("the schema is valid");
            (name.clone(), validator)
        })
        .collect()
});

/// What about the output of these words does not fit its definition.
pub(crate) fn misfits(words: &[String], output: &Json) -> Vec<String> {
    let Some(name) = definition(words, output) else {
        return Vec::new();
    };
    DEFINITIONS[name]
        .iter_errors(output)
        .map(|error| {
            format!(
                "output.schema.json, {name}: {}: {error}",
                error.instance_path()
            )
        })
        .collect()
}

/// The definition of what these words print; none where it is the file of a user.
fn definition(words: &[String], output: &Json) -> Option<&'static str> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    if word(0) == "check" && output.get("checks").is_some() {
        return Some("check");
    }
    if word(0) == "check" && output.get("components").is_some() {
        return Some("check-all");
    }
    if output.get("outcome").is_some() {
        return Some("receipt");
    }
    match (word(0), word(1)) {
        ("inspect", _) => Some("inspect"),
        ("build" | "componentize", _) => Some("artefact"),
        ("test", _) => Some("test"),
        ("init", _) => Some("init"),
        ("fuzz", _) => Some("fuzz"),
        ("explain", _) if output.is_array() => Some("pages"),
        ("explain", _) => Some("page"),
        ("audit", "inspect") => Some("audit-inspect"),
        ("audit", "gen-spec") => Some("audit-gen-spec"),
        // A backup tells of the copy what `log verify` would.
        ("log", "verify") | ("state", "backup") => Some("log-verify"),
        ("audit", "backtest") => Some("audit-backtest"),
        ("contract", "minimize") => Some("contract-minimize"),
        ("log", "salvage") => Some("log-salvage"),
        ("log", "outbox") => Some("log-outbox"),
        ("log", _) => Some("log"),
        ("replay", _) if output.get("alike").is_some() => Some("replay"),
        ("context", "show" | "get") => Some("context-show"),
        ("context", "diff") => Some("context-diff"),
        ("context", "set" | "remove" | "import") | ("edit", _) => Some("edit"),
        ("state", "info") => Some("state-info"),
        ("state", "compact") => Some("state-compact"),
        ("state", "interlock") if word(2) == "show" => Some("state-interlock-show"),
        ("state", "interlock") => Some("state-interlock-reset"),
        // Files of their own format.
        ("schema", "infer" | "export") | ("context", "export") => None,
        _ => Some("receipt"),
    }
}
