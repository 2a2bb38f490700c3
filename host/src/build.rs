//! Builds a guest's source folder to WebAssembly, with the profile and link arguments that make a small, fast guest.
//!
//! # Security
//!
//! Building runs the folder's build scripts and procedural macros with the rights of whoever builds. That is trusting
//! its author, unlike running what comes out of it. Only a prebuilt `.wasm` is safe to take from a stranger.
//!
//! The result is what cargo made: a core module for the default target `wasm32-unknown-unknown`, a component for
//! `wasm32-wasip2`. [`component::into_component`](crate::component::into_component) makes either a component.

mod package;
mod toolchain;

use self::package::Package;
use self::toolchain::Tools;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use theus_core::code::Code;

/// A build of one guest folder.
///
/// ```no_run
/// use theus_host::build::{Build, Diagnostics};
///
/// let built = Build::new("guests/warehouse")
///     .diagnostics(Diagnostics::Hide)
///     .run()?;
/// println!("{} for {}", built.wasm.display(), built.target);
/// # Ok::<(), theus_host::build::BuildError>(())
/// ```
///
/// # Security
///
/// Runs the folder's build scripts: see the [module](self).
pub struct Build<'a> {
    folder: PathBuf,
    diagnostics: Diagnostics,
    on_step: Box<dyn FnMut(&Step) + 'a>,
    tools: Tools,
}

/// Where cargo's own diagnostics go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Diagnostics {
    /// To the standard error stream; cargo's progress too, unless an earlier build left little to do.
    #[default]
    Show,
    /// The same without colour.
    ShowPlain,
    /// Nowhere; those of a failed build are in its error.
    Hide,
}

/// What a build is about to do, for whoever reports progress.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The toolchain lacks the wasm target: rustup is asked for it.
    AddTarget(Target),
    /// Cargo builds the package; `first` where its target directory holds no earlier result.
    Compile {
        /// The package's name.
        package: String,
        /// The target it is built for.
        target: Target,
        /// Whether nothing was built for this package before.
        first: bool,
    },
}

/// The compilation target of a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// No WASI at all: the smallest and fastest guest.
    #[default]
    Wasm32UnknownUnknown,
    /// The standard library on WASI 0.2, which the host virtualises.
    Wasm32Wasip2,
}

/// A guest that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// The `.wasm` file, in cargo's target directory.
    pub wasm: PathBuf,
    /// The package's name.
    pub package: String,
    /// The target it was built for.
    pub target: Target,
}

/// Why a folder was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder is no cargo package.
    #[error("{} has no Cargo.toml, so it is no guest's source folder", folder.display())]
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
    /// Cargo said it was done and named no wasm file.
    #[error("cargo built the package `{package}` but named no .wasm file")]
    NoArtefact {
        /// The package's name.
        package: String,
    },
}

impl<'a> Build<'a> {
    /// Prepares the build of a folder; nothing happens yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            diagnostics: Diagnostics::default(),
            on_step: Box::new(|_| {}),
            tools: Tools::default(),
        }
    }

    /// Says where cargo's own diagnostics go.
    #[must_use]
    pub fn diagnostics(mut self, diagnostics: Diagnostics) -> Self {
        self.diagnostics = diagnostics;
        self
    }

    /// Calls `report` before each step that may take long.
    #[must_use]
    pub fn on_step(mut self, report: impl FnMut(&Step) + 'a) -> Self {
        self.on_step = Box::new(report);
        self
    }

    /// Builds the folder.
    ///
    /// # Errors
    ///
    /// What is missing or wrong: see [`BuildError`].
    ///
    /// # Security
    ///
    /// Runs the folder's build scripts: see the [module](self).
    pub fn run(mut self) -> Result<Built, BuildError> {
        let manifest = self.folder.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(BuildError::NoManifest {
                folder: self.folder,
            });
        }
        let package = Package::read(&self.tools, &self.folder)?;
        if !self.tools.has_target(&self.folder, package.target)? {
            (self.on_step)(&Step::AddTarget(package.target));
            self.tools.add_target(&self.folder, package.target)?;
        }
        let first = !package.was_built();
        (self.on_step)(&Step::Compile {
            package: package.name.clone(),
            target: package.target,
            first,
        });
        let wasm = self.compile(&package, first)?;
        Ok(Built {
            wasm,
            package: package.name,
            target: package.target,
        })
    }

    fn compile(&self, package: &Package, first: bool) -> Result<PathBuf, BuildError> {
        let mut cargo = self.tools.cargo(&self.folder);
        // `cargo rustc --crate-type`: a library that is an rlib as well would be built without link-time optimisation.
        cargo
            .args(["rustc", "--release", "--lib", "--crate-type", "cdylib"])
            .args(["--target", package.target.name()])
            .arg("--message-format=json-render-diagnostics")
            .arg("--manifest-path")
            .arg(&package.manifest)
            .args(profile(package.target))
            .stdin(Stdio::null());
        if self.diagnostics != Diagnostics::Hide {
            cargo.stderr(Stdio::inherit());
        }
        if self.diagnostics != Diagnostics::Show {
            cargo.args(["--color", "never"]);
        }
        if !first {
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
fn artefact(messages: &str, manifest: &Path) -> Option<PathBuf> {
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

impl Target {
    /// Every target that guests are built for.
    pub const ALL: [Self; 2] = [Self::Wasm32UnknownUnknown, Self::Wasm32Wasip2];

    /// The target's name, as cargo and rustup spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm32UnknownUnknown => "wasm32-unknown-unknown",
            Self::Wasm32Wasip2 => "wasm32-wasip2",
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
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
                "give a folder that holds a guest's Cargo.toml, or a .wasm file".into()
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
            Self::NoArtefact { .. } => return None,
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

/// The command line of a process that failed, for messages.
fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
