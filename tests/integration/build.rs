//! `theus-host build`, where a test has to look at the files.

use crate::harness::binary::run_in;
use crate::harness::output_schema::misfits;
use crate::harness::root;
use serde_json::Value as Json;
use std::fs;

fn json(words: &[&str]) -> (i32, Json) {
    let words: Vec<String> = words
        .iter()
        .chain(&["-o", "json"])
        .map(|it| (*it).to_owned())
        .collect();
    let ran = run_in(root(), &words);
    let object = ran.json();
    assert_eq!(misfits(&words, &object), [""; 0], "{words:?}");
    (ran.code, object)
}

/// The compiler's own file is told of; `--out` takes the component that `run` would make of it.
#[test]
fn the_component_is_written_where_it_is_asked_for() {
    let (code, built) = json(&["build", "guests/warehouse"]);
    assert_eq!((code, built["form"].as_str()), (0, Some("core-module")));
    let file = root().join(built["file"].as_str().expect("a file"));
    let size = fs::metadata(&file).expect("it is there").len();
    assert_eq!(built["bytes"].as_u64(), Some(size));

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("guest.wasm");
    let out = out.to_str().expect("UTF-8");
    let (code, written) = json(&["build", "guests/warehouse", "--out", out]);
    assert_eq!(
        (code, written["form"].as_str(), written["file"].as_str()),
        (0, Some("component"), Some(out))
    );
    assert_eq!(written["digest"], built["digest"]);
    let (_, inspected) = json(&["inspect", out]);
    assert_eq!(
        (&inspected["digest"], &inspected["form"]),
        (&built["digest"], &"component".into())
    );
    let (code, ran) = json(&["run", out, "product_name=TV", "price=500"]);
    assert_eq!((code, ran["result"].as_str()), (0, Some("Added")));

    // What does not build leaves what was there.
    let (code, failed) = json(&["build", "guests", "--out", out]);
    assert_eq!(
        (code, failed["error"]["code"].as_str()),
        (2, Some("THEUS-U008"))
    );
    let (_, still) = json(&["inspect", out]);
    assert_eq!(still["digest"], built["digest"]);
}
