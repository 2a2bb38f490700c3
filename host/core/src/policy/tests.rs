use super::*;
use crate::guard::{Reason, WriteOp};
use crate::value::Value;
use proptest::prelude::*;

fn contract(json: &str) -> Contract {
    Contract::parse_section(json.as_bytes())
        .unwrap_or_else(|error| panic!("{json}: {error}"))
        .remove(0)
}

fn transfer() -> Contract {
    contract(
        r#"{"name":"transfer","parameters":[{"name":"user","kind":"string"},{"name":"row","kind":"int"},{"name":"note","kind":"string","optional":true}],"inputs":["global.rates","domain.accounts.{user}","domain.book"],"outputs":["domain.accounts.{user}.balance","domain.rows[{row}]","domain.total","domain.sig_done"]}"#,
    )
}

fn problems(policy: &ProcessPolicy) -> Vec<String> {
    let problems = policy.narrow(&transfer()).expect_err("it does not fit");
    problems
        .iter()
        .map(|it| format!("{it} | {}", it.help()))
        .collect()
}

fn args(user: &str) -> Map {
    [("user", Value::from(user)), ("row", Value::from(3))]
        .into_iter()
        .collect()
}

fn guard(policy: &ProcessPolicy, user: &str) -> Guard {
    let contract = transfer();
    let narrowed = policy.narrow(&contract).expect("it fits");
    guard_of(&contract, Some(&narrowed), &args(user), &Limits::default()).expect("a guard")
}

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

#[test]
fn what_widens_is_refused_with_what_is_declared() {
    for (policy, expected) in [
        (
            ProcessPolicy::new(),
            "the policy gives neither inputs nor outputs nor topics, so it would narrow nothing | list the inputs",
        ),
        (
            ProcessPolicy::new().outputs(["domain.toal"]),
            "the policy grants `domain.toal` among its outputs, which the contract does not ask for; it writes \
             domain.accounts.{user}.balance, domain.rows[{row}], domain.total, domain.sig_done | did you mean \
             `domain.total`?",
        ),
        // Above a path of the contract.
        (
            ProcessPolicy::new().inputs(["domain"]),
            "the policy grants `domain` among its inputs",
        ),
        (
            ProcessPolicy::new().outputs(["domain.accounts"]),
            "the policy grants `domain.accounts`",
        ),
        // Readable is not writable.
        (
            ProcessPolicy::new().outputs(["domain.book"]),
            "the policy grants `domain.book`",
        ),
        // Another zone than the path above it; a signal output is not readable.
        (
            ProcessPolicy::new().inputs(["domain.book.sig_x"]),
            "the policy grants `domain.book.sig_x`",
        ),
        (
            ProcessPolicy::new().inputs(["domain.sig_done"]),
            "the policy grants `domain.sig_done`",
        ),
        // Another parameter.
        (
            ProcessPolicy::new().inputs(["domain.accounts.{row}"]),
            "the policy grants `domain.accounts.{row}`",
        ),
        (
            ProcessPolicy::new().outputs(["domain..total"]),
            "the policy's output `domain..total`:",
        ),
        (
            ProcessPolicy::new().outputs(["domain.accounts.{usr}"]),
            "there is no parameter `usr`",
        ),
        (
            ProcessPolicy::new().inputs(["domain.book.{note}"]),
            "optional or secret",
        ),
        (
            ProcessPolicy::new().inputs(["domain.book._x"]),
            "private to the host",
        ),
        (
            ProcessPolicy::new().inputs(["domain.book", "domain.book"]),
            "the policy's input `domain.book` comes twice",
        ),
    ] {
        let found = problems(&policy);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{found:?}\nnot: {expected}");
    }
}

#[test]
fn every_problem_is_told_with_its_place() {
    let policy = ProcessPolicy::new()
        .inputs(["domain.book", "domain.x"])
        .outputs(["domain.y"]);
    let problems = policy.narrow(&transfer()).expect_err("two slips");
    let places: Vec<_> = problems.iter().map(PolicyProblem::place).collect();
    assert_eq!(
        places,
        [
            Some((PolicyList::Inputs, 1)),
            Some((PolicyList::Outputs, 0))
        ]
    );
}

#[test]
fn a_list_that_is_left_out_stays_as_declared_and_an_empty_one_grants_nothing() {
    let guard = guard(&ProcessPolicy::new().outputs([] as [&str; 0]), "anna");
    assert!(guard.read(&path("domain.book"), "get").is_ok());
    assert!(
        guard.read(&path("domain.total"), "get").is_err(),
        "an output no more"
    );
    assert!(guard.write(&path("domain.total"), WriteOp::Set).is_err());
}

