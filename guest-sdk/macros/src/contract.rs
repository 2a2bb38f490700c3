//! The contract as one line of JSON, the form in which the host reads it.

use std::fmt::Write as _;

use syn::LitStr;

use crate::attribute::Lists;
use crate::signature::Parameter;

/// One JSON object and a line end.
pub(crate) fn line(name: &str, summary: &str, parameters: &[Parameter], lists: &Lists) -> String {
    let parameters: Vec<String> = parameters.iter().map(parameter).collect();
    format!(
        "{{\"name\":{},\"summary\":{},\"parameters\":[{}],\"inputs\":{},\"outputs\":{},\"side_effects\":{},\"errors\":{}}}\n",
        string(name),
        string(summary),
        parameters.join(","),
        strings(&lists.inputs),
        strings(&lists.outputs),
        strings(&lists.side_effects),
        strings(&lists.errors),
    )
}

fn parameter(parameter: &Parameter) -> String {
    format!(
        "{{\"name\":{},\"kind\":\"{}\",\"optional\":{},\"secret\":{}}}",
        string(&parameter.name),
        parameter.kind.word(),
        parameter.optional,
        parameter.secret,
    )
}

fn strings(values: &[LitStr]) -> String {
    let values: Vec<String> = values.iter().map(|value| string(&value.value())).collect();
    format!("[{}]", values.join(","))
}

fn string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            letter if letter < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(letter));
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_and_stay_on_one_line() {
        assert_eq!(string("a \"b\" \\ \n é"), "\"a \\\"b\\\" \\\\ \\u000a é\"");
    }
}
