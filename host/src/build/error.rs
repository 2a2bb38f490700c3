//! Why a folder was not built.

use super::Target;
use std::path::PathBuf;
use theus_core::code::Code;

const INSTALL_NODE: &str =
    "install Node 20 or newer from https://nodejs.org, so that `node` and `npm` are on the PATH";

/// Why a folder was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder is neither a cargo package nor an npm package.
    #[error("{} has no Cargo.toml and no package.json, so it is no guest's source folder", folder.display())]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// A tool is not installed.
    #[error("`{tool}` cannot be started: {source}")]
    ToolMissing {
        /// The program.
        tool: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Node or npm, which the AssemblyScript compiler needs, is not installed.
    #[error("`{tool}` cannot be started, but the AssemblyScript parts need Node >= 20: {source}")]
    NodeMissing {
        /// The program.
        tool: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Node is older than the AssemblyScript compiler needs.
    #[error("Node {found} is installed, but the AssemblyScript parts need Node >= 20")]
    NodeTooOld {
        /// The version that is installed.
        found: String,
    },
    /// A tool failed before anything was built.
    #[error("`{command}` failed: {detail}")]
    ToolFailed {
        /// The command line.
        command: String,
        /// What it printed.
        detail: String,
    },
    /// The wasm target is not installed and could not be added.
    #[error("the Rust target {target} is not installed, and rustup could not add it: {detail}")]
    TargetMissing {
        /// The target.
        target: Target,
        /// What rustup said, or why it was not asked.
        detail: String,
    },
    /// The folder's manifest holds a workspace, not a package.
    #[error("{} is a workspace, not a package", folder.display())]
    Workspace {
        /// The folder.
        folder: PathBuf,
        /// The folders of its packages.
        members: Vec<PathBuf>,
    },
    /// The manifest asks for a target that guests are not built for.
    #[error(
        "the package `{package}` asks for the target `{found}`, expected wasm32-unknown-unknown or wasm32-wasip2"
    )]
    UnknownTarget {
        /// The package's name.
        package: String,
        /// What `[package.metadata.theus] target` says.
        found: String,
    },
    /// The package has no library that makes a wasm module.
    #[error("the package `{package}` has no library of crate type `cdylib`")]
    NoLibrary {
        /// The package's name.
        package: String,
    },
    /// Cargo did not build the package.
    #[error("cargo did not build the package `{package}`{}", detail_line(detail))]
    Failed {
        /// The package's name.
        package: String,
        /// What cargo printed, where it was not shown already.
        detail: String,
    },
    /// The folder's `package.json` is no guest's.
    #[error("{}: {problem}", file.display())]
    NotAScriptGuest {
        /// The file that is wrong or missing.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// npm did not install the packages that the folder needs.
    #[error(
        "npm did not install the packages of `{package}`{}",
        detail_line(detail)
    )]
    NotInstalled {
        /// The package's name.
        package: String,
        /// What npm printed.
        detail: String,
    },
    /// The AssemblyScript compiler did not build the package.
    #[error("asc did not compile the package `{package}`{}", detail_line(detail))]
    NotCompiled {
        /// The package's name.
        package: String,
        /// What the compiler printed, where it was not shown already.
        detail: String,
    },
    /// What was built cannot be put where it belongs.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Cargo said it was done and named no wasm file.
    #[error("cargo built the package `{package}` but named no .wasm file")]
    NoArtefact {
        /// The package's name.
        package: String,
    },
}

impl BuildError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::BuildFailed
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoManifest { .. } => {
                "give a folder that holds a guest's Cargo.toml or package.json, or a .wasm file".into()
            }
            Self::ToolMissing { tool, .. } => {
                format!("install Rust from https://rustup.rs, so that `{tool}` is on the PATH")
            }
            Self::TargetMissing { target, .. } => format!("type: rustup target add {target}"),
            Self::Workspace { members, .. } => match members.as_slice() {
                [] => "give the folder of a package".into(),
                members => {
                    let names: Vec<_> = members.iter().map(|it| it.display().to_string()).collect();
                    format!("give the folder of one package: {}", names.join(", "))
                }
            },
            Self::UnknownTarget { .. } => {
                "set `target` under `[package.metadata.theus]` to one of the two, or leave it out"
                    .into()
            }
            Self::NoLibrary { .. } => {
                "add `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]` in its Cargo.toml".into()
            }
            Self::ToolFailed { .. } | Self::Failed { .. } => {
                "mend what cargo reports; `cargo build` in the folder shows the same".into()
            }
            Self::NodeMissing { .. } | Self::NodeTooOld { .. } => INSTALL_NODE.into(),
            Self::NotAScriptGuest { .. } => {
                "a guest in AssemblyScript has a package.json that depends on `theus-guest` and `assemblyscript`, \
                 a package-lock.json, and an asconfig.json that extends `theus-guest/asconfig.json`"
                    .into()
            }
            Self::NotInstalled { detail, .. } if is_no_network(detail) => {
                "npm has to reach its registry once, to install what package-lock.json names: \
                 connect to the network, or set npm's `registry` to one within reach"
                    .into()
            }
            Self::NotInstalled { .. } => {
                "mend what npm reports; `npm ci` in the folder shows the same".into()
            }
            Self::NotCompiled { .. } => {
                "mend what asc reports; `npx asc --noEmit` in the folder shows the same".into()
            }
            Self::Unwritable { .. } | Self::NoArtefact { .. } => return None,
        })
    }
}

fn detail_line(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(":\n{detail}")
    }
}

/// Whether npm could not reach its registry: the names of the system's errors, which it prints.
fn is_no_network(detail: &str) -> bool {
    const ERRORS: [&str; 7] = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "ENOTCACHED",
    ];
    ERRORS.iter().any(|error| detail.contains(error))
}
