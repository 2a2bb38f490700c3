//! Registered processes: how a guest's bytes become something that the engine can run.

use crate::body::Body;
use crate::component::into_component;
use crate::engine::{Engine, Shared};
use crate::error::RegisterError;
use crate::grant::Grant;
use crate::guest::{Guest, GuestError};
use crate::observe::Metrics;
use crate::policy::Policy;
use crate::side_effects::Reach;
use crate::terms::{Terms, Unkept};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use theus_core::audit::ProcessRules;
use theus_core::context_guard::Mode;
use theus_core::contract::Contract;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::policy::Narrowed;
use theus_core::schema::Schema;

/// A process that calls can name.
pub(crate) struct Process {
    pub(crate) name: Arc<str>,
    pub(crate) contract: Contract,
    /// What the operator grants of the contract, where that is less.
    pub(crate) narrowed: Option<Narrowed>,
    pub(crate) digest: Arc<str>,
    /// What its runs are made under.
    pub(crate) terms: Terms,
    /// What of that a store has yet to be given.
    pub(crate) unkept: Unkept,
    pub(crate) body: Body,
    pub(crate) rules: Option<Arc<ProcessRules>>,
    /// The grant, where it is the same for every call.
    pub(crate) fixed_grant: Option<Arc<Grant>>,
    pub(crate) metrics: Metrics,
    /// What it reaches outside the context.
    pub(crate) reach: Option<Arc<Reach>>,
}

/// Where a guest comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GuestSource {
    /// A `.wasm` file: a component, or a core module built with an SDK.
    File(PathBuf),
    /// The bytes of one.
    Bytes(Vec<u8>),
}

/// What [`Engine::register`] registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// The processes, in the order of the guest's contract section.
    pub processes: Vec<String>,
    /// The digest of the component.
    pub digest: String,
    /// What an operator should know: rules of the recipe that can never act, and the commits of killed hosts that were completed in
    /// directories to write into.
    pub notes: Vec<String>,
}

impl Engine {
    /// Registers every process of a guest. All of them, or none.
    ///
    /// # Errors
    ///
    /// What is wrong with the guest, its contracts, the recipe's rules for them, or a path that the schema does not know.
    ///
    /// # Security
    ///
    /// Nothing of the guest runs. Its size, shape, imports and contracts are checked before its code is compiled.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "granting is an act: the policy is handed over"
    )]
    pub fn register(
        &self,
        source: impl Into<GuestSource>,
        policy: Policy,
    ) -> Result<Registered, RegisterError> {
        let shared = &*self.shared;
        let bytes = source.into().read(&shared.limits)?;
        let (guest, component) = shared.read_guest(&bytes, &policy)?;
        let grants = policy.side_effects.open(&guest.contracts)?;
        let completed = grants.recover(&|awaits| shared.fate(awaits))?;
        let program = shared.runtime.compile(&component)?;
        let digest: Arc<str> = guest.digest.as_str().into();
        let names: Vec<String> = guest.contracts.iter().map(|it| it.name.clone()).collect();
        let processes: Result<HashMap<_, _>, RegisterError> = guest
            .contracts
            .into_iter()
            .map(|contract| {
                let name = contract.name.clone();
                let reach = grants.reach(&contract);
                let narrowed = policy.narrow(&contract)?;
                let body = Body::Guest(program.clone());
                let process = Process::new(
                    contract,
                    narrowed,
                    reach,
                    digest.clone(),
                    &component,
                    body,
                    shared,
                )?;
                Ok((name, Arc::new(process)))
            })
            .collect();
        let processes = processes?;
        shared.add_processes(&processes)?;
        Ok(Registered {
            notes: [notes(&names, &processes), completed].concat(),
            processes: names,
            digest: guest.digest,
        })
    }
}

impl Engine {
    /// Checks a guest as [`register`](Self::register) does, but for the side effects that an operator would have to grant.
    ///
    /// Nothing is registered: for tools that make guests.
    ///
    /// # Errors
    ///
    /// What is wrong with the guest or its contracts.
    ///
    /// # Security
    ///
    /// Nothing of the guest runs. Its size, shape, imports and contracts are checked before its code is compiled.
    pub fn examine(&self, source: impl Into<GuestSource>) -> Result<Guest, RegisterError> {
        let shared = &*self.shared;
        let bytes = source.into().read(&shared.limits)?;
        let (guest, component) = shared.read_guest(&bytes, &Policy::as_declared())?;
        shared.runtime.compile(&component)?;
        Ok(guest)
    }
}

