//! The limits table, row by row: what just fits is let through, one more is refused by name, value and remedy, and at 80%
//! the receipt warns.
//!
//! A row of [`Limits`] that is not tested here does not compile.

mod derived;

use crate::harness::engines::{PATIENCE, Setup};
use crate::harness::scribe;
use crate::harness::wat::{contract_section, hostile, typed};
use std::time::{Duration, Instant};
use theus_core::config::{LimitFlag, LimitOverrides};
use theus_host::{
    Call, Code, Engine, ErrorKind, Limit, Limits, Map, Policy, Receipt, RegisterError, args,
};

/// How the host lets its operator know that a limit was reached.
enum Ended {
    /// A guest was registered, or refused.
    Registered(Result<(), RegisterError>),
    /// A guest was called.
    Called(Box<Receipt>),
}

/// One row of the table.
struct Row {
    limit: Limit,
    code: &'static str,
    /// The limit's value for the test.
    allowed: u64,
    /// The least by which usage differs.
    step: u64,
    /// Uses so much of what is limited.
    attempt: fn(&Limits, u64) -> Ended,
    over: Over,
    warning: Warning,
}

/// What becomes of more than is allowed.
#[derive(Clone, Copy, PartialEq)]
enum Over {
    Refused,
    Cut,
}

/// Whether there is a receipt that could warn.
#[derive(Clone, Copy, PartialEq)]
enum Warning {
    At80Percent,
    None,
}

const ROW: Row = Row {
    limit: Limit::Writes,
    code: "",
    allowed: 20,
    step: 1,
    attempt: |_, _| unreachable!("every row has an attempt of its own"),
    over: Over::Refused,
    warning: Warning::At80Percent,
};

type Set = fn(&mut Limits, u64);

macro_rules! rows {
    (apart $($own:ident by $test:ident),*; $($field:ident: $row:expr,)*) => {
        fn rows() -> Vec<(Set, Row)> {
            // No `..` here: that is what makes a new row want a test.
            let Limits { $($field: _,)* $($own: _),* } = Limits::default();
            let _apart: &[fn()] = &[$($test),*];
            vec![$((|limits: &mut Limits, value| limits.$field = value, $row)),*]
        }
    };
}

