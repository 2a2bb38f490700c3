//! What a guest imports, and what each import is to it under a policy.

use crate::cli::text::list;
use serde::Serialize;
use theus_host::Policy;
use theus_host::guest::{Guest, ImportKind};

/// One import.
#[derive(Debug, Serialize)]
pub(super) struct Import {
    name: String,
    kind: Kind,
    /// The side effects that make it real.
    side_effects: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    World,
    VirtualWasi,
    SideEffect,
}

impl Import {
    /// Every import of a guest, in its order.
    pub(super) fn all(guest: &Guest, policy: &Policy) -> Vec<Self> {
        let granted = policy.granted();
        guest
            .imports
            .iter()
            .filter_map(|name| Some(Self::of(name, ImportKind::of(name)?, &granted)))
            .collect()
    }

    fn of(name: &str, kind: ImportKind, granted: &[String]) -> Self {
        let side_effects: Vec<String> = match kind {
            ImportKind::VirtualWasi {
                real_with: Some(wanted),
            } => {
                let word = |effect: &&String| effect.split(':').next() == Some(wanted);
                granted.iter().filter(word).cloned().collect()
            }
            _ => Vec::new(),
        };
        Self {
            name: name.to_owned(),
            kind: match kind {
                ImportKind::World => Kind::World,
                _ if side_effects.is_empty() => Kind::VirtualWasi,
                _ => Kind::SideEffect,
            },
            side_effects,
        }
    }
}

/// The imports on one line, those of a kind together.
pub(super) fn told(imports: &[Import]) -> String {
    let of_kind = |kind| imports.iter().filter(move |it| it.kind == kind);
    let mut parts = Vec::new();
    for (kind, what) in [(Kind::World, "world"), (Kind::VirtualWasi, "virtual WASI")] {
        let names: Vec<_> = of_kind(kind).map(|it| it.name.as_str()).collect();
        if !names.is_empty() {
            parts.push(format!("{what}: {}", list(&names, "none")));
        }
    }
    let real: Vec<_> = of_kind(Kind::SideEffect)
        .map(|it| format!("{} by {}", it.name, list(&it.side_effects, "none")))
        .collect();
    if !real.is_empty() {
        parts.push(format!("side effects: {}", list(&real, "none")));
    }
    match parts.is_empty() {
        true => "none".into(),
        false => parts.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_told_by_kind() {
        let granted = ["clock".to_owned(), "fs:prices".to_owned()];
        let imports: Vec<_> = [
            "theus:process/context@0.1.0",
            "wasi:io/streams@0.2.3",
            "wasi:clocks/wall-clock@0.2.3",
            "wasi:random/random@0.2.3",
            "wasi:filesystem/types@0.2.3",
        ]
        .into_iter()
        .map(|name| Import::of(name, ImportKind::of(name).expect(name), &granted))
        .collect();
        assert_eq!(
            told(&imports),
            "world: theus:process/context@0.1.0; virtual WASI: wasi:io/streams@0.2.3, wasi:random/random@0.2.3; \
             side effects: wasi:clocks/wall-clock@0.2.3 by clock, wasi:filesystem/types@0.2.3 by fs:prices"
        );
        assert_eq!(told(&[]), "none");
    }
}
