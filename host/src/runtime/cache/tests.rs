//! What the cache promises: it saves compiling, and nothing that was tampered with is ever loaded.

use super::*;
use crate::runtime::tests::{FUEL, PATIENCE, guests, run_program, settings};
use crate::runtime::{End, Program, Runtime};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Barrier;
use std::time::Duration;
use tempfile::TempDir;
use theus_core::limits::Limits;

/// A folder for one test's cache; the cache itself is made in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("code")
    }

    /// A runtime like that of another process: only the folder is shared.
    fn runtime(&self) -> Runtime {
        runtime_with(&Limits::default(), &self.cache())
    }

    /// How often the compiler is needed to run the test's guest in a runtime of its own.
    #[track_caller]
    fn compilations(&self) -> u64 {
        let runtime = self.runtime();
        let program = runtime.compile(&guest()).expect("the guest compiles");
        assert_answers(&program, b"called");
        runtime.compilations()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.cache())
            .expect("the cache is there")
            .map(|entry| entry.expect("an entry").file_name().into_string())
            .map(|name| name.expect("an ASCII name"))
            .collect();
        names.sort();
        names
    }

    /// The one entry.
    #[track_caller]
    fn entry(&self) -> PathBuf {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(is_ours(&names[0]) && names[0].ends_with(ENTRY), "{names:?}");
        self.cache().join(&names[0])
    }
}

fn runtime_with(limits: &Limits, cache: &Path) -> Runtime {
    Runtime::with_pool(limits, Some(cache), 1, 0).expect("the pool fits")
}

/// The test's guest.
fn guest() -> Vec<u8> {
    answering("called")
}

/// A guest that answers with a string of at most 31 bytes; equal lengths make code of equal length.
fn answering(answer: &str) -> Vec<u8> {
    let len = u8::try_from(answer.len()).expect("it is short");
    let value = [&[0xa0 | len], answer.as_bytes()].concat();
    let data = guests::data(2048, &value);
    let body = format!("(call $ok (i32.const 2048) (i32.const {}))", value.len());
    guests::with_module(&format!(
        r#"{data} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) {body})"#
    ))
}

#[track_caller]
fn assert_answers(program: &Program, answer: &[u8]) {
    let execution = run_program(program, &[], settings(FUEL, PATIENCE));
    match execution.end {
        End::Returned(value) => assert_eq!(&value[1..], answer),
        end => panic!("{end:?}"),
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut entry = fs::read(path).expect("the entry");
    entry[at..][..bytes.len()].copy_from_slice(bytes);
    fs::write(path, entry).expect("it is ours");
}

#[test]
fn what_was_compiled_once_is_not_compiled_again() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    assert_eq!(place.compilations(), 0);
    assert_eq!(mode(&place.cache()), 0o700);
    assert_eq!(mode(&place.entry()), 0o600);
    // Another guest is another entry.
    let runtime = place.runtime();
    let other = runtime.compile(&answering("CALLED")).expect("it compiles");
    assert_answers(&other, b"CALLED");
    assert_eq!(runtime.compilations(), 1);
    assert_eq!(place.names().len(), 2);
}

#[test]
fn without_a_cache_nothing_is_kept() {
    let runtime = Runtime::with_slots(&Limits::default(), 1).expect("the pool fits");
    for _ in 0..2 {
        runtime.compile(&guest()).expect("it compiles");
    }
    assert_eq!(runtime.compilations(), 2);
}

/// Settings that change code have entries of their own; others share them.
#[test]
fn the_settings_belong_to_the_key() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    let default = Limits::default();
    let cases = [
        (
            "fuel",
            0,
            Limits {
                fuel: 10_000_000,
                ..default.clone()
            },
        ),
        (
            "stack",
            0,
            Limits {
                stack_bytes: 65536,
                ..default.clone()
            },
        ),
        (
            "memory",
            1,
            Limits {
                memory_bytes: 1 << 20,
                ..default
            },
        ),
    ];
    for (setting, compilations, limits) in cases {
        let runtime = runtime_with(&limits, &place.cache());
        runtime.compile(&guest()).expect("it compiles");
        assert_eq!(runtime.compilations(), compilations, "{setting}");
    }
    assert_eq!(place.names().len(), 2);
}

/// What is checked of compiled code is checked of cached code, too.
#[test]
fn limits_hold_for_cached_code() {
    let place = Place::new();
    let tables = "(table 3 funcref) ".repeat(3);
    let greedy = guests::with_module(&format!(
        r#"{tables} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $ok (i32.const 0) (i32.const 0)))"#
    ));
    place
        .runtime()
        .compile(&greedy)
        .expect("it is within the limits");
    let strict = Limits {
        tables: 2,
        ..Limits::default()
    };
    // Two slots: the pool as a whole has room for it.
    let runtime = Runtime::with_pool(&strict, Some(&place.cache()), 2, 0).expect("the pool fits");
    runtime
        .compile(&greedy)
        .map(|_| ())
        .expect_err("it is over the limit");
    assert_eq!(runtime.compilations(), 0, "it came from the cache");
}

