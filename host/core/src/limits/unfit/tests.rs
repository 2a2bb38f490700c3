use super::*;

fn problems(change: impl FnOnce(&mut Limits)) -> Vec<String> {
    let mut limits = Limits::default();
    change(&mut limits);
    match limits.check() {
        Ok(()) => Vec::new(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_defaults_and_what_a_call_can_do_without_make_sense() {
    assert_eq!(problems(|_| {}), [""; 0]);
    let none = |it: &mut Limits| {
        (it.tables, it.table_elements, it.host_calls) = (0, 0, 0);
        (it.writes, it.write_bytes, it.reads, it.read_bytes) = (0, 0, 0, 0);
        (
            it.log_lines,
            it.log_bytes,
            it.outbox_messages,
            it.outbox_bytes,
        ) = (0, 0, 0, 0);
    };
    assert_eq!(problems(none), [""; 0]);
    let much = |it: &mut Limits| {
        (it.fuel, it.host_calls, it.reads) = (u64::MAX, u64::MAX, u64::MAX);
        it.timeout = MOST_TIME;
        it.memory_bytes = MOST_MEMORY;
    };
    assert_eq!(problems(much), [""; 0]);
}

#[test]
fn every_limit_has_its_edge() {
    type Change = fn(&mut Limits, u64);
    let edges: [(Change, u64, &str); 10] = [
        (|it, to| it.component_bytes = to, 1, "component_bytes"),
        (|it, to| it.memory_bytes = to, PAGE, "memory_bytes"),
        (|it, to| it.stack_bytes = to, 1, "stack_bytes"),
        (|it, to| it.fuel = to, 1, "fuel"),
        (|it, to| it.path_bytes = to, 1, "path_bytes"),
        (|it, to| it.path_segments = to, 1, "path_segments"),
        (|it, to| it.value_bytes = to, 1, "value_bytes"),
        (|it, to| it.value_depth = to, 1, "value_depth"),
        (|it, to| it.argument_bytes = to, 1, "argument_bytes"),
        (|it, to| it.result_bytes = to, 1, "result_bytes"),
    ];
    for (change, least, name) in edges {
        assert_eq!(problems(|it| change(it, least)), [""; 0], "{name}");
        let found = problems(|it| change(it, least - 1));
        assert_eq!(found.len(), 1, "{found:?}");
        let expected = format!("`{name}` is {}, at least {least} is needed: ", least - 1);
        assert!(found[0].starts_with(&expected), "{found:?}");
    }
    let edges: [(Change, u64, &str); 4] = [
        (|it, to| it.memory_bytes = to, MOST_MEMORY, "memory_bytes"),
        (|it, to| it.tables = to, MOST_TABLES, "tables"),
        (|it, to| it.stack_bytes = to, MOST_STACK, "stack_bytes"),
        (|it, to| it.value_depth = to, MOST_DEPTH, "value_depth"),
    ];
    for (change, most, name) in edges {
        assert_eq!(problems(|it| change(it, most)), [""; 0], "{name}");
        let found = problems(|it| change(it, most + 1));
        let expected = format!("`{name}` is {}, at most {most} is possible: ", most + 1);
        assert!(
            found.len() == 1 && found[0].starts_with(&expected),
            "{found:?}"
        );
    }
}

#[test]
fn time_is_more_than_none_and_less_than_ever() {
    assert_eq!(
        problems(|it| it.timeout = Duration::ZERO),
        ["`timeout` is 0 s, at least 1 ns is needed: every call would be late at once"]
    );
    assert_eq!(problems(|it| it.timeout = Duration::from_nanos(1)), [""; 0]);
    let found = problems(|it| it.timeout = Duration::MAX);
    assert!(
        found[0].contains("at most 31536000 s (a year)"),
        "{found:?}"
    );
}

#[test]
fn limits_that_contradict_one_another_are_told_all_at_once() {
    let error = Limits {
        fuel: 0,
        write_bytes: 1000,
        read_bytes: 999,
        ..Limits::default()
    };
    let error = error.check().expect_err("two");
    assert_eq!(
        error.to_string(),
        "`fuel` is 0, at least 1 is needed: no instruction could run; `value_bytes` is 1048576, which is more than \
         `write_bytes` 1000: no transaction could read or write such a value"
    );
    assert_eq!(
        error.help(),
        "change `--fuel` (in a program: `Limits::fuel`), `--limit value-bytes=SIZE` (in a program: `Limits::value_bytes`)"
    );
    // Either of them is enough.
    let changes: [fn(&mut Limits); 3] = [
        |it| (it.write_bytes, it.read_bytes) = (it.value_bytes, 0),
        |it| (it.write_bytes, it.read_bytes) = (0, it.value_bytes),
        |it| (it.write_bytes, it.read_bytes) = (0, 0),
    ];
    for change in changes {
        assert_eq!(problems(change), [""; 0]);
    }
}

/// Whoever adds a limit decides here what of it makes no sense.
#[test]
fn all_limits_are_counted() {
    let printed = format!("{:?}", Limits::default());
    assert_eq!(printed.matches(": ").count(), Limits::COUNT);
}
