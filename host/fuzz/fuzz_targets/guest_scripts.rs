#![no_main]

use std::sync::OnceLock;
use theus_host::build::{Build, Diagnostics};
use theus_host::fuzz::play_script;
use theus_host::{Engine, Policy};

/// One engine for all inputs: compiling the guest takes longer than a thousand scripts.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/probe");
        let build = Build::new(folder).diagnostics(Diagnostics::Hide);
        let guest = build.run().unwrap_or_else(|error| panic!("{error}"));
        let engine = Engine::builder().build();
        let engine = engine.unwrap_or_else(|error| panic!("{error}"));
        let registered = engine.register(guest.wasm, Policy::as_declared());
        registered.unwrap_or_else(|error| panic!("{error}"));
        engine
    })
}

theus_fuzz::fuzz_target!(
    // Not part of the first input: libFuzzer's clock starts behind it.
    init: {
        engine();
    },
    |data: &[u8]| {
        if let Err(broken) = play_script(engine(), data) {
            panic!("{broken}");
        }
    }
);
