//! A recipe in the older format that this one grew from loads as it is, and means what it says.

use super::*;

const FAMILY: &str = include_str!("data/family-recipe.yaml");

fn contract_of(line: &str) -> Contract {
    Contract::parse_section(line.as_bytes())
        .expect("contract")
        .remove(0)
}

const TRANSFER: &str = r#"{"name":"p_transfer","parameters":[{"name":"amount","kind":"int"},{"name":"dest","kind":"string"}],"inputs":["domain.status"],"outputs":["domain.balance","domain.failed_attempts"],"errors":["ValueError"]}"#;

const CRITICAL: &str = r#"{"name":"p_critical","parameters":[{"name":"amount","kind":"int"},{"name":"dest","kind":"string"},{"name":"server","kind":"string"},{"name":"trace","kind":"string"}],"outputs":["domain.balance","domain.failed_attempts"],"errors":["Other"]}"#;

fn bound(line: &str) -> Arc<ProcessRules> {
    let recipe = Recipe::parse(FAMILY, "family-recipe.yaml").unwrap_or_else(|it| panic!("{it}"));
    recipe
        .bind(&contract_of(line))
        .unwrap_or_else(|it| panic!("{it}"))
        .expect("the recipe names it")
}

fn told(rules: &[Rule]) -> Vec<String> {
    rules
        .iter()
        .map(|rule| {
            format!(
                "{} {} {}..{} {} {}",
                rule.level(),
                rule.name(),
                rule.min_threshold(),
                rule.max_threshold(),
                rule.reset_on_success(),
                rule.origin()
            )
        })
        .collect()
}

#[test]
fn it_loads_as_it_is() {
    let transfer = bound(TRANSFER);
    let inputs = [
        "B amount min 100 0..1 false family-recipe.yaml:8",
        "C dest regex \"^User.*\" 0..100 false family-recipe.yaml:13",
        "B domain.status eq \"READY\" 0..100 false family-recipe.yaml:16",
    ];
    let outputs = [
        "C domain.balance max 5000 0..100 false family-recipe.yaml:20",
        "A domain.failed_attempts max 5 3..5 false family-recipe.yaml:23",
    ];
    assert_eq!(told(transfer.rules(Gate::Input)), inputs);
    assert_eq!(told(transfer.rules(Gate::Output)), outputs);
    let critical = bound(CRITICAL);
    let own = [
        "S server regex \"^SAFE$\" 0..1 false family-recipe.yaml:34",
        "I trace neq \"off\" 0..100 false family-recipe.yaml:38",
    ];
    assert_eq!(
        told(critical.rules(Gate::Input)),
        [&inputs[..], &own[..]].concat()
    );
    assert_eq!(told(critical.rules(Gate::Output)), outputs);
    assert_eq!(critical.rules(Gate::Input)[0].origin().recipe, "p_transfer");
    assert_eq!(critical.rules(Gate::Input)[3].origin().recipe, "p_critical");
}

#[test]
fn inherited_rules_have_counters_of_their_own() {
    let (tracker, transfer, critical) = (Tracker::new(), bound(TRANSFER), bound(CRITICAL));
    let ready = tree(r#"{"status":"READY"}"#);
    let judge = |rules: &ProcessRules, args: &str| {
        let args = map(args);
        let facts = Facts {
            args: &args,
            tree: &ready,
            result: None,
            written: None,
        };
        let findings = rules.evaluate(Gate::Input, &facts);
        tracker.judge(rules, Gate::Input, &findings, Tick::Record)
    };
    for _ in 0..2 {
        assert_eq!(
            judge(&transfer, r#"{"amount":100,"dest":"nobody"}"#).action,
            Action::Warn
        );
    }
    let thrown = judge(
        &critical,
        r#"{"amount":100,"dest":"nobody","server":"UNSAFE","trace":"on"}"#,
    );
    assert_eq!(thrown.action, Action::Interlock);
    let counts: Vec<_> = tracker
        .counts()
        .into_iter()
        .map(|it| (it.process, it.rule.position, it.count))
        .collect();
    assert_eq!(
        counts,
        [("p_critical".into(), 1, 1), ("p_transfer".into(), 1, 2)]
    );
}