rows! {
    apart stack_bytes by the_stack_has_an_edge, fuel by fuel_has_an_edge, timeout by time_has_an_edge;

    component_bytes: Row {
        limit: Limit::ComponentBytes, code: "THEUS-L013", allowed: 5_000, attempt: registers_bytes, warning: Warning::None, ..ROW
    },
    memory_bytes: Row {
        limit: Limit::MemoryBytes, code: "THEUS-L003", allowed: 20 << 16, step: 1 << 16, attempt: grows_memory, ..ROW
    },
    tables: Row {
        limit: Limit::Tables, code: "THEUS-L014", allowed: 4, attempt: has_tables, warning: Warning::None, ..ROW
    },
    table_elements: Row {
        limit: Limit::TableElements, code: "THEUS-L014", allowed: 1_000, attempt: grows_table, ..ROW
    },
    path_bytes: Row {
        limit: Limit::PathBytes, code: "THEUS-L005", allowed: 100, attempt: |limits, bytes| {
            let name = "x".repeat(at_most_usize(bytes) - "domain.data.".len());
            probe(limits, "get_raw", args! { "path" => format!("domain.data.{name}") })
        }, ..ROW
    },
    path_segments: Row {
        limit: Limit::PathSegments, code: "THEUS-L005", attempt: |limits, segments| {
            let path = format!("domain.data{}", ".x".repeat(at_most_usize(segments) - 1));
            probe(limits, "get_raw", args! { "path" => path })
        }, ..ROW
    },
    value_bytes: Row {
        limit: Limit::ValueBytes, code: "THEUS-L006", allowed: 1_000, attempt: sets_value, ..ROW
    },
    heavy_value_bytes: Row {
        limit: Limit::HeavyValueBytes, code: "THEUS-L006", allowed: 1_000, attempt: sets_heavy_value, ..ROW
    },
    // The layer's map and the list in it are the first two levels.
    value_depth: Row {
        limit: Limit::ValueDepth, code: "THEUS-L006", attempt: |limits, depth| {
            probe(limits, "deep_value", args! { "depth" => depth - 2 })
        }, ..ROW
    },
    // The map, the key `value` and the head of the text take ten.
    argument_bytes: Row {
        limit: Limit::ArgumentBytes, code: "THEUS-L007", allowed: 1_000, attempt: |limits, bytes| {
            probe(limits, "echo", args! { "value" => "x".repeat(at_most_usize(bytes) - 10) })
        }, ..ROW
    },
    result_bytes: Row {
        limit: Limit::ResultBytes, code: "THEUS-L008", allowed: 1_000, attempt: |limits, bytes| {
            probe(limits, "big_result", args! { "bytes" => bytes - 3 })
        }, ..ROW
    },
    writes: Row {
        limit: Limit::Writes, code: "THEUS-L009", attempt: |limits, count| {
            probe(limits, "many_writes", args! { "count" => count })
        }, ..ROW
    },
    write_bytes: Row {
        limit: Limit::WriteBytes, code: "THEUS-L009", allowed: 1_000, attempt: sets_value, ..ROW
    },
    reads: Row {
        limit: Limit::Reads, code: "THEUS-L010", attempt: |limits, count| {
            probe(limits, "many_reads", args! { "count" => count })
        }, ..ROW
    },
    read_bytes: Row {
        limit: Limit::ReadBytes, code: "THEUS-L010", allowed: 1_000, attempt: |limits, bytes| {
            let piece = args! { "path" => "domain.data.text", "offset" => 0, "len" => bytes };
            probe(limits, "read_bytes_raw", piece)
        }, ..ROW
    },
    log_lines: Row {
        limit: Limit::LogLines, attempt: logs, over: Over::Cut, ..ROW
    },
    // `line 0` is six bytes.
    log_bytes: Row {
        limit: Limit::LogBytes, allowed: 60, step: 6, attempt: |limits, bytes| logs(limits, bytes / 6), over: Over::Cut, ..ROW
    },
    outbox_messages: Row {
        limit: Limit::OutboxMessages, code: "THEUS-L011", attempt: sends, ..ROW
    },
    // `message 0` and the topic `t` are ten bytes.
    outbox_bytes: Row {
        limit: Limit::OutboxBytes, code: "THEUS-L011", allowed: 50, step: 10, attempt: |limits, bytes| sends(limits, bytes / 10), ..ROW
    },
    staged_files: Row {
        limit: Limit::StagedFiles, code: "THEUS-L015", attempt: |limits, count| {
            let paths: Vec<String> = (0..count).map(|it| format!("/data/new-{it}")).collect();
            let told: Vec<[&str; 3]> = paths.iter().map(|path| ["write", path, "x"]).collect();
            scribe(limits, &told)
        }, ..ROW
    },
    staged_bytes: Row {
        limit: Limit::StagedBytes, code: "THEUS-L015", allowed: 1_000, attempt: |limits, bytes| {
            scribe(limits, &[["write", "/data/new", &"x".repeat(at_most_usize(bytes))]])
        }, ..ROW
    },
    host_calls: Row {
        limit: Limit::HostCalls, code: "THEUS-L012", attempt: logs, ..ROW
    },
}

fn at_most_usize(number: u64) -> usize {
    usize::try_from(number).expect("a small number")
}

fn engine(limits: &Limits) -> Engine {
    let text = "x".repeat(2_000);
    Setup::probe()
        .context(&format!(
            r#"{{"domain": {{"counter": 0, "slots": {{}}, "deep": [], "data": {{"text": "{text}"}}}}}}"#
        ))
        .limits(|all| *all = limits.clone())
        .engine()
}

fn probe(limits: &Limits, process: &str, args: Map) -> Ended {
    Ended::Called(Box::new(engine(limits).call(Call::new(process, args))))
}

