#![no_main]

theus_fuzz::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = theus_smith::check(data) {
        panic!("{broken}");
    }
});
