//! What is asked for against what is granted.

use super::*;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

fn contracts(lines: &str) -> Vec<Contract> {
    Contract::parse_section(lines.as_bytes()).expect(lines)
}

fn two() -> Vec<Contract> {
    contracts(
        "{\"name\":\"one\",\"side_effects\":[\"clock\",\"fs:prices\"]}\n{\"name\":\"two\",\"side_effects\":[\"random\"]}\n{\"name\":\"three\"}",
    )
}

fn all(path: &Path) -> SideEffectGrants {
    let mut grants = SideEffectGrants::default();
    grants.grant_clock();
    grants.grant_random();
    grants.grant_directory("prices".into(), path.to_owned(), Access::Read);
    grants
}

#[test]
fn each_process_reaches_what_it_asks_for_and_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let (contracts, grants) = (two(), all(folder.path()));
    let open = grants.open(&contracts).expect("all is granted");
    let one = open.reach(&contracts[0]).expect("it asks for something");
    assert!(one.has(&SideEffect::Clock) && !one.has(&SideEffect::Random));
    assert_eq!(one.directories.len(), 1);
    let two = open.reach(&contracts[1]).expect("it asks for something");
    assert!(two.has(&SideEffect::Random) && !two.has(&SideEffect::Clock));
    assert!(two.directories.is_empty());
    assert!(open.reach(&contracts[2]).is_none());
}

#[test]
fn what_does_not_agree_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("the folder is writable");
    let check = |change: &dyn Fn(&mut SideEffectGrants), expected: &str| {
        let mut grants = all(folder.path());
        change(&mut grants);
        let Err(error) = grants.open(&two()) else {
            panic!("granted: {expected}");
        };
        let message = format!("{error} ({})", error.help().unwrap_or_default());
        assert!(message.contains(expected), "{message}");
    };
    check(
        &|grants| drop(grants.0.remove(0)),
        "one: the side effect `clock` is not granted (grant it with `--grant clock`",
    );
    check(
        &|grants| drop(grants.0.pop()),
        "one: the side effect `fs:prices` is not granted (grant it with `--dir prices=FOLDER`",
    );
    check(
        &|grants| grants.grant_clock(),
        "the grant of `clock`: it is given twice",
    );
    check(
        &|grants| grants.grant_directory("prices".into(), "elsewhere".into(), Access::ReadWrite),
        "the grant of `fs-rw:prices`: it is given twice",
    );
    check(
        &|grants| grants.grant_directory("price".into(), folder.path().to_owned(), Access::Read),
        "no process of the guest asks for it; they ask for `fs:prices`, `clock`, `random`",
    );
    check(
        &|grants| grants.grant_directory("../up".into(), folder.path().to_owned(), Access::Read),
        "the directory name `../up` is not allowed",
    );
    for (path, reason) in [("nowhere", "cannot open"), ("file", "cannot open")] {
        check(
            &|grants| {
                grants.0.pop();
                grants.grant_directory("prices".into(), folder.path().join(path), Access::Read);
            },
            reason,
        );
    }
}

/// What the grants of directories come to, for contracts that ask for side effects.
fn granted(lines: &str, directories: &[(&str, &Path, Access)]) -> Result<Vec<Arc<Reach>>, String> {
    let mut grants = SideEffectGrants::default();
    for (name, path, access) in directories {
        grants.grant_directory((*name).to_owned(), path.to_path_buf(), *access);
    }
    let contracts = contracts(lines);
    let told = |error: RegisterError| {
        let help = error.help().unwrap_or_default();
        format!("{}: {error} ({help})", error.code())
    };
    let open = grants.open(&contracts).map_err(told)?;
    Ok(contracts.iter().filter_map(|it| open.reach(it)).collect())
}

