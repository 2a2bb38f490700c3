//! What the operator grants outside the context: `--dir NAME=HOSTPATH`, `--dir-rw NAME=HOSTPATH`, `--grant clock,random`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;
use theus_core::side_effect::directory_name;
use theus_host::Policy;

/// The flags that grant side effects. A contract's asking alone gives it none.
#[derive(Args, Debug, Default)]
pub(super) struct Grants {
    /// Lets processes that ask for `fs:NAME` read the files of a folder, as /NAME; may be given several times
    #[arg(long, value_name = "NAME=HOSTPATH", value_parser = directory)]
    dir: Vec<(String, PathBuf)>,
    /// Lets processes that ask for `fs-rw:NAME` read and write the files of a folder, as /NAME; may be given several times
    #[arg(long, value_name = "NAME=HOSTPATH", value_parser = directory)]
    dir_rw: Vec<(String, PathBuf)>,
    /// Lets processes that ask for it know the time of the run, or draw randomness
    #[arg(long, value_name = "EFFECT", value_enum, value_delimiter = ',')]
    grant: Vec<Effect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Effect {
    Clock,
    Random,
}

/// What a configuration file grants, of what the guest asks for.
#[derive(Debug, Default)]
pub(super) struct FileGrants {
    pub(super) clock: bool,
    pub(super) random: bool,
    pub(super) directories: Vec<(String, PathBuf)>,
    pub(super) writable_directories: Vec<(String, PathBuf)>,
}

impl Grants {
    /// The folders that are granted for writing.
    pub(super) fn writable_directories(&self) -> impl Iterator<Item = PathBuf> {
        self.dir_rw.iter().map(|(_, path)| path.clone())
    }

    /// The contracts as declared, with these side effects and those of the file. Of a directory the flag's path counts.
    pub(super) fn policy(&self, file: &FileGrants) -> Policy {
        let mut policy = Policy::as_declared();
        let of_file = |files: &[(String, PathBuf)], flags: &[(String, PathBuf)]| {
            let given = |name: &String| flags.iter().any(|(given, _)| given == name);
            let left = files.iter().filter(|(name, _)| !given(name));
            left.cloned().collect::<Vec<_>>()
        };
        for (name, path) in of_file(&file.directories, &self.dir) {
            policy = policy.grant_directory(name, path);
        }
        for (name, path) in of_file(&file.writable_directories, &self.dir_rw) {
            policy = policy.grant_writable_directory(name, path);
        }
        if file.clock && !self.grant.contains(&Effect::Clock) {
            policy = policy.grant_clock();
        }
        if file.random && !self.grant.contains(&Effect::Random) {
            policy = policy.grant_random();
        }
        for (name, path) in &self.dir {
            policy = policy.grant_directory(name, path);
        }
        for (name, path) in &self.dir_rw {
            policy = policy.grant_writable_directory(name, path);
        }
        for effect in &self.grant {
            policy = match effect {
                Effect::Clock => policy.grant_clock(),
                Effect::Random => policy.grant_random(),
            };
        }
        policy
    }

    /// The words that give the same grants to another verb.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (name, path) in &self.dir {
            words.extend(["--dir".into(), format!("{name}={}", path.display())]);
        }
        for (name, path) in &self.dir_rw {
            words.extend(["--dir-rw".into(), format!("{name}={}", path.display())]);
        }
        for effect in &self.grant {
            let name = match effect {
                Effect::Clock => "clock",
                Effect::Random => "random",
            };
            words.extend(["--grant".into(), name.into()]);
        }
        words
    }
}

fn directory(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        None => Err("expected NAME=HOSTPATH, as in prices=./prices".into()),
        Some((_, "")) => Err("the path behind `=` is empty".into()),
        Some((name, path)) => directory_name(name)
            .map(|name| (name, path.into()))
            .map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_a_name_and_a_path() {
        let path = |text| directory(text).map(|(name, path)| (name, path.display().to_string()));
        assert_eq!(path("a=b"), Ok(("a".into(), "b".into())));
        assert_eq!(path("a=/b=c"), Ok(("a".into(), "/b=c".into())));
        for (text, expected) in [
            ("a", "expected NAME=HOSTPATH"),
            ("a=", "is empty"),
            ("=b", "the directory name `` is not allowed"),
            ("../a=b", "the directory name `../a` is not allowed"),
        ] {
            let error = directory(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
