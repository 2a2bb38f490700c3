//! Hostile guests, by name: each row is a test, its name is the folder in `guests/hostile`, and a folder without a row
//! fails.
//!
//! After each attack the context is what it was, the engine serves others, and the binary ends as the library does.

use crate::harness::hostile::{self, Expected};
use std::collections::BTreeSet;

macro_rules! attacks {
    ($($name:ident => $expected:ident($($part:literal),*);)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                let folder = stringify!($name).replace('_', "-");
                hostile::check(&folder, &Expected::$expected($($part),*));
            }
        )*
    };
}

attacks! {
    // The allocator of the guest, which the host has to ask.
    realloc_calls_host => Ends("THEUS-T001", "cannot leave component instance");
    realloc_out_of_range => Ends("THEUS-T001", "realloc return: beyond end of memory");
    realloc_at_the_end => Ends("THEUS-T001", "realloc return: beyond end of memory");
    realloc_misaligned => Ends("THEUS-T001", "realloc return: result not aligned");
    realloc_overlapping => Harmless("{}");
    realloc_loops => Ends("THEUS-L001", "fuel limit of 120000000 units");
    realloc_traps => Ends("THEUS-T001", "unreachable");
    realloc_grows_memory => Ends("THEUS-L003", "linear memory limit of 67108864 bytes");
    realloc_recurses => Ends("THEUS-L004", "wasm stack limit of 524288 bytes");
    post_return_calls_host => Ends("THEUS-T001", "cannot leave component instance");
    post_return_loops => Ends("THEUS-L001", "fuel limit");

    // What runs before a process is entered.
    start_loops => Ends("THEUS-L001", "fuel limit");
    start_grows_memory => Ends("THEUS-L003", "linear memory limit");
    start_grows_tables => Ends("THEUS-L014", "table elements limit of 20000 elements");
    start_calls_host => Ends("THEUS-T001", "before its process was entered");
    start_traps => Ends("THEUS-T001", "unreachable");

    // What there is only so much of.
    spin => Ends("THEUS-L001", "fuel limit");
    recursion => Ends("THEUS-L004", "wasm stack limit");
    memory_growth => Ends("THEUS-L003", "linear memory limit");
    handle_flood => Ends("THEUS-T001", "handle");
    table_growth => Ends("THEUS-L014", "table elements limit");
    bulk_memory => Ends("THEUS-L001", "fuel limit");
    host_work => Ends("THEUS-L001", "fuel limit");
    heavy_work => Ends("THEUS-L001", "fuel limit");
    heavy_text => Ends("THEUS-L001", "fuel limit");
    log_flood => Ends("THEUS-L001", "fuel limit");
    log_line_huge => Ends("THEUS-L001", "fuel limit");
    name_that_doubles => Ends("THEUS-T001", "f(A, B<A, A>");
    abort_huge => Ends("THEUS-T002", "aaaa");
    poll_flood => Ends("THEUS-L001", "fuel limit");
    stdout_flood => Ends("THEUS-L001", "fuel limit");
    host_call_flood => Ends("THEUS-L012", "host calls limit of 1000000 calls");
    read_flood => Ends("THEUS-L010", "reads per transaction limit of 32000 reads");
    read_heavy => Ends("THEUS-L010", "reads per transaction limit of 32000 reads");
    write_flood => Ends("THEUS-L009", "writes per transaction limit of 16000 writes");
    outbox_flood => Ends("THEUS-L011", "outbox messages limit of 1000 messages");

    // Pointers and lengths, text and values that are none.
    pointer_out_of_range => Ends("THEUS-T001", "out of bounds");
    length_lies => Ends("THEUS-T001", "out of bounds");
    return_area_misaligned => Ends("THEUS-T001", "not aligned");
    return_area_out_of_range => Ends("THEUS-T001", "out of bounds");
    result_misaligned => Ends("THEUS-T001", "not aligned");
    result_out_of_range => Ends("THEUS-T001", "out of bounds");
    level_unknown => Ends("THEUS-T001", "discriminant");
    invalid_utf8 => Ends("THEUS-T001", "utf-8");
    path_huge => Ends("THEUS-L005", "path size limit of 1024 bytes");
    array_of_four_billion => Ends("THEUS-T004", "at byte");
    map_of_four_billion => Ends("THEUS-T004", "at byte");
    binary_length_lies => Ends("THEUS-T004", "at byte");
    duplicate_keys => Ends("THEUS-T004", "at byte");
    extension_type => Ends("THEUS-T004", "at byte");
    deeply_nested => Ends("THEUS-L006", "value depth limit of 32 levels");
    trailing_bytes => Ends("THEUS-T004", "at byte");
    nan_payloads => Harmless(r#"{"$float": "nan"}"#);
    result_malformed => Ends("THEUS-T006", "attack");
    result_huge => Ends("THEUS-L008", "result size limit of 4194304 bytes");
    failure_heavy => Ends("THEUS-C003", "Heavy");
    failure_undeclared => Ends("THEUS-C003", "aaaa");

    // Places that are not granted.
    reads_outside => Ends("THEUS-C001", "`domain.hidden`");
    writes_outside => Ends("THEUS-C002", "`domain.data.a`");
    writes_ancestor => Ends("THEUS-C002", "`domain.record`");
    zone_smuggled => Ends("THEUS-C009", "sig_x");
    subtree_leaks => Harmless(r#"{"map": {"b": 1}, "plain": 1}"#);
    removal_shifts_siblings => Ends("THEUS-C002", "`domain.rows[0]`");
    index_smuggled => Ends("THEUS-T003", "18446744073709551616");
    another_name => Ends("THEUS-C002", "`domain.rows[0]`");

    // What one call leaves for another, and what it can learn from outside.
    state_survives => Ends("Clean", "Clean");
    reentry_after_trap => Ends("THEUS-T001", "unreachable");
    clock => Harmless("0");
    randomness => Repeats();

    nan_arithmetic => Harmless("2143289344");
    relaxed_simd => Harmless("0");

    // What is refused before anything of it runs.
    foreign_import => Unregistered("THEUS-C004", "other:service/secrets@1.0.0");
    contract_section_malformed => Unregistered("THEUS-C006", "domain..data");
    text_between_parts => Unregistered("THEUS-L013", "parts that take or give texts or lists");
    contract_names_twice => Unregistered("THEUS-C006", "declared twice");
    contract_asks_for_all => Unregistered("THEUS-C007", "global");
    contract_asks_for_files => Unregistered("THEUS-C008", "fs:data");
}

#[test]
fn every_hostile_guest_has_a_test() {
    let tested: BTreeSet<String> = NAMES.iter().map(|name| name.replace('_', "-")).collect();
    let there: BTreeSet<String> = hostile::folders().into_iter().collect();
    assert_eq!(tested, there);
}
