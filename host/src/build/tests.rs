use super::*;
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