fn scribe(limits: &Limits, told: &[[&str; 3]]) -> Ended {
    let folder = scribe::folder();
    let setup = scribe::setup(folder.path()).limits(|all| *all = limits.clone());
    let told: Vec<&[&str]> = told.iter().map(<[_; 3]>::as_slice).collect();
    let receipt = setup.engine().call(Call::new("work", scribe::steps(&told)));
    Ended::Called(Box::new(receipt))
}

fn sets_value(limits: &Limits, bytes: u64) -> Ended {
    probe(limits, "big_value", args! { "bytes" => bytes - 3 })
}

fn logs(limits: &Limits, lines: u64) -> Ended {
    probe(limits, "log_lines", args! { "count" => lines })
}

fn sends(limits: &Limits, count: u64) -> Ended {
    let args = args! { "count" => count, "topic" => "t" };
    probe(limits, "send_messages", args)
}

/// A guest without anything that is not asked for; its process is `work`.
fn guest(definitions: &str, body: &str) -> Vec<u8> {
    let contract =
        contract_section(r#"{"name":"work","inputs":["domain.a"],"outputs":["domain.heavy_a"]}"#);
    typed(&format!(
        r#"(module $guest {definitions} {contract}
            (memory (export "memory") 1)
            (data (i32.const 1024) "\00\00\00\00\10\04\00\00\01\00\00\00\00\00\00\00\c0")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                {body} (i32.const 1024)))"#
    ))
}

fn register(limits: &Limits, guest: Vec<u8>) -> (Engine, Result<(), RegisterError>) {
    let engine = Engine::builder().limits(limits.clone()).build();
    let engine = engine.expect("an engine");
    let registered = engine.register(guest, Policy::as_declared());
    (engine, registered.map(|_| ()))
}

fn calls(limits: &Limits, guest: Vec<u8>) -> Ended {
    let (engine, registered) = register(limits, guest);
    registered.unwrap_or_else(|error| panic!("{error}"));
    Ended::Called(Box::new(engine.call(Call::new("work", args! {}))))
}

/// A component of that size.
fn registers_bytes(limits: &Limits, bytes: u64) -> Ended {
    let mut component = hostile("start-calls-host");
    // A custom section without a name: its number, its length in two bytes, the length of the name.
    let padding = at_most_usize(bytes) - component.len() - 4;
    let length = padding + 1;
    let (low, high) = (length & 0x7f, length >> 7);
    assert!(high < 0x80, "the padding fits two bytes of length");
    component.extend([0, low as u8 | 0x80, high as u8, 0]);
    component.extend(vec![0; padding]);
    assert_eq!(component.len() as u64, bytes);
    Ended::Registered(register(limits, component).1)
}

fn has_tables(limits: &Limits, tables: u64) -> Ended {
    let definitions = "(table 1 funcref)".repeat(at_most_usize(tables));
    Ended::Registered(register(limits, guest(&definitions, "")).1)
}

fn grows_memory(limits: &Limits, bytes: u64) -> Ended {
    let more = (bytes >> 16) - 1;
    calls(
        limits,
        guest("", &format!("(drop (memory.grow (i32.const {more})))")),
    )
}

fn grows_table(limits: &Limits, elements: u64) -> Ended {
    let grow = format!("(drop (table.grow $table (ref.null func) (i32.const {elements})))");
    calls(limits, guest("(table $table 0 funcref)", &grow))
}

fn sets_heavy_value(limits: &Limits, bytes: u64) -> Ended {
    let set = r#"(import "theus:process/context@0.1.0" "set" (func $set (param i32 i32 i32 i32)))"#;
    let length = bytes - 3;
    let definitions = format!(
        r#"{set} (data (i32.const 0) "domain.heavy_a") (data (i32.const 2048) "\c5\{:02x}\{:02x}")"#,
        length >> 8,
        length & 0xff
    );
    let call =
        format!("(call $set (i32.const 0) (i32.const 14) (i32.const 2048) (i32.const {bytes}))");
    calls(limits, guest(&definitions, &call))
}

