//! Builds a guest's source folder to WebAssembly, with the settings that make a small, fast guest.
//!
//! A folder with a `Cargo.toml` is a guest in Rust, which cargo builds; one whose `package.json` depends on `theus-guest`
//! is a guest in AssemblyScript. For that, Node 20 or newer has to be installed; npm fetches the packages that the folder's
//! `package-lock.json` names where they are not there, and `asc` compiles as the folder's `asconfig.json` says.
//!
//! # Security
//!
//! Building runs the folder's build scripts, procedural macros and compiler transforms with the rights of whoever builds.
//! That is trusting its author, unlike running what comes out of it. Only a prebuilt `.wasm` is safe to take from a
//! stranger.
//!
//! The result is what the compiler made: a core module for the default target `wasm32-unknown-unknown` and from
//! AssemblyScript, a component for `wasm32-wasip2`. [`component::into_component`](crate::component::into_component) makes
//! either a component.

mod cargo;
mod error;
mod package;
mod script;
mod toolchain;

pub use self::error::BuildError;

use self::package::Package;
use self::script::{Node, ScriptPackage};
use self::toolchain::Tools;
use std::path::PathBuf;
use std::process::Command;

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
    node: Node,
}

/// Where the compiler's own diagnostics go.
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
    /// Packages of the npm registry are missing: npm installs those that the folder's lock file names.
    InstallPackages {
        /// The package's name.
        package: String,
    },
    /// The AssemblyScript compiler builds the package; `first` where there is no earlier result.
    CompileScript {
        /// The package's name.
        package: String,
        /// Whether nothing was built for this package before.
        first: bool,
    },
}

/// The compilation target of a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// No WASI at all: the smallest and fastest guest. What AssemblyScript compiles to, too.
    #[default]
    Wasm32UnknownUnknown,
    /// The standard library on WASI 0.2, which the host virtualises.
    Wasm32Wasip2,
}

/// A guest that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// The `.wasm` file: in cargo's target directory, or in the folder's `.theus/build` where AssemblyScript made it.
    pub wasm: PathBuf,
    /// The package's name.
    pub package: String,
    /// The target it was built for.
    pub target: Target,
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
            node: Node::default(),
        }
    }

    /// Says where the compiler's own diagnostics go.
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
    pub fn run(self) -> Result<Built, BuildError> {
        if self.folder.join("Cargo.toml").is_file() {
            self.run_cargo()
        } else if self.folder.join("package.json").is_file() {
            self.run_script()
        } else {
            Err(BuildError::NoManifest {
                folder: self.folder,
            })
        }
    }

    fn run_cargo(mut self) -> Result<Built, BuildError> {
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
        let wasm = cargo::compile(&self.tools, &self.folder, &package, self.diagnostics)?;
        Ok(Built {
            wasm,
            package: package.name,
            target: package.target,
        })
    }

    fn run_script(mut self) -> Result<Built, BuildError> {
        let package = ScriptPackage::read(&self.folder)?;
        self.node.check()?;
        let alone = package.alone()?;
        let first = !package.was_built();
        if !package.is_installed() {
            (self.on_step)(&Step::InstallPackages {
                package: package.name.clone(),
            });
            self.node.install(&package)?;
        }
        (self.on_step)(&Step::CompileScript {
            package: package.name.clone(),
            first,
        });
        let wasm = self.node.compile(&package, self.diagnostics)?;
        drop(alone);
        Ok(Built {
            wasm,
            package: package.name,
            target: Target::Wasm32UnknownUnknown,
        })
    }
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
