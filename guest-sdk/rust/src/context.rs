//! The context, as far as the process's contract grants it.

use std::any::type_name;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::context as host;
use crate::kind::Kind;

/// The error code of a value and a type that do not go together.
pub(crate) const DECODE: &str = "Decode";

/// Keys per host call of [`Context::keys`].
const PAGE: u32 = 256;

/// The shared context: a process's first parameter.
///
/// Reads see what the same call has written. Paths are written as in the contract: `domain.items[3].price`; a key that
/// comes from an argument goes through [`path!`](crate::path!), which quotes it where that is needed.
///
/// A call outside the contract, a malformed path, an operation that does not fit what is there, and a size over a limit
/// end the whole call inside the host: these methods then do not return. Their errors are only about types:
/// [`ContextError`].
#[derive(Debug)]
pub struct Context {
    // Only the SDK makes one.
    _sealed: (),
}

impl Context {
    pub(crate) const fn new() -> Self {
        Self { _sealed: () }
    }

    /// The value at `path`, or none where nothing is there.
    ///
    /// # Errors
    ///
    /// The value there is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ContextError> {
        match host::get(path) {
            None => Ok(None),
            Some(encoded) => rmp_serde::from_slice(&encoded)
                .map(Some)
                .map_err(|why| ContextError::decode::<T>(path, &encoded, &why)),
        }
    }

    /// Replaces the value at `path`.
    ///
    /// Creates the last key of a map, never its parents; a list index must exist ([`push`](Self::push) appends).
    ///
    /// # Errors
    ///
    /// serde cannot encode `value`; nothing was written then.
    pub fn set<T: Serialize + ?Sized>(&self, path: &str, value: &T) -> Result<(), ContextError> {
        host::set(path, &encode(path, value)?);
        Ok(())
    }

    /// Appends to the list at `path`, or makes a list of one. Gives the new length.
    ///
    /// # Errors
    ///
    /// serde cannot encode `value`; nothing was written then.
    pub fn push<T: Serialize + ?Sized>(&self, path: &str, value: &T) -> Result<u64, ContextError> {
        Ok(host::push(path, &encode(path, value)?))
    }

    /// Removes the value at `path`. True where something was there.
    ///
    /// # Errors
    ///
    /// None today; the signature is that of the other operations.
    pub fn remove(&self, path: &str) -> Result<bool, ContextError> {
        Ok(host::remove(path))
    }

    /// Elements of a list or map, bytes of a string or binary; none where nothing is there.
    ///
    /// # Errors
    ///
    /// None today; the signature is that of the other operations.
    pub fn len(&self, path: &str) -> Result<Option<u64>, ContextError> {
        Ok(host::len(path))
    }

    /// All keys of the map at `path`, in order; none where nothing is there.
    ///
    /// # Errors
    ///
    /// None today; the signature is that of the other operations.
    pub fn keys(&self, path: &str) -> Result<Vec<String>, ContextError> {
        let mut keys = host::keys(path, None, PAGE);
        let mut last_page = keys.len();
        while last_page == PAGE as usize {
            let page = host::keys(path, keys.last().map(String::as_str), PAGE);
            last_page = page.len();
            keys.extend(page);
        }
        Ok(keys)
    }

    /// At most `limit` keys of the map at `path`, in order, from the first one after `after`.
    ///
    /// # Errors
    ///
    /// None today; the signature is that of the other operations.
    pub fn keys_page(
        &self,
        path: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, ContextError> {
        Ok(host::keys(path, after, limit))
    }

    /// A piece of the bytes or string value at `path`, for what is too large to [`get`](Self::get).
    ///
    /// # Errors
    ///
    /// None today; the signature is that of the other operations.
    pub fn read_bytes(&self, path: &str, offset: u64, len: u32) -> Result<Vec<u8>, ContextError> {
        Ok(host::read_bytes(path, offset, len))
    }

    /// The value at `path` as MessagePack, undecoded.
    pub fn get_encoded(&self, path: &str) -> Option<Vec<u8>> {
        host::get(path)
    }

    /// [`set`](Self::set) with a value that is MessagePack already. The host checks it.
    pub fn set_encoded(&self, path: &str, encoded: &[u8]) {
        host::set(path, encoded);
    }

    /// [`push`](Self::push) with a value that is MessagePack already. The host checks it.
    pub fn push_encoded(&self, path: &str, encoded: &[u8]) -> u64 {
        host::push(path, encoded)
    }
}

fn encode<T: Serialize + ?Sized>(path: &str, value: &T) -> Result<Vec<u8>, ContextError> {
    rmp_serde::to_vec_named(value).map_err(|why| ContextError::encode(path, &why))
}

/// A value and a type that do not go together.
///
/// `?` turns it into a [`Failure`](crate::Failure) with the reserved code `Decode`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextError {
    /// What is in the context is not of the type asked for.
    Decode {
        /// Where it is.
        path: String,
        /// Its kind.
        found: &'static str,
        /// The type asked for.
        wanted: &'static str,
        /// What serde says beyond that.
        reason: Option<String>,
    },
    /// What was to be written cannot be encoded.
    Encode {
        /// Where it was to go.
        path: String,
        /// What serde found.
        reason: String,
    },
}

impl ContextError {
    #[cold]
    fn decode<T>(path: &str, encoded: &[u8], why: &rmp_serde::decode::Error) -> Self {
        Self::Decode {
            path: path.to_owned(),
            found: Kind::of(encoded).map_or("extension type", Kind::word),
            wanted: type_name::<T>(),
            reason: match why {
                // It names MessagePack's marker, which says less than the kind.
                rmp_serde::decode::Error::TypeMismatch(_) => None,
                why => Some(why.to_string()),
            },
        }
    }

    #[cold]
    fn encode(path: &str, why: &rmp_serde::encode::Error) -> Self {
        Self::Encode {
            path: path.to_owned(),
            reason: why.to_string(),
        }
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode {
                path,
                found,
                wanted,
                reason,
            } => {
                write!(
                    formatter,
                    "the value at `{path}` is of kind {found}, and the process reads it as `{wanted}`"
                )?;
                match reason {
                    Some(reason) => write!(formatter, ": {reason}"),
                    None => Ok(()),
                }
            }
            Self::Encode { path, reason } => {
                write!(
                    formatter,
                    "the value for `{path}` cannot be encoded: {reason}"
                )
            }
        }
    }
}

impl std::error::Error for ContextError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    fn failure<T: DeserializeOwned + fmt::Debug>(encoded: &[u8]) -> String {
        let why = rmp_serde::from_slice::<T>(encoded).expect_err("another type");
        Failure::from(ContextError::decode::<T>("domain.total", encoded, &why)).to_string()
    }

    #[test]
    fn a_value_of_another_type_is_told_by_kind_and_type() {
        assert_eq!(
            failure::<i64>(b"\xa3abc"),
            "Decode: the value at `domain.total` is of kind string, and the process reads it as `i64`"
        );
        let message = failure::<u8>(b"\xcd\x01\x00");
        assert!(message.contains("kind int"), "{message}");
        assert!(message.contains("`u8`: "), "{message}");
    }
}
