//! The `#[process]` attribute. Guests use it through `theus_guest::prelude`, which documents the whole SDK.

mod attribute;
mod contract;
mod expand;
mod kind;
mod name;
mod pattern;
mod signature;

use proc_macro::TokenStream;

/// Makes a plain function a process.
///
/// ```text
/// /// Adds a product to the warehouse.
/// #[process(
///     inputs = ["domain.items"],
///     outputs = ["domain.items", "domain.total_value"],
///     errors = ["ValueError"],
/// )]
/// fn add_product(ctx: &Context, product_name: String, price: i64) -> Result<String, Failure> {
///     // …
/// }
/// ```
///
/// The contract is made from what is written here, and read by the host without running the guest:
///
/// | part of the contract | comes from |
/// | --- | --- |
/// | name | the function's name |
/// | summary | the first line of its doc comment |
/// | parameters | its parameters after `ctx: &Context` |
/// | inputs, outputs | `inputs = [..]`, `outputs = [..]`: paths, with `{param}` for one whole key taken from an argument and `[{param}]` for one list index |
/// | side effects | `side_effects = [..]`: `fs:NAME`, `fs-rw:NAME`, `clock`, `random` |
/// | errors | `errors = [..]`: the codes that a `Failure` of this process may carry |
///
/// All four lists may be left out; they are then empty. Names are ASCII letters, digits, `_` and `-`.
///
/// The function returns a `Result<T, E>` with `T: Serialize` and `E: Into<Failure>`.
///
/// A parameter's kind follows from its type: `bool`; `int` for the integer types; `float` for `f32` and `f64`; `string`
/// for `String` and `char`; `bytes` for `theus_guest::Bytes`; `list` for `Vec` and the like, tuples and arrays; `map` for
/// `BTreeMap` and `HashMap`; `any` for every other type, which serde then decodes. `Option<T>` makes the parameter
/// optional. `#[secret]` on a parameter keeps its argument out of logs and records.
///
/// The function stays as it is and can be called like any other. Beside it stands a type of the same name that
/// implements `theus_guest::Process`; its `CONTRACT` is the contract as text.
///
/// The expansion places two statics in link sections, which the `unsafe_code` lint counts as unsafe code: a guest can
/// `deny` that lint, not `forbid` it. Processes belong in the guest's own crate, not in a library that it depends on.
#[proc_macro_attribute]
pub fn process(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attribute.into(), &item.into()).into()
}
