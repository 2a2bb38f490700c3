//! What expressions decide, and what they cannot.

use super::*;
use crate::transaction::{Snapshot, Transaction};

const ARGS: &str = r#"{"price":5,"product_name":"TV","note":null,"token":"hunter2",
    "order":{"lines":[{"n":1,"price":2},{"n":2,"price":30}],"tags":["a","b"],"total":32,"rate":0.5,
             "big":18446744073709551615,"least":-9223372036854775808,"most":9223372036854775807,
             "nan":{"$float":"nan"},"blob":{"$bytes":"AQID"},"flag":true,"none":null,"text":"grün"}}"#;

const DOMAIN: &str = r#"{"total_value":10,"items":[{"price":1}],"stock":{"TV":3,"_x":1,"sig_y":true,"meta_z":1},
    "sig_restock_needed":true,"heavy_blob":{"k":1,"_p":2},"_private":1}"#;

pub(super) fn bound(expression: &str, gate: Gate) -> Arc<ProcessRules> {
    let entry = format!(
        "{{expr: {}}}",
        serde_json::to_string(expression).expect("json")
    );
    match gate {
        Gate::Input => rules(&[&entry], &[]),
        Gate::Output => rules(&[], &[&entry]),
    }
}

/// What an expression decides at the input gate: true, false, or why neither.
fn decide(expression: &str) -> Result<bool, String> {
    let rules = bound(expression, Gate::Input);
    let facts = Facts {
        args: &map(ARGS),
        tree: &tree(DOMAIN),
        result: None,
        written: None,
    };
    decided(&rules, Gate::Input, &facts)
}

fn decided(rules: &ProcessRules, gate: Gate, facts: &Facts<'_>) -> Result<bool, String> {
    let findings = rules.evaluate(gate, facts);
    let verdicts = Tracker::new()
        .judge(rules, gate, &findings, Tick::Record)
        .verdicts;
    match verdicts.as_slice() {
        [] => Ok(true),
        [verdict] if verdict.message.ends_with("does not hold") => Ok(false),
        [verdict] => Err(verdict
            .message
            .split_once("cannot be decided: ")
            .expect(&verdict.message)
            .1
            .to_owned()),
        more => panic!("{more:?}"),
    }
}

#[test]
fn expressions_decide_as_cel_does() {
    for expression in [
        "args.price == 5 && args.price != 6",
        "args.price + 1 == 6 && args.price - 6 == -1 && args.price * 2 == 10",
        "args.price / 2 == 2 && args.price % 2 == 1 && -7 / args.price == -1 && -7 % args.price == -2",
        "args.price < 6 && args.price <= 5 && args.price > 4 && args.price >= 5",
        "args.price == 5.0 && args.price < 5.5 && 4.5 < args.price",
        "args.price == 5u && 6u - 5u == 1",
        "args.order.rate * 2.0 == 1.0 && args.order.rate / 0.0 > 1.0e300",
        "args.product_name + '!' == 'TV!' && 'A' < args.product_name",
        "args.product_name in ['TV', 'radio'] && !(args.product_name in ['radio'])",
        "'TV' in domain.stock && !('radio' in domain.stock)",
        "args.order.tags == ['a', 'b'] && args.order.tags + ['c'] == ['a', 'b', 'c']",
        "args.order.tags[1] == 'b' && args.order['tags'][0] == 'a' && args.order.tags[0u] == 'a'",
        "domain.stock[args.product_name] == 3",
        "args.order.lines[1].price == 30 && args.order.lines[args.price - 5].n == 1",
        "{'TV': 10, 'radio': 3}[args.product_name] >= args.price",
        "{5: 'five', true: 'yes'}[args.price] == 'five'",
        "{'a': 1, 'b': args.price} == {'b': 5, 'a': 1.0}",
        "args.price == 5 ? true : args.order.zzz == 1",
        "size(args.order.tags) == 2 && args.order.tags.size() == 2 && size(args.product_name) == 2",
        "size(args.order.text) == 4 && size(args.order.blob) == 3 && size(args.order) == 12",
        "args.order.text.contains('rü') && args.order.text.startsWith('g') && args.order.text.endsWith('n')",
        "args.product_name.matches('^T') && matches(args.product_name, 'V$') && !args.product_name.matches('^V')",
        "int('7') == 7 + args.price - 5 && int(2.9) == 2 && double(args.price) == 5.0 && string(args.price) == '5'",
        "int(args.order.rate) == 0 && string(args.order.flag) == 'true' && double('1.5') == 1.5",
        "has(args.order.total) && !has(args.order.zzz) && has(domain.stock.TV) && !has(domain.zzz)",
        "!has(args.note) && has(args.price)",
        "args.order.none == null && args.price != null",
        "args.order.lines.all(line, line.price > 0) && !args.order.lines.all(line, line.price > 2)",
        "args.order.lines.exists(line, line.price == 30) && !args.order.lines.exists(line, line.price == 31)",
        "args.order.lines.exists_one(line, line.price > 2)",
        "args.order.lines.map(line, line.price) == [2, 30]",
        "args.order.lines.map(line, line.n > 1, line.price) == [30]",
        "args.order.lines.filter(line, line.n > 1)[0].price == 30",
        "args.order.lines.filter(line, has(line.n)).map(line, line.n) == [1, 2]",
        "domain.stock.all(key, key.size() == 2) && domain.stock.exists(key, domain.stock[key] == 3)",
        "[1, 2, 3].filter(x, x in [args.price, 2]) == [2]",
        "[] == args.order.lines.filter(line, false) && [].all(x, false) && !args.order.tags.exists(x, x == 'c')",
        "global.max_capacity == 500 && domain.items[0].price == 1 && domain_ctx.total_value == 10",
        "domain.heavy_blob.k == 1 && size(domain.heavy_blob) == 1",
        "args['price'] == 5 && 'price' in args && args.order.flag",
        "b'\\x01\\x02' + b'\\x03' == args.order.blob && args.order.blob < b'\\x02'",
        "args.order.big > args.order.most && args.order.big == 18446744073709551615u",
        "args.order.most < 9223372036854775807.0 && args.order.most != 9223372036854775807.0",
        "args.order.big - 1 == 18446744073709551614u && args.order.big - args.order.big == 0",
        "// of no account\n args.price\n == 5",
    ] {
        assert_eq!(decide(expression), Ok(true), "{expression}");
        assert_eq!(
            decide(&format!("!({expression})\n")),
            Ok(false),
            "!({expression})"
        );
    }
}

