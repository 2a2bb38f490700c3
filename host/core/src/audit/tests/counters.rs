//! Counters and what follows from them.

use super::*;

/// Judges calls of `price` one after the other; action and count of each, `-` where nothing was violated.
fn run(tracker: &Tracker, rules: &ProcessRules, prices: &[i64], tick: Tick) -> Vec<String> {
    let one = |price: &i64| {
        let judgement = judge(tracker, rules, *price, tick);
        match judgement.verdicts.as_slice() {
            [] => "-".to_owned(),
            verdicts => verdicts
                .iter()
                .map(|verdict| format!("{} {}", verdict.action, verdict.count))
                .collect::<Vec<_>>()
                .join(", "),
        }
    };
    prices.iter().map(one).collect()
}

fn judge(tracker: &Tracker, rules: &ProcessRules, price: i64, tick: Tick) -> Judgement {
    let args: Map = [("price", Value::Int(price))].into_iter().collect();
    let tree = Tree::default();
    let facts = Facts {
        args: &args,
        tree: &tree,
        result: None,
        written: None,
    };
    let findings = rules.evaluate(Gate::Input, &facts);
    tracker.judge(rules, Gate::Input, &findings, tick)
}

#[test]
fn what_follows_from_a_violation() {
    let bad = [-1; 5];
    for (entry, expected) in [
        ("", ["warn 1"; 5]),
        ("level: S", ["interlock 1"; 5]),
        ("level: A", ["abort 1"; 5]),
        ("level: B", ["block 1"; 5]),
        ("level: C", ["warn 1"; 5]),
        ("level: I", ["record 1"; 5]),
        (
            "level: B, threshold: 3",
            ["warn 1", "warn 2", "block 3", "warn 1", "warn 2"],
        ),
        (
            "level: B, max_threshold: 3, min_threshold: 2",
            ["pass 1", "warn 2", "block 3", "pass 1", "warn 2"],
        ),
        (
            "level: A, min_threshold: 3, max_threshold: 5",
            ["pass 1", "pass 2", "warn 3", "warn 4", "abort 5"],
        ),
        (
            "level: S, min_threshold: 2, max_threshold: 2",
            ["pass 1", "interlock 2", "pass 1", "interlock 2", "pass 1"],
        ),
        (
            "level: C, min_threshold: 2, max_threshold: 3",
            ["pass 1", "warn 2", "warn 3", "pass 1", "warn 2"],
        ),
        (
            "level: I, min_threshold: 2, max_threshold: 3",
            ["pass 1", "record 2", "record 3", "pass 1", "record 2"],
        ),
    ] {
        let rules = rules(&[&format!("{{field: price, min: 0, {entry}}}")], &[]);
        assert_eq!(
            run(&Tracker::new(), &rules, &bad, Tick::Record),
            expected,
            "{entry}"
        );
    }
}

#[test]
fn a_passing_rule_returns_its_counter_to_zero_unless_told_not_to() {
    let prices = [-1, 1, -1, -1];
    for (entry, expected) in [
        ("", ["warn 1", "-", "warn 1", "warn 2"]),
        (
            "reset_on_success: true",
            ["warn 1", "-", "warn 1", "warn 2"],
        ),
        (
            "reset_on_success: false",
            ["warn 1", "-", "warn 2", "block 3"],
        ),
    ] {
        let rules = rules(
            &[&format!(
                "{{field: price, min: 0, level: B, threshold: 3, {entry}}}"
            )],
            &[],
        );
        assert_eq!(
            run(&Tracker::new(), &rules, &prices, Tick::Record),
            expected,
            "{entry}"
        );
    }
}

#[test]
fn the_audit_block_gives_defaults() {
    let audit = "audit: {level: A, threshold_max: 2, reset_on_success: false}";
    let rules = rules_with(
        audit,
        &[
            "{field: price, min: 0}",
            "{field: price, max: 9, level: B, threshold: 1}",
        ],
        &[],
    );
    let tracker = Tracker::new();
    assert_eq!(
        run(&tracker, &rules, &[-1, 1, -1, 10], Tick::Record),
        ["warn 1", "-", "abort 2", "block 1"]
    );
}

