//! What is asked for against what is granted.

use super::*;
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
    grants.grant_directory("prices".into(), path.to_owned());
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
        &|grants| grants.grant_directory("prices".into(), "elsewhere".into()),
        "the grant of `fs:prices`: it is given twice",
    );
    check(
        &|grants| grants.grant_directory("price".into(), folder.path().to_owned()),
        "no process of the guest asks for it; they ask for `fs:prices`, `clock`, `random`",
    );
    check(
        &|grants| grants.grant_directory("../up".into(), folder.path().to_owned()),
        "the directory name `../up` is not allowed",
    );
    for (path, reason) in [("nowhere", "cannot open"), ("file", "cannot open")] {
        check(
            &|grants| {
                grants.0.pop();
                grants.grant_directory("prices".into(), folder.path().join(path));
            },
            reason,
        );
    }
}

/// Not even the grant of a directory of that name gives it for writing.
#[test]
fn a_directory_for_writing_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let writes = contracts(r#"{"name":"write","side_effects":["fs-rw:prices"]}"#);
    let mut grants = SideEffectGrants::default();
    grants.grant_directory("prices".into(), folder.path().to_owned());
    let Err(error) = grants.open(&writes) else {
        panic!("granted for writing");
    };
    assert_eq!(error.code().as_str(), "THEUS-C008");
    let help = error.help().expect("help");
    assert!(help.contains("no directory for writing"), "{help}");
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
        directories: Vec::new(),
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