#[test]
fn what_cannot_be_decided_is_a_violation_that_says_why() {
    for (expression, why) in [
        ("args.order.zzz == 1", "`args.order.zzz` is absent"),
        (
            "args.order.lines[2].n == 1",
            "`args.order.lines[2].n` is absent",
        ),
        ("domain.zzz == 1", "`domain.zzz` is absent"),
        ("args.note == null", "`args.note` is absent"),
        (
            "domain.stock[args.order.text] == 1",
            "there is no such key or index",
        ),
        (
            "args.order.lines[args.price].n == 1",
            "there is no such key or index",
        ),
        (
            "args.order.tags[-1 * args.price] == 'a'",
            "there is no such key or index",
        ),
        (
            "args.order.tags['a'] == 'a'",
            "`args.order.tags.a` is absent",
        ),
        (
            "args.order.tags[args.product_name] == 'a'",
            "`[ ]` does not take a list and a string",
        ),
        (
            "domain.stock[args.price] == 3",
            "`[ ]` does not take a map and an int",
        ),
        (
            "{'a': 1}[args.product_name] == 1",
            "there is no such key or index",
        ),
        (
            "{'a': 1, args.product_name: 2, 'TV': 3}.size() == 3",
            "a map has the same key twice",
        ),
        (
            "{args.order.rate: 1}.size() == 1",
            "`{ }` does not take a float",
        ),
        ("args.order.text.n == 1", "`args.order.text.n` is absent"),
        ("has(args.order.text.n)", "`has` does not take a string"),
        ("has(args.order.zzz.n)", "`args.order.zzz` is absent"),
        ("args.order.lines.all(l, l.zzz == 1)", "`zzz` is absent"),
        (
            "args.order.total == 'TV'",
            "`==` does not take an int and a string",
        ),
        (
            "args.order.total != 'TV'",
            "`!=` does not take an int and a string",
        ),
        (
            "args.order.text != 5",
            "`!=` does not take a string and an int",
        ),
        (
            "args.price in ['TV']",
            "`in` does not take an int and a list",
        ),
        (
            "!(args.price in ['TV', 'radio'])",
            "`in` does not take an int and a list",
        ),
        (
            "args.order.rate in args.order",
            "`in` does not take a float and a map",
        ),
        (
            "args.price in args.product_name",
            "`in` does not take an int and a string",
        ),
        (
            "args.order.total < 'TV'",
            "`<` does not take an int and a string",
        ),
        (
            "args.price + 'TV' == 'x'",
            "`+` does not take an int and a string",
        ),
        (
            "args.price * 1.5 > 1.0",
            "`*` does not take an int and a float",
        ),
        (
            "args.product_name * 100000 == ''",
            "`*` does not take a string and an int",
        ),
        (
            "args.order.tags * 100000 == []",
            "`*` does not take a list and an int",
        ),
        ("args.order.rate % 2.0 == 1.0", "`%` does not take a float"),
        ("args.price / (args.price - 5) == 1", "`/` divides by zero"),
        ("args.price % 0 == 1", "`%` divides by zero"),
        ("args.order.most + 1 > 0", "`+` overflows"),
        ("args.order.least - 1 < 0", "`-` overflows"),
        ("args.order.most * 2 > 0", "`*` overflows"),
        ("args.order.least / -1 > 0", "`/` overflows"),
        ("-args.order.least > 0", "`-` overflows"),
        ("args.order.big + 1 > 0", "`+` overflows"),
        ("args.order.big * args.order.big > 0", "`*` overflows"),
        ("5u - 6u < args.price", "`-` overflows"),
        ("-args.order.big < 0", "`-` overflows"),
        (
            "args.order.nan < 1.0",
            "a number is NaN, which no comparison lets pass",
        ),
        (
            "args.order.nan != args.order.nan",
            "a number is NaN, which no comparison lets pass",
        ),
        (
            "args.order.nan in [1.0]",
            "a number is NaN, which no comparison lets pass",
        ),
        (
            "int(args.order.nan) == 0",
            "a number is NaN, which no comparison lets pass",
        ),
        ("int(1.0e30) == args.price", "`int` overflows"),
        (
            "int(args.product_name) == 0",
            "`int` cannot be made of this value",
        ),
        (
            "double(args.product_name) == 0.0",
            "`double` cannot be made of this value",
        ),
        (
            "string(b'\\xff') == args.product_name",
            "`string` cannot be made of this value",
        ),
        ("int(args.order.tags) == 0", "`int` does not take a list"),
        ("size(args.price) == 1", "`size` does not take an int"),
        (
            "args.price.contains('x')",
            "`contains` does not take an int",
        ),
        ("args.price.matches('x')", "`matches` does not take an int"),
        ("args.price.all(x, true)", "`a macro` does not take an int"),
        ("args.price", "it gives an int, neither true nor false"),
        ("args.order.none", "it gives nil, neither true nor false"),
        ("args.price && true", "`&&` does not take an int"),
        ("!args.price", "`!` does not take an int"),
        ("args.price ? true : false", "`? :` does not take an int"),
        (
            "args.order.lines.all(l, l.n)",
            "`a macro's body` does not take an int",
        ),
        (
            "args.order.lines.exists_one(l, l.n)",
            "`exists_one` does not take an int",
        ),
        (
            "args.order.lines.filter(l, l.n) == []",
            "`filter` does not take an int",
        ),
    ] {
        assert_eq!(decide(expression), Err(why.into()), "{expression}");
    }
}

