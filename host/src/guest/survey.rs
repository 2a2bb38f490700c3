//! One walk over a component's sections: what a guest is, and whether its shape is fit for a compiler.

mod instances;
mod shape;

use self::instances::{Instances, Sum};
use self::shape::Shape;
use super::GuestError;
use super::nesting::{MAX_NESTED, nested};
use std::collections::BTreeSet;
use theus_core::contract;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentInstance, ConstExpr, DataKind, ElementItems,
    Encoding, Instance, MemoryType, Payload, TableType,
};

pub(super) const MAX_DEPTH: u64 = 8;
const MAX_IMPORTS: u64 = 256;
const MAX_EXPORTS: u64 = 256;
const MAX_MODULES: u64 = 64;
const MAX_TYPES: u64 = 20_000;
/// Instances of nested components multiply with depth, so only a few are allowed in all.
const MAX_COMPONENT_INSTANCES: u64 = 20;
/// The runtime has room for as many: a Python guest comes to 38.
pub(crate) const MAX_CORE_INSTANCES: u32 = 64;
const MAX_CANONICAL_FUNCTIONS: u64 = 2_000;
/// Each takes the compiler 13 KB of memory, however short it is: a Python guest has ten thousand.
const MAX_FUNCTIONS: u64 = 100_000;
/// What all functions are for the compiler, as `shape` weighs it, may be this many times the largest component's size: some 20 s
/// at the default of 16 MiB, where large honest guests take one.
const WEIGHT_PER_BYTE: u64 = 32;
/// A constant is a few bytes long. Where it is a sum, the compiler keeps a hundred bytes of each of its own.
const MAX_CONSTANT_BYTES: u64 = 256;
/// Elements of all segments for one that tables may have: where the compiler cannot tell what table they go to, each is code of
/// its own, 7 KB of them while they are compiled.
const ELEMENTS_PER_SLOT: u64 = 2;
/// Bytes of a page of linear memory.
const PAGE: u64 = 64 * 1024;

/// What is gathered while a component's sections go by.
pub(super) struct Survey<'a> {
    component: &'a [u8],
    limits: &'a Limits,
    // One entry per module or component that the parser is in; the number tells modules apart.
    inside: Vec<(Encoding, u64)>,
    pub(super) imports: BTreeSet<String>,
    pub(super) exports: BTreeSet<String>,
    pub(super) contract: Option<(u64, Vec<u8>)>,
    modules: u64,
    types: u64,
    component_instances: u64,
    core_instances: u64,
    canonical_functions: u64,
    functions: u64,
    elements: u64,
    weight: u64,
    instances: Instances,
    // Of the core module that the parser is in: core modules hold no others.
    shape: Shape,
}

impl<'a> Survey<'a> {
    pub(super) fn new(component: &'a [u8], limits: &'a Limits) -> Self {
        Self {
            component,
            limits,
            inside: Vec::new(),
            imports: BTreeSet::new(),
            exports: BTreeSet::new(),
            contract: None,
            modules: 0,
            types: 0,
            component_instances: 0,
            core_instances: 0,
            canonical_functions: 0,
            functions: 0,
            elements: 0,
            weight: 0,
            instances: Instances::new(component, most(limits)),
            shape: Shape::default(),
        }
    }

