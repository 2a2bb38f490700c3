//! Printed text, without what differs from run to run and from machine to machine.

use super::root;
use theus_host::testing::cases;

/// The text with digests, times, sizes, fuel, wasm offsets and the places of files replaced by stand-ins.
pub(crate) fn normalized(text: &str) -> String {
    cases::normalized(text, &hidden())
}

/// The places of this checkout, and how they are shown.
pub(crate) fn hidden() -> Vec<(String, String)> {
    vec![
        (env!("CARGO_TARGET_TMPDIR").to_owned(), "$TMP".to_owned()),
        (root().display().to_string(), "$ROOT".to_owned()),
    ]
}