fn limits(set: Set, row: &Row) -> Limits {
    let mut limits = Limits {
        timeout: PATIENCE,
        ..Limits::default()
    };
    set(&mut limits, row.allowed);
    limits
}

/// The limits with the one that the refusal names raised by its word.
fn raised(row: &Row, limits: &Limits, to: u64) -> Limits {
    let word = row.limit.word().expect("a word");
    let flag: LimitFlag = format!("{word}={to}").parse().expect("a flag");
    LimitOverrides::from(&[flag][..]).applied_to(limits.clone())
}

/// The warnings of a run that was let through.
#[track_caller]
fn warnings(row: &Row, ended: Ended) -> Vec<String> {
    match ended {
        Ended::Registered(registered) => {
            assert!(registered.is_ok(), "{:?}: {registered:?}", row.limit);
            Vec::new()
        }
        Ended::Called(receipt) => {
            assert!(
                receipt.error.is_none(),
                "{:?}: {:?}",
                row.limit,
                receipt.error
            );
            receipt.warnings
        }
    }
}

#[track_caller]
fn refused_by_name(row: &Row, ended: Ended) {
    let (code, kind, message, help) = match ended {
        Ended::Registered(registered) => {
            let error = registered.expect_err("it is over the limit");
            let code = error.code().to_string();
            (code, error.kind(), error.to_string(), error.help())
        }
        Ended::Called(receipt) => {
            assert!(receipt.changes.is_empty() && receipt.outbox.is_empty());
            let error = receipt
                .error
                .unwrap_or_else(|| panic!("{:?} has no edge", row.limit));
            assert_eq!(error.limit(), Some(row.limit));
            (error.code(), error.kind(), error.to_string(), error.help())
        }
    };
    assert_eq!((code.as_str(), kind), (row.code, ErrorKind::Limit));
    let (name, unit) = (row.limit.name(), row.limit.unit());
    let said = format!("the {name} limit of {} {unit} was reached", row.allowed);
    assert!(message.contains(&said), "{message}, not: {said}");
    let help = help.expect("every limit says how to raise it");
    let flag = row.limit.remedy();
    let Some((field, word)) = row.limit.field().zip(row.limit.word()) else {
        return assert!(help.contains(&flag), "{help}");
    };
    for part in [
        format!("`{flag}`"),
        format!("`{word}` under `[limits]`"),
        format!("`Limits::{field}`"),
    ] {
        assert!(help.contains(&part), "{help} lacks {part}");
    }
}

#[test]
fn every_row_has_an_edge() {
    for (set, row) in rows() {
        let limits = limits(set, &row);
        warnings(&row, (row.attempt)(&limits, row.allowed));
        let over = (row.attempt)(&limits, row.allowed + row.step);
        match row.over {
            Over::Refused => {
                refused_by_name(&row, over);
                let more = row.allowed + row.step;
                warnings(&row, (row.attempt)(&raised(&row, &limits, more), more));
            }
            Over::Cut => {
                let warnings = warnings(&row, over);
                assert!(warnings[0].contains("the log was cut"), "{warnings:?}");
            }
        }
    }
}

#[test]
fn every_row_warns_at_80_percent() {
    for (set, row) in rows() {
        if row.warning == Warning::None {
            continue;
        }
        let limits = limits(set, &row);
        let said = format!("{} of {} ", row.limit.name(), row.allowed);
        let warns = |used: u64| {
            let ended = (row.attempt)(&limits, used);
            let warnings = warnings(&row, ended);
            warnings
                .iter()
                .any(|it| it.starts_with(&said) && it.contains(&row.limit.remedy()))
        };
        let at = row.allowed / 5 * 4;
        assert!(warns(at), "{:?} at 80%", row.limit);
        assert!(!warns(at - row.step), "{:?} below 80%", row.limit);
    }
}

