//! Path tricks: one spelling per place, and nothing but that place.

use crate::harness::engines::{Setup, commits, fails, json, value};
use theus_host::{Engine, Map, Value, args};

/// Texts that are no path, whatever is granted.
const MALFORMED: [&str; 36] = [
    "",
    ".",
    "domain.",
    ".domain",
    "domain..data",
    "domain.data.",
    "domain.data..a",
    "domain.da\0ta",
    "\0",
    "domain.data\n",
    " domain.data",
    "domain .data",
    "domain. data",
    "domain.data[-1]",
    "domain.data[+1]",
    "domain.data[01]",
    "domain.data[1.0]",
    "domain.data[ 1]",
    "domain.data[]",
    "domain.data[1",
    "domain.data]",
    "domain.data[18446744073709551616]",
    "domain.data[\"a]",
    "domain.data[\"a\"",
    "domain.data[\"a\"]b",
    "domain.data[\"a\\n\"]",
    // Canonical is without quotes.
    "domain[\"data\"]",
    "domain.data[\"plain\"]",
    "domain.dаta",
    "domain.data.*",
    "domain.{data}",
    "domain/data",
    "domain:data",
    "Domain.data",
    "local.data",
    "domain_ctx_.data",
];

/// Each of the probe's processes that hands one path to one host call.
fn calls(path: &str) -> [(&'static str, Map); 9] {
    let args = args! { "path" => path };
    let with = |name: &str, value: Value| {
        let mut args = args.clone();
        args.insert(name, value);
        args
    };
    let piece = || {
        let mut args = with("offset", Value::Int(0));
        args.insert("len", Value::Int(1));
        args
    };
    let encoded = Value::from(vec![0xc0_u8]);
    [
        ("get_raw", args.clone()),
        ("len_raw", args.clone()),
        ("keys_raw", args.clone()),
        ("read_bytes_raw", piece()),
        ("set_raw", with("value", Value::Nil)),
        ("push_raw", with("value", Value::Nil)),
        ("remove_raw", args.clone()),
        ("set_encoded_raw", with("encoded", encoded.clone())),
        ("push_encoded_raw", with("encoded", encoded)),
    ]
}

fn every_call_fails(engine: &Engine, path: &str, read: &str, write: &str) {
    for (process, args) in calls(path) {
        let is_read = ["get_raw", "len_raw", "keys_raw", "read_bytes_raw"].contains(&process);
        let receipt = fails(engine, process, args, if is_read { read } else { write });
        assert_eq!(receipt.stats.host_calls, 1, "{process} {path:?}");
    }
}

#[test]
fn what_is_not_in_canonical_form_is_refused() {
    let engine = Setup::probe().engine();
    for path in MALFORMED {
        every_call_fails(&engine, path, "THEUS-T003", "THEUS-T003");
    }
}

#[test]
fn a_path_that_only_looks_granted_is_not() {
    let engine = Setup::probe().engine();
    for path in [
        "domain",
        "global",
        "global.max_capacity",
        "global_ctx.max_capacity",
        "domain.dat",
        "domain.data2",
        "domain[\"dаta\"]",
        "domain[\"data.a\"]",
        "domain[\"data[0]\"]",
        "domain[\"\"]",
        "domain[0]",
        "domain.Data",
        "domain.hidden",
        "domain_ctx.hidden",
        "domain.data._private",
        "domain.data[\"_ü\"].a",
        "domain.data.sig_x",
        "domain.data[\"meta_ü\"].a[0]",
        "domain.data.a.heavy_b",
    ] {
        every_call_fails(&engine, path, "THEUS-C001", "THEUS-C002");
    }
}

#[test]
fn the_aliases_name_the_same_places() {
    let engine = Setup::probe().engine();
    let set = args! { "path" => "domain_ctx.data.a", "value" => 1 };
    let receipt = commits(&engine, "set_raw", set);
    assert_eq!(receipt.changes[0].path.to_string(), "domain.data.a");
    assert_eq!(value(&engine, "domain.data.a"), Some(Value::Int(1)));
    let get = commits(&engine, "get_raw", args! { "path" => "domain_ctx.data.a" });
    assert_eq!(get.result, Some(Value::Int(1)));
}

#[test]
fn any_text_can_be_a_key() {
    let engine = Setup::probe().engine();
    for (index, path) in [
        "domain.data[\"a.b\"]",
        "domain.data[\"a b\"]",
        "domain.data[\"a@b.org\"]",
        "domain.data[\"\"]",
        "domain.data[\"\\\"\\\\\"]",
        "domain.data[\"\n\0\"]",
        "domain.data[\"ß\"]",
        "domain.data.-",
        "domain.data.0",
    ]
    .into_iter()
    .enumerate()
    {
        let number = Value::Int(index as i64);
        commits(
            &engine,
            "set_raw",
            args! { "path" => path, "value" => number.clone() },
        );
        let receipt = commits(&engine, "get_raw", args! { "path" => path });
        assert_eq!(receipt.result, Some(number), "{path:?}");
        assert_eq!(engine.context().version, receipt.version);
    }
    let data = value(&engine, "domain.data").expect("the map");
    assert_eq!(
        data.as_map().expect("a map").len(),
        9,
        "nine places, nine keys"
    );
}

#[test]
fn operations_that_do_not_fit_what_is_there_trap_and_the_others_say_none() {
    let engine = Setup::probe()
        .context(r#"{"domain": {"inbox": null, "data": {"n": 1, "s": "text", "l": [1, 2], "b": true, "nil": null}}}"#)
        .engine();
    let nothing = |process, path: &str, expected: &str| {
        let receipt = commits(&engine, process, args! { "path" => path });
        assert_eq!(receipt.result, Some(json(expected)), "{process} {path}");
        assert!(receipt.changes.is_empty());
    };
    for absent in [
        "domain.data.x",
        "domain.data.n.x",
        "domain.data.l[2]",
        "domain.data.s.x.y",
        "domain.data.l.x",
    ] {
        nothing("get_raw", absent, "null");
        nothing("len_raw", absent, "null");
        nothing("keys_raw", absent, "[]");
        nothing("remove_raw", absent, "false");
    }
    let one = |path: &str| args! { "path" => path };
    let with = |path: &str| args! { "path" => path, "value" => 1 };
    let piece = |path: &str| args! { "path" => path, "offset" => 0, "len" => 1 };
    for (process, args) in [
        ("len_raw", one("domain.data.n")),
        ("len_raw", one("domain.data.b")),
        ("len_raw", one("domain.data.nil")),
        ("keys_raw", one("domain.data.l")),
        ("read_bytes_raw", piece("domain.data.l")),
        ("read_bytes_raw", piece("domain.data.x")),
        ("set_raw", with("domain.data.x.y")),
        ("set_raw", with("domain.data.n.y")),
        ("set_raw", with("domain.data.l.y")),
        ("set_raw", with("domain.data[0]")),
        ("set_raw", with("domain.data.l[2]")),
        ("set_raw", with("domain.data.l[18446744073709551615]")),
        ("push_raw", with("domain.data.x.y")),
        ("push_raw", with("domain.data.n")),
        ("push_raw", with("domain.data.nil")),
        ("push_raw", with("domain.data")),
        ("push_raw", with("domain.data.l[0]")),
    ] {
        fails(&engine, process, args, "THEUS-T005");
    }
}