impl Shared {
    /// Reads a guest and judges its contracts; gives its component too.
    fn read_guest<'a>(
        &self,
        bytes: &'a [u8],
        policy: &Policy,
    ) -> Result<(Guest, Cow<'a, [u8]>), RegisterError> {
        let component = into_component(bytes).map_err(GuestError::from)?;
        let guest = Guest::read(&component, &self.limits)?;
        policy.check_names(&guest.contracts)?;
        for contract in &guest.contracts {
            check_contract(contract, self.mode, policy, self.schema.as_ref())?;
        }
        Ok((guest, component))
    }

    /// Adds processes, all of them or none.
    pub(crate) fn add_processes(
        &self,
        processes: &HashMap<String, Arc<Process>>,
    ) -> Result<(), RegisterError> {
        self.restore_counts(processes);
        let mut taken = None;
        self.processes.rcu(|known| {
            taken = processes
                .keys()
                .find(|name| known.contains_key(*name))
                .cloned();
            let mut all = HashMap::clone(known);
            if taken.is_none() {
                all.extend(
                    processes
                        .iter()
                        .map(|(name, process)| (name.clone(), process.clone())),
                );
            }
            all
        });
        match taken {
            Some(process) => Err(RegisterError::RegisteredTwice { process }),
            None => Ok(()),
        }
    }
}

impl Process {
    /// Binds the recipe's rules to a contract.
    pub(crate) fn new(
        contract: Contract,
        narrowed: Option<Narrowed>,
        reach: Option<Arc<Reach>>,
        digest: Arc<str>,
        component: &[u8],
        body: Body,
        shared: &Shared,
    ) -> Result<Self, RegisterError> {
        let rules = shared
            .recipe
            .as_ref()
            .map(|recipe| match &shared.schema {
                Some(schema) => recipe.bind_within(&contract, schema),
                None => recipe.bind(&contract),
            })
            .transpose()?
            .flatten();
        let (terms, unkept) = match &shared.terms {
            Some(terms) => {
                terms.of_process(&contract, narrowed.as_ref(), reach.as_deref(), component)
            }
            None => (Terms::default(), Unkept::nothing()),
        };
        let fixed_grant = Grant::fixed(
            &contract,
            narrowed.as_ref(),
            reach.as_deref(),
            rules.as_deref(),
            &shared.limits,
            shared.mode,
            shared.schema.as_ref(),
        );
        Ok(Self {
            fixed_grant: fixed_grant.map(Arc::new),
            metrics: Metrics::of(&contract.name),
            reach,
            name: contract.name.as_str().into(),
            terms,
            unkept,
            contract,
            narrowed,
            digest,
            body,
            rules,
        })
    }
}

impl GuestSource {
    fn read(self, limits: &Limits) -> Result<Vec<u8>, RegisterError> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::File(path) => {
                // One byte more than allowed is enough to see that the file is too large.
                let limit = limits.component_bytes.saturating_add(1);
                let mut bytes = Vec::new();
                std::fs::File::open(&path)
                    .and_then(|file| file.take(limit).read_to_end(&mut bytes))
                    .map_err(|source| RegisterError::Unreadable { path, source })?;
                bytes
            }
        };
        check_size(bytes.len() as u64, limits)?;
        Ok(bytes)
    }
}

impl From<&Path> for GuestSource {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<PathBuf> for GuestSource {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&str> for GuestSource {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

impl From<Vec<u8>> for GuestSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// What is odd about the rules of the processes, each thing once: `*` holds for all of them.
fn notes(names: &[String], processes: &HashMap<String, Arc<Process>>) -> Vec<String> {
    let rules = names
        .iter()
        .filter_map(|name| processes[name].rules.as_ref());
    let mut notes = Vec::new();
    for note in rules.flat_map(|rules| rules.notes()) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

fn check_contract(
    contract: &Contract,
    mode: Mode,
    policy: &Policy,
    schema: Option<&Schema>,
) -> Result<(), RegisterError> {
    if mode == Mode::Strict {
        let problems: Vec<_> = contract.strict_errors().collect();
        if !problems.is_empty() {
            return Err(RegisterError::NotStrict {
                process: contract.name.clone(),
                problems,
            });
        }
    }
    if let Some(schema) = schema {
        schema
            .check_contract(contract)
            .map_err(|problem| RegisterError::NotInSchema {
                process: contract.name.clone(),
                problem,
            })?;
    }
    // Before anything is compiled: a policy that does not fit is told as cheaply as a contract that does not.
    policy.narrow(contract)?;
    Ok(())
}

fn check_size(size: u64, limits: &Limits) -> Result<(), RegisterError> {
    LimitExceeded::check(Limit::ComponentBytes, limits.component_bytes, size)
        .map_err(|exceeded| RegisterError::Guest(GuestError::Limit(exceeded)))
}
