//! What is proposed, case by case; and that it always suffices.

use super::*;
use crate::context_guard::ContextGuard;
use crate::guard::WriteOp;
use crate::limits::Limits;
use crate::policy::{PolicyList, ProcessPolicy, guard_of};
use crate::transaction::{Snapshot, Transaction};
use crate::value::Value;
use proptest::prelude::*;
use std::fmt::Write as _;

fn contract(json: &str) -> Contract {
    Contract::parse_section(json.as_bytes())
        .expect(json)
        .remove(0)
}

fn args(json: &str) -> Map {
    let value: Value = serde_json::from_str(json).expect(json);
    value.as_map().expect("a map").clone()
}

/// `+` pushes, `-` removes, all else is set.
fn writes(texts: &[&str]) -> Vec<Write> {
    let write = |text: &&str| {
        let (effect, path) = match text.split_at(1) {
            ("+", path) => {
                let (value, index) = (Value::Nil, 0);
                (Effect::Push { value, index }, path)
            }
            ("-", path) => (Effect::Remove, path),
            _ => (Effect::Set(Value::Nil), *text),
        };
        Write {
            path: Path::parse(path).expect(path),
            effect,
        }
    };
    texts.iter().map(write).collect()
}

fn paths(texts: &[&str]) -> Vec<Path> {
    let path = |text: &&str| Path::parse(text).expect(text);
    texts.iter().map(path).collect()
}

