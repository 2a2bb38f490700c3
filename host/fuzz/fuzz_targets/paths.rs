#![no_main]

theus_fuzz::fuzz_target!(|data: &[u8]| theus_fuzz::judge("paths", data));
