//! Bulk memory instructions in pieces: they do what they did, traps are where they were, and the deadline is looked at between.

use super::guests::{running, with_module};
use super::{FUEL, PATIENCE, RUNTIME, run_program, settings};
use crate::runtime::End;
use crate::runtime::bulk::{Divided, divided, validate};
use proptest::prelude::*;
use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;
use theus_core::limits::Limit;
use wasmparser::{Operator, Parser, Payload};
use wasmtime::{Config, Engine, Memory, Module, Store, Trap, TypedFunc, UpdateDeadline};

const PIECE: usize = 1 << 20;
/// The memories of `ALL`.
const MEMORY: usize = 5 << 20;
/// The segment of `ALL`.
const SEGMENT: usize = 3 * PIECE / 2;

/// Each instruction on memories of five pieces, and on a segment of one and a half.
static ALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let segment = "0123456789abcdef".repeat(SEGMENT / 16);
    wat(&format!(
        r#"(module
            (memory (export "a") 80) (memory (export "b") 80)
            (data $short "short")
            (data $long "{segment}")
            (func (export "fill") (param i32 i32 i32)
                (memory.fill (local.get 0) (local.get 1) (local.get 2)))
            (func (export "copy") (param i32 i32 i32)
                (memory.copy (local.get 0) (local.get 1) (local.get 2)))
            (func (export "copy_across") (param i32 i32 i32)
                (memory.copy 1 0 (local.get 0) (local.get 1) (local.get 2)))
            (func (export "init") (param i32 i32 i32)
                (memory.init $long (local.get 0) (local.get 1) (local.get 2)))
            (func (export "init_short") (param i32 i32 i32)
                (memory.init $short (local.get 0) (local.get 1) (local.get 2)))
            (func (export "init_dropped") (param i32 i32 i32)
                (data.drop $long)
                (memory.init $long (local.get 0) (local.get 1) (local.get 2))))"#
    ))
});
const FUNCTIONS: [&str; 6] = [
    "fill",
    "copy",
    "copy_across",
    "init",
    "init_short",
    "init_dropped",
];

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| bytes(2_654_435_761));
static OTHER_BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| bytes(2_246_822_519));

/// What a memory is full of: bytes that tell where they are.
fn bytes(factor: u32) -> Vec<u8> {
    let places = 0..number(MEMORY);
    let byte = |place: u32| place.wrapping_mul(factor).to_be_bytes()[0];
    places.map(byte).collect()
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's module is well-formed")
}

fn in_pieces(module: &[u8]) -> Divided<'_> {
    divided(module).expect("it is well-formed")
}

/// A module's instance, its memories full of bytes that tell where they are.
struct Machine {
    store: Store<()>,
    instance: wasmtime::Instance,
}

impl Machine {
    fn new(module: &[u8]) -> Self {
        static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);
        let module = Module::new(&ENGINE, module).expect("it is valid");
        let mut store = Store::new(&ENGINE, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("nothing stops it");
        let mut machine = Self { store, instance };
        for (name, bytes) in [("a", &*BYTES), ("b", &*OTHER_BYTES)] {
            let memory = machine.memory(name);
            memory.data_mut(&mut machine.store).copy_from_slice(bytes);
        }
        machine
    }

    fn memory(&mut self, name: &str) -> Memory {
        let memory = self.instance.get_memory(&mut self.store, name);
        memory.expect("the module exports its memories")
    }

    fn call(&mut self, name: &str, [to, with, bytes]: [u32; 3]) -> Result<(), Trap> {
        let function: TypedFunc<(u32, u32, u32), ()> = self
            .instance
            .get_typed_func(&mut self.store, name)
            .expect("the module exports it");
        let called = function.call(&mut self.store, (to, with, bytes));
        called.map_err(|error| error.downcast().expect("a trap"))
    }
}

/// Asserts that a call of a function of `ALL` does the same in pieces.
fn does_the_same(name: &str, args: [u32; 3]) {
    let module = in_pieces(&ALL);
    assert!(matches!(module.bytes, Cow::Owned(_)));
    let mut whole = Machine::new(&ALL);
    let mut pieces = Machine::new(&module.bytes);
    assert_eq!(
        whole.call(name, args),
        pieces.call(name, args),
        "{name} {args:?}"
    );
    // Also after a trap: it comes before anything is written.
    for memory in ["a", "b"] {
        let expected = whole.memory(memory);
        let found = pieces.memory(memory);
        let (expected, found) = (expected.data(&whole.store), found.data(&pieces.store));
        assert!(expected == found, "{name} {args:?}, memory {memory}");
    }
}

