//! Bulk memory instructions, taken apart before a guest is compiled.
//!
//! wasmtime makes one call into the C library of `memory.fill`, `memory.copy` and `memory.init`, and nothing ends it half way:
//! tens of megabytes of fresh pages take longer than a deadline may be late. So each such instruction becomes a call of a function
//! that is appended to its module and does the same in pieces, in a loop, where the deadline is looked at.
//!
//! Everything else stays as it is, byte for byte, and so do the numbers of all functions and types. What moves are the places in
//! the file, and [`Places`] knows where they were.

mod pieces;
mod writer;

use self::writer::Writer;
use super::config::MEMORIES;
use std::borrow::Cow;
use std::ops::Range;
use wasmparser::{
    BinaryReaderError, FunctionBody, Operator, Parser, Payload, TypeRef, Validator, WasmFeatures,
};

/// What is made of a guest's instructions, and with it their fuel: another number for every other form.
pub(super) const FORM: u32 = 1;
/// What is filled or copied at a time: half a millisecond where every page of it is fresh.
const PIECE: i32 = 1 << 20;

/// A component whose bulk memory instructions are calls.
pub(super) struct Divided<'a> {
    /// The component's bytes; its own where it has no such instruction.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where its instructions were.
    pub(super) places: Places,
}

/// Where the bytes of a divided component come from.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<Stretch>);

/// Bytes that were moved together, up to the next such stretch.
#[derive(Debug)]
struct Stretch {
    start: usize,
    /// Where they were, if they were anywhere.
    original: Option<usize>,
}

/// A bulk memory instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bulk {
    Fill { memory: u32 },
    Copy { to: u32, from: u32 },
    Init { memory: u32, segment: u32 },
}

/// Where a function has one.
struct Site {
    range: Range<usize>,
    bulk: Bulk,
}

/// What is known of a core module once all of it was read.
#[derive(Default)]
struct Module {
    types: u32,
    functions: u32,
    /// The sizes of its data segments.
    segments: Vec<u32>,
    /// In the order of the file.
    sites: Vec<Site>,
    /// What functions are appended for.
    divided: Vec<Bulk>,
}

/// Takes a component's bulk memory instructions apart.
///
/// What is invalid may be valid afterwards, for there are more types and functions then: [`validate`] the component as it was.
///
/// # Errors
///
/// What is malformed.
pub(super) fn divided(component: &[u8]) -> Result<Divided<'_>, BinaryReaderError> {
    let modules = read(component)?;
    if modules.iter().all(|module| module.divided.is_empty()) {
        return Ok(Divided {
            bytes: Cow::Borrowed(component),
            places: Places::default(),
        });
    }
    let (bytes, places) = Writer::new(component).write(&modules)?;
    Ok(Divided {
        bytes: Cow::Owned(bytes),
        places,
    })
}

/// Checks that a component is valid, by the rules of all proposals: the compiler has fewer.
///
/// # Errors
///
/// What is not.
pub(super) fn validate(component: &[u8]) -> Result<(), BinaryReaderError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    validator.validate_all(component).map(|_| ())
}

impl Places {
    /// Where in the guest's own file an instruction stands, if it is the guest's.
    pub(super) fn original(&self, place: usize) -> Option<usize> {
        let after = self.0.partition_point(|stretch| stretch.start <= place);
        match after.checked_sub(1).map(|last| &self.0[last]) {
            Some(stretch) => Some(stretch.original? + (place - stretch.start)),
            None => Some(place),
        }
    }

    /// From here on, bytes come from somewhere else.
    fn push(&mut self, start: usize, original: Option<usize>) {
        if original.is_none() || self.original(start) != original {
            self.0.push(Stretch { start, original });
        }
    }
}

/// Reads all core modules and components of a component, in the order in which they begin.
fn read(component: &[u8]) -> Result<Vec<Module>, BinaryReaderError> {
    let mut modules = Vec::new();
    let mut open = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if let Payload::Version { .. } = payload {
            open.push(modules.len());
            modules.push(Module::default());
            continue;
        }
        let Some(module) = open.last().map(|last| &mut modules[*last]) else {
            continue;
        };
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    module.types += u32::try_from(group?.types().len()).unwrap_or(u32::MAX);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import?.ty {
                        module.functions += 1;
                    }
                }
            }
            Payload::FunctionSection(section) => module.functions += section.count(),
            Payload::CodeSectionEntry(body) => module.find(&body)?,
            Payload::DataSection(section) => {
                for segment in section {
                    let bytes = u32::try_from(segment?.data.len()).unwrap_or(u32::MAX);
                    module.segments.push(bytes);
                }
            }
            Payload::End(_) => {
                module.divide();
                open.pop();
            }
            _ => {}
        }
    }
    Ok(modules)
}

impl Module {
    /// Finds the sites of a function, but for those that are short by what stands before them.
    fn find(&mut self, body: &FunctionBody<'_>) -> Result<(), BinaryReaderError> {
        if !may_have_sites(body.as_bytes()) {
            return Ok(());
        }
        let mut operators = body.get_operators_reader()?;
        let mut is_short = false;
        while !operators.eof() {
            let start = operators.original_position();
            let operator = operators.read()?;
            let bulk = match operator {
                Operator::MemoryFill { mem } => Some(Bulk::Fill { memory: mem }),
                Operator::MemoryCopy { dst_mem, src_mem } => Some(Bulk::Copy {
                    to: dst_mem,
                    from: src_mem,
                }),
                Operator::MemoryInit { data_index, mem } => Some(Bulk::Init {
                    memory: mem,
                    segment: data_index,
                }),
                _ => None,
            };
            if let (Some(bulk), false) = (bulk, is_short) {
                let range = start..operators.original_position();
                self.sites.push(Site { range, bulk });
            }
            is_short = matches!(operator, Operator::I32Const { value: 0..=PIECE });
        }
        Ok(())
    }

    /// Decides what functions are needed, once all sections were read.
    ///
    /// What memories and segments there cannot be is for the compiler to refuse.
    fn divide(&mut self) {
        let Self {
            segments,
            sites,
            divided,
            ..
        } = self;
        sites.retain(|site| {
            let is_long = match site.bulk {
                Bulk::Fill { memory } => memory < MEMORIES,
                Bulk::Copy { to, from } => to < MEMORIES && from < MEMORIES,
                Bulk::Init { memory, segment } => {
                    memory < MEMORIES && bytes_of(segments, segment) > PIECE.unsigned_abs()
                }
            };
            if is_long && !divided.contains(&site.bulk) {
                divided.push(site.bulk);
            }
            is_long
        });
    }

    /// The number of the function that does what a site did.
    fn function(&self, site: &Site) -> u32 {
        let before = self.divided.iter().take_while(|it| **it != site.bulk);
        before.fold(self.functions, |number, _| number.saturating_add(1))
    }
}

/// Whether a function's bytes look as if there were a site: few others do, and to read all their instructions takes long.
fn may_have_sites(function: &[u8]) -> bool {
    const PREFIX: u8 = 0xfc;
    const NUMBERS: [u8; 3] = [0x08, 0x0a, 0x0b];
    // The number behind the prefix may be written longer than it need be; its lowest bits come first.
    let begins = |pair: &[u8]| pair[0] == PREFIX && NUMBERS.contains(&(pair[1] & 0x7f));
    function.contains(&PREFIX) && function.windows(2).any(begins)
}

fn bytes_of(segments: &[u32], segment: u32) -> u32 {
    let bytes = usize::try_from(segment)
        .ok()
        .and_then(|it| segments.get(it));
    bytes.copied().unwrap_or(0)
}
