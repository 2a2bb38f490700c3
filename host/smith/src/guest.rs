//! A guest made up of bytes, and the case that it is run in.

use crate::acts::{Act, Texts};
use crate::graft::{By, Graft, Reach, Returns, Step, TEXTS};
use arbitrary::Unstructured;
use std::fmt;
use theus_core::contract::Contract;
use theus_core::fuzz::{Broken, Dice, HostCall, Keys, Script, path, tree};
use theus_core::path::{Layer, Path, Segment};
use theus_core::pattern::PathPattern;
use theus_core::value::Value;
use theus_host::component::{ComponentError, componentize};
use theus_host::{Limits, Mode};
use wasm_smith::{Config, Module};
use wasmparser::{BinaryReaderError, Parser, Payload};

/// The process of every random guest.
pub(crate) const PROCESS: &str = "work";
/// A key of the context that nothing but a grant shows.
const CANARY_KEY: &str = "canary";
/// What stands there.
pub(crate) const CANARY: [u8; 20] = *b"a bird in a coalmine";

/// Bytes at the head that decide on everything but the random code.
const HEAD: usize = 2048;
/// The most that the acts' texts may take up; what does not fit is left out.
const MOST_TEXTS: u32 = 96 * 1024;

/// What a guest is run on: the context, the grant, the limits.
pub struct Case {
    /// The context, the grant and the limits, as for a script of calls.
    pub script: Script,
    pub(crate) graft: Graft,
    pub(crate) features: Features,
    random: Vec<u8>,
}

/// A guest that nobody wrote.
#[derive(Debug)]
pub struct RandomGuest {
    /// The component, made as the host makes one of any core module.
    pub component: Vec<u8>,
    pub(crate) tables: Tables,
}

/// The tables of all core modules of a component, as they are when it is instantiated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) count: u64,
    pub(crate) elements: u64,
}

/// What the random code may use.
#[derive(Debug)]
pub(crate) struct Features {
    /// Loads, divisions and calls through tables are guarded.
    careful: bool,
    /// Something runs before the first call.
    pub(crate) start: bool,
    /// Instructions that the host does not take.
    refused: bool,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the random code's bytes nobody reads anything; the seed or the artifact has them.
        f.debug_struct("Case")
            .field("script", &self.script)
            .field("graft", &self.graft)
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}

impl Case {
    /// Makes a case up.
    #[must_use]
    pub fn generate(data: &[u8]) -> Self {
        let (head, random) = data.split_at(HEAD.min(data.len() / 3 * 2));
        let mut dice = Dice::new(head);
        // What decides most comes first, so that short inputs decide it as well.
        let graft = Graft {
            reach: if dice.once_in(5) {
                Reach::ActsAndWorld
            } else {
                Reach::Acts
            },
            returns: match dice.below(12) {
                0..7 => Returns::Heap,
                7..9 => Returns::Nil,
                9 => Returns::Declared,
                10 => Returns::Undeclared,
                _ => Returns::Junk,
            },
            allocator: if dice.once_in(16) { By::Smith } else { By::Us },
            acts: Vec::new(),
            steps: Vec::new(),
        };
        let features = Features {
            careful: !dice.once_in(4),
            start: dice.once_in(8),
            refused: dice.once_in(24),
        };
        let mut case = Self {
            script: script(&mut dice),
            graft,
            features,
            random: random.to_vec(),
        };
        case.act(&mut dice);
        case
    }

