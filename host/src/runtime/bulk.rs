//! Bulk memory instructions, taken apart before a guest is compiled.
//!
//! wasmtime makes one call into the C library of `memory.fill`, `memory.copy` and `memory.init`, and nothing ends it half way:
//! tens of megabytes of fresh pages take longer than a deadline may be late. So each such instruction becomes a call of a function
//! that is appended to its module and does the same in pieces, in a loop, where the deadline is looked at.
//!
//! Everything else stays as it is, byte for byte, and so do the numbers of all functions and types. What moves are the places in
//! the file, and [`Places`] knows where they were.

use super::config::MEMORIES;
use std::borrow::Cow;
use std::ops::Range;
use wasm_encoder::{BlockType, Encode as _, Function, InstructionSink};
use wasmparser::{
    BinaryReader, BinaryReaderError, FunctionBody, Operator, Parser, Payload, TypeRef, Validator,
    WasmFeatures,
};

/// What is made of a guest's instructions, and with it their fuel: another number for every other form.
pub(super) const FORM: u32 = 1;
/// What is filled or copied at a time: half a millisecond where every page of it is fresh.
const PIECE: i32 = 1 << 20;
/// The binary logarithm of the size of a page.
const PAGE_BITS: i64 = 16;
/// The type of every function that is appended, the last type of its module: three times `i32`, and no result.
const FUNCTION_TYPE: [u8; 6] = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];
/// What a call begins with.
const CALL: u8 = 0x10;
/// The longest number of 32 bits.
const LONGEST: usize = 5;

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

/// Copies a component, and changes it on the way.
struct Writer<'a> {
    component: &'a [u8],
    /// Up to where it was looked at.
    seen: usize,
    /// Up to where it is copied, or left out.
    copied: usize,
    bytes: Vec<u8>,
    places: Places,
    /// Where the sizes stand of what has not ended yet.
    sizes: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(component: &'a [u8]) -> Self {
        Self {
            component,
            seen: 0,
            copied: 0,
            bytes: Vec::with_capacity(component.len() + component.len() / 16),
            places: Places::default(),
            sizes: Vec::new(),
        }
    }

    fn write(mut self, modules: &[Module]) -> Result<(Vec<u8>, Places), BinaryReaderError> {
        let mut modules = modules.iter();
        let mut open = Vec::new();
        let mut bodies = 0;
        for payload in Parser::new(0).parse_all(self.component) {
            let payload = payload?;
            match &payload {
                Payload::Version { range, .. } => {
                    open.extend(modules.next().map(|it| (it, &it.sites[..])));
                    self.seen = range.end;
                    continue;
                }
                Payload::End(end) => {
                    open.pop();
                    self.copy(*end);
                    if !open.is_empty() {
                        self.end();
                    }
                    self.seen = *end;
                    continue;
                }
                Payload::ModuleSection {
                    unchecked_range, ..
                }
                | Payload::ComponentSection {
                    unchecked_range, ..
                } => {
                    self.begin(self.seen + 1, unchecked_range.start);
                    self.seen = unchecked_range.start;
                    continue;
                }
                _ => {}
            }
            let divided = open.last_mut().filter(|(it, _)| !it.divided.is_empty());
            match (payload.as_section(), &payload, divided) {
                (Some((_, range)), Payload::TypeSection(_), Some(_)) => {
                    self.begin_counted(&range, 1)?;
                    self.copy(range.end);
                    self.bytes.extend(FUNCTION_TYPE);
                    self.end();
                    self.seen = range.end;
                }
                (Some((_, range)), Payload::FunctionSection(_), Some((module, _))) => {
                    self.begin_counted(&range, module.divided.len())?;
                    self.copy(range.end);
                    for _ in &module.divided {
                        module.types.encode(&mut self.bytes);
                    }
                    self.end();
                    self.seen = range.end;
                }
                (Some((_, range)), Payload::CodeSectionStart { count, .. }, Some((module, _))) => {
                    self.begin_counted(&range, module.divided.len())?;
                    bodies = *count;
                    self.seen = self.copied;
                    if bodies == 0 {
                        self.append_functions(module);
                    }
                }
                (None, Payload::CodeSectionEntry(body), Some((module, sites))) => {
                    let range = body.range();
                    let here = sites.partition_point(|site| site.range.start < range.end);
                    let (here, later) = sites.split_at(here);
                    *sites = later;
                    self.function(&range, here, module);
                    self.seen = range.end;
                    bodies -= 1;
                    if bodies == 0 {
                        self.append_functions(module);
                    }
                }
                (Some((_, range)), ..) => self.seen = range.end,
                _ => {}
            }
        }
        Ok((self.bytes, self.places))
    }

    /// Copies all up to a place.
    fn copy(&mut self, to: usize) {
        // A malformed file has code that says it is longer than the file.
        let to = to.min(self.component.len());
        if self.copied < to {
            self.places.push(self.bytes.len(), Some(self.copied));
            self.bytes
                .extend_from_slice(&self.component[self.copied..to]);
            self.copied = to;
        }
    }

    /// Begins something that may become longer: what stands at `size` is how long it was, up to its `content`.
    fn begin(&mut self, size: usize, content: usize) {
        self.copy(size);
        self.copied = content;
        self.sizes.push(self.bytes.len());
        push_number(&mut self.bytes, 0, LONGEST);
    }

    /// Ends what was begun last.
    fn end(&mut self) {
        let Some(size) = self.sizes.pop() else {
            return;
        };
        let content = size + LONGEST;
        let bytes = u32::try_from(self.bytes.len() - content).unwrap_or(u32::MAX);
        let mut number = Vec::with_capacity(LONGEST);
        push_number(&mut number, bytes, LONGEST);
        self.bytes[size..content].copy_from_slice(&number);
    }

    /// Begins a section that gets more items than it had.
    fn begin_counted(
        &mut self,
        section: &Range<usize>,
        more: usize,
    ) -> Result<(), BinaryReaderError> {
        let mut reader = BinaryReader::new(&self.component[section.start..], section.start);
        let count = reader.read_var_u32()?;
        self.begin(self.seen + 1, reader.original_position());
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        count.saturating_add(more).encode(&mut self.bytes);
        Ok(())
    }

    /// Copies a function, its sites as calls.
    fn function(&mut self, body: &Range<usize>, sites: &[Site], module: &Module) {
        if sites.is_empty() {
            return;
        }
        self.begin(self.seen, body.start);
        for site in sites {
            self.copy(site.range.start);
            self.bytes.push(CALL);
            // Of the same length where that is long enough: then nothing behind it moves.
            let length = (site.range.len() - 1).min(LONGEST);
            push_number(&mut self.bytes, module.function(site), length);
            self.copied = site.range.end;
        }
        self.copy(body.end);
        self.end();
    }

    /// Appends what a module's sites call, and ends its code.
    fn append_functions(&mut self, module: &Module) {
        self.copy(self.seen);
        self.places.push(self.bytes.len(), None);
        for bulk in &module.divided {
            bulk.in_pieces(&module.segments).encode(&mut self.bytes);
        }
        self.end();
    }
}

