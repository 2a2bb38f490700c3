//! What a core module's sections say, as far as making a component of it goes.

use super::language::Language;
use crate::guest::is_parsable;
use std::collections::BTreeSet;
use wasmparser::{
    BinaryReaderError, FunctionBody, Import, KnownCustom, Operator, Parser, Payload,
    ProducersSectionReader, TypeRef,
};

/// The name that custom sections with a module's component type begin with.
pub(super) const COMPONENT_TYPE: &str = "component-type";

/// A core module, read and not run.
#[derive(Default)]
pub(super) struct Module<'a> {
    /// Whether it says what component it wants to be.
    pub(super) typed: bool,
    /// Whether what says so can be given to a parser.
    pub(super) parsable: bool,
    /// Imports that no component interface gives it, as `module.name`.
    pub(super) foreign: BTreeSet<String>,
    /// The names of its exports.
    pub(super) exports: BTreeSet<&'a str>,
    producer: Option<Language>,
    // The functions that are imported come first in the numbering of functions.
    imported: Vec<(&'a str, &'a str)>,
    bodies: Vec<FunctionBody<'a>>,
    start: Option<u32>,
}

impl<'a> Module<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, BinaryReaderError> {
        let mut module = Self {
            parsable: true,
            ..Self::default()
        };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::CustomSection(section) => {
                    if section.name().starts_with(COMPONENT_TYPE) {
                        module.typed = true;
                        module.parsable &= is_parsable(section.data());
                    }
                    if let KnownCustom::Producers(producers) = section.as_known() {
                        // What a compiler says of itself only words a message: where it is malformed, nothing is said.
                        module.producer = module.producer.or(producer(producers));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        module.import(&import?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        module.exports.insert(export?.name);
                    }
                }
                Payload::StartSection { func, .. } => module.start = Some(func),
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                _ => {}
            }
        }
        Ok(module)
    }

    /// The language that it was written in, where that can be told.
    pub(super) fn language(&self) -> Option<Language> {
        let foreign = self.foreign.iter().map(String::as_str);
        self.producer.or_else(|| Language::of_imports(foreign))
    }

    /// The first import that the start function calls, directly or through functions that it calls.
    pub(super) fn import_that_start_calls(&self) -> Result<Option<String>, BinaryReaderError> {
        let mut open: Vec<u32> = self.start.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(function) = open.pop() {
            if !seen.insert(function) {
                continue;
            }
            let index = function as usize;
            if let Some((module, name)) = self.imported.get(index) {
                return Ok(Some(format!("{module}.{name}")));
            }
            let Some(body) = self.bodies.get(index - self.imported.len()) else {
                continue;
            };
            for operator in body.get_operators_reader()? {
                if let Operator::Call { function_index } | Operator::ReturnCall { function_index } =
                    operator?
                {
                    open.push(function_index);
                }
            }
        }
        Ok(None)
    }

    fn import(&mut self, import: &Import<'a>) {
        if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
            self.imported.push((import.module, import.name));
        }
        if !is_component_import(import.module) {
            self.foreign
                .insert(format!("{}.{}", import.module, import.name));
        }
    }
}

fn producer(fields: ProducersSectionReader<'_>) -> Option<Language> {
    let mut programs = Vec::new();
    for field in fields {
        for value in field.ok()?.values {
            programs.push(value.ok()?.name);
        }
    }
    Language::of_producers(&programs)
}

/// Whether a core import's module name is the name of a component interface: a package, a slash, an interface.
fn is_component_import(module: &str) -> bool {
    let name = module
        .strip_prefix("[export]")
        .or_else(|| module.strip_prefix("cm32p2|"))
        .unwrap_or(module);
    name.contains(':') && name.contains('/')
}
