//! The function under the attribute: what makes a process, and which parameters it has.

use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, Ident, ItemFn, Meta, Pat, PatType, Result, ReturnType, Safety,
    Signature, Type,
};

use crate::kind::{self, Kind};
use crate::name::{self, is_name};

/// Names that the rules of a recipe use for other things.
const RESERVED_NAMES: [&str; 5] = ["args", "domain", "global", "result", "old"];

/// One parameter of the contract.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    pub(crate) secret: bool,
}

/// Takes the parameters out of a function, its `#[secret]` marks included, or says what to write instead.
pub(crate) fn take_parameters(function: &mut ItemFn) -> Result<Vec<Parameter>> {
    let marks = take_marks(function);
    check_shape(&function.sig)?;
    check_context(&function.sig)?;
    check_name("process", &function.sig.ident)?;
    let mut parameters: Vec<Parameter> = Vec::new();
    for (argument, marks) in function.sig.inputs.iter().zip(&marks).skip(1) {
        parameters.push(parameter(argument, marks)?);
    }
    if let ReturnType::Default = function.sig.output {
        return Err(Error::new(
            function.sig.paren_token.span.close(),
            "a process returns a result: write `-> Result<(), Failure>`",
        ));
    }
    Ok(parameters)
}

/// The first line of the doc comment.
pub(crate) fn summary(attributes: &[Attribute]) -> String {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => match &pair.value {
                syn::Expr::Lit(literal) => match &literal.lit {
                    syn::Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
        .flat_map(|text| {
            text.lines()
                .map(|line| line.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}

/// Removes the attributes of all parameters: the compiler knows no `#[secret]`.
fn take_marks(function: &mut ItemFn) -> Vec<Vec<Attribute>> {
    function
        .sig
        .inputs
        .iter_mut()
        .map(|argument| match argument {
            FnArg::Receiver(receiver) => std::mem::take(&mut receiver.attrs),
            FnArg::Typed(typed) => std::mem::take(&mut typed.attrs),
        })
        .collect()
}

fn check_shape(signature: &Signature) -> Result<()> {
    let refuse = |span: proc_macro2::Span, why: &str| Err(Error::new(span, why));
    if let Some(asyncness) = &signature.asyncness {
        return refuse(
            asyncness.span(),
            "a process is not async: a call runs from start to end, write `fn`",
        );
    }
    if let Some(constness) = &signature.constness {
        return refuse(constness.span(), "a process is not const: write `fn`");
    }
    if !matches!(signature.safety, Safety::Default) {
        return refuse(
            signature.fn_token.span(),
            "a process is neither `unsafe` nor `safe`: write `fn`",
        );
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi.span(), "a process has no ABI of its own: write `fn`");
    }
    if let Some(where_clause) = &signature.generics.where_clause {
        return refuse(
            where_clause.span(),
            "a process is not generic: give every parameter a plain type",
        );
    }
    if let Some(parameter) = signature.generics.params.first() {
        return refuse(
            parameter.span(),
            "a process is not generic: give every parameter a plain type",
        );
    }
    if let Some(variadic) = &signature.variadic {
        return refuse(
            variadic.span(),
            "a process has a fixed number of parameters",
        );
    }
    Ok(())
}

fn check_context(signature: &Signature) -> Result<()> {
    const REMEDY: &str = "the first parameter of a process is its context: write `ctx: &Context`";
    match signature.inputs.first() {
        None => Err(Error::new(signature.paren_token.span.join(), REMEDY)),
        Some(FnArg::Receiver(receiver)) => Err(Error::new_spanned(
            receiver,
            "a process is a plain function, not a method: write `ctx: &Context` in place of `self`",
        )),
        Some(FnArg::Typed(typed)) if is_context(&typed.ty) => Ok(()),
        Some(typed) => Err(Error::new_spanned(typed, REMEDY)),
    }
}

fn is_context(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else {
        return false;
    };
    let Type::Path(path) = &*reference.elem else {
        return false;
    };
    reference.mutability.is_none()
        && path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Context")
}

fn parameter(argument: &FnArg, marks: &[Attribute]) -> Result<Parameter> {
    let FnArg::Typed(typed) = argument else {
        return Err(Error::new_spanned(argument, "`self` can only come first"));
    };
    let name = parameter_name(typed)?;
    let inner = kind::option_of(&typed.ty);
    Ok(Parameter {
        name,
        kind: Kind::of(inner.unwrap_or(&typed.ty))?,
        optional: inner.is_some(),
        secret: is_secret(marks)?,
    })
}

fn parameter_name(typed: &PatType) -> Result<String> {
    let ident = match &*typed.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            &pattern.ident
        }
        pattern => {
            return Err(Error::new_spanned(
                pattern,
                "a parameter needs a name, callers give arguments by it: write `name: Type`",
            ));
        }
    };
    let name = check_name("parameter", ident)?;
    if RESERVED_NAMES.contains(&name.as_str()) {
        return Err(Error::new(
            ident.span(),
            format!(
                "a parameter cannot be called `{name}`, audit rules use that word: choose another name, \
                 for example `{name}_value`"
            ),
        ));
    }
    Ok(name)
}

/// The name that an identifier gives in the contract.
fn check_name(what: &str, ident: &Ident) -> Result<String> {
    let written = ident.to_string();
    let name = written.strip_prefix("r#").unwrap_or(&written);
    if !is_name(name) {
        return Err(Error::new(
            ident.span(),
            format!("`{name}` cannot name a {what}: write {}", name::RULE),
        ));
    }
    Ok(name.to_owned())
}

fn is_secret(marks: &[Attribute]) -> Result<bool> {
    for mark in marks {
        if !matches!(&mark.meta, Meta::Path(path) if path.is_ident("secret")) {
            return Err(Error::new_spanned(
                mark,
                "the only attribute of a parameter is `#[secret]`",
            ));
        }
    }
    Ok(!marks.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(function: &str) -> ItemFn {
        syn::parse_str(function).expect("a function")
    }

    #[test]
    fn parameters_have_name_kind_and_marks() {
        let mut function = parse(
            "fn pay(ctx: &Context, name: String, mut amount: i64, #[secret] token: String, note: Option<f64>, \
             r#type: bool) -> Result<(), Failure> { todo() }",
        );
        let parameters = take_parameters(&mut function).expect("parameters");
        let seen: Vec<_> = parameters
            .iter()
            .map(|p| (p.name.as_str(), p.kind.word(), p.optional, p.secret))
            .collect();
        assert_eq!(
            seen,
            [
                ("name", "string", false, false),
                ("amount", "int", false, false),
                ("token", "string", false, true),
                ("note", "float", true, false),
                ("type", "bool", false, false),
            ]
        );
        let FnArg::Typed(token) = &function.sig.inputs[3] else {
            panic!("a typed parameter");
        };
        assert!(
            token.attrs.is_empty(),
            "the compiler must not see #[secret]"
        );
    }

    #[test]
    fn functions_that_are_no_process_say_what_to_write() {
        for (function, hint) in [
            ("fn f() -> R {}", "write `ctx: &Context`"),
            ("fn f(price: i64) -> R {}", "write `ctx: &Context`"),
            ("fn f(ctx: Context) -> R {}", "write `ctx: &Context`"),
            ("fn f(ctx: &mut Context) -> R {}", "write `ctx: &Context`"),
            ("fn f(&self) -> R {}", "in place of `self`"),
            ("async fn f(ctx: &Context) -> R {}", "not async"),
            ("const fn f(ctx: &Context) -> R {}", "not const"),
            ("unsafe fn f(ctx: &Context) -> R {}", "unsafe"),
            ("extern \"C\" fn f(ctx: &Context) -> R {}", "no ABI"),
            ("fn f<T>(ctx: &Context, x: T) -> R {}", "not generic"),
            ("fn f<'a>(ctx: &'a Context) -> R {}", "not generic"),
            (
                "fn f(ctx: &Context, x: i64) -> R where i64: Copy {}",
                "not generic",
            ),
            (
                "fn f(ctx: &Context, (a, b): (i64, i64)) -> R {}",
                "needs a name",
            ),
            ("fn f(ctx: &Context, _: i64) -> R {}", "needs a name"),
            ("fn größe(ctx: &Context) -> R {}", "cannot name a process"),
            (
                "fn f(ctx: &Context, größe: i64) -> R {}",
                "cannot name a parameter",
            ),
            (
                "fn f(ctx: &Context, args: i64) -> R {}",
                "cannot be called `args`",
            ),
            (
                "fn f(ctx: &Context, domain: i64) -> R {}",
                "cannot be called `domain`",
            ),
            (
                "fn f(ctx: &Context, global: i64) -> R {}",
                "cannot be called `global`",
            ),
            (
                "fn f(ctx: &Context, result: i64) -> R {}",
                "cannot be called `result`",
            ),
            (
                "fn f(ctx: &Context, old: i64) -> R {}",
                "cannot be called `old`",
            ),
            (
                "fn f(ctx: &Context, #[hidden] x: i64) -> R {}",
                "`#[secret]`",
            ),
            ("fn f(ctx: &Context, x: &str) -> R {}", "String"),
            ("fn f(ctx: &Context) {}", "write `-> Result<(), Failure>`"),
        ] {
            let message = take_parameters(&mut parse(function))
                .expect_err(function)
                .to_string();
            assert!(message.contains(hint), "{function}: {message}");
        }
    }

    #[test]
    fn summary_is_the_first_line_of_the_doc_comment() {
        let function = parse(
            "#[inline] #[doc = \" \"] #[doc = \" Adds a product.\"] #[doc = \" More.\"] fn f() {}",
        );
        assert_eq!(summary(&function.attrs), "Adds a product.");
        let function = parse("/** First. \n Second. */ fn f() {}");
        assert_eq!(summary(&function.attrs), "First.");
        assert_eq!(summary(&parse("fn f() {}").attrs), "");
    }
}