#[test]
fn one_side_that_decides_is_enough() {
    for (expression, expected) in [
        ("args.order.zzz == 1 || args.price == 5", Ok(true)),
        ("args.price == 5 || args.order.zzz == 1", Ok(true)),
        ("args.order.zzz == 1 && args.price == 6", Ok(false)),
        ("args.price == 6 && args.order.zzz == 1", Ok(false)),
        (
            "args.order.zzz == 1 || args.price == 6",
            Err("`args.order.zzz` is absent".into()),
        ),
        (
            "args.price == 5 && args.order.zzz == 1",
            Err("`args.order.zzz` is absent".into()),
        ),
        (
            "args.order.lines.exists(l, l.zzz == 1 || l.n == 2)",
            Ok(true),
        ),
        ("args.order.tags.exists(t, t == 'b' || t < 1)", Ok(true)),
        ("args.order.tags.all(t, t < 1 && t == 'a')", Ok(false)),
    ] {
        assert_eq!(decide(expression), expected, "{expression}");
    }
}

/// Hidden keys are not there for a rule either, by name or by value.
#[test]
fn a_rule_sees_what_a_process_would_see() {
    for (expression, expected) in [
        (
            "size(domain.stock) == 1 && domain.stock == {'TV': 3}",
            Ok(true),
        ),
        ("domain.stock.all(key, key == 'TV')", Ok(true)),
        (
            "['_x', 'sig_y', 'meta_z'].exists(key, key in domain.stock)",
            Ok(false),
        ),
        (
            "['_x'].all(key, domain.stock[key] == 1)",
            Err("there is no such key or index".into()),
        ),
        (
            "['sig_restock_needed', '_private', 'heavy_blob'].exists(key, key in domain)",
            Ok(false),
        ),
        (
            "['sig_restock_needed'].all(key, domain[key])",
            Err("there is no such key or index".into()),
        ),
        ("size(domain) == 3", Ok(true)),
    ] {
        assert_eq!(decide(expression), expected, "{expression}");
    }
}

