//! A run's area against a directory that is really written into; commits, and what killed hosts leave.

use super::area::Opened;
use super::folder::Folder;
use super::*;
use cap_std::ambient_authority;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::time::Duration;
use theus_core::limits::Limit;

const PATIENCE: Duration = Duration::from_secs(60);

fn directory(path: &Path) -> Directory {
    Directory::open("data", path).expect("it is there")
}

/// There is no state to ask.
fn no_state(_: &Awaits) -> Result<bool, &'static str> {
    Err("is not here")
}

fn begin(path: &Path) -> Staging {
    Staging::begin(
        &directory(path),
        &Limits::default(),
        Instant::now() + PATIENCE,
        &no_state,
    )
    .unwrap_or_else(|problem| panic!("{problem}"))
}

fn commit(mut staging: Staging) -> Vec<FileChange> {
    let changes = staging
        .changes()
        .unwrap_or_else(|problem| panic!("{problem}"));
    let done = staging
        .prepare(None)
        .and_then(|()| staging.decide())
        .and_then(|()| staging.finish());
    done.unwrap_or_else(|problem| panic!("{problem}"));
    changes
}

/// A tree of files as a map: contents, or none for a directory.
type Files = BTreeMap<String, Option<String>>;

fn files(path: &Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry").path();
            let name = entry
                .strip_prefix(path)
                .expect("below")
                .display()
                .to_string();
            let contents = if entry.is_dir() {
                open.push(entry);
                None
            } else {
                Some(fs::read_to_string(&entry).expect("a file"))
            };
            files.insert(name, contents);
        }
    }
    files
}

fn seen(area: &mut Area, place: &Place, above: &str, files: &mut Files) {
    for (name, kind) in area.list(place).expect("it can be listed") {
        let shown = format!("{above}{name}");
        if kind.is_dir() {
            files.insert(shown.clone(), None);
            let child = place.child(&name).expect("it is not deep");
            seen(area, &child, &format!("{shown}/"), files);
            continue;
        }
        let opened = area.open(place, &name, Opening::default()).expect(&shown);
        let mut text = String::new();
        match opened {
            Opened::Real(mut file) => file.read_to_string(&mut text).map(drop),
            Opened::Staged(number) => {
                let mut file = area.file(number).expect("it is staged");
                std::io::Seek::rewind(&mut file)
                    .and_then(|()| file.read_to_string(&mut text))
                    .map(drop)
            }
            Opened::Directory(_) => panic!("{shown} is listed as a file"),
        }
        .expect("it can be read");
        files.insert(shown, Some(text));
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("small")
    }

    fn path(&mut self) -> String {
        let depth = 1 + self.below(3);
        let names: Vec<_> = (0..depth).map(|_| ["a", "b", "c"][self.below(3)]).collect();
        names.join("/")
    }
}

/// One step, in the area and in a real directory; whether it could be done.
fn step(area: &mut Area, model: &Path, random: &mut Random) -> (String, bool, bool) {
    let top = Place::default();
    let (path, other) = (random.path(), random.path());
    let [at, to] = [&path, &other].map(|it| model.join(it));
    let text = format!("text {}", random.below(100));
    let write = |area: &mut Area, truncate| {
        let how = Opening {
            create: true,
            write: true,
            truncate,
            ..Opening::default()
        };
        let Opened::Staged(number) = area.open(&top, &path, how)? else {
            return Err(FileProblem::IsDirectory);
        };
        let end = area.size(number);
        area.write(number, text.as_bytes(), end)
    };
    match random.below(7) {
        0 | 1 => (
            format!("write {path}"),
            write(area, true).is_ok(),
            fs::write(&at, &text).is_ok(),
        ),
        2 => {
            let mut options = fs::OpenOptions::new();
            options.append(true).create(true);
            let appended = options
                .open(&at)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
            (
                format!("append {path}"),
                write(area, false).is_ok(),
                appended.is_ok(),
            )
        }
        3 => (
            format!("make {path}"),
            area.create_directory(&top, &path).is_ok(),
            fs::create_dir(&at).is_ok(),
        ),
        4 => (
            format!("unmake {path}"),
            area.remove_directory(&top, &path).is_ok(),
            fs::remove_dir(&at).is_ok(),
        ),
        5 => (
            format!("remove {path}"),
            area.remove_file(&top, &path).is_ok(),
            fs::remove_file(&at).is_ok(),
        ),
        _ => match area.rename((&top, &path), (&top, &other)) {
            // The one thing that a real directory does and an area does not.
            Err(FileProblem::CrossDevice) => (format!("rename {path} {other}"), true, true),
            renamed => (
                format!("rename {path} {other}"),
                renamed.is_ok(),
                fs::rename(&at, &to).is_ok(),
            ),
        },
    }
}

