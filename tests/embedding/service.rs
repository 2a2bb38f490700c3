//! The example service, started in this process and called over loopback.

use crate::client::{self, Answer};
use serde_json::{Value as Json, json};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use theus_host::testing::Host;
use theus_host::{Engine, Value};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

#[path = "../../host/examples/service/service.rs"]
mod example;
use example::Settings;

/// Everything that the endings below need.
const RECIPE: &str = "
process_recipes:
  echo_name:
    inputs:
      - { field: name, neq: blocked, level: B, message: \"blocked by name\" }
      - { field: name, neq: aborted, level: A }
      - { field: name, neq: thrown, level: S }
";

/// The service on a port of its own. Dropped, it stops as if told to.
struct Running {
    address: SocketAddr,
    engine: Engine,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

fn probe() -> Host {
    Host::build("../guests/probe").context(include_str!("../../guests/probe/context.yaml"))
}

fn start(host: &Host, settings: Settings) -> Running {
    let engine = host.engine().clone();
    let (stop, stopped) = oneshot::channel();
    let (listening, address) = mpsc::channel();
    let served = engine.clone();
    let thread = thread::spawn(move || {
        // One thread for everything that must not block: a call that did would be seen.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            listening.send(address).expect("the test waits for it");
            let stop = async {
                // A sender that is dropped means the same.
                let _ = stopped.await;
            };
            example::serve(listener, served, settings, stop).await
        })
    });
    Running {
        address: address.recv().expect("the service starts"),
        engine,
        stop: Some(stop),
        thread: Some(thread),
    }
}

impl Running {
    fn call(&self, process: &str, args: &Json) -> Answer {
        let path = format!("/processes/{process}");
        client::post(self.address, &path, &args.to_string())
    }

    fn get(&self, path: &str) -> Answer {
        client::get(self.address, path)
    }

    fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            let served = thread.join().expect("the service does not panic");
            served.expect("the service does not fail");
        }
    }

    /// Waits until so many calls have come as far as their locks.
    fn wait_for_sandboxes(&self, number: u64) {
        wait_until(|| self.engine.sandboxes_made() >= number);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tell_to_stop();
        if !thread::panicking() {
            self.wait();
        }
    }
}

/// Waits for what comes soon, or never.
#[track_caller]
fn wait_until(reached: impl Fn() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never comes");
        thread::yield_now();
    }
}

/// Refuses what the recipe says, and runs as usual otherwise.
fn strict_service() -> Running {
    let host = probe().recipe(RECIPE).limits(|limits| {
        limits.reads = 10;
        limits.argument_bytes = 100;
    });
    let settings = Settings {
        body_bytes: 1_000,
        ..Settings::default()
    };
    start(&host, settings)
}

#[track_caller]
fn check(answer: &Answer, status: u16, kind: &str, code: &str) -> Json {
    let body = answer.json();
    let error = &body["error"];
    assert_eq!(
        (answer.status, &error["kind"], &error["code"]),
        (status, &json!(kind), &json!(code)),
        "{body}"
    );
    assert_eq!(body["outcome"] == "committed", status == 200);
    body
}

#[test]
fn a_call_gives_its_receipt_and_changes_the_context() {
    let service = strict_service();
    let answer = service.call("increment", &json!({}));
    let receipt = answer.json();
    assert_eq!(answer.status, 200, "{receipt}");
    assert_eq!(receipt["outcome"], "committed");
    assert_eq!(receipt["result"], 1);
    assert_eq!(
        receipt["changes"],
        json!([{"path": "domain.counter", "op": "set", "old": 0, "new": 1}])
    );
    assert_eq!(receipt["stats"]["steps"].as_array().map(Vec::len), Some(7));

    let without_body = client::post_as(service.address, "/processes/increment", "text/plain", "");
    assert_eq!(without_body.json()["result"], 2);

    let context = service.get("/context").json();
    assert_eq!(context["version"], 2);
    assert_eq!(context["domain"]["counter"], 2);
    assert_eq!(context["global"]["max_capacity"], 500);
    let health = service.get("/healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok"));
}

