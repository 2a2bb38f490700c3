//! Terms: what a run is made under, as digests, and the documents that they are of.
//!
//! A record names its terms by digest. Where there is a store it keeps the documents too, and the guest's component, so that
//! a run can be made again as it was.

use crate::side_effects::Reach;
use crate::store::{Hash, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::{Mutex, PoisonError};
use theus_core::audit::Recipe;
use theus_core::config;
use theus_core::contract::Contract;
use theus_core::limits::Limits;
use theus_core::pattern::PathPattern;
use theus_core::policy::{Narrowed, ProcessPolicy};
use theus_core::schema::Schema;

/// What a run is made under, each as the SHA-256 of a document.
///
/// A store keeps the documents ([`Store::blob`](crate::store::Store::blob)), but for the contract, which stands in the component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// What the process's contract declares, whatever its section's spelling.
    pub contract: Option<Hash>,
    /// What the operator granted of it.
    pub policy: Option<Hash>,
    /// The recipe's text.
    pub recipe: Option<Hash>,
    /// The schema's text.
    pub schema: Option<Hash>,
    /// The limits.
    pub limits: Option<Hash>,
    /// The compiler, its version and its settings.
    pub settings: Option<Hash>,
}

/// The part of the terms that all processes of an engine share.
pub(crate) struct SharedTerms {
    terms: Terms,
    documents: Vec<Vec<u8>>,
}

/// What a process has yet to give the store to keep: its component, and the documents of its terms.
pub(crate) struct Unkept(Mutex<Vec<Vec<u8>>>);

impl SharedTerms {
    pub(crate) fn new(
        recipe: Option<&Recipe>,
        schema: Option<&Schema>,
        limits: &Limits,
        compiler: &str,
    ) -> Self {
        let limits = config::amounts(limits).map(|(word, amount)| (word.to_owned(), json!(amount)));
        let limits = serde_json::Value::Object(limits.into_iter().collect()).to_string();
        let settings = settings_text(compiler);
        let mut documents = Vec::new();
        let mut digest = |text: &str| {
            documents.push(text.as_bytes().to_vec());
            Hash::of_bytes(text.as_bytes())
        };
        let terms = Terms {
            contract: None,
            policy: None,
            recipe: recipe.map(|recipe| digest(recipe.text())),
            schema: schema.map(|schema| digest(&schema.text())),
            limits: Some(digest(&limits)),
            settings: Some(digest(&settings)),
        };
        Self { terms, documents }
    }

    /// The terms of a process, and what a store is to keep for it.
    pub(crate) fn of_process(
        &self,
        contract: &Contract,
        narrowed: Option<&Narrowed>,
        reach: Option<&Reach>,
        component: &[u8],
    ) -> (Terms, Unkept) {
        let policy = policy_text(contract, narrowed, reach);
        let terms = Terms {
            contract: Some(Hash::of_bytes(contract_text(contract).as_bytes())),
            policy: Some(Hash::of_bytes(policy.as_bytes())),
            ..self.terms
        };
        // A closure of the baseline has none.
        let component = (!component.is_empty()).then(|| component.to_vec());
        let own = component.into_iter().chain([policy.into_bytes()]);
        let unkept = own.chain(self.documents.clone());
        (terms, Unkept(Mutex::new(unkept.collect())))
    }
}

impl Unkept {
    /// Nothing, for an engine without a store.
    pub(crate) fn nothing() -> Self {
        Self(Mutex::default())
    }

    /// Gives the store what it has not been given yet.
    pub(crate) fn keep(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut unkept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(bytes) = unkept.last() {
            store.keep_blob(bytes)?;
            unkept.pop();
        }
        Ok(())
    }
}

/// The digest of the settings that a compiler has under this host.
pub(crate) fn settings_digest(compiler: &str) -> Hash {
    Hash::of_bytes(settings_text(compiler).as_bytes())
}

fn settings_text(compiler: &str) -> String {
    json!({ "host": env!("CARGO_PKG_VERSION"), "compiler": compiler }).to_string()
}

/// What a policy's document leaves of a contract's paths; none where that is all of them.
pub(crate) fn narrowed(policy: &[u8], contract: &Contract) -> Result<Option<Narrowed>, String> {
    let malformed = |_| "the document of its policy is not what this host writes".to_owned();
    let policy: PolicyDocument = serde_json::from_slice(policy).map_err(malformed)?;
    if !policy.narrowed {
        return Ok(None);
    }
    let mut granted = ProcessPolicy::new()
        .inputs(policy.inputs)
        .outputs(policy.outputs);
    if let Some(topics) = policy.topics {
        granted = granted.topics(topics);
    }
    let narrowed = granted.narrow(contract).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string);
        problems.collect::<Vec<_>>().join("; ")
    });
    narrowed.map(Some)
}

/// What is granted of one contract.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyDocument {
    process: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    narrowed: bool,
    /// Where they are restricted; what was written before they could be says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topics: Option<Vec<String>>,
    side_effects: Vec<String>,
}

fn contract_text(contract: &Contract) -> String {
    let parameters = contract
        .parameters
        .iter()
        .map(|it| json!([it.name, it.kind.name(), it.optional, it.secret]));
    let effects = contract.side_effects.iter().map(ToString::to_string);
    json!([
        contract.name,
        parameters.collect::<Vec<_>>(),
        texts(&contract.inputs),
        texts(&contract.outputs),
        effects.collect::<Vec<_>>(),
        contract.errors,
    ])
    .to_string()
}

fn policy_text(contract: &Contract, narrowed: Option<&Narrowed>, reach: Option<&Reach>) -> String {
    let (inputs, outputs) = match narrowed {
        Some(narrowed) => (&narrowed.inputs, &narrowed.outputs),
        None => (&contract.inputs, &contract.outputs),
    };
    // Whatever a contract asks for outside the context is granted, or it is not registered.
    let effects = contract.side_effects.iter().filter(|_| reach.is_some());
    let document = PolicyDocument {
        process: contract.name.clone(),
        inputs: texts(inputs),
        outputs: texts(outputs),
        narrowed: narrowed.is_some(),
        topics: narrowed.and_then(|it| Some(it.topics.as_ref()?.texts())),
        side_effects: effects.map(ToString::to_string).collect(),
    };
    // There is nothing in it that JSON has no form for.
    serde_json::to_string(&document).unwrap_or_default()
}

fn texts(patterns: &[PathPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read from the document of a policy grants what the policy did.
    #[test]
    fn a_policy_comes_back_from_its_document() {
        let line = br#"{"name":"p","inputs":["domain.a"],"outputs":["domain.b"]}"#;
        let contract = Contract::parse_section(line).expect("a contract").remove(0);
        for policy in [
            ProcessPolicy::new().inputs(["domain.a.x"]),
            ProcessPolicy::new().topics(["orders", "stock.*"]),
            ProcessPolicy::new().topics([""; 0]).outputs([""; 0]),
        ] {
            let given = policy.narrow(&contract).expect("it fits");
            let document = policy_text(&contract, Some(&given), None);
            let read = narrowed(document.as_bytes(), &contract);
            assert_eq!(read, Ok(Some(given)), "{document}");
        }
        let document = policy_text(&contract, None, None);
        assert!(!document.contains("topics"), "{document}");
        assert_eq!(narrowed(document.as_bytes(), &contract), Ok(None));
    }
}
