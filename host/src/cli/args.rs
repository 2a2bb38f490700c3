//! Arguments on the command line: `NAME=VALUE` by the parameter's kind, `NAME:=JSON`, and a whole map from a file.

use super::failure::Failure;
use super::nearest::did_you_mean;
use super::text::list;
use theus_core::code::Code;
use theus_core::contract::{Contract, Kind, Parameter};
use theus_core::json::bytes_from_base64;
use theus_core::path::cut;
use theus_core::value::{Map, Value};

/// The words behind TARGET: a process, perhaps, and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words<'a> {
    pub(super) process: Option<&'a str>,
    pub(super) arguments: Vec<Argument<'a>>,
}

/// One argument, as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Argument<'a> {
    name: &'a str,
    text: &'a str,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `NAME=VALUE`
    Plain,
    /// `NAME:=JSON`
    Json,
}

impl<'a> Words<'a> {
    /// Tells the process from the arguments: a first word that holds `=` is an argument.
    pub(super) fn split(words: &'a [String]) -> Result<Self, Failure> {
        let (process, rest) = match words.split_first() {
            Some((first, rest)) if !first.contains('=') => (Some(first.as_str()), rest),
            _ => (None, words),
        };
        let arguments: Result<Vec<_>, _> = rest.iter().map(|word| Argument::parse(word)).collect();
        Ok(Self {
            process,
            arguments: arguments?,
        })
    }
}

impl<'a> Argument<'a> {
    fn parse(word: &'a str) -> Result<Self, Failure> {
        let wrong = |problem: &str| {
            Failure::new(Code::Arguments, format!("`{}` {problem}", cut(word)))
                .help("write NAME=VALUE, or NAME:=JSON, behind the process")
        };
        let (name, text) = word
            .split_once('=')
            .ok_or_else(|| wrong("is no argument: it has no `=`"))?;
        let (name, form) = match name.strip_suffix(':') {
            Some(name) => (name, Form::Json),
            None => (name, Form::Plain),
        };
        if name.is_empty() {
            return Err(wrong("names no parameter"));
        }
        Ok(Self { name, text, form })
    }
}

/// Makes the map of arguments for a process from the words and from the map of `--args`.
pub(super) fn collect(
    contract: &Contract,
    arguments: &[Argument<'_>],
    from_file: Option<Map>,
) -> Result<Map, Failure> {
    let mut map = from_file.unwrap_or_default();
    for argument in arguments {
        let parameter = contract
            .parameter(argument.name)
            .ok_or_else(|| unknown(contract, argument.name))?;
        if map.get(argument.name).is_some() {
            return Err(of(
                contract,
                format!("the argument `{}` is given twice", argument.name),
            )
            .help("give it once, on the command line or in the file of --args"));
        }
        let value = value(parameter, argument).map_err(|failure| failure.about(&contract.name))?;
        map.insert(argument.name, value);
    }
    Ok(map)
}

/// Reads the map of `--args`.
pub(super) fn parse_map(json: &str, origin: &str) -> Result<Map, Failure> {
    let wrong = |line, column, problem: &dyn std::fmt::Display| {
        Failure::new(
            Code::Arguments,
            format!("{origin}:{line}:{column}: {problem}"),
        )
        .help("give one JSON map from parameter names to values")
    };
    match serde_json::from_str(json) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(other) => Err(wrong(
            1,
            1,
            &format_args!("expected a map, found a {}", other.kind()),
        )),
        Err(error) => Err(wrong(error.line(), error.column(), &json_problem(&error))),
    }
}

/// What is wrong about a JSON text, without the place that serde_json puts behind it.
pub(super) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// How a process is called, for messages.
pub(super) fn usage(contract: &Contract) -> String {
    let mut words = vec![contract.name.clone()];
    words.extend(contract.parameters.iter().map(|parameter| {
        let word = format!(
            "{}={}",
            parameter.name,
            parameter.kind.name().to_uppercase()
        );
        if parameter.optional {
            format!("[{word}]")
        } else {
            word
        }
    }));
    words.join(" ")
}

