//! A bank over a state whose host is killed again and again: sixteen threads move money between the same few accounts. What
//! was acknowledged is there, nothing is there by half, and the sum is the same in every version.
//!
//! `THEUS_CRASH_ROUNDS` says how often it is killed.

#![cfg(unix)]

use crate::harness::engines::Setup;
use crate::harness::guests;
use crate::harness::trace::listening_everywhere;
use rustix::process::{Pid, Signal, getpid, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path as File, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use theus_core::path::Path;
use theus_core::transaction::{Effect, Write};
use theus_host::store::{self, Entry};
use theus_host::{Call, Engine, Map, Value, args};

const TELLERS: u64 = 16;
const ACCOUNTS: u64 = 6;
const EACH: i64 = 100;
/// Transfers of one teller: by then every child was killed.
const ENOUGH: u64 = 2_000;
const ROUNDS: u64 = 8;

/// Where the child finds its state, which life of it this is, and at which point it ends.
const STATE: &str = "THEUS_TEST_STATE";
const LIFE: &str = "THEUS_TEST_LIFE";
const POINT: &str = "THEUS_TEST_POINT";
/// What the trace says, around every sync of a group.
const POINTS: [&str; 3] = [
    "a group is taken",
    "the group lasts",
    "the group is published",
];

/// How a life ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Once so many transfers were acknowledged.
    Acknowledged(u64),
    /// Where the trace says a point for the so many-th time.
    Point(usize, u64),
}

/// A transfer that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Transfer {
    from: String,
    to: String,
    amount: i64,
}

/// The accounts as they should be, entry by entry.
struct Books {
    accounts: BTreeMap<String, i64>,
    seq: u64,
    version: u64,
    transfers: BTreeMap<u64, Transfer>,
}

fn account(number: u64) -> String {
    format!("account{number}")
}

/// Numbers that look like random ones, the same for the same seed.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    }
}

/// Not a test by itself: what the other one starts as a process of its own, and kills.
#[test]
fn child() {
    let variable = |name| std::env::var(name).ok();
    let (Some(state), Some(life)) = (variable(STATE), variable(LIFE)) else {
        return;
    };
    let life: u64 = life.parse().expect("a number");
    if let Some(point) = variable(POINT) {
        let (point, times) = point.split_once(' ').expect("two numbers");
        let point = POINTS[point.parse::<usize>().expect("a number")];
        let left = AtomicU64::new(times.parse().expect("a number"));
        listening_everywhere(move |said| {
            if said == point && left.fetch_sub(1, Ordering::SeqCst) == 1 {
                kill_process(getpid(), Signal::KILL).expect("it can be killed");
            }
        });
    }
    let engine = Setup::probe().state(&PathBuf::from(state)).engine();
    thread::scope(|scope| {
        for teller in 0..TELLERS {
            let engine = &engine;
            scope.spawn(move || move_money(engine, life * TELLERS + teller));
        }
    });
}

fn move_money(engine: &Engine, seed: u64) {
    let mut number = numbers(seed + 1);
    for _ in 0..ENOUGH {
        let from = number(ACCOUNTS);
        let to = (from + 1 + number(ACCOUNTS - 1)) % ACCOUNTS;
        let (from, to) = (account(from), account(to));
        let amount = i64::try_from(1 + number(60)).expect("small");
        let args = args! { "from" => from.as_str(), "to" => to.as_str(), "amount" => amount };
        let receipt = engine.call(Call::new("transfer", args));
        match receipt.error {
            None => {
                // In one write: what is cut short is no acknowledgement.
                let line = format!("\n> {} {from} {to} {amount}\n", receipt.version);
                let mut out = std::io::stdout().lock();
                out.write_all(line.as_bytes()).expect("somebody listens");
                out.flush().expect("somebody listens");
            }
            Some(error) => assert_eq!(error.code(), "Poor", "{error}"),
        }
    }
}

/// Lets a child live on the state until it is killed; the transfers that were acknowledged, by their version.
fn live(state: &File, life: u64, end: End) -> BTreeMap<u64, Transfer> {
    let mut command = Command::new(std::env::current_exe().expect("a test binary"));
    command
        .args(["bank::child", "--exact", "--nocapture"])
        .env(STATE, state)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    if let End::Point(point, times) = end {
        command.env(POINT, format!("{point} {times}"));
    }
    let mut child = command.spawn().expect("it starts");
    let mut acknowledged = BTreeMap::new();
    let mut killed = false;
    let mut left = match end {
        End::Acknowledged(enough) => enough,
        End::Point(..) => u64::MAX,
    };
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        let Some(words) = line.strip_prefix("> ") else {
            continue;
        };
        let words: Vec<&str> = words.split(' ').collect();
        let transfer = Transfer {
            from: words[1].into(),
            to: words[2].into(),
            amount: words[3].parse().expect("a number"),
        };
        let version = words[0].parse().expect("a version");
        let twice = acknowledged.insert(version, transfer);
        assert_eq!(twice, None, "version {version} twice");
        // It may say more before it is dead.
        left = left.saturating_sub(1);
        if left == 0 && !killed {
            killed = true;
            let id = Pid::from_child(&child);
            kill_process(id, Signal::KILL).expect("it runs");
        }
    }
    let ended = child.wait().expect("it ended");
    assert_eq!(ended.signal(), Some(9), "{end:?}: {ended}");
    acknowledged
}

