//! TARGET: a component, a core module built with an SDK, or a guest's source folder. What it comes to is a component.

use super::color::When;
use super::failure::Failure;
use super::nearest::did_you_mean;
use super::output::{Output, Verbosity};
use super::progress::{during, during_unless};
use super::text::list;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::path::cut;
use theus_host::build::{Build, Diagnostics, Step};
use theus_host::component::into_component;
use theus_host::guest::Guest;

/// A guest that is ready to be registered.
pub(super) struct Loaded {
    /// The `.wasm` file: TARGET, or what building it made.
    pub(super) file: PathBuf,
    /// What the file was before it became a component.
    pub(super) form: FileForm,
    /// The size of the file itself.
    pub(super) file_bytes: u64,
    /// The component's bytes.
    pub(super) component: Vec<u8>,
    /// What the component declares.
    pub(super) guest: Guest,
}

/// What a `.wasm` file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FileForm {
    /// A component.
    Component,
    /// A core module built with an SDK.
    CoreModule,
}

impl FileForm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::CoreModule => "core module, made a component",
        }
    }
}

/// Loads a target; a folder is built first.
///
/// # Security
///
/// The file may be hostile: no more of it is read than a component may have, and nothing of it is run.
pub(super) fn load(target: &Path, limits: &Limits, output: &Output) -> Result<Loaded, Failure> {
    let kind = std::fs::metadata(target).map_err(|error| {
        Failure::file("read", target, &error)
            .help("TARGET is a .wasm file or a guest's source folder")
    })?;
    let file = if kind.is_dir() {
        build(target, output)?
    } else {
        target.to_owned()
    };
    during(output, "reading the guest", || parse(file, limits))
}

fn parse(file: PathBuf, limits: &Limits) -> Result<Loaded, Failure> {
    let bytes = read(&file, limits)?;
    let about = |failure: Failure| failure.about(file.display());
    let file_bytes = bytes.len() as u64;
    let component = into_component(&bytes).map_err(|error| about(error.into()))?;
    let (component, form) = match component {
        std::borrow::Cow::Borrowed(_) => (bytes, FileForm::Component),
        std::borrow::Cow::Owned(made) => (made, FileForm::CoreModule),
    };
    let guest = Guest::read(&component, limits).map_err(|error| about(error.into()))?;
    Ok(Loaded {
        file,
        form,
        file_bytes,
        component,
        guest,
    })
}

impl Loaded {
    /// The process that is meant: the one of that name, or the only one.
    pub(super) fn process(&self, wanted: Option<&str>) -> Result<&Contract, Failure> {
        choose(&self.guest.contracts, wanted)
    }
}

fn choose<'a>(contracts: &'a [Contract], wanted: Option<&str>) -> Result<&'a Contract, Failure> {
    let names: Vec<_> = contracts.iter().map(|it| it.name.as_str()).collect();
    let there_are = list(&names, "none");
    match (wanted, contracts) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::new(
            Code::NoSuchProcess,
            format!(
                "the guest has {} processes, and none is named: {there_are}",
                names.len()
            ),
        )
        .help("write the process behind the target: run TARGET PROCESS NAME=VALUE")),
        (Some(wanted), _) => contracts
            .iter()
            .find(|it| it.name == wanted)
            .ok_or_else(|| {
                let message = format!(
                    "there is no process `{}`; there are: {there_are}",
                    cut(wanted)
                );
                Failure::new(Code::NoSuchProcess, message)
                    .help("`theus-host inspect TARGET` prints the processes of a guest")
                    .help_if(did_you_mean(wanted, names))
                    .process(&cut(wanted))
            }),
    }
}

