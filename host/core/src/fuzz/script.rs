//! Scripts of host calls, played against the model.

use super::calls::{Answer, HostCall};
use super::model::{Model, covers};
use super::values::{Keys, key, path, text, tree, value};
use super::{Broken, Dice, holds};
use crate::changes::ChangeOp;
use crate::code::Code;
use crate::codec::{self, Bounds};
use crate::context_guard::{ContextGuard, Mode, Usage};
use crate::guard::Guard;
use crate::limits::Limits;
use crate::path::{Layer, Path, Segment};
use crate::transaction::{Snapshot, Transaction};
use crate::tree::Tree;
use crate::value::Value;
use std::sync::Arc;

/// A sequence of host calls, and all that decides what comes of it.
#[derive(Clone, Debug)]
pub struct Script {
    /// The context that it finds.
    pub base: Tree,
    /// What it may read.
    pub inputs: Vec<Path>,
    /// What it may write.
    pub outputs: Vec<Path>,
    /// Whether violations refuse.
    pub mode: Mode,
    /// The limits of the run.
    pub limits: Limits,
    /// The calls, in order.
    pub calls: Vec<HostCall>,
}

/// What came of a script.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The answer to each call, or the code of its refusal.
    pub answers: Vec<Result<Answer, Code>>,
    /// The context as the calls that were answered leave it.
    pub tree: Tree,
}

/// Of a call to whose end a guest would not live on: refusals end a run, here only the call.
struct Played {
    answers: Vec<Result<Answer, Code>>,
    transaction: Transaction,
    usage: Usage,
    work: u64,
}

pub(super) fn check(data: &[u8]) -> Result<(), Broken> {
    Script::generate(&mut Dice::new(data)).check().map(drop)
}

impl Script {
    /// Makes a script up: its context, its grant, its limits, its calls.
    #[must_use]
    pub fn generate(dice: &mut Dice<'_>) -> Self {
        let base = tree(dice, Keys::Any);
        let mut grants = || -> Vec<Path> {
            let len = dice.index(4);
            let any = (0..len).map(|_| path(dice, &base));
            // A contract names no private keys.
            any.filter(|path| !path.is_private()).collect()
        };
        let (inputs, outputs) = (grants(), grants());
        let mode = match dice.below(4) {
            0..3 => Mode::Strict,
            _ => Mode::Permissive,
        };
        let limits = limits(dice);
        let mut script = Self {
            base,
            inputs,
            outputs,
            mode,
            limits,
            calls: Vec::new(),
        };
        for _ in 0..1 + dice.index(24) {
            let call = script.call(dice);
            script.calls.push(call);
        }
        script
    }

    /// One more call, which mostly names a place that the grant covers.
    pub fn call(&self, dice: &mut Dice<'_>) -> HostCall {
        let path = self.place(dice);
        match dice.below(10) {
            0 => HostCall::Get { path },
            1..3 => HostCall::Set {
                path,
                value: encoded(dice),
            },
            3..5 => HostCall::Push {
                path,
                value: encoded(dice),
            },
            5..7 => HostCall::Remove { path },
            7 => HostCall::Len { path },
            8 => match dice.below(2) {
                0 => HostCall::Keys {
                    path,
                    after: dice.once_in(3).then(|| key(dice, Keys::Any)),
                    limit: dice.pick(&[10, 2, 1, 0, u32::MAX]),
                },
                _ => HostCall::ReadBytes {
                    path,
                    offset: dice.pick(&[0, 1, 3, 1000, u64::MAX]),
                    len: dice.pick(&[3, 0, 1, 100, u32::MAX]),
                },
            },
            _ if dice.once_in(2) => HostCall::Send {
                topic: text(dice),
                payload: dice.bytes(3),
            },
            _ => HostCall::Get { path },
        }
    }

    fn place(&self, dice: &mut Dice<'_>) -> String {
        if dice.once_in(16) {
            return text(dice);
        }
        let grants = if self.outputs.is_empty() || dice.once_in(4) {
            &self.inputs
        } else {
            &self.outputs
        };
        if grants.is_empty() || dice.once_in(4) {
            return path(dice, &self.base).to_string();
        }
        let mut place = grants[dice.index(grants.len())].clone();
        for _ in 0..dice.index(3) {
            let segment = match dice.below(4) {
                0..3 => Segment::Key(key(dice, Keys::Any).into()),
                _ => Segment::Index(dice.below(3)),
            };
            place = place.child(segment);
        }
        place.to_string()
    }

