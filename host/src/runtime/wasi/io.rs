//! `wasi:io`: a closed stdin, files to read and to write, stdout and stderr into the run's log, and waiting that takes no
//! time.

use super::View;
use super::files::{Counted, SYSTEM_CALL, StagedFile, read_piece};
use crate::staging::FileProblem;
use cap_std::fs::File;
use std::sync::Arc;
use theus_core::guest_log::{GuestLog, LogLevel};
use wasmtime::component::Resource;
use wasmtime::{Result, bail};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi_io::bindings::wasi::io::error;

/// The log level of what a guest writes to stdout.
pub(super) const STDOUT: LogLevel = LogLevel::Info;
/// The log level of what a guest writes to stderr.
pub(super) const STDERR: LogLevel = LogLevel::Warn;

/// What one write may hold, and what a line may: longer ones are split.
const MAX_WRITE: usize = 4096;
/// What one write into a file may hold.
const MAX_FILE_WRITE: usize = 64 * 1024;
/// What one poll may wait for.
const MAX_POLL: usize = 1024;
/// Fuel for one thing that a poll waits for: its handle is looked up twice.
const POLLED: usize = 50;
/// Fuel for one line of stdout or stderr, on top of its bytes.
const LINE: usize = 20;

/// Something to read, behind a handle.
pub(super) enum Input {
    /// Stdin.
    Closed,
    /// A file, and the place in it that is read next.
    File { file: Arc<Counted<File>>, at: u64 },
    /// The same of a file that the run writes.
    Staged {
        file: Arc<Counted<StagedFile>>,
        at: u64,
    },
}

/// Something to write to, behind a handle.
pub(super) enum Output {
    /// Stdout or stderr.
    Log(LogLevel),
    /// A file, and the place in it that is written next.
    File {
        file: Arc<Counted<StagedFile>>,
        at: u64,
    },
    /// The end of a file.
    Append { file: Arc<Counted<StagedFile>> },
}

/// Something to wait for, behind a handle: ready once virtual time has reached `at`.
pub(super) struct Pollable {
    pub(super) at: u64,
}

/// The line that a guest is about to write.
#[derive(Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    fn write(&mut self, bytes: &[u8], level: LogLevel, log: &mut GuestLog) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (piece, ended) = match piece.split_last() {
                Some((b'\n', line)) => (line, true),
                _ => (piece, false),
            };
            self.0.extend_from_slice(piece);
            if ended || self.0.len() >= MAX_WRITE {
                self.end_line(level, log);
            }
        }
    }

    pub(super) fn close(&mut self, level: LogLevel, log: &mut GuestLog) {
        if !self.0.is_empty() {
            self.end_line(level, log);
        }
    }

    fn end_line(&mut self, level: LogLevel, log: &mut GuestLog) {
        log.write(level, &String::from_utf8_lossy(&self.0));
        self.0.clear();
    }
}

impl View<'_> {
    fn wait_until(&mut self, pollable: &Resource<DynPollable>) -> Result<u64> {
        let pollable = Resource::<Pollable>::new_borrow(pollable.rep());
        Ok(self.world.table.get(&pollable)?.at)
    }

    /// What one write to a stream may hold.
    fn room(&self, stream: &Resource<DynOutputStream>) -> StreamResult<usize> {
        let stream = Resource::<Output>::new_borrow(stream.rep());
        Ok(match self.world.table.get(&stream)? {
            Output::Log(_) => MAX_WRITE,
            Output::File { .. } | Output::Append { .. } => MAX_FILE_WRITE,
        })
    }

    fn write_out(&mut self, stream: &Resource<DynOutputStream>, bytes: &[u8]) -> StreamResult<()> {
        self.spend(bytes.len()).map_err(StreamError::Trap)?;
        let stream = Resource::<Output>::new_borrow(stream.rep());
        let (file, place) = match self.world.table.get_mut(&stream)? {
            Output::Log(level) => {
                let level = *level;
                // Lines are what it takes to split them; whether there is still room for them makes no difference.
                let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
                self.spend_more(lines * LINE).map_err(StreamError::Trap)?;
                let lines = match level {
                    STDOUT => &mut self.world.stdout,
                    _ => &mut self.world.stderr,
                };
                lines.write(bytes, level, self.log);
                return Ok(());
            }
            Output::Append { file } => (file.clone(), None),
            Output::File { file, at } => {
                let place = *at;
                *at = place.saturating_add(bytes.len() as u64);
                (file.clone(), Some(place))
            }
        };
        self.spend_more(SYSTEM_CALL).map_err(StreamError::Trap)?;
        let number = file.it.number;
        let written = self.in_area_or(&file.it.area, |area| {
            let place = place.unwrap_or_else(|| area.size(number));
            area.write(number, bytes, place)
        });
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(FileProblem::System(error))) => {
                Err(StreamError::LastOperationFailed(error.into()))
            }
            Ok(Err(other)) => Err(StreamError::LastOperationFailed(other.into())),
            Err(error) => Err(StreamError::Trap(error)),
        }
    }

    fn write_zeroes_out(
        &mut self,
        stream: &Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        if len > self.room(stream)? as u64 {
            return Err(StreamError::trap(
                "more zeroes written than check-write allows",
            ));
        }
        self.write_out(stream, &vec![0; len as usize])
    }

    /// Reads from a stream; a file that has no more is closed.
    fn read_in(&mut self, stream: &Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        let stream = Resource::<Input>::new_borrow(stream.rep());
        if matches!(self.world.table.get(&stream)?, Input::Closed) {
            return self.closed();
        }
        // Before the system is asked: a read that fails costs no less.
        self.spend(SYSTEM_CALL).map_err(StreamError::Trap)?;
        let (read, at) = match self.world.table.get_mut(&stream)? {
            Input::Closed => return Err(StreamError::Closed),
            Input::File { file, at } => (read_piece(&file.it, len, *at), at),
            Input::Staged { file, at } => (file.it.read(len, *at), at),
        };
        let bytes = read.map_err(|error| StreamError::LastOperationFailed(error.into()))?;
        *at += bytes.len() as u64;
        self.spend_more(bytes.len()).map_err(StreamError::Trap)?;
        if bytes.is_empty() && len > 0 {
            return Err(StreamError::Closed);
        }
        Ok(bytes)
    }

    /// Writes what is read.
    fn splice_out(
        &mut self,
        to: &Resource<DynOutputStream>,
        from: &Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        let bytes = self.read_in(from, len.min(MAX_WRITE as u64))?;
        self.write_out(to, &bytes)?;
        Ok(bytes.len() as u64)
    }

    fn closed<T>(&mut self) -> StreamResult<T> {
        self.spend(0).map_err(StreamError::Trap)?;
        Err(StreamError::Closed)
    }
}

