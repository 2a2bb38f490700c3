//! The engine: every run goes through the seven steps of the pipeline, in this order.
//!
//! 1. **Input gate**: the recipe's input rules, on the arguments and the last committed version.
//! 2. **Lock**: the keys of the grant and of the rules, admitted as one set.
//! 3. **Transaction**: opened on the current version.
//! 4. **Guard**: built from the grant.
//! 5. **Execution**: the guest, in a sandbox made for this call.
//! 6. **Output gate**: the recipe's output rules, on what the transaction would leave.
//! 7. **Commit or rollback**: all of it or nothing; then unlock.

use crate::advice::AdviceBook;
use crate::body::Sandbox;
use crate::builder::EngineBuilder;
use crate::committer::Committer;
use crate::edit::Edit;
use crate::error::{EditError, RunError};
use crate::grant::Grant;
use crate::head::Head;
use crate::held::Held;
use crate::interlock::{Interlock, InterlockState};
use crate::lock::LockTable;
use crate::process::Process;
use crate::receipt::{Outcome, Receipt, Step};
use crate::record::{Record, RecordRing};
use crate::run::{Call, Run};
use crate::runtime::{CallSettings, Execution, Runtime};
use crate::staging::Awaits;
use crate::store::{CountKey, Store, StoreError};
use crate::subscription::{self, Subscribers, Subscription};
use crate::terms::SharedTerms;
use arc_swap::ArcSwap;
use crossbeam_utils::CachePadded;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use theus_core::audit::{Action, Facts, Gate, Judgement, Recipe, Tick, Tracker};
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::limits::Limits;
use theus_core::schema::Schema;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::Map;

/// Runs processes over one context. Cheap to clone; every clone is the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) limits: Arc<Limits>,
    pub(crate) mode: Mode,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) schema: Option<Schema>,
    pub(crate) runtime: Runtime,
    pub(crate) processes: ArcSwap<HashMap<String, Arc<Process>>>,
    pub(crate) interlock: InterlockState,
    pub(crate) subscribers: Arc<Subscribers>,
    pub(crate) advice: AdviceBook,
    /// Keeps what runs do; none where the context lives in memory.
    pub(crate) committer: Option<Committer>,
    /// The counters of processes that were not registered yet when the state was opened.
    pub(crate) kept_counts: Vec<(CountKey, u64)>,
    /// What all runs are made under, where that is kept.
    pub(crate) terms: Option<SharedTerms>,
    // What every run changes lies apart from what it only reads: no core has to fetch the one because of the other.
    pub(crate) head: CachePadded<Head>,
    pub(crate) locks: CachePadded<LockTable>,
    pub(crate) tracker: CachePadded<Tracker>,
    pub(crate) records: CachePadded<RecordRing>,
}

impl Engine {
    /// Starts building an engine; every default is the strict one.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Runs a process.
    ///
    /// # Errors
    ///
    /// Why it did not commit. [`Engine::call`] gives the whole receipt in every case.
    pub fn run(&self, process: &str, args: Map) -> Result<Receipt, RunError> {
        let mut receipt = self.call(Call::new(process, args));
        match receipt.error.take() {
            Some(error) => Err(error),
            None => Ok(receipt),
        }
    }

    /// Runs a process; the receipt says how it ended, whatever happened.
    ///
    /// # Security
    ///
    /// The arguments may come from anybody: they are checked against the contract, bounded, and never become syntax.
    #[must_use]
    pub fn call(&self, call: Call<'_>) -> Receipt {
        let started = Instant::now();
        let shared = &*self.shared;
        let Some(process) = shared.processes.load().get(&*call.process).cloned() else {
            return shared.no_such_process(&call, started);
        };
        let mode = shared.mode.name();
        let _span = tracing::info_span!("run", process = %call.process, mode).entered();
        let mut run = Run::new(process, call, shared.mode, started, shared.limits.timeout);
        let ended = shared.pipeline(&mut run);
        let version = ended.as_ref().ok().copied();
        run.receipt.error = ended.err();
        shared.await_rest(&mut run);
        run.receipt.version = version.unwrap_or_else(|| shared.lasting_context().version);
        if let Some(committer) = &shared.committer {
            run.receipt.durability = committer.durability();
        }
        if run.receipt.error.is_some() {
            // The step that it failed in took its time as well.
            run.done();
            // Nothing remains of a run that failed, its result included.
            run.receipt.result = None;
        }
        run.process.metrics.count(&run.receipt, run.elapsed());
        shared.note_advice(&run);
        shared.record(&run);
        run.receipt
    }