    /// Plays the script on the host's own functions and on the model, twice.
    ///
    /// # Errors
    ///
    /// The first thing in which they differ, or a law that is broken.
    pub fn check(&self) -> Result<Ended, Broken> {
        let mut model = Model::new(
            &self.base,
            &self.inputs,
            &self.outputs,
            self.limits.clone(),
            self.mode,
        );
        let base = Snapshot {
            version: 1,
            tree: self.base.clone(),
        };
        let played = self.play(&base, Some(&mut model))?;
        let again = self.play(&base, None)?;
        let told = |what: &str| format!("{what}\n{}", self.story());
        holds(
            played.answers == again.answers && played.work == again.work,
            || told("two runs of one script differ"),
        )?;
        self.judge_end(&base, &played, &model)?;
        Ok(Ended {
            answers: played.answers,
            tree: played.transaction.view().clone(),
        })
    }

    /// All that is needed to see what happens, on a few lines.
    fn story(&self) -> String {
        let layers = Layer::ALL.map(|layer| {
            let json = serde_json::to_string(self.base.layer(layer));
            format!("{}: {}", layer.name(), json.unwrap_or_default())
        });
        let calls: Vec<_> = self.calls.iter().map(|call| format!("{call:?}")).collect();
        let list = |paths: &[Path]| {
            let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
            paths.join(" ")
        };
        let (inputs, outputs) = (list(&self.inputs), list(&self.outputs));
        let (mode, limits) = (self.mode.name(), &self.limits);
        format!(
            "{}\ninputs: {inputs}\noutputs: {outputs}\n{mode}, {limits:?}\n{}",
            layers.join("\n"),
            calls.join("\n")
        )
    }

    fn play(&self, base: &Snapshot, mut model: Option<&mut Model>) -> Result<Played, Broken> {
        let guard = Guard::new(self.inputs.clone(), self.outputs.clone()).interned();
        let transaction = Transaction::begin(base.clone());
        let limits = Arc::new(self.limits.clone());
        let mut guard = ContextGuard::new(guard, transaction, limits, self.mode);
        let mut answers = Vec::new();
        for (at, call) in self.calls.iter().enumerate() {
            let before = (
                guard.transaction().view().clone(),
                guard.transaction().writes().len(),
            );
            let answer = call.play(&mut guard).map_err(|refusal| refusal.code());
            let told = |what: String| format!("call {at}, {call:?}: {what}\n{}", self.story());
            if answer.is_err() {
                let transaction = guard.transaction();
                let after = (transaction.view().clone(), transaction.writes().len());
                holds(before == after, || {
                    told("a refused call changed something".into())
                })?;
            }
            if let Some(model) = &mut model {
                let expected = model.play(call);
                holds(answer == expected, || {
                    told(format!("it gave {answer:?}, and must give {expected:?}"))
                })?;
            }
            if let (Ok(Answer::Value(Some(bytes))), HostCall::Get { path }) = (&answer, call) {
                self.judge_read(path, bytes)
                    .map_err(|broken| Broken(told(broken.0)))?;
            }
            answers.push(answer);
        }
        Ok(Played {
            answers,
            usage: *guard.usage(),
            work: guard.work(),
            transaction: guard.into_transaction(),
        })
    }

    /// Everything that a guest was shown is covered by its grant.
    fn judge_read(&self, text: &str, bytes: &[u8]) -> Result<(), Broken> {
        let bounds = Bounds {
            depth: 64,
            decoded_bytes: u64::MAX,
        };
        let value = codec::decode(bytes, bounds).map_err(|why| Broken(why.to_string()))?;
        let place = Path::parse(text).map_err(|why| Broken(why.to_string()))?;
        let mut found = Vec::new();
        leaves(&place, &value, &mut found);
        let readable = || self.inputs.iter().chain(&self.outputs);
        for (place, _) in &found {
            let granted = readable().any(|grant| covers(grant, place));
            let shown = place.zone().is_readable() && granted || self.mode == Mode::Permissive;
            holds(shown && !place.is_private(), || {
                format!("it was shown {place}")
            })?;
        }
        Ok(())
    }

    /// The view, the commit and what is told of both.
    fn judge_end(&self, base: &Snapshot, played: &Played, model: &Model) -> Result<(), Broken> {
        let told = |what: &str| format!("{what}\n{}", self.story());
        let transaction = &played.transaction;
        let view = transaction.view();
        holds(*view == model.tree(), || {
            told("the view is not the model's")
        })?;
        holds(base.tree == self.base, || told("the base was written to"))?;
        // What is counted. The largest sizes that were met only make warnings, and are no part of the model.
        let counted = Usage {
            path_bytes: 0,
            path_segments: 0,
            value_bytes: 0,
            heavy_value_bytes: 0,
            value_depth: 0,
            decoded_bytes: 0,
            heavy_decoded_bytes: 0,
            topic_bytes: 0,
            ..played.usage
        };
        holds(counted == model.usage, || {
            told(&format!("{counted:?} used, not {:?}", model.usage))
        })?;
        let signals = transaction.signals().into_iter();
        let signals: Vec<_> = signals.map(|it| (it.path, it.value)).collect();
        holds(signals == model.signals, || {
            told("the signals are not those that were set")
        })?;
        let messages = transaction.outbox().iter();
        let messages: Vec<_> = messages
            .map(|it| (it.topic.clone(), it.payload.to_vec()))
            .collect();
        holds(messages == model.messages, || {
            told("the messages are not those that were sent")
        })?;
        for (head, what) in [
            (base.clone(), "a commit is not the view"),
            (
                moved(base),
                "a commit on a head that has moved is not the view",
            ),
        ] {
            let version = head.version + u64::from(!transaction.is_empty());
            let committed = transaction
                .commit(&head)
                .map_err(|why| Broken(told(&why.to_string())))?;
            holds(
                committed.tree == *view && committed.version == version,
                || told(what),
            )?;
        }
        self.judge_changes(transaction)
            .map_err(|broken| Broken(told(&broken.0)))
    }

