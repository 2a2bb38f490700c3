//! The arguments of a run.

use serde::Serialize;
use theus_core::value::Map;

use super::value;

/// Arguments by parameter name; [`args!`](super::args!) makes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args(pub(super) Map);

impl Args {
    /// No arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument, or replaces the one of that name.
    ///
    /// # Panics
    ///
    /// The value cannot be encoded.
    #[must_use]
    #[track_caller]
    pub fn with<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        match value::to_core(value) {
            Ok(value) => {
                self.0.insert(name, value);
                self
            }
            Err(why) => panic!("the argument `{name}` cannot be encoded: {why}"),
        }
    }
}

/// Makes the arguments of a run: `args! { "product_name" => "TV", "price" => 500 }`.
///
/// A value is anything that implements `Serialize`; `None` is nil.
#[doc(hidden)]
#[macro_export]
macro_rules! __args {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::testing::Args::new()$(.with($name, &$value))*
    };
}
