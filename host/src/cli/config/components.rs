//! The components of a file: those that it lists, and those of the folder that it has scanned.

use super::file::{ConfigFile, is_same};
use crate::cli::failure::Failure;
use crate::cli::nearest::did_you_mean;
use crate::cli::text::list;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_core::config::{CONFIG_FILE_NAME, Component};

/// Every component of a file, by its name.
#[derive(Debug)]
pub(super) struct Components {
    by_name: BTreeMap<String, Component>,
    origin: String,
}

impl Components {
    /// Lists a file's components; a folder is scanned where the file says so.
    pub(super) fn of(file: &ConfigFile) -> Result<Self, Failure> {
        let listed = &file.config.components;
        let mut by_name = listed.by_name.clone();
        if let Some(scan) = &listed.scan {
            for (name, path) in scanned(&file.beside(scan))? {
                let relative = PathBuf::from(scan).join(path.file_name().unwrap_or_default());
                let component = Component {
                    path: relative.display().to_string(),
                    ..Component::default()
                };
                let Some(earlier) = by_name.get(&name) else {
                    by_name.insert(name, component);
                    continue;
                };
                // A component that is listed to say more about it is no clash.
                if is_same(&file.beside(&earlier.path), &path) {
                    continue;
                }
                let message = format!(
                    "two components are called `{name}`: {} and {}",
                    earlier.path, component.path
                );
                return Err(Failure::new(Code::ConfigFile, message)
                    .about(file.name())
                    .help("rename one of them, or list one under `[components]` by another name and scan no folder that holds it"));
            }
        }
        Ok(Self {
            by_name,
            origin: file.name(),
        })
    }

    /// Their names, in order.
    pub(super) fn names(self) -> Vec<String> {
        self.by_name.into_keys().collect()
    }

    /// The schemas that components name for themselves.
    pub(super) fn schemas(self) -> Vec<String> {
        let components = self.by_name.into_values();
        components.filter_map(|it| it.schema).collect()
    }

    /// The component that TARGET names, where it is a name and no path.
    pub(super) fn named(&self, target: &Path) -> Result<Option<(String, Component)>, Failure> {
        let Some(name) = target.to_str().filter(|it| !it.contains(['/', '\\'])) else {
            return Ok(None);
        };
        if let Some(component) = self.by_name.get(name) {
            return Ok(Some((name.to_owned(), component.clone())));
        }
        if self.by_name.is_empty() || target.exists() {
            return Ok(None);
        }
        let names: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        let message = format!("there is no component `{name}`, and no file or folder of that name");
        Err(Failure::new(Code::Unreadable, message)
            .help(format!(
                "{} has the components: {}",
                self.origin,
                list(&names, "none")
            ))
            .help_if(did_you_mean(name, names)))
    }

    /// The one component of a file in a target's folder; none where the folder itself is the guest.
    pub(super) fn only(mut self, file: &ConfigFile) -> Result<Option<Component>, Failure> {
        match self.by_name.len() {
            0 => Ok(None),
            1 => Ok(self.by_name.pop_first().map(|(_, component)| component)),
            _ => {
                let names: Vec<_> = self.by_name.keys().collect();
                let message = format!(
                    "the folder has several components: {}",
                    list(&names, "none")
                );
                Err(Failure::new(Code::ConfigFile, message)
                    .about(file.name())
                    .help(
                        "name one of them: by its name where the file is yours, else by its path",
                    ))
            }
        }
    }
}

/// Every `.wasm` file and every guest's folder directly in a folder, by name.
fn scanned(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let unreadable = |error| Failure::file("read", folder, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let holds = |name: &str| path.join(name).is_file();
        let is_wasm = path.is_file() && path.extension().is_some_and(|it| it == "wasm");
        let name = if is_wasm {
            path.file_stem()
        } else if holds("Cargo.toml") || holds(CONFIG_FILE_NAME) {
            path.file_name()
        } else {
            None
        };
        if let Some(name) = name.and_then(|it| it.to_str()) {
            found.push((name.to_owned(), path.clone()));
        }
    }
    found.sort();
    // Two of the scan itself, such as `a.wasm` beside `a/`.
    if let Some(twice) = found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let message = format!(
            "two components are called `{}`: {} and {}",
            twice[0].0,
            twice[0].1.display(),
            twice[1].1.display()
        );
        return Err(Failure::new(Code::ConfigFile, message)
            .help("rename one of them, or list one under `[components]` by another name and scan no folder that holds it"));
    }
    Ok(found)
}
