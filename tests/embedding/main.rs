//! The library from the outside, as programs that embed it see it: the examples, async runtimes, traces, metrics, and
//! what guest authors test with.

mod client;
mod guest_tests;
mod metrics;
mod reactor;
mod service;
mod threads;
mod traces;
