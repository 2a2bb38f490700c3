//! The guests that the tests run, built from `guests/` once per test process.

use super::root;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use theus_host::build::{Build, Diagnostics};

/// A guest that was built.
#[derive(Debug)]
pub(crate) struct Prebuilt {
    /// Its `.wasm` file.
    pub(crate) file: PathBuf,
    /// The file's bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The guest with one process per behaviour.
pub(crate) fn probe() -> &'static Prebuilt {
    static PROBE: OnceLock<Prebuilt> = OnceLock::new();
    PROBE.get_or_init(|| build("probe"))
}

/// The seed's guest.
pub(crate) fn warehouse() -> &'static Prebuilt {
    static WAREHOUSE: OnceLock<Prebuilt> = OnceLock::new();
    WAREHOUSE.get_or_init(|| build("warehouse"))
}

/// The same guest in AssemblyScript.
pub(crate) fn warehouse_as() -> &'static Prebuilt {
    static WAREHOUSE: OnceLock<Prebuilt> = OnceLock::new();
    WAREHOUSE.get_or_init(|| build("warehouse-as"))
}

/// The guest with one process per call of the AssemblyScript SDK.
pub(crate) fn probe_as() -> &'static Prebuilt {
    static PROBE: OnceLock<Prebuilt> = OnceLock::new();
    PROBE.get_or_init(|| build("probe-as"))
}

/// The guest that reads a price list from a granted directory.
pub(crate) fn prices() -> &'static Prebuilt {
    static PRICES: OnceLock<Prebuilt> = OnceLock::new();
    PRICES.get_or_init(|| build("prices"))
}

/// The guest that reaches outside the context, or tries to.
pub(crate) fn outside() -> &'static Prebuilt {
    static OUTSIDE: OnceLock<Prebuilt> = OnceLock::new();
    OUTSIDE.get_or_init(|| build("outside"))
}

/// The guest that writes reports into a granted directory.
pub(crate) fn reports() -> &'static Prebuilt {
    static REPORTS: OnceLock<Prebuilt> = OnceLock::new();
    REPORTS.get_or_init(|| build("reports"))
}

/// The guest that does to files what it is told.
pub(crate) fn scribe() -> &'static Prebuilt {
    static SCRIBE: OnceLock<Prebuilt> = OnceLock::new();
    SCRIBE.get_or_init(|| build("scribe"))
}

/// The guest with a planted bug per process.
pub(crate) fn planted_bugs() -> &'static Prebuilt {
    static PLANTED: OnceLock<Prebuilt> = OnceLock::new();
    PLANTED.get_or_init(|| build("hostile/planted-bugs"))
}

/// The warehouse as a plain `cargo build --target wasm32-wasip2` makes it: a component that imports WASI.
pub(crate) fn warehouse_on_wasi() -> &'static Prebuilt {
    static WAREHOUSE: OnceLock<Prebuilt> = OnceLock::new();
    WAREHOUSE.get_or_init(|| {
        let _alone = alone("guests");
        add_target("wasm32-wasip2");
        let target_dir = tmp().parent().expect("it lies in the target directory");
        let output = Command::new("cargo")
            .current_dir(root())
            .args(["build", "--package", "warehouse", "--target"])
            .arg("wasm32-wasip2")
            .arg("--target-dir")
            .arg(target_dir)
            .output()
            .expect("cargo starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        keep(
            &target_dir.join("wasm32-wasip2/debug/warehouse.wasm"),
            "warehouse-wasip2",
        )
    })
}

fn build(name: &str) -> Prebuilt {
    let _alone = alone("guests");
    let built = Build::new(root().join("guests").join(name))
        .diagnostics(Diagnostics::Hide)
        .run()
        .unwrap_or_else(|error| panic!("{name}: {error} ({:?})", error.help()));
    keep(&built.wasm, name.rsplit('/').next().unwrap_or(name))
}

/// Copies a guest out of cargo's reach: another test process may be building it again.
fn keep(built: &Path, name: &str) -> Prebuilt {
    let bytes = fs::read(built).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    let folder = tmp().join("guests");
    fs::create_dir_all(&folder).expect("the target directory is writable");
    let file = folder.join(format!("{name}.wasm"));
    if fs::read(&file).ok().as_ref() != Some(&bytes) {
        // Renamed into place, so that whoever reads it sees a whole file.
        let written = folder.join(format!("{name}.{}", std::process::id()));
        fs::write(&written, &bytes).expect("the target directory is writable");
        fs::rename(&written, &file).expect("the target directory is writable");
    }
    Prebuilt { file, bytes }
}

/// Keeps out whoever else builds there, in other test processes too, as long as the file lives.
pub(crate) fn alone(place: &str) -> File {
    let lock = File::create(tmp().join(format!("{place}.lock")))
        .expect("the target directory is writable");
    lock.lock().expect("the file can be locked");
    lock
}

/// Cargo's folder for what tests write.
pub(crate) fn tmp() -> &'static Path {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).expect("the target directory is writable");
    folder
}

fn add_target(target: &str) {
    let has_it = || {
        let rustc = Command::new("rustc")
            .current_dir(root())
            .args(["--print", "target-libdir", "--target", target])
            .output()
            .expect("rustc starts");
        Path::new(String::from_utf8_lossy(&rustc.stdout).trim()).is_dir()
    };
    if !has_it() {
        let rustup = Command::new("rustup")
            .current_dir(root())
            .args(["target", "add", target])
            .output();
        assert!(has_it(), "type: rustup target add {target} ({rustup:?})");
    }
}
