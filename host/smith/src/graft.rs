//! A guest's core module around the random one: the world's imports, acts, an allocator, a `run`.
//!
//! The random module knows the acts as imports. Here they become functions behind its own; that moves every function
//! index and nothing else.

use crate::acts::{Act, Texts};
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    InstructionSink, MemArg, MemorySection, MemoryType, Module, StartSection, TableSection,
    TypeSection, ValType,
};
use wasmparser::{Parser, Payload};

/// Where results of processes lie.
const RESULT: i32 = 1024;
/// Where the host's functions return what is more than one number.
pub(crate) const RETURNED: i32 = 1088;
/// Where the acts' texts begin.
pub(crate) const TEXTS: u32 = 2048;
/// What of the heap a guest's result shows: all that it was handed, up to there.
const SHOWN: u32 = 4096;
/// The head of a MessagePack binary with a length of 32 bits.
const BINARY_HEAD: u32 = 5;
const PAGE: u32 = 64 * 1024;
/// Pages that a random module may grow to.
const MOST_PAGES: u32 = 16;

/// The functions of the world, in the order of their imports.
pub(crate) struct World;

impl World {
    pub(crate) const GET: u32 = 0;
    pub(crate) const SET: u32 = 1;
    pub(crate) const REMOVE: u32 = 2;
    pub(crate) const PUSH: u32 = 3;
    pub(crate) const LEN: u32 = 4;
    pub(crate) const KEYS: u32 = 5;
    pub(crate) const READ_BYTES: u32 = 6;
    pub(crate) const WRITE: u32 = 7;
    pub(crate) const ABORT: u32 = 8;
    pub(crate) const SEND: u32 = 9;

    const FUNCTIONS: [(&str, &str, &[ValType], &[ValType]); 10] = {
        const I: ValType = ValType::I32;
        const L: ValType = ValType::I64;
        [
            ("context", "get", &[I, I, I], &[]),
            ("context", "set", &[I, I, I, I], &[]),
            ("context", "remove", &[I, I], &[I]),
            ("context", "push", &[I, I, I, I], &[L]),
            ("context", "len", &[I, I, I], &[]),
            ("context", "keys", &[I, I, I, I, I, I, I], &[]),
            ("context", "read-bytes", &[I, I, L, I, I], &[]),
            ("log", "write", &[I, I, I], &[]),
            ("log", "abort", &[I, I, I, I, I, I], &[]),
            ("outbox", "send", &[I, I, I, I], &[]),
        ]
    };
    const LEN_OF_WORLD: u32 = 10;

    fn import(imports: &mut ImportSection, types: &mut TypeSection) {
        for (interface, name, params, results) in Self::FUNCTIONS {
            let ty = types.len();
            types
                .ty()
                .function(params.iter().copied(), results.iter().copied());
            let module = format!("theus:process/{interface}@0.1.0");
            imports.import(&module, name, EntityType::Function(ty));
        }
    }
}

/// Whether the random code may call the world's functions itself, with whatever arguments it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Acts,
    ActsAndWorld,
}

/// Whose function it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// One that does as it should.
    Us,
    /// Random code.
    Smith,
}

/// What `run` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// All that the host handed to the guest, as one binary.
    Heap,
    Nil,
    /// The error that the contract lists.
    Declared,
    /// One that it does not list.
    Undeclared,
    /// What random code returned, as an address.
    Junk,
}

/// A step of `run`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Act(u32),
    /// The random module's `body`, with this number.
    Body(i32),
}

/// All that is added to a random module.
#[derive(Debug)]
pub(crate) struct Graft {
    pub(crate) reach: Reach,
    pub(crate) acts: Vec<Act>,
    pub(crate) steps: Vec<Step>,
    pub(crate) returns: Returns,
    pub(crate) allocator: By,
}

/// The exports of the random module, and their places in its index space.
#[derive(Default)]
struct Smith {
    imports: u32,
    body: u32,
    realloc: u32,
}

/// Moves function indices from the random module's space to the guest's.
struct Moved {
    acts: u32,
    imports: u32,
    defined: u32,
}

/// The sections of the guest.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    start: Option<u32>,
    elements: ElementSection,
    data_count: Option<u32>,
    code: CodeSection,
    data: DataSection,
}

/// The module is not the one that was asked for.
pub(crate) type GraftError = reencode::Error<Infallible>;

impl Reencode for Moved {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, GraftError> {
        Ok(if function < self.acts {
            self.act(function)
        } else if function < self.imports {
            function - self.acts
        } else {
            function - self.imports + World::LEN_OF_WORLD
        })
    }
}

