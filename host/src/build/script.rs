//! Guests in AssemblyScript: npm installs the compiler, asc compiles as the folder's `asconfig.json` says.

use super::toolchain::last_words;
use super::{BuildError, Diagnostics};
use serde_json::Value as Json;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

/// The oldest Node that runs the compiler.
const OLDEST_NODE: u32 = 20;
const SDK: &str = "theus-guest";
const COMPILER: &str = "node_modules/assemblyscript/bin/asc.js";

/// The package of one folder.
#[derive(Debug)]
pub(super) struct ScriptPackage {
    pub(super) name: String,
    folder: PathBuf,
}

impl ScriptPackage {
    /// Reads the folder's manifest; nothing of it is built or run.
    pub(super) fn read(folder: &Path) -> Result<Self, BuildError> {
        let wrong = |file: &str, problem: String| BuildError::NotAScriptGuest {
            file: folder.join(file),
            problem,
        };
        let text = fs::read_to_string(folder.join("package.json"))
            .map_err(|error| wrong("package.json", error.to_string()))?;
        let manifest: Json = serde_json::from_str(&text)
            .map_err(|error| wrong("package.json", error.to_string()))?;
        let depends_on = |package: &str| {
            let lists = ["dependencies", "devDependencies"];
            lists.iter().any(|list| manifest[list][package].is_string())
        };
        for package in [SDK, "assemblyscript"] {
            if !depends_on(package) {
                let problem = format!("it does not depend on the package `{package}`");
                return Err(wrong("package.json", problem));
            }
        }
        for file in ["asconfig.json", "package-lock.json"] {
            if !folder.join(file).is_file() {
                return Err(wrong(file, "the file is missing".into()));
            }
        }
        let name = manifest["name"].as_str().unwrap_or_default();
        // The name of a scope and that of the package in it are one file name.
        let name = name.trim_start_matches('@').replace(['/', '\\'], "-");
        if name.is_empty() || name.starts_with('.') {
            return Err(wrong("package.json", "it gives the package no name".into()));
        }
        Ok(Self {
            name,
            folder: folder.to_owned(),
        })
    }

    /// Whether there is a result of an earlier build.
    pub(super) fn was_built(&self) -> bool {
        self.wasm().exists()
    }

    /// Whether npm has installed the packages, and the lock file has not changed since.
    pub(super) fn is_installed(&self) -> bool {
        let modified = |file: &str| -> Option<SystemTime> {
            fs::metadata(self.folder.join(file)).ok()?.modified().ok()
        };
        let installed = modified("node_modules/.package-lock.json");
        self.folder.join(COMPILER).is_file()
            && self.folder.join("node_modules").join(SDK).is_dir()
            && installed.is_some_and(|at| modified("package-lock.json").is_some_and(|it| it <= at))
    }

    /// Keeps other builds of the folder out as long as the file lives: npm begins by taking away what others are reading.
    pub(super) fn alone(&self) -> Result<File, BuildError> {
        let unwritable = |path: &Path, source| BuildError::Unwritable {
            path: path.to_owned(),
            source,
        };
        let place = self.place();
        fs::create_dir_all(&place).map_err(|error| unwritable(&place, error))?;
        let path = place.join("lock");
        let lock = File::create(&path).map_err(|error| unwritable(&path, error))?;
        lock.lock().map_err(|error| unwritable(&path, error))?;
        Ok(lock)
    }

    /// Where what is built goes.
    fn place(&self) -> PathBuf {
        self.folder.join(".theus/build")
    }

    fn wasm(&self) -> PathBuf {
        self.place().join(format!("{}.wasm", self.name))
    }
}

/// The programs that a build starts.
pub(super) struct Node {
    pub(super) node: OsString,
    pub(super) npm: OsString,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            node: "node".into(),
            npm: "npm".into(),
        }
    }
}

impl Node {
    /// Refuses a Node that does not run the compiler.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let mut node = Command::new(&self.node);
        node.arg("--version").stdin(Stdio::null());
        let printed = run(&mut node)?;
        let found = String::from_utf8_lossy(&printed.stdout);
        let found = found.trim().trim_start_matches('v');
        let major = found
            .split('.')
            .next()
            .and_then(|it| it.parse::<u32>().ok());
        match major {
            Some(major) if major >= OLDEST_NODE => Ok(()),
            _ => Err(BuildError::NodeTooOld {
                found: if found.is_empty() {
                    "of an unknown version"
                } else {
                    found
                }
                .to_owned(),
            }),
        }
    }

    /// Installs what the lock file names, and runs none of the packages' scripts.
    pub(super) fn install(&self, package: &ScriptPackage) -> Result<(), BuildError> {
        let mut npm = Command::new(&self.npm);
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--no-progress", "--loglevel=error"])
            .current_dir(&package.folder)
            .stdin(Stdio::null());
        let printed = run(&mut npm)?;
        if printed.status.success() {
            return Ok(());
        }
        Err(BuildError::NotInstalled {
            package: package.name.clone(),
            detail: last_words(&printed),
        })
    }

    /// Compiles the folder; where the `.wasm` file lies.
    pub(super) fn compile(
        &self,
        package: &ScriptPackage,
        diagnostics: Diagnostics,
    ) -> Result<PathBuf, BuildError> {
        // Written beside it and renamed: whoever reads the result of an earlier build reads a whole file.
        let unfinished = format!(".theus/build/{}.unfinished.wasm", package.name);
        let mut asc = Command::new(&self.node);
        // Without the option the compiler starts a second Node, with the option.
        asc.args(["--enable-source-maps", COMPILER, "--outFile", &unfinished])
            .current_dir(&package.folder)
            .stdin(Stdio::null());
        if diagnostics != Diagnostics::Hide {
            asc.stderr(Stdio::inherit());
        }
        if diagnostics != Diagnostics::Show {
            asc.arg("--noColors");
        }
        let printed = run(&mut asc)?;
        if !printed.status.success() {
            return Err(BuildError::NotCompiled {
                package: package.name.clone(),
                detail: String::from_utf8_lossy(&printed.stderr).trim().to_owned(),
            });
        }
        let wasm = package.wasm();
        fs::rename(package.folder.join(&unfinished), &wasm).map_err(|source| {
            BuildError::Unwritable {
                path: wasm.clone(),
                source,
            }
        })?;
        Ok(wasm)
    }
}

/// Runs a command and takes what it prints; only a program that cannot be started is an error.
fn run(command: &mut Command) -> Result<Output, BuildError> {
    command.output().map_err(|source| BuildError::NodeMissing {
        tool: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}
