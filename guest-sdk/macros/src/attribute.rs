//! What stands in the parentheses of `#[process(…)]`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Result, Token, bracketed};

use crate::name::{self, is_name};
use crate::pattern;
use crate::signature::Parameter;

const KEYS: &str = "`inputs`, `outputs`, `side_effects` and `errors`";

/// Error codes that the SDK keeps for itself.
const RESERVED_ERRORS: [&str; 1] = ["Decode"];

/// The four lists of a contract, as written.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) inputs: Vec<LitStr>,
    pub(crate) outputs: Vec<LitStr>,
    pub(crate) side_effects: Vec<LitStr>,
    pub(crate) errors: Vec<LitStr>,
}

impl Lists {
    pub(crate) fn parse(attribute: TokenStream) -> Result<Self> {
        let entries = Punctuated::<Entry, Token![,]>::parse_terminated.parse2(attribute)?;
        let mut lists = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for entry in entries {
            let key = entry.key.to_string();
            if seen.contains(&key) {
                return Err(Error::new(
                    entry.key.span(),
                    format!("`{key}` is given twice: put everything into one list"),
                ));
            }
            let list = match key.as_str() {
                "inputs" => &mut lists.inputs,
                "outputs" => &mut lists.outputs,
                "side_effects" => &mut lists.side_effects,
                "errors" => &mut lists.errors,
                _ => {
                    return Err(Error::new(
                        entry.key.span(),
                        format!("unknown key `{key}`: a process has {KEYS}"),
                    ));
                }
            };
            *list = entry.values;
            seen.push(key);
        }
        Ok(lists)
    }

    /// Refuses what the host would refuse, while the author still looks at the line.
    pub(crate) fn check(&self, parameters: &[Parameter]) -> Result<()> {
        let mut errors = Vec::new();
        for (list, values) in [
            ("inputs", &self.inputs),
            ("outputs", &self.outputs),
            ("side_effects", &self.side_effects),
            ("errors", &self.errors),
        ] {
            errors.extend(duplicates(list, values));
        }
        for path in self.inputs.iter().chain(&self.outputs) {
            if let Err(why) = pattern::check(&path.value(), parameters) {
                errors.push(Error::new(
                    path.span(),
                    format!("`{}` is not a contract path: {why}", path.value()),
                ));
            }
        }
        errors.extend(self.side_effects.iter().filter_map(side_effect_error));
        errors.extend(self.errors.iter().filter_map(error_name_error));
        match errors.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        }) {
            Some(all) => Err(all),
            None => Ok(()),
        }
    }
}

struct Entry {
    key: Ident,
    values: Vec<LitStr>,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key: Ident = input.parse().map_err(|error| {
            Error::new(
                error.span(),
                format!("expected one of {KEYS}, as in `inputs = [\"domain.items\"]`"),
            )
        })?;
        let shape = |error: Error| {
            Error::new(
                error.span(),
                format!("write `{key} = [..]`, a list of string literals"),
            )
        };
        input.parse::<Token![=]>().map_err(shape)?;
        let list = (|| {
            let content;
            bracketed!(content in input);
            Punctuated::<LitStr, Token![,]>::parse_terminated(&content)
        })()
        .map_err(shape)?;
        let values = list.into_iter().collect();
        Ok(Self { key, values })
    }
}

fn duplicates(list: &str, values: &[LitStr]) -> Vec<Error> {
    values
        .iter()
        .enumerate()
        .filter(|(index, value)| {
            values[..*index]
                .iter()
                .any(|other| other.value() == value.value())
        })
        .map(|(_, value)| {
            Error::new(
                value.span(),
                format!(
                    "`{}` stands twice in `{list}`: once is enough",
                    value.value()
                ),
            )
        })
        .collect()
}

fn side_effect_error(effect: &LitStr) -> Option<Error> {
    let text = effect.value();
    let known = match text.split_once(':') {
        Some(("fs" | "fs-rw", name)) => is_name(name),
        Some(_) => false,
        None => matches!(text.as_str(), "clock" | "random"),
    };
    (!known).then(|| {
        Error::new(
            effect.span(),
            format!("unknown side effect `{text}`: there are `fs:NAME`, `fs-rw:NAME`, `clock` and `random`"),
        )
    })
}

fn error_name_error(name: &LitStr) -> Option<Error> {
    let text = name.value();
    let why = if RESERVED_ERRORS.contains(&text.as_str()) {
        format!("`{text}` is kept for values that do not decode: choose another name")
    } else if !is_name(&text) {
        format!(
            "`{text}` is not an error name: write one word, as in \"ValueError\" ({})",
            name::RULE
        )
    } else {
        return None;
    };
    Some(Error::new(name.span(), why))
}
