//! The warehouse's process, run natively with the host's own guard and transaction: no sandbox, no host to build.

#![cfg(not(target_family = "wasm"))]

use theus_guest::Failure;
use theus_guest::testing::{Change, Host, Run, Signal, args};
use warehouse::{Product, add_product};

const EMPTY: &str = include_str!("../context.yaml");
const HOLDS_100: &str = include_str!("../context-100.yaml");

fn add(host: &mut Host, name: &str, price: i64) -> Run {
    host.run::<add_product>(args! { "product_name" => name, "price" => price })
}

fn product(name: &str, price: i64) -> Product {
    Product {
        name: name.into(),
        price,
    }
}

fn refusal(message: &'static str) -> Failure {
    Failure::new("ValueError", message)
}

#[test]
fn a_product_is_added_and_its_price_counted() {
    let mut host = Host::with_context(EMPTY);
    let run = add(&mut host, "TV", 500);
    assert_eq!(run.result(), Ok("Added".to_owned()), "{run}");
    assert_eq!(
        run.changes(),
        [
            Change::push("domain.items", product("TV", 500)),
            Change::set("domain.total_value", 0, 500),
        ]
    );
    assert_eq!(run.signals(), []);

    assert!(add(&mut host, "Iphone", 1000).is_committed());
    assert_eq!(host.value("domain.total_value"), Some(1500));
    assert_eq!(
        host.value("domain.items[1].name"),
        Some("Iphone".to_owned())
    );
}

#[test]
fn the_signal_is_set_once_the_list_is_longer_than_100() {
    let mut host = Host::with_context(EMPTY);
    for count in 1..=100 {
        let run = add(&mut host, "Iphone", 10);
        assert_eq!(run.signals(), [], "{count} products");
    }
    let run = add(&mut host, "Iphone", 10);
    assert_eq!(
        run.signals(),
        [Signal::new("domain.sig_restock_needed", true)]
    );
    let run = add(&mut Host::with_context(HOLDS_100), "Iphone", 1000);
    assert_eq!(run.signals().len(), 1);
}

#[test]
fn a_negative_price_leaves_everything_as_it_was() {
    let mut host = Host::with_context(HOLDS_100);
    let run = add(&mut host, "TV", -5);
    assert_eq!(run.failure(), Some(&refusal("price cannot be negative")));
    assert_eq!(run.signals(), []);
    assert_eq!(run.value("domain.total_value"), Some(1000));
    assert_eq!(host.version(), 0);
}

#[test]
fn a_full_warehouse_and_a_full_total_refuse() {
    let mut host = Host::with_context(HOLDS_100);
    host.set("global.max_capacity", &100);
    assert_eq!(
        add(&mut host, "TV", 5).failure(),
        Some(&refusal(
            "the warehouse is full: it holds 100 of 100 products"
        ))
    );
    host.set("global.max_capacity", &101);
    assert_eq!(
        add(&mut host, "TV", i64::MAX).failure(),
        Some(&refusal("the total value is too large to count"))
    );
    assert!(add(&mut host, "TV", 5).is_committed());
}

#[test]
fn the_contract_covers_every_path_of_the_process() {
    for (context, price) in [(EMPTY, 1), (HOLDS_100, 1), (EMPTY, -1)] {
        // Permissive mode would list what strict mode stops at.
        let run = add(&mut Host::with_context(context).permissive(), "TV", price);
        assert_eq!(run.violations(), []);
    }
}