impl Books {
    fn new() -> Self {
        Self {
            accounts: (0..ACCOUNTS).map(|it| (account(it), EACH)).collect(),
            seq: 0,
            version: 0,
            transfers: BTreeMap::new(),
        }
    }

    /// Books all that a state holds behind what is booked, as if it had been done one by one.
    fn book(&mut self, state: &File) {
        let store = store::open(state, |_, _| {}).expect("it opens");
        for kept in store.entries(self.seq, usize::MAX).expect("sound") {
            self.seq += 1;
            assert_eq!(kept.entry.record.seq, self.seq, "no gap");
            self.enter(&kept.entry);
            assert_eq!(self.accounts.values().sum::<i64>(), sum(), "{}", self.seq);
        }
        let head = store.head();
        assert_eq!((head.seq, head.version), (self.seq, self.version));
        assert_eq!(self.seen(&store.state().context.tree), self.accounts);
        drop(store);
        let verified = store::verify(state, Some(head.hash)).expect("it can be read");
        assert_eq!((verified.sound, verified.damage), (head, None));
    }

    fn enter(&mut self, entry: &Entry) {
        let Some(version) = entry.record.version else {
            // Refused: somebody was too poor.
            assert!(entry.writes.is_empty());
            return;
        };
        self.version += 1;
        assert_eq!(version, self.version, "no gap");
        let transfer = transfer_of(&entry.record.args);
        let places = [
            (&transfer.from, -transfer.amount),
            (&transfer.to, transfer.amount),
        ];
        let expected = places.map(|(account, change)| {
            let there = self.accounts.get_mut(account).expect("an account");
            *there += change;
            assert!(*there >= 0, "version {version}: {account} has {there}");
            Write {
                path: place(account),
                effect: Effect::Set(Value::Int(*there)),
            }
        });
        assert_eq!(
            entry.writes, expected,
            "version {version}: as if it were alone"
        );
        self.transfers.insert(version, transfer);
    }

    fn seen(&self, tree: &theus_core::tree::Tree) -> BTreeMap<String, i64> {
        let there = |account: &String| tree.get(&place(account)).and_then(Value::as_i64);
        let accounts = self.accounts.keys();
        accounts
            .map(|it| (it.clone(), there(it).expect("a number")))
            .collect()
    }
}

fn place(account: &str) -> Path {
    Path::parse(&format!("domain.slots.{account}")).expect("a path")
}

fn transfer_of(args: &Map) -> Transfer {
    let text = |name| args.get(name).and_then(Value::as_str).expect("a text");
    Transfer {
        from: text("from").into(),
        to: text("to").into(),
        amount: args
            .get("amount")
            .and_then(Value::as_i64)
            .expect("a number"),
    }
}

fn sum() -> i64 {
    i64::try_from(ACCOUNTS).expect("small") * EACH
}

#[test]
fn no_money_is_made_or_lost_by_crashes() {
    // The child finds it built.
    guests::probe();
    let rounds = match std::env::var("THEUS_CRASH_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("THEUS_CRASH_ROUNDS is a number"),
        Err(_) => ROUNDS,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let accounts: Vec<_> = (0..ACCOUNTS)
        .map(|it| format!(r#""{}": {EACH}"#, account(it)))
        .collect();
    let context = format!(r#"{{"domain": {{"slots": {{{}}}}}}}"#, accounts.join(", "));
    drop(Setup::probe().context(&context).state(&state).engine());
    let mut books = Books::new();
    let mut number = numbers(rounds);
    for life in 0..rounds {
        let end = if life % 2 == 0 {
            End::Acknowledged(1 + number(400))
        } else {
            let point = usize::try_from(life / 2).expect("small") % POINTS.len();
            End::Point(point, 1 + number(40))
        };
        let before = books.version;
        let acknowledged = live(&state, life, end);
        books.book(&state);
        for (version, transfer) in &acknowledged {
            let there = books.transfers.get(version);
            assert_eq!(there, Some(transfer), "{end:?}: version {version}");
            assert!(*version > before, "{end:?}: version {version} anew");
        }
    }
    assert!(books.version > rounds, "{} transfers", books.version);
}