    /// Adds acts, and what `run` does with them.
    fn act(&mut self, dice: &mut Dice<'_>) {
        for _ in 0..1 + dice.index(8) {
            let call = self.script.call(dice);
            self.script.calls.push(call);
        }
        // Where the check itself breaks, the calls stay as they are: that finding is `context_calls`' own.
        if !dice.once_in(3)
            && let Ok(ended) = self.script.check()
        {
            // A run ends at its first refusal: without those that are refused it goes on to the random code.
            let mut answers = ended.answers.iter();
            let mut answered = || answers.next().is_some_and(Result::is_ok);
            self.script.calls.retain(|_| answered());
        }
        let mut acts: Vec<Act> = (self.script.calls.iter().cloned()).map(Act::Call).collect();
        match dice.below(8) {
            0 => acts.push(Act::Copy {
                from: place(dice, &self.script.inputs),
                to: place(dice, &self.script.outputs),
            }),
            1..4 => acts.push(Act::Log {
                level: dice.pick(&[0, 1, 2, 3, 4, 5, -1]),
                message: theus_core::fuzz::text(dice),
            }),
            // A spy: it ends here, unless the guard is broken, and then its result shows what it saw.
            5 => {
                let path = dice.pick(&["global.canary", "global"]).into();
                acts.push(Act::Call(HostCall::Get { path }));
                self.graft.returns = Returns::Heap;
                self.graft.allocator = By::Us;
            }
            // A vandal: the same of writing.
            6 => {
                let path = dice.pick(&["global.canary", "global.made", "domain.sig_made"]);
                let call = HostCall::Set {
                    path: path.into(),
                    value: vec![0xc0],
                };
                acts.push(Act::Call(call));
            }
            4 if dice.once_in(3) => acts.push(Act::Abort {
                message: theus_core::fuzz::text(dice),
            }),
            _ => {}
        }
        let mut texts = Texts::at(TEXTS);
        acts.retain(|act| {
            // Encoded to see how much room it takes.
            let _ = act.function(&mut texts);
            texts.end() < MOST_TEXTS
        });
        let mut steps: Vec<Step> = (0u32..).zip(&acts).map(|(at, _)| Step::Act(at)).collect();
        // A glutton: what is allowed once is over a low limit the tenth time.
        let limits = &self.script.limits;
        let counted = [limits.reads, limits.writes, limits.outbox_messages];
        if dice.once_in(2) || counted.iter().any(|it| *it < 10) {
            steps = steps.repeat(10);
        }
        for _ in 0..dice.index(4) {
            let at = dice.index(steps.len() + 1);
            steps.insert(at, Step::Body(dice.pick(&[0, 1, -1, 1024, 4096, i32::MAX])));
        }
        // Only a guest that returns can return too much.
        if self.script.limits.result_bytes < 100 {
            self.graft.returns = Returns::Heap;
            steps.truncate(1);
        }
        self.graft.acts = acts;
        self.graft.steps = steps;
    }

    /// The contract of the guest's only process.
    ///
    /// # Errors
    ///
    /// It is malformed: every path of it was tried alone.
    pub fn contracts(&self) -> Result<Vec<Contract>, Broken> {
        contract(&self.script.inputs, &self.script.outputs)
            .map_err(|error| Broken(format!("a contract is refused: {error}")))
    }
}

impl RandomGuest {
    /// Makes the guest of a case, as `theus-host componentize` would.
    ///
    /// # Errors
    ///
    /// The inner one: why the host makes no component of it. The outer one: the random module is none, which is the
    /// generator's fault.
    pub fn generate(case: &Case) -> Result<Result<Self, ComponentError>, Broken> {
        let generators = |what: String| Broken(format!("the generator: {what}"));
        let mut texts = Texts::at(TEXTS);
        for act in &case.graft.acts {
            act.function(&mut texts);
        }
        let shape = case.graft.shape(texts.end());
        let config = config(&case.features, shape);
        let mut random = Unstructured::new(&case.random);
        let module =
            Module::new(config, &mut random).map_err(|error| generators(error.to_string()))?;
        let module =
            (case.graft.onto(&module.to_bytes())).map_err(|error| generators(error.to_string()))?;
        let component = match componentize(&module, &case.contracts()?) {
            Ok(component) => component,
            Err(refused) => return Ok(Err(refused)),
        };
        let tables = Tables::of(&component).map_err(|error| generators(error.to_string()))?;
        Ok(Ok(Self { component, tables }))
    }
}

impl Tables {
    /// Reads the component itself: what the host counts is what is judged.
    fn of(component: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut tables = Self::default();
        for payload in Parser::new(0).parse_all(component) {
            if let Payload::TableSection(section) = payload? {
                for table in section {
                    tables.count += 1;
                    tables.elements += table?.ty.initial;
                }
            }
        }
        Ok(tables)
    }
}

