use super::*;

fn paths(texts: &[&str]) -> Vec<Path> {
    texts
        .iter()
        .map(|text| Path::parse(text).expect(text))
        .collect()
}

fn guard(inputs: &[&str], outputs: &[&str]) -> Guard {
    Guard::new(paths(inputs), paths(outputs))
}

#[test]
fn reads_are_covered_by_inputs_and_readable_outputs() {
    let guard = guard(
        &["global.max", "domain.items"],
        &["domain.total", "domain.sig_done", "domain.heavy_image"],
    );
    for (path, allowed) in [
        ("global.max", true),
        ("domain.items[3].price", true),
        ("domain.total", true),
        ("domain.heavy_image", true),
        ("domain.heavy_image.sig_x", true),
        ("domain", false),
        ("global", false),
        ("domain.item", false),
        ("domain.itemsx", false),
        ("domain.sig_done", false),
        ("domain.items[0].sig_x", false),
        ("domain.items[0].heavy_x", false),
        ("domain.items[0]._x", false),
        ("domain.heavy_image._x", false),
    ] {
        let path = Path::parse(path).expect(path);
        assert_eq!(guard.read(&path, "get").is_ok(), allowed, "{path}");
    }
}

#[test]
fn writes_are_covered_by_outputs() {
    use WriteOp::{Push, Remove, Set};
    let guard = guard(
        &["domain.read_only"],
        &[
            "domain.record.child",
            "domain.sig_done",
            "domain.meta_note",
            "domain.rows[3]",
            "domain.list",
        ],
    );
    for (path, op, allowed) in [
        ("domain.record.child", Set, true),
        ("domain.record.child.x", Remove, true),
        ("domain.record", Set, false),
        ("domain", Set, false),
        ("domain.read_only", Set, false),
        ("domain.sig_done", Set, true),
        ("domain.sig_done", Push, false),
        ("domain.sig_done", Remove, false),
        ("domain.meta_note.x", Set, true),
        ("domain.rows[3]", Set, true),
        ("domain.rows[3].x", Set, true),
        ("domain.rows[3]", Remove, false),
        ("domain.rows[3].x", Push, false),
        ("domain.rows[2]", Set, false),
        ("domain.list[2]", Remove, true),
        ("domain.list", Push, true),
        ("domain.list[2].sig_x", Set, false),
        ("domain.list._x", Set, false),
    ] {
        let path = Path::parse(path).expect(path);
        assert_eq!(guard.write(&path, op).is_ok(), allowed, "{op:?} {path}");
    }
}

#[test]
fn a_violation_says_what_is_declared_and_how_to_mend_it() {
    let guard = guard(&["domain.a"], &["domain.b"]);
    let path = Path::parse("domain.c").expect("path");
    let write = guard.write(&path, WriteOp::Set).expect_err("refused");
    assert_eq!(
        write.to_string(),
        "`set` of `domain.c` writes outside the contract; declared as writable: domain.b"
    );
    assert_eq!(write.remedy(), "add \"domain.c\" to the process's outputs");
    let read = guard.read(&path, "get").expect_err("refused");
    assert_eq!(
        read.to_string(),
        "`get` of `domain.c` reads outside the contract; declared as readable: domain.a, domain.b"
    );
}
