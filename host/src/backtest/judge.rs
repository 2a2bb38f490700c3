//! Judging the runs of a history by rules that were not there.

use super::BacktestError;
use super::past::{Behind, behind, has_code, input_tick};
use super::report::{BacktestReport, Halt, Listed, NotJudgedReason, RuleReport};
use crate::declared::Contracts;
use crate::history::Versions;
use crate::receipt::Outcome;
use crate::record::{Actor, Record};
use crate::store::{Entry, Hash, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use theus_core::arguments::MASK;
use theus_core::audit::{
    Action, Facts, Findings, Gate, Judgement, ProcessRules, Recipe, RecipeErrors, Rule, RuleId,
    Tick, Tracker, Verdict,
};
use theus_core::code::Code;
use theus_core::contract::Contract;
use theus_core::schema::Schema;
use theus_core::transaction::Snapshot;
use theus_core::value::Value;

/// Judges runs one after another.
pub(super) struct Judge<'a> {
    recipe: &'a Recipe,
    store: &'a dyn Store,
    contracts: Contracts<'a>,
    schemas: HashMap<Hash, Option<Schema>>,
    bound: HashMap<Setting, Bound>,
    /// The newest contract of a process that the recipe does not fit, until a newer one comes that it does.
    unfit: BTreeMap<Arc<str>, RecipeErrors>,
    tracker: Tracker,
    rules: BTreeMap<(Arc<str>, RuleId), RuleReport>,
    report: BacktestReport,
    most: usize,
    in_force: bool,
}

/// What the rules of a process are bound to: its name, its component, the schema.
type Setting = (Arc<str>, Arc<str>, Option<Hash>);

#[derive(Clone)]
enum Bound {
    Rules(Arc<ProcessRules>),
    Not(NotJudgedReason),
    Unfit(RecipeErrors),
}

impl<'a> Judge<'a> {
    pub(super) fn new(recipe: &'a Recipe, store: &'a dyn Store, most: usize) -> Self {
        Self {
            recipe,
            store,
            contracts: Contracts::of(store),
            schemas: HashMap::new(),
            bound: HashMap::new(),
            unfit: BTreeMap::new(),
            tracker: Tracker::new(),
            rules: BTreeMap::new(),
            report: BacktestReport::default(),
            most,
            in_force: false,
        }
    }

    pub(super) fn note_record(&mut self, entry: &Entry) {
        let seq = entry.record.seq;
        if self.report.from == 0 {
            self.report.from = seq;
        }
        self.report.to = seq;
    }

    /// An operator lifted the interlock of then: who would have lifted this one.
    pub(super) fn note_reset(&mut self, entry: &Entry) {
        if std::mem::take(&mut self.in_force)
            && let Some(halt) = self.report.halts.last_mut()
        {
            halt.until = Some(entry.record.seq);
        }
    }

    /// Judges one run.
    pub(super) fn run(&mut self, entry: &Entry, versions: &Versions<'_>) -> Result<(), StoreError> {
        let record = &entry.record;
        let Actor::Process {
            name,
            digest: Some(digest),
        } = &record.actor
        else {
            return Ok(());
        };
        self.report.runs += 1;
        let committed = record.outcome == Outcome::Committed;
        self.report.commits += u64::from(committed);
        if self.in_force
            && let Some(halt) = self.report.halts.last_mut()
        {
            halt.runs += 1;
            halt.commits += u64::from(committed);
        }
        let rules = match self.bound(name, digest, entry.terms.schema)? {
            Bound::Rules(rules) => {
                self.unfit.remove(name);
                rules
            }
            Bound::Unfit(errors) => {
                self.unfit.insert(name.clone(), errors);
                self.report
                    .not_judged(NotJudgedReason::EarlierContract, name);
                return Ok(());
            }
            Bound::Not(reason) => {
                self.unfit.remove(name);
                self.report.not_judged(reason, name);
                return Ok(());
            }
        };
        if has_code(record, Code::Arguments) {
            self.report
                .not_judged(NotJudgedReason::ArgumentsUnfit, name);
            return Ok(());
        }
        let base = match record.read_version {
            Some(version) => versions.at(version)?,
            None => Some(versions.last().clone()),
        };
        let Some(base) = base else {
            self.report
                .not_judged(NotJudgedReason::VersionCompacted, name);
            return Ok(());
        };
        let rules = self.without_secrets(rules, record, name);
        let behind = behind(entry, &base)?;
        self.judge(entry, name, &rules, &base, &behind);
        Ok(())
    }

