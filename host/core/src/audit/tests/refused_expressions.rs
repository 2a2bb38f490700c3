//! Expressions that are refused when the recipe is loaded, and generated ones.

use super::file::errors;
use super::*;
use proptest::prelude::*;

fn refused(gate: &str, expression: &str) -> String {
    let quoted = serde_json::to_string(expression).expect("json");
    let text = format!("process_recipes: {{add_product: {{{gate}: [{{expr: {quoted}}}]}}}}");
    let errors = Recipe::parse(&text, "r").expect_err(expression).errors;
    assert_eq!(errors.len(), 1, "{expression}: {errors:?}");
    let help = errors[0].help.clone().unwrap_or_default();
    format!("{} | {help}", errors[0].message)
}

#[test]
fn an_expression_is_refused_where_it_stands() {
    let text = "process_recipes:\n  add_product:\n    inputs:\n      - expr: arg.price > 0\n";
    assert_eq!(
        errors(text),
        "\
recipe.yaml:4:15: `expr` is refused: there is no `arg`
  4 |       - expr: arg.price > 0
    |               ^^^^^^^^^^^^^
  help: did you mean `args`?"
    );
}

#[test]
fn what_makes_no_sense_is_refused_at_load() {
    for (expression, expected) in [
        ("", "it is no CEL: mismatched input '<EOF>'"),
        ("args.price >", "it is no CEL"),
        ("args.price = 5", "it is no CEL"),
        (
            "args.price == 5 args.price",
            "it is no CEL: mismatched input 'args' at 1:17",
        ),
        ("'abc", "it is no CEL: token recognition error"),
        (
            "args.price == 99999999999999999999",
            "it is no CEL: invalid int literal",
        ),
        ("args.price < 1e999", "it is no CEL: invalid double literal"),
        ("args.?price == 5", "it is no CEL: unsupported syntax"),
        (
            "price > 5",
            "there is no `price` | there are `args`, `domain`",
        ),
        (
            "domian.x == 1",
            "there is no `domian` | did you mean `domain`?",
        ),
        (
            "args.order.lines.all(line, lime.n == 1)",
            "there is no `lime` | did you mean `line`?",
        ),
        (".args.price == 5", "a name does not begin with a dot"),
        ("args.price == 5 || true(1)", "it is no CEL"),
        (
            "sise(args.order) > 5",
            "there is no function `sise` | did you mean `size`?",
        ),
        ("args.order.has('x')", "`has` is not called like this"),
        ("now() > 5", "there is no function `now` | there are `size`"),
        (
            "args.price.size(1) == 1",
            "`size` is not called like this | write `size(x) or x.size()`",
        ),
        (
            "contains(args.product_name, 'x')",
            "write `text.contains(part)`",
        ),
        ("int(args.price, 5) == 1", "write `int(x)`"),
        ("has(args.price)()", "it is no CEL"),
        ("has(args)", "it is no CEL: invalid argument to has() macro"),
        (
            "args.order.all(1, true)",
            "it is no CEL: argument must be a simple name",
        ),
        ("args.order.all(x)", "`all` is not called like this"),
        (
            "args.order.all(domain, domain)",
            "the element is named `domain`",
        ),
        (
            "args.order.all(x, args.order.all(y, x == y))",
            "a macro stands inside the body of another one",
        ),
        (
            "[1, 2, 3].map(x, [args.price].map(y, x)) == []",
            "a macro stands inside the body",
        ),
        (
            "args.order.filter(x, x.exists(y, y)).size() == 1",
            "a macro stands inside the body",
        ),
        ("a.B{c: args.price} == 1", "there are no messages"),
        ("args.price + 1", "it gives neither true nor false"),
        ("[args.price]", "it gives neither true nor false"),
        ("{'a': args.price}", "it gives neither true nor false"),
        ("size(args.order)", "it gives neither true nor false"),
        ("-args.price", "it gives neither true nor false"),
        ("args.order.map(x, x)", "it gives neither true nor false"),
        ("args.order.flag ? 1 : 2", "it gives neither true nor false"),
        ("true", "it reads nothing"),
        ("1 + 1 == 2", "it reads nothing"),
        ("[1, 2].all(x, x > 0)", "it reads nothing"),
        ("args == args[0]", "arguments have names"),
        (
            "result == 1",
            "`result` is not there at the input gate: the process has not run | move the entry to `outputs`",
        ),
        (
            "result.a[0] == 1",
            "`result.a[0]` is not there at the input gate",
        ),
        (
            "old.domain.x == 1",
            "`old.domain.x` is what was before the run",
        ),
        (
            "domain.sig_x",
            "in the signal zone, which rules see only as written by this run | move the entry",
        ),
        ("has(domain.box.meta_x)", "in the meta zone"),
        ("domain._x == 1", "private to the host"),
        ("domain['_x'] == 1", "private to the host"),
        (
            "args.product_name.matches(args.product_name)",
            "the pattern of `matches` is no literal",
        ),
        (
            "args.product_name.matches('(')",
            "the pattern of `matches` is no regular expression",
        ),
        (
            "args.product_name.matches('\\\\w{1000}')",
            "the pattern of `matches` is too costly",
        ),
        (
            "args.product_name.matches('a', 'b')",
            "`matches` is not called like this",
        ),
        (&"(".repeat(2_000), "nests deeper than 48 levels"),
        (
            &format!("{}true{}", "(".repeat(60), ")".repeat(60)),
            "nests deeper than 48 levels",
        ),
        (
            &format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000)),
            "nests deeper than 48 levels",
        ),
        (
            &format!("{}true", "args.price ? true : ".repeat(100)),
            "nests deeper than 48 levels",
        ),
        (
            &format!("args.price{} > 0", "+1".repeat(300)),
            "too long a chain of operators",
        ),
        (
            &format!("args{} == 1", ".a".repeat(17)),
            "a place has 17 steps, at most 16",
        ),
        (
            &format!("args.price == 5 || {}", "x".repeat(2_048)),
            "it has 2067 bytes, at most 2048",
        ),
    ] {
        let found = refused("inputs", expression);
        assert!(found.contains(expected), "{expression}: {found}");
    }
    for (expression, expected) in [
        ("old.x == 1", "`old` holds `old.domain` and `old.global`"),
        ("old == 1", "`old` holds `old.domain` and `old.global`"),
        (
            "old[args.product_name] == 1",
            "`old` holds `old.domain` and `old.global`",
        ),
        (
            "has(old.result)",
            "`old` holds `old.domain` and `old.global`",
        ),
        (
            "old.domain.sig_x",
            "in the signal zone, which rules see only as written by this run | leave `old.` out",
        ),
        ("old.domain._x == 1", "private to the host"),
    ] {
        let found = refused("outputs", expression);
        assert!(found.contains(expected), "{expression}: {found}");
    }
}

