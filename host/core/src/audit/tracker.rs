//! Counters: how often a rule was violated, and what follows from it.

use super::rule::{Finding, Findings, ProcessRules, Rule, RuleId};
use super::verdict::{Action, Gate, Judgement, Verdict};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counters of every rule of every process, outside any transaction.
#[derive(Debug, Default)]
pub struct Tracker {
    // Counters at 0 are not kept, nor processes without any.
    counters: Mutex<HashMap<String, Counters>>,
    // How many processes have counters: a gate that finds nothing where nothing is kept need not take the lock.
    kept: AtomicUsize,
    // Numbers the judgements that moved a counter, in the order in which they did. Changed under the lock.
    moves: AtomicU64,
}

type Counters = SmallVec<[(RuleId, u64); 4]>;

/// Whether a judgement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// The counters move.
    Record,
    /// The counters move if the call is refused; else a later judgement of the same gate counts.
    RecordRefusal,
    /// They stay: the same judgement, without a trace.
    Preview,
}

/// A counter that a judgement moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The rule.
    pub rule: RuleId,
    /// Where the counter stands now.
    pub count: u64,
    /// The number of the judgement: of two moves of one counter, that with the higher number came later.
    pub order: u64,
}

/// One counter that is not at 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// The process.
    pub process: String,
    /// The rule.
    pub rule: RuleId,
    /// The violations since the level last acted or the rule last passed.
    pub count: u64,
}

impl Tracker {
    /// Creates counters that all are at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges a gate's findings: one atomic step, however many runs of the process are judged at once.
    ///
    /// Rules are judged in the order of the recipe; after a level S rule has acted, later ones neither count nor
    /// return to 0.
    pub fn judge(
        &self,
        rules: &ProcessRules,
        gate: Gate,
        findings: &Findings,
        tick: Tick,
    ) -> Judgement {
        if findings.is_empty() && self.kept.load(Ordering::Acquire) == 0 {
            return Judgement {
                judged: rules.rules(gate).len(),
                ..Judgement::default()
            };
        }
        let Counted {
            judged,
            violated,
            moved,
        } = self.count(rules, gate, findings, tick);
        // The lock is gone: texts are made outside it.
        let verdicts: Vec<Verdict> = violated
            .into_iter()
            .map(|violated| violated.into_verdict(gate))
            .collect();
        Judgement {
            judged,
            action: verdicts
                .iter()
                .map(|verdict| verdict.action)
                .max()
                .unwrap_or_default(),
            verdicts,
            moved,
        }
    }

    /// Puts a process's counters where they stood; those of other rules return to 0.
    pub fn restore(&self, rules: &ProcessRules, counts: impl IntoIterator<Item = (RuleId, u64)>) {
        let mut counters = Counters::new();
        for (rule, count) in counts {
            set(&mut counters, rule, count);
        }
        let mut book = self.lock();
        if counters.is_empty() {
            book.remove(rules.process());
        } else {
            book.insert(rules.process().to_owned(), counters);
        }
        self.kept.store(book.len(), Ordering::Release);
    }

    /// Numbers the moves from here on higher than those that were kept of an earlier life.
    pub fn number_after(&self, order: u64) {
        let _book = self.lock();
        self.moves.fetch_max(order, Ordering::AcqRel);
    }

    /// Every counter that is not at 0, in order.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let mut counts: Vec<Count> = self
            .lock()
            .iter()
            .flat_map(|(process, counters)| {
                counters.iter().map(|(rule, count)| Count {
                    process: process.clone(),
                    rule: *rule,
                    count: *count,
                })
            })
            .collect();
        counts.sort();
        counts
    }

    fn count<'a>(
        &self,
        rules: &'a ProcessRules,
        gate: Gate,
        findings: &'a Findings,
        tick: Tick,
    ) -> Counted<'a> {
        let all = rules.rules(gate);
        let (mut judged, mut violated) = (all.len(), SmallVec::new());
        let mut moved = Vec::new();
        let mut book = self.lock();
        let kept = book.get(rules.process());
        if findings.is_empty() && kept.is_none() {
            return Counted {
                judged,
                violated,
                moved: Vec::new(),
            };
        }
        let mut counters = kept.cloned().unwrap_or_default();
        let mut findings = findings.iter().peekable();
        for (index, rule) in all.iter().enumerate() {
            match findings.next_if(|finding| finding.rule == index) {
                None if rule.reset_on_success && get(&counters, rule.id) > 0 => {
                    set(&mut counters, rule.id, 0);
                    moved.push((rule.id, 0));
                }
                None => {}
                Some(finding) => {
                    let before = get(&counters, rule.id);
                    let count = before.saturating_add(1);
                    let (action, next) = step(rule, count);
                    if next != before {
                        set(&mut counters, rule.id, next);
                        moved.push((rule.id, next));
                    }
                    violated.push(Violated {
                        rule,
                        finding,
                        count,
                        action,
                    });
                    if action == Action::Interlock {
                        judged = index + 1;
                        break;
                    }
                }
            }
        }
        let counts = match tick {
            Tick::Record => true,
            Tick::RecordRefusal => violated.iter().any(|it: &Violated<'_>| it.action.refuses()),
            Tick::Preview => false,
        };
        if counts {
            if counters.is_empty() {
                book.remove(rules.process());
            } else if let Some(kept) = book.get_mut(rules.process()) {
                *kept = counters;
            } else {
                book.insert(rules.process().to_owned(), counters);
            }
            self.kept.store(book.len(), Ordering::Release);
        } else {
            moved.clear();
        }
        Counted {
            judged,
            violated,
            moved: self.numbered(moved),
        }
    }

    fn numbered(&self, moved: Vec<(RuleId, u64)>) -> Vec<Moved> {
        if moved.is_empty() {
            return Vec::new();
        }
        let order = self.moves.fetch_add(1, Ordering::AcqRel) + 1;
        let number = |(rule, count)| Moved { rule, count, order };
        moved.into_iter().map(number).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Counters>> {
        // Nothing under the lock leaves the counters half changed.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a gate's judgement counted.
struct Counted<'a> {
    judged: usize,
    violated: SmallVec<[Violated<'a>; 2]>,
    moved: Vec<Moved>,
}

struct Violated<'a> {
    rule: &'a Rule,
    finding: &'a Finding,
    count: u64,
    action: Action,
}

impl Violated<'_> {
    fn into_verdict(self, gate: Gate) -> Verdict {
        Verdict {
            gate,
            rule: self.rule.name.clone(),
            level: self.rule.level,
            count: self.count,
            action: self.action,
            message: self.rule.explain(self.finding),
        }
    }
}

/// What a violation with that count does, and the counter after it. The table in the module's documentation.
fn step(rule: &Rule, count: u64) -> (Action, u64) {
    let act = rule.level.action();
    if count >= rule.max_threshold {
        (act, 0)
    } else if count >= rule.min_threshold {
        (act.min(Action::Warn), count)
    } else {
        (Action::Pass, count)
    }
}

fn get(counters: &Counters, rule: RuleId) -> u64 {
    counters
        .iter()
        .find(|(id, _)| *id == rule)
        .map_or(0, |(_, count)| *count)
}

fn set(counters: &mut Counters, rule: RuleId, count: u64) {
    let at = counters.iter().position(|(id, _)| *id == rule);
    match at {
        Some(at) if count == 0 => {
            counters.swap_remove(at);
        }
        Some(at) => counters[at].1 = count,
        None if count == 0 => {}
        None => counters.push((rule, count)),
    }
}