/// Reads a `.wasm` file, and no more of it than a component may have.
pub(super) fn read(file: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let unreadable = |error| Failure::file("read", file, &error);
    let opened = File::open(file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    opened
        .take(limits.component_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let size = bytes.len() as u64;
    LimitExceeded::check(Limit::ComponentBytes, limits.component_bytes, size).map_err(|_| {
        // How large it is in all is not known: it is not read to its end.
        let exceeded = LimitExceeded {
            limit: Limit::ComponentBytes,
            allowed: limits.component_bytes,
            asked: None,
        };
        Failure::new(exceeded.limit.code(), &exceeded)
            .about(file.display())
            .help(exceeded.limit.remedy_sentence())
    })?;
    Ok(bytes)
}

fn build(folder: &Path, output: &Output) -> Result<PathBuf, Failure> {
    let diagnostics = match (output.verbosity, output.color) {
        // Who reads JSON finds them in the error.
        _ if output.is_json() => Diagnostics::Hide,
        (Verbosity::Quiet, _) => Diagnostics::Hide,
        (_, When::Never) => Diagnostics::ShowPlain,
        _ => Diagnostics::Show,
    };
    // At its first build cargo has a progress bar of its own.
    let cargo_tells = AtomicBool::new(false);
    let report = |step: &Step| {
        if let Step::Compile { first, .. } = step {
            let tells = *first && diagnostics != Diagnostics::Hide;
            cargo_tells.store(tells, Ordering::Relaxed);
        }
        output.note(&told(step));
    };
    let build = Build::new(folder).diagnostics(diagnostics).on_step(report);
    let what = format!("building {}", folder.display());
    let built = during_unless(output, &what, &cargo_tells, || build.run())?;
    Ok(from_here(built.wasm))
}

/// The path as it looks from the current folder.
fn from_here(file: PathBuf) -> PathBuf {
    match std::env::current_dir().map(|here| file.strip_prefix(here).map(Path::to_owned)) {
        Ok(Ok(short)) => short,
        _ => file,
    }
}

fn told(step: &Step) -> String {
    match step {
        Step::AddTarget(target) => {
            format!("adding the Rust target {target} (rustup target add {target}) ...\n")
        }
        Step::Compile {
            package,
            target,
            first: true,
        } => format!(
            "building {package} for {target}; this runs the build scripts of its author and of its dependencies\n"
        ),
        Step::InstallPackages { package } => {
            format!("installing the packages of {package} (npm ci --ignore-scripts) ...\n")
        }
        Step::CompileScript {
            package,
            first: true,
        } => format!(
            "building {package} with asc; this runs the compiler transforms of its author and of its dependencies\n"
        ),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contracts(names: &[&str]) -> Vec<Contract> {
        let lines: Vec<_> = names
            .iter()
            .map(|it| format!(r#"{{"name":"{it}"}}"#))
            .collect();
        Contract::parse_section(lines.join("\n").as_bytes()).expect("contracts")
    }

    #[test]
    fn the_only_process_needs_no_name() {
        let one = contracts(&["add_product"]);
        assert_eq!(
            choose(&one, None).expect("the only one").name,
            "add_product"
        );
        assert_eq!(
            choose(&one, Some("add_product")).expect("named").name,
            "add_product"
        );
        let failure = choose(&one, Some("add_prodcut")).expect_err("a slip");
        assert_eq!(
            failure.report.help.as_deref(),
            Some("did you mean `add_product`?")
        );
        assert_eq!(failure.report.process.as_deref(), Some("add_prodcut"));
        let two = contracts(&["a", "b"]);
        let failure = choose(&two, None).expect_err("which?");
        assert_eq!(
            failure.report.message,
            "the guest has 2 processes, and none is named: a, b"
        );
        assert_eq!(failure.report.code, "THEUS-U005");
    }

    #[test]
    fn no_more_is_read_than_a_component_may_have() {
        let limits = Limits {
            component_bytes: 10,
            ..Limits::default()
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let failure = read(&file, &limits).expect_err("too large");
        assert_eq!(failure.report.code, "THEUS-L013");
        assert!(
            failure
                .report
                .message
                .contains("Cargo.toml: the component size limit of 10 bytes")
        );
        let failure = read(Path::new("/no/such.wasm"), &limits).expect_err("missing");
        assert_eq!(failure.report.code, "THEUS-U002");
    }
}
