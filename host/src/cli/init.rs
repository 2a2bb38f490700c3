//! `init`: a project that builds and passes its own cases, with the SDK's sources in it. Nothing is ever overwritten.

mod embedded;
mod name;

use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::text::escape;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use theus_core::code::Code;

/// The flags and words of `init`.
#[derive(Args, Debug)]
pub(super) struct Init {
    /// The project's name, and that of the folder that is made for it
    #[arg(value_parser = name::parse)]
    name: String,
    /// The language that the guest is written in
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    lang: Lang,
    /// An SDK's folder to build with (`guest-sdk/rust` or `guest-sdk/assemblyscript` of a checkout) instead of the one that
    /// this program carries
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Lang {
    #[default]
    Rust,
    #[value(name = "assemblyscript")]
    AssemblyScript,
}

/// What is printed: where the project is, and what is in it but for the SDK.
#[derive(Serialize)]
struct Report {
    folder: String,
    lang: &'static str,
    sdk: String,
    files: Vec<String>,
    error: (),
}

/// The SDK as a dependency: the path that a manifest names, and what has to be written for it.
struct Sdk {
    path: String,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Init {
    /// Makes the project's folder, whole or not at all.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let sdk = match &self.sdk {
            Some(folder) => self.elsewhere(folder)?,
            None => Sdk {
                path: format!("{}/{}", embedded::FOLDER, self.lang.sdk()),
                files: match self.lang {
                    Lang::Rust => embedded::rust_sdk()?,
                    Lang::AssemblyScript => embedded::script_sdk(),
                },
            },
        };
        let files = match self.lang {
            Lang::Rust => embedded::rust_project(&self.name, &sdk.path),
            Lang::AssemblyScript => embedded::script_project(&self.name, &sdk.path),
        };
        let folder = PathBuf::from(&self.name);
        fs::create_dir(&folder).map_err(|error| {
            Failure::file("make", &folder, &error)
                .help("choose another name: nothing is overwritten")
        })?;
        let written = files
            .iter()
            .chain(&sdk.files)
            .try_for_each(|(path, bytes)| {
                let file = folder.join(path);
                write(&file, bytes).map_err(|error| Failure::file("write", &file, &error))
            });
        if let Err(failure) = written {
            // The folder is this command's own. The first error is the one to tell of.
            let _ = fs::remove_dir_all(&folder);
            return Err(failure);
        }
        let names = files.iter().map(|(path, _)| path.display().to_string());
        let report = Report {
            folder: self.name.clone(),
            lang: self.lang.name(),
            sdk: sdk.path,
            files: names.collect(),
            error: (),
        };
        report.print(output)?;
        Ok(exit::OK)
    }
}

impl Init {
    /// An SDK that is there already.
    fn elsewhere(&self, folder: &Path) -> Result<Sdk, Failure> {
        let (manifest, name) = match self.lang {
            Lang::Rust => ("Cargo.toml", "name = \"theus-guest\""),
            Lang::AssemblyScript => ("package.json", "\"name\": \"theus-guest\","),
        };
        let manifest = folder.join(manifest);
        let text = fs::read_to_string(&manifest)
            .map_err(|error| Failure::file("read", &manifest, &error).help(SDK_HELP))?;
        if !text.lines().any(|line| line.trim() == name) {
            let problem = format!(
                "{} is not the manifest of `theus-guest`",
                manifest.display()
            );
            return Err(Failure::new(Code::CommandLine, problem).help(SDK_HELP));
        }
        let path = folder
            .canonicalize()
            .map_err(|error| Failure::file("read", folder, &error))?;
        let path = match self.lang {
            Lang::Rust => path,
            // npm writes the way from the project into its lock file.
            Lang::AssemblyScript => way_from(&self.name, &path)?,
        };
        let path = path.to_str().map(str::to_owned).ok_or_else(|| {
            let problem = format!("the path {} is not UTF-8", path.display());
            Failure::new(Code::CommandLine, problem)
        })?;
        Ok(Sdk {
            path,
            files: Vec::new(),
        })
    }
}

/// The way from a folder below the current one to a place.
fn way_from(name: &str, place: &Path) -> Result<PathBuf, Failure> {
    let here = Path::new(".");
    let from = here
        .canonicalize()
        .map_err(|error| Failure::file("read", here, &error))?
        .join(name);
    let shared = from
        .components()
        .zip(place.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    Ok(up.chain(place.components().skip(shared)).collect())
}

impl Lang {
    /// The language's name on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::AssemblyScript => "assemblyscript",
        }
    }

    /// The folder of its SDK in the project's sources.
    fn sdk(self) -> &'static str {
        match self {
            Self::Rust => "guest-sdk/rust",
            Self::AssemblyScript => "guest-sdk/assemblyscript",
        }
    }
}

impl Report {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(self);
        }
        let mut text = format!(
            "made {} with the SDK in {}\n",
            self.folder,
            escape(&self.sdk)
        );
        for file in &self.files {
            text.push_str(&format!("  {file}\n"));
        }
        text.push_str(&format!(
            "next:\n  cd {}\n  theus-host test .\n  theus-host run . by=2\n",
            self.folder
        ));
        output.data(&text)
    }
}

const SDK_HELP: &str = "--sdk names the folder of the package `theus-guest`; without it the SDK that this program carries is used";

/// Writes one file of a new folder.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    debug_assert!(
        file.components()
            .all(|it| matches!(it, Component::Normal(_)))
    );
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    File::create_new(file)?.write_all(bytes)
}