    /// The last committed version; where there is a store, the last one that lasts. Never waits for a run.
    #[must_use]
    pub fn context(&self) -> Arc<Snapshot> {
        self.shared.lasting_context()
    }

    /// Changes the context as its operator: one transaction over the whole context, recorded as an edit.
    ///
    /// # Errors
    ///
    /// Why nothing was changed; an error that `change` returns is passed on.
    pub fn edit<R>(
        &self,
        change: impl FnOnce(&mut Edit<'_>) -> Result<R, EditError>,
    ) -> Result<R, EditError> {
        self.shared.edit(change)
    }

    /// Receives the signals of every commit from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.shared.subscribers.subscribe(subscription::CAPACITY)
    }

    /// The records of the last 1,000 runs and edits, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.shared.records.all()
    }

    /// The store that keeps the context, where there is one: its records, earlier versions, and commits as they come.
    ///
    /// # Security
    ///
    /// It is for reading. What is committed to it past the engine poisons that: its next commit does not fit any more.
    #[must_use]
    pub fn store(&self) -> Option<Arc<dyn Store>> {
        let committer = self.shared.committer.as_ref()?;
        Some(committer.store().clone())
    }

    /// Why the interlock is in force, where it is.
    #[must_use]
    pub fn interlock(&self) -> Option<Interlock> {
        self.shared.interlock.cause()
    }

    /// Lets processes run again after the interlock was thrown; returns why it had been.
    ///
    /// # Errors
    ///
    /// The store could not keep it: where the state is opened again, the interlock may be in force still.
    pub fn reset_interlock(&self) -> Result<Option<Interlock>, StoreError> {
        self.shared.reset_interlock()
    }

    /// How many sandboxes were ever made, those that stand ready among them. A run that a gate refuses before its execution
    /// makes none.
    #[must_use]
    pub fn sandboxes_made(&self) -> u64 {
        self.shared.runtime.instantiations()
    }
}

impl Shared {
    /// The seven steps. The version that the run made or, where it wrote nothing, read.
    fn pipeline(&self, run: &mut Run) -> Result<u64, RunError> {
        self.store_sound(run)?;
        run.look_outside()?;
        let args = self.input_gate(run)?;
        let grant = self.grant(run)?;
        let sandbox = self.sandbox(run)?;
        let held = self.lock(run, &grant)?;
        let transaction = self.transaction(run)?;
        let guard = self.guard(run, &grant, transaction);
        let transaction = self.execution(run, sandbox, &args, guard, &held)?;
        self.output_gate(run, &transaction)?;
        self.commit(run, transaction, held)
    }

    /// A run of the past again, on the version that it read: its steps 3 to 5. Nothing of it is judged, counted or kept.
    pub(crate) fn rehearse(&self, run: &mut Run, on: Snapshot) -> Result<Transaction, RunError> {
        run.look_outside()?;
        let args = self.arguments(run)?;
        let grant = self.grant(run)?;
        let sandbox = self.sandbox(run)?;
        let held = self.lock(run, &grant)?;
        let guard = self.guard(run, &grant, Transaction::begin(on));
        self.execution(run, sandbox, &args, guard, &held)
    }

    /// Step 1: the arguments against the contract, then the input rules on the last committed version.
    ///
    /// Nothing is counted yet, unless a rule refuses: the verdict that counts is made on the transaction's version.
    fn input_gate(&self, run: &mut Run) -> Result<Vec<u8>, RunError> {
        let _span = run.begin(Step::InputGate);
        let args = self.arguments(run)?;
        self.interlock_free(run)?;
        if let Some(rules) = run.process.rules.clone() {
            let head = self.head.load();
            let findings = rules.evaluate(Gate::Input, &input_facts(&run.args, &head.tree));
            let tick = run.tick(Tick::RecordRefusal);
            let judgement = self.tracker.judge(&rules, Gate::Input, &findings, tick);
            if judgement.refuses() {
                self.obey(run, Gate::Input, judgement)?;
            }
            run.found = Some((head, findings));
        }
        run.done();
        Ok(args)
    }