/// What a run sees, and what it leaves, is what it would be had it written into the directory itself.
#[test]
fn an_area_is_a_directory_and_a_commit_makes_it_one() {
    for seed in 1..=60_u64 {
        let folder = tempfile::tempdir().expect("a folder");
        let [real, model] = ["real", "model"].map(|name| folder.path().join(name));
        for path in [&real, &model] {
            fs::create_dir_all(path.join("a/b")).expect("it is writable");
            fs::create_dir(path.join("c")).expect("it is writable");
            for file in ["a/c", "a/b/a", "b"] {
                fs::write(path.join(file), file).expect("it is writable");
            }
        }
        let before = files(&real);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let staging = begin(&real);
        let mut steps = Vec::new();
        for _ in 0..25 {
            let mut area = locked(staging.area());
            let (name, here, there) = step(&mut area, &model, &mut random);
            steps.push(name);
            assert_eq!(here, there, "seed {seed}: {steps:?}");
            let mut now = Files::new();
            seen(&mut area, &Place::default(), "", &mut now);
            assert_eq!(now, files(&model), "seed {seed}: {steps:?}");
        }
        let real_now: Files = files(&real)
            .into_iter()
            .filter(|(name, _)| !name.starts_with(PRIVATE))
            .collect();
        assert_eq!(real_now, before, "seed {seed}: before the commit");
        if seed % 4 == 0 {
            drop(staging);
            assert_eq!(files(&real), before, "seed {seed}: rolled back");
        } else {
            commit(staging);
            assert_eq!(files(&real), files(&model), "seed {seed}: {steps:?}");
        }
    }
}

fn write(staging: &Staging, path: &str, text: &str) {
    let mut area = locked(staging.area());
    let how = Opening {
        create: true,
        write: true,
        truncate: true,
        ..Opening::default()
    };
    let Ok(Opened::Staged(number)) = area.open(&Place::default(), path, how) else {
        panic!("{path} cannot be written");
    };
    area.write(number, text.as_bytes(), 0).expect(path);
}

/// Whoever else changes what a run changes is not undone.
#[test]
fn a_change_by_somebody_else_is_seen_before_the_decision() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 7] = [
        ("file", |data| {
            fs::write(data.join("file"), "theirs").expect("writable");
        }),
        ("file", |data| {
            fs::remove_file(data.join("file")).expect("writable");
        }),
        ("file", |data| {
            fs::write(data.join("theirs"), "mine").expect("writable");
            fs::rename(data.join("theirs"), data.join("file")).expect("writable");
        }),
        ("new", |data| {
            fs::write(data.join("new"), "theirs").expect("writable");
        }),
        ("folder/new", |data| {
            fs::remove_dir(data.join("folder")).expect("writable");
        }),
        #[cfg(unix)]
        ("folder/new", |data| {
            fs::remove_dir(data.join("folder")).expect("writable");
            std::os::unix::fs::symlink("/tmp", data.join("folder")).expect("a link");
        }),
        #[cfg(unix)]
        ("file", |data| {
            fs::remove_file(data.join("file")).expect("writable");
            std::os::unix::fs::symlink("../secret", data.join("file")).expect("a link");
        }),
    ];
    for (index, (path, change)) in changes.into_iter().enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("folder")).expect("it is writable");
        fs::write(data.join("file"), "text").expect("it is writable");
        fs::write(folder.path().join("secret"), "secret").expect("it is writable");
        let staging = begin(&data);
        write(&staging, path, "mine");
        change(&data);
        let problem = staging.changes().expect_err("it was changed");
        let expected = DirectoryProblem::Changed { file: path.into() };
        assert_eq!(problem, expected, "change {index}");
        drop(staging);
        assert!(!data.join(PRIVATE).exists(), "change {index}");
        let secret = fs::read_to_string(folder.path().join("secret")).expect("it is there");
        assert_eq!(secret, "secret");
    }
}