impl Moved {
    fn act(&self, number: u32) -> u32 {
        World::LEN_OF_WORLD + self.defined + number
    }
}

impl Graft {
    fn acts(&self) -> u32 {
        u32::try_from(self.acts.len()).unwrap_or(u32::MAX)
    }

    /// The imports and exports that the random module is asked for.
    ///
    /// `texts` is how much room the acts' texts need.
    pub(crate) fn shape(&self, texts: u32) -> Vec<u8> {
        let mut types = TypeSection::new();
        let mut imports = ImportSection::new();
        types.ty().function([], []);
        types.ty().function([ValType::I32], [ValType::I32]);
        types.ty().function([ValType::I32; 4], [ValType::I32]);
        for number in 0..self.acts.len() {
            imports.import("act", &number.to_string(), EntityType::Function(0));
        }
        if self.reach == Reach::ActsAndWorld {
            World::import(&mut imports, &mut types);
        }
        let first = imports.len();
        let mut functions = FunctionSection::new();
        functions.function(1).function(2);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: u64::from((TEXTS + texts) / PAGE + 2),
            maximum: Some(MOST_PAGES.into()),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports
            .export("body", ExportKind::Func, first)
            .export("realloc", ExportKind::Func, first + 1)
            .export("memory", ExportKind::Memory, 0);
        let mut code = CodeSection::new();
        for _ in 0..2 {
            let mut function = Function::new([]);
            function.instructions().unreachable().end();
            code.function(&function);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&memories)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    /// The guest's core module.
    ///
    /// # Errors
    ///
    /// The random module has another shape.
    pub(crate) fn onto(&self, random: &[u8]) -> Result<Vec<u8>, GraftError> {
        let (smith, mut moved) = self.look(random)?;
        let mut sections = Sections::default();
        sections.take(random, &mut moved)?;
        Ok(self.finish(sections, &smith, &mut moved))
    }

    /// Where the random module has what.
    fn look(&self, random: &[u8]) -> Result<(Smith, Moved), GraftError> {
        let mut smith = Smith::default();
        let mut defined = 0;
        for payload in Parser::new(0).parse_all(random) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        import?;
                        smith.imports += 1;
                    }
                }
                Payload::FunctionSection(section) => defined = section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        match export.name {
                            "body" => smith.body = export.index,
                            "realloc" => smith.realloc = export.index,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let moved = Moved {
            acts: self.acts(),
            imports: smith.imports,
            defined,
        };
        Ok((smith, moved))
    }

    fn finish(&self, mut sections: Sections, smith: &Smith, moved: &mut Moved) -> Vec<u8> {
        let mut imports = ImportSection::new();
        World::import(&mut imports, &mut sections.types);
        let nothing = sections.types.len();
        sections.types.ty().function([], []);
        let four = nothing + 1;
        sections
            .types
            .ty()
            .function([ValType::I32; 4], [ValType::I32]);

        let mut texts = Texts::at(TEXTS);
        for act in &self.acts {
            sections.functions.function(nothing);
            sections.code.function(&act.function(&mut texts));
        }
        // The heap begins with the head of a binary, so that it can be returned as it lies there.
        let head = texts.end().next_multiple_of(8) + 8 - BINARY_HEAD;
        let heap = head + BINARY_HEAD;
        let own = |at: u32| moved.act(self.acts() + at);
        let (allocator, run) = (own(0), own(1));
        let next = sections.globals.len();
        sections.globals.global(
            GlobalType {
                val_type: ValType::I32,
                mutable: true,
                shared: false,
            },
            &ConstExpr::i32_const(heap.cast_signed()),
        );
        let place = |smiths: u32| smiths - smith.imports + World::LEN_OF_WORLD;
        sections.functions.function(four).function(four);
        sections.code.function(&allocate(next));
        let run_code = self.run(moved, place(smith.body), head);
        sections.code.function(&run_code);

        let mut at_heap = vec![0xc6];
        at_heap.extend_from_slice(&SHOWN.to_be_bytes());
        for (at, bytes) in [(TEXTS, texts.bytes()), (head, at_heap.as_slice())] {
            let at = ConstExpr::i32_const(at.cast_signed());
            sections.data.active(0, &at, bytes.iter().copied());
        }
        let mut exports = ExportSection::new();
        let allocator = match self.allocator {
            By::Us => allocator,
            By::Smith => place(smith.realloc),
        };
        exports
            .export("memory", ExportKind::Memory, 0)
            .export("cabi_realloc", ExportKind::Func, allocator)
            .export("theus:process/processes@0.1.0#run", ExportKind::Func, run);
        sections.finish(&imports, &exports)
    }

