//! The records of a state on the command line: which ones, and those that come.

use crate::harness::binary::host;
use crate::harness::desk::Desk;
use serde_json::{Value as Json, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use theus_host::{Durability, Engine};

/// A `log --follow` that runs beside the test.
struct Following {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Following {
    fn start(desk: &Desk, command: &str) -> Self {
        let mut child = host()
            .args(command.split(' '))
            .current_dir(desk.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let out = lines(child.stdout.take().expect("it is piped"));
        let err = lines(child.stderr.take().expect("it is piped"));
        Self { child, out, err }
    }

    #[track_caller]
    fn line(&self) -> String {
        next(&self.out)
    }

    #[track_caller]
    fn record(&self) -> Json {
        serde_json::from_str(&self.line()).expect("one object per line")
    }

    fn exit(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // One that has ended already is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands on lines as they come, so that one that never does fails the test instead of hanging it.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[track_caller]
fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(Duration::from_secs(60)).expect("a line")
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.passes("$ADD price=500 $CONTEXT --state state");
    desk
}

fn seqs(log: &Json) -> Vec<u64> {
    let entries = log["entries"].as_array().expect("a list");
    entries.iter().filter_map(|it| it["seq"].as_u64()).collect()
}

#[test]
fn records_are_chosen_by_who_did_what_and_how_it_ended() {
    let desk = desk();
    desk.ends("$ADD price=-5 --state state", 7, "ValueError");
    desk.passes("context set --state state domain.a 1");
    desk.ends(
        "context set --state state domain.no.such 1",
        2,
        "THEUS-U017",
    );
    desk.passes("$ADD price=1 --state state");
    for (words, expected) in [
        ("", &[1, 2, 3, 4, 5][..]),
        ("--process add_product", &[1, 2, 5]),
        ("--process other", &[]),
        ("--actor edit", &[3, 4]),
        ("--actor process --failed", &[2]),
        ("--failed", &[2, 4]),
        ("--outcome committed", &[1, 3, 5]),
        ("--outcome rolled-back", &[2]),
        ("--outcome refused", &[4]),
        ("--process add_product --last 2", &[2, 5]),
        ("--outcome committed --after 1 --last 1", &[3]),
        ("--after 3", &[4, 5]),
    ] {
        let log = desk.passes(&format!("log --state state {words}"));
        assert_eq!(seqs(&log), expected, "{words}");
    }
    desk.ends("log --state state --actor nobody", 2, "THEUS-U001");
    desk.ends(
        "log --state state --failed --outcome refused",
        2,
        "THEUS-U001",
    );
}

/// Records are read in pages: what is looked for may be many pages back.
#[test]
fn a_rare_record_is_found_among_thousands() {
    const EDITS: u64 = 2_500;
    let desk = desk();
    let builder = Engine::builder().durability(Durability::Buffered);
    let engine = builder
        .state(desk.path().join("state"))
        .build()
        .expect("it opens");
    for number in 0..EDITS {
        engine
            .edit(|context| context.set("domain.number", number.to_string()))
            .expect("it fits");
    }
    drop(engine);
    let rare = desk.passes("log --state state --process add_product");
    assert_eq!(
        (seqs(&rare), &rare["head"]["seq"]),
        (vec![1], &json!(EDITS + 1))
    );
    let edits = desk.passes("log --state state --actor edit --last 2000");
    assert_eq!(
        seqs(&edits),
        (EDITS - 1_998..=EDITS + 1).collect::<Vec<_>>()
    );
    let next = desk.passes("log --state state --actor edit --after 0 --last 1500");
    assert_eq!(seqs(&next), (2..=1_501).collect::<Vec<_>>());
}

#[test]
fn what_comes_is_followed_between_the_hosts_that_write_it() {
    let desk = desk();
    let mut following = Following::start(&desk, "log --state state --follow -o json");
    assert_eq!(following.record()["seq"], 1);
    let receipt = desk.passes("$ADD price=20 --state state");
    let second = following.record();
    assert_eq!(
        (&second["seq"], &second["hash"]),
        (&json!(2), &receipt["journal"]["hash"])
    );
    // A host that keeps the state open: what it does is seen when it ends.
    let engine = Engine::builder()
        .state(desk.path().join("state"))
        .build()
        .expect("it opens");
    for value in 0..3 {
        engine
            .edit(|context| context.set("domain.a", value))
            .expect("it fits");
    }
    drop(engine);
    for seq in 3..=5 {
        let record = following.record();
        assert_eq!(
            (&record["seq"], &record["actor"]),
            (&json!(seq), &json!("edit"))
        );
    }
    // An older copy in its place is no news.
    let older = ["journal.redb", "seal"];
    let file = |state: &str, name: &str| desk.path().join(state).join(name);
    desk.passes("$ADD price=1 $CONTEXT --state older");
    for name in older {
        fs::copy(file("older", name), file("state", name)).expect("it is writable");
    }
    let ended = following.record();
    assert_eq!(ended["error"]["code"], "THEUS-H005", "{ended}");
    assert_eq!(following.exit(), Some(1));
}

#[test]
fn following_waits_for_a_host_chooses_and_ends_with_its_reader() {
    let desk = desk();
    let open = theus_host::store::open(&desk.path().join("state"), |_, _| {}).expect("it opens");
    let mut following = Following::start(&desk, "log --state state --follow --failed");
    assert!(next(&following.err).contains("another host has the state open"));
    drop(open);
    desk.passes("$ADD price=1 --state state");
    desk.ends("$ADD price=-5 --state state", 7, "ValueError");
    let line = following.line();
    assert!(line.contains("rolled back  ValueError"), "{line}");
    // Nobody reads any more: the next record ends it.
    (_, following.out) = mpsc::channel();
    loop {
        desk.ends("$ADD price=-5 --state state", 7, "ValueError");
        if let Some(exit) = following.child.try_wait().expect("it is there") {
            assert_eq!(exit.code(), Some(0));
            return;
        }
    }
}

#[test]
fn a_courier_reads_on_behind_the_last_message_that_it_delivered() {
    let desk = Desk::new();
    let probe = crate::harness::guests::probe().file.display();
    let send = format!("run {probe} send_messages topic=mail --state state");
    desk.passes(&format!("{send} count=2"));
    desk.passes("context set --state state domain.a 1");
    desk.passes(&format!("{send} count=1"));
    let outbox = |words: &str| {
        let read = desk.passes(&format!("log outbox --state state {words}"));
        let messages = read["messages"].as_array().expect("a list").clone();
        let ids: Vec<String> = messages
            .iter()
            .map(|it| it["id"].as_str().expect("an id").to_owned())
            .collect();
        (messages, ids)
    };
    let (messages, ids) = outbox("");
    assert_eq!(ids, ["1.0", "1.1", "3.0"]);
    assert_eq!(
        (
            &messages[1]["process"],
            &messages[1]["topic"],
            &messages[1]["payload"]
        ),
        (
            &json!("send_messages"),
            &json!("mail"),
            &json!({"$bytes": "bWVzc2FnZSAx"})
        )
    );
    assert_eq!(outbox("--most 1").1, ["1.0"]);
    assert_eq!(outbox("--after 1.0").1, ["1.1", "3.0"]);
    assert_eq!(outbox("--after 1").1, ["3.0"]);
    assert_eq!(outbox("--after 3.0").1, [""; 0]);
    let text = desk.text("log outbox --state state --after 1.1").stdout;
    assert!(
        text.starts_with("     3.0  ") && text.ends_with("  send_messages  mail  \"message 0\"\n"),
        "{text}"
    );
    desk.ends("log outbox --state state --after x", 2, "THEUS-U001");
    desk.passes("state compact --state state --keep 1");
    desk.ends("log outbox --state state --after 1.0", 2, "THEUS-U015");
    assert_eq!(outbox("--after 3").1, [""; 0]);
}
