//! From the annotated function to the function, its contract, and its entry in the guest's list of processes.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemFn, Result, ReturnType};

use crate::attribute::Lists;
use crate::contract;
use crate::signature::{self, Parameter};

/// Expands `#[process(attribute)] item`. An error stands beside the untouched function, so that it is the only one.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = syn::Error::new(
                error.span(),
                "`#[process]` stands over a plain function: `fn name(ctx: &Context, …) -> Result<…, Failure>`",
            )
            .into_compile_error();
            return quote! { #error #item };
        }
    };
    match process(attribute, &mut function) {
        // Arguments are owned and the result is a `Result`, whether this body needs that or not.
        Ok(process) => quote! {
            #[allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]
            #function
            #process
        },
        Err(error) => {
            let error = error.into_compile_error();
            quote! { #error #function }
        }
    }
}

fn process(attribute: TokenStream, function: &mut ItemFn) -> Result<TokenStream> {
    let parameters = signature::take_parameters(function)?;
    let lists = Lists::parse(attribute)?;
    lists.check(&parameters)?;

    let ident = &function.sig.ident;
    let written = ident.to_string();
    let name = written.strip_prefix("r#").unwrap_or(&written);
    let summary = signature::summary(&function.attrs);
    let line = contract::line(name, &summary, &parameters, &lists);
    let section = Literal::byte_string(line.as_bytes());
    let length = line.len();
    let visibility = &function.vis;
    let conditions = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect::<Vec<_>>();
    let count = parameters.len();
    let described = parameters.iter().map(describe);
    let decoded = parameters.iter().enumerate().map(decode);
    // Placed at the return type, where the compiler then complains about it.
    let place = match &function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => ident.span(),
    };
    let mut call = ident.clone();
    call.set_span(ident.span().located_at(place));
    let outcome = quote_spanned! { place => __theus::outcome(#call(context #(, #decoded)*)) };
    let doc = format!("The process [`{name}`](fn@{written}) as a type, for its contract.");

    Ok(quote! {
        #(#conditions)*
        #[doc = #doc]
        #[allow(non_camel_case_types)]
        #visibility enum #ident {}

        #(#conditions)*
        const _: () = {
            use ::theus_guest::__private as __theus;

            const PARAMETERS: [__theus::Parameter; #count] = [#(#described),*];

            impl __theus::Process for #ident {
                const NAME: &'static str = #name;
                const CONTRACT: &'static str = #line;

                fn run(context: &::theus_guest::Context, arguments: &[u8]) -> __theus::Outcome {
                    #[allow(unused_mut, unused_variables)]
                    let mut arguments = __theus::Arguments::read(&PARAMETERS, arguments);
                    #outcome
                }
            }

            #[cfg(target_family = "wasm")]
            #[allow(unsafe_code)]
            // The host reads this section; the linker puts one line after the other.
            #[unsafe(link_section = "theus:contract")]
            #[used]
            static CONTRACT: [u8; #length] = *#section;

            static REGISTRATION: __theus::Registration = __theus::Registration::of::<#ident>();

            extern "C" fn register() {
                REGISTRATION.register();
            }

            // Constructors run at the start of a call, before the SDK looks for the process.
            #[allow(unsafe_code)]
            #[cfg_attr(target_family = "wasm", unsafe(link_section = ".init_array"))]
            #[used]
            static REGISTER: extern "C" fn() = register;
        };
    })
}

fn describe(parameter: &Parameter) -> TokenStream {
    let name = &parameter.name;
    let kind = format_ident!("{}", parameter.kind.variant());
    let secrecy = format_ident!("{}", if parameter.secret { "Secret" } else { "Open" });
    quote! {
        __theus::Parameter { name: #name, kind: __theus::Kind::#kind, secrecy: __theus::Secrecy::#secrecy }
    }
}

fn decode((index, parameter): (usize, &Parameter)) -> TokenStream {
    if parameter.optional {
        quote! { arguments.optional(#index)? }
    } else {
        quote! { arguments.required(#index)? }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "
        /// Pays.
        fn pay(ctx: &Context, user: String, #[secret] token: String, note: Option<i64>) -> Result<(), Failure> { go() }
    ";

    fn expanded(attribute: &str, item: &str) -> String {
        expand(
            attribute.parse().expect("tokens"),
            &item.parse().expect("tokens"),
        )
        .to_string()
    }

    #[test]
    fn the_contract_is_one_json_line() {
        let mut function: ItemFn = syn::parse_str(FUNCTION).expect("a function");
        let parameters = signature::take_parameters(&mut function).expect("parameters");
        let lists = Lists::parse(
            "inputs = [\"domain.a\"], outputs = [\"domain.accounts.{user}\"], errors = [\"Broke\"],"
                .parse()
                .expect("tokens"),
        )
        .expect("lists");
        lists.check(&parameters).expect("sound lists");
        assert_eq!(
            contract::line(
                "pay",
                &signature::summary(&function.attrs),
                &parameters,
                &lists
            ),
            concat!(
                r#"{"name":"pay","summary":"Pays.","parameters":["#,
                r#"{"name":"user","kind":"string","optional":false,"secret":false},"#,
                r#"{"name":"token","kind":"string","optional":false,"secret":true},"#,
                r#"{"name":"note","kind":"int","optional":true,"secret":false}],"#,
                r#""inputs":["domain.a"],"outputs":["domain.accounts.{user}"],"side_effects":[],"errors":["Broke"]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_good_process_expands_without_an_error() {
        let text = expanded("", FUNCTION);
        assert!(!text.contains("compile_error"), "{text}");
        assert!(text.contains("enum pay"), "{text}");
    }

    #[test]
    fn misuse_of_the_attribute_says_what_to_write() {
        for (attribute, hint) in [
            (
                "reads = [\"domain.a\"]",
                "unknown key `reads`: a process has `inputs`",
            ),
            ("\"domain.a\"", "expected one of `inputs`"),
            ("inputs = \"domain.a\"", "write `inputs = [..]`"),
            ("inputs = [domain.a]", "write `inputs = [..]`"),
            ("inputs", "write `inputs = [..]`"),
            ("errors = [\"A\"], errors = [\"B\"]", "given twice"),
            ("errors = [\"A\", \"A\"]", "stands twice in `errors`"),
            (
                "inputs = [\"domain.a\", \"domain.a\"]",
                "stands twice in `inputs`",
            ),
            ("errors = [\"\"]", "one word"),
            ("errors = [\"Value Error\"]", "one word"),
            ("errors = [\"Decode\"]", "choose another name"),
            ("side_effects = [\"network\"]", "unknown side effect"),
            ("side_effects = [\"fs:\"]", "unknown side effect"),
            ("outputs = [\"items\"]", "must begin with"),
            ("outputs = [\"domain.{other}\"]", "names no parameter"),
            ("outputs = [\"domain.{token}\"]", "secret"),
        ] {
            let text = expanded(attribute, FUNCTION);
            let hint = hint.replace('"', "\\\"");
            assert!(text.contains("compile_error"), "{attribute}: {text}");
            assert!(text.contains(&hint), "{attribute}: {text}");
            assert!(text.contains("fn pay"), "the function stays: {text}");
        }
    }

    #[test]
    fn every_error_of_the_lists_is_reported() {
        let text = expanded("inputs = [\"x\", \"y\"], errors = [\"\"]", FUNCTION);
        assert_eq!(text.matches("compile_error").count(), 3, "{text}");
    }

    #[test]
    fn only_functions_are_processes() {
        let text = expanded("", "struct S;");
        assert!(text.contains("stands over a plain function"), "{text}");
    }
}
