//! Law 7: the same component, arguments, context and settings make the same run, in another engine and in another process.
//!
//! The hostile guests are compared in the same way, where they are tested.

use crate::harness::binary::run_in;
use crate::harness::engines::{PATIENCE, bytes, json};
use crate::harness::guests::{self, Prebuilt};
use crate::harness::hostile::is_the_same;
use crate::harness::root;
use serde_json::Value as Json;
use std::fs;
use std::path::Path as File;
use theus_host::{Call, Engine, Limits, Policy, context_from_value};

/// A run of an example, as one types it.
struct Example {
    guest: fn() -> &'static Prebuilt,
    context: &'static str,
    process: &'static str,
    args: &'static str,
    /// The directory that it reads, by its name.
    directory: Option<(&'static str, &'static str)>,
}

const EXAMPLES: [Example; 9] = [
    example(
        guests::warehouse,
        "guests/warehouse/context.yaml",
        "add_product",
        r#"{"product_name": "lamp", "price": 20}"#,
    ),
    example(
        guests::warehouse,
        "guests/warehouse/context-100.yaml",
        "add_product",
        r#"{"product_name": "lamp", "price": 20}"#,
    ),
    example(
        guests::warehouse_on_wasi,
        "guests/warehouse/context.yaml",
        "add_product",
        r#"{"product_name": "lamp", "price": 20}"#,
    ),
    example(
        guests::warehouse,
        "guests/warehouse/context.yaml",
        "add_product",
        r#"{"product_name": "lamp", "price": -1}"#,
    ),
    Example {
        directory: Some(("prices", "guests/prices/prices")),
        ..example(
            guests::prices,
            "guests/prices/context.yaml",
            "set_price",
            r#"{"product": "radio"}"#,
        )
    },
    example(
        guests::probe,
        "guests/probe/context.yaml",
        "spin_for",
        r#"{"iterations": 10000, "key": "a"}"#,
    ),
    example(
        guests::probe,
        "guests/probe/context.yaml",
        "echo",
        r#"{"value": {"$float": "nan"}}"#,
    ),
    example(
        guests::probe,
        "guests/probe/context.yaml",
        "log_levels",
        "{}",
    ),
    example(
        guests::probe,
        "guests/probe/context.yaml",
        "script",
        r#"{"steps": [
        {"set": {"path": "domain.data.a", "value": [1.5, "two", {"three": null}]}},
        {"push": {"path": "domain.data.a", "value": 4}}, {"keys": {"path": "domain.inbox"}}]}"#,
    ),
];

const fn example(
    guest: fn() -> &'static Prebuilt,
    context: &'static str,
    process: &'static str,
    args: &'static str,
) -> Example {
    Example {
        guest,
        context,
        process,
        args,
        directory: None,
    }
}

impl Example {
    /// The run in an engine of its own, and the bytes of the context that it leaves.
    fn in_process(&self) -> (Json, Vec<u8>) {
        let text = fs::read_to_string(root().join(self.context)).expect(self.context);
        let context = serde_saphyr::from_str(&text).expect(self.context);
        let engine = Engine::builder()
            .compiled_code_cache(guests::tmp().join("compiled"))
            .context(context_from_value(&context).expect(self.context))
            .limits(Limits {
                timeout: PATIENCE,
                ..Limits::default()
            })
            .build()
            .expect("an engine");
        let mut policy = Policy::as_declared();
        if let Some((name, folder)) = self.directory {
            policy = policy.grant_directory(name, root().join(folder));
        }
        let file = (self.guest)().file.as_path();
        engine
            .register(file, policy)
            .unwrap_or_else(|error| panic!("{error}"));
        let args = json(self.args).as_map().expect("a map").clone();
        let receipt = engine.call(Call::new(self.process, args));
        (serde_json::to_value(receipt).expect("JSON"), bytes(&engine))
    }

    fn in_a_process_of_its_own(&self) -> Json {
        let path = |file: &str| root().join(file).display().to_string();
        let mut words = vec!["run".to_owned(), (self.guest)().file.display().to_string()];
        words.extend([
            self.process.to_owned(),
            "--context".to_owned(),
            path(self.context),
        ]);
        let args: serde_json::Map<String, Json> = serde_json::from_str(self.args).expect(self.args);
        words.extend(
            args.into_iter()
                .map(|(name, value)| format!("{name}:={value}")),
        );
        if let Some((name, folder)) = self.directory {
            words.extend(["--dir".to_owned(), format!("{name}={}", path(folder))]);
        }
        words.extend(["--timeout", "60s", "-o", "json"].map(str::to_owned));
        run_in(File::new("."), &words).json()
    }
}

#[test]
fn every_example_runs_the_same_again_and_in_another_process() {
    for example in EXAMPLES {
        let (first, context) = example.in_process();
        let (second, same_context) = example.in_process();
        let usage = first["error"]["kind"] == "usage" || first["error"]["kind"] == "contract";
        assert!(!usage, "{}: {}", example.process, first["error"]);
        is_the_same(&first, &second);
        assert!(context == same_context, "{}", example.process);
        is_the_same(&first, &example.in_a_process_of_its_own());
    }
}