#[test]
fn a_refusal_says_which_of_the_two_refuses() {
    let policy = ProcessPolicy::new()
        .inputs(["domain.book.open", "domain.total"])
        .outputs(["domain.sig_done"]);
    let guard = guard(&policy, "anna");
    assert!(
        guard.read(&path("domain.total"), "get").is_ok(),
        "a readable output of the contract"
    );
    let withheld = guard
        .write(&path("domain.total"), WriteOp::Set)
        .expect_err("withheld");
    assert_eq!(withheld.reason, Reason::Withheld);
    assert_eq!(
        withheld.to_string(),
        "`set` of `domain.total` writes outside the policy; granted as writable: domain.sig_done"
    );
    assert_eq!(
        withheld.remedy(),
        "the contract declares it, the policy does not grant it: add \"domain.total\" to the policy's outputs"
    );
    let withheld = guard
        .read(&path("domain.book.x"), "get")
        .expect_err("withheld");
    assert_eq!(
        withheld.to_string(),
        "`get` of `domain.book.x` reads outside the policy; granted as readable: domain.book.open, domain.total"
    );
    let undeclared = guard
        .write(&path("domain.other"), WriteOp::Set)
        .expect_err("not declared");
    assert_eq!(undeclared.reason, Reason::NotWritable);
    assert!(
        undeclared
            .to_string()
            .contains("declared as writable: domain.accounts.anna.balance")
    );
    let private = guard
        .read(&path("domain.book._x"), "get")
        .expect_err("private");
    assert_eq!(private.reason, Reason::Private);
}

#[test]
fn a_key_under_a_parameter_counts_only_for_that_argument() {
    let policy = || {
        ProcessPolicy::new()
            .inputs(["domain.accounts.anna"])
            .outputs(["domain.accounts.anna.balance", "domain.rows[7]"])
    };
    let balance = path("domain.accounts.anna.balance");
    assert!(
        guard(&policy(), "anna")
            .write(&balance, WriteOp::Set)
            .is_ok()
    );
    let bobs = guard(&policy(), "bob");
    for place in [
        &balance,
        &path("domain.accounts.bob.balance"),
        &path("domain.rows[7]"),
    ] {
        assert!(bobs.write(place, WriteOp::Set).is_err(), "{place}");
        assert!(bobs.read(place, "get").is_err(), "{place}");
    }
}

#[test]
fn a_parameter_narrows_what_the_contract_asks_for_whole() {
    let policy = ProcessPolicy::new()
        .inputs(["domain.book.{user}"])
        .outputs(["domain.total"]);
    let guard = guard(&policy, "anna");
    assert!(guard.read(&path("domain.book.anna.x"), "get").is_ok());
    assert!(guard.read(&path("domain.book.bob"), "get").is_err());
}

/// Short names, so that what is drawn meets what is granted.
fn any_pattern() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        4 => prop::sample::select(vec![".a", ".b"]),
        2 => Just(".{user}"),
        1 => prop::sample::select(vec![".sig_a", ".meta_a", ".heavy_a", "[{row}]", "[3]", "[1]"]),
    ];
    let layer = prop::sample::select(vec!["domain", "domain", "domain", "global"]);
    (layer, prop::collection::vec(step, 0..4))
        .prop_map(|(layer, steps)| layer.to_owned() + &steps.concat())
}

fn any_patterns(most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::hash_set(any_pattern(), 0..most).prop_map(|set| set.into_iter().collect())
}

/// The candidates that a policy may name; the others would be refused, and the whole policy with them.
fn fit(
    contract: &Contract,
    candidates: &[String],
    policy: impl Fn([String; 1]) -> ProcessPolicy,
) -> Vec<String> {
    let fits = |it: &&String| policy([String::clone(it)]).narrow(contract).is_ok();
    candidates.iter().filter(fits).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever a policy says: it permits nothing that the contract or its own paths forbid, and all that both permit.
    #[test]
    fn a_narrowed_guard_permits_what_both_permit_and_nothing_else(
        inputs in any_patterns(4),
        outputs in any_patterns(4),
        candidates in any_patterns(24),
        user in prop::sample::select(vec!["a", "b", "c"]),
        row in 0i64..4,
        others in prop::collection::vec(any_pattern(), 10),
    ) {
        let quoted = |texts: &[String]| serde_json::to_string(texts).expect("json");
        let contract = contract(&format!(
            r#"{{"name":"p","parameters":[{{"name":"user","kind":"string"}},{{"name":"row","kind":"int"}}],"inputs":{},"outputs":{}}}"#,
            quoted(&inputs),
            quoted(&outputs),
        ));
        let policy = ProcessPolicy::new()
            .inputs(fit(&contract, &candidates, |it| ProcessPolicy::new().inputs(it)))
            .outputs(fit(&contract, &candidates, |it| ProcessPolicy::new().outputs(it)));
        let narrowed = policy.narrow(&contract).expect("every path of it fits");
        let args: Map = [("user", Value::from(user)), ("row", Value::from(row))].into_iter().collect();
        let limits = Limits::default();
        let guard = guard_of(&contract, Some(&narrowed), &args, &limits).expect("a guard");
        let by_contract = guard_of(&contract, None, &args, &limits).expect("a guard");
        let by_policy = Guard::new(
            guard::fill(&narrowed.inputs, &args, &limits).expect("paths"),
            guard::fill(&narrowed.outputs, &args, &limits).expect("paths"),
        );
        for place in inputs.iter().chain(&outputs).chain(&candidates).chain(&others) {
            let place = PathPattern::parse(place).expect("a pattern").fill(&args).expect("a path");
            let both = |permits: &dyn Fn(&Guard) -> bool| permits(&by_contract) && permits(&by_policy);
            prop_assert_eq!(
                guard.read(&place, "get").is_ok(),
                both(&|it| it.read(&place, "get").is_ok()),
                "get {}", &place
            );
            for op in [WriteOp::Set, WriteOp::Push, WriteOp::Remove] {
                prop_assert_eq!(
                    guard.write(&place, op).is_ok(),
                    both(&|it| it.write(&place, op).is_ok()),
                    "{:?} {}", op, &place
                );
            }
        }
    }
}