fn value(parameter: &Parameter, argument: &Argument<'_>) -> Result<Value, Failure> {
    let Argument { name, text, form } = argument;
    let parsed = match form {
        Form::Json => json(text),
        Form::Plain => plain(parameter.kind, text),
    };
    parsed.map_err(|(expected, help)| {
        // A secret is not repeated, not even where it is wrong.
        let found = if parameter.secret {
            String::new()
        } else {
            format!(", found `{}`", cut(text))
        };
        let message = format!(
            "the argument `{name}` is of kind {}: expected {expected}{found}",
            parameter.kind
        );
        Failure::new(Code::Arguments, message).help(help.replace("NAME", name))
    })
}

/// What was expected, and how to write it.
pub(super) type Unfit = (String, &'static str);

/// Reads a text as a value of a kind.
pub(super) fn plain(kind: Kind, text: &str) -> Result<Value, Unfit> {
    let unfit = |expected: &str, help| (expected.to_owned(), help);
    match kind {
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(unfit("true or false", "write NAME=true or NAME=false")),
        },
        Kind::Int => text
            .parse()
            .map(Value::Int)
            .or_else(|_| text.parse().map(Value::unsigned))
            .map_err(|_| {
                unfit(
                    "a whole number of at most 64 bits",
                    "write digits only, for example NAME=500",
                )
            }),
        Kind::Float => text
            .parse()
            .map(Value::float)
            .map_err(|_| unfit("a number", "write a number, for example NAME=2.5")),
        Kind::String => Ok(Value::from(text)),
        Kind::Bytes => bytes_from_base64(text).map_err(|error| {
            (
                format!("base64 ({error})"),
                "encode the bytes: NAME=$(base64 -w0 FILE)",
            )
        }),
        Kind::List | Kind::Map | Kind::Any => json(text),
    }
}

fn json(text: &str) -> Result<Value, Unfit> {
    serde_json::from_str(text).map_err(|error| {
        let expected = format!(
            "JSON ({} at column {})",
            json_problem(&error),
            error.column()
        );
        (
            expected,
            "quote it for the shell, for example NAME:='{\"key\": [1, \"two\"]}'",
        )
    })
}

fn unknown(contract: &Contract, name: &str) -> Failure {
    let names: Vec<_> = contract
        .parameters
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let problem = format!(
        "there is no parameter `{}`; it takes: {}",
        cut(name),
        list(&names, "none")
    );
    of(contract, problem)
        .help(format!("call it as: {}", usage(contract)))
        .help_if(did_you_mean(name, names))
}

