//! `theus_host::testing`, as the warehouse's author would use it.

use std::panic::{self, UnwindSafe};
use theus_host::testing::Host;
use theus_host::{Action, Outcome, Value, args};

const WAREHOUSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/warehouse");
const EMPTY: &str = include_str!("../../guests/warehouse/context.yaml");
const HOLDS_100: &str = include_str!("../../guests/warehouse/context-100.yaml");

fn warehouse() -> Host {
    Host::build(WAREHOUSE).context(EMPTY)
}

/// What a test is told that does something wrong.
fn told(wrong: impl FnOnce() + UnwindSafe) -> String {
    let panic = panic::catch_unwind(wrong).expect_err("a panic");
    *panic.downcast::<String>().expect("a message")
}

#[test]
fn a_product_is_added_in_the_sandbox() {
    let host = warehouse();
    let receipt = host.run(
        "add_product",
        args! { "product_name" => "TV", "price" => 500 },
    );
    assert_eq!(receipt.outcome, Outcome::Committed);
    assert_eq!(receipt.result, Some("Added".into()));
    assert!(receipt.stats.fuel > 0 && receipt.violations.is_empty());

    host.commits(
        "add_product",
        args! { "product_name" => "Iphone", "price" => 1000 },
    );
    assert_eq!(host.value("domain.total_value"), Some(1500.into()));
    assert_eq!(host.value("domain.items[1].name"), Some("Iphone".into()));
    assert_eq!(host.value("domain.nothing"), None);
    assert_eq!(host.version(), 2);
}

#[test]
fn a_full_warehouse_refuses_and_asks_to_be_restocked() {
    let host = Host::build(WAREHOUSE).context(HOLDS_100);
    let args = || args! { "product_name" => "TV", "price" => 1 };
    let receipt = host
        .set("global.max_capacity", 100)
        .run("add_product", args());
    assert_eq!(receipt.error.expect("it is full").code(), "ValueError");
    host.set("global.max_capacity", 101);
    let receipt = host.commits("add_product", args());
    assert_eq!(receipt.signals[0].value, Value::Bool(true));
}

#[test]
fn rules_limits_and_modes_hold_as_they_do_in_service() {
    let negative = || args! { "product_name" => "TV", "price" => -5 };
    let audited = warehouse().recipe(include_str!("../../guests/warehouse/audit.yaml"));
    let receipt = audited.run("add_product", negative());
    assert_eq!(receipt.audit[0].action, Action::Block);

    let starved = warehouse().limits(|limits| limits.fuel = 100);
    let receipt = starved.run("add_product", negative());
    assert_eq!(receipt.error.expect("an error").code(), "THEUS-L001");

    let probe = Host::build("../guests/probe").context(r#"{"domain": {"hidden": "seen"}}"#);
    let refused = probe.run("read_undeclared", args! {});
    assert_eq!(refused.error.expect("an error").code(), "THEUS-C001");
    let let_pass = probe.permissive().commits("read_undeclared", args! {});
    assert_eq!(let_pass.result, Some("seen".into()));
    assert_eq!(let_pass.violations.len(), 1);
}

#[test]
fn guests_share_a_context_and_a_new_setting_starts_anew() {
    let context = r#"{"domain": {"counter": 0, "items": [], "total_value": 0}}"#;
    let host = warehouse().and_build("../guests/probe").context(context);
    host.commits("increment", args! {});
    host.commits(
        "add_product",
        args! { "product_name" => "TV", "price" => 1 },
    );
    assert_eq!(host.version(), 2);
    let host = host.limits(|limits| limits.reads = 1);
    assert_eq!(
        (host.version(), host.value("domain.counter")),
        (0, Some(0.into()))
    );
}

#[test]
fn what_is_wrong_is_said() {
    let no_folder = told(|| drop(Host::build("../guests/no_such_guest")));
    assert!(
        no_folder.starts_with("../guests/no_such_guest does not build: there is no such folder"),
        "{no_folder}"
    );
    let no_package = told(|| drop(Host::build("../guests")));
    assert!(no_package.contains("has no Cargo.toml"), "{no_package}");
    let no_context = told(|| drop(warehouse().context("{\"domain\": []}")));
    assert!(
        no_context.contains("`domain` must be a map"),
        "{no_context}"
    );
    let no_recipe = told(|| drop(warehouse().recipe("process_recipes: 5")));
    assert!(no_recipe.contains("the recipe:1"), "{no_recipe}");
    let no_guest = told(|| {
        let _ = Host::with_guest(b"text".to_vec()).version();
    });
    assert!(
        no_guest.starts_with("the guest is not registered: THEUS-U007"),
        "{no_guest}"
    );
    let no_commit = told(|| {
        let negative = args! { "product_name" => "TV", "price" => -5 };
        warehouse().commits("add_product", negative);
    });
    assert_eq!(
        no_commit,
        "add_product failed with ValueError: price cannot be negative"
    );
    let no_process = told(|| {
        warehouse().commits("add_produkt", args! {});
    });
    assert!(
        no_process.contains("there are: add_product"),
        "{no_process}"
    );
    let no_place = told(|| {
        warehouse().set("domain.shelves.first", 1);
    });
    assert!(
        no_place.starts_with("`domain.shelves.first` cannot be set: "),
        "{no_place}"
    );
}
