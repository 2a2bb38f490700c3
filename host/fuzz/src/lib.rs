//! What the targets share: the oracles are the project's own, and a broken one panics, which is what libFuzzer looks for.

pub use libfuzzer_sys::fuzz_target;
use theus_core::fuzz::TARGETS;

/// Holds the target of that name against some bytes.
///
/// # Panics
///
/// Something that must hold does not, or there is no such target.
pub fn judge(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|it| it.name == name);
    let Some(target) = target else {
        panic!("there is no target `{name}`")
    };
    if let Err(broken) = (target.check)(data) {
        panic!("{broken}");
    }
}