#[test]
fn refused_guests_are_not_kept() {
    let place = Place::new();
    let refused = wat::parse_str("(component)").expect("it is valid text");
    place
        .runtime()
        .compile(&refused)
        .map(|_| ())
        .expect_err("no processes");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn entries_that_fail_a_check_are_dropped_and_compiled_again() {
    let cut_at = |path: &Path, at: usize| {
        let entry = fs::read(path).expect("the entry");
        fs::write(path, &entry[..at]).expect("it is ours");
    };
    let middle = |path: &Path| {
        let len = fs::metadata(path).expect("the entry").len();
        usize::try_from(len).expect("it is small") / 2
    };
    type Damage<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Damage); 16] = [
        ("empty", &|it| cut_at(it, 0)),
        ("cut in the magic", &|it| cut_at(it, 7)),
        ("cut in the key", &|it| cut_at(it, MAGIC.len() + 5)),
        ("cut in the sum", &|it| cut_at(it, HEADER - 1)),
        ("cut before the code", &|it| cut_at(it, HEADER)),
        ("cut in the code", &|it| cut_at(it, middle(it))),
        ("bytes of code changed", &|it| {
            overwrite(it, middle(it), b"\x01\x80\xff");
        }),
        ("something appended", &|it| {
            let mut entry = fs::read(it).expect("the entry");
            entry.push(0);
            fs::write(it, entry).expect("it is ours");
        }),
        ("another magic", &|it| overwrite(it, 0, b"THEUS")),
        ("another version", &|it| {
            overwrite(it, MAGIC.len() - 3, b"00");
        }),
        ("another key", &|it| overwrite(it, MAGIC.len(), &[7; 32])),
        ("another sum", &|it| overwrite(it, HEADER - 32, &[7; 32])),
        ("garbage", &|it| {
            fs::write(it, [0x5a; 4096]).expect("it is ours");
        }),
        ("a pipe", &|it| {
            fs::remove_file(it).expect("it is ours");
            let made = std::process::Command::new("mkfifo").arg(it).status();
            assert!(made.expect("mkfifo").success());
        }),
        ("writable for others", &|it| set_mode(it, 0o622)),
        ("larger than any entry", &|it| {
            let file = fs::File::options().write(true).open(it);
            file.expect("it is ours")
                .set_len(1 << 40)
                .expect("it is sparse");
        }),
    ];
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    for (damage, apply) in cases {
        apply(&place.entry());
        assert_eq!(place.compilations(), 1, "{damage}");
        assert_eq!(mode(&place.entry()), 0o600, "{damage}");
        assert_eq!(place.compilations(), 0, "{damage}: it was made anew");
    }
}

/// Good code of another guest, under this guest's name: its own header tells, whoever renamed it.
#[test]
fn code_of_another_guest_is_never_run() {
    let place = Place::new();
    let runtime = place.runtime();
    runtime.compile(&answering("CALLED")).expect("it compiles");
    let other = place.entry();
    assert_eq!(place.compilations(), 1);
    let names = place.names();
    let ours = names.iter().map(|name| place.cache().join(name));
    let ours = ours
        .into_iter()
        .find(|it| *it != other)
        .expect("two entries");
    fs::rename(&other, &ours).expect("both are ours");
    assert_eq!(place.compilations(), 1);
    assert_eq!(place.compilations(), 0);
}

/// A sum is no proof of origin, but nothing that is no code of wasmtime's is taken for it.
#[test]
fn what_the_compiler_did_not_write_is_dropped() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    let entry = fs::read(place.entry()).expect("the entry");
    let forged = b"\x7fELF, but not really";
    let sum = Sha256::digest(forged);
    let forged = [&entry[..HEADER - 32], &sum[..], &forged[..]].concat();
    fs::write(place.entry(), forged).expect("it is ours");
    assert_eq!(place.compilations(), 1);
    assert_eq!(place.compilations(), 0);
}

#[test]
fn symbolic_links_are_not_followed() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    let entry = place.entry();
    // To a good entry elsewhere, to one in the cache, and to nothing.
    for target in ["../moved", "moved", "../nowhere"] {
        let target = place.cache().join(target);
        if !target.ends_with("nowhere") {
            fs::copy(&entry, &target).expect("both are ours");
        }
        let before = fs::read(&target).ok();
        fs::remove_file(&entry).expect("it is ours");
        symlink(&target, &entry).expect("the folder is ours");
        assert_eq!(place.compilations(), 1, "{}", target.display());
        assert!(!entry.is_symlink(), "it was replaced");
        assert_eq!(fs::read(&target).ok(), before, "its target was left alone");
        assert_eq!(place.compilations(), 0);
    }
}

/// A folder in an entry's place cannot be deleted; the guest runs all the same.
#[test]
fn what_cannot_be_dropped_fails_no_run() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    let entry = place.entry();
    fs::remove_file(&entry).expect("it is ours");
    fs::create_dir(&entry).expect("the folder is ours");
    assert_eq!(place.compilations(), 1);
    assert_eq!(place.compilations(), 1);
    assert!(entry.is_dir());
    assert_eq!(place.names().len(), 1, "nothing unfinished is left");
    // Neither does a cache that vanishes while it is used.
    let runtime = place.runtime();
    fs::remove_dir_all(place.cache()).expect("it is ours");
    runtime.compile(&guest()).expect("it compiles");
}

