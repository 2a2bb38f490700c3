//! Processes that each show the host one behaviour, good or bad. The integration tests run them.
//!
//! | module | what its processes do |
//! | --- | --- |
//! | [`arguments`] | take arguments of all kinds and give them back |
//! | [`changes`] | change the context as their contract allows |
//! | [`breaches`] | do what their contract does not allow |
//! | [`endings`] | end in every other way than well |
//! | [`heavy`] | write and read one large value |
//! | [`limits`] | do as much of one thing as they are told |
//! | [`raw`] | do to the context whatever they are told |
//!
//! `context.yaml` holds the places that they expect.

pub mod arguments;
pub mod breaches;
pub mod changes;
pub mod endings;
pub mod heavy;
pub mod limits;
pub mod raw;