/// The window between the last look and the rename is small, but it is there: a link in it is replaced, never followed.
#[cfg(unix)]
#[test]
fn a_link_that_is_put_there_after_the_decision_is_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("folder")).expect("it is writable");
    fs::create_dir(folder.path().join("outside")).expect("it is writable");
    fs::write(folder.path().join("secret"), "secret").expect("it is writable");
    let mut staging = begin(&data);
    write(&staging, "file", "mine");
    write(&staging, "folder/new", "mine");
    staging.changes().expect("unchanged");
    staging
        .prepare(None)
        .and_then(|()| staging.decide())
        .expect("decided");
    symlink("../secret", data.join("file")).expect("a link");
    fs::remove_dir(data.join("folder")).expect("it is empty");
    symlink("../outside", data.join("folder")).expect("a link");
    let problem = staging.finish().expect_err("there is a link in the way");
    assert!(problem.to_string().contains("is a link"), "{problem}");
    drop(staging);
    let read = |path: &Path| fs::read_to_string(path).expect("it is there");
    assert_eq!(read(&folder.path().join("secret")), "secret");
    assert_eq!(read(&data.join("file")), "mine");
    assert!(files(&folder.path().join("outside")).is_empty());
    // It stays decided: once the link is gone, whoever comes next does the rest.
    fs::remove_file(data.join("folder")).expect("the link");
    fs::create_dir(data.join("folder")).expect("it is writable");
    assert_eq!(recover(&directory(&data), &no_state), Ok(Recovered::Commit));
    assert_eq!(read(&data.join("folder/new")), "mine");
    assert!(!data.join(PRIVATE).exists());
}

/// What a killed host leaves: the folder with two staged files, and the manifest where it came that far.
fn left(data: &Path, manifest: Option<&Manifest>) {
    let root = Dir::open_ambient_dir(data, ambient_authority()).expect("it is there");
    let folder = Folder::make(&root).expect("it is writable");
    for (number, text) in ["one", "two"].into_iter().enumerate() {
        let mut file = folder.create(number).expect("it is writable");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("it is writable");
    }
    if let Some(manifest) = manifest {
        let bytes = manifest.encode().expect("encoded");
        folder.write_manifest(&bytes).expect("it is writable");
        folder.decide().expect("it is writable");
    }
}

fn two_files() -> Manifest {
    let put = |name: &str, number, text: &str| FileStep::Put {
        at: Place::default().child(name).expect(name),
        number,
        bytes: text.len() as u64,
        sha256: manifest::hex(&<sha2::Sha256 as sha2::Digest>::digest(text)),
    };
    Manifest {
        steps: vec![put("1", 0, "one"), put("2", 1, "two")],
        awaits: None,
    }
}

#[test]
fn what_was_decided_is_completed_and_what_was_not_is_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    left(data, None);
    assert_eq!(recover(&directory(data), &no_state), Ok(Recovered::Nothing));
    assert_eq!(files(data), Files::new());
    left(data, Some(&two_files()));
    // One of them was in place already.
    fs::rename(data.join(PRIVATE).join("0"), data.join("1")).expect("it is there");
    assert_eq!(recover(&directory(data), &no_state), Ok(Recovered::Commit));
    let expected = [("1", "one"), ("2", "two")];
    let expected = expected.map(|(name, text)| (name.to_owned(), Some(text.to_owned())));
    assert_eq!(files(data), Files::from(expected));
}