/// The context, grant and limits of a case; no calls yet.
fn script(dice: &mut Dice<'_>) -> Script {
    let mut base = tree(dice, Keys::NotPrivate);
    let canary = Path::new(Layer::Global, [Segment::Key(CANARY_KEY.into())]);
    // A key of a layer can always be set.
    let _ = base.set(&canary, Value::from(CANARY.to_vec()));
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    for _ in 0..1 + dice.index(3) {
        let input = path(dice, &base);
        if !inputs.contains(&input) && contract(std::slice::from_ref(&input), &[]).is_ok() {
            inputs.push(input);
        }
        let output = path(dice, &base);
        if !outputs.contains(&output) && contract(&[], std::slice::from_ref(&output)).is_ok() {
            outputs.push(output);
        }
    }
    // Otherwise few guests would have anything to commit.
    outputs.push(Path::new(Layer::Domain, [Segment::Key("made".into())]));
    // Strict mode refuses a contract that reads signals or writes the configuration: now and then one is kept.
    if !dice.once_in(12) {
        inputs.retain(|it| it.zone().is_readable());
        outputs.retain(|it| it.layer() == Layer::Domain);
    }
    let mode = if dice.once_in(8) {
        Mode::Permissive
    } else {
        Mode::Strict
    };
    Script {
        base,
        inputs,
        outputs,
        mode,
        limits: limits(dice),
        calls: Vec::new(),
    }
}

/// A place at or below one of the grants.
fn place(dice: &mut Dice<'_>, grants: &[Path]) -> String {
    match grants {
        [] => "domain.a".into(),
        grants => grants[dice.index(grants.len())].to_string(),
    }
}

/// The contract of the process with these paths, read as a guest's own is.
fn contract(inputs: &[Path], outputs: &[Path]) -> Result<Vec<Contract>, String> {
    let patterns = |paths: &[Path]| -> Result<Vec<PathPattern>, String> {
        let parse = |it: &Path| PathPattern::parse(&it.to_string());
        let patterns: Result<_, _> = paths.iter().map(parse).collect();
        patterns.map_err(|error| error.to_string())
    };
    let contract = Contract {
        name: PROCESS.into(),
        summary: String::new(),
        parameters: Vec::new(),
        inputs: patterns(inputs)?,
        outputs: patterns(outputs)?,
        side_effects: Vec::new(),
        errors: vec!["Known".into()],
    };
    let section = Contract::section(&[contract]).map_err(|error| error.to_string())?;
    Contract::parse_section(section.as_bytes()).map_err(|error| error.to_string())
}

/// Limits for small guests, one of them now and then so low that it is reached.
///
/// Time is no limit that two runs would reach alike, so fuel is reached long before it.
fn limits(dice: &mut Dice<'_>) -> Limits {
    let mut limits = Limits {
        memory_bytes: 2 << 20,
        table_elements: 500,
        fuel: 50_000,
        host_calls: 1_000,
        timeout: std::time::Duration::from_secs(3600),
        ..Limits::default()
    };
    let low = 1 + dice.below(40);
    match dice.below(24) {
        // Not 0, which is what comes when there is nothing left to choose with.
        23 => limits.memory_bytes = 256 * 1024,
        1 => limits.tables = 1,
        2 => limits.table_elements = low,
        3 => limits.stack_bytes = 16 * 1024,
        4 => limits.fuel = 100 * low,
        5 => limits.path_bytes = low,
        6 => limits.value_bytes = low,
        7 => limits.result_bytes = low,
        8 => limits.writes = low % 4,
        9 => limits.write_bytes = low,
        10 => limits.reads = low % 5,
        11 => limits.read_bytes = low,
        12 => limits.log_lines = low % 2,
        13 => limits.log_bytes = low,
        14 => limits.outbox_messages = low % 2,
        15 => limits.outbox_bytes = low,
        16 => limits.host_calls = low % 8,
        _ => {}
    }
    limits
}

/// What `wasm-smith` is asked for.
fn config(features: &Features, shape: Vec<u8>) -> Config {
    Config {
        module_shape: Some(shape),
        disallow_traps: features.careful,
        allow_start_export: features.start,
        // References to anything but functions need a collector, which the host has not.
        reference_types_enabled: features.refused,
        wide_arithmetic_enabled: features.refused,
        // These have sections of their own, move indices other than those of functions, or need another memory.
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        threads_enabled: false,
        custom_page_sizes_enabled: false,
        max_memories: 1,
        max_tables: 2,
        max_table_elements: 200,
        // Compiling is what takes the time.
        max_types: 8,
        max_funcs: 6,
        max_instructions: 80,
        max_globals: 6,
        max_data_segments: 3,
        max_element_segments: 3,
        max_elements: 8,
        ..Config::default()
    }
}