/// Not even the grant of a directory of that name gives it for writing; one for writing gives it to who asks to read.
#[test]
fn the_operator_says_aloud_what_is_for_writing_and_the_contract_who_writes() {
    use Access::{Read, ReadWrite};
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let writes = r#"{"name":"write","side_effects":["fs-rw:data"]}"#;
    let both = format!(
        "{writes}\n{}",
        r#"{"name":"read","side_effects":["fs:data"]}"#
    );
    let reads = r#"{"name":"read","side_effects":["fs:data"]}"#;
    for (lines, access, expected) in [
        (
            writes,
            Read,
            "THEUS-C008: write: the side effect `fs-rw:data` is not granted (grant it with `--dir-rw data=FOLDER`",
        ),
        (
            reads,
            ReadWrite,
            "THEUS-U010: the grant of `fs-rw:data`: no process of the guest asks for it; they ask for `fs:data`",
        ),
    ] {
        let error = granted(lines, &[("data", data, access)]).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
    let reaches = granted(&both, &[("data", data, ReadWrite)]).expect("granted");
    assert!(reaches[0].writable.is_some() && reaches[0].directories.is_empty());
    assert!(reaches[1].writable.is_none() && reaches[1].directories.len() == 1);
}

#[test]
fn one_directory_is_written_and_lies_in_no_other() {
    use Access::{Read, ReadWrite};
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let below = data.join("below");
    std::fs::create_dir(&below).expect("it is writable");
    let lines = r#"{"name":"write","side_effects":["fs-rw:a","fs-rw:b"]}"#;
    let two = [("a", data, ReadWrite), ("b", &*below, ReadWrite)];
    let error = granted(lines, &two).expect_err("two are written");
    let expected = "THEUS-C008: write: it writes into `fs-rw:a`, so `fs-rw:b` cannot be granted";
    assert!(error.contains(expected), "{error}");
    let lines = r#"{"name":"write","side_effects":["fs-rw:a","fs:b"]}"#;
    for (a, b) in [(data, &*below), (&*below, data), (data, data)] {
        let error = granted(lines, &[("a", a, ReadWrite), ("b", b, Read)]).expect_err("overlap");
        let expected = "THEUS-U010: the grant of `fs:b`: it overlaps with the directory `a`";
        assert!(error.contains(expected), "{error}");
    }
    let reads = r#"{"name":"read","side_effects":["fs:a","fs:b"]}"#;
    granted(reads, &[("a", data, Read), ("b", &below, Read)]).expect("both are only read");
}

#[test]
fn what_a_call_brings_is_what_the_run_finds() {
    let contracts = contracts(r#"{"name":"p","side_effects":["clock","random"]}"#);
    let mut grants = SideEffectGrants::default();
    grants.grant_clock();
    grants.grant_random();
    let open = grants.open(&contracts).expect("all is granted");
    let reach = open.reach(&contracts[0]).expect("it asks for something");
    let given = Outside {
        time: Some(UNIX_EPOCH + Duration::from_nanos(1_500_000_000_000_000_001)),
        seed: Some(Seed::from_bytes([0xab; 32])),
        ..Outside::default()
    };
    let found = Outside::look(&reach, &given).expect("the system has randomness");
    assert_eq!(found, given);
    let json = serde_json::to_value(&found).expect("json");
    assert_eq!(json["time_ns"], 1_500_000_000_000_000_001_u64);
    assert_eq!(json["seed"], "ab".repeat(32));
    let [one, other] = [(); 2].map(|()| Outside::look(&reach, &Outside::default()).expect("found"));
    assert_ne!(one.seed, other.seed);
    assert!(one.time.is_some_and(|time| time > UNIX_EPOCH));
}

#[test]
fn what_would_be_given_in_vain_is_found() {
    let contracts = contracts(r#"{"name":"p","side_effects":["clock"]}"#);
    let mut grants = SideEffectGrants::default();
    grants.grant_clock();
    let open = grants.open(&contracts).expect("all is granted");
    let reach = open.reach(&contracts[0]).expect("it asks for something");
    let time = Outside {
        time: Some(UNIX_EPOCH),
        ..Outside::default()
    };
    let seed = Outside {
        seed: Some(Seed::from_bytes([0; 32])),
        ..Outside::default()
    };
    assert_eq!(time.beyond(Some(&reach)), None);
    assert_eq!(time.beyond(None), Some(SideEffect::Clock));
    assert_eq!(seed.beyond(Some(&reach)), Some(SideEffect::Random));
    assert_eq!(Outside::default().beyond(None), None);
}