/// Writes a number in so many bytes, or more where it needs more.
fn push_number(bytes: &mut Vec<u8>, mut number: u32, length: usize) {
    const BITS: u32 = 7;
    const MORE: u8 = 1 << BITS;
    for written in 1.. {
        let low = number.to_le_bytes()[0] & (MORE - 1);
        number >>= BITS;
        if number == 0 && written >= length {
            bytes.push(low);
            return;
        }
        bytes.push(low | MORE);
    }
}

/// The parameters of a function that does an instruction in pieces.
const TO: u32 = 0;
const WITH: u32 = 1;
const BYTES: u32 = 2;

impl Bulk {
    /// The function that does the same in pieces.
    ///
    /// What is not longer than a piece is done at once, and so is what is out of bounds: it traps as it always did, before a byte
    /// is written.
    fn in_pieces(self, segments: &[u32]) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.block(BlockType::Empty).block(BlockType::Empty);
        code.local_get(BYTES).i32_const(PIECE).i32_le_u();
        code.br_if(0);
        self.is_out_of_bounds(&mut code, segments);
        code.i32_eqz().br_if(1).end();
        code.local_get(TO).local_get(WITH).local_get(BYTES);
        self.instruction(&mut code).return_().end();
        match self {
            Self::Copy { to, from } if to == from => {
                // Where it may overlap, what is written must have been read: upwards it is done from the end.
                code.local_get(WITH).local_get(TO).i32_lt_u();
                code.if_(BlockType::Empty);
                self.write_from_end(&mut code);
                code.else_();
                self.write_from_start(&mut code);
                code.end();
            }
            _ => self.write_from_start(&mut code),
        }
        code.local_get(TO).local_get(WITH).local_get(BYTES);
        self.instruction(&mut code).end();
        function
    }

    /// All pieces but the last, which is left to be done.
    fn write_from_start(self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty);
        code.local_get(TO).local_get(WITH).i32_const(PIECE);
        self.instruction(code);
        let is_copy = !matches!(self, Self::Fill { .. });
        for place in [Some(TO), is_copy.then_some(WITH)].into_iter().flatten() {
            code.local_get(place).i32_const(PIECE).i32_add();
            code.local_set(place);
        }
        code.local_get(BYTES).i32_const(PIECE).i32_sub();
        code.local_tee(BYTES).i32_const(PIECE).i32_gt_u();
        code.br_if(0).end();
    }

    /// The same from the end: the first piece is left to be done.
    fn write_from_end(self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty);
        code.local_get(BYTES).i32_const(PIECE).i32_sub();
        code.local_set(BYTES);
        for place in [TO, WITH] {
            code.local_get(place).local_get(BYTES).i32_add();
        }
        code.i32_const(PIECE);
        self.instruction(code);
        code.local_get(BYTES).i32_const(PIECE).i32_gt_u();
        code.br_if(0).end();
    }

    /// Whether any of what is read or written is out of bounds.
    fn is_out_of_bounds(self, code: &mut InstructionSink<'_>, segments: &[u32]) {
        let is_beyond = |code: &mut InstructionSink<'_>, place: u32, memory: u32| {
            end_of(code, place);
            code.memory_size(memory).i64_extend_i32_u();
            code.i64_const(PAGE_BITS).i64_shl().i64_gt_u();
        };
        match self {
            Self::Fill { memory } => is_beyond(code, TO, memory),
            Self::Copy { to, from } => {
                is_beyond(code, TO, to);
                is_beyond(code, WITH, from);
                code.i32_or();
            }
            Self::Init { memory, segment } => {
                is_beyond(code, TO, memory);
                end_of(code, WITH);
                code.i64_const(bytes_of(segments, segment).into());
                code.i64_gt_u().i32_or();
            }
        }
    }

    fn instruction<'a, 'b>(self, code: &'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b> {
        match self {
            Self::Fill { memory } => code.memory_fill(memory),
            Self::Copy { to, from } => code.memory_copy(to, from),
            Self::Init { memory, segment } => code.memory_init(memory, segment),
        }
    }
}

/// Where something ends that begins at a place and has all the bytes, in 64 bits.
fn end_of(code: &mut InstructionSink<'_>, place: u32) {
    code.local_get(place).i64_extend_i32_u();
    code.local_get(BYTES).i64_extend_i32_u().i64_add();
}