/// The state alone says what becomes of files that await its commit; where it cannot, they stay as they are.
#[test]
fn what_awaits_a_commit_goes_the_way_of_the_commit() {
    let awaits = Awaits {
        state: crate::store::Hash::of_bytes(b"state"),
        commit: crate::store::CommitId::from_bytes([7; 16]),
        behind: 3,
    };
    for (fate, expected, left_over) in [
        (Ok(true), Ok(Recovered::Commit), ["1", "2"].as_slice()),
        (Ok(false), Ok(Recovered::Nothing), &[]),
        (Err("is gone"), Err("is gone"), &[]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        left(data, None);
        let root = Dir::open_ambient_dir(data, ambient_authority()).expect("it is there");
        let kept = Folder::left(&root, data).expect("ours").expect("there");
        let manifest = Manifest {
            awaits: Some(awaits),
            ..two_files()
        };
        kept.write_manifest(&manifest.encode().expect("encoded"))
            .and_then(|()| kept.await_commit())
            .expect("it is writable");
        let asked = std::cell::Cell::new(None);
        let recovered = recover(&directory(data), &|it| {
            asked.set(Some(*it));
            fate
        });
        assert_eq!(asked.get(), Some(awaits));
        let folder = data.join(PRIVATE);
        let expected = expected.map_err(|reason| DirectoryProblem::Awaits { folder, reason });
        assert_eq!(recovered, expected);
        let in_place: Vec<_> = ["1", "2"]
            .into_iter()
            .filter(|name| data.join(name).exists())
            .collect();
        assert_eq!(in_place, left_over);
        assert_eq!(
            data.join(PRIVATE).exists(),
            fate.is_err(),
            "nothing is lost"
        );
    }
}

/// Damage is told, and nothing is touched: neither the directory nor what could still be saved by hand.
#[test]
fn damage_is_told_and_nothing_is_lost() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("does not match its checksum", |left| {
            let mut bytes = fs::read(left.join("manifest")).expect("it is there");
            bytes[20] ^= 1;
            fs::write(left.join("manifest"), bytes).expect("it is writable");
        }),
        ("is cut off", |left| {
            fs::write(left.join("manifest"), "").expect("it is writable");
        }),
        ("the staged file 1 does not match", |left| {
            fs::write(left.join("1"), "twx").expect("it is writable");
        }),
        ("the staged file 1 does not match", |left| {
            fs::write(left.join("1"), "").expect("it is writable");
        }),
    ];
    for (expected, damage) in damages {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        left(data, Some(&two_files()));
        damage(&data.join(PRIVATE));
        let before = files(data);
        let problem = recover(&directory(data), &no_state).expect_err("it is damaged");
        let told = format!("{problem}: {}", problem.help());
        assert!(told.contains(expected), "{told}");
        assert!(told.contains(PRIVATE), "it names the folder: {told}");
        let begun = Staging::begin(
            &directory(data),
            &Limits::default(),
            Instant::now(),
            &no_state,
        );
        assert_eq!(begun.err(), Some(problem), "no run may go over it");
        assert_eq!(files(data), before);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_not_the_hosts_is_not_obeyed() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let not_ours = |data: &Path, expected: &str| {
        let problem = recover(&directory(data), &no_state).expect_err(expected);
        assert!(problem.to_string().contains(expected), "{problem}");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    left(data, Some(&two_files()));
    let private = data.join(PRIVATE);
    fs::set_permissions(&private, fs::Permissions::from_mode(0o770)).expect("it is ours");
    not_ours(data, "is open to other users");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).expect("it is ours");
    fs::rename(&private, data.join("elsewhere")).expect("it is writable");
    symlink("elsewhere", &private).expect("a link");
    not_ours(data, "is no directory");
    fs::remove_file(&private).expect("the link");
    fs::write(&private, "").expect("it is writable");
    not_ours(data, "is no directory");
    assert!(!data.join("1").exists());
}