    /// A fresh instance, made before the locks are taken: it does not depend on what they guard.
    fn sandbox(&self, run: &mut Run) -> Result<Sandbox, RunError> {
        let _span = run.begin(Step::Execution);
        let made = run.process.body.instantiate(&self.settings(run));
        run.done();
        made.map_err(|execution| {
            if execution.fuel > 0 {
                run.receipt.outcome = Outcome::RolledBack;
            }
            let ended = run.ended(*execution);
            ended
                .err()
                .unwrap_or_else(|| run.host_failed("there is no instance"))
        })
    }

    fn settings(&self, run: &Run) -> CallSettings {
        CallSettings {
            fuel: self.limits.fuel,
            now: run.last_moment(),
            deadline: run.deadline,
        }
    }

    /// What the call may touch and therefore locks.
    fn grant(&self, run: &Run) -> Result<Arc<Grant>, RunError> {
        match &run.process.fixed_grant {
            Some(grant) => Ok(grant.clone()),
            None => {
                Grant::of_call(run, &self.limits, self.mode, self.schema.as_ref()).map(Arc::new)
            }
        }
    }

    /// Step 2: the keys of the grant, those that the gates' rules read, and the directories, presented as one set; then the
    /// directory that is written into, which another host may have.
    fn lock(&self, run: &mut Run, grant: &Grant) -> Result<Held<'_>, RunError> {
        let _span = run.begin(Step::Lock);
        run.locks = Some(grant.locks.clone());
        let admitted = self
            .locks
            .admit(grant.locks.clone(), run.deadline)
            .map_err(|_| run.time_exceeded(&self.limits));
        let fate = |awaits: &Awaits| self.fate(awaits);
        let held = admitted.and_then(|lock| Held::new(run, &self.limits, lock, &fate));
        run.done();
        held
    }

    /// Step 3: a transaction on the current version. Where that is not the one of step 1, the input rules look again.
    fn transaction(&self, run: &mut Run) -> Result<Transaction, RunError> {
        let _span = run.begin(Step::Transaction);
        self.interlock_free(run)?;
        let head = self.head.load();
        run.read_version = Some(head.version);
        if let Some(rules) = run.process.rules.clone() {
            let findings = match run.found.take() {
                Some((judged, findings)) if Arc::ptr_eq(&judged, &head) => findings,
                _ => rules.evaluate(Gate::Input, &input_facts(&run.args, &head.tree)),
            };
            let judgement =
                self.tracker
                    .judge(&rules, Gate::Input, &findings, run.tick(Tick::Record));
            self.obey(run, Gate::Input, judgement)?;
        }
        let transaction = Transaction::begin(Snapshot::clone(&head));
        run.done();
        Ok(transaction)
    }

    /// Step 4: the guard in front of the transaction.
    fn guard(&self, run: &mut Run, grant: &Grant, transaction: Transaction) -> Box<ContextGuard> {
        let _span = run.begin(Step::Guard);
        let guard = grant.guard.clone();
        let mut guard = ContextGuard::new(guard, transaction, self.limits.clone(), self.mode);
        if self.committer.is_some() {
            guard = guard.noting_reads();
        }
        guard.interrupt_with(run.interrupt(&self.limits));
        run.done();
        Box::new(guard)
    }

    /// Step 5: the guest runs; its reads see its own writes, and nothing else sees them.
    fn execution(
        &self,
        run: &mut Run,
        mut sandbox: Sandbox,
        args: &[u8],
        guard: Box<ContextGuard>,
        held: &Held<'_>,
    ) -> Result<Transaction, RunError> {
        let _span = run.begin(Step::Execution);
        run.receipt.outcome = Outcome::RolledBack;
        if let (Some(reach), Some(outside)) = (&run.process.reach, &run.receipt.outside) {
            sandbox.reach(reach, outside, held.area());
        }
        run.note_arguments(args);
        let execution: Execution = sandbox.run(run.name(), args, guard, &self.settings(run));
        let ended = run.ended(execution).and_then(|(result, guard)| {
            run.receipt.result = Some(self.result(run, &result)?);
            Ok(guard.into_transaction())
        });
        run.done();
        run.staged = held.staged();
        let ended_by = ended.as_ref().err().and_then(RunError::limit);
        run.warn_of_limits(&self.limits, ended_by);
        ended
    }

    /// Step 6: the output rules on what the transaction would leave.
    fn output_gate(&self, run: &mut Run, transaction: &Transaction) -> Result<(), RunError> {
        let _span = run.begin(Step::OutputGate);
        if let Some(rules) = run.process.rules.clone() {
            let result = run.receipt.result.clone().unwrap_or_default();
            let facts = Facts {
                args: &run.args,
                tree: transaction.view(),
                result: Some(&result),
                written: Some(transaction),
            };
            let findings = rules.evaluate(Gate::Output, &facts);
            let judgement =
                self.tracker
                    .judge(&rules, Gate::Output, &findings, run.tick(Tick::Record));
            self.obey(run, Gate::Output, judgement)?;
        }
        run.done();
        Ok(())
    }

    /// Step 7: what the schema allows goes into the current head, whole; what waits behind the lock goes on.
    ///
    /// The schema looks behind the output rules: it must not keep a rule from acting, or a counter from counting.
    fn commit(
        &self,
        run: &mut Run,
        transaction: Transaction,
        mut held: Held<'_>,
    ) -> Result<u64, RunError> {
        let _span = run.begin(Step::Commit);
        if let Some(schema) = &self.schema {
            let checked = schema.check_transaction(&transaction);
            checked.map_err(|breach| run.schema_broken(breach))?;
        }
        held.prepare(run, |run| self.awaits(run))?;
        let signals = transaction.signals();
        let version = if run.is_dry_run() {
            self.head.load().version
        } else {
            let entry = Cell::new(self.entry_of_commit(run, &transaction)?);
            let seq = Cell::new(None);
            let version = self.head.commit(
                |head| {
                    // A run in flight while another one threw the interlock must not slip through.
                    self.interlock_free(run)?;
                    let next = transaction
                        .commit(head)
                        .map_err(|error| run.host_failed(&error.to_string()))?;
                    // Nothing can fail between this and the head's new version.
                    held.decide(run)?;
                    if transaction.is_empty() {
                        seq.set(self.ordered_without_version(entry.take()));
                    }
                    Ok(next)
                },
                |next| seq.set(Some(self.ordered(entry.take(), next, &signals))),
            )?;
            run.committed(version, seq.get(), &transaction);
            if held.is_awaiting() {
                self.await_commit(run)?;
            }
            held.finish(run);
            version
        };
        drop(held);
        self.await_commit(run)?;
        run.show_files();
        let receipt = &mut run.receipt;
        receipt.signals = signals;
        (receipt.changes, receipt.outbox) = transaction.into_effects();
        run.done();
        Ok(version)
    }

    fn interlock_free(&self, run: &Run) -> Result<(), RunError> {
        match self.interlock.cause() {
            None => Ok(()),
            Some(cause) => Err(RunError::InterlockInForce {
                process: run.name().to_owned(),
                interlock: Box::new(cause),
            }),
        }
    }

    /// Does what a gate decided: notes its verdicts, and refuses where a rule of level B, A or S acts.
    fn obey(&self, run: &mut Run, gate: Gate, judgement: Judgement) -> Result<(), RunError> {
        run.receipt.stats.gates.note(gate, &judgement);
        self.note_counts(run, &judgement);
        let refusing = judgement
            .decisive()
            .filter(|verdict| verdict.action.refuses())
            .cloned();
        run.receipt.audit.extend(judgement.verdicts);
        let Some(verdict) = refusing else {
            return Ok(());
        };
        if verdict.action == Action::Interlock && !run.is_dry_run() {
            // Behind every commit that was ordered before it, ahead of every one after.
            let thrown = self
                .head
                .exclusively(|| self.interlock.throw(run.name(), &verdict));
            run.interlock = thrown;
        }
        Err(RunError::Audit {
            process: run.name().to_owned(),
            verdict: Box::new(verdict),
        })
    }
}

fn input_facts<'a>(args: &'a Map, tree: &'a Tree) -> Facts<'a> {
    Facts {
        args,
        tree,
        result: None,
        written: None,
    }
}