    /// What changed is covered by the outputs, and `changes` tell all of it.
    fn judge_changes(&self, transaction: &Transaction) -> Result<(), Broken> {
        let mut replayed = self.base.clone();
        for change in transaction.changes() {
            let done = match change.op {
                ChangeOp::Set => replayed.set(&change.path, change.new),
                ChangeOp::Push => replayed.push(&change.path, change.new).map(drop),
                ChangeOp::Remove => replayed.remove(&change.path).map(drop),
            };
            done.map_err(|why| Broken(format!("a change cannot be made again: {why}")))?;
        }
        let view = transaction.view();
        holds(replayed == *view, || {
            "the changes do not lead to the view".into()
        })?;
        match uncovered(&self.base, view, &self.outputs) {
            Some(place) if self.mode == Mode::Strict || place.is_private() => {
                Err(Broken(format!("it wrote {place}")))
            }
            _ => Ok(()),
        }
    }
}

/// A place in which two contexts differ though no output covers it; a private one before all others.
#[must_use]
pub fn uncovered(before: &Tree, after: &Tree, outputs: &[Path]) -> Option<Path> {
    let (old, new) = (tree_leaves(before), tree_leaves(after));
    let gone = old.iter().filter(|leaf| !new.contains(leaf));
    let come = new.iter().filter(|leaf| !old.contains(leaf));
    let uncovered = gone.chain(come).map(|(place, _)| place).filter(|place| {
        // A container that emptied or filled is a leaf itself: then a grant below it explains the change.
        let granted = |grant: &Path| covers(grant, place) || grant.is_at_or_below(place);
        place.is_private() || !outputs.iter().any(granted)
    });
    uncovered.max_by_key(|place| place.is_private()).cloned()
}

/// Limits low enough to be reached, one at a time, or those that everybody has.
fn limits(dice: &mut Dice<'_>) -> Limits {
    let mut limits = Limits::default();
    let low = 1 + dice.below(40);
    match dice.below(24) {
        0 => limits.path_bytes = low,
        1 => limits.path_segments = low % 4,
        2 => limits.value_bytes = low,
        3 => limits.heavy_value_bytes = low,
        4 => limits.value_depth = low % 7,
        5 => limits.writes = low % 8,
        6 => limits.write_bytes = low,
        7 => limits.reads = low % 5,
        8 => limits.read_bytes = low,
        9 => limits.outbox_messages = low % 2,
        10 => limits.outbox_bytes = low,
        _ => {}
    }
    limits
}

/// A value's MessagePack, now and then broken.
fn encoded(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut bytes = codec::encode_all(&value(dice, 3, Keys::Any));
    if dice.once_in(12) {
        let at = dice.index(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
    }
    bytes
}

/// The same values in another tree: somebody else has committed elsewhere.
fn moved(snapshot: &Snapshot) -> Snapshot {
    let mut copy = snapshot.clone();
    for layer in Layer::ALL {
        let key = Path::new(layer, [Segment::Key("somebody's own key".into())]);
        // A key of a layer can be set and removed.
        let _ = copy.tree.set(&key, Value::Nil);
        let _ = copy.tree.remove(&key);
    }
    copy
}

/// Every place of a value that is no container, or an empty one, with its path.
fn leaves(place: &Path, value: &Value, found: &mut Vec<(Path, Value)>) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (key, value) in map.iter() {
                leaves(&place.child(Segment::Key(key.clone())), value, found);
            }
        }
        Value::List(list) if !list.is_empty() => {
            for (index, value) in list.iter().enumerate() {
                leaves(&place.child(Segment::Index(index as u64)), value, found);
            }
        }
        other => found.push((place.clone(), other.clone())),
    }
}

fn tree_leaves(tree: &Tree) -> Vec<(Path, Value)> {
    let mut found = Vec::new();
    for layer in Layer::ALL {
        leaves(&Path::layer_root(layer), tree.layer(layer), &mut found);
    }
    found
}
