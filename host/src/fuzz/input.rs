//! Inputs: which process, with which arguments, on which context.

use super::mutate;
use crate::side_effects::Seed;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use theus_core::codec::encode_all;
use theus_core::contract::{Contract, Parameter};
use theus_core::fuzz::{Dice, argument};
use theus_core::path::{Layer, Segment};
use theus_core::pattern::{PathPattern, Step};
use theus_core::schema::Schema;
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// All that a run depends on.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) process: String,
    pub(super) args: Map,
    pub(super) context: Arc<Tree>,
    /// For processes that were granted them.
    pub(super) time: SystemTime,
    pub(super) seed: Seed,
}

/// Makes inputs up.
pub(super) struct Inputs<'a> {
    base: &'a Tree,
    schema: Option<&'a Schema>,
    /// Keys of the base context that fit a `{param}`, by process and parameter.
    keys: HashMap<(String, String), Vec<Value>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(
        contracts: &[Arc<Contract>],
        base: &'a Tree,
        schema: Option<&'a Schema>,
    ) -> Self {
        let mut keys = HashMap::new();
        for contract in contracts {
            for pattern in contract.inputs.iter().chain(&contract.outputs) {
                if let Some((param, known)) = keys_there(pattern, base) {
                    keys.insert((contract.name.clone(), param), known);
                }
            }
        }
        Self { base, schema, keys }
    }

    /// A context: the base itself, one near it, or one that the schema allows.
    pub(super) fn context(&self, dice: &mut Dice<'_>) -> Tree {
        let near = |dice: &mut Dice<'_>| {
            let near = mutate::tree(self.base, dice);
            let fits = self.schema.is_none_or(|schema| schema.check(&near).is_ok());
            if fits { near } else { self.base.clone() }
        };
        match (dice.below(8), self.schema) {
            (0, _) => self.base.clone(),
            (1..4, Some(schema)) => {
                let mut sample = schema.sample(dice);
                schema.fill_defaults(&mut sample);
                // Defaults add keys: where that is too many of them the sample is not taken.
                if schema.check(&sample).is_ok() {
                    sample
                } else {
                    near(dice)
                }
            }
            _ => near(dice),
        }
    }

    pub(super) fn input(
        &self,
        contract: &Contract,
        context: &Arc<Tree>,
        dice: &mut Dice<'_>,
    ) -> Input {
        let mut args = Map::new();
        for parameter in &contract.parameters {
            match dice.below(16) {
                0..3 if parameter.optional => {}
                3 if parameter.optional => drop(args.insert(parameter.name.as_str(), Value::Nil)),
                _ => {
                    let value = self.value(contract, parameter, dice);
                    args.insert(parameter.name.as_str(), value);
                }
            }
        }
        let seconds = Duration::from_secs(dice.below(1 << 32));
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&dice.number().to_le_bytes());
        Input {
            process: contract.name.clone(),
            args,
            context: context.clone(),
            time: UNIX_EPOCH + seconds,
            seed: Seed::from_bytes(seed),
        }
    }

    fn value(&self, contract: &Contract, parameter: &Parameter, dice: &mut Dice<'_>) -> Value {
        let place = (contract.name.clone(), parameter.name.clone());
        match self.keys.get(&place) {
            // What a path is filled in with is mostly a key that is there: the others find nothing.
            Some(known) if !known.is_empty() && !dice.once_in(4) => {
                known[dice.index(known.len())].clone()
            }
            _ => argument(parameter.kind, dice),
        }
    }
}

impl Input {
    /// How large it is: a context that was made for it counts, the base does not.
    pub(super) fn size(&self, base: &Tree) -> usize {
        let context = if *self.context == *base {
            0
        } else {
            let layers = Layer::ALL.map(|layer| encode_all(self.context.layer(layer)).len());
            layers.into_iter().sum::<usize>() + 1
        };
        encode_all(&Value::Map(self.args.clone())).len() + context
    }
}

/// The first parameter of a contract path, and what the base has at that place.
fn keys_there(pattern: &PathPattern, base: &Tree) -> Option<(String, Vec<Value>)> {
    let mut at = base.layer(pattern.layer());
    for step in pattern.steps() {
        at = match step {
            Step::Fixed(Segment::Key(key)) => at.as_map()?.get(key)?,
            Step::Fixed(Segment::Index(index)) => at.as_list()?.get(*index)?,
            Step::KeyParam(name) => {
                let keys = at.as_map()?.iter().take(64);
                let keys = keys.map(|(key, _)| Value::Str(key.clone())).collect();
                return Some((name.to_string(), keys));
            }
            Step::IndexParam(name) => {
                let len = at.as_list()?.len().min(64) as u64;
                return Some((name.to_string(), (0..len).map(Value::unsigned).collect()));
            }
        };
    }
    None
}
