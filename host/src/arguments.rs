//! Arguments and results, on their way in and out of a run.

use crate::engine::Shared;
use crate::error::RunError;
use crate::leftovers;
use crate::run::Run;
use theus_core::arguments;
use theus_core::codec::DecodeError;
use theus_core::value::Value;

/// Makes a map of arguments: `args! { "product_name" => "TV", "price" => 500 }`.
#[macro_export]
macro_rules! args {
    ($($name:expr => $value:expr),* $(,)?) => {
        <$crate::Map as ::std::iter::FromIterator<(&str, $crate::Value)>>::from_iter(
            [$(($name, $crate::Value::from($value))),*]
        )
    };
}

impl Shared {
    /// Checks the arguments of a run and encodes them for the guest.
    pub(crate) fn arguments(&self, run: &mut Run) -> Result<Vec<u8>, RunError> {
        let given = std::mem::take(&mut run.args);
        run.args = arguments::check(&run.process.contract, given).map_err(|problem| {
            RunError::Arguments {
                process: run.name().to_owned(),
                problem,
            }
        })?;
        arguments::encode(&run.args, &self.limits, Some(&run.interrupt(&self.limits)))
            .map_err(|exceeded| run.limit(exceeded))
    }

    /// Decodes what the guest returned.
    pub(crate) fn result(&self, run: &mut Run, bytes: &[u8]) -> Result<Value, RunError> {
        let interrupt = run.interrupt(&self.limits);
        let mut remains = Vec::new();
        let decoded = arguments::decode_result(bytes, &self.limits, Some(&interrupt), &mut remains);
        if decoded.is_err() {
            leftovers::let_go(remains, bytes.len() as u64);
        }
        let decoded = decoded.map_err(|problem| match problem {
            DecodeError::Limit(exceeded) => run.limit(exceeded),
            problem @ DecodeError::Malformed { .. } => RunError::MalformedResult {
                process: run.name().to_owned(),
                problem,
            },
        })?;
        run.note_result(decoded.bytes);
        Ok(decoded.value)
    }
}
