//! How much work the functions of a module are for the compiler, by their shape.
//!
//! Most of what a compiler does goes with the bytes of a function. What does not is weighed here, in units of some 40 ns: a unit
//! per pair of branches, for the worst of it goes with their square; values that cross a branch or come back from a call, where
//! one byte can stand for a thousand of them; locals, which two bytes declare, and which are looked for in every block.

use super::{GuestError, at_most, count};
use wasmparser::{
    BlockType, CompositeInnerType, FunctionBody, FunctionSectionReader, ImportSectionReader,
    Operator, TypeRef, TypeSectionReader,
};

const MAX_FUNCTION_BYTES: u64 = 1 << 20;
/// Nested loops cost the compiler more than their square.
const MAX_LOOP_DEPTH: u64 = 100;
/// Parameters, and results, of one function or block: what reaches a function from outside is compiled for each of its types.
const MAX_VALUES: u64 = 200;
/// Those of all types of a module.
const MAX_TYPE_VALUES: u64 = 100_000;
/// What any function costs, however short it is.
const FUNCTION: u64 = 2_000;
/// What a parameter of a function costs: it may be called from outside, and from other functions.
const PARAMETER: u64 = 160;
/// What a local costs that is never used.
const LOCAL: u64 = 2;
/// What a local costs per branch: room in every block.
const LOCAL_PER_BRANCH: u64 = 8;
/// So many bytes of a function cost one unit per local: all of them may have to be moved where blocks meet.
const BYTES_PER_LOCAL: u64 = 16;

/// What is known of the core module that the parser is in.
#[derive(Default)]
pub(super) struct Shape {
    types: Vec<Signature>,
    /// Values of all types.
    values: u64,
    /// The type of every function, imported ones first.
    functions: Vec<u32>,
    /// The function whose body comes next.
    next: usize,
}

/// How many values a function or a block takes and gives.
#[derive(Clone, Copy, Default)]
struct Signature {
    params: u64,
    results: u64,
}

/// A block that is open.
#[derive(Clone, Copy)]
struct Open {
    loops: u64,
    /// What a branch to it carries.
    carried: u64,
}

impl Shape {
    /// Gathers the types of functions. How many types there are.
    pub(super) fn types(
        &mut self,
        section: TypeSectionReader<'_>,
        mut one_more: impl FnMut() -> Result<(), GuestError>,
    ) -> Result<(), GuestError> {
        for group in section {
            for ty in group?.types() {
                one_more()?;
                let signature = match &ty.composite_type.inner {
                    CompositeInnerType::Func(ty) => Signature {
                        params: ty.params().len() as u64,
                        results: ty.results().len() as u64,
                    },
                    _ => Signature::default(),
                };
                let Signature { params, results } = signature;
                at_most(params, MAX_VALUES, "parameters in one function")?;
                at_most(results, MAX_VALUES, "results in one function")?;
                let what = "parameters and results in function types";
                count(&mut self.values, params + results, MAX_TYPE_VALUES, what)?;
                self.types.push(signature);
            }
        }
        Ok(())
    }

    /// Gathers imported functions: they have the first numbers.
    pub(super) fn imports(&mut self, section: ImportSectionReader<'_>) -> Result<(), GuestError> {
        for import in section.into_imports() {
            if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                self.functions.push(ty);
            }
        }
        self.next = self.functions.len();
        Ok(())
    }

    /// Gathers the functions whose bodies will follow.
    pub(super) fn functions(
        &mut self,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), GuestError> {
        for ty in section {
            self.functions.push(ty?);
        }
        Ok(())
    }

    /// How much work the next function is.
    pub(super) fn weigh(&mut self, body: &FunctionBody<'_>) -> Result<u64, GuestError> {
        let bytes = body.range().len() as u64;
        at_most(bytes, MAX_FUNCTION_BYTES, "bytes in one function")?;
        let signature = self.function(self.next as u64);
        self.next += 1;
        let mut locals = signature.params;
        for group in body.get_locals_reader()? {
            locals = locals.saturating_add(u64::from(group?.0));
        }
        let branches = self.branches(body, signature)?;
        Ok([
            FUNCTION,
            signature.params * PARAMETER,
            branches.saturating_mul(branches),
            branches.saturating_mul(locals.saturating_mul(LOCAL_PER_BRANCH)),
            locals.saturating_mul(LOCAL),
            locals.saturating_mul(bytes / BYTES_PER_LOCAL),
        ]
        .into_iter()
        .fold(0, u64::saturating_add))
    }

    /// The branches of a function, and the values that they carry.
    fn branches(&self, body: &FunctionBody<'_>, of: Signature) -> Result<u64, GuestError> {
        let mut branches = 0;
        let mut open = vec![Open {
            loops: 0,
            carried: of.results,
        }];
        for operator in body.get_operators_reader()? {
            let here = open.last().copied().unwrap_or(Open {
                loops: 0,
                carried: 0,
            });
            let label = |depth: u32| {
                let at = open.len().checked_sub(1 + depth as usize);
                beyond_one(at.map_or(0, |at| open[at].carried))
            };
            branches += match operator? {
                Operator::Loop { blockty } => {
                    let loops = here.loops + 1;
                    at_most(loops, MAX_LOOP_DEPTH, "loops inside one another")?;
                    let Signature { params, results } = self.block(blockty);
                    open.push(Open {
                        loops,
                        carried: params,
                    });
                    2 + params + beyond_one(results)
                }
                Operator::Block { blockty } | Operator::If { blockty } => {
                    let Signature { params, results } = self.block(blockty);
                    open.push(Open {
                        loops: here.loops,
                        carried: results,
                    });
                    1 + params + beyond_one(results)
                }
                Operator::End => {
                    open.pop();
                    0
                }
                Operator::BrTable { targets } => {
                    let carried = label(targets.default());
                    1 + u64::from(targets.len()) / 4 + carried * u64::from(targets.len() + 1)
                }
                Operator::BrIf { relative_depth } => 1 + label(relative_depth),
                Operator::Br { relative_depth } => label(relative_depth),
                Operator::Return => beyond_one(of.results),
                Operator::Else => 1 + beyond_one(here.carried),
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    beyond_one(self.function(u64::from(function_index)).results)
                }
                Operator::CallIndirect { type_index, .. }
                | Operator::ReturnCallIndirect { type_index, .. } => {
                    1 + beyond_one(self.signature(type_index).results)
                }
                Operator::MemoryFill { .. }
                | Operator::MemoryCopy { .. }
                | Operator::MemoryInit { .. }
                | Operator::TableGet { .. }
                | Operator::TableSet { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. } => 1,
                _ => 0,
            };
        }
        Ok(branches)
    }

    /// What is not there is no valid module, which the compiler will say.
    fn signature(&self, ty: u32) -> Signature {
        self.types.get(ty as usize).copied().unwrap_or_default()
    }

    fn function(&self, number: u64) -> Signature {
        let ty = usize::try_from(number).ok();
        let ty = ty.and_then(|number| self.functions.get(number));
        ty.map_or_else(Signature::default, |ty| self.signature(*ty))
    }

    fn block(&self, ty: BlockType) -> Signature {
        match ty {
            BlockType::Empty => Signature::default(),
            BlockType::Type(_) => Signature {
                params: 0,
                results: 1,
            },
            BlockType::FuncType(ty) => self.signature(ty),
        }
    }
}

/// One value is what every expression gives.
fn beyond_one(values: u64) -> u64 {
    values.saturating_sub(1)
}
