//! Imports: what each one is to a guest, and what to do instead of one that it is not given.

use std::fmt::Write as _;
use theus_core::path::cut;
use theus_core::policy::nearest;

/// What guests are given, in one sentence.
pub(super) const GRANTED: &str = "guests may import theus:process/{context,log,outbox}@0.1 and \
     wasi:{cli,clocks,filesystem,io,random,sockets}@0.2, as this host defines them";

/// The most refused imports that a remedy is given for.
const MAX_REMEDIES: usize = 8;

/// The interfaces of the world, up to the patch version.
const WORLD: [&str; 3] = [
    "theus:process/context@0.1.",
    "theus:process/log@0.1.",
    "theus:process/outbox@0.1.",
];

/// The packages of the virtual WASI world, and the side effect that makes each real where it is granted.
const WASI: [(&str, Option<&str>); 6] = [
    ("wasi:cli/", None),
    ("wasi:clocks/", Some("clock")),
    ("wasi:filesystem/", Some("fs")),
    ("wasi:io/", None),
    ("wasi:random/", Some("random")),
    ("wasi:sockets/", None),
];

const WASI_VERSION: &str = "@0.2.";

/// What an import is to a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportKind {
    /// An interface of `theus:process`: the context, the log, the outbox.
    World,
    /// An interface of the virtual WASI world: no files, no network, a constant clock, seeded randomness.
    VirtualWasi {
        /// The side effect that gives the guest the real thing, where the contract asks for it and the operator grants it.
        real_with: Option<&'static str>,
    },
}

impl ImportKind {
    /// What an import is, by its full name; none for what no guest is given.
    #[must_use]
    pub fn of(import: &str) -> Option<Self> {
        if WORLD.iter().any(|known| import.starts_with(known)) {
            return Some(Self::World);
        }
        let wasi = WASI.iter().find(|(package, _)| {
            let interface = import.strip_prefix(package);
            interface.is_some_and(|rest| rest.contains(WASI_VERSION))
        });
        wasi.map(|(_, real_with)| Self::VirtualWasi {
            real_with: *real_with,
        })
    }
}

/// What to do about imports that no guest is given.
pub(super) fn remedies(imports: &[String]) -> String {
    if let [only] = imports {
        return remedy(only);
    }
    let mut text = String::new();
    for import in imports.iter().take(MAX_REMEDIES) {
        // Writing into a string does not fail.
        let _ = write!(text, "`{}`: {}; ", cut(import), remedy(import));
    }
    text.push_str(GRANTED);
    text
}

fn remedy(import: &str) -> String {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let is_world = |known: &str| known.split_once('@').map(|(known, _)| known) == Some(name);
    if WORLD.iter().any(|known| is_world(known)) {
        return "build the guest with an SDK of this version, which gives theus:process 0.1".into();
    }
    if name.starts_with("wasi:http/") {
        return "a guest has no network: let it send to its outbox what the host is to deliver"
            .into();
    }
    if WASI.iter().any(|(package, _)| name.starts_with(package)) {
        return match version {
            "" => "name its version: guests are given WASI 0.2".into(),
            _ => "build the guest for wasm32-wasip2: guests are given WASI 0.2".into(),
        };
    }
    let known = WORLD
        .iter()
        .filter_map(|it| it.split_once('@'))
        .map(|(name, _)| name);
    match nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`? {GRANTED}"),
        None => format!("leave out the code that needs it; {GRANTED}"),
    }
}