#[test]
fn fuel_has_an_edge() {
    let with = |fuel| {
        let limits = Limits {
            fuel,
            timeout: PATIENCE,
            ..Limits::default()
        };
        engine(&limits).call(Call::new(
            "spin_for",
            args! { "iterations" => 1_000, "key" => "a" },
        ))
    };
    let used = with(1_000_000_000).stats.fuel;
    let row = Row {
        limit: Limit::Fuel,
        code: "THEUS-L001",
        allowed: used - 1,
        ..ROW
    };
    let called = |fuel| Ended::Called(Box::new(with(fuel)));
    let enough = warnings(&row, called(used));
    assert!(
        enough
            .iter()
            .any(|it| it.starts_with(&format!("fuel of {used} ")))
    );
    assert!(warnings(&row, called(used * 2)).is_empty());
    refused_by_name(&row, called(used - 1));
}

/// How deep a guest comes is a matter of the compiler, so the edge is looked for: every depth up to it returns, none
/// behind it does, and with twice the stack it is about twice as deep.
#[test]
fn the_stack_has_an_edge() {
    let recursion = |depth: u64| {
        guest(
            "(func $down (param i64) (result i64)
                (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
                    (else (i64.add (i64.const 1) (call $down (i64.sub (local.get 0) (i64.const 1)))))))",
            &format!("(drop (call $down (i64.const {depth})))"),
        )
    };
    let edge = |stack_bytes: u64| {
        let limits = Limits {
            stack_bytes,
            timeout: PATIENCE,
            ..Limits::default()
        };
        let row = Row {
            limit: Limit::StackBytes,
            code: "THEUS-L004",
            allowed: stack_bytes,
            ..ROW
        };
        let (mut fits, mut over) = (1, stack_bytes);
        refused_by_name(&row, calls(&limits, recursion(over)));
        while over - fits > 1 {
            let depth = fits.midpoint(over);
            let Ended::Called(receipt) = calls(&limits, recursion(depth)) else {
                panic!("it is called");
            };
            match receipt.error {
                None => fits = depth,
                Some(_) => over = depth,
            }
        }
        refused_by_name(&row, calls(&limits, recursion(over)));
        fits
    };
    let (once, twice) = (edge(64 << 10), edge(128 << 10));
    assert!(
        twice > once + once / 2 && twice < once * 3,
        "{once}, {twice}"
    );
}

/// Time is not counted but measured: what is asked is that a run that is over is ended and one that is not is not, and
/// that among the runs near the edge there is one that warns.
#[test]
fn time_has_an_edge() {
    let with = |timeout, iterations: u64| {
        let limits = Limits {
            timeout,
            fuel: u64::MAX / 2,
            ..Limits::default()
        };
        engine(&limits).call(Call::new(
            "spin_for",
            args! { "iterations" => iterations, "key" => "a" },
        ))
    };
    let row = Row {
        limit: Limit::Time,
        code: "THEUS-L002",
        allowed: 100,
        ..ROW
    };
    let allowed = Duration::from_millis(row.allowed);
    refused_by_name(&row, Ended::Called(Box::new(with(allowed, u64::MAX / 2))));
    let little = warnings(&row, Ended::Called(Box::new(with(PATIENCE, 1_000))));
    assert!(!little.iter().any(|it| it.contains("wall time")));
    let (mut iterations, patience) = (1_000_000, Instant::now() + PATIENCE);
    loop {
        assert!(Instant::now() < patience, "no run near the edge warns");
        let receipt = with(allowed, iterations);
        if receipt.error.is_some() {
            iterations -= iterations / 8;
        } else if receipt
            .warnings
            .iter()
            .any(|it| it.starts_with("wall time of 100 ms"))
        {
            break;
        } else {
            iterations += iterations / 4;
        }
    }
}

/// The one code for each, and a page for that.
#[test]
fn every_refusal_has_its_code() {
    for (_, row) in rows() {
        if row.over == Over::Refused {
            assert_eq!(row.limit.code().as_str(), row.code);
            assert_eq!(Code::find(row.code), Some(row.limit.code()));
        }
    }
}
