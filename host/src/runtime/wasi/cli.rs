//! `wasi:cli`: nothing is there.

use super::View;
use super::io::{Input, Output, STDERR, STDOUT};
use theus_core::guest_log::LogLevel;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::bindings::cli::{terminal_input, terminal_output};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

impl environment::Host for View<'_> {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        self.spend(0)?;
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        self.spend(0)?;
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        self.spend(0)?;
        Ok(None)
    }
}

impl exit::Host for View<'_> {
    fn exit(&mut self, status: Result<(), ()>) -> Result<()> {
        bail!(
            "the guest called exit with {}; a process returns instead",
            if status.is_ok() { "success" } else { "failure" }
        )
    }

    fn exit_with_code(&mut self, status_code: u8) -> Result<()> {
        bail!("the guest called exit with code {status_code}; a process returns instead")
    }
}

impl stdin::Host for View<'_> {
    fn get_stdin(&mut self) -> Result<Resource<DynInputStream>> {
        self.spend(0)?;
        Ok(Resource::new_own(
            self.world.table.push(Input::Closed)?.rep(),
        ))
    }
}

impl stdout::Host for View<'_> {
    fn get_stdout(&mut self) -> Result<Resource<DynOutputStream>> {
        self.output(STDOUT)
    }
}

impl stderr::Host for View<'_> {
    fn get_stderr(&mut self) -> Result<Resource<DynOutputStream>> {
        self.output(STDERR)
    }
}

impl View<'_> {
    fn output(&mut self, level: LogLevel) -> Result<Resource<DynOutputStream>> {
        self.spend(0)?;
        let output = self.world.table.push(Output::Log(level))?;
        Ok(Resource::new_own(output.rep()))
    }
}

impl terminal_stdin::Host for View<'_> {
    fn get_terminal_stdin(&mut self) -> Result<Option<Resource<terminal_input::TerminalInput>>> {
        self.spend(0)?;
        Ok(None)
    }
}

impl terminal_stdout::Host for View<'_> {
    fn get_terminal_stdout(&mut self) -> Result<Option<Resource<terminal_output::TerminalOutput>>> {
        self.spend(0)?;
        Ok(None)
    }
}

impl terminal_stderr::Host for View<'_> {
    fn get_terminal_stderr(&mut self) -> Result<Option<Resource<terminal_output::TerminalOutput>>> {
        self.spend(0)?;
        Ok(None)
    }
}