#[test]
fn entries_with_expressions_say_what_they_lack() {
    for (entry, expected) in [
        ("{expr: 5}", "`expr` is 5 | expected an expression"),
        ("{expr: }", "`expr` is empty | expected an expression"),
        (
            "{expr: 'args.price > 0', optional: true}",
            "`optional` is about an absent field",
        ),
        (
            "{expr: 'args.price > 0', message: 'is {value}'}",
            "`message` has `{value}`, and the entry names no field",
        ),
        (
            "{expr: 'args.price > 0', message: '{field}'}",
            "`message` has `{field}`, and the entry names no field",
        ),
        (
            "{expr: 'args.price > 0', min: 1}",
            "the entry names no field, which `min` needs",
        ),
        ("{regex: x}", "the entry names no field"),
        (
            "{field: price, regex: 5}",
            "`regex` is 5 | expected a regular expression",
        ),
        (
            "{field: price, regex: ''}",
            "`regex` is empty, which matches everything",
        ),
        (
            "{field: price, regex: '('}",
            "`regex` is no regular expression: unclosed group",
        ),
        (
            "{field: price, regex: '(a{1000}){1000}'}",
            "`regex` is too costly",
        ),
        ("{field: price, pattern: x}", "did you mean `regex`?"),
        ("{field: price, exp: x}", "did you mean `expr`?"),
    ] {
        let text = format!("process_recipes: {{add_product: {{inputs: [{entry}]}}}}");
        let errors = Recipe::parse(&text, "r").expect_err(entry).errors;
        let help = errors[0].help.clone().unwrap_or_default();
        let found = format!("{} | {help}", errors[0].message);
        assert!(found.contains(expected), "{entry}: {found}");
    }
    let many = "1,".repeat(10_001);
    let found = errors(&format!(
        "process_recipes: {{p: {{inputs: [{{field: price, in: [{many}]}}]}}}}"
    ));
    assert!(
        found.contains("`in` has 10001 values, at most 10000 are allowed"),
        "{found}"
    );
}