#[test]
fn one_run_at_a_time_has_a_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = begin(folder.path());
    let soon = Instant::now() + Duration::from_millis(20);
    let second = Staging::begin(
        &directory(folder.path()),
        &Limits::default(),
        soon,
        &no_state,
    );
    assert_eq!(second.err(), Some(DirectoryProblem::InUse));
    assert_eq!(
        recover(&directory(folder.path()), &no_state),
        Ok(Recovered::InUse)
    );
    drop(first);
    drop(begin(folder.path()));
}

/// A manifest that came back after its work was done would remove what is there anew.
#[test]
fn only_the_file_that_was_to_be_removed_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    fs::write(data.join("old"), "old").expect("it is writable");
    let root = Dir::open_ambient_dir(data, ambient_authority()).expect("it is there");
    let was = Stamp::of(&root.metadata("old").expect("it is there"));
    fs::remove_file(data.join("old")).expect("it is there");
    fs::write(data.join("old"), "anew").expect("it is writable");
    let at = Place::default().child("old").expect("a place");
    let manifest = Manifest {
        awaits: None,
        steps: vec![FileStep::Remove { at, was }],
    };
    left(data, Some(&manifest));
    assert_eq!(recover(&directory(data), &no_state), Ok(Recovered::Commit));
    assert_eq!(
        fs::read_to_string(data.join("old")).ok().as_deref(),
        Some("anew")
    );
}

#[test]
fn files_and_bytes_are_bounded_and_never_given_back() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("large"), vec![b'x'; 80]).expect("it is writable");
    let limits = Limits {
        staged_files: 3,
        staged_bytes: 100,
        ..Limits::default()
    };
    let area = || Area::new(directory(folder.path()).dir, &limits);
    let top = Place::default();
    let how = Opening {
        create: true,
        write: true,
        ..Opening::default()
    };
    let exceeded = |result: Result<(), FileProblem>, limit| match result {
        Err(FileProblem::Limit(exceeded)) => assert_eq!(exceeded.limit, limit),
        other => panic!("{limit:?}: {other:?}"),
    };
    let open = |area: &mut Area, name: &str| match area.open(&top, name, how) {
        Ok(Opened::Staged(number)) => Ok(number),
        Ok(_) => panic!("{name} is no file of the run"),
        Err(problem) => Err(problem),
    };
    let mut files = area();
    for name in ["1", "2", "3"] {
        open(&mut files, name).expect(name);
        files.remove_file(&top, name).expect(name);
    }
    exceeded(files.create_directory(&top, "4"), Limit::StagedFiles);
    exceeded(open(&mut files, "4").map(drop), Limit::StagedFiles);
    exceeded(files.remove_file(&top, "large"), Limit::StagedFiles);
    files
        .folder
        .take()
        .expect("made")
        .remove(&files.root)
        .expect("removed");

    let mut bytes = area();
    let number = open(&mut bytes, "large").expect("80 bytes are copied");
    bytes.write(number, &[b'y'; 20], 0).expect("nothing grows");
    bytes.write(number, &[b'y'; 20], 80).expect("100 bytes");
    exceeded(bytes.write(number, b"z", 100), Limit::StagedBytes);
    exceeded(bytes.write(number, b"z", u64::MAX), Limit::StagedBytes);
    exceeded(bytes.resize(number, 1 << 40), Limit::StagedBytes);
    bytes.resize(number, 0).expect("less");
    exceeded(bytes.resize(number, 1), Limit::StagedBytes);
    assert!(bytes.take_work() > 100);
    bytes
        .folder
        .take()
        .expect("made")
        .remove(&bytes.root)
        .expect("removed");
}