    pub(super) fn payload(&mut self, payload: Payload<'_>) -> Result<(), GuestError> {
        match payload {
            Payload::Version { encoding, .. } => {
                count(&mut self.modules, 1, MAX_MODULES, "modules and components")?;
                self.inside.push((encoding, self.modules));
                self.instances.begin();
                self.shape = Shape::default();
                at_most(self.inside.len() as u64, MAX_DEPTH, "levels of nesting")?;
            }
            Payload::End(_) => {
                let ended = self.inside.pop();
                let is_module = matches!(ended, Some((Encoding::Module, _)));
                self.instances.end(is_module);
            }
            Payload::ComponentImportSection(section) => {
                let is_guests = self.inside.len() == 1;
                if is_guests {
                    at_most(u64::from(section.count()), MAX_IMPORTS, "imports")?;
                }
                for import in section {
                    let import = import?;
                    self.instances.named(import.ty.kind());
                    if is_guests {
                        self.imports.insert(import.name.name.to_owned());
                        at_most(self.imports.len() as u64, MAX_IMPORTS, "imports")?;
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                let is_guests = self.inside.len() == 1;
                if is_guests {
                    at_most(u64::from(section.count()), MAX_EXPORTS, "exports")?;
                }
                for export in section {
                    let export = export?;
                    self.instances.named(export.kind);
                    if is_guests {
                        self.exports.insert(export.name.name.to_owned());
                        at_most(self.exports.len() as u64, MAX_EXPORTS, "exports")?;
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.instances.alias(&alias?);
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        let (sum, what) = (&mut self.component_instances, "component instances");
                        count(sum, 1, MAX_COMPONENT_INSTANCES, what)?;
                        let sum = self.instances.instantiate(false, component_index);
                        self.at_most(sum)?;
                    }
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        let sum = self.instances.instantiate(true, module_index);
                        self.at_most(sum)?;
                        count(
                            &mut self.core_instances,
                            1,
                            u64::from(MAX_CORE_INSTANCES),
                            "core instances",
                        )?;
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                let (sum, more) = (&mut self.canonical_functions, u64::from(section.count()));
                count(sum, more, MAX_CANONICAL_FUNCTIONS, "canonical functions")?;
                for function in section {
                    if is_part(&function?) {
                        let sum = self.instances.is_part();
                        self.at_most(sum)?;
                    }
                }
            }
            Payload::TypeSection(section) => {
                let types = &mut self.types;
                self.shape
                    .types(section, || count(types, 1, MAX_TYPES, "types"))?;
            }
            Payload::ImportSection(section) => self.shape.imports(section)?,
            Payload::GlobalSection(section) => {
                section
                    .into_iter()
                    .try_for_each(|it| constant(&it?.init_expr))?;
            }
            Payload::CoreTypeSection(section) => self.count_types(section.count())?,
            Payload::ComponentTypeSection(section) => {
                self.count_types(section.count())?;
                let nested = self.component.get(section.range()).map_or(0, nested);
                at_most(nested, MAX_NESTED, "types inside one another")?;
            }
            Payload::MemorySection(section) => {
                section.into_iter().try_for_each(|it| self.memory(it?))?;
            }
            Payload::TableSection(section) => {
                section.into_iter().try_for_each(|it| self.table(it?.ty))?;
            }
            Payload::DataSection(section) => {
                for segment in section {
                    let segment = segment?;
                    if let DataKind::Active { .. } = segment.kind {
                        self.instances.data(segment.data.len() as u64);
                    }
                }
            }
            Payload::ElementSection(section) => {
                let allowed = self.limits.table_elements.saturating_mul(ELEMENTS_PER_SLOT);
                for segment in section {
                    let elements = match segment?.items {
                        ElementItems::Functions(functions) => functions.count(),
                        ElementItems::Expressions(_, expressions) => expressions.count(),
                    };
                    let what = "elements in segments";
                    count(&mut self.elements, u64::from(elements), allowed, what)?;
                }
            }
            Payload::FunctionSection(section) => {
                let functions = u64::from(section.count());
                count(&mut self.functions, functions, MAX_FUNCTIONS, "functions")?;
                self.shape.functions(section)?;
            }
            Payload::CodeSectionEntry(body) => {
                let weight = self.shape.weigh(&body)?;
                let allowed = self.limits.component_bytes.saturating_mul(WEIGHT_PER_BYTE);
                let what = "branches and values in large functions";
                count(&mut self.weight, weight, allowed, what)?;
            }
            Payload::CustomSection(section) if section.name() == contract::SECTION => {
                self.contract_section(section.data())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn count_types(&mut self, types: u32) -> Result<(), GuestError> {
        count(&mut self.types, u64::from(types), MAX_TYPES, "types")
    }

    fn at_most(&self, Sum { bytes, parts }: Sum) -> Result<(), GuestError> {
        let most = most(self.limits);
        at_most(bytes, most.bytes, "bytes of data in all instances")?;
        at_most(parts, most.parts, "parts that take or give texts or lists")
    }

    fn memory(&self, memory: MemoryType) -> Result<(), GuestError> {
        let bytes = memory.initial.saturating_mul(PAGE);
        Ok(LimitExceeded::check(
            Limit::MemoryBytes,
            self.limits.memory_bytes,
            bytes,
        )?)
    }

    fn table(&self, table: TableType) -> Result<(), GuestError> {
        Ok(LimitExceeded::check(
            Limit::TableElements,
            self.limits.table_elements,
            table.initial,
        )?)
    }

    /// Sections of one module are one text; an SDK's linker has put them together already.
    fn contract_section(&mut self, data: &[u8]) -> Result<(), GuestError> {
        if data.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let here = self.inside.last().map_or(0, |(_, number)| *number);
        let (owner, text) = self.contract.get_or_insert_with(|| (here, Vec::new()));
        if *owner != here {
            return Err(GuestError::ContractDuplicate);
        }
        // One byte over the limit is enough to be refused for it.
        let room = (contract::MAX_SECTION_BYTES + 1).saturating_sub(text.len());
        text.extend_from_slice(&data[..data.len().min(room)]);
        text.push(b'\n');
        Ok(())
    }
}

/// What all instances of a guest may come to.
///
/// They need their data once, and a file has no more of it than it has bytes. And one component does what is asked of the guest:
/// what passes between two of them costs no fuel, and nothing ends it half way.
fn most(limits: &Limits) -> Sum {
    Sum {
        bytes: limits.component_bytes,
        parts: 1,
    }
}

/// Whether a component exports a function that has to do with texts or lists: these lie in its memory.
fn is_part(function: &CanonicalFunction) -> bool {
    let is_memory = |option: &CanonicalOption| matches!(option, CanonicalOption::Memory(_));
    matches!(function, CanonicalFunction::Lift { options, .. } if options.iter().any(is_memory))
}

fn constant(expression: &ConstExpr<'_>) -> Result<(), GuestError> {
    let bytes = expression.get_binary_reader().bytes_remaining() as u64;
    at_most(bytes, MAX_CONSTANT_BYTES, "bytes in one constant")
}

fn count(sum: &mut u64, more: u64, allowed: u64, what: &'static str) -> Result<(), GuestError> {
    *sum = sum.saturating_add(more);
    at_most(*sum, allowed, what)
}

fn at_most(found: u64, allowed: u64, what: &'static str) -> Result<(), GuestError> {
    if found > allowed {
        return Err(GuestError::TooComplex {
            what,
            allowed,
            found,
        });
    }
    Ok(())
}