fn number(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("it is small")
}

/// A number close to an edge, or anywhere.
fn near_edges() -> impl Strategy<Value = u32> {
    let edges = [0, PIECE, 2 * PIECE, SEGMENT, MEMORY - PIECE, MEMORY].map(number);
    prop_oneof![
        (prop::sample::select(edges.to_vec()), -3_i32..=3)
            .prop_map(|(edge, off)| edge.saturating_add_signed(off)),
        0..number(MEMORY),
        any::<u32>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_instruction_in_pieces_does_the_same(
        name in prop::sample::select(FUNCTIONS.to_vec()),
        args in [near_edges(), near_edges(), near_edges()],
    ) {
        does_the_same(name, args);
    }
}

#[test]
fn copies_may_overlap_in_both_directions() {
    const FAR: u32 = 12_345;
    for bytes in [PIECE, PIECE + 1, 3 * PIECE + 17].map(number) {
        for (to, from) in [(0, FAR), (FAR, 0), (FAR, FAR), (1, 0), (0, 1)] {
            does_the_same("copy", [to, from, bytes]);
        }
    }
}

#[test]
fn what_is_out_of_bounds_traps_before_anything_is_written() {
    let end = number(MEMORY);
    let long = number(2 * PIECE);
    for (name, args) in [
        ("fill", [end - long + 1, 1, long]),
        ("fill", [u32::MAX, 1, u32::MAX]),
        ("copy", [0, end - long + 1, long]),
        ("copy", [end - long + 1, 0, long]),
        ("copy_across", [end - long + 1, 0, long]),
        ("init", [0, 1, number(SEGMENT)]),
        ("init", [end - 5, 0, number(SEGMENT)]),
        ("init_dropped", [0, 0, number(SEGMENT)]),
    ] {
        let mut pieces = Machine::new(&in_pieces(&ALL).bytes);
        assert_eq!(
            pieces.call(name, args),
            Err(Trap::MemoryOutOfBounds),
            "{name}"
        );
        does_the_same(name, args);
    }
}

/// The clock strikes at each look: how often it is looked at while one instruction runs.
#[test]
fn the_deadline_is_looked_at_after_each_piece() {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).expect("an engine");
    for (name, bytes) in [
        ("fill", MEMORY),
        ("copy", MEMORY),
        ("copy_across", MEMORY),
        ("init", SEGMENT),
    ] {
        let module = in_pieces(&ALL);
        let module = Module::new(&engine, &module.bytes).expect("it is valid");
        let mut store = Store::new(&engine, 0_usize);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            Ok(UpdateDeadline::Continue(0))
        });
        store.set_epoch_deadline(0);
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("nothing stops it");
        let function: TypedFunc<(u32, u32, u32), ()> = instance
            .get_typed_func(&mut store, name)
            .expect("the module exports it");
        *store.data_mut() = 0;
        function
            .call(&mut store, (0, 0, number(bytes)))
            .expect("it is in bounds");
        let looks = *store.data();
        assert!(looks >= bytes / PIECE, "{name}: {looks}");
    }
}

/// The guest tells when it begins to fill its memory, and when it has: some deadline falls in between, and ends it there.
#[test]
fn a_deadline_ends_an_instruction_half_way() {
    let program = RUNTIME
        .compile(&running(
            "(drop (memory.grow (i32.const 1022)))
            (call $log (i32.const 2) (i32.const 0) (i32.const 1))
            (memory.fill (i32.const 4096) (i32.const 1) (i32.const 66000000))
            (call $log (i32.const 2) (i32.const 0) (i32.const 1))
            unreachable",
        ))
        .expect("the guest compiles");
    let timeouts = (1..=100).map(|round| Duration::from_millis(2 * round));
    let is_ended_between = |timeout| {
        let execution = run_program(&program, &[], settings(FUEL, timeout));
        // Once it is over it has cost its fuel.
        let is_between = execution.host_calls == 1 && execution.fuel < 66_000_000;
        is_between && matches!(execution.end, End::Limit(exceeded) if exceeded.limit == Limit::Time)
    };
    assert!({ timeouts }.any(is_ended_between));
}

