//! Acts: calls into the host that make sense, as functions of a core module.

use crate::graft::{RETURNED, World, aligned};
use theus_core::fuzz::HostCall;
use wasm_encoder::{Function, InstructionSink};

/// Something that a guest does, without parameters or results.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A call with fixed arguments.
    Call(HostCall),
    /// Reads a place and writes what was read to another, as it is.
    Copy { from: String, to: String },
    /// Writes a line to the log, with a level that there may not be.
    Log { level: i32, message: String },
    /// Ends the call.
    Abort { message: String },
}

/// The bytes that a module's acts point at.
#[derive(Debug)]
pub(crate) struct Texts {
    at: u32,
    bytes: Vec<u8>,
}

impl Texts {
    /// Bytes that will lie at that place of the memory.
    pub(crate) fn at(at: u32) -> Self {
        Self {
            at,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where they end.
    pub(crate) fn end(&self) -> u32 {
        self.at + length(&self.bytes)
    }

    /// The address and the length of a piece.
    fn put(&mut self, piece: &[u8]) -> (i32, i32) {
        let at = self.end();
        self.bytes.extend_from_slice(piece);
        (at.cast_signed(), length(piece).cast_signed())
    }
}

impl Act {
    /// The act as a function; its texts are added to those of the module.
    pub(crate) fn function(&self, texts: &mut Texts) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        match self {
            Self::Call(call) => host_call(call, texts, &mut code),
            Self::Copy { from, to } => {
                push(&mut code, texts, from.as_bytes());
                code.i32_const(RETURNED).call(World::GET);
                // Where nothing is there, the length is whatever the last answer has left.
                push(&mut code, texts, to.as_bytes());
                for offset in [4, 8] {
                    code.i32_const(RETURNED + offset).i32_load(aligned(2));
                }
                code.call(World::SET);
            }
            Self::Log { level, message } => {
                code.i32_const(*level);
                push(&mut code, texts, message.as_bytes());
                code.call(World::WRITE);
            }
            Self::Abort { message } => {
                push(&mut code, texts, message.as_bytes());
                push(&mut code, texts, b"smith.rs");
                code.i32_const(1).i32_const(-1).call(World::ABORT);
            }
        }
        code.end();
        function
    }
}

/// Bytes of a module are counted in 32 bits; more than that never comes here.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn push(code: &mut InstructionSink<'_>, texts: &mut Texts, piece: &[u8]) {
    let (at, len) = texts.put(piece);
    code.i32_const(at).i32_const(len);
}

fn host_call(call: &HostCall, texts: &mut Texts, code: &mut InstructionSink<'_>) {
    let mut text = |code: &mut InstructionSink<'_>, piece: &[u8]| push(code, texts, piece);
    match call {
        HostCall::Get { path } => {
            text(code, path.as_bytes());
            code.i32_const(RETURNED).call(World::GET);
        }
        HostCall::Len { path } => {
            text(code, path.as_bytes());
            code.i32_const(RETURNED).call(World::LEN);
        }
        HostCall::Remove { path } => {
            text(code, path.as_bytes());
            code.call(World::REMOVE).drop();
        }
        HostCall::Keys { path, after, limit } => {
            text(code, path.as_bytes());
            code.i32_const(after.is_some().into());
            text(code, after.as_deref().unwrap_or_default().as_bytes());
            code.i32_const(limit.cast_signed())
                .i32_const(RETURNED)
                .call(World::KEYS);
        }
        HostCall::ReadBytes { path, offset, len } => {
            text(code, path.as_bytes());
            code.i64_const(offset.cast_signed())
                .i32_const(len.cast_signed())
                .i32_const(RETURNED)
                .call(World::READ_BYTES);
        }
        HostCall::Set { path, value } => {
            text(code, path.as_bytes());
            text(code, value);
            code.call(World::SET);
        }
        HostCall::Push { path, value } => {
            text(code, path.as_bytes());
            text(code, value);
            code.call(World::PUSH).drop();
        }
        HostCall::Send { topic, payload } => {
            text(code, topic.as_bytes());
            text(code, payload);
            code.call(World::SEND);
        }
    }
}