#[test]
fn arguments_of_expressions_meet_the_contract() {
    let bind = |expression: &str| {
        let text =
            format!("process_recipes:\n  add_product:\n    inputs:\n      - expr: {expression}\n");
        let recipe = Recipe::parse(&text, "r").expect(expression);
        recipe.bind(&contract()).expect_err(expression).to_string()
    };
    assert_eq!(
        bind("args.prise > 0"),
        "\
r:4:15: `add_product` has no parameter `prise`
  4 |       - expr: args.prise > 0
    |               ^^^^^^^^^^^^^^
  help: did you mean `price`? it takes `product_name`, `price`, `order`, `note`, `token`, `keys`"
    );
    assert!(bind("has(args.zzz)").contains("no parameter `zzz`"));
    assert!(bind("args.price in args['nope']").contains("no parameter `nope`"));
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("args.a".to_owned()),
        Just("args.b".to_owned()),
        Just("args.f".to_owned()),
        Just("args.u".to_owned()),
        Just("size(args.l)".to_owned()),
        any::<i64>().prop_map(|it| format!("({it})")),
        (-3i64..4).prop_map(|it| format!("({it})")),
        (-4i8..5).prop_map(|it| format!("({:.1})", f64::from(it) / 2.0)),
    ]
}

fn truth() -> impl Strategy<Value = String> {
    let comparison = || {
        prop_oneof![
            Just("=="),
            Just("!="),
            Just("<"),
            Just("<="),
            Just(">"),
            Just(">=")
        ]
    };
    let arithmetic = || prop_oneof![Just("+"), Just("-"), Just("*"), Just("/"), Just("%")];
    let sum = (number(), arithmetic(), number()).prop_map(|(a, op, b)| format!("({a} {op} {b})"));
    let operand = prop_oneof![
        number(),
        sum,
        Just("args.s".to_owned()),
        Just("args.l[0]".to_owned())
    ];
    let leaf = prop_oneof![
        (operand.clone(), comparison(), operand.clone())
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        operand.clone().prop_map(|a| format!("{a} in args.l")),
        (operand, comparison()).prop_map(|(a, op)| format!("args.l.all(x, x {op} {a})")),
        (number(), comparison())
            .prop_map(|(a, op)| format!("args.l.filter(x, x {op} {a}).size() > 1")),
        Just("args.s.startsWith('a')".to_owned()),
        Just("has(args.m.k)".to_owned()),
        Just("args.m.zzz == 1".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

fn args_contract() -> Contract {
    let names = ["a", "b", "f", "u", "s", "l", "m"];
    let parameters: Vec<_> = names
        .iter()
        .map(|name| format!(r#"{{"name":"{name}","kind":"any"}}"#))
        .collect();
    let line = format!(r#"{{"name":"p","parameters":[{}]}}"#, parameters.join(","));
    Contract::parse_section(line.as_bytes())
        .expect("contract")
        .remove(0)
}

fn ours(expression: &str, args: &Map) -> Option<bool> {
    let quoted = serde_json::to_string(expression).expect("json");
    let text = format!("process_recipes: {{p: {{inputs: [{{expr: {quoted}}}]}}}}");
    let recipe = Recipe::parse(&text, "r").unwrap_or_else(|error| panic!("{error}"));
    let rules = recipe
        .bind(&args_contract())
        .expect("bound")
        .expect("named");
    match messages(&rules, args).as_slice() {
        [] => Some(true),
        [message] if message.contains("cannot be decided") => None,
        _ => Some(false),
    }
}

/// The crate's own evaluator, on the same values.
fn theirs(expression: &str, args: &Map) -> Option<bool> {
    fn value_of(value: &Value) -> cel::Value {
        match value {
            Value::Int(number) => cel::Value::Int(*number),
            Value::UInt(number) => cel::Value::UInt(*number),
            Value::Float(number) => cel::Value::Float(number.value()),
            Value::Str(text) => cel::Value::String(Arc::new(text.to_string())),
            Value::List(list) => cel::Value::List(Arc::new(list.iter().map(value_of).collect())),
            Value::Map(map) => {
                let map: std::collections::HashMap<String, cel::Value> = map
                    .iter()
                    .map(|(key, it)| (key.to_string(), value_of(it)))
                    .collect();
                cel::Value::Map(map.into())
            }
            other => panic!("{other:?}"),
        }
    }
    let mut context = cel::Context::default();
    context.add_variable_from_value("args", value_of(&Value::Map(args.clone())));
    let env = cel::Env::stdlib();
    let program = env.compile(expression).expect("it parses");
    match program.execute(&context) {
        Ok(cel::Value::Bool(decided)) => Some(decided),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Where both decide, both decide the same; what the crate cannot decide, an expression cannot either.
    #[test]
    fn expressions_agree_with_the_crate(expression in truth(), a in -3i64..4, b in any::<i64>(), f in -3i8..4, s in "[ab]{0,2}") {
        let args: Map = [
            ("a", Value::Int(a)),
            ("b", Value::Int(b)),
            ("f", Value::float(f64::from(f) / 2.0)),
            ("u", Value::unsigned(u64::MAX)),
            ("s", Value::from(s)),
            ("l", Value::from(vec![Value::Int(a), Value::Int(1), Value::float(0.5)])),
            ("m", Value::Map(map(r#"{"k":1}"#))),
        ]
        .into_iter()
        .collect();
        // An expression of literals alone is refused.
        let expression = format!("has(args.a) && ({expression})");
        let (ours, theirs) = (ours(&expression, &args), theirs(&expression, &args));
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => prop_assert_eq!(ours, theirs, "{}", expression),
            // Stricter: kinds that do not go together are no "different".
            (None, _) => {}
            // Exact where the crate does not mix signed and unsigned.
            (Some(_), None) => prop_assert!(expression.contains("args.u"), "{}", expression),
        }
    }

    #[test]
    fn no_text_makes_an_expression_panic(text in "(args\\.[abl]|domain|old|[a-c]|[0-9]{1,3}u?|'[a-z]{0,3}'|[-+*/%!<>=&|?:.,\\[\\](){} ]|\\.all\\(x,|\\.map\\(x,|has\\(|size\\(| in |true|null){0,30}") {
        for gate in [Gate::Input, Gate::Output] {
            let compiled = crate::audit::expr::Expression::compile(&text, gate);
            let Ok(expression) = compiled else { continue };
            let args: Map = [("a", Value::Int(1)), ("l", Value::from(vec![Value::Int(1)]))].into_iter().collect();
            let facts = Facts { args: &args, tree: &tree("{}"), result: None, written: None };
            drop(expression.evaluate(&facts, &[]));
        }
    }
}
