//! One walk over a component's sections: what a guest is, and whether its shape is fit for a compiler.

use super::GuestError;
use std::collections::BTreeSet;
use theus_core::contract;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmparser::{
    ComponentInstance, Encoding, FunctionBody, Instance, MemoryType, Operator, Payload, TableType,
};

const MAX_DEPTH: u64 = 8;
const MAX_IMPORTS: u64 = 256;
const MAX_EXPORTS: u64 = 256;
const MAX_MODULES: u64 = 64;
const MAX_TYPES: u64 = 20_000;
/// Instances of nested components multiply with depth, so only a few are allowed in all.
const MAX_COMPONENT_INSTANCES: u64 = 20;
/// The runtime has room for as many: a Python guest comes to 38.
pub(crate) const MAX_CORE_INSTANCES: u32 = 64;
const MAX_CANONICAL_FUNCTIONS: u64 = 2_000;
const MAX_FUNCTIONS: u64 = 200_000;
const MAX_FUNCTION_BYTES: u64 = 1 << 20;
/// Nested loops cost the compiler more than their square.
const MAX_LOOP_DEPTH: u64 = 100;
/// The compiler's time for a function goes with the square of its branches, about 40 ns each where they are worst. The
/// sum of those squares may be this many times the largest component's size: some 20 s at the default of 16 MiB, where
/// large honest guests take one.
const WEIGHT_PER_BYTE: u64 = 32;
/// Bytes of a page of linear memory.
const PAGE: u64 = 64 * 1024;

/// What is gathered while a component's sections go by.
pub(super) struct Survey<'a> {
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
    weight: u64,
}

impl<'a> Survey<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
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
            weight: 0,
        }
    }

    pub(super) fn payload(&mut self, payload: Payload<'_>) -> Result<(), GuestError> {
        match payload {
            Payload::Version { encoding, .. } => {
                count(&mut self.modules, 1, MAX_MODULES, "modules and components")?;
                self.inside.push((encoding, self.modules));
                at_most(self.inside.len() as u64, MAX_DEPTH, "levels of nesting")?;
            }
            Payload::End(_) => {
                self.inside.pop();
            }
            Payload::ComponentImportSection(section) if self.inside.len() == 1 => {
                at_most(u64::from(section.count()), MAX_IMPORTS, "imports")?;
                for import in section {
                    self.imports.insert(import?.name.name.to_owned());
                    at_most(self.imports.len() as u64, MAX_IMPORTS, "imports")?;
                }
            }
            Payload::ComponentExportSection(section) if self.inside.len() == 1 => {
                at_most(u64::from(section.count()), MAX_EXPORTS, "exports")?;
                for export in section {
                    self.exports.insert(export?.name.name.to_owned());
                    at_most(self.exports.len() as u64, MAX_EXPORTS, "exports")?;
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { .. } = instance? {
                        let (sum, what) = (&mut self.component_instances, "component instances");
                        count(sum, 1, MAX_COMPONENT_INSTANCES, what)?;
                    }
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { .. } = instance? {
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
            }
            Payload::TypeSection(section) => self.count_types(section.count())?,
            Payload::CoreTypeSection(section) => self.count_types(section.count())?,
            Payload::ComponentTypeSection(section) => self.count_types(section.count())?,
            Payload::MemorySection(section) => {
                section.into_iter().try_for_each(|it| self.memory(it?))?;
            }
            Payload::TableSection(section) => {
                section.into_iter().try_for_each(|it| self.table(it?.ty))?;
            }
            Payload::FunctionSection(section) => {
                let functions = u64::from(section.count());
                count(&mut self.functions, functions, MAX_FUNCTIONS, "functions")?;
            }
            Payload::CodeSectionEntry(body) => {
                let weight = weight(&body)?;
                let allowed = self.limits.component_bytes.saturating_mul(WEIGHT_PER_BYTE);
                count(
                    &mut self.weight,
                    weight * weight,
                    allowed,
                    "branches in large functions",
                )?;
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

/// How much work a function's control flow is for the compiler: see [`WEIGHT_PER_BYTE`].
fn weight(body: &FunctionBody<'_>) -> Result<u64, GuestError> {
    at_most(
        body.range().len() as u64,
        MAX_FUNCTION_BYTES,
        "bytes in one function",
    )?;
    let mut weight = 0;
    // One entry per open block: how many loops are open with it.
    let mut loops = vec![0];
    for operator in body.get_operators_reader()? {
        let open = loops.last().copied().unwrap_or(0);
        match operator? {
            Operator::Loop { .. } => {
                at_most(open + 1, MAX_LOOP_DEPTH, "loops inside one another")?;
                loops.push(open + 1);
                weight += 2;
            }
            Operator::Block { .. } | Operator::If { .. } => {
                loops.push(open);
                weight += 1;
            }
            Operator::End => {
                loops.pop();
            }
            Operator::BrTable { targets } => weight += 1 + u64::from(targets.len()) / 4,
            Operator::BrIf { .. }
            | Operator::Else
            | Operator::CallIndirect { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. } => weight += 1,
            _ => {}
        }
    }
    Ok(weight)
}

fn count(sum: &mut u64, more: u64, allowed: u64, what: &'static str) -> Result<(), GuestError> {
    *sum += more;
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