#[test]
fn short_instructions_are_left_as_they_are() {
    let short = wat(r#"(module (memory 1) (data "x")
        (func (param i32)
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576))
            (memory.copy (i32.const 0) (i32.const 1) (i32.const 0))
            (memory.init 0 (i32.const 0) (i32.const 0) (local.get 0))))"#);
    assert!(matches!(in_pieces(&short).bytes, Cow::Borrowed(_)));
    for long in [
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 1048577))",
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))",
        "(memory.fill (i32.const 0) (local.get 0) (local.get 0))",
        "(i32.const 0) (i32.const 1) (block (result i32) (i32.const 2)) (memory.fill)",
    ] {
        let long = wat(&format!("(module (memory 1) (func (param i32) {long}))"));
        assert!(matches!(in_pieces(&long).bytes, Cow::Owned(_)), "{long:?}");
    }
}

/// Every operator of a file's functions and its place; calls and what may have become one look the same.
fn operators(file: &[u8]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(file) {
        let Payload::CodeSectionEntry(body) = payload.expect("it is well-formed") else {
            continue;
        };
        let mut reader = body.get_operators_reader().expect("it is well-formed");
        while !reader.eof() {
            let place = reader.original_position();
            let operator = match reader.read().expect("it is well-formed") {
                Operator::MemoryFill { .. }
                | Operator::MemoryCopy { .. }
                | Operator::MemoryInit { .. }
                | Operator::Call { .. } => "call".to_owned(),
                other => format!("{other:?}"),
            };
            found.push((place, operator));
        }
    }
    found
}

/// Asserts that everything of a file is there once, in order, and known to be where it was.
#[track_caller]
fn keeps_its_places(file: &[u8]) {
    let Divided { bytes, places } = in_pieces(file);
    assert!(matches!(bytes, Cow::Owned(_)));
    let moved = operators(&bytes).into_iter();
    let moved: Vec<_> = moved
        .filter_map(|(place, operator)| Some((places.original(place)?, operator)))
        .collect();
    assert_eq!(moved, operators(file));
}

#[test]
fn places_of_instructions_are_those_of_the_file() {
    keeps_its_places(&ALL);
    // In a component, with modules before and behind that have no such instruction.
    let copies =
        "(func (param i32) (memory.copy (i32.const 0) (i32.const 1) (local.get 0)) unreachable)";
    keeps_its_places(&wat(&format!(
        r#"(component
            (core module (func unreachable))
            (component (core module (memory 1) {copies} {copies}))
            (core module (import "a" "f" (func)) (memory 1) {copies} (func nop))
            (core module (func unreachable)))"#
    )));
    keeps_its_places(&with_module(&format!(
        r#"{copies} (func (export "theus:process/processes@0.1.0#run")
            (param i32 i32 i32 i32) (result i32) unreachable)"#
    )));
}

/// The number of the function needs more bytes than the instruction has.
#[test]
fn a_module_of_many_functions_keeps_its_places() {
    let many = "(func) ".repeat(20_000);
    let fills = "(func (param i32)
        (memory.fill (i32.const 0) (i32.const 1) (local.get 0)) nop
        (memory.fill (i32.const 0) (i32.const 1) (local.get 0)) unreachable)";
    let module = wat(&format!("(module (memory 1) {fills} {many} {fills})"));
    keeps_its_places(&module);
    let divided = in_pieces(&module);
    Module::new(&Engine::default(), &divided.bytes).expect("it is still valid");
}

