//! What runs when a process is called: a guest in its sandbox or, to measure the pipeline alone, a native closure.

use crate::runtime::{CallSettings, Execution, Instance, Program};
use crate::side_effects::{Outside, Reach};
use crate::staging::SharedArea;
use std::sync::Arc;
use theus_core::context_guard::ContextGuard;

#[cfg(feature = "baseline")]
pub use self::native::NativeProcess;

/// What a process is made of.
pub(crate) enum Body {
    Guest(Program),
    #[cfg(feature = "baseline")]
    Native(NativeProcess),
}

/// A body ready for one call.
pub(crate) enum Sandbox {
    Guest(Instance),
    #[cfg(feature = "baseline")]
    Native(NativeProcess),
}

impl Body {
    /// Makes a fresh sandbox.
    pub(crate) fn instantiate(&self, settings: &CallSettings) -> Result<Sandbox, Box<Execution>> {
        match self {
            Self::Guest(program) => program.instantiate(settings).map(Sandbox::Guest),
            #[cfg(feature = "baseline")]
            Self::Native(native) => Ok(Sandbox::Native(native.clone())),
        }
    }
}

impl Sandbox {
    /// Lets the call that is about to run see what is outside the context.
    pub(crate) fn reach(
        &mut self,
        reach: &Arc<Reach>,
        outside: &Outside,
        area: Option<&SharedArea>,
    ) {
        match self {
            Self::Guest(instance) => instance.reach(reach, outside, area),
            // Nothing keeps a closure from the outside anyway.
            #[cfg(feature = "baseline")]
            Self::Native(_) => {}
        }
    }

    /// Runs one process in it, and ends it.
    pub(crate) fn run(
        self,
        process: &str,
        args: &[u8],
        guard: Box<ContextGuard>,
        settings: &CallSettings,
    ) -> Execution {
        match self {
            Self::Guest(instance) => instance.run(process, args, guard, settings),
            #[cfg(feature = "baseline")]
            Self::Native(native) => native.run(args, guard),
        }
    }
}

#[cfg(feature = "baseline")]
mod native {
    use crate::engine::Engine;
    use crate::error::RegisterError;
    use crate::process::Process;
    use crate::runtime::{End, Execution};
    use std::collections::HashMap;
    use std::sync::Arc;
    use theus_core::context_guard::ContextGuard;
    use theus_core::contract::Contract;
    use theus_core::guest_log::GuestLog;
    use theus_core::refusal::Refusal;

    /// A process without a sandbox: what the pipeline costs when nothing has to be isolated.
    #[derive(Clone)]
    pub struct NativeProcess(Arc<Call>);

    type Call = dyn Fn(&mut ContextGuard, &[u8]) -> Result<Vec<u8>, Refusal> + Send + Sync;

    impl NativeProcess {
        pub(super) fn run(&self, args: &[u8], mut guard: Box<ContextGuard>) -> Execution {
            let end = match (self.0)(&mut guard, args) {
                Ok(result) => End::Returned(result),
                Err(refusal) => End::Refused(refusal),
            };
            Execution {
                guard: Some(guard),
                log: GuestLog::default(),
                end,
                fuel: 0,
                host_calls: 0,
                memory_peak: 0,
                table_elements: 0,
            }
        }
    }

    impl Engine {
        /// Registers a native closure as a process.
        ///
        /// # Errors
        ///
        /// A recipe that does not fit the contract, or a name that is taken.
        ///
        /// # Security
        ///
        /// For benchmarks and tests of the pipeline: nothing isolates the closure.
        pub fn register_without_isolation(
            &self,
            contract: Contract,
            call: impl Fn(&mut ContextGuard, &[u8]) -> Result<Vec<u8>, Refusal> + Send + Sync + 'static,
        ) -> Result<(), RegisterError> {
            let body = super::Body::Native(NativeProcess(Arc::new(call)));
            let process = Process::new(
                contract,
                None,
                None,
                "native".into(),
                &[],
                body,
                &self.shared,
            )?;
            let name = process.contract.name.clone();
            self.shared
                .add_processes(&HashMap::from([(name, Arc::new(process))]))
        }
    }
}
