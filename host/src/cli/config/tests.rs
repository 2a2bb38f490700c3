use super::*;
use std::fs;
use std::time::Duration;

/// Files in a folder of their own.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a parent")).expect("it is writable");
        fs::write(file, text).expect("it is writable");
    }
    folder
}

fn setup(folder: &tempfile::TempDir, target: &str) -> Result<Setup, Failure> {
    let flag = ConfigFlag {
        config: Some(folder.path().join("theus.toml")),
    };
    let target = match target.contains('/') {
        true => folder.path().join(target.trim_start_matches("./")),
        false => PathBuf::from(target),
    };
    Setup::read(&flag, &target)
}

fn path(setup: &Setup, folder: &tempfile::TempDir, word: Word) -> Option<String> {
    let file = setup.file(word, None).expect("a file")?;
    let file = file.strip_prefix(folder.path()).expect("in the folder");
    Some(file.display().to_string())
}

#[test]
fn the_nearest_say_wins() {
    let everything = [
        (
            "theus.toml",
            "version = 1\ncontext = \"all.yaml\"\n[components.g]\npath = \"guest\"\ncontext = \"g.yaml\"\n[components.h]\npath = \"guest\"\n",
        ),
        (
            "guest/theus.toml",
            "version = 1\ncontext = \"own.yaml\"\nschema = \"own-schema.yaml\"\n",
        ),
        ("guest/own.yaml", ""),
        ("guest/own-schema.yaml", ""),
    ];
    let files = folder(&everything);
    for (target, context) in [("g", "g.yaml"), ("h", "all.yaml"), ("./guest", "all.yaml")] {
        let setup = setup(&files, target).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(
            path(&setup, &files, Word::Context).as_deref(),
            Some(context),
            "{target}"
        );
        assert_eq!(
            path(&setup, &files, Word::Schema).as_deref(),
            Some("guest/own-schema.yaml")
        );
        assert_eq!(path(&setup, &files, Word::Recipe), None);
        let flag = Path::new("flag.yaml");
        for word in [Word::Context, Word::Schema, Word::Recipe] {
            let found = setup.file(word, Some(flag)).expect("the flag's");
            assert_eq!(found.as_deref(), Some(flag), "{target} {word:?}");
        }
    }
}

#[test]
fn limits_and_the_mode_are_the_operators() {
    let files = folder(&[
        (
            "theus.toml",
            "version = 1\npermissive = true\n[limits]\ntimeout = \"3s\"\n",
        ),
        ("guest/theus.toml", "version = 1\n"),
    ]);
    let found = setup(&files, "./guest").expect("a setup");
    assert!(found.is_permissive());
    assert_eq!(found.limits().timeout, Duration::from_secs(3));
    assert_eq!(found.limits().fuel, Limits::default().fuel);
    fs::write(
        files.path().join("guest/theus.toml"),
        "version = 1\npermissive = true\n",
    )
    .expect("it is writable");
    let failure = setup(&files, "./guest").expect_err("the guest's own");
    assert_eq!(failure.report.code, "THEUS-U012");
}

#[test]
fn a_folder_is_scanned_for_components() {
    let files = folder(&[
        (
            "theus.toml",
            "version = 1\n[components]\nscan = \"guests\"\n[components.a]\npath = \"guests/a.wasm\"\ncontext = \"c.yaml\"\n",
        ),
        ("guests/a.wasm", ""),
        ("guests/b/Cargo.toml", ""),
        ("guests/c/theus.toml", "version = 1\n"),
        ("guests/notes.txt", ""),
        ("guests/data/file", ""),
    ]);
    for (name, location) in [("a", "guests/a.wasm"), ("b", "guests/b"), ("c", "guests/c")] {
        let setup = setup(&files, name).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(setup.location, files.path().join(location));
    }
    let failure = setup(&files, "data").expect_err("no guest");
    assert!(
        failure.report.message.contains("no component `data`"),
        "{failure:?}"
    );
    assert!(failure.report.help.expect("help").contains("a, b, c"));
    fs::create_dir(files.path().join("guests/a")).expect("it is writable");
    fs::write(files.path().join("guests/a/Cargo.toml"), "").expect("it is writable");
    let failure = setup(&files, "b").expect_err("a clash");
    assert!(
        failure
            .report
            .message
            .contains("two components are called `a`"),
        "{failure:?}"
    );
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_a_guests_folder() {
    let files = folder(&[
        ("theus.toml", "version = 1\n"),
        ("secret.yaml", "domain: { password: x }"),
        ("guest/theus.toml", "version = 1\ncontext = \"c.yaml\"\n"),
    ]);
    let link = files.path().join("guest/c.yaml");
    std::os::unix::fs::symlink("../secret.yaml", link).expect("a link");
    let setup = setup(&files, "./guest").expect("a setup");
    let failure = setup.file(Word::Context, None).expect_err("it leads out");
    assert!(
        failure
            .report
            .message
            .contains("leads out of the guest's folder"),
        "{failure:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_build_command_runs_beside_its_file_and_may_fail() {
    let quiet = Output::plain(
        crate::cli::output::Format::Json,
        crate::cli::color::When::Never,
    );
    let files = folder(&[(
        "theus.toml",
        "version = 1\n[components.g]\npath = \"g.wasm\"\nbuild = \"touch g.wasm\"\n[components.h]\npath = \"h.wasm\"\nbuild = [\"ls\", \"no such file\"]\n",
    )]);
    let built = setup(&files, "g").expect("a setup");
    let failure = built
        .load(&Limits::default(), &quiet)
        .err()
        .expect("an empty file is no guest");
    assert_eq!(failure.report.code, "THEUS-U007", "{failure:?}");
    assert!(files.path().join("g.wasm").exists());
    let failing = setup(&files, "h").expect("a setup");
    let failure = failing
        .load(&Limits::default(), &quiet)
        .err()
        .expect("it fails");
    assert_eq!(failure.report.code, "THEUS-U008", "{failure:?}");
    assert!(
        failure.report.message.contains("no such file"),
        "{failure:?}"
    );
}