#[test]
fn every_ending_has_its_status() {
    let service = strict_service();
    let long = "x".repeat(200);
    let fail = |code: &str| json!({"code": code, "message": "told to"});
    for (status, kind, code, process, args) in [
        (404, "usage", "THEUS-U005", "no_such_process", json!({})),
        (400, "usage", "THEUS-U006", "echo_name", json!({})),
        (400, "usage", "THEUS-U006", "echo_name", json!({"name": 5})),
        (400, "usage", "THEUS-U006", "echo_name", json!(["a"])),
        (422, "contract", "THEUS-C001", "read_undeclared", json!({})),
        (422, "contract", "THEUS-C002", "write_undeclared", json!({})),
        (422, "contract", "THEUS-C003", "fail", fail("OtherError")),
        (422, "failure", "ValueError", "fail", fail("ValueError")),
        (
            403,
            "audit-block",
            "THEUS-A001",
            "echo_name",
            json!({"name": "blocked"}),
        ),
        (
            409,
            "audit-abort",
            "THEUS-A002",
            "echo_name",
            json!({"name": "aborted"}),
        ),
        (
            413,
            "limit",
            "THEUS-L007",
            "echo_name",
            json!({"name": long}),
        ),
        (
            429,
            "limit",
            "THEUS-L010",
            "many_reads",
            json!({"count": 11}),
        ),
        (500, "trap", "THEUS-T001", "unreachable", json!({})),
        (
            500,
            "trap",
            "THEUS-T002",
            "panic_now",
            json!({"message": "oh"}),
        ),
        // It stays in force: nothing may follow but what it refuses.
        (
            503,
            "interlock",
            "THEUS-A003",
            "echo_name",
            json!({"name": "thrown"}),
        ),
        (503, "interlock", "THEUS-A004", "increment", json!({})),
    ] {
        check(&service.call(process, &args), status, kind, code);
    }
    assert_eq!(service.get("/context").json()["version"], 0);
    service.engine.reset_interlock().expect("in memory");
    assert_eq!(service.call("increment", &json!({})).status, 200);
}

#[test]
fn requests_that_are_no_calls_are_refused_in_the_same_form() {
    let service = strict_service();
    let post = |media_type, body: &str| {
        client::post_as(service.address, "/processes/increment", media_type, body)
    };
    let json = "application/json; charset=utf-8";
    assert_eq!(post(json, "{}").status, 200);
    let malformed = check(&post(json, "{"), 400, "usage", "THEUS-U006");
    let message = malformed["error"]["message"].as_str().expect("a message");
    assert!(message.starts_with("the body is not JSON: "), "{message}");
    check(&post("text/plain", "{}"), 415, "usage", "THEUS-U006");
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(1_000));
    check(&post(json, &large), 413, "limit", "THEUS-L007");

    assert_eq!(service.get("/processes/increment").status, 405);
    assert_eq!(service.get("/nothing/here").status, 404);
    assert_eq!(
        service.engine.context().version,
        1,
        "only the first one ran"
    );
}

#[test]
fn a_call_that_does_not_end_is_ended() {
    let host = probe().limits(|limits| {
        limits.timeout = Duration::from_millis(50);
        limits.fuel = u64::MAX / 2;
    });
    let service = start(&host, Settings::default());
    check(
        &service.call("spin", &json!({})),
        504,
        "limit",
        "THEUS-L002",
    );
}

#[test]
fn parallel_requests_lose_nothing() {
    const CLIENTS: i64 = 8;
    const REQUESTS_EACH: i64 = 25;
    let settings = Settings {
        running: 2,
        ..Settings::default()
    };
    let service = start(&probe(), settings);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                for _ in 0..REQUESTS_EACH {
                    let answer = service.call("increment", &json!({}));
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
    });
    let context = service.get("/context").json();
    assert_eq!(context["domain"]["counter"], CLIENTS * REQUESTS_EACH);
}

/// The edit holds the whole context, and so every call in flight for as long as it lasts.
#[test]
fn the_reactor_goes_on_while_calls_wait_and_places_are_bounded() {
    let settings = Settings {
        running: 1,
        waiting: 0,
        ..Settings::default()
    };
    let service = start(&probe(), settings);
    thread::scope(|scope| {
        let held = service.engine.edit(|_| {
            let held = scope.spawn(|| service.call("increment", &json!({})));
            service.wait_for_sandboxes(1);
            assert_eq!(service.get("/healthz").status, 200);
            assert_eq!(service.get("/context").json()["version"], 0);
            let turned_away = service.call("increment", &json!({}));
            check(&turned_away, 503, "limit", "busy");
            assert!(turned_away.headers.contains("retry-after: 1"));
            Ok(held)
        });
        let answer = held.expect("an edit").join().expect("an answer");
        assert_eq!(answer.status, 200);
    });
    assert_eq!(service.call("increment", &json!({})).status, 200);
}

#[test]
fn a_service_that_is_told_to_stop_finishes_what_is_in_flight() {
    let mut service = start(&probe(), Settings::default());
    let engine = service.engine.clone();
    let address = service.address;
    thread::scope(|scope| {
        let held = engine.edit(|_| {
            let call = move || client::post(address, "/processes/increment", "{}");
            let held = scope.spawn(call);
            service.wait_for_sandboxes(1);
            service.tell_to_stop();
            wait_until(|| TcpStream::connect(address).is_err());
            assert!(!held.is_finished(), "it still waits for the edit");
            Ok(held)
        });
        let answer = held.expect("an edit").join().expect("an answer");
        assert_eq!(answer.json()["outcome"], "committed");
    });
    service.wait();
    let counter = theus_host::Path::parse("domain.counter").expect("a path");
    let end = engine.context();
    assert_eq!(end.tree.get(&counter), Some(&Value::Int(1)));
}