#[test]
fn several_conditions_have_a_counter_each() {
    let rules = rules(
        &["{field: price, min: 0, max: 10, level: B, threshold: 2}"],
        &[],
    );
    let tracker = Tracker::new();
    let names: Vec<_> = rules.rules(Gate::Input).iter().map(Rule::name).collect();
    assert_eq!(names, ["price min 0", "price max 10"]);
    assert_eq!(
        run(&tracker, &rules, &[-1, 11, -1, 11], Tick::Record),
        ["warn 1"; 4]
    );
    assert_eq!(run(&tracker, &rules, &[11], Tick::Record), ["block 2"]);
    assert!(tracker.counts().is_empty());
}

#[test]
fn all_rules_are_judged_unless_a_level_s_rule_acts() {
    let entries = |first: &str| {
        rules(
            &[
                &format!("{{field: price, min: 0, {first}}}"),
                "{field: price, min: 5, level: B}",
                "{field: price, max: 9, threshold: 5, reset_on_success: true}",
            ],
            &[],
        )
    };
    let tracker = Tracker::new();
    let all = entries("level: A");
    assert_eq!(
        run(&tracker, &all, &[-1], Tick::Record),
        ["abort 1, block 1"]
    );
    let stopped = entries("level: S");
    assert_eq!(
        run(&tracker, &stopped, &[20, -1], Tick::Record),
        ["warn 1", "interlock 1"]
    );
    // The last rule passed, but was not judged any more.
    assert_eq!(
        tracker
            .counts()
            .iter()
            .map(|it| it.count)
            .collect::<Vec<_>>(),
        [1]
    );
    for (rules, price, judged) in [(&all, -1, 3), (&stopped, -1, 1), (&stopped, 7, 3)] {
        let judgement = judge(&tracker, rules, price, Tick::Preview);
        assert_eq!(judgement.judged, judged, "{price}");
    }
    assert_eq!(judge(&Tracker::new(), &all, 7, Tick::Record).judged, 3);
    let counting = entries("level: S, threshold: 2");
    assert_eq!(
        run(&Tracker::new(), &counting, &[-1, -1], Tick::Record),
        ["warn 1, block 1", "interlock 2"]
    );
}

#[test]
fn a_preview_leaves_no_trace() {
    let rules = rules(&["{field: price, min: 0, level: B, threshold: 2}"], &[]);
    let tracker = Tracker::new();
    assert_eq!(
        run(&tracker, &rules, &[-1, -1, -1], Tick::Preview),
        ["warn 1"; 3]
    );
    assert_eq!(run(&tracker, &rules, &[-1], Tick::Record), ["warn 1"]);
    assert_eq!(
        run(&tracker, &rules, &[-1, 1, -1], Tick::Preview),
        ["block 2", "-", "block 2"]
    );
    assert_eq!(tracker.counts().len(), 1);
    assert_eq!(run(&tracker, &rules, &[-1], Tick::Record), ["block 2"]);
}

#[test]
fn the_weightiest_action_decides() {
    let rules = rules(
        &[
            "{field: price, max: 0, level: C}",
            "{field: price, max: 1, level: A}",
            "{field: price, max: 2, level: B}",
        ],
        &[],
    );
    let judgement = judge(&Tracker::new(), &rules, 5, Tick::Record);
    assert_eq!(
        (judgement.action, judgement.refuses()),
        (Action::Abort, true)
    );
    assert_eq!(
        judgement.decisive().map(|it| it.rule.as_str()),
        Some("price max 1")
    );
    let passed = judge(&Tracker::new(), &rules, 0, Tick::Record);
    assert_eq!((passed.action, passed.decisive()), (Action::Pass, None));
}

