//! Where the command line keeps compiled code.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// The flag that does without.
#[derive(Args, Debug)]
pub(super) struct CacheFlag {
    /// Compiles the guest anew, and keeps no compiled code for later runs
    #[arg(long)]
    no_cache: bool,
}

impl CacheFlag {
    /// The folder of this user's compiled code, if it is wanted and the environment says where caches belong.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        of(std::env::var_os("XDG_CACHE_HOME"), std::env::home_dir())
    }
}

/// The same for an environment: the XDG base directory specification wants paths that are not absolute to be ignored.
fn of(caches: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    caches
        .map(PathBuf::from)
        .filter(absolute)
        .or_else(|| home.filter(absolute).map(|home| home.join(".cache")))
        .map(|caches| caches.join("theus-host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_user_keeps_caches() {
        let cases = [
            (
                Some("/caches"),
                Some("/home/me"),
                Some("/caches/theus-host"),
            ),
            (None, Some("/home/me"), Some("/home/me/.cache/theus-host")),
            (
                Some(""),
                Some("/home/me"),
                Some("/home/me/.cache/theus-host"),
            ),
            (
                Some("here"),
                Some("/home/me"),
                Some("/home/me/.cache/theus-host"),
            ),
            (Some("here"), Some(""), None),
            (None, None, None),
        ];
        for (caches, home, expected) in cases {
            let found = of(caches.map(Into::into), home.map(Into::into));
            assert_eq!(found, expected.map(Into::into), "{caches:?} {home:?}");
        }
    }
}