    fn judge(
        &mut self,
        entry: &Entry,
        name: &Arc<str>,
        rules: &ProcessRules,
        base: &Snapshot,
        behind: &Behind,
    ) {
        let record = &entry.record;
        let facts = Facts {
            args: &record.args,
            tree: &base.tree,
            result: None,
            written: None,
        };
        let findings = rules.evaluate(Gate::Input, &facts);
        let judgement = self
            .tracker
            .judge(rules, Gate::Input, &findings, input_tick(record));
        self.count(name, rules, Gate::Input, &findings, &judgement);
        if self.obey(entry, name, &judgement) {
            return;
        }
        let mut warning = judgement.decisive().filter(|_| warns(&judgement)).cloned();
        match behind {
            Behind::Nothing => {}
            Behind::Unknown => self.report.not_judged(NotJudgedReason::OutputUnknown, name),
            Behind::Output(transaction) => {
                let nil = Value::Nil;
                let facts = Facts {
                    args: &record.args,
                    tree: transaction.view(),
                    result: Some(entry.result.as_ref().unwrap_or(&nil)),
                    written: Some(transaction),
                };
                let findings = rules.evaluate(Gate::Output, &facts);
                let judgement = self
                    .tracker
                    .judge(rules, Gate::Output, &findings, Tick::Record);
                self.count(name, rules, Gate::Output, &findings, &judgement);
                if self.obey(entry, name, &judgement) {
                    return;
                }
                let output = judgement.decisive().filter(|_| warns(&judgement));
                warning = warning.or_else(|| output.cloned());
            }
        }
        if let Some(verdict) = warning {
            let listed = Listed::of(entry, name, verdict);
            let committed = record.outcome == Outcome::Committed;
            self.report.warned.note(committed, self.most, &listed);
        }
    }

    /// Notes a refusal, and throws the interlock where that follows. Whether the run would have been refused.
    fn obey(&mut self, entry: &Entry, name: &Arc<str>, judgement: &Judgement) -> bool {
        let Some(verdict) = judgement.decisive().filter(|_| judgement.refuses()) else {
            return false;
        };
        let throws = verdict.action == Action::Interlock && !self.in_force;
        let listed = Listed::of(entry, name, verdict.clone());
        let committed = entry.record.outcome == Outcome::Committed;
        self.report.refused.note(committed, self.most, &listed);
        if throws {
            self.in_force = true;
            self.report.halts.push(Halt {
                thrown_by: listed,
                until: None,
                runs: 0,
                commits: 0,
            });
        }
        true
    }

    fn count(
        &mut self,
        process: &Arc<str>,
        rules: &ProcessRules,
        gate: Gate,
        findings: &Findings,
        judgement: &Judgement,
    ) {
        for rule in &rules.rules(gate)[..judgement.judged] {
            self.row(process, rule).judged += 1;
        }
        // One verdict per violated rule that was judged, in the same order.
        let violated = findings.rules().filter_map(|at| rules.rules(gate).get(at));
        for (rule, verdict) in violated.zip(&judgement.verdicts) {
            self.row(process, rule).count(verdict.action);
        }
    }

    fn row(&mut self, process: &Arc<str>, rule: &Rule) -> &mut RuleReport {
        let key = (process.clone(), rule.id());
        self.rules
            .entry(key)
            .or_insert_with(|| RuleReport::of(process, rule))
    }