#[test]
fn counters_belong_to_process_gate_position_and_condition() {
    let rules = rules(
        &["{field: price, min: 0, threshold: 9}"],
        &["{field: price, min: 0, threshold: 9}"],
    );
    let tracker = Tracker::new();
    run(&tracker, &rules, &[-1, -1], Tick::Record);
    let counts = tracker.counts();
    assert_eq!(
        counts,
        [Count {
            process: "add_product".into(),
            rule: RuleId {
                gate: Gate::Input,
                position: 0,
                condition: ConditionWord::Min
            },
            count: 2
        }]
    );
}

#[test]
fn no_tick_is_lost_between_threads() {
    let rules = rules(&["{field: price, min: 0, level: B, threshold: 10}"], &[]);
    let tracker = Tracker::new();
    let blocked: usize = std::thread::scope(|scope| {
        let worker = || run(&tracker, &rules, &[-1; 250], Tick::Record);
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        let count = |verdicts: Vec<String>| verdicts.iter().filter(|it| *it == "block 10").count();
        workers
            .into_iter()
            .map(|it| count(it.join().expect("worker")))
            .sum()
    });
    assert_eq!(blocked, 100);
    assert!(tracker.counts().is_empty());
}

#[test]
fn a_judgement_tells_the_counters_that_it_moved() {
    let rules = rules(
        &[
            "{ field: price, min: 0, level: B, threshold: 3 }",
            "{ field: price, max: 9, level: C }",
        ],
        &[],
    );
    let tracker = Tracker::new();
    let mut orders = vec![0];
    for (price, moved) in [
        // The rule of level C acts at once: its counter returns to 0, where it was.
        (5, vec![]),
        (99, vec![]),
        (-1, vec![1]),
        (-1, vec![2]),
        (-1, vec![0]),
        (-1, vec![1]),
        (5, vec![0]),
        (5, vec![]),
    ] {
        let judgement = judge(&tracker, &rules, price, Tick::Record);
        let counts: Vec<_> = judgement.moved.iter().map(|it| it.count).collect();
        assert_eq!(counts, moved, "{price}");
        for moved in &judgement.moved {
            assert_eq!(moved.rule, rules.rules(Gate::Input)[0].id());
            orders.push(moved.order);
        }
    }
    assert!(orders.is_sorted_by(|one, next| one < next), "{orders:?}");
    judge_only(&tracker, &rules, Tick::Preview);
    judge_only(&tracker, &rules, Tick::RecordRefusal);
}

/// A judgement that does not count tells of nothing that moved.
fn judge_only(tracker: &Tracker, rules: &ProcessRules, tick: Tick) {
    let before = tracker.counts();
    assert_eq!(judge(tracker, rules, -1, tick).moved, []);
    assert_eq!(tracker.counts(), before);
}

#[test]
fn counters_go_on_where_they_stood_in_an_edited_recipe() {
    const COUNTED: &str = "{ field: price, min: 0, level: B, threshold: 3 }";
    const OTHER: &str = "{ field: price, max: 9, level: C }";
    let before = rules(&[COUNTED, COUNTED], &[]);
    let tracker = Tracker::new();
    let moved = judge(&tracker, &before, -1, Tick::Record).moved;
    let kept: Vec<(String, u64)> = moved
        .iter()
        .map(|it| (before.lasting_name(it.rule).expect("a rule"), it.count))
        .collect();
    assert_eq!(
        kept,
        [
            ("price min 0".to_owned(), 1),
            ("price min 0 #2".to_owned(), 1)
        ]
    );
    let after = rules(&[OTHER, COUNTED], &[]);
    let tracker = Tracker::new();
    tracker.number_after(70);
    let found = kept
        .iter()
        .filter_map(|(name, count)| Some((after.find_lasting(Gate::Input, name)?, *count)));
    tracker.restore(&after, found);
    assert_eq!(tracker.counts().len(), 1, "the second one is gone");
    let judgement = judge(&tracker, &after, -1, Tick::Record);
    assert_eq!(judgement.verdicts[0].count, 2);
    assert_eq!(judgement.moved[0].order, 71);
    assert_eq!(after.find_lasting(Gate::Output, "price min 0"), None);
}