    /// `run`: the steps, and what it returns.
    fn run(&self, moved: &Moved, body: u32, head: u32) -> Function {
        let mut function = Function::new([(1, ValType::I32)]);
        let junk = 4;
        let mut code = function.instructions();
        for step in &self.steps {
            match *step {
                Step::Act(number) => code.call(moved.act(number)),
                Step::Body(with) => code.i32_const(with).call(body).local_set(junk),
            };
        }
        let (tag, words) = match self.returns {
            Returns::Junk => {
                code.local_get(junk).end();
                return function;
            }
            Returns::Heap => (0, vec![head, SHOWN + BINARY_HEAD]),
            Returns::Nil => (0, vec![RESULT.cast_unsigned() + 32, 1]),
            Returns::Declared => (1, vec![RESULT.cast_unsigned() + 33, 5, TEXTS, 0]),
            Returns::Undeclared => (1, vec![RESULT.cast_unsigned() + 33, 4, TEXTS, 0]),
        };
        store(&mut code, RESULT, tag);
        for (word, at) in words.into_iter().zip((RESULT + 4..).step_by(4)) {
            store(&mut code, at, word.cast_signed());
        }
        // MessagePack's nil, and a name that begins with a shorter one.
        for (byte, at) in b"\xc0Known".iter().zip(RESULT + 32..) {
            code.i32_const(at)
                .i32_const(i32::from(*byte))
                .i32_store8(aligned(0));
        }
        code.i32_const(RESULT).end();
        function
    }
}

impl Sections {
    /// Takes over what the random module has, but for its imports and exports.
    fn take(&mut self, random: &[u8], moved: &mut Moved) -> Result<(), GraftError> {
        for payload in Parser::new(0).parse_all(random) {
            match payload? {
                Payload::TypeSection(it) => utils::parse_type_section(moved, &mut self.types, it)?,
                Payload::FunctionSection(it) => {
                    utils::parse_function_section(moved, &mut self.functions, it)?;
                }
                Payload::TableSection(it) => {
                    utils::parse_table_section(moved, &mut self.tables, it)?;
                }
                Payload::MemorySection(it) => {
                    utils::parse_memory_section(moved, &mut self.memories, it)?;
                }
                Payload::GlobalSection(it) => {
                    utils::parse_global_section(moved, &mut self.globals, it)?;
                }
                Payload::StartSection { func, .. } => {
                    self.start = Some(moved.function_index(func)?);
                }
                Payload::ElementSection(it) => {
                    utils::parse_element_section(moved, &mut self.elements, it)?;
                }
                Payload::DataCountSection { count, .. } => self.data_count = Some(count),
                Payload::CodeSectionEntry(it) => {
                    utils::parse_function_body(moved, &mut self.code, it)?;
                }
                Payload::DataSection(it) => utils::parse_data_section(moved, &mut self.data, it)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(&self, imports: &ImportSection, exports: &ExportSection) -> Vec<u8> {
        let mut module = Module::new();
        module
            .section(&self.types)
            .section(imports)
            .section(&self.functions);
        if !self.tables.is_empty() {
            module.section(&self.tables);
        }
        module
            .section(&self.memories)
            .section(&self.globals)
            .section(exports);
        if let Some(function_index) = self.start {
            module.section(&StartSection { function_index });
        }
        if !self.elements.is_empty() {
            module.section(&self.elements);
        }
        if self.data_count.is_some() {
            let count = self.data.len();
            module.section(&DataCountSection { count });
        }
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}

/// `cabi_realloc` that goes on at the global `next`, and never frees.
fn allocate(next: u32) -> Function {
    let mut function = Function::new([(1, ValType::I32)]);
    let (size, at) = (3, 4);
    function
        .instructions()
        .global_get(next)
        .i32_const(7)
        .i32_add()
        .i32_const(-8)
        .i32_and()
        .local_tee(at)
        .local_get(size)
        .i32_add()
        .global_set(next)
        .block(BlockType::Empty)
        .global_get(next)
        .memory_size(0)
        .i32_const(PAGE.cast_signed())
        .i32_mul()
        .i32_le_u()
        .br_if(0)
        .local_get(size)
        .i32_const(16)
        .i32_shr_u()
        .i32_const(1)
        .i32_add()
        .memory_grow(0)
        .drop()
        .end()
        .local_get(at)
        .end();
    function
}

fn store(code: &mut InstructionSink<'_>, at: i32, word: i32) {
    code.i32_const(at).i32_const(word).i32_store(aligned(2));
}

pub(crate) fn aligned(align: u32) -> MemArg {
    MemArg {
        offset: 0,
        align,
        memory_index: 0,
    }
}