#[test]
fn folders_that_others_may_write_to_are_not_used() {
    for mode in [0o777, 0o1777, 0o770, 0o702] {
        let place = Place::new();
        assert_eq!(place.compilations(), 1);
        set_mode(&place.cache(), mode);
        assert_eq!(place.compilations(), 1, "{mode:o}");
        set_mode(&place.cache(), 0o755);
        assert_eq!(place.compilations(), 0);
    }
}

#[test]
fn the_folder_is_no_symbolic_link_and_no_file() {
    let place = Place::new();
    let real = place.0.path().join("real");
    fs::create_dir(&real).expect("the folder is ours");
    set_mode(&real, 0o700);
    symlink(&real, place.cache()).expect("the folder is ours");
    assert_eq!(place.compilations(), 1);
    let slash = place.0.path().join("code/");
    let runtime = runtime_with(&Limits::default(), &slash);
    runtime.compile(&guest()).expect("it compiles");
    assert_eq!(fs::read_dir(&real).expect("it is ours").count(), 0);
    fs::remove_file(place.cache()).expect("it is ours");
    fs::write(place.cache(), "").expect("the folder is ours");
    assert_eq!(place.compilations(), 1);
    for path in ["/", "", "..", "/proc/none/such"] {
        let engine = Engine::default();
        CodeCache::open(Path::new(path), &engine)
            .map(|_| ())
            .expect_err(path);
    }
}

/// Only root can make what belongs to another; the check itself is told apart by any file that is not this user's.
#[test]
fn what_belongs_to_another_user_is_not_used() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    let (stranger, theirs) = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(place.cache(), Some(4242), None).expect("root may");
        ("4242", place.cache())
    } else {
        // Not writable, either: it is the owner that is looked at first.
        ("0", PathBuf::from("/usr"))
    };
    let error = open_private(&theirs).map(|_| ()).expect_err("not ours");
    let expected = format!("it belongs to user {stranger}, not to user ");
    assert!(format!("{error:#}").contains(&expected), "{error:#}");
}

#[test]
fn what_was_not_used_for_longest_is_evicted() {
    let place = Place::new();
    let engine = Engine::default();
    let component = Component::new(&engine, guest()).expect("it compiles");
    let mut cache = CodeCache::open(&place.cache(), &engine).expect("it is ours");
    cache.store(&[0; 32], &component);
    let size = fs::metadata(place.entry()).expect("the entry").len();
    cache.caps.total = 3 * size + size / 2;
    // A foreign file counts for nothing, and is never deleted.
    fs::write(place.cache().join("notes.txt"), vec![0; 1 << 20]).expect("it is ours");
    let aged = |name: &str, hours: u64| {
        let file = fs::File::options()
            .append(true)
            .open(place.cache().join(name));
        let time = SystemTime::now() - Duration::from_secs(3600 * hours);
        file.expect("it is ours")
            .set_modified(time)
            .expect("it is ours");
    };
    let name = |digest: u8| entry_name(&cache.key(&[digest; 32]));
    // What a crash left behind is the oldest of all.
    let unfinished = format!("{}.0123456789abcdef{UNFINISHED}", name(0));
    fs::write(place.cache().join(&unfinished), b"half").expect("it is ours");
    aged(&unfinished, 9);
    aged(&name(0), 5);
    for digest in 1..3 {
        cache.store(&[digest; 32], &component);
        aged(&name(digest), 5 - u64::from(digest));
    }
    assert_eq!(place.names().len(), 5, "all fits so far");
    // Use makes the oldest the youngest.
    cache.load(&engine, &[0; 32]).expect("it is there");
    cache.store(&[3; 32], &component);
    let mut expected = [name(0), name(2), name(3), "notes.txt".to_owned()];
    expected.sort();
    assert_eq!(place.names(), expected);
    // What is too large alone is not kept at all.
    cache.caps.entry = size - 1;
    cache.store(&[4; 32], &component);
    assert_eq!(place.names(), expected);
}

#[test]
fn processes_that_race_leave_one_good_entry() {
    const RACERS: usize = 4;
    let place = Place::new();
    let start = Barrier::new(RACERS);
    std::thread::scope(|scope| {
        for _ in 0..RACERS {
            scope.spawn(|| {
                let runtime = place.runtime();
                start.wait();
                let program = runtime.compile(&guest()).expect("it compiles");
                assert_answers(&program, b"called");
            });
        }
    });
    place.entry();
    assert_eq!(place.compilations(), 0);
}

/// Readers of an entry that others keep replacing and damaging either load it whole or compile.
#[test]
fn racing_with_damage_is_harmless() {
    let place = Place::new();
    assert_eq!(place.compilations(), 1);
    let entry = place.entry();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for _ in 0..20 {
                place.compilations();
            }
        });
        while !reader.is_finished() {
            let _ = fs::write(&entry, [0; 300]);
            let _ = fs::remove_file(&entry);
        }
    });
    place.compilations();
    assert_eq!(place.compilations(), 0);
}
