use super::cargo::artefact;
use super::*;
use std::fs;
use std::path::Path;
use theus_core::code::ErrorKind;

const FOLDER: &str = "/guests/shop";

/// What `cargo metadata --no-deps` says of one package.
fn metadata(crate_type: &str, theus: &str) -> String {
    format!(
        r#"{{"packages":[{{"name":"my-shop","manifest_path":"{FOLDER}/Cargo.toml","metadata":{theus},
            "targets":[{{"name":"my-shop","crate_types":["{crate_type}","rlib"]}}]}}],
            "target_directory":"/nowhere/target"}}"#
    )
}

fn parse(metadata: &str, folder: &str) -> Result<Package, BuildError> {
    Package::parse(metadata.as_bytes(), Path::new(folder))
}

#[test]
fn the_manifest_chooses_the_target() {
    let target = |theus| parse(&metadata("cdylib", theus), FOLDER).map(|package| package.target);
    assert_eq!(
        target("null").expect("default"),
        Target::Wasm32UnknownUnknown
    );
    let wasip2 = r#"{"theus":{"target":"wasm32-wasip2"}}"#;
    assert_eq!(target(wasip2).expect("wasip2"), Target::Wasm32Wasip2);
    let error = target(r#"{"theus":{"target":"wasm32-wasip1"}}"#).expect_err("unknown");
    assert!(error.to_string().contains("`wasm32-wasip1`"), "{error}");
}

#[test]
fn a_folder_that_makes_no_guest_says_what_it_lacks() {
    let error = parse(&metadata("lib", "null"), FOLDER).expect_err("no cdylib");
    assert!(error.help().expect("help").contains("cdylib"));
    let error = parse(&metadata("cdylib", "null"), "/guests").expect_err("a workspace");
    assert_eq!(
        error.help().expect("help"),
        "give the folder of one package: /guests/shop"
    );
    let error = Build::new(env!("CARGO_MANIFEST_DIR").to_owned() + "/src")
        .run()
        .expect_err("no manifest");
    assert!(matches!(error, BuildError::NoManifest { .. }), "{error}");
    assert_eq!(error.code().kind(), ErrorKind::Usage);
}

#[test]
fn only_the_package_s_own_wasm_is_the_artefact() {
    let line = |manifest: &str, file: &str| {
        format!(
            r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","filenames":["{file}"]}}"#
        )
    };
    let own = "/guests/shop/Cargo.toml";
    let messages = [
        "not json".to_owned(),
        line("/other/Cargo.toml", "/t/other.wasm"),
        line(own, "/t/build-script-build"),
        line(own, "/t/my_shop.wasm"),
        r#"{"reason":"build-finished","success":true}"#.to_owned(),
    ];
    assert_eq!(
        artefact(&messages.join("\n"), Path::new(own)),
        Some(PathBuf::from("/t/my_shop.wasm"))
    );
    assert_eq!(artefact(&messages[..3].join("\n"), Path::new(own)), None);
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let mut build = Build::new(env!("CARGO_MANIFEST_DIR"));
    build.tools.cargo = "no-such-cargo".into();
    let error = build.run().expect_err("no cargo");
    assert!(error.to_string().contains("`no-such-cargo`"), "{error}");
}

/// Programs that every Unix has stand in for the toolchain: `echo` for a rustc without the target.
#[cfg(unix)]
#[test]
fn a_target_that_cannot_be_added_names_the_command_to_type() {
    let (folder, target) = (Path::new("/"), Target::Wasm32Wasip2);
    let tools = |rustup: &str| Tools {
        cargo: "cargo".into(),
        rustc: "echo".into(),
        rustup: rustup.into(),
    };
    assert!(!tools("true").has_target(folder, target).expect("asked"));
    for (rustup, expected) in [
        ("false", "exit status: 1"),
        ("true", "it reported success"),
        ("no-such-rustup", "`rustup` cannot be started"),
    ] {
        let error = tools(rustup).add_target(folder, target).expect_err(rustup);
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(
            error.help().as_deref(),
            Some("type: rustup target add wasm32-wasip2")
        );
    }
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in files {
        fs::write(folder.path().join(file), text).expect("it is writable");
    }
    folder
}

const MANIFEST: &str = r#"{"name": "@shops/shop", "dependencies": {"theus-guest": "*"}, "devDependencies": {"assemblyscript": "*"}}"#;

#[test]
fn a_folder_that_is_no_guest_in_assemblyscript_says_what_it_lacks() {
    let config = ("asconfig.json", "{}");
    let lock = ("package-lock.json", "{}");
    for (files, expected) in [
        (
            vec![("package.json", "{"), config, lock],
            "package.json: EOF",
        ),
        (
            vec![("package.json", r#"{"name": "shop"}"#), config, lock],
            "package.json: it does not depend on the package `theus-guest`",
        ),
        (
            vec![
                (
                    "package.json",
                    r#"{"name": "shop", "dependencies": {"theus-guest": "*"}}"#,
                ),
                config,
                lock,
            ],
            "package.json: it does not depend on the package `assemblyscript`",
        ),
        (
            vec![("package.json", MANIFEST), lock],
            "asconfig.json: the file is missing",
        ),
        (
            vec![("package.json", MANIFEST), config],
            "package-lock.json: the file is missing",
        ),
        (
            vec![
                ("package.json", &*MANIFEST.replace("@shops/shop", "..")),
                config,
                lock,
            ],
            "package.json: it gives the package no name",
        ),
    ] {
        let folder = folder(&files);
        let error = Build::new(folder.path()).run().expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.help().expect("help").contains("asconfig.json"));
        assert_eq!(error.code().kind(), ErrorKind::Usage);
    }
}

#[test]
fn a_node_that_is_not_there_is_named_with_the_version_that_is_needed() {
    let folder = folder(&[
        ("package.json", MANIFEST),
        ("asconfig.json", "{}"),
        ("package-lock.json", "{}"),
    ]);
    let mut build = Build::new(folder.path());
    build.node.node = "no-such-node".into();
    let error = build.run().expect_err("no node");
    let expected =
        "`no-such-node` cannot be started, but the AssemblyScript parts need Node >= 20: ";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert!(error.help().expect("help").contains("nodejs.org"));
}

/// Shell scripts stand in for node and npm.
#[cfg(unix)]
#[test]
fn what_node_and_npm_cannot_do_is_told_with_its_remedy() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = folder(&[
        ("package.json", MANIFEST),
        ("asconfig.json", "{}"),
        ("package-lock.json", "{}"),
    ]);
    let program = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("it is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        file
    };
    let node = program(
        "node",
        r#"[ "$1" = --version ] && echo v20.1.0 || { echo "no compiler" >&2; exit 1; }"#,
    );
    let old = program("old", "echo v18.19.1");
    let offline = program("offline", "echo 'npm error code ENOTFOUND' >&2; exit 1");
    let broken = program("broken", "echo 'npm error lock file' >&2; exit 1");
    let idle = program("idle", "exit 0");
    for (node, npm, expected, help) in [
        (
            &old,
            &idle,
            "Node 18.19.1 is installed, but the AssemblyScript parts need Node >= 20",
            "nodejs.org",
        ),
        (
            &node,
            &offline,
            "npm did not install the packages of `shops-shop`:\nnpm error code ENOTFOUND",
            "registry",
        ),
        (
            &node,
            &broken,
            "npm did not install the packages of `shops-shop`:\nnpm error lock file",
            "npm ci",
        ),
        (
            &node,
            &idle,
            "asc did not compile the package `shops-shop`:\nno compiler",
            "npx asc",
        ),
    ] {
        let mut steps = Vec::new();
        let mut build = Build::new(folder.path())
            .diagnostics(Diagnostics::Hide)
            .on_step(|step| steps.push(step.clone()));
        build.node = Node {
            node: node.into(),
            npm: npm.into(),
        };
        let error = build.run().expect_err(expected);
        assert_eq!(error.to_string(), expected);
        assert!(
            error.help().expect("help").contains(help),
            "{:?}",
            error.help()
        );
        let installing = Step::InstallPackages {
            package: "shops-shop".into(),
        };
        assert_eq!(steps.contains(&installing), node != &old, "{steps:?}");
    }
}
