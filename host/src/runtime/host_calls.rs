//! The imports of a guest, over its transaction.
//!
//! Written by hand rather than generated: a path or value is read where it lies in the guest's memory, so a call copies
//! what it stores and nothing else. Every length that the guest chooses is checked by the guard before anything is kept.

use super::end::End;
use super::moves::may_begin;
use super::state::{CallState, charge, stop};
use theus_core::context_guard::ContextGuard;
use theus_core::guest_log::LogLevel;
use theus_core::refusal::Refusal;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, WasmList, WasmStr};
use wasmtime::{Result, StoreContextMut, bail};

/// What is kept of an abort's message.
const MAX_ABORT_MESSAGE: usize = 64 * 1024;
/// What is kept of an abort's file name.
const MAX_ABORT_FILE: usize = 1024;

type Caller<'a> = StoreContextMut<'a, CallState>;

/// Defines `theus:process/{context,log,outbox}`.
pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> Result<()> {
    context(linker.instance("theus:process/context@0.1.0")?)?;
    log(linker.instance("theus:process/log@0.1.0")?)?;
    outbox(linker.instance("theus:process/outbox@0.1.0")?)
}

fn context(mut context: LinkerInstance<'_, CallState>) -> Result<()> {
    context.func_wrap("get", |caller: Caller<'_>, (path,): (WasmStr,)| {
        let value = guarded(caller, |guard, caller| {
            let value = guard.get(&text(&path, caller)?);
            if let Ok(Some(bytes)) = &value {
                may_begin(caller.data(), bytes.len())?;
            }
            Ok(value)
        })?;
        Ok((value,))
    })?;
    context.func_wrap(
        "set",
        |caller: Caller<'_>, (path, value): (WasmStr, WasmList<u8>)| {
            guarded(caller, |guard, caller| {
                Ok(guard.set(&text(&path, caller)?, value.as_le_slice(caller)))
            })
        },
    )?;
    context.func_wrap("remove", |caller: Caller<'_>, (path,): (WasmStr,)| {
        let was_there = guarded(caller, |guard, caller| {
            Ok(guard.remove(&text(&path, caller)?))
        })?;
        Ok((was_there,))
    })?;
    context.func_wrap(
        "push",
        |caller: Caller<'_>, (path, value): (WasmStr, WasmList<u8>)| {
            let len = guarded(caller, |guard, caller| {
                Ok(guard.push(&text(&path, caller)?, value.as_le_slice(caller)))
            })?;
            Ok((len,))
        },
    )?;
    context.func_wrap("len", |caller: Caller<'_>, (path,): (WasmStr,)| {
        let len = guarded(caller, |guard, caller| Ok(guard.len(&text(&path, caller)?)))?;
        Ok((len,))
    })?;
    context.func_wrap(
        "keys",
        |caller: Caller<'_>, (path, after, limit): (WasmStr, Option<WasmStr>, u32)| {
            let keys = guarded(caller, |guard, caller| {
                let after = after.as_ref().map(|key| text(key, caller)).transpose()?;
                Ok(guard.keys(&text(&path, caller)?, after.as_deref(), limit))
            })?;
            Ok((keys,))
        },
    )?;
    context.func_wrap(
        "read-bytes",
        |caller: Caller<'_>, (path, offset, len): (WasmStr, u64, u32)| {
            let bytes = guarded(caller, |guard, caller| {
                let bytes = guard.read_bytes(&text(&path, caller)?, offset, len);
                if let Ok(bytes) = &bytes {
                    may_begin(caller.data(), bytes.len())?;
                }
                Ok(bytes)
            })?;
            Ok((bytes,))
        },
    )
}

fn outbox(mut outbox: LinkerInstance<'_, CallState>) -> Result<()> {
    outbox.func_wrap(
        "send",
        |caller: Caller<'_>, (topic, payload): (WasmStr, WasmList<u8>)| {
            guarded(caller, |guard, caller| {
                Ok(guard.send(&text(&topic, caller)?, payload.as_le_slice(caller)))
            })
        },
    )
}

fn log(mut log: LinkerInstance<'_, CallState>) -> Result<()> {
    log.func_wrap(
        "write",
        |mut caller: Caller<'_>, (level, message): (Level, WasmStr)| {
            enter(&mut caller)?;
            // The log is taken out while the message is borrowed from the guest's memory.
            let mut log = std::mem::take(&mut caller.data_mut().log);
            let written = text(&message, &caller).map(|message| {
                log.write(level.into(), &message);
                message.len() as u64
            });
            caller.data_mut().log = log;
            charge(&mut caller, written?)
        },
    )?;
    log.func_wrap(
        "abort",
        |mut caller: Caller<'_>,
         (message, file, line, column): (WasmStr, WasmStr, u32, u32)|
         -> Result<()> {
            enter(&mut caller)?;
            let message = beginning(&text(&message, &caller)?, MAX_ABORT_MESSAGE);
            let file = beginning(&text(&file, &caller)?, MAX_ABORT_FILE);
            stop(End::Aborted {
                message,
                file,
                line,
                column,
                function: None,
            })
        },
    )
}

/// The WIT's `log.level`.
#[expect(dead_code, reason = "wasmtime makes them from the guest's numbers")]
#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// Counts the call, and refuses it while the guest is still being instantiated.
#[inline]
fn enter(caller: &mut Caller<'_>) -> Result<()> {
    let state = caller.data_mut();
    state.meter.enter()?;
    if state.guard.is_none() {
        bail!("the guest called the host before its process was entered");
    }
    Ok(())
}

/// Runs one operation of the transaction, and takes the fuel that it cost.
///
/// The guard is out of the store meanwhile, so that the operation may borrow its arguments from the guest's memory.
#[inline]
fn guarded<R>(
    mut caller: Caller<'_>,
    operation: impl FnOnce(&mut ContextGuard, &Caller<'_>) -> Result<std::result::Result<R, Refusal>>,
) -> Result<R> {
    enter(&mut caller)?;
    let Some(mut guard) = caller.data_mut().guard.take() else {
        bail!("the transaction is in use");
    };
    let before = guard.work();
    let outcome = operation(&mut guard, &caller);
    let work = guard.work().saturating_sub(before);
    caller.data_mut().guard = Some(guard);
    match outcome? {
        Ok(result) => {
            charge(&mut caller, work)?;
            Ok(result)
        }
        Err(Refusal::Limit(exceeded)) => Err(exceeded.into()),
        Err(refusal) => stop(End::Refused(refusal)),
    }
}

#[inline]
fn text<'a>(string: &WasmStr, caller: &'a Caller<'_>) -> Result<std::borrow::Cow<'a, str>> {
    string.to_str(caller)
}

fn beginning(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}