/// Arguments, reads and writes of one run.
type Seen<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn minimum(declared: &str, mode: Mode, runs: &[Seen<'_>]) -> Minimum {
    let mut minimizer = Minimizer::new(contract(declared));
    for (given, read, written) in runs {
        minimizer.observe(&Observed {
            args: &args(given),
            reads: &paths(read),
            writes: &writes(written),
            error: None,
            mode,
        });
    }
    minimizer.minimum()
}

/// The lists that are proposed, as `inputs | outputs`.
fn lists(minimum: &Minimum) -> String {
    let mut text = String::new();
    for (list, before) in [(PolicyList::Inputs, ""), (PolicyList::Outputs, "| ")] {
        text.push_str(before);
        for path in minimum.list(list) {
            let _ = write!(text, "{path} ");
        }
    }
    text.trim_end().to_owned()
}

#[track_caller]
fn check(declared: &str, runs: &[Seen<'_>], expected: &str) {
    let found = minimum(declared, Mode::Strict, runs);
    assert_eq!(lists(&found), expected, "{found:#?}");
    suffices(&contract(declared), &found, runs);
}

/// Every access is granted by the proposed contract, and by the declared one under the proposed policy.
#[track_caller]
fn suffices(declared: &Contract, minimum: &Minimum, runs: &[Seen<'_>]) {
    let limits = Limits::default();
    let proposed = minimum.proposed();
    let narrowed = minimum.policy().map(|policy| {
        let narrowed = policy.narrow(declared);
        narrowed.unwrap_or_else(|problems| panic!("{problems:?}"))
    });
    for (given, read, written) in runs {
        let given = args(given);
        for guard in [
            guard_of(&proposed, None, &given, &limits),
            guard_of(declared, narrowed.as_ref(), &given, &limits),
        ] {
            let guard = guard.expect("a guard");
            for path in paths(read) {
                guard.read(&path, "get").expect("granted");
            }
            for Write { path, effect } in writes(written) {
                let op = match effect {
                    Effect::Set(_) => WriteOp::Set,
                    Effect::Push { .. } => WriteOp::Push,
                    Effect::Remove => WriteOp::Remove,
                };
                guard.write(&path, op).expect("granted");
            }
        }
    }
}

const TRANSFER: &str = r#"{"name":"transfer","parameters":[{"name":"from","kind":"string"},{"name":"to","kind":"string"},{"name":"amount","kind":"int"}],"inputs":["domain.accounts","domain.rates","global"],"outputs":["domain.accounts","domain.log","domain.sig_done","domain.sig_never"]}"#;

#[test]
fn what_was_never_touched_goes_and_what_was_touched_below_is_narrowed() {
    check(
        TRANSFER,
        &[
            (
                r#"{"from":"anna","to":"bob","amount":5}"#,
                &["domain.accounts.anna", "domain.accounts.bob", "global.fee"],
                &[
                    "domain.accounts.anna",
                    "domain.accounts.bob",
                    "domain.sig_done",
                ],
            ),
            (
                r#"{"from":"bob","to":"carl","amount":7}"#,
                &["domain.accounts.bob.balance", "domain.accounts.carl"],
                &[
                    "domain.accounts.bob.balance",
                    "domain.accounts.carl.balance",
                    "+domain.log",
                ],
            ),
        ],
        "domain.accounts.{from} domain.accounts.{to} global.fee | \
         domain.accounts.{from} domain.accounts.{to} domain.log domain.sig_done",
    );
}

#[test]
fn a_key_is_an_argument_only_where_it_always_is_one() {
    let declared = r#"{"name":"p","parameters":[{"name":"who","kind":"string"},{"name":"n","kind":"int"},{"name":"code","kind":"string","secret":true},{"name":"x","kind":"string","optional":true},{"name":"f","kind":"float"}],"inputs":["domain"]}"#;
    let run = |who: &str, n: i64| {
        format!(r#"{{"who":"{who}","n":{n},"code":"total","x":"total","f":2.0}}"#)
    };
    let (one, two, three) = (run("a", 1), run("b", 2), run("total", 3));
    // The fixed key is an argument by chance in one run.
    check(
        declared,
        &[
            (&one, &["domain.total"], &[]),
            (&three, &["domain.total"], &[]),
        ],
        "domain.total |",
    );
    // A whole number is a key, and an index where there is a list.
    check(
        declared,
        &[
            (&one, &["domain.k.1"], &[]),
            (&two, &["domain.k.2.deep"], &[]),
        ],
        "domain.k.{n} |",
    );
    check(
        declared,
        &[
            (&one, &["domain.l[1].x"], &[]),
            (&two, &["domain.l[2].y"], &[]),
        ],
        "domain.l[{n}].x domain.l[{n}].y |",
    );
    // Another index than the argument: the list.
    check(
        declared,
        &[(&one, &["domain.l[1]"], &[]), (&two, &["domain.l[3]"], &[])],
        "domain.l |",
    );
    // Secret and optional ones may stand in no path; a number with a fraction is no key.
    check(
        declared,
        &[(&one, &["domain.total", "domain.n2"], &[])],
        "domain.n2 domain.total |",
    );
    // A key that would lie in another zone in one of the runs, which touched nothing there.
    check(
        declared,
        &[(&one, &["domain.k.a"], &[]), (&run("sig_x", 1), &[], &[])],
        "domain.k.a |",
    );
    // A negative number is no index.
    check(
        declared,
        &[(&one, &["domain.l[1]"], &[]), (&run("a", -1), &[], &[])],
        "domain.l |",
    );
}

#[test]
fn many_keys_that_no_argument_names_are_their_map() {
    let declared = r#"{"name":"p","inputs":["domain.stock"],"outputs":["domain"]}"#;
    let keys: Vec<String> = (0..9).map(|at| format!("domain.stock.k{at}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    check(declared, &[("{}", &keys, &[])], "domain.stock |");
    let eight = minimum(declared, Mode::Strict, &[("{}", &keys[..8], &[])]);
    assert_eq!(eight.list(PolicyList::Inputs).len(), 8);
    assert!(eight.inputs[0].is_narrowed());
}

#[test]
fn an_element_is_proposed_only_where_it_is_set() {
    let declared =
        r#"{"name":"p","parameters":[{"name":"i","kind":"int"}],"outputs":["domain.rows"]}"#;
    let one = (r#"{"i":3}"#, &[][..], &["domain.rows[3].x"][..]);
    check(declared, &[one], "| domain.rows[{i}].x");
    // What lies at the place is read as an output, as before.
    check(
        declared,
        &[(r#"{"i":3}"#, &["domain.rows[3].x"], &["domain.rows[3].x"])],
        "| domain.rows[{i}].x",
    );
    for other in ["-domain.rows[3]", "+domain.rows[3].tags", "+domain.rows"] {
        check(
            declared,
            &[one, (r#"{"i":3}"#, &[], &[other])],
            "| domain.rows",
        );
    }
}

#[test]
fn an_output_that_was_read_and_is_narrowed_stays_an_input() {
    let declared = r#"{"name":"p","outputs":["domain.a","domain.heavy_b","domain.c"]}"#;
    check(
        declared,
        &[(
            "{}",
            &["domain.a", "domain.heavy_b", "domain.c"],
            &["domain.a.x", "domain.c"],
        )],
        "domain.a domain.heavy_b | domain.a.x domain.c",
    );
}

/// A record names at most 64 places, and folds what is more: only what is above them is known.
#[test]
fn what_a_folded_place_may_stand_for_stays() {
    let declared = r#"{"name":"p","inputs":["domain.a","domain.b","domain.a.heavy_x","global.x"],"outputs":["domain.c","domain.sig_s"]}"#;
    check(
        declared,
        &[("{}", &["domain.a"], &[])],
        // Reading a map names no heavy key in it; that it was read by itself, the record would not say.
        "domain.a domain.a.heavy_x |",
    );
    let folded = minimum(
        declared,
        Mode::Strict,
        &[("{}", &["domain"], &["domain.c.x"])],
    );
    assert_eq!(
        lists(&folded),
        "domain.a domain.b domain.a.heavy_x domain.c | domain.c.x"
    );
    assert_eq!(folded.folded_runs, 1);
    assert!(folded.inputs[..3].iter().all(|it| it.unsure) && !folded.inputs[3].unsure);
}

#[test]
fn permissive_runs_say_what_the_contract_lacks_and_the_policy_stays_within_it() {
    let declared = r#"{"name":"p","parameters":[{"name":"who","kind":"string"}],"inputs":["domain.a"],"outputs":["domain.b"]}"#;
    let found = minimum(
        declared,
        Mode::Permissive,
        &[
            (
                r#"{"who":"x"}"#,
                &["domain.a.y", "domain.k.x", "domain.sig_s", "domain.l[3].z"],
                &[
                    "domain.b",
                    "domain.n",
                    "global.g",
                    "-domain.l[3]",
                    "+domain.sig_s",
                ],
            ),
            (r#"{"who":"z"}"#, &["domain.k.z"], &["domain.heavy_h.z"]),
        ],
    );
    assert_eq!(
        lists(&found),
        "domain.a.y domain.k.{who} domain.l | domain.b domain.l domain.n domain.heavy_h.{who}"
    );
    assert_eq!(
        found.policy(),
        Some(ProcessPolicy::new().inputs(["domain.a.y"]))
    );
    let never: Vec<String> = found
        .never_granted
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(never, ["global.g", "domain.sig_s"]);
}

#[test]
fn the_blocks_are_whole() {
    let declared = r#"{"name":"p","parameters":[{"name":"who","kind":"string"}],"inputs":["domain.k","domain.z"],"outputs":["domain.k"],"side_effects":["clock"],"errors":["E","F"]}"#;
    let mut minimizer = Minimizer::new(contract(declared));
    for error in [None, Some("F")] {
        minimizer.observe(&Observed {
            args: &args(r#"{"who":"an \"a"}"#),
            reads: &paths(&["domain.k[\"an \\\"a\"]", "domain.k[\"b\u{7f}\"]"]),
            writes: &[],
            error,
            mode: Mode::Strict,
        });
    }
    let found = minimizer.minimum();
    assert_eq!(
        found.attribute(),
        "#[process(\n    inputs = [\"domain.k.{who}\", \"domain.k[\\\"b\\u{7f}\\\"]\"],\n    side_effects = [\"clock\"],\n    errors = [\"E\", \"F\"],\n)]\n"
    );
    assert_eq!(
        found.policy_table().as_deref(),
        Some(
            "[policy.p]\ninputs = [\"domain.k.{who}\", \"domain.k[\\\"b\\u007f\\\"]\"]\noutputs = []\n"
        )
    );
    assert_eq!((found.runs, found.is_tight()), (2, false));
    assert_eq!(found.unseen_errors, ["E"]);
    assert_eq!(found.constant_parameters, ["who"]);
}

#[test]
fn what_is_needed_as_declared_is_no_proposal() {
    let declared = r#"{"name":"p","inputs":["domain.a"],"outputs":["domain.b"]}"#;
    let found = minimum(
        declared,
        Mode::Strict,
        &[("{}", &["domain.a"], &["+domain.b"])],
    );
    assert!(found.is_tight() && found.policy().is_none() && found.policy_table().is_none());
    assert_eq!(found.proposed(), contract(declared));
    let nothing = Minimizer::new(contract(r#"{"name":"p"}"#)).minimum();
    assert_eq!(nothing.attribute(), "#[process]\n");
}

const SEGMENTS: [&str; 9] = [
    ".a",
    ".b",
    ".k1",
    ".k2",
    ".heavy_h",
    ".sig_s",
    "[0]",
    "[1]",
    "[\"a b\"]",
];
const STEPS: [&str; 12] = [
    ".a",
    ".b",
    ".k1",
    ".k2",
    ".heavy_h",
    ".sig_s",
    "[0]",
    "[1]",
    "[\"a b\"]",
    ".{who}",
    ".{n}",
    "[{n}]",
];

fn place() -> impl Strategy<Value = String> {
    let layer = prop::sample::select(vec!["domain", "domain", "domain", "global"]);
    let steps = prop::collection::vec(prop::sample::select(SEGMENTS.to_vec()), 0..4);
    (layer, steps).prop_map(|(layer, steps)| format!("{layer}{}", steps.concat()))
}

fn declared_paths() -> impl Strategy<Value = Vec<String>> {
    let steps = prop::collection::vec(prop::sample::select(STEPS.to_vec()), 0..3);
    let path = steps.prop_map(|steps| format!("domain{}", steps.concat()));
    prop::collection::btree_set(path, 0..5).prop_map(|it| it.into_iter().collect())
}

type Accesses = (bool, bool, Vec<String>, Vec<(u8, String)>);

fn run() -> impl Strategy<Value = Accesses> {
    let few = prop::collection::vec(place(), 0..8);
    // More places than a record names.
    let many = (place(), 60..80_usize).prop_map(|(place, count)| {
        let below = (0..count).map(|at| format!("{place}.x{at}"));
        below.collect::<Vec<_>>()
    });
    let reads = prop_oneof![9 => few, 1 => many];
    let writes = prop::collection::vec((0..3_u8, place()), 0..8);
    (any::<bool>(), any::<bool>(), reads, writes)
}

const OPS: [(&str, WriteOp); 3] = [
    ("", WriteOp::Set),
    ("+", WriteOp::Push),
    ("-", WriteOp::Remove),
];

/// What of the accesses the contract grants, and the places that a record would name for the reads among them.
struct Granted {
    args: String,
    reads: Vec<String>,
    noted: Vec<String>,
    writes: Vec<String>,
}

fn granted(declared: &Contract, (who, n, reads, writes): &Accesses) -> Granted {
    let who = if *who { "k1" } else { "a" };
    let given = format!(r#"{{"who":"{who}","n":{}}}"#, u8::from(*n));
    let limits = Limits::default();
    let guard = guard_of(declared, None, &args(&given), &limits).expect("a guard");
    let transaction = Transaction::begin(Snapshot::default());
    let mut context =
        ContextGuard::new(guard.clone(), transaction, limits.into(), Mode::Strict).noting_reads();
    let reads = reads.iter().filter(|it| context.get(it).is_ok());
    let reads = reads.cloned().collect();
    let may_write = |(op, text): &&(u8, String)| {
        let path = Path::parse(text).expect("path");
        guard.write(&path, OPS[usize::from(*op)].1).is_ok()
    };
    let sign = |(op, text): &(u8, String)| format!("{}{text}", OPS[usize::from(*op)].0);
    Granted {
        args: given,
        reads,
        noted: context
            .take_touched()
            .iter()
            .map(ToString::to_string)
            .collect(),
        writes: writes.iter().filter(may_write).map(sign).collect(),
    }
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Of generated accesses those are the history that the declared contract grants. What the record of a run says of them
    /// is what is proposed from; what they were is what has to be granted.
    #[test]
    fn what_is_proposed_suffices_for_what_was_done(
        inputs in declared_paths(),
        outputs in declared_paths(),
        runs in prop::collection::vec(run(), 1..12),
    ) {
        let line = serde_json::json!({
            "name": "p", "inputs": inputs, "outputs": outputs,
            "parameters": [{"name": "who", "kind": "string"}, {"name": "n", "kind": "int"}],
        });
        let line = line.to_string();
        let declared = contract(&line);
        let done: Vec<Granted> = runs.iter().map(|run| granted(&declared, run)).collect();
        let lists: Vec<[Vec<&str>; 3]> = done
            .iter()
            .map(|it| [borrowed(&it.noted), borrowed(&it.reads), borrowed(&it.writes)])
            .collect();
        let seen = |reads: usize| -> Vec<Seen<'_>> {
            let runs = done.iter().zip(&lists);
            runs.map(|(run, lists)| (run.args.as_str(), &lists[reads][..], &lists[2][..])).collect()
        };
        let found = minimum(&line, Mode::Strict, &seen(0));
        suffices(&declared, &found, &seen(1));
        // Nothing is widened, and what is proposed is a contract.
        for (list, paths) in [(PolicyList::Inputs, &declared.inputs), (PolicyList::Outputs, &declared.outputs)] {
            for path in found.list(list) {
                let readable = |it: &&PathPattern| list == PolicyList::Inputs && it.zone().is_readable();
                let outputs = declared.outputs.iter().filter(readable);
                prop_assert!(paths.iter().chain(outputs).any(|it| it.may_cover(&path)), "{}", path);
            }
        }
        let section = Contract::section(&[found.proposed()]).expect("a section");
        prop_assert_eq!(contract(&section), found.proposed());
        // What is tight is not made so tight that it does not suffice any more.
        let again = minimum(&section, Mode::Strict, &seen(0));
        suffices(&found.proposed(), &again, &seen(1));
    }
}