fn of(contract: &Contract, problem: String) -> Failure {
    Failure::new(Code::Arguments, problem)
        .about(&contract.name)
        .process(&contract.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> Contract {
        let kinds = [
            "bool", "int", "float", "string", "bytes", "list", "map", "any",
        ];
        let parameters: Vec<_> = kinds
            .iter()
            .map(|kind| format!(r#"{{"name":"a_{kind}","kind":"{kind}"}}"#))
            .collect();
        let line = format!(
            r#"{{"name":"p","parameters":[{},{{"name":"name","kind":"string","optional":true}},{{"name":"token","kind":"int","secret":true}}]}}"#,
            parameters.join(",")
        );
        Contract::parse_section(line.as_bytes())
            .expect("contract")
            .remove(0)
    }

    fn one(word: &str) -> Result<Value, Failure> {
        let words = [word.to_owned()];
        let words = Words::split(&words)?;
        let map = collect(&contract(), &words.arguments, None)?;
        let value = map.iter().next().expect("an argument").1.clone();
        Ok(value)
    }

    #[test]
    fn the_first_word_without_an_equals_sign_is_the_process() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let all = words("add_product a=1 b:=2");
        let split = Words::split(&all).expect("words");
        assert_eq!(split.process, Some("add_product"));
        assert_eq!(split.arguments.len(), 2);
        let all = words("a=x=y b:=2");
        let split = Words::split(&all).expect("words");
        assert_eq!(split.process, None);
        assert_eq!(
            (split.arguments[0].text, split.arguments[1].form),
            ("x=y", Form::Json)
        );
        for bad in ["p =1", "p :=1", "p q", "p a=1 q"] {
            assert_eq!(
                Words::split(&words(bad)).expect_err(bad).report.code,
                "THEUS-U006"
            );
        }
    }

    #[test]
    fn values_are_read_by_the_parameter_s_kind() {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect(text);
        for (word, expected) in [
            ("a_bool=true", json("true")),
            ("a_int=-5", json("-5")),
            ("a_int=18446744073709551615", json("18446744073709551615")),
            ("a_float=2", json("2.0")),
            ("a_float=-inf", json(r#"{"$float":"-inf"}"#)),
            ("a_string=500", json(r#""500""#)),
            ("a_string=", json(r#""""#)),
            ("a_string=a:=b", json(r#""a:=b""#)),
            ("a_string:=\"x\"", json(r#""x""#)),
            ("a_bytes=AQI=", json(r#"{"$bytes":"AQI="}"#)),
            ("a_list=[1,2]", json("[1,2]")),
            ("a_map={\"a\":1}", json(r#"{"a":1}"#)),
            ("a_any=null", json("null")),
            ("name=anything", json(r#""anything""#)),
        ] {
            assert_eq!(one(word).expect(word), expected, "{word}");
        }
    }

    #[test]
    fn what_does_not_fit_says_what_was_expected() {
        for (word, message, help) in [
            (
                "a_bool=yes",
                "p: the argument `a_bool` is of kind bool: expected true or false, found `yes`",
                "write a_bool=true",
            ),
            (
                "a_int=1.5",
                "expected a whole number of at most 64 bits, found `1.5`",
                "a_int=500",
            ),
            ("a_int=18446744073709551616", "expected a whole number", ""),
            ("a_float=x", "expected a number, found `x`", ""),
            ("a_bytes=!", "expected base64", "base64"),
            (
                "a_any=text",
                "expected JSON (expected ident at column 2), found `text`",
                "a_any:='{",
            ),
            ("a_int:={", "expected JSON", ""),
            (
                "a_itn=1",
                "p: there is no parameter `a_itn`; it takes: a_bool, a_int",
                "did you mean `a_int`?",
            ),
            (
                "other=1",
                "there is no parameter `other`",
                "call it as: p a_bool=BOOL",
            ),
        ] {
            let failure = one(word).expect_err(word);
            assert!(
                failure.report.message.contains(message),
                "{word}: {}",
                failure.report.message
            );
            let text = failure.report.help.expect("help");
            assert!(text.contains(help), "{word}: {text}");
        }
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let failure = one("token=hunter2").expect_err("no int");
        assert!(!failure.report.message.contains("hunter2"));
        assert!(failure.report.message.contains("expected a whole number"));
    }

    #[test]
    fn an_argument_is_given_once() {
        let words = ["a_int=1".to_owned()];
        let words = Words::split(&words).expect("words");
        let file = parse_map(r#"{"a_int":2,"name":"x"}"#, "args.json").expect("a map");
        let failure = collect(&contract(), &words.arguments, Some(file)).expect_err("twice");
        assert_eq!(
            failure.report.message,
            "p: the argument `a_int` is given twice"
        );
    }

    #[test]
    fn a_map_of_arguments_says_where_it_is_wrong() {
        let message = |json| parse_map(json, "args.json").expect_err(json).report.message;
        assert_eq!(
            message("[1]"),
            "args.json:1:1: expected a map, found a list"
        );
        assert!(
            message("{\n  \"a\": }").starts_with("args.json:2:8: expected value"),
            "{}",
            message("{\n  \"a\": }")
        );
        assert!(message(r#"{"a":1,"a":2}"#).contains("`a` comes twice"));
    }
}
