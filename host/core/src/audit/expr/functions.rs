//! The functions that expressions may call.

use super::ast::Function;
use super::evaluate::{Work, operand};
use super::fault::Fault;
use super::operators::whole;
use super::value::Val;

/// Calls a function; the value that it is called on comes first.
pub(super) fn call<'a>(
    function: Function,
    arguments: &[Val<'a>],
    work: &mut Work,
) -> Result<Val<'a>, Fault> {
    match (function, arguments) {
        (Function::Size, [of]) => size(of, work),
        (Function::Int, [of]) => int(of),
        (Function::Double, [of]) => double(of),
        (Function::String, [of]) => string(of, work),
        (Function::Contains | Function::StartsWith | Function::EndsWith, [text, part]) => {
            let (text, part) = match (text, part) {
                (Val::Str(text), Val::Str(part)) => (text.as_str(), part.as_str()),
                (Val::Str(_), other) | (other, _) => return Err(operand(function.name(), other)),
            };
            work.take_text(text.len() + part.len())?;
            Ok(Val::Bool(match function {
                Function::Contains => text.contains(part),
                Function::StartsWith => text.starts_with(part),
                _ => text.ends_with(part),
            }))
        }
        // The compiler counts the arguments.
        _ => Err(Fault::NoSuchElement),
    }
}

fn size<'a>(of: &Val<'a>, work: &mut Work) -> Result<Val<'a>, Fault> {
    let size = match of {
        // As in CEL: characters, where `max_len` counts bytes.
        Val::Str(text) => {
            work.take_text(text.as_str().len())?;
            text.as_str().chars().count()
        }
        Val::Bytes(bytes) => bytes.as_slice().len(),
        Val::List(items) => items.len(),
        Val::Map(entries) => entries.len(),
        other => return Err(operand("size", other)),
    };
    whole(size as i128, "size")
}

fn int<'a>(of: &Val<'a>) -> Result<Val<'a>, Fault> {
    match of {
        Val::Int(_) | Val::UInt(_) => Ok(of.clone()),
        Val::Float(number) if number.is_nan() => Err(Fault::NotANumber),
        Val::Float(number) => {
            // Saturates, and what saturates is too large all the same.
            whole(number.trunc() as i128, "int")
        }
        Val::Str(text) => {
            let text = text.as_str();
            let signed = text.parse().map(Val::Int);
            signed
                .or_else(|_| text.parse().map(Val::UInt))
                .map_err(|_| Fault::Unconvertible("int"))
        }
        other => Err(operand("int", other)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "`double` is asked for; comparing needs no conversion"
)]
fn double<'a>(of: &Val<'a>) -> Result<Val<'a>, Fault> {
    match of {
        Val::Float(_) => Ok(of.clone()),
        Val::Int(number) => Ok(Val::Float(*number as f64)),
        Val::UInt(number) => Ok(Val::Float(*number as f64)),
        Val::Str(text) => text
            .as_str()
            .parse()
            .map(Val::Float)
            .map_err(|_| Fault::Unconvertible("double")),
        other => Err(operand("double", other)),
    }
}

fn string<'a>(of: &Val<'a>, work: &mut Work) -> Result<Val<'a>, Fault> {
    match of {
        Val::Str(_) => Ok(of.clone()),
        Val::Int(number) => Ok(Val::text(number.to_string())),
        Val::UInt(number) => Ok(Val::text(number.to_string())),
        Val::Float(number) => Ok(Val::text(number.to_string())),
        Val::Bool(it) => Ok(Val::text(it.to_string())),
        Val::Bytes(bytes) => {
            let bytes = bytes.as_slice();
            work.take_text(bytes.len())?;
            std::str::from_utf8(bytes)
                .map(Val::text)
                .map_err(|_| Fault::Unconvertible("string"))
        }
        other => Err(operand("string", other)),
    }
}