fn output(expression: &str, write: impl FnOnce(&mut Transaction)) -> Result<bool, String> {
    let rules = bound(expression, Gate::Output);
    let mut transaction = Transaction::begin(Snapshot {
        version: 7,
        tree: tree(DOMAIN),
    });
    write(&mut transaction);
    let result = Value::Map(map(r#"{"status":"ok","n":[1,2]}"#));
    let facts = Facts {
        args: &map(ARGS),
        tree: transaction.view(),
        result: Some(&result),
        written: Some(&transaction),
    };
    decided(&rules, Gate::Output, &facts)
}

#[test]
fn the_output_gate_sees_before_and_after() {
    let write = |transaction: &mut Transaction| {
        transaction
            .set(path("domain.total_value"), Value::Int(15))
            .expect("set");
        transaction
            .set(path("domain.sig_restock_needed"), Value::Bool(false))
            .expect("set");
    };
    for (expression, expected) in [
        (
            "domain.total_value == old.domain.total_value + args.price",
            Ok(true),
        ),
        (
            "old.domain.total_value == 10 && old.global.max_capacity == 500",
            Ok(true),
        ),
        (
            "old['domain']['total_value'] == 10 && has(old.domain.items)",
            Ok(true),
        ),
        (
            "size(old.domain) == 3 && old.domain.stock[args.product_name] == 3",
            Ok(true),
        ),
        (
            "result.status == 'ok' && result.n[1] == 2 && size(result) == 2",
            Ok(true),
        ),
        (
            "domain.sig_restock_needed == false && has(domain.sig_restock_needed)",
            Ok(true),
        ),
        ("has(result.zzz)", Ok(false)),
    ] {
        assert_eq!(output(expression, write), expected, "{expression}");
    }
    // A signal of an earlier run is not there.
    let absent = Err("`domain.sig_restock_needed` is absent".into());
    assert_eq!(output("domain.sig_restock_needed", |_| {}), absent);
    assert_eq!(output("has(domain.sig_restock_needed)", |_| {}), Ok(false));
}

#[test]
fn the_places_that_an_expression_reads_are_locked() {
    for (expression, expected) in [
        ("args.price < 5", &[][..]),
        (
            "domain.total_value < global.max_capacity",
            &["global.max_capacity", "domain.total_value"],
        ),
        ("domain.stock[args.product_name] > 0", &["domain.stock"]),
        ("domain[args.product_name] > 0", &["domain"]),
        (
            "domain.items[0].price > 0 && domain['items'][0u].price > 0",
            &["domain.items[0].price"],
        ),
        (
            "domain.items.all(i, i.price < global[args.product_name])",
            &["global", "domain.items"],
        ),
        ("has(domain.stock.TV)", &["domain.stock.TV"]),
        ("domain.heavy_blob.k == 1", &["domain.heavy_blob.k"]),
        ("['a'].all(k, k in domain.stock)", &["domain.stock"]),
    ] {
        let rules = bound(expression, Gate::Input);
        let expected: Vec<Path> = expected.iter().map(|text| path(text)).collect();
        assert_eq!(rules.context_paths(), expected, "{expression}");
    }
    for (expression, expected) in [
        ("old.domain.total_value < 5", &["domain.total_value"][..]),
        ("domain.sig_restock_needed", &[]),
        ("has(domain.stock.sig_y)", &["domain.stock"]),
        ("result == 1", &[]),
    ] {
        let rules = bound(expression, Gate::Output);
        let expected: Vec<Path> = expected.iter().map(|text| path(text)).collect();
        assert_eq!(rules.context_paths(), expected, "{expression}");
    }
}
