//! Writes a component again, its sites as calls.

use super::{Module, Places, Site};
use std::ops::Range;
use wasm_encoder::Encode as _;
use wasmparser::{BinaryReader, BinaryReaderError, Parser, Payload};

/// The type of every function that is appended, the last type of its module: three times `i32`, and no result.
const FUNCTION_TYPE: [u8; 6] = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];
/// What a call begins with.
const CALL: u8 = 0x10;
/// The longest number of 32 bits.
const LONGEST: usize = 5;

/// Copies a component, and changes it on the way.
pub(super) struct Writer<'a> {
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
    pub(super) fn new(component: &'a [u8]) -> Self {
        Self {
            component,
            seen: 0,
            copied: 0,
            bytes: Vec::with_capacity(component.len() + component.len() / 16),
            places: Places::default(),
            sizes: Vec::new(),
        }
    }

    pub(super) fn write(
        mut self,
        modules: &[Module],
    ) -> Result<(Vec<u8>, Places), BinaryReaderError> {
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
