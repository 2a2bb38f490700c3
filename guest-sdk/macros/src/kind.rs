//! The kind of a parameter, read from its type as it is written.

use syn::{Error, GenericArgument, PathArguments, PathSegment, Result, Type};

/// The kinds of arguments that a contract knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    String,
    Bytes,
    List,
    Map,
    Any,
}

impl Kind {
    /// The word in the contract.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Any => "any",
        }
    }

    /// The name of the variant of `theus_guest::Kind`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Int => "Int",
            Self::Float => "Float",
            Self::String => "String",
            Self::Bytes => "Bytes",
            Self::List => "List",
            Self::Map => "Map",
            Self::Any => "Any",
        }
    }

    pub(crate) fn of(ty: &Type) -> Result<Self> {
        match ty {
            Type::Paren(inner) => Self::of(&inner.elem),
            Type::Group(inner) => Self::of(&inner.elem),
            Type::Array(_) | Type::Tuple(_) => Ok(Self::List),
            Type::Path(path) => path
                .path
                .segments
                .last()
                .map_or(Ok(Self::Any), Self::of_name),
            Type::Reference(_) => Err(Error::new_spanned(
                ty,
                "arguments are owned: write `String`, `Vec<..>` or `theus_guest::Bytes` instead of a reference",
            )),
            _ => Err(Error::new_spanned(
                ty,
                "a parameter needs a plain type: write `String`, `i64`, `f64`, `bool`, `Vec<..>`, \
                 `theus_guest::Bytes`, `theus_guest::Value` or a type that implements `Deserialize`",
            )),
        }
    }

    fn of_name(name: &PathSegment) -> Result<Self> {
        Ok(match name.ident.to_string().as_str() {
            "bool" => Self::Bool,
            "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => {
                Self::Int
            }
            "i128" | "u128" => {
                return Err(Error::new_spanned(
                    name,
                    "integers have 64 bits: write `i64` or `u64`",
                ));
            }
            "f32" | "f64" => Self::Float,
            "String" | "char" => Self::String,
            "Bytes" => Self::Bytes,
            "Vec" if is_u8(name) => {
                return Err(Error::new_spanned(
                    name,
                    "write `theus_guest::Bytes` for bytes, or `Vec<i64>` for a list of integers",
                ));
            }
            "Vec" | "VecDeque" | "BTreeSet" | "HashSet" => Self::List,
            "BTreeMap" | "HashMap" => Self::Map,
            _ => Self::Any,
        })
    }
}

/// The `T` of an `Option<T>`.
pub(crate) fn option_of(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return None;
    }
    only_type_argument(last)
}

fn is_u8(name: &PathSegment) -> bool {
    matches!(only_type_argument(name), Some(Type::Path(path)) if path.path.is_ident("u8"))
}

fn only_type_argument(name: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &name.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(ty: &str) -> std::result::Result<&'static str, String> {
        let ty: Type = syn::parse_str(ty).expect("a type");
        Kind::of(&ty)
            .map(Kind::word)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn kinds_follow_the_written_type() {
        for (ty, kind) in [
            ("bool", "bool"),
            ("i64", "int"),
            ("u8", "int"),
            ("usize", "int"),
            ("f64", "float"),
            ("String", "string"),
            ("std::string::String", "string"),
            ("(String)", "string"),
            ("Bytes", "bytes"),
            ("theus_guest::Bytes", "bytes"),
            ("Vec<i64>", "list"),
            ("(i64, String)", "list"),
            ("[f64; 3]", "list"),
            ("BTreeMap<String, i64>", "map"),
            ("Value", "any"),
            ("Product", "any"),
        ] {
            assert_eq!(word(ty), Ok(kind), "{ty}");
        }
    }

    #[test]
    fn types_that_cannot_be_arguments_say_what_to_write() {
        for (ty, hint) in [
            ("&str", "String"),
            ("&[u8]", "theus_guest::Bytes"),
            ("Vec<u8>", "theus_guest::Bytes"),
            ("i128", "i64"),
            ("impl Into<String>", "String"),
            ("fn()", "Deserialize"),
        ] {
            let message = word(ty).expect_err(ty);
            assert!(message.contains(hint), "{ty}: {message}");
        }
    }

    #[test]
    fn option_is_seen_through_its_path() {
        let ty: Type = syn::parse_str("std::option::Option<i64>").expect("a type");
        assert!(option_of(&ty).is_some());
        let ty: Type = syn::parse_str("i64").expect("a type");
        assert!(option_of(&ty).is_none());
    }
}
