//! The functions that do an instruction in pieces.

use super::{Bulk, PIECE, bytes_of};
use wasm_encoder::{BlockType, Function, InstructionSink};

/// The binary logarithm of the size of a page.
const PAGE_BITS: i64 = 16;
/// Their parameters.
const TO: u32 = 0;
const WITH: u32 = 1;
const BYTES: u32 = 2;

impl Bulk {
    /// The function that does the same in pieces.
    ///
    /// What is not longer than a piece is done at once, and so is what is out of bounds: it traps as it always did, before a byte
    /// is written.
    pub(super) fn in_pieces(self, segments: &[u32]) -> Function {
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