impl poll::Host for View<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        if pollables.is_empty() || pollables.len() > MAX_POLL {
            bail!(
                "a poll waits for 1 to {MAX_POLL} things, not for {}",
                pollables.len()
            );
        }
        self.spend(pollables.len() * POLLED)?;
        let mut times = Vec::with_capacity(pollables.len());
        for pollable in &pollables {
            times.push(self.wait_until(pollable)?);
        }
        let clock = &mut self.world.clock;
        clock.advance_to(times.iter().copied().min().unwrap_or(0));
        let ready = (0..).zip(&times).filter(|(_, at)| **at <= clock.now());
        Ok(ready.map(|(index, _)| index).collect())
    }
}

impl poll::HostPollable for View<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        self.spend(0)?;
        Ok(self.wait_until(&pollable)? <= self.world.clock.now())
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        self.spend(0)?;
        let at = self.wait_until(&pollable)?;
        self.world.clock.advance_to(at);
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        self.world
            .table
            .delete(Resource::<Pollable>::new_own(pollable.rep()))?;
        Ok(())
    }
}

impl error::Host for View<'_> {}

impl error::HostError for View<'_> {
    /// What the system said. How it came about is nothing of the guest's: with the host's environment set so, the error knows
    /// where in the host it was made.
    fn to_debug_string(&mut self, error: Resource<streams::Error>) -> Result<String> {
        self.spend(0)?;
        let text = self.world.table.get(&error)?.to_string();
        self.spend_more(text.len())?;
        Ok(text)
    }

    fn drop(&mut self, error: Resource<streams::Error>) -> Result<()> {
        self.world.table.delete(error)?;
        Ok(())
    }
}

impl streams::Host for View<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> Result<streams::StreamError> {
        match error {
            StreamError::Closed => Ok(streams::StreamError::Closed),
            StreamError::LastOperationFailed(error) => Ok(
                streams::StreamError::LastOperationFailed(self.world.table.push(error)?),
            ),
            StreamError::Trap(error) => Err(error),
        }
    }
}

impl streams::HostInputStream for View<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        self.read_in(&stream, len)
    }

    fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<Vec<u8>> {
        self.read_in(&stream, len)
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        self.read_in(&stream, len).map(|bytes| bytes.len() as u64)
    }

    fn blocking_skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        self.skip(stream, len)
    }

    fn subscribe(&mut self, _stream: Resource<DynInputStream>) -> Result<Resource<DynPollable>> {
        self.spend(0)?;
        self.pollable(0)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> Result<()> {
        self.world
            .table
            .delete(Resource::<Input>::new_own(stream.rep()))?;
        Ok(())
    }
}

impl streams::HostOutputStream for View<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        self.spend(0).map_err(StreamError::Trap)?;
        Ok(self.room(&stream)? as u64)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        if bytes.len() > self.room(&stream)? {
            return Err(StreamError::trap(
                "more bytes written than check-write allows",
            ));
        }
        self.write_out(&stream, &bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.write(stream, bytes)
    }

    fn flush(&mut self, _stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.spend(0).map_err(StreamError::Trap)
    }

    fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.flush(stream)
    }

    fn subscribe(&mut self, _stream: Resource<DynOutputStream>) -> Result<Resource<DynPollable>> {
        self.spend(0)?;
        self.pollable(0)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        self.write_zeroes_out(&stream, len)
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        self.write_zeroes_out(&stream, len)
    }

    fn splice(
        &mut self,
        stream: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        self.splice_out(&stream, &from, len)
    }

    fn blocking_splice(
        &mut self,
        stream: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        self.splice_out(&stream, &from, len)
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> Result<()> {
        self.world
            .table
            .delete(Resource::<Output>::new_own(stream.rep()))?;
        Ok(())
    }
}