/// Whatever a file is, it is an answer; what is well-formed stays so, and so does what is valid.
#[test]
fn cut_and_flipped_files_are_divided_or_refused() {
    let file = wat(r#"(component
        (core module (func unreachable))
        (component (core module (import "a" "f" (func)) (memory 1) (data $d "x")
            (func (param i32)
                (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
                (memory.copy (i32.const 0) (i32.const 1) (local.get 0))
                (memory.init $d (i32.const 0) (i32.const 1) (local.get 0))))))"#);
    let mut changed: Vec<_> = (0..file.len()).map(|cut| file[..cut].to_vec()).collect();
    for at in 0..file.len() {
        for flip in [0x01, 0x02, 0x10, 0x40, 0x80, 0xff] {
            let mut flipped = file.clone();
            flipped[at] ^= flip;
            changed.push(flipped);
        }
    }
    let mut owned = 0;
    for bytes in changed {
        if let Ok(Divided {
            bytes: Cow::Owned(divided),
            ..
        }) = divided(&bytes)
        {
            owned += 1;
            for payload in Parser::new(0).parse_all(&divided) {
                payload.expect("it was well-formed");
            }
            if validate(&bytes).is_ok() {
                validate(&divided).expect("it was valid");
            }
        }
    }
    assert!(owned > 100, "most of it was never divided: {owned}");
}

#[test]
fn a_trap_in_a_divided_instruction_is_told_with_the_guests_own_place() {
    let guest = running(
        "(memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65537)))
        unreachable",
    );
    let place = operators(&guest)
        .windows(2)
        .find(|pair| pair[0].1 == "call" && pair[1].1 == "Unreachable")
        .map(|pair| pair[0].0)
        .expect("it is there");
    let program = RUNTIME.compile(&guest).expect("the guest compiles");
    let execution = run_program(&program, &[], settings(FUEL, PATIENCE));
    let End::Trapped {
        reason,
        function,
        place: told,
    } = execution.end
    else {
        panic!("no trap: {:?}", execution.end);
    };
    assert_eq!(reason, "out of bounds memory access");
    assert_eq!(function.as_deref(), Some("run"));
    assert_eq!(told, Some(format!("wasm offset {place:#x}")));
}

#[track_caller]
fn is_refused(guest: &[u8], parts: &[&str]) {
    let Err(error) = RUNTIME.compile(guest) else {
        panic!("it is not valid: {parts:?}");
    };
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_is_invalid_is_told_with_its_own_place() {
    let fills = "(memory.fill (i32.const 0) (i32.const 1) (local.get $args))";
    let mut guest = running(&format!("{fills} (call $ok (i32.const 0) (i32.const 0))"));
    let found = operators(&guest);
    let local = found.iter().rfind(|(_, it)| it.contains("LocalGet"));
    let (place, _) = local.expect("it is there");
    guest[place + 1] = 77;
    is_refused(&guest, &["unknown local 77", &format!("offset {place:#x}")]);

    // By its features alone: the compiler has looked at it in pieces.
    let guest = wat("(component (core module (memory 1)
            (func (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
            (func (param i32) (i32.atomic.store (i32.const 0) (i32.const 1)))))");
    let found = operators(&guest);
    let atomic = found.iter().find(|(_, it)| it.contains("Atomic"));
    let (place, _) = atomic.expect("it is there");
    is_refused(&guest, &["threads", &format!("offset {place}:")]);
}

/// There are more types and functions afterwards, for the host's own.
#[test]
fn a_guest_cannot_use_what_the_host_appends() {
    let text = "(component (core module (memory 1)
        (func (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (param i32 i32 i32) (call 0 (local.get 0) (local.get 1) (local.get 2)))))";
    let guest = wat(text);
    let found = operators(&guest);
    let call = found.iter().rfind(|(_, it)| it == "call");
    let (place, _) = call.expect("it is there");
    let mut calls = guest.clone();
    calls[place + 1] = 2;
    assert!(
        validate(&in_pieces(&calls).bytes).is_ok(),
        "it is what is appended"
    );
    is_refused(
        &calls,
        &["unknown function 2", &format!("offset {place:#x}")],
    );
}

/// An instruction on a further one is left as it is.
#[test]
fn a_guest_has_no_more_memories_than_are_looked_at() {
    let with = |memories: usize| {
        wat(&format!(
            "(component (core module {}
                (func (param i32) (memory.fill {} (i32.const 0) (i32.const 1) (local.get 0)))))",
            "(memory 1)".repeat(memories),
            memories - 1
        ))
    };
    assert!(matches!(in_pieces(&with(4)).bytes, Cow::Owned(_)));
    assert!(matches!(in_pieces(&with(5)).bytes, Cow::Borrowed(_)));
    is_refused(&with(5), &["memories"]);
}
