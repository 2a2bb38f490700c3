//! What a folder's manifest says: the package, its library, and the target it wants to be built for.

use super::toolchain::{Tools, checked_output};
use super::{BuildError, Target};
use serde::Deserialize;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

/// The package of one folder.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) target: Target,
    /// The manifest, as cargo spells its path in messages.
    pub(super) manifest: PathBuf,
    lib_name: String,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<RawPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<RawTarget>,
    #[serde(default)]
    metadata: Json,
}

#[derive(Deserialize)]
struct RawTarget {
    name: String,
    crate_types: Vec<String>,
}

impl Package {
    /// Asks cargo about the folder; nothing of it is built or run.
    pub(super) fn read(tools: &Tools, folder: &Path) -> Result<Self, BuildError> {
        let mut cargo = tools.cargo(folder);
        cargo.args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--color",
            "never",
        ]);
        let output = checked_output(&mut cargo)?;
        Self::parse(&output.stdout, folder)
    }

    pub(super) fn parse(metadata: &[u8], folder: &Path) -> Result<Self, BuildError> {
        let metadata: Metadata =
            serde_json::from_slice(metadata).map_err(|error| BuildError::ToolFailed {
                command: "cargo metadata".into(),
                detail: format!("its answer is not understood: {error}"),
            })?;
        let manifest = folder.join("Cargo.toml");
        let is_here = |package: &RawPackage| same_file(&package.manifest_path, &manifest);
        let Some(package) = metadata.packages.iter().find(|it| is_here(it)) else {
            return Err(BuildError::Workspace {
                folder: folder.to_owned(),
                members: metadata
                    .packages
                    .iter()
                    .filter_map(|it| it.manifest_path.parent().map(Path::to_owned))
                    .collect(),
            });
        };
        let lib_name = package
            .targets
            .iter()
            .find(|target| target.crate_types.iter().any(|it| it == "cdylib"))
            .ok_or_else(|| BuildError::NoLibrary {
                package: package.name.clone(),
            })?;
        Ok(Self {
            name: package.name.clone(),
            target: package.target()?,
            manifest: package.manifest_path.clone(),
            lib_name: lib_name.name.replace('-', "_"),
            target_directory: metadata.target_directory,
        })
    }

    /// Whether the target directory holds a result of an earlier build.
    pub(super) fn was_built(&self) -> bool {
        self.target_directory
            .join(self.target.name())
            .join("release")
            .join(format!("{}.wasm", self.lib_name))
            .exists()
    }
}

impl RawPackage {
    fn target(&self) -> Result<Target, BuildError> {
        let wanted = &self.metadata["theus"]["target"];
        if wanted.is_null() {
            return Ok(Target::default());
        }
        Target::ALL
            .into_iter()
            .find(|target| wanted == target.name())
            .ok_or_else(|| BuildError::UnknownTarget {
                package: self.name.clone(),
                found: wanted
                    .as_str()
                    .map_or_else(|| wanted.to_string(), str::to_owned),
            })
    }
}

/// Whether two paths lead to one file; cargo resolves links in the paths it prints, callers may not.
fn same_file(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