    /// The rules that can be judged although the record masks secret arguments.
    fn without_secrets(
        &mut self,
        rules: Arc<ProcessRules>,
        record: &Record,
        process: &Arc<str>,
    ) -> Arc<ProcessRules> {
        let is_masked = |name: &str| record.args.get(name) == Some(&Value::from(MASK));
        let looks = |rule: &Rule| rule.secrets().iter().any(|name| is_masked(name));
        let all = [Gate::Input, Gate::Output].map(|gate| rules.rules(gate));
        let left_out: Vec<&Rule> = all.into_iter().flatten().filter(|it| looks(it)).collect();
        if left_out.is_empty() {
            return rules;
        }
        for rule in left_out {
            self.row(process, rule).not_judged += 1;
        }
        self.report
            .not_judged(NotJudgedReason::SecretArguments, process);
        Arc::new(rules.without(looks))
    }

    fn bound(
        &mut self,
        name: &Arc<str>,
        digest: &Arc<str>,
        schema: Option<Hash>,
    ) -> Result<Bound, StoreError> {
        let setting = (name.clone(), digest.clone(), schema);
        if let Some(bound) = self.bound.get(&setting) {
            return Ok(bound.clone());
        }
        let bound = match self.contracts.find(name, digest)? {
            None => Bound::Not(NotJudgedReason::ContractNotKept),
            Some(contract) => self.bind(name, &contract, schema)?,
        };
        self.bound.insert(setting, bound.clone());
        Ok(bound)
    }

    fn bind(
        &mut self,
        name: &Arc<str>,
        contract: &Contract,
        schema: Option<Hash>,
    ) -> Result<Bound, StoreError> {
        let recipe = self.recipe;
        let bound = match self.schema(schema)? {
            Some(schema) => recipe.bind_within(contract, schema),
            None => recipe.bind(contract),
        };
        Ok(match bound {
            Ok(None) => Bound::Not(NotJudgedReason::NoRules),
            Ok(Some(rules)) => {
                for gate in [Gate::Input, Gate::Output] {
                    for rule in rules.rules(gate) {
                        self.row(name, rule);
                    }
                }
                let notes = rules.notes().iter();
                let new: Vec<String> = notes
                    .filter(|it| !self.report.warnings.contains(it))
                    .cloned()
                    .collect();
                self.report.warnings.extend(new);
                Bound::Rules(rules)
            }
            Err(errors) => Bound::Unfit(errors),
        })
    }

    /// The schema that a run was held against, where there was one and its text is kept.
    fn schema(&mut self, digest: Option<Hash>) -> Result<Option<&Schema>, StoreError> {
        let Some(digest) = digest else {
            return Ok(None);
        };
        if !self.schemas.contains_key(&digest) {
            let text = self.store.blob(digest)?;
            let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
            let schema = text.and_then(|text| Schema::parse(&text, "the recorded schema").ok());
            self.schemas.insert(digest, schema);
        }
        Ok(self.schemas.get(&digest).and_then(Option::as_ref))
    }

    pub(super) fn finish(mut self, notes: Vec<String>) -> Result<BacktestReport, BacktestError> {
        if let Some((process, errors)) = self.unfit.pop_first() {
            return Err(BacktestError::Recipe {
                process: Some(process.to_string()),
                errors,
            });
        }
        self.report.warnings.extend(notes);
        self.report.rules = self.rules.into_values().collect();
        self.report.not_judged.sort_by_key(|it| it.reason);
        Ok(self.report)
    }
}

impl Listed {
    fn of(entry: &Entry, process: &Arc<str>, verdict: Verdict) -> Self {
        Self {
            seq: entry.record.seq,
            version: entry.record.version,
            time: entry.record.time,
            process: process.clone(),
            verdict,
        }
    }
}

impl RuleReport {
    fn of(process: &Arc<str>, rule: &Rule) -> Self {
        Self {
            process: process.clone(),
            gate: rule.id().gate,
            rule: rule.name().to_owned(),
            level: rule.level(),
            line: rule.origin().line,
            judged: 0,
            violated: 0,
            passed: 0,
            recorded: 0,
            warned: 0,
            blocked: 0,
            aborted: 0,
            thrown: 0,
            not_judged: 0,
        }
    }
}

fn warns(judgement: &Judgement) -> bool {
    judgement.action == Action::Warn
}
