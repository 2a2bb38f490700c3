//! Scripts of host calls played by a guest: in the sandbox the same comes of them as without one.

use super::judge::enter;
use crate::engine::Engine;
use crate::receipt::Receipt;
use crate::run::Call;
use theus_core::codec::{self, Bounds};
use theus_core::context_guard::Mode;
use theus_core::fuzz::{Answer, Broken, Dice, HostCall, Keys, Script, tree, value};
use theus_core::limits::Limits;
use theus_core::path::{Layer, Path, Segment};
use theus_core::tree::Tree;
use theus_core::value::{List, Map, Value};

/// The process that plays scripts, its input and its outputs: those of `guests/probe`.
const PROCESS: &str = "script";
const INPUT: &str = "inbox";
const OUTPUTS: [&str; 2] = ["data", "sig_done"];

/// Makes up a script, plays it on the host's own functions, then lets a guest play it through the whole pipeline.
///
/// The engine is one with the guest `probe`, default limits and no rules; its context is replaced.
///
/// # Errors
///
/// The first thing in which the two differ, or a law that is broken.
pub fn play_script(engine: &Engine, data: &[u8]) -> Result<(), Broken> {
    let mut dice = Dice::new(data);
    let mut script = generate(&mut dice);
    let mut ended = script.check()?;
    if dice.below(3) > 0 {
        // A run ends at its first refusal. Without those that are refused the others are played to their end.
        let mut answers = ended.answers.iter();
        script
            .calls
            .retain(|_| answers.next().is_some_and(Result::is_ok));
        ended = script.check()?;
    }
    let base = &script.base;
    if !enter(engine, base) {
        return Err(Broken(format!("an operator may not set {base:?}")));
    }
    let steps: List = script.calls.iter().map(step).collect();
    let args = [("steps", Value::List(steps))].into_iter().collect();
    let receipt = engine.call(Call::new(PROCESS, args));
    let told = |what: String| Broken(format!("{what}\n{script:?}\n{:?}", receipt.error));
    // The first refusal ends a run.
    let answered: Option<Vec<&Answer>> = (ended.answers.iter())
        .map(|answer| answer.as_ref().ok())
        .collect();
    let after = engine.context().tree.clone();
    match answered {
        Some(answers) => {
            let expected: List = answers.into_iter().map(answer_as_value).collect();
            if receipt.result != Some(Value::List(expected)) {
                return Err(told(format!("the guest was answered {:?}", receipt.result)));
            }
            if after != ended.tree {
                return Err(told("what was committed is another context".into()));
            }
        }
        None => {
            let refused = ended.answers.iter().find_map(|it| it.as_ref().err());
            let code = receipt.error.as_ref().map(crate::RunError::code);
            if code != refused.map(ToString::to_string) {
                return Err(told(format!("it ended with {code:?}, not {refused:?}")));
            }
            if after != *base || leaves_something(&receipt) {
                return Err(told("something remains of a run that was refused".into()));
            }
        }
    }
    Ok(())
}

fn leaves_something(receipt: &Receipt) -> bool {
    !receipt.changes.is_empty() || !receipt.signals.is_empty() || !receipt.outbox.is_empty()
}

/// A script under the contract of the process that plays it.
fn generate(dice: &mut Dice<'_>) -> Script {
    let of_domain = |key: &str| Path::new(Layer::Domain, [Segment::Key(key.into())]);
    let mut base: Tree = tree(dice, Keys::NotPrivate);
    for key in [INPUT, OUTPUTS[0]] {
        // A key of a layer can always be set.
        let _ = base.set(&of_domain(key), value(dice, 3, Keys::NotPrivate));
    }
    let mut script = Script {
        base,
        inputs: vec![of_domain(INPUT)],
        outputs: OUTPUTS.map(of_domain).to_vec(),
        mode: Mode::Strict,
        limits: Limits::default(),
        calls: Vec::new(),
    };
    for _ in 0..1 + dice.index(12) {
        let call = script.call(dice);
        script.calls.push(call);
    }
    script
}

/// A call as the guest reads it.
fn step(call: &HostCall) -> Value {
    let text = |it: &String| Value::from(it.as_str());
    let binary = |it: &Vec<u8>| Value::from(it.clone());
    let (name, words): (&str, Vec<(&str, Value)>) = match call {
        HostCall::Get { path } => ("get", vec![("path", text(path))]),
        HostCall::Len { path } => ("len", vec![("path", text(path))]),
        HostCall::Remove { path } => ("remove", vec![("path", text(path))]),
        HostCall::Keys { path, after, limit } => (
            "keys-page",
            vec![
                ("path", text(path)),
                ("after", after.as_ref().map(text).into()),
                ("limit", (*limit).into()),
            ],
        ),
        HostCall::ReadBytes { path, offset, len } => (
            "read-bytes",
            vec![
                ("path", text(path)),
                ("offset", (*offset).into()),
                ("len", (*len).into()),
            ],
        ),
        HostCall::Set { path, value } => (
            "set-encoded",
            vec![("path", text(path)), ("encoded", binary(value))],
        ),
        HostCall::Push { path, value } => (
            "push-encoded",
            vec![("path", text(path)), ("encoded", binary(value))],
        ),
        HostCall::Send { topic, payload } => (
            "send",
            vec![("topic", text(topic)), ("payload", binary(payload))],
        ),
    };
    let words: Map = words.into_iter().collect();
    Value::Map([(name, Value::Map(words))].into_iter().collect())
}

/// An answer as the guest returns it.
fn answer_as_value(answer: &Answer) -> Value {
    match answer {
        Answer::Value(None) | Answer::Len(None) | Answer::Done => Value::Nil,
        Answer::Value(Some(bytes)) => {
            let bounds = Bounds {
                depth: 64,
                decoded_bytes: u64::MAX,
            };
            codec::decode(bytes, bounds).unwrap_or_default()
        }
        Answer::Len(Some(number)) | Answer::Pushed(number) => Value::unsigned(*number),
        Answer::Keys(keys) => {
            let keys = keys.iter().map(|key| Value::from(key.as_str()));
            Value::List(keys.collect())
        }
        Answer::Piece(bytes) => Value::from(bytes.clone()),
        Answer::Removed(removed) => Value::Bool(*removed),
    }
}
