//! Guests in Rust: cargo builds them, with the profile and link arguments of a guest.

use super::package::Package;
use super::toolchain::{self, Tools};
use super::{BuildError, Diagnostics, Target};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Builds the package's library; where its `.wasm` file lies.
pub(super) fn compile(
    tools: &Tools,
    folder: &Path,
    package: &Package,
    diagnostics: Diagnostics,
) -> Result<PathBuf, BuildError> {
    let mut cargo = tools.cargo(folder);
    // `cargo rustc --crate-type`: a library that is an rlib as well would be built without link-time optimisation.
    cargo
        .args(["rustc", "--release", "--lib", "--crate-type", "cdylib"])
        .args(["--target", package.target.name()])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(&package.manifest)
        .args(profile(package.target))
        .stdin(Stdio::null());
    if diagnostics != Diagnostics::Hide {
        cargo.stderr(Stdio::inherit());
    }
    if diagnostics != Diagnostics::Show {
        cargo.args(["--color", "never"]);
    }
    if package.was_built() {
        cargo.arg("--quiet");
    }
    let output = toolchain::output(&mut cargo)?;
    if !output.status.success() {
        return Err(BuildError::Failed {
            package: package.name.clone(),
            detail: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    artefact(&messages, &package.manifest).ok_or_else(|| BuildError::NoArtefact {
        package: package.name.clone(),
    })
}

/// The profile of a guest: one life is one call, so a small image counts more than anything else.
fn profile(target: Target) -> Vec<String> {
    let stack = match target {
        Target::Wasm32UnknownUnknown => 16 * 1024,
        // Its standard library needs more for itself.
        Target::Wasm32Wasip2 => 64 * 1024,
    };
    [
        "profile.release.panic=\"abort\"".to_owned(),
        "profile.release.lto=true".to_owned(),
        "profile.release.codegen-units=1".to_owned(),
        "profile.release.opt-level=3".to_owned(),
        // Keeps the names of functions: a trap says where it was.
        "profile.release.strip=\"debuginfo\"".to_owned(),
        "profile.release.debug=0".to_owned(),
        format!(
            "target.{target}.rustflags=[\"-Clink-arg=-zstack-size={stack}\"]",
            target = target.name()
        ),
    ]
    .into_iter()
    .flat_map(|setting| ["--config".to_owned(), setting])
    .collect()
}

/// Finds the wasm file of the package's own library in cargo's messages, one JSON object per line.
pub(super) fn artefact(messages: &str, manifest: &Path) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["manifest_path"].as_str().map(Path::new) == Some(manifest))
        .filter_map(|message| {
            let files = message["filenames"].as_array()?;
            files
                .iter()
                .filter_map(Json::as_str)
                .map(PathBuf::from)
                .find(|file| file.extension().is_some_and(|it| it == "wasm"))
        })
        .next_back()
}
